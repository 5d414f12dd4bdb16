"""What a trader key of a strategy vault trades next: options once a cycle, and a hedge when delta leaves its band."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from plimsoll.model import Kind, Position


class Strategy(StrEnum):
    """Which strategy a vault runs."""

    COVERED_CALL = "covered-call"
    SHORT_VOL = "short-vol"


@dataclass(frozen=True, slots=True)
class Cycle:
    """One series of options, sold at its beginning and held until it expires.

    ``cover`` is the value of the options' underlying over that of the vault; ``strike`` in cash, of both options of a
    straddle.
    """

    underlying: str
    expiry_ts: int
    strike: float
    cover: float


def opening_trades(strategy: Strategy, cycle: Cycle, value: float, spot: float) -> tuple[Position, ...]:
    """Return what a cycle begins with.

    Parameters
    ----------
    strategy : Strategy
    cycle : Cycle
    value : float
        Exit value of the vault, cash.
    spot : float
        Cash.

    Returns
    -------
    tuple of Position
        Signed changes: perpetuals and short calls on them, or a short straddle whose delta the hedge takes.

    Examples
    --------
    >>> cycle = Cycle("ETH", 1_800_000_000, 2_000.0, 0.5)
    >>> [trade.quantity for trade in opening_trades(Strategy.COVERED_CALL, cycle, 1_000_000.0, 2_000.0)]
    [250.0, -250.0]
    """
    units = cycle.cover * value / spot
    if strategy is Strategy.COVERED_CALL:
        return Position(cycle.underlying, Kind.PERP, 0, spot, units), _sold(cycle, Kind.CALL, units)
    return _sold(cycle, Kind.CALL, units), _sold(cycle, Kind.PUT, units)


def _sold(cycle: Cycle, kind: Kind, units: float) -> Position:
    return Position(cycle.underlying, kind, cycle.expiry_ts, cycle.strike, -units)


def hedge_change(delta: float, band: float) -> float:
    """Return the change of delta that brings it back to the edge of its band around 0.

    Parameters
    ----------
    delta : float
        Of the account, units of the underlying.
    band : float
        Half its width, at least 0.

    Returns
    -------
    float
        0 within the band.

    Examples
    --------
    >>> hedge_change(12.0, 10.0), hedge_change(-12.0, 10.0), hedge_change(9.0, 10.0)
    (-2.0, 2.0, 0.0)
    """
    beyond = abs(delta) - band
    return 0.0 if beyond <= 0.0 else -beyond if delta > 0.0 else beyond
