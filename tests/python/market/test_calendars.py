"""Total variance rises with time: slices that cross are fitted again, and those that must cross are named.

The quotes are synthetic, but for one test on the real crash.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from plimsoll.market.fit.bands import Bands
from plimsoll.market.fit.calendars import calendars_of, mended
from plimsoll.market.fit.clean import Quotes
from plimsoll.market.fit.neighbours import NO_LIMITS, Limits, crossing_of, points_of, quotes_cross
from plimsoll.market.fit.rounds import years_to
from plimsoll.market.fit.svi_fit import SliceFit, fit_slice
from plimsoll.mirror.svi import total_variance
from plimsoll.model import Svi

TS = 1_800_000_000
DAY = 86_400
NEAR, FAR = TS + 20 * DAY, TS + 30 * DAY
#: Volatility that quotes leave open on either side of the true one.
ROOM = 0.05


def quotes_of(
    svi: Svi, expiry: int, *, noise: float = 0.0, room: float = ROOM, seed: int = 1, reach: float = 2.4
) -> Quotes:
    years = (expiry - TS) / (365 * DAY)
    std = math.sqrt(float(total_variance(svi, np.zeros(1))[0]))
    k = np.linspace(-2.4 * std, 2.4 * std, 21)
    true = np.sqrt(total_variance(svi, k) / years)
    iv = true + noise * np.random.default_rng(seed).normal(size=k.size)
    return Quotes(expiry, years, k, iv, np.exp(-0.25 * (k / std) ** 2), k.size, Bands(k, iv - room, iv + room))


def flat_smile(vol: float, expiry: int, tilt: float = 0.0) -> Svi:
    """Return a slice of about one volatility at the money, with wings."""
    w = vol * vol * (expiry - TS) / (365 * DAY)
    std = math.sqrt(w)
    b = 0.1 * std
    return Svi(w - b * std, b, tilt, 0.0, std)


def fitted(*quotes: Quotes) -> list[SliceFit]:
    return [fit_slice(one) for one in quotes]


def refits(*quotes: Quotes):
    known = {one.expiry_ts: one for one in quotes}
    return lambda expiry, limits: fit_slice(known[expiry], None, limits)


#: Same total variance at the money: noise decides which slice is above, and the wings cross.
CROSSED = (
    quotes_of(flat_smile(0.60, NEAR, -0.2), NEAR, noise=0.01, seed=2),
    quotes_of(flat_smile(0.50, FAR, 0.2), FAR, noise=0.01, seed=3),
)


def test_slices_that_cross_are_fitted_until_they_do_not():
    before = fitted(*CROSSED)
    years = CROSSED[1].years
    worst = crossing_of(before[0].svi, before[1].svi, years)
    assert worst.gap < -0.005
    after = mended(before, TS, refits(*CROSSED))
    assert crossing_of(after[0].svi, after[1].svi, years).is_free
    assert sum(one != two for one, two in zip(before, after, strict=True)) == 1
    assert all(fit.excess == 0.0 for fit in after)
    assert calendars_of(after, TS, {q.expiry_ts: q for q in CROSSED}) == []
    # On a grid of its own: variance rises at every strike of the dense range, and wherever the option is worth a tick.
    k = np.linspace(*(points_of(after[0].svi)[[0, 60]]), 501)
    rise = total_variance(after[1].svi, k) - total_variance(after[0].svi, k)
    assert rise.min() > -1e-6


def test_slices_that_do_not_cross_are_left_alone():
    quotes = (quotes_of(flat_smile(0.5, NEAR), NEAR), quotes_of(flat_smile(0.55, FAR), FAR))
    before = fitted(*quotes)

    def never(expiry: int, limits: Limits) -> SliceFit | None:
        raise AssertionError((expiry, limits))

    assert mended(before, TS, never) == tuple(before)


def test_three_slices_end_in_order():
    last = TS + 40 * DAY
    quotes = (*CROSSED, quotes_of(flat_smile(0.44, last, -0.2), last, noise=0.01, seed=4))
    before = fitted(*quotes)
    after = mended(before, TS, refits(*quotes))
    pairs = zip(after, after[1:], quotes[1:], strict=False)
    assert all(crossing_of(near.svi, far.svi, q.years).is_free for near, far, q in pairs)


def test_quotes_that_cross_are_named_with_place_and_size():
    quotes = (
        quotes_of(flat_smile(0.70, NEAR), NEAR, room=0.002),
        quotes_of(flat_smile(0.50, FAR), FAR, room=0.002),
    )
    before = fitted(*quotes)
    after = mended(before, TS, refits(*quotes))
    assert after == tuple(before)
    said = calendars_of(after, TS, {q.expiry_ts: q for q in quotes})
    assert len(said) == 1
    assert f"expiries {NEAR} and {FAR}: calendar arbitrage, variance falls by" in said[0]
    assert "the quotes themselves cross by" in said[0]
    at, over = quotes_cross(quotes[0].bands, quotes[1].bands, quotes[0].years, quotes[1].years)
    assert f"{100.0 * over:.2f} vol points at log-strike {at:+.2f}" in said[0]
    least = np.interp(at, quotes[0].bands.log_moneyness, quotes[0].bands.low) * math.sqrt(20 / 30)
    most = np.interp(at, quotes[1].bands.log_moneyness, quotes[1].bands.high)
    assert over == pytest.approx(least - most)
    assert over > 0.05


def test_quotes_with_room_do_not_cross():
    assert quotes_cross(CROSSED[0].bands, CROSSED[1].bands, CROSSED[0].years, CROSSED[1].years) is None
    apart = quotes_of(flat_smile(0.5, FAR), FAR)
    elsewhere = Bands(apart.bands.log_moneyness + 5.0, apart.bands.low, apart.bands.high)
    assert quotes_cross(CROSSED[0].bands, elsewhere, CROSSED[0].years, apart.years) is None


def test_a_held_slice_is_stayed_away_from():
    before = fitted(*CROSSED)
    only_near = mended(before, TS, lambda e, limits: refits(*CROSSED)(e, limits) if e == NEAR else None)
    assert only_near[1] == before[1]
    assert crossing_of(only_near[0].svi, only_near[1].svi, CROSSED[1].years).is_free
    assert mended(before, TS, lambda e, limits: None) == tuple(before)


def test_no_limits_hold_anything():
    assert NO_LIMITS.hold(flat_smile(0.5, NEAR), 0.1)
    floor, ceiling = flat_smile(0.4, NEAR), flat_smile(0.9, FAR)
    between = Limits(floor, ceiling)
    assert between.hold(flat_smile(0.6, NEAR), 20 / 365)
    assert not between.hold(flat_smile(0.3, NEAR), 20 / 365)
    assert not between.hold(flat_smile(2.0, FAR), 30 / 365)


def test_the_real_crash_has_no_calendar_within_its_quotes(real_replay):
    """Regression: 73 of 220 pairs crossed in every fourth snapshot of the crash, 7 of them near the money."""
    pairs = crossed = 0
    for name in real_replay.underlyings:
        for i in range(0, len(real_replay.timestamps), 8):
            fit = real_replay.fit_at(i, name, (), None)
            for near, far in zip(fit.fits, fit.fits[1:], strict=False):
                pairs += 1
                crossed += not crossing_of(near.svi, far.svi, years_to(far.expiry_ts, fit.round.ts)).is_free
            assert sum("calendar" in said for said in fit.warnings) <= 1
    assert pairs > 100
    assert crossed <= 1
