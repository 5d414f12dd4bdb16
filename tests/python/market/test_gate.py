"""Gate: a round whose marks jump beyond the speed limit is not offered, until the next snapshot says the same."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.deployment.spec import load_spec
from plimsoll.market.fit.gate import SHIPPED_LIMITS, Gate
from plimsoll.mirror.speed_limit import Anchors, after, breaches
from plimsoll.model import Round, Surface, Svi
from plimsoll.params import Params

NOW = 1_900_000_000
EXPIRY = NOW + 30 * 86_400


def posted(ts: int, spot: float = 2_000.0, variance: float = 0.03, confidence: float = 0.9) -> Round:
    surface = Surface(EXPIRY, spot, 0.0, Svi(variance, 0.02, 0.0, 0.0, 0.1))
    return Round("ETH", ts, spot, spot, confidence, (surface,))


@pytest.mark.parametrize("jump", [{"spot": 2_000.0 * math.exp(0.26)}, {"variance": 0.09}, {"spot": 1_500.0}])
def test_offer__first_jump__is_not_offered(jump):
    gate = Gate()
    first = posted(NOW)
    assert gate.offer(first) == (first, ())
    offered, found = gate.offer(posted(NOW + 60, **jump))
    assert offered is None
    assert {breach.name for breach in found} & {"spot", "centre variance"}


def test_offer__small_move__is_the_round_itself():
    gate = Gate()
    gate.offer(posted(NOW))
    moved = posted(NOW + 60, spot=2_000.0 * math.exp(0.24))
    assert gate.offer(moved) == (moved, ())


def test_offer__jump_that_the_next_snapshot_confirms__is_offered_at_the_limit_with_less_confidence():
    gate = Gate()
    gate.offer(posted(NOW))
    assert gate.offer(posted(NOW + 60, spot=1_000.0))[0] is None
    offered, found = gate.offer(posted(NOW + 120, spot=1_010.0))
    assert offered is not None
    assert math.log(offered.spot / 2_000.0) == pytest.approx(-0.25, abs=1e-5)
    assert offered.confidence == pytest.approx(0.9 * min(b.limit / abs(b.observed) for b in found))


@pytest.mark.parametrize(("then", "later"), [(2_900.0, 60), (1_010.0, 7_201), (1_010.0, 0)])
def test_offer__jump_that_is_not_confirmed__stays_refused(then, later):
    """Another jump the other way, one long after, the same snapshot once more: none of them confirms."""
    gate = Gate()
    gate.offer(posted(NOW))
    assert gate.offer(posted(NOW + 60, spot=1_000.0))[0] is None
    again = posted(NOW + 60 + later, spot=then)
    offered, found = gate.offer(again)
    assert found == () or offered is None


def test_offer__one_wrong_snapshot__leaves_no_trace():
    gate = Gate()
    gate.offer(posted(NOW))
    gate.offer(posted(NOW + 60, variance=0.5))
    back = posted(NOW + 120)
    assert gate.offer(back) == (back, ())
    assert gate.offer(posted(NOW + 180, variance=0.5))[0] is None


steps = st.lists(st.tuples(st.integers(1, 20_000), st.floats(-1.5, 1.5), st.floats(-3.0, 3.0)), min_size=1, max_size=12)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_whatever_the_market_says_no_offered_round_is_beyond_the_limit(moves):
    gate, anchors, ts = Gate(), Anchors(), NOW
    for elapsed, spot, variance in moves:
        ts += elapsed
        market = posted(ts, spot=2_000.0 * math.exp(spot), variance=0.03 * math.exp(variance))
        offered, _ = gate.offer(market)
        if offered is None:
            continue
        assert breaches(anchors, offered, SHIPPED_LIMITS) == ()
        assert offered.confidence <= market.confidence
        anchors = after(anchors, offered)


def test_offer__market_that_stays_where_it_jumped__is_reached():
    gate = Gate()
    gate.offer(posted(NOW))
    spot = 0.0
    for minute in range(1, 300):
        offered, _ = gate.offer(posted(NOW + 60 * minute, spot=1_000.0))
        spot = offered.spot if offered else spot
    assert spot == 1_000.0


def test_offer__inside_the_settlement_window__variance_has_no_limit():
    gate = Gate()
    late = EXPIRY - 1_500
    gate.offer(replace(posted(late), mean=2_000.0))
    jumped = replace(posted(late + 60, variance=0.5), mean=2_000.0)
    assert gate.offer(jumped) == (jumped, ())


def test_limits__are_those_of_the_shipped_configurations():
    shipped = [load_spec(network, Params()).oracle for network in ("local", "sepolia")]
    assert {(oracle.max_move, oracle.max_variance_move) for oracle in shipped} == {
        (SHIPPED_LIMITS.move, SHIPPED_LIMITS.variance_move)
    }
    assert max(oracle.heartbeat_sec for oracle in shipped) == SHIPPED_LIMITS.heartbeat_sec
