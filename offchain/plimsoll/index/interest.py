"""Interest in the ledger's integers: the exact mirror of contracts/libraries/InterestMath.sol and Lending.sol."""

from __future__ import annotations

from dataclasses import dataclass

from plimsoll.constants import DAY_SEC, WAD, YEAR_SEC

ONE_E6 = 10**6
ONE_BPS = 10_000
MAX_INDEX_WAD = 2**72 - 1
MAX_WAD = 2**127 - 1
MAX_LIFT_E6 = 50_000


@dataclass(frozen=True, slots=True)
class Curve:
    """Rates a year and utilisation in steps of 1e-6."""

    base_rate_e6: int
    kink_e6: int
    kink_rate_e6: int
    full_rate_e6: int
    reserve_bps: int
    max_utilisation_e6: int = ONE_E6


@dataclass(frozen=True, slots=True)
class Lending:
    """Totals of the ledger: indices, debt and what it is borrowed from, and the rate since when."""

    cash_index_wad: int = WAD
    debt_index_wad: int = WAD
    debt_wad: int = 0
    positive_wad: int = 0
    rate_e6: int = 0
    since_ts: int = 0
    reserve_bps: int = 0


@dataclass(frozen=True, slots=True)
class Accrual:
    """What time has done since the last write."""

    cash_index_wad: int
    debt_index_wad: int
    interest_wad: int = 0
    reserve_wad: int = 0


def rate(debt_wad: int, positive_wad: int, curve: Curve) -> int:
    """Return the rate a year at a utilisation, in steps of 1e-6, rounded up.

    Parameters
    ----------
    debt_wad : int
        Cash borrowed.
    positive_wad : int
        Cash that it is borrowed from.
    curve : Curve
        Rates; none when its kink is 0.

    Returns
    -------
    int
        Between the base rate and the full rate.
    """
    if debt_wad == 0 or curve.kink_e6 == 0:
        return 0
    if debt_wad >= positive_wad:
        return curve.full_rate_e6
    return _rate_at(-(-debt_wad * ONE_E6 // positive_wad), curve)


def _rate_at(used: int, curve: Curve) -> int:
    """Return the rate at a utilisation in steps of 1e-6, at most 1."""
    if used <= curve.kink_e6:
        return curve.base_rate_e6 - (-(curve.kink_rate_e6 - curve.base_rate_e6) * used // curve.kink_e6)
    steep = curve.full_rate_e6 - curve.kink_rate_e6
    return curve.kink_rate_e6 - (-steep * (used - curve.kink_e6) // (ONE_E6 - curve.kink_e6))


def climbed(from_e6: int, wanted_e6: int, curve: Curve, elapsed_sec: int) -> int:
    """Return the rate on the way to the one of the curve: to that of the cap at once, above it five points a day.

    Parameters
    ----------
    from_e6 : int
        Rate in force.
    wanted_e6 : int
        Rate of the curve.
    curve : Curve
        Rates.
    elapsed_sec : int
        Time since the rate was last set.

    Returns
    -------
    int
        In steps of 1e-6.
    """
    if curve.kink_e6 == 0:
        return wanted_e6
    most = max(from_e6, _rate_at(curve.max_utilisation_e6, curve)) + MAX_LIFT_E6 * elapsed_sec // DAY_SEC
    return min(wanted_e6, most)


def accrual(lending: Lending, now_ts: int) -> Accrual:
    """Return indices and interest at a later time.

    Parameters
    ----------
    lending : Lending
        Totals as written last.
    now_ts : int
        Now.

    Returns
    -------
    Accrual
        Interest rounded down, the index of debts up.
    """
    still = Accrual(lending.cash_index_wad, lending.debt_index_wad)
    if lending.rate_e6 == 0 or lending.since_ts == now_ts:
        return still
    grown = lending.rate_e6 * (now_ts - lending.since_ts)
    interest = lending.debt_wad * grown // (ONE_E6 * YEAR_SEC)
    reserve = -(-interest * lending.reserve_bps // ONE_BPS) if lending.positive_wad else interest
    debt_index = lending.debt_index_wad - (-lending.debt_index_wad * grown // (ONE_E6 * YEAR_SEC))
    cash_index = lending.cash_index_wad
    if reserve != interest:
        cash_index += cash_index * (interest - reserve) // lending.positive_wad
    if interest == 0 or max(debt_index, cash_index) > MAX_INDEX_WAD:
        return still
    if max(lending.debt_wad, lending.positive_wad) + interest > MAX_WAD:
        return still
    return Accrual(cash_index, debt_index, interest, reserve)


def after_index(cash_wad: int, from_index_wad: int, moved: Accrual) -> int:
    """Return cash after what the index of its sign has done, wad, rounded down.

    Parameters
    ----------
    cash_wad : int
        Cash as stored.
    from_index_wad : int
        Index it was stored at.
    moved : Accrual
        Indices now.

    Returns
    -------
    int
        Wad.
    """
    index = moved.cash_index_wad if cash_wad > 0 else moved.debt_index_wad
    if cash_wad == 0:
        return 0
    # Floor for both signs: less cash, more debt.
    return cash_wad * index // from_index_wad
