"""Moved markets, reverse stress, crashes, surface."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.histories import synthetic_history, walk

from plimsoll.analytics.series.history import load_history
from plimsoll.analytics.series.moves import Moves
from plimsoll.analytics.stress.crashes import crash_scenarios
from plimsoll.analytics.stress.reverse import THRESHOLDS, reverse_stress
from plimsoll.analytics.stress.scenarios import Scenario, stress
from plimsoll.analytics.stress.shock import Shock, shocked_market
from plimsoll.analytics.stress.surface import HOURS, PRICES, VOLS, liquidation_surface
from plimsoll.analytics.var.legs import legs_of
from plimsoll.analytics.var.revaluation import revalue
from plimsoll.constants import DAY_SEC
from plimsoll.errors import InputError
from plimsoll.mirror import svi
from plimsoll.mirror.margin_engine import evaluate
from plimsoll.mirror.settlement_window import variance_time


def test_shock_keeps_the_volatility_of_a_strike(book):
    market, _, _ = book
    before = market.rounds["ETH"].surfaces[0]
    moved = shocked_market(market, {"ETH": Shock(-0.3, 0.5)}, DAY_SEC).rounds["ETH"]
    after = moved.surfaces[0]
    for strike in (1_000.0, 1_900.0, 3_000.0):
        left = [s.expiry_ts - ts for s, ts in ((before, market.ts), (after, moved.ts))]
        old = svi.volatility(before.svi, np.log(strike / before.forward), variance_time(left[0]))
        new = svi.volatility(after.svi, np.log(strike / after.forward), variance_time(left[1]))
        assert new == pytest.approx(1.5 * old, rel=1e-12)


def test_linear_stress_is_quantity_times_move(linear):
    market, folio, params = linear
    (result,) = stress(market, folio, params, [Scenario("down", {"ETH": Shock(-0.4)})])
    assert result.pnl == pytest.approx(-0.4 * 3 * 1899.5)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_reverse_stress_of_a_linear_account_is_the_closed_form(linear, sign):
    """cash + q(P(1+x) - entry) = 0 has one root; volatility does nothing."""
    market, folio, params = linear
    folio = replace(folio, cash=2_000.0, positions=(replace(folio.positions[0], quantity=3.0 * sign),))
    zero = reverse_stress(market, folio, params)[2]
    root = (1_800.0 - sign * 2_000.0 / 3.0) / 1899.5 - 1.0
    assert zero.moves["ETH"].price == pytest.approx(root, rel=1e-6)
    assert zero.moves["ETH"].vol == pytest.approx(0.0, abs=1e-6)


def test_reverse_stress_lands_on_each_threshold_in_order(book):
    market, folio, params = book
    short = replace(folio, cash=3_000.0, collateral={}, positions=folio.positions[:1])
    found = reverse_stress(market, short, params)
    assert [r.threshold for r in found] == list(THRESHOLDS)
    assert found[0].size <= found[1].size <= found[2].size
    for r in found:
        at = THRESHOLDS[r.threshold](evaluate(shocked_market(market, r.moves), short, params))
        assert at == pytest.approx(0.0, abs=0.01)
        rng = np.random.default_rng(2)
        for _ in range(40):  # no smaller move in any direction gets there
            angle = rng.uniform(0, 2 * np.pi)
            size = 0.97 * r.size * rng.uniform()
            x = np.expm1(size * np.cos(angle) * np.log1p(0.285))
            v = np.expm1(size * np.sin(angle) * np.log1p(0.5))
            assert THRESHOLDS[r.threshold](evaluate(shocked_market(market, {"ETH": Shock(x, v)}), short, params)) > 0


def test_reverse_stress__nothing_held__reaches_nothing_but_what_it_is_beyond_already(linear):
    market, folio, params = linear
    empty = replace(folio, positions=(), collateral={})
    for cash, sizes in ((0.0, [None, None, None]), (5.0, [None, None, None]), (-5.0, [0.0, 0.0, 0.0])):
        assert [r.size for r in reverse_stress(market, replace(empty, cash=cash), params)] == sizes


def test_reverse_stress_says_when_it_is_there_already_or_nowhere(linear):
    market, folio, params = linear
    assert [r.size for r in reverse_stress(market, replace(folio, cash=-1e6), params)] == [0.0, 0.0, 0.0]
    assert [r.size for r in reverse_stress(market, replace(folio, cash=1e9), params)] == [None, None, None]


def test_surface_agrees_with_the_margin_engine(book):
    market, folio, params = book
    points = liquidation_surface(market, folio, params)
    assert len(points) == len(PRICES) * len(VOLS) * len(HOURS)
    still = next(p for p in points if (p.price, p.vol, p.hours) == (0.0, 0.0, 0.0))
    now = evaluate(market, folio, params)
    assert still.state == now.state
    assert still.distance == pytest.approx(now.equity - now.maintenance_margin, rel=1e-12)


def test_crashes_outside_the_history_are_listed():
    scenarios, missing = crash_scenarios(synthetic_history(walk(100, 0.02)), 0.5)
    assert scenarios == []
    assert "2020-03-12" in missing


def test_crash_of_march_2020_is_the_recorded_one(real_prices):
    scenarios, missing = crash_scenarios(load_history(real_prices, ["BTC"]), 0.5)
    assert missing == []
    crash = next(s for s in scenarios if s.name == "crash 2020-03-12")
    assert crash.shocks["BTC"].price == pytest.approx(-0.523, abs=0.005)


def test_shock_into_the_settlement_window_knows_the_mean_that_was_paid_since(book):
    """What the window knew keeps its mean; what passes since the shock is paid at the moved forward."""
    market, _, _ = book
    expiry, forward = (getattr(market.rounds["ETH"].surfaces[0], name) for name in ("expiry_ts", "forward"))
    far = shocked_market(market, {}, expiry - market.ts - 1_800)
    assert far.rounds["ETH"].mean is None
    near = shocked_market(market, {"ETH": Shock(-0.1)}, expiry - market.ts - 900).rounds["ETH"]
    assert near.mean == pytest.approx(0.9 * forward)
    half = replace(market, ts=expiry - 900, rounds={"ETH": replace(near, mean=2_000.0)})
    over = shocked_market(half, {"ETH": Shock(0.2)}, 900).rounds["ETH"]
    assert over.mean == pytest.approx(0.5 * 2_000.0 + 0.5 * 1.2 * 0.9 * forward)


@pytest.mark.parametrize("hours", [0.25, 0.4, 1.0, 30.0])
def test_revaluation_is_the_difference_of_two_marks_of_the_mirror(book, hours):
    """Now and later, across the edge of the window and past the expiry."""
    market, folio, params = book
    expiry = market.rounds["ETH"].surfaces[0].expiry_ts
    start = shocked_market(market, {}, expiry - market.ts - 3_600)
    folio = replace(folio, positions=tuple(p for p in folio.positions if p.underlying == "ETH"))
    legs, _ = legs_of(start, folio)
    moves = Moves(np.log1p(np.array([[-0.07]])), np.log1p(np.array([[0.3]])))
    elapsed = round(hours * 3_600)
    got = float(revalue(start, legs, ("ETH",), moves, elapsed).sum())
    later = shocked_market(start, {"ETH": Shock(-0.07, 0.3)}, elapsed)
    ends = [evaluate(at, folio, params).market_equity for at in (start, later)]
    assert got == pytest.approx(ends[1] - ends[0], rel=1e-9)


@pytest.mark.parametrize("price", [-1.0, -2.0, float("nan")])
def test_impossible_moves_are_refused(price):
    with pytest.raises(InputError, match="outside"):
        Shock(price)
