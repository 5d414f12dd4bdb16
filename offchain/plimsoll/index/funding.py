"""Funding in the ledger's integers: the exact mirror of contracts/libraries/FundingMath.sol."""

from __future__ import annotations

from plimsoll.constants import DAY_SEC, WAD

#: A rate that nobody renews ends after this time.
LIFE_SEC = 3_600
MAX_INDEX_WAD = 2**111 - 1


def rate(spot_wad: int, perp_wad: int, max_premium_wad: int, period_sec: int) -> int:
    """Return what one unit of a long pays a day, wad, rounded toward zero.

    Parameters
    ----------
    spot_wad : int
        Spot.
    perp_wad : int
        Mark of the perpetual.
    max_premium_wad : int
        Largest premium that counts, as a share of spot.
    period_sec : int
        Time over which a premium is paid once.

    Returns
    -------
    int
        Negative when shorts pay.
    """
    limit = spot_wad * max_premium_wad // WAD
    premium = max(-limit, min(limit, perp_wad - spot_wad))
    size = abs(premium) * DAY_SEC // period_sec
    return size if premium >= 0 else -size


def index_at(index_wad: int, rate_wad: int, since_ts: int, now_ts: int) -> int:
    """Return the index at a later time, wad, its step rounded toward zero.

    Parameters
    ----------
    index_wad : int
        Index when the rate was set.
    rate_wad : int
        What one unit of a long pays a day.
    since_ts : int
        When the rate was set.
    now_ts : int
        Now.

    Returns
    -------
    int
        Within what the ledger can store.
    """
    step = abs(rate_wad) * min(now_ts - since_ts, LIFE_SEC) // DAY_SEC
    index = index_wad + (step if rate_wad >= 0 else -step)
    return max(-MAX_INDEX_WAD, min(MAX_INDEX_WAD, index))


def owed(quantity_wad: int, step_wad: int) -> int:
    """Return what a position owes for a step of the index, wad, rounded up.

    Parameters
    ----------
    quantity_wad : int
        Signed quantity.
    step_wad : int
        Index now less the index up to which it has paid.

    Returns
    -------
    int
        Negative when it receives.
    """
    return -(-quantity_wad * step_wad // WAD)
