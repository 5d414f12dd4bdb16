"""What quotes allow: the lowest and highest volatility of every listed instrument of an expiry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from plimsoll.market.chain_file import ChainSnapshot

Vector = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

TICK_COIN: Final = 0.0005
"""A mark may lie outside its bid and ask by this much, in coin, ..."""
POINT: Final = 0.01
"""... and by this much volatility on top. The venue's own marks on file all lie inside."""
UNQUOTED_POINT: Final = 0.03
"""The same where nobody quotes and the venue's volatility, which jumps from strike to strike there, stands in."""
_STD_MIN: Final = 1e-6
_STD_MAX: Final = 40.0
_HALVINGS: Final = 45


@dataclass(frozen=True, slots=True)
class Bands:
    """Bounds of volatility at listed strikes, by rising log-moneyness.

    Attributes
    ----------
    log_moneyness : ndarray of float64
        ``ln(K/F)``, each row with its own forward.
    low, high : ndarray of float64
        Volatility per year; 0 and infinity where nothing bounds it.
    """

    log_moneyness: Vector
    low: Vector
    high: Vector

    def excess(self, vol: Vector) -> Vector:
        """Return how far volatilities at ``log_moneyness`` lie outside; 0 inside."""
        outside: Vector = np.maximum(np.maximum(self.low - vol, vol - self.high), 0.0)
        return outside


NO_BANDS: Final = Bands(np.zeros(0), np.zeros(0), np.zeros(0))


def coin_price(is_call: Flags, log_moneyness: Vector, std: Vector) -> Vector:
    """Undiscounted Black-76 in units of the forward, which is the coin price of an inverse option.

    Parameters
    ----------
    is_call : ndarray of bool
    log_moneyness, std : ndarray of float64
        ``ln(K/F)``; total standard deviation, 0 gives the intrinsic value.

    Returns
    -------
    ndarray of float64
    """
    ratio = np.exp(log_moneyness)
    sign = np.where(is_call, 1.0, -1.0)
    safe = np.maximum(std, 1e-12)
    d1 = -log_moneyness / safe + 0.5 * safe
    price: Vector = sign * (ndtr(sign * d1) - ratio * ndtr(sign * (d1 - safe)))
    intrinsic = np.maximum(sign * (1.0 - ratio), 0.0)
    return np.where(std > 0.0, np.maximum(price, intrinsic), np.where(np.isnan(std), np.nan, intrinsic))


def implied_std(is_call: Flags, log_moneyness: Vector, price: Vector) -> Vector:
    """Total standard deviation at which ``coin_price`` is ``price``.

    Parameters
    ----------
    is_call : ndarray of bool
    log_moneyness, price : ndarray of float64
        Prices in coin; NaN stays NaN.

    Returns
    -------
    ndarray of float64
        0 at or below the intrinsic value, infinity at or above the bound of the price (1, or ``K/F`` of a put).
    """
    bound = np.where(is_call, 1.0, np.exp(log_moneyness))
    low, high = np.full(price.shape, _STD_MIN), np.full(price.shape, _STD_MAX)
    for _ in range(_HALVINGS):
        middle = np.sqrt(low * high)
        above = coin_price(is_call, log_moneyness, middle) > price
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    std: Vector = np.sqrt(low * high)
    std = np.where(price <= coin_price(is_call, log_moneyness, np.full(price.shape, _STD_MIN)), 0.0, std)
    std = np.where(price >= bound, np.inf, std)
    return np.where(np.isnan(price), np.nan, std)


def bands_of(snapshot: ChainSnapshot, years: Vector) -> dict[int, Bands]:
    """Read the bounds of every expiry from its quotes.

    Parameters
    ----------
    snapshot : ChainSnapshot
        One underlying at one time.
    years : ndarray of float64
        Time to the expiry of every row.

    Returns
    -------
    dict of int to Bands
        By expiry, one row for each listed instrument that bounds something. A bid bounds from below, an ask from above,
        one without the other as well; where an instrument with open interest has neither, the venue's volatility gives
        both. A crossed pair of quotes bounds nothing, nor do the two rights of a strike that contradict each other, nor
        an ask below the intrinsic value.
    """
    k, root = np.log(snapshot.strike / snapshot.underlying), np.sqrt(years)
    is_call, bid, ask, point = _sides(snapshot, k, root)
    low = np.maximum(np.nan_to_num(implied_std(is_call, k, bid - TICK_COIN) / root - point, posinf=np.inf), 0.0)
    high = np.nan_to_num(implied_std(is_call, k, ask + TICK_COIN) / root + point, nan=np.inf, posinf=np.inf)
    usable = ~(bid > ask) & ~(ask + TICK_COIN < coin_price(is_call, k, np.zeros(k.shape))) & (low <= high)
    usable &= (low > 0.0) | np.isfinite(high)
    found = {}
    for expiry in snapshot.expiries:
        rows = np.flatnonzero(usable & (snapshot.expiry_ts == expiry))
        rows = rows[np.argsort(k[rows], kind="stable")]
        rows = rows[~_contradicted(snapshot.strike[rows], low[rows], high[rows])]
        found[expiry] = Bands(k[rows], low[rows], high[rows])
    return found


def _sides(snapshot: ChainSnapshot, k: Vector, root: Vector) -> tuple[Flags, Vector, Vector, Vector]:
    """Return the right, bid and ask of every row, NaN where there is none, and the volatility allowed on top."""
    bid = np.where(snapshot.bid > 0.0, snapshot.bid, np.nan)
    ask = np.where(snapshot.ask > 0.0, snapshot.ask, np.nan)
    # In the money a mark and its forward of another second differ by more than the time value: take the other right.
    unquoted = np.isnan(bid) & np.isnan(ask) & (snapshot.open_interest > 0.0)
    is_call = np.where(unquoted, k >= 0.0, snapshot.is_call)
    mark = coin_price(is_call, k, snapshot.iv * root)
    point = np.where(unquoted, UNQUOTED_POINT, POINT)
    return is_call, np.where(unquoted, mark, bid), np.where(unquoted, mark, ask), point


def _contradicted(strike: Vector, low: Vector, high: Vector) -> Flags:
    """Mark strikes of which the two rights leave no common volatility."""
    if not strike.size:
        return np.zeros(0, dtype=bool)
    _, number = np.unique(strike, return_inverse=True)
    floor, cap = np.zeros(number.max() + 1), np.full(number.max() + 1, np.inf)
    np.maximum.at(floor, number, low)
    np.minimum.at(cap, number, high)
    bad: Flags = (floor > cap)[number]
    return bad
