"""Liquidation formulas (risk-model section 8); mirror of contracts/liquidation/Auction.sol.

``equity`` is E, ``maintenance`` M, ``reserve`` V (proceeds of earlier bids), ``rest`` A: the market value,
without haircuts, of everything outside V.
"""

from __future__ import annotations

from dataclasses import dataclass

START_FACTOR = 0.98
MID_FACTOR = 0.70
MID_AFTER_SEC = 15 * 60
END_AFTER_SEC = MID_AFTER_SEC + 12 * 3_600
INSOLVENT_RAMP_SEC = 60 * 60


@dataclass(frozen=True, slots=True)
class Slice:
    """What one bid moves, cash: ``price`` into the reserve, ``fee`` to the insurance fund."""

    fraction: float
    price: float
    fee: float


def price_factor(elapsed_sec: float) -> float:
    """Return ``d``: 0.98 falling to 0.70 in 15 minutes, then to 0 in 12 hours."""
    if elapsed_sec <= MID_AFTER_SEC:
        return START_FACTOR - (START_FACTOR - MID_FACTOR) * max(elapsed_sec, 0.0) / MID_AFTER_SEC
    left = (END_AFTER_SEC - elapsed_sec) / (END_AFTER_SEC - MID_AFTER_SEC)
    return MID_FACTOR * max(left, 0.0)


def largest_fraction(
    equity: float, maintenance: float, reserve: float, rest: float, factor: float, buffer: float
) -> float:
    """Return ``((1+b)*M - E)/((1+b)*M - (E - V) + d*A)``, the fraction that restores the buffer.

    Parameters
    ----------
    equity, maintenance, reserve, rest : float
        E, M, V and A, cash.
    factor : float
        ``d``, the price factor.
    buffer : float
        ``b``.

    Returns
    -------
    float
        In [0, 1]; 1 also when no fraction restores the buffer; 0 when a slice would take more equity than
        requirement, which can only happen above maintenance.
    """
    target = (1.0 + buffer) * maintenance
    cost = (equity - reserve) - factor * rest
    if equity >= target or cost > maintenance:
        return 0.0
    room = target - cost
    return 1.0 if room <= 0.0 else min(1.0, (target - equity) / room)


def solvent_slice(fraction: float, rest: float, factor: float, fee_rate: float) -> Slice:
    """Return price and fee of a solvent bid; the fee never exceeds the bidder's discount."""
    value = fraction * rest
    return Slice(fraction, factor * value, min(fee_rate * value, (1.0 - factor) * value))


def equity_after(equity: float, reserve: float, taken: Slice) -> float:
    """Return ``E - f*((E - V) - d*A)``; haircuts leave with what they were taken from."""
    return equity - taken.fraction * (equity - reserve) + taken.price


def insolvent_payment(fraction: float, rest: float, maintenance: float, reserve: float, elapsed_sec: float) -> float:
    """Return ``f*c(t)``, what the bidder is paid; ``c`` rises from ``-A`` to ``-A + M`` in 60 minutes.

    While the reserve covers what is owed (``A + V >= 0``) it is also the most that is paid.
    """
    ramp = min(1.0, max(elapsed_sec, 0.0) / INSOLVENT_RAMP_SEC)
    whole = -rest + maintenance * ramp
    return fraction * (min(whole, reserve) if rest + reserve >= 0.0 else whole)
