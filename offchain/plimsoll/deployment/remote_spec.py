"""Collateral that waits on another chain, as a configuration names it, and what its wait costs in haircut."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eth_utils.address import is_address, to_checksum_address

from plimsoll.constants import DAY_SEC, YEAR_SEC
from plimsoll.deployment.table import build_table
from plimsoll.errors import InputError

#: An auction that finds its bidder at once takes this long, price path and settlement included.
SEIZE_SEC = 900
#: Standard deviations that a claim may lose while it cannot be sold.
DEVIATIONS = 3.0
#: Largest cap, whole tokens.
MAX_CLAIMS = 1e12


@dataclass(frozen=True, slots=True)
class RemoteTokenSpec:
    """One token of the other chain and the claim to it; haircuts are those of the token, without its wait.

    ``token`` is its address there, ``cap`` the most claims there may be in whole tokens, ``volatility`` a year's.
    """

    symbol: str
    name: str
    token: str
    decimals: int
    cap: float
    volatility: float
    haircut: float
    linked: str = ""
    linked_haircut: float = 0.0
    ratio: float = 1.0
    outflow_share: float = 0.1
    outflow_daily: float = 0.25


@dataclass(frozen=True, slots=True)
class RemoteSpec:
    """Another chain: its escrow, who attests headers in both directions, and how long a unit is away.

    ``final_sec`` is how long a block there takes until it is final, ``seize_sec`` how long a seizure here takes,
    ``deviations`` is z of the haircut; ``escrow`` is empty until it is deployed.
    """

    chain_id: int
    signer_threshold: int
    final_sec: int
    signers: tuple[str, ...]
    tokens: tuple[RemoteTokenSpec, ...]
    escrow: str = ""
    seize_sec: int = SEIZE_SEC
    deviations: float = DEVIATIONS

    def wait_haircut(self, volatility: float) -> float:
        """Return what a claim may lose while it waits, as a fraction.

        Parameters
        ----------
        volatility : float
            A year's, as a fraction.

        Returns
        -------
        float
            ``1 - exp(-z*sigma*sqrt(T_final + T_seize))``.

        Examples
        --------
        Ethereum today, and with finality in one slot:

        >>> today = RemoteSpec(1, 2, 19 * 60, (), ())
        >>> round(today.wait_haircut(0.8), 3)
        0.019
        >>> round(RemoteSpec(1, 2, 12, (), ()).wait_haircut(0.8), 3)
        0.013
        """
        years = (self.final_sec + self.seize_sec) / YEAR_SEC
        return -math.expm1(-self.deviations * volatility * math.sqrt(years))


def read_remote(source: str, table: Mapping[str, Any] | None) -> RemoteSpec | None:
    """Read the other chain and what is collateral there.

    Parameters
    ----------
    source : str
        Name used in an error message, with the section's in brackets at its end.
    table : mapping or None
        What the file says.

    Returns
    -------
    RemoteSpec or None
        ``None`` where the file names no other chain.

    Raises
    ------
    InputError
        When anything is unknown, missing, mistyped, out of bounds, or would be refused by the contracts.
    """
    if table is None:
        return None
    entries = table.get("tokens", {})
    signers = table.get("signers", [])
    for key, value, kind in (("tokens", entries, dict), ("signers", signers, list)):
        if not isinstance(value, kind) or not value:
            raise InputError(source, f"{key} is missing")
    tokens = tuple(
        build_table(RemoteTokenSpec, f"{source[:-1]}.tokens.{symbol}]", entry, symbol=symbol)
        for symbol, entry in entries.items()
    )
    plain = {key: value for key, value in table.items() if key not in ("tokens", "signers")}
    found = build_table(RemoteSpec, source, plain, signers=_signers(source, signers), tokens=tokens)
    _check_remote(source, found)
    return found


def _signers(source: str, signers: list[Any]) -> tuple[str, ...]:
    """Read addresses, and put them into the order that the contracts ask for."""
    for signer in signers:
        if not isinstance(signer, str) or not is_address(signer):
            raise InputError(source, f"signers: {signer!r} is no address")
    found = sorted({str(to_checksum_address(signer)) for signer in signers}, key=lambda signer: int(signer, 16))
    if len(found) < len(signers):
        raise InputError(source, "signers: the same address twice would agree with itself")
    return tuple(found)


def _check_remote(source: str, remote: RemoteSpec) -> None:
    """Refuse before anything is sent what the contracts would refuse, or what could not be meant."""
    bounds = (
        *(("chain_id", 1, 2**53), ("signer_threshold", 1, len(remote.signers)), ("final_sec", 1, 30 * DAY_SEC)),
        *(("seize_sec", 60, 7 * DAY_SEC), ("deviations", 1.0, 10.0)),
    )
    for name, low, high in bounds:
        value = getattr(remote, name)
        if not low <= value <= high:
            raise InputError(source, f"{name} {value} is outside {low} to {high}")
    if remote.escrow and not is_address(remote.escrow):
        raise InputError(source, f"escrow {remote.escrow!r} is no address")
    for token in remote.tokens:
        _check_remote_token(f"{source[:-1]}.tokens.{token.symbol}]", remote, token)
    addresses = [token.token.lower() for token in remote.tokens]
    if len(set(addresses)) < len(addresses):
        raise InputError(source, "tokens: two claims to the same token")


def _check_remote_token(source: str, remote: RemoteSpec, token: RemoteTokenSpec) -> None:
    """Refuse a token that is none, and haircuts that leave nothing."""
    if not is_address(token.token):
        raise InputError(source, f"token {token.token!r} is no address")
    for name, low, high in (("decimals", 0, 18), ("cap", 0.0, MAX_CLAIMS), ("volatility", 0.01, 10.0)):
        value = getattr(token, name)
        if not low <= value <= high:
            raise InputError(source, f"{name} {value} is outside {low} to {high:g}")
    wait = remote.wait_haircut(token.volatility)
    for name in ("haircut", "linked_haircut"):
        value = getattr(token, name)
        if not 0.0 <= value <= 1.0 - wait:
            raise InputError(source, f"{name} {value} is outside 0 to {1.0 - wait:.4f}: the wait costs {wait:.4f}")
