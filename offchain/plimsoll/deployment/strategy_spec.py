"""A strategy vault as a configuration names it: its share, and the mandate of its trader key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_utils.address import is_address, to_checksum_address

from plimsoll.constants import DAY_SEC
from plimsoll.deployment.table import build_table
from plimsoll.errors import InputError
from plimsoll.model import Kind, Mode
from plimsoll.units import float_to_wad

#: Largest share of the value that a greek may be; the contract keeps 64 bits of wad.
MAX_GREEK: Final = 18.0
#: What every number may be, both ends included; the contract refuses the rest.
BOUNDS: Final = (
    *(("term_sec", 3_600, 90 * DAY_SEC), ("half_spread", 0.0, 0.1), ("half_vol", 0.0, 0.5)),
    *(("loss_share", 0.0, 0.1), ("stop_share", 1e-6, 0.5), ("fee", 0.0, 0.5)),
)


@dataclass(frozen=True, slots=True)
class GreekShareSpec:
    """Most that the key may leave of one underlying, in shares of what the vault is worth.

    ``delta`` is of cash delta, ``gamma`` of its change for a move by 1.00, ``vega`` of 1.00 of vol.
    """

    underlying: str
    delta: float
    gamma: float
    vega: float


@dataclass(frozen=True, slots=True)
class StrategySpec:
    """One strategy vault; every share and rate is a fraction.

    ``kinds`` has the bit ``1 << kind`` of each :class:`Kind`; ``half_spread`` of gross notional and ``half_vol`` of
    vega are what closing costs; ``fee_receiver`` may be empty without a fee.
    """

    name: str
    symbol: str
    mode: str
    kinds: int
    term_sec: int
    half_spread: float
    half_vol: float
    loss_share: float
    stop_share: float
    fee: float
    limits: tuple[GreekShareSpec, ...]
    fee_receiver: str = ""


def mandate_terms(spec: StrategySpec) -> dict[str, Any]:
    """Return the mandate as the contract keeps it.

    Parameters
    ----------
    spec : StrategySpec
        Fractions.

    Returns
    -------
    dict of str to Any
        ``IStrategyVault.Mandate``.
    """
    return {
        "mode": int(Mode[spec.mode]),
        "kinds": spec.kinds,
        "termSec": spec.term_sec,
        "halfSpreadWad": float_to_wad(spec.half_spread),
        "halfVolWad": float_to_wad(spec.half_vol),
        "lossShareWad": float_to_wad(spec.loss_share),
        "stopShareWad": float_to_wad(spec.stop_share),
        "feeWad": float_to_wad(spec.fee),
        "feeReceiver": to_checksum_address(spec.fee_receiver or "0x" + "0" * 40),
    }


def greek_terms(spec: StrategySpec, underlyings: Mapping[str, int]) -> list[dict[str, int]]:
    """Return the greeks as the contract keeps them.

    Parameters
    ----------
    spec : StrategySpec
        Fractions.
    underlyings : Mapping[str, int]
        Ids on chain.

    Returns
    -------
    list of dict of str to int
        ``IStrategyVault.GreekShares``, in the order of the configuration.
    """
    return [
        {
            "underlyingId": underlyings[limit.underlying],
            "deltaShareWad": float_to_wad(limit.delta),
            "gammaShareWad": float_to_wad(limit.gamma),
            "vegaShareWad": float_to_wad(limit.vega),
        }
        for limit in spec.limits
    ]


def read_strategy(source: str, table: Mapping[str, Any] | None, underlyings: Sequence[str]) -> StrategySpec | None:
    """Read a strategy vault.

    Parameters
    ----------
    source : str
        Name used in an error message, with the section's in brackets at its end.
    table : mapping or None
        What the file says.
    underlyings : sequence of str
        What the deployment lists.

    Returns
    -------
    StrategySpec or None
        ``None`` where the file names none.

    Raises
    ------
    InputError
        When anything is unknown, missing, mistyped, or would be refused by the contract.
    """
    if table is None:
        return None
    entries = table.get("limits", {})
    if not isinstance(entries, dict) or not entries:
        raise InputError(source, "limits is missing")
    limits = tuple(
        build_table(GreekShareSpec, f"{source[:-1]}.limits.{symbol}]", entry, underlying=symbol)
        for symbol, entry in entries.items()
    )
    plain = {key: value for key, value in table.items() if key != "limits"}
    found = build_table(StrategySpec, source, plain, limits=limits)
    _check(source, found, underlyings)
    return found


def _check(source: str, spec: StrategySpec, underlyings: Sequence[str]) -> None:
    """Refuse before anything is sent what the contract would refuse, or what could not be meant."""
    if spec.mode not in Mode.__members__:
        raise InputError(source, f"mode {spec.mode!r} is none of {', '.join(Mode.__members__)}")
    all_kinds = sum(1 << kind for kind in Kind)
    for name, low, high in (("kinds", 1, all_kinds), *BOUNDS):
        value = getattr(spec, name)
        if not low <= value <= high:
            raise InputError(source, f"{name} {value} is outside {low} to {high}")
    if spec.fee_receiver and not is_address(spec.fee_receiver):
        raise InputError(source, f"fee_receiver {spec.fee_receiver!r} is no address")
    if spec.fee and not spec.fee_receiver:
        raise InputError(source, "fee_receiver is missing: somebody has to get the fee")
    for limit in spec.limits:
        if limit.underlying not in underlyings:
            raise InputError(source, f"limits.{limit.underlying} is no listed underlying")
        for name in ("delta", "gamma", "vega"):
            value = getattr(limit, name)
            if not 0.0 <= value <= MAX_GREEK:
                raise InputError(f"{source[:-1]}.limits.{limit.underlying}]", f"{name} {value} is outside 0 to 18")
