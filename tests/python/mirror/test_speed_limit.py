"""The speed limit of the mirror: what it refuses, how far a silence reaches, and what an honest feed posts instead."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from plimsoll.mirror.speed_limit import (
    VARIANCES,
    Anchors,
    Limits,
    after,
    breaches,
    logs_of_surface,
    within,
)
from plimsoll.model import Round, Surface, Svi

DAY = 86_400
START = 1_900_000_000
#: Long enough that a discount at its limit still has a rate that a contract takes.
TENOR = 30 * DAY
EXPIRY = START + TENOR
LIMITS = Limits(0.25, 0.7, 3_600)
SVI = Svi(0.002, 0.03, -0.2, 0.01, 0.1)


def a_round(ts: int, spot: float = 1_900.0, factor: float = 1.0, **changed: float) -> Round:
    """A round of one expiry whose variance per year is ``factor`` times that of the first."""
    share = factor * max(EXPIRY - ts - 1_200, 0) / (TENOR - 1_200)
    surface = Surface(EXPIRY, 1_905.0, 0.04, replace(SVI, a=SVI.a * share, b=SVI.b * share))
    surface = replace(surface, **{k: v for k, v in changed.items() if k in ("forward", "rate")})
    return Round("ETH", ts, spot, changed.get("perp", spot), 0.9, (surface,))


@pytest.fixture
def anchors() -> Anchors:
    return after(Anchors(), a_round(START))


def test_breaches__nothing_moved__none(anchors: Anchors) -> None:
    assert breaches(anchors, a_round(START + 60), LIMITS) == ()


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("names", "limit", "changed"),
    [
        ({"spot", "perp"}, 0.25, lambda x: {"spot": 1_900 * math.exp(x)}),
        ({"perp"}, 0.25, lambda x: {"perp": 1_900 * math.exp(x)}),
        ({"forward"}, 0.25, lambda x: {"forward": 1_905 * math.exp(x)}),
        ({"discount"}, 0.25, lambda x: {"rate": 0.04 + x * 365 * DAY / TENOR}),
        (set(VARIANCES), 0.7, lambda x: {"factor": math.exp(x)}),
    ],
    ids=["spot", "perp", "forward", "discount", "variance"],
)
def test_breaches__just_beyond__names_the_field(anchors, names, limit, changed, sign) -> None:
    found = breaches(anchors, a_round(START + 10, **changed(sign * (limit + 1e-3))), LIMITS)
    assert {breach.name for breach in found} == names
    assert all(breach.observed * sign > breach.limit == limit for breach in found)
    assert breaches(anchors, a_round(START + 10, **changed(sign * (limit - 1e-3))), LIMITS) == ()


def test_anchor__after_an_hour__is_half_way() -> None:
    head = after(after(Anchors(), a_round(START)), a_round(START + 3_600, spot=2_000.0)).head
    assert head is not None
    assert math.exp(head.logs["spot"]) == pytest.approx(math.sqrt(1_900 * 2_000))


def test_reach__grows_only_after_the_heartbeat_and_as_a_feed_at_the_limit_walks(anchors: Anchors) -> None:
    assert LIMITS.reach("spot", 3_600) == 0.25
    gap = 4 * 3_600
    # A feed that posts at the limit every second comes as far in that time.
    walked, now = anchors, math.log(1_900)
    for second in range(1, gap + 1, 10):
        assert walked.head is not None
        now = walked.head.logs["spot"] + 0.25
        walked = after(walked, replace(a_round(START + second), spot=math.exp(now), surfaces=()))
    assert LIMITS.reach("spot", gap) == pytest.approx(now - math.log(1_900), rel=2e-3)


def test_within__nothing_beyond__the_round_itself(anchors: Anchors) -> None:
    offered = a_round(START + 60, spot=1_990.0)
    assert within(anchors, offered, LIMITS) == (offered, ())


@pytest.mark.parametrize(
    "changed",
    [
        {"spot": 3_000.0},
        {"spot": 900.0, "perp": 800.0},
        {"forward": 1_000.0},
        {"rate": 8.0},
        {"factor": 4.0},
        {"factor": 0.1},
        {"spot": 800.0, "forward": 800.0, "factor": 6.0},
    ],
    ids=str,
)
def test_within__beyond__is_posted_at_the_limit_with_less_confidence(anchors: Anchors, changed) -> None:
    offered = a_round(START + 60, **changed)
    allowed, found = within(anchors, offered, LIMITS, a_round(START))
    worst = max(abs(breach.observed) / breach.limit for breach in found)
    assert breaches(anchors, allowed, LIMITS) == ()
    assert allowed.confidence == pytest.approx(0.9 / worst)
    edge = [b for b in breaches(anchors, allowed, Limits(0.25 - 1e-5, 0.7 - 1e-5, 3_600))]
    assert {b.name for b in edge} >= {b.name for b in found if b.name not in VARIANCES}


def test_within__shape_alone_beyond__takes_the_last_slice(anchors: Anchors) -> None:
    """Both wings up and the centre down leave no factor: the last slice stands in, at the variance of then."""
    bent = replace(a_round(START + 60).surfaces[0], svi=Svi(0.0002, 0.25, 0.0, 0.0, 0.001))
    offered = replace(a_round(START + 60), surfaces=(bent,))
    allowed, found = within(anchors, offered, LIMITS, a_round(START))
    assert found
    logs = logs_of_surface(allowed.surfaces[0], START + 60)
    for name in VARIANCES:
        assert logs[name] == pytest.approx(anchors.surfaces[EXPIRY].logs[name], abs=1e-3)


def test_within__repeated__reaches_the_market(anchors: Anchors) -> None:
    """Posting at the limit walks there: a price that halves at once is posted whole after two hours and a half."""
    seen, ts = anchors, START
    for _ in range(200):
        ts += 60
        allowed, found = within(seen, a_round(ts, spot=950.0, forward=952.0), LIMITS, a_round(START))
        seen = after(seen, allowed)
        if not found:
            break
    assert allowed.spot == 950.0
    assert 9_000 < ts - START < 9_500


def test_mean__beyond_the_anchor_of_spot__is_cut() -> None:
    inside = replace(a_round(EXPIRY - 900), mean=1_900.0)
    anchors = after(Anchors(), inside)
    offered = replace(a_round(EXPIRY - 890), mean=3_000.0)
    assert [b.name for b in breaches(anchors, offered, LIMITS)] == ["mean"]
    allowed, _ = within(anchors, offered, LIMITS)
    assert allowed.mean == pytest.approx(1_900 * math.exp(0.25), rel=1e-5)


def test_window__variance__has_no_limit_inside() -> None:
    anchors = after(Anchors(), a_round(EXPIRY - 1_810))
    wild = replace(a_round(EXPIRY - 1_790).surfaces[0], svi=Svi(0.5, 0.03, -0.2, 0.01, 0.1))
    assert breaches(anchors, replace(a_round(EXPIRY - 1_790), surfaces=(wild,), mean=1_900.0), LIMITS) == ()
    assert breaches(anchors, replace(a_round(EXPIRY - 1_805), surfaces=(wild,)), LIMITS) != ()
