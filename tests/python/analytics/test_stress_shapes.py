"""Scenarios of skew, term, basis, perpetual and rate, each against a book that QuantLib values on its own.

Nothing of the moved market is read: volatilities of the market before are moved here, strike by strike, by what the
documents say a shock does, and priced by QuantLib.
"""

import json
import math
from dataclasses import replace

import pytest
import QuantLib
from helpers.documents import DAY, TS

from plimsoll.analytics.stress.scenario_file import load_scenarios
from plimsoll.analytics.stress.scenarios import Scenario, apart, stress
from plimsoll.analytics.stress.shock import LIMITS, Shock, shocked_market
from plimsoll.analytics.stress.standard import JOINT, SHAPES, standard_scenarios
from plimsoll.constants import YEAR_SEC
from plimsoll.errors import InputError
from plimsoll.model import Kind, Market, Mode, Portfolio, Position, Round, Surface, Svi, Token
from plimsoll.params import Params

SPOT, PERP = 1_900.0, 1_903.0
#: Before, between and beyond the times at which front and back count whole.
DAYS = (3, 20, 90, 300)
#: Seconds before expiry from which on the settlement price is a mean, less what its variance lacks.
LACK_SEC = 1_200


def surface_of(days, rho=-0.35):
    years = days / 365.0
    return Surface(
        TS + days * DAY, SPOT * math.exp(0.06 * years), 0.04, Svi(0.2 * years, 0.05 * math.sqrt(years), rho, 0.02, 0.15)
    )


@pytest.fixture
def market():
    surfaces = tuple(surface_of(days) for days in DAYS)
    return Market(TS, {"USDC": Token("USDC", 1.0, 0.0)}, {"ETH": Round("ETH", TS, SPOT, PERP, 1.0, surfaces)})


@pytest.fixture
def book():
    legs = [Position("ETH", Kind.PERP, 0, 1_850.0, -2.0)]
    for number, days in enumerate(DAYS):
        expiry = TS + days * DAY
        legs.append(Position("ETH", Kind.FUTURE, expiry, 1_880.0, 1.5 - number))
        legs.append(Position("ETH", Kind.PUT, expiry, 1_400.0, 3.0 - 2.0 * number))
        legs.append(Position("ETH", Kind.CALL, expiry, 1_950.0, 2.0 * number - 4.0))
        legs.append(Position("ETH", Kind.CALL, expiry, 2_600.0, 1.0))
    return Portfolio(Mode.SINGLE, 50_000.0, {}, tuple(legs))


def variance_at(svi, k):
    """Total variance of raw SVI, written out."""
    return svi.a + svi.b * (svi.rho * (k - svi.m) + math.hypot(k - svi.m, svi.sigma))


def wings(svi):
    """Slopes of total variance far down, positive, and far up."""
    return svi.b * (1.0 - svi.rho), svi.b * (1.0 + svi.rho)


def moved_variance(surface, shock, strike, left_sec):
    """Total variance of a strike after a shock, from the market before it."""
    before, after = (sec - LACK_SEC for sec in (surface.expiry_ts - TS, left_sec))
    days = min(max(left_sec / 86_400.0, 7.0), 180.0)
    back = math.log(days / 7.0) / math.log(180.0 / 7.0)
    scale = ((1.0 + shock.vol) * (1.0 + (1.0 - back) * shock.front + back * shock.back)) ** 2 * after / before
    growth = math.log1p(shock.price) + shock.basis * left_sec / YEAR_SEC
    # Sticky strike: at the moved forward stands the strike that stood at F*exp(growth).
    at, forward_at = math.log(strike / surface.forward), growth
    plain = scale * variance_at(surface.svi, at)
    down, up = (scale * slope for slope in wings(surface.svi))

    def tilt(k):
        """What other wings add: each half of the hyperbola by its own factor."""
        x = k - surface.svi.m
        root = math.hypot(x, surface.svi.sigma)
        return 0.5 * shock.skew * (up * (root + x) - down * (root - x))

    return plain + tilt(at) - tilt(forward_at)


def quantlib_equity(market, folio, shock, elapsed_sec=0):
    """Cash and the value of every position after a shock."""
    round_, total = market.rounds["ETH"], folio.cash
    for position in folio.positions:
        if position.kind == Kind.PERP:
            price = round_.perp * (1.0 + shock.price) * (1.0 + shock.perp)
            total += position.quantity * (price - position.price)
            continue
        surface = round_.surface(position.expiry_ts)
        left_sec = position.expiry_ts - TS - elapsed_sec
        years = left_sec / YEAR_SEC
        discount = math.exp(-(surface.rate + shock.rate) * years)
        forward = surface.forward * (1.0 + shock.price) * math.exp(shock.basis * years)
        if position.kind == Kind.FUTURE:
            total += position.quantity * discount * (forward - position.price)
            continue
        std = math.sqrt(moved_variance(surface, shock, position.price, left_sec))
        right = QuantLib.Option.Call if position.kind == Kind.CALL else QuantLib.Option.Put
        total += position.quantity * QuantLib.blackFormula(right, position.price, forward, std, discount)
    return total


ALONE = [
    Shock(skew=-0.4), Shock(skew=0.7), Shock(front=0.8), Shock(front=-0.5), Shock(back=0.6), Shock(back=-0.4),
    Shock(basis=0.3), Shock(basis=-0.25), Shock(perp=0.02), Shock(rate=0.05), Shock(rate=-0.06),
]  # fmt: skip
TOGETHER = [
    Shock(-0.3, 0.6, skew=-0.5),
    Shock(0.4, -0.2, skew=0.3, front=0.5, back=-0.2),
    Shock(-0.2, 0.4, front=0.7, basis=-0.4, perp=-0.01, rate=0.04),
]


@pytest.mark.parametrize("elapsed_hours", [0.0, 30.0])
@pytest.mark.parametrize("shock", [*ALONE, *TOGETHER, *SHAPES.values(), *JOINT.values()])
def test_a_shock_is_worth_what_quantlib_says(market, book, shock, elapsed_hours):
    (found,) = stress(market, book, Params(), [Scenario("s", {"ETH": shock}, elapsed_hours)])
    after = quantlib_equity(market, book, shock, round(elapsed_hours * 3_600))
    assert found.market_equity == pytest.approx(after, abs=1e-7)
    assert found.pnl == pytest.approx(after - quantlib_equity(market, book, Shock()), abs=1e-7)


@pytest.mark.parametrize("shock", ALONE)
def test_every_shape_moves_the_book_and_its_margin(market, book, shock):
    still, moved = stress(market, book, Params(), [Scenario("still", {}), Scenario("s", {"ETH": shock})])
    assert abs(moved.pnl) > 1.0
    assert moved.initial_margin != still.initial_margin


def test_a_tilt_turns_the_wings_and_leaves_the_forward(market):
    moved = shocked_market(market, {"ETH": Shock(-0.1, 0.2, skew=-0.3)}).rounds["ETH"]
    for before, after in zip(market.rounds["ETH"].surfaces, moved.surfaces, strict=True):
        ratios = [b / a for a, b in zip(wings(before.svi), wings(after.svi), strict=True)]
        assert ratios == pytest.approx([1.44 * 1.3, 1.44 * 0.7], rel=1e-12)
        at = 1.44 * variance_at(before.svi, math.log(after.forward / before.forward))
        assert variance_at(after.svi, 0.0) == pytest.approx(at, rel=1e-12)


def test_explicit_volatilities_move_with_the_slice(market):
    plain = market.rounds["ETH"].surfaces[1]
    sec = plain.expiry_ts - TS - LACK_SEC
    vols = tuple(
        (k, math.sqrt(variance_at(plain.svi, math.log(k / plain.forward)) * YEAR_SEC / sec)) for k in (1_500.0, 2_500.0)
    )
    stated = replace(market, rounds={"ETH": replace(market.rounds["ETH"], surfaces=(replace(plain, vols=vols),))})
    moved = shocked_market(stated, {"ETH": Shock(0.1, skew=0.4, front=0.2)}).rounds["ETH"].surfaces[0]
    for strike, vol in moved.vols:
        assert vol**2 * sec / YEAR_SEC == pytest.approx(
            variance_at(moved.svi, math.log(strike / moved.forward)), rel=1e-12
        )


@pytest.mark.parametrize("name", LIMITS)
def test_a_move_beyond_its_limits_is_refused_by_name(name, tmp_path):
    low, high = LIMITS[name]
    for value in (low, high + 0.1, float("nan")):
        with pytest.raises(InputError, match=rf"{name} move .* is outside \({low:g}, {high:g}\]"):
            Shock(**{name: value})
    path = tmp_path / "scenarios.json"
    scenario = {"name": "x", "moves": {"ETH": {name: high + 0.1}}}
    path.write_text(json.dumps({"schema": "plimsoll.scenarios/1", "scenarios": [scenario]}))
    with pytest.raises(InputError, match=rf"scenarios\[0\]\.moves\.ETH\.{name}"):
        load_scenarios(path, {"ETH"})


#: Days to expiry, forward and slice of options that were fitted to the venue on the day of a crash and on a calm one.
FITTED = [
    (0.44, 63_705.52, Svi(-0.008980, 0.072385, -0.030213, 0.037422, 0.156383)),
    (0.44, 1_881.63, Svi(-0.009501, 0.070392, -0.329686, -0.016298, 0.194431)),
    (1.69, 77_115.18, Svi(-0.004733, 0.039176, -0.111738, -0.024239, 0.142730)),
    (3.68, 2_413.07, Svi(-0.028323, 0.101393, -0.200693, -0.089228, 0.323071)),
]


@pytest.mark.parametrize(("days", "forward", "svi"), FITTED)
def test_a_tilt_leaves_a_quarter_of_the_smallest_variance(market, days, forward, svi):
    """A forward that moves far into a wing of a short smile would take the other side below zero."""
    expiry = TS + round(days * DAY)
    held = replace(market.rounds["ETH"], spot=forward, perp=forward, surfaces=(Surface(expiry, forward, 0.0, svi),))
    short = replace(market, rounds={"ETH": held})
    raised = []
    for scenario in standard_scenarios(short):
        after = shocked_market(short, scenario.shocks).rounds["ETH"].surfaces[0].svi
        left_alone = {name: replace(shock, skew=0.0) for name, shock in scenario.shocks.items()}
        before = shocked_market(short, left_alone).rounds["ETH"].surfaces[0].svi
        least = [s.a + s.b * s.sigma * math.sqrt(1.0 - s.rho**2) for s in (before, after)]
        assert least[1] >= 0.25 * least[0] - 1e-15
        lifted = variance_at(after, 0.0) - variance_at(before, 0.0)
        assert lifted >= -1e-15
        if lifted > 1e-12:
            raised.append(scenario.name)
            assert least[1] == pytest.approx(0.25 * least[0], rel=1e-9)
    assert set(raised) <= {"fall, skew to puts", "rise, skew to calls"}
    assert raised
    put = Portfolio(Mode.SINGLE, 0.0, {}, (Position("ETH", Kind.PUT, expiry, round(0.9 * forward), -1.0),))
    assert all(math.isfinite(found.pnl) for found in stress(short, put, Params(), standard_scenarios(short)))


def test_expiries_that_are_not_held_count_for_nothing(market, book):
    """Nor can they be moved beyond what a market may hold."""
    far = replace(surface_of(200), rate=8.99)
    more = sorted([*market.rounds["ETH"].surfaces, far], key=lambda surface: surface.expiry_ts)
    wide = replace(market, rounds={"ETH": replace(market.rounds["ETH"], surfaces=tuple(more))})
    listed = standard_scenarios(market)
    assert stress(wide, book, Params(), listed) == stress(market, book, Params(), listed)


def test_a_scenario_that_leaves_no_market_is_named_and_the_others_are_there(market, book):
    odd = replace(surface_of(20), rate=8.99)
    rounds = {"ETH": replace(market.rounds["ETH"], surfaces=(market.rounds["ETH"].surfaces[0], odd))}
    listed = standard_scenarios(market)
    possible, refused = apart(replace(market, rounds=rounds), book, listed)
    assert [scenario.name for scenario in possible] == [s.name for s in listed if s.name not in refused]
    assert set(refused) == {"rate up", "fall, rate up"}
    assert refused["rate up"] == "ETH, expiry 2026-02-25 21:29Z: rate is 9.02, outside [-9, 9]"


def test_a_file_says_every_move(tmp_path):
    path = tmp_path / "scenarios.json"
    moves = {
        "price": -0.2,
        "vol": 0.3,
        "skew": -0.25,
        "front": 0.5,
        "back": -0.1,
        "basis": -0.2,
        "perp": -0.01,
        "rate": 0.03,
    }
    assert moves.keys() == LIMITS.keys()
    path.write_text(
        json.dumps({"schema": "plimsoll.scenarios/1", "scenarios": [{"name": "all", "moves": {"ETH": moves}}]})
    )
    (scenario,) = load_scenarios(path, {"ETH"})
    assert scenario.shocks == {"ETH": Shock(**moves)}
    assert scenario.shocks["ETH"].to_json() == moves
    assert scenario.shocks["ETH"].words == "-20.0% vol +30% skew -25% front +50% back -10% basis -20% perp -1% rate +3%"


def test_the_standard_scenarios_touch_every_number_of_a_shock(market, book):
    listed = standard_scenarios(market)
    assert len({scenario.name for scenario in listed}) == len(listed)
    touched = {name for scenario in listed for name in scenario.shocks["ETH"].to_json()}
    assert touched == set(LIMITS)
    assert len(stress(market, book, Params(), listed)) == len(listed)
