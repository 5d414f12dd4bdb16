"""A slice of few quotes is never fitted into nonsense: the case of 2026-02-01 and the guarantees behind it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from helpers.thin_chain import EXPIRY_TS, FORWARD, TS, thin_chain
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.errors import InputError
from plimsoll.market.fit.bands import NO_BANDS, implied_std
from plimsoll.market.fit.clean import clean
from plimsoll.market.fit.five_numbers import FiveNumbers
from plimsoll.market.fit.forwards import parity_range, term_structure
from plimsoll.market.fit.rounds import SnapshotFit, fit_snapshot
from plimsoll.market.fit.slice_check import arbitrage_of
from plimsoll.market.fit.svi_fit import NUMBERS, Prior, Shape, fit_slice
from plimsoll.mirror.black76 import price_and_delta
from plimsoll.mirror.margin_engine import evaluate
from plimsoll.mirror.svi import total_variance
from plimsoll.model import Kind, Market, Mode, Portfolio, Position, Svi, Token
from plimsoll.params import Params

# The tolerance that docs/concepts/surface.md states: half a thousandth of a coin, and one vol point.
TICK, POINT = 0.0005, 0.01
YEAR = 31_536_000


def coin(is_call, strike, forward, std):
    price, _ = price_and_delta(is_call, forward, strike, np.maximum(std, 0.0), np.ones_like(std))
    return price / forward


def assert_inside(chain, surface):
    """Every mark lies inside its own bid and ask, widened; by prices alone, without an implied volatility."""
    rows = (chain.expiry_ts == surface.expiry_ts) & ~(chain.bid > chain.ask)
    forward, strike, is_call = chain.underlying[rows], chain.strike[rows], chain.is_call[rows]
    std = np.sqrt(total_variance(surface.svi, np.log(strike / forward)))
    point = POINT * math.sqrt((surface.expiry_ts - chain.ts) / YEAR)
    ask = np.where(chain.ask[rows] > 0.0, chain.ask[rows], np.inf)
    bid = np.nan_to_num(chain.bid[rows])
    assert (coin(is_call, strike, forward, std - point) <= ask + TICK + 1e-9).all()
    assert (coin(is_call, strike, forward, std + point) >= bid - TICK - 1e-9).all()


def known(svi: Svi, rate: float = 0.05, ts: int = TS - 60) -> SnapshotFit:
    """An earlier fit of which only the slice counts."""
    return replace(fit_snapshot(thin_chain(), required_expiries=[EXPIRY_TS]), priors={EXPIRY_TS: Prior(svi, ts, rate)})


def test_fit_snapshot__five_quotes_of_2026_02_01__marks_lie_inside_their_quotes():
    chain = thin_chain()
    fit = fit_snapshot(chain, required_expiries=[EXPIRY_TS])
    assert_inside(chain, fit.round.surfaces[0])
    assert fit.fits[0].quoted == 3
    assert fit.fits[0].shape is Shape.FLAT
    assert fit.round.confidence < 0.3


def test_fit_snapshot__five_quotes_of_2026_02_01__a_short_wing_stays_solvent():
    posted = fit_snapshot(thin_chain(), required_expiries=[EXPIRY_TS]).round
    short = Portfolio(Mode.SINGLE, 300_000.0, {}, (Position("BTC", Kind.CALL, EXPIRY_TS, 93_000.0, -100.0),))
    market = Market(posted.ts, {"USDC": Token("USDC", 1.0, 0.0)}, {"BTC": posted})
    # An ask of 0.0001 coin is 8 USD; the mark was 3,401.
    assert evaluate(market, short, Params()).market_equity == pytest.approx(300_000.0, abs=100 * 8.0)


def test_fit_snapshot__expiry_that_nobody_holds__poor_slice_is_not_offered():
    with pytest.raises(InputError, match="no expiry has quotes that a slice fits"):
        fit_snapshot(thin_chain())


def test_fit_snapshot__slice_with_an_earlier_one__keeps_its_shape_at_a_fitted_level():
    chain = thin_chain()
    smile = Svi(5e-5, 0.0015, 0.1, 0.004, 0.006)
    fit = fit_snapshot(chain, required_expiries=[EXPIRY_TS], previous=known(smile))
    assert fit.fits[0].shape is Shape.LEVEL
    ratio = fit.fits[0].svi.a / smile.a
    assert fit.fits[0].svi.b / smile.b == pytest.approx(ratio)
    assert (fit.fits[0].svi.rho, fit.fits[0].svi.m, fit.fits[0].svi.sigma) == (0.1, 0.004, 0.006)
    assert_inside(chain, fit.round.surfaces[0])


def torn():
    """A chain whose strikes on both sides of 79,000 are bid at volatilities above 200 %, and nothing beyond them."""
    chain = thin_chain()
    bid, ask = chain.bid.copy(), chain.ask.copy()
    for strike, right, price in (
        (80_000.0, True, 0.02), (80_000.0, False, 0.0335), (78_000.0, False, 0.02), (78_000.0, True, 0.0319)
    ):  # fmt: skip
        at = (chain.strike == strike) & (chain.is_call == right)
        bid[at], ask[at] = price, price + 0.001
    return replace(chain, bid=bid, ask=ask, mark=np.where(chain.ask == ask, chain.mark, 0.5 * (bid + ask)))


def test_fit_snapshot__no_slice_inside_the_quotes__the_last_one_stays_with_less_confidence():
    chain = torn()
    assert term_structure(chain).doubtful == frozenset()
    with pytest.raises(InputError, match="cannot be fitted: 3 usable quotes with two sides"):
        fit_snapshot(chain, required_expiries=[EXPIRY_TS])
    before = known(Svi(9e-5, 0.0, 0.0, 0.0, 1.0))
    fit = fit_snapshot(chain, required_expiries=[EXPIRY_TS], previous=before)
    (held,) = fit.fits
    assert (held.shape, held.age_sec) == (Shape.HELD, 60)
    assert held.svi.a == pytest.approx(9e-5 * (EXPIRY_TS - TS - 1_200) / (EXPIRY_TS - TS + 60 - 1_200))
    assert held.excess > 0.1
    assert fit.round.confidence < 0.1
    assert f"expiry {EXPIRY_TS}: last accepted slice kept, 60 s old" in fit.warnings
    assert fit.priors == before.priors


def test_term_structure__forward_outside_parity__is_doubtful():
    chain = thin_chain()
    low, high = parity_range(chain, EXPIRY_TS)
    assert low < FORWARD < high
    assert term_structure(chain).doubtful == frozenset()
    for factor in (0.97, 1.03):
        assert term_structure(replace(chain, underlying=chain.underlying * factor)).doubtful == {EXPIRY_TS}


@pytest.mark.parametrize("side", ["bid", "ask"])
def test_term_structure__one_sided_or_crossed_pairs__confirm_nothing(side):
    chain = thin_chain()
    one_sided = replace(chain, **{side: np.where(chain.strike == 79_000.0, getattr(chain, side), np.nan)})
    assert parity_range(one_sided, EXPIRY_TS) is None
    assert term_structure(one_sided).doubtful == {EXPIRY_TS}
    crossed = replace(chain, bid=chain.ask + 0.001)
    assert parity_range(crossed, EXPIRY_TS) is None


def test_fit_snapshot__one_pair_alone__carries_no_new_slice():
    """Three quotes out of the money would fit, but their forward rests on one pair."""
    chain = thin_chain()
    in_money = (chain.is_call == (chain.strike < FORWARD)) & (chain.strike != 79_000.0)
    single = replace(chain, bid=np.where(in_money, np.nan, chain.bid), ask=np.where(in_money, np.nan, chain.ask))
    rows = clean(single)[0][EXPIRY_TS]
    assert rows.quoted == 3
    assert fit_slice(rows) is not None
    with pytest.raises(InputError, match="cannot be fitted"):
        fit_snapshot(single, required_expiries=[EXPIRY_TS])
    before = known(Svi(9e-5, 0.0, 0.0, 0.0, 1.0))
    assert fit_snapshot(single, required_expiries=[EXPIRY_TS], previous=before).fits[0].shape is Shape.HELD


def test_fit_snapshot__doubtful_forward__is_carried_and_the_slice_kept():
    chain = replace(thin_chain(), underlying=np.full(48, FORWARD * 1.03))
    with pytest.raises(InputError, match="cannot be fitted"):
        fit_snapshot(chain, required_expiries=[EXPIRY_TS])
    fit = fit_snapshot(chain, required_expiries=[EXPIRY_TS], previous=known(Svi(9e-5, 0.0, 0.0, 0.0, 1.0), rate=0.05))
    (surface,) = fit.round.surfaces
    assert fit.fits[0].shape is Shape.HELD
    assert surface.rate == 0.05
    assert surface.forward == pytest.approx(fit.round.spot * math.exp(0.05 * (EXPIRY_TS - TS) / YEAR))


def test_clean__one_sided_rows__bound_but_do_not_count():
    chain = thin_chain()
    full = clean(chain)[0][EXPIRY_TS]
    bare = clean(replace(chain, bid=np.full(48, np.nan)))[0][EXPIRY_TS]
    assert (full.quoted, bare.quoted) == (3, 0)
    assert np.isfinite(bare.bands.high).sum() >= 24
    assert (bare.bands.low == 0.0).all()
    assert fit_slice(bare) is None


def test_clean__bounds__are_the_quotes_widened_by_the_stated_tolerance():
    chain = thin_chain()
    rows = clean(chain)[0][EXPIRY_TS]
    root = math.sqrt(rows.years)
    at = (chain.strike == 80_000.0) & chain.is_call
    k = math.log(80_000.0 / FORWARD)
    (high,) = {float(v) for v, x in zip(rows.bands.high, rows.bands.log_moneyness, strict=True) if x == k and v < 0.7}
    price = coin(np.array([True]), np.array([80_000.0]), np.array([FORWARD]), np.array([(high - POINT) * root]))
    assert price[0] == pytest.approx(chain.ask[at][0] + TICK, abs=1e-9)
    at = (chain.strike == 79_000.0) & ~chain.is_call
    k = math.log(79_000.0 / FORWARD)
    lows = [float(v) for v, x in zip(rows.bands.low, rows.bands.log_moneyness, strict=True) if x == k]
    prices = [
        coin(np.array([False]), np.array([79_000.0]), np.array([FORWARD]), np.array([(low + POINT) * root]))[0]
        for low in lows
    ]
    assert any(price == pytest.approx(chain.bid[at][0] - TICK, abs=1e-9) for price in prices)


def test_clean__crossed_and_contradicting_quotes__bound_nothing():
    chain = thin_chain()
    at = (chain.strike == 79_000.0) & chain.is_call
    count = clean(chain)[0][EXPIRY_TS].bands.low.size
    # By less and by more than the tolerance.
    for bid in (0.0034, 0.05):
        crossed = replace(chain, bid=np.where(at, bid, chain.bid))
        assert clean(crossed)[0][EXPIRY_TS].bands.low.size == count - 1
    # The call asks for a volatility that the put of the same strike does not allow.
    contradicting = replace(chain, bid=np.where(at, 0.05, chain.bid), ask=np.where(at, 0.06, chain.ask))
    assert clean(contradicting)[0][EXPIRY_TS].bands.low.size == count - 2


def test_clean__listed_strikes_without_quotes__are_bounded_by_the_venue_where_somebody_holds_them():
    chain = thin_chain()
    wing = chain.strike >= 93_000.0
    bare = replace(chain, bid=np.where(wing, np.nan, chain.bid), ask=np.where(wing, np.nan, chain.ask))
    edge = math.log(93_000.0 / FORWARD)
    assert clean(bare)[0][EXPIRY_TS].bands.log_moneyness.max() > edge - 1e-9
    nobody = replace(bare, open_interest=np.zeros(48))
    assert clean(nobody)[0][EXPIRY_TS].bands.log_moneyness.max() < edge - 1e-9


def test_implied_std__prices__come_back():
    k = np.linspace(-1.0, 1.0, 41)
    is_call = k >= 0.0
    for std in (0.1, 0.5, 2.0):
        price = coin(is_call, np.exp(k), np.ones(41), np.full(41, std))
        seen = price > 1e-12
        assert implied_std(is_call, k, price)[seen] == pytest.approx(std, rel=1e-6)
    assert implied_std(np.array([True]), np.zeros(1), np.array([1.0])) == np.inf
    assert implied_std(np.array([True]), np.array([-0.5]), np.array([0.3])) == 0.0


def test_arbitrage_of__the_slice_of_2026_02_01__rises_with_the_strike():
    once = Svi(
        -0.00033394292523332886, 0.2675854989553111, 0.977025775355741, 0.041135790357610655, 0.006948747272094846
    )
    assert arbitrage_of(once) > 0.04
    # A. Vogt's butterfly is real and worth less than the smallest tick.
    assert 1e-5 < arbitrage_of(Svi(-0.0410, 0.1331, 0.3060, 0.3586, 0.4153)) < 1e-4
    assert arbitrage_of(Svi(0.02, 0.1, -0.3, 0.0, 0.2)) < 1e-12


def test_fit_slice__quotes_that_nothing_else_bounds__have_no_arbitrage_beyond_them():
    """The five rows of the case, as if they were quotes enough and no strike beyond them were listed."""
    all_rows = clean(thin_chain())[0][EXPIRY_TS]
    five = {name: getattr(all_rows, name)[1:] for name in ("log_moneyness", "iv", "weight")}
    rows = replace(all_rows, **five, quoted=6, bands=NO_BANDS)
    atm = float(np.interp(0.0, rows.log_moneyness, rows.iv))
    assert arbitrage_of(FiveNumbers(rows, atm).fit(heeds=False)) > 0.04
    found = fit_slice(rows)
    assert found is not None
    assert_no_arbitrage(found.svi)


kept = st.lists(st.booleans(), min_size=48, max_size=48)
noise = st.lists(st.floats(-0.002, 0.002), min_size=48, max_size=48)


def disturbed(bids, asks, moves):
    """The thin chain with some sides gone and quotes moved."""
    chain = thin_chain()
    shift = np.array(moves)
    bid = np.where(bids, np.maximum(chain.bid + shift, 0.0001), np.nan)
    ask = np.where(asks, np.maximum(chain.ask + shift, 0.0001), np.nan)
    return replace(chain, bid=bid, ask=ask)


@settings(max_examples=80, deadline=None)
@given(kept, kept, noise, st.booleans())
def test_any_quotes_give_a_slice_inside_them_or_none(bids, asks, moves, is_calm):
    chain = disturbed(bids, asks, [0.0] * 48 if is_calm else moves)
    rows = clean(chain)[0].get(EXPIRY_TS)
    found = None if rows is None else fit_slice(rows)
    if found is None:
        return
    assert rows.quoted > NUMBERS[found.shape]
    svi = found.svi
    assert svi.b >= 0.0
    assert abs(svi.rho) < 1.0
    assert svi.b * (1.0 + abs(svi.rho)) <= 2.0
    assert found.excess == 0.0
    vol = np.sqrt(total_variance(svi, rows.bands.log_moneyness) / rows.years)
    assert (vol <= rows.bands.high + 1e-12).all()
    assert (vol >= rows.bands.low - 1e-12).all()
    assert_no_arbitrage(svi)


def assert_no_arbitrage(svi):
    """No call is dearer than a lower strike's, nor than a mixture of its neighbours, by more than the smallest tick."""
    strike = np.exp(np.linspace(-math.log(8.0), math.log(8.0), 1_501))
    std = np.sqrt(total_variance(svi, np.log(strike)))
    call = coin(np.ones(1_501, dtype=bool), strike, np.ones(1_501), std)
    assert np.diff(call).max() <= 2e-4
    for wide in (1, 5, 25, 125):
        low, middle, high = strike[: -2 * wide], strike[wide:-wide], strike[2 * wide :]
        share = (high - middle) / (high - low)
        mixture = share * call[: -2 * wide] + (1.0 - share) * call[2 * wide :]
        assert (call[wide:-wide] - mixture).max() <= 2e-4


@settings(max_examples=60, deadline=None)
@given(kept, kept, noise, st.floats(1e-5, 5e-4), st.integers(60, 20_000))
def test_any_quotes_and_any_past_give_a_round_of_known_quality(bids, asks, moves, variance, age_sec):
    """With an earlier slice a required expiry is always in the round; what is kept says so in the confidence."""
    chain = disturbed(bids, asks, moves)
    before = known(Svi(variance, 0.001, 0.0, 0.0, 0.01), ts=TS - age_sec)
    fit = fit_snapshot(chain, required_expiries=[EXPIRY_TS], previous=before)
    (found,) = fit.fits
    if found.shape is Shape.HELD:
        assert fit.round.confidence <= 0.5 * 2.0 ** (-age_sec / 3_600)
        assert fit.priors == before.priors
    else:
        assert found.excess == 0.0
        assert fit.priors[EXPIRY_TS].ts == TS
