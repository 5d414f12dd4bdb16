"""Ranges of pools whose liquidity is collateral, as a deployment's configuration names them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from eth_utils.address import is_address

from plimsoll.deployment.table import build_table
from plimsoll.errors import InputError

#: What one answer of a range costs, twice over.
STIPEND_GAS: Final = 40_000
#: What the contract takes.
LEAST_STIPEND_GAS: Final = 10_000
MOST_STIPEND_GAS: Final = 60_000
MAX_TICK: Final = 887_272
#: A price rises by so much from one tick to the next.
TICK: Final = 1.0001


class Listed(Protocol):
    """What is read of a token beside which liquidity lies."""

    @property
    def symbol(self) -> str:
        """Its name."""

    @property
    def decimals(self) -> int:
        """Its decimals."""

    @property
    def linked(self) -> str:
        """Underlying that it is linked to, empty for none."""

    @property
    def ratio(self) -> float:
        """Units of the underlying in one."""


@dataclass(frozen=True, slots=True)
class LiquiditySpec:
    """One range of one pool of Uniswap v3, between ``base`` and cash; ``is_base_first`` when the base is its token0."""

    symbol: str
    name: str
    pool: str
    factory: str
    positions: str
    base: str
    is_base_first: bool
    tick_lower: int
    tick_upper: int
    haircut: float
    linked_haircut: float
    deposit_cap: float
    outflow_share: float = 0.1
    outflow_daily: float = 0.25
    stipend_gas: int = STIPEND_GAS

    def prices(self, decimals_up: int) -> tuple[float, float]:
        """Return the prices of the base in cash at both ends.

        Parameters
        ----------
        decimals_up : int
            Decimals of the base less those of cash.

        Returns
        -------
        lower, upper : float

        Examples
        --------
        >>> from dataclasses import replace
        >>> spec = LiquiditySpec("LP", "", "", "", "", "WETH", True, -200_000, -198_000, 0.2, 0.05, 1e6)
        >>> tuple(round(price, 2) for price in spec.prices(12))
        (2063.65, 2520.58)
        >>> turned = replace(spec, is_base_first=False, tick_lower=198_000, tick_upper=200_000)
        >>> turned.prices(12) == spec.prices(12)
        True
        """
        ends = (self.tick_lower, self.tick_upper) if self.is_base_first else (-self.tick_upper, -self.tick_lower)
        lower, upper = (math.exp(tick * math.log(TICK) + decimals_up * math.log(10.0)) for tick in ends)
        return lower, upper


def read_liquidity(
    source: str, tables: Mapping[str, Mapping[str, Any]], tokens: Sequence[Listed]
) -> tuple[LiquiditySpec, ...]:
    """Read the ranges; refuse before anything is sent what a contract would refuse in the middle of a deployment.

    Parameters
    ----------
    source : str
        Name used in an error message.
    tables : mapping
        What the file says, by symbol.
    tokens : sequence
        Tokens of the same file, the cash token first.

    Returns
    -------
    tuple of LiquiditySpec

    Raises
    ------
    InputError
        Naming the key, what is wrong and the limit.
    """
    found = tuple(build_table(LiquiditySpec, f"{source}.{symbol}", t, symbol=symbol) for symbol, t in tables.items())
    for entry in found:
        _check(f"{source}.{entry.symbol}", entry, tokens)
    return found


def _check(source: str, entry: LiquiditySpec, tokens: Sequence[Listed]) -> None:
    by_symbol = {token.symbol: token for token in tokens}
    if entry.symbol in by_symbol:
        raise InputError(source, f"{entry.symbol} is a token of this file already")
    if entry.base not in by_symbol or not by_symbol[entry.base].linked:
        raise InputError(source, f"base {entry.base} is no token of this file that is linked to an underlying")
    base, cash = by_symbol[entry.base], tokens[0]
    if base.ratio != 1.0:
        raise InputError(source, f"base {entry.base} has the ratio {base.ratio:g}, it must be the underlying itself")
    if (base.decimals + cash.decimals) % 2:
        both = f"{base.decimals} and {cash.decimals}"
        raise InputError(source, f"the decimals of both tokens, {both}, add up to an odd number")
    _check_numbers(source, entry)


def _check_numbers(source: str, entry: LiquiditySpec) -> None:
    for key in ("pool", "factory", "positions"):
        if not is_address(getattr(entry, key)):
            raise InputError(source, f"{key} {getattr(entry, key)!r} is no address")
    if not -MAX_TICK <= entry.tick_lower < entry.tick_upper <= MAX_TICK:
        ticks = f"{entry.tick_lower} and {entry.tick_upper}"
        raise InputError(source, f"ticks {ticks} are not in order within {-MAX_TICK} and {MAX_TICK}")
    for name in ("haircut", "linked_haircut"):
        if not 0.0 <= getattr(entry, name) <= 1.0:
            raise InputError(source, f"{name} {getattr(entry, name)} is outside 0 to 1")
    if not LEAST_STIPEND_GAS <= entry.stipend_gas <= MOST_STIPEND_GAS:
        limits = f"{LEAST_STIPEND_GAS} to {MOST_STIPEND_GAS}"
        raise InputError(source, f"stipend_gas {entry.stipend_gas} is outside {limits}")
