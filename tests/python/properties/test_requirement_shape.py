"""Shape of the whole requirement: what holds for every portfolio, and the exceptions, each with its counterexample."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.documents import cases, load
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.mirror.margin_engine import evaluate, evaluate_many
from offchain.mirror.risk_engine import risk_of
from offchain.mirror.unit_risk import Instrument
from offchain.mirror.scenario_book import scenario_book
from offchain.model import Kind, Market, Mode, Portfolio, Position, Round, Token
from offchain.params import Params
from tests.python.properties.adversary import (
    NOW,
    SYMBOL,
    Builder,
    butterfly_of_the_risk_model,
    flat_surface,
    market_of,
    merged,
    random_market,
)

#: Components of degree one that netting can only lower.
NETTING = ("scan", "certified_scan", "basis", "short_min")
COMPONENTS = (*NETTING, "vega_term")
NO_SIZE = {"conc_rate": 0.0, "conc_vega_rate": 0.0}
EACH = 300


def drawn(seed, count=EACH):
    market = random_market(np.random.default_rng(seed))
    return market, [folio for _, folio in Builder(market, Params(), seed).portfolios(count)]


def parts_of(market, folios, params=None):
    return [r.underlyings[SYMBOL] for r in evaluate_many(market, folios, params or Params())]


def slack_of(*folios):
    return 1e-11 * 2_000.0 * (1.0 + sum(abs(p.quantity) for f in folios for p in f.positions))


def joined(one, other):
    return replace(one, positions=merged((*one.positions, *other.positions)), cash=one.cash + other.cash)


# --- scaling ----------------------------------------------------------------------------------------------------------


@settings(max_examples=120)
@given(cases(), st.integers(-6, 10))
def test_scaling__by_a_power_of_two__scales_every_component_exactly(case, power):
    """A power of two makes no rounding of its own: equality is exact, for quantities and collateral alike."""
    market, folio, _ = load(*case)
    factor = 2.0**power
    many = replace(
        folio,
        positions=tuple(replace(p, quantity=p.quantity * factor) for p in folio.positions),
        collateral={token: amount * factor for token, amount in folio.collateral.items()},
        cash=folio.cash * factor,
    )
    for name, part in evaluate(market, folio, Params()).underlyings.items():
        scaled = evaluate(market, many, Params()).underlyings[name]
        for component in COMPONENTS:
            assert getattr(scaled, component) == factor * getattr(part, component), component
        without = part.requirement - part.concentration, scaled.requirement - scaled.concentration
        assert without[1] == pytest.approx(factor * without[0], rel=1e-12, abs=1e-9)


# --- initial and maintenance ------------------------------------------------------------------------------------------


@settings(max_examples=120)
@given(cases())
def test_initial__every_mode__is_never_below_maintenance(case):
    market, folio, _ = load(*case)
    for mode in Mode:
        found = evaluate(market, replace(folio, mode=mode), Params())
        assert found.initial_margin >= found.maintenance_margin, mode


@settings(max_examples=200)
@given(
    st.sampled_from([Kind.CALL, Kind.PUT]), st.floats(-3.0, 3.0), st.sampled_from([1, 30, 400]), st.floats(0.05, 3.0)
)
def test_initial__standard_short_option_of_any_strike__covers_maintenance(kind, distance, days, volatility):
    """From a thousandth to a thousand times spot; a put deep in the money is worth a multiple of spot."""
    market = market_of([flat_surface(days, volatility)])
    expiry, strike = market.rounds[SYMBOL].surfaces[0].expiry_ts, 2_000.0 * 10**distance
    short = Portfolio(Mode.STANDARD, 0.0, {}, (Position(SYMBOL, kind, expiry, strike, -3.0),))
    found = evaluate(market, short, Params())
    assert found.initial_margin >= found.maintenance_margin


def test_initial__standard_put_deep_in_the_money__grows_with_its_mark():
    """The put is worth 4,000 at a spot of 2,000: 9 % and 1.05 times 9 % of it."""
    market = market_of([flat_surface(30, 0.5)])
    expiry = market.rounds[SYMBOL].surfaces[0].expiry_ts
    short = Portfolio(Mode.STANDARD, 0.0, {}, (Position(SYMBOL, Kind.PUT, expiry, 6_000.0, -1.0),))
    found = evaluate(market, short, Params())
    assert found.maintenance_margin == pytest.approx(0.09 * 4_000.0, rel=1e-3)
    assert found.initial_margin == pytest.approx(1.05 * found.maintenance_margin)


# --- netting ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_netting__two_accounts_made_one__no_component_costs_more_than_the_sum(seed):
    market, folios = drawn(20 + seed)
    ones, others = folios[: EACH // 2], folios[EACH // 2 :]
    both = [joined(a, b) for a, b in zip(ones, others, strict=True)]
    for a, b, c, pair in zip(
        parts_of(market, ones), parts_of(market, others), parts_of(market, both), zip(ones, others, strict=True),
        strict=True,
    ):  # fmt: skip
        slack = slack_of(*pair)
        for name in NETTING:
            assert getattr(c, name) <= getattr(a, name) + getattr(b, name) + slack, name
        # The vega term alone may grow, and the requirement by no more than it.
        more = max(0.0, c.vega_term - a.vega_term - b.vega_term)
        assert c.requirement <= a.requirement + b.requirement + more + slack


@pytest.mark.parametrize("mode", [Mode.SINGLE, Mode.STANDARD])
def test_netting__without_vega_term_and_concentration__margin_is_at_most_the_sum(mode):
    params = Params(overrides_all={"vega_term_rate": 0.0, **NO_SIZE})
    market, folios = drawn(30)
    folios = [replace(f, mode=mode) for f in folios]
    ones, others = folios[: EACH // 2], folios[EACH // 2 :]
    both = [joined(a, b) for a, b in zip(ones, others, strict=True)]
    results = [evaluate_many(market, part, params) for part in (ones, others, both)]
    for a, b, c, folio in zip(*results, both, strict=True):
        assert c.initial_margin <= a.initial_margin + b.initial_margin + slack_of(folio)
        assert c.maintenance_margin <= a.maintenance_margin + b.maintenance_margin + slack_of(folio)


def test_netting__calendar__the_vega_term_costs_more_than_the_sum():
    """Exception: vega of two expiries offsets in the scan, and the term charges for just that."""
    market = market_of([flat_surface(7, 0.6), flat_surface(60, 0.6)])
    near, far = (s.expiry_ts for s in market.rounds[SYMBOL].surfaces)
    legs = [
        Portfolio(Mode.SINGLE, 0.0, {}, (Position(SYMBOL, Kind.CALL, expiry, 2_000.0, quantity),))
        for expiry, quantity in ((near, 10.0), (far, -10.0))
    ]
    a, b, c = parts_of(market, [*legs, joined(*legs)])
    assert (a.vega_term, b.vega_term) == (0.0, 0.0)
    assert c.vega_term > 500.0


def test_netting__vega_term__can_raise_the_requirement_above_the_sum():
    """Two accounts that share their worst row, vega of opposite sign: nothing nets, the term is charged."""
    params = Params(overrides_all={"vega_term_rate": 1.0})
    market = market_of([flat_surface(1, 0.6), flat_surface(200, 0.6)])
    near, far = (s.expiry_ts for s in market.rounds[SYMBOL].surfaces)
    long_far = (Position(SYMBOL, Kind.PERP, 0, 2_000.0, 10.0), Position(SYMBOL, Kind.CALL, far, 2_600.0, 1.0))
    short_near = (Position(SYMBOL, Kind.PUT, near, 2_000.0, -10.0),)
    a, b, c = parts_of(
        market, [Portfolio(Mode.SINGLE, 0.0, {}, legs) for legs in (long_far, short_near, (*long_far, *short_near))],
        params,
    )  # fmt: skip
    assert c.requirement > a.requirement + b.requirement + 50.0


def test_netting__concentration__costs_more_than_the_sum():
    """Exception by design: the charge grows with the square of the size."""
    market = market_of([flat_surface(7, 0.6)])
    half = Portfolio(Mode.SINGLE, 0.0, {}, (Position(SYMBOL, Kind.PERP, 0, 2_000.0, 30_000.0),))
    a, c = parts_of(market, [half, joined(half, half)])
    assert c.concentration > 2.0 * a.concentration


def test_netting__two_underlyings_in_cross__never_above_single_and_never_below_the_share():
    market, folios = two_underlyings(), []
    draw = np.random.default_rng(8)
    for _ in range(200):
        eth, btc = draw.normal(0.0, 10.0), draw.normal(0.0, 0.3)
        folios.append(cross(eth=round(eth, 6), btc=round(btc, 6)))
    singles = [replace(f, mode=Mode.SINGLE) for f in folios]
    for c, s in zip(evaluate_many(market, folios, Params()), evaluate_many(market, singles, Params()), strict=True):
        assert 0.6 * s.initial_margin <= c.initial_margin * (1.0 + 1e-12)
        assert c.initial_margin <= s.initial_margin * (1.0 + 1e-12)


def two_underlyings():
    eth = Round("ETH", NOW, 2_000.0, 2_000.0, 1.0, (flat_surface(30, 0.6),))
    btc = Round("BTC", NOW, 60_000.0, 60_000.0, 1.0, (flat_surface(30, 0.6, 60_000.0),))
    tokens = {"USDC": Token("USDC", 1.0, 0.0), "WETH": Token("WETH", 2_000.0, 0.2, "ETH", 0.02, 1.0)}
    return Market(NOW, tokens | {"GOLD": Token("GOLD", 4_000.0, 0.1)}, {"ETH": eth, "BTC": btc})


def cross(eth=0.0, btc=0.0, straddles=0.0, weth=0.0):
    """Perpetuals in both underlyings and short straddles in one."""
    expiry = two_underlyings().rounds["ETH"].surfaces[0].expiry_ts
    legs = [Position("ETH", Kind.PERP, 0, 2_000.0, eth), Position("BTC", Kind.PERP, 0, 60_000.0, btc)]
    legs += [Position("ETH", kind, expiry, 2_000.0, -straddles) for kind in (Kind.CALL, Kind.PUT)]
    held = {"WETH": weth} if weth else {}
    return Portfolio(Mode.CROSS, 20_000.0, held, tuple(p for p in legs if p.quantity))


# --- order and form ---------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(cases(max_positions=8), st.randoms(use_true_random=False))
def test_order__of_positions__changes_nothing(case, random):
    market, folio, params = load(*case)
    shuffled = list(folio.positions)
    random.shuffle(shuffled)
    one, other = evaluate(market, folio, params), evaluate(market, replace(folio, positions=tuple(shuffled)), params)
    assert other.initial_margin == pytest.approx(one.initial_margin, rel=1e-13)
    assert other.equity == pytest.approx(one.equity, rel=1e-12, abs=1e-9)


def test_split__of_a_position_into_two_of_one_sign__changes_nothing():
    market, folios = drawn(40, 60)
    round_, own = market.rounds[SYMBOL], Params().for_underlying(SYMBOL)
    book, draw = scenario_book("default", own.price_range), np.random.default_rng(1)
    for folio in folios:
        legs = [(Instrument(p.kind, p.expiry_ts, p.price), p.quantity) for p in folio.positions]
        share = draw.uniform(0.0, 1.0, len(legs))
        twice = [leg for leg, _ in legs] * 2
        quantities = [q * s for (_, q), s in zip(legs, share, strict=True)]
        quantities += [q * (1.0 - s) for (_, q), s in zip(legs, share, strict=True)]
        found = []
        for instruments, quantity in (([leg for leg, _ in legs], [q for _, q in legs]), (twice, quantities)):
            matrix = np.array([quantity])
            risk, _ = risk_of(round_, instruments, matrix, np.zeros_like(matrix), np.zeros(1), own, book)
            found.append(risk)
        for name in (*COMPONENTS, "requirement", "mark_to_market", "delta", "gamma", "vega", "theta"):
            one, two = (float(getattr(risk, name)[0]) for risk in found)
            assert two == pytest.approx(one, rel=1e-10, abs=slack_of(folio)), name


@pytest.mark.parametrize("strike", [1_500.0, 1_775.0, 2_000.0, 2_600.0])
@pytest.mark.parametrize("days", [0.4, 30.0, 400.0])
def test_parity__call_less_put_less_future__has_only_rounding_risk_in_the_scan(strike, days):
    market = market_of([flat_surface(days, 0.6, rate=0.05)])
    expiry = market.rounds[SYMBOL].surfaces[0].expiry_ts
    legs = ((Kind.CALL, 100.0), (Kind.PUT, -100.0), (Kind.FUTURE, -100.0))
    folio = Portfolio(Mode.SINGLE, 0.0, {}, tuple(Position(SYMBOL, k, expiry, strike, q) for k, q in legs))
    (part,) = parts_of(market, [folio])
    slack = slack_of(folio)
    assert part.scan <= slack
    assert max(abs(row.pnl) for row in part.rows) <= slack
    assert part.basis <= slack
    assert max(abs(part.delta), abs(part.gamma), abs(part.vega) / 2_000.0) <= slack
    # The call's gaps count, the put's opposite curvature does not: the certified scan keeps a charge that is not risk.
    assert 0.0 <= part.certified_scan <= 100.0 * 2_000.0 * 0.02


# --- parameters -------------------------------------------------------------------------------------------------------

RISING = {
    **{"basis_min": (0.003, 0.01), "basis_rate": (0.05, 0.2), "perp_basis": (0.002, 0.01)},
    **{"vega_term_rate": (0.5, 0.8), "short_min_rate": (0.01, 0.05), "conc_rate": (0.1, 0.5)},
    **{"conc_vega_rate": (0.1, 0.4), "n0": (60_000.0, 30_000.0), "v0": (20_000.0, 9_000.0)},
}


@pytest.mark.parametrize("name", sorted(RISING))
def test_charge_rates__any_portfolio__a_higher_rate_never_lowers_the_requirement(name):
    market, folios = drawn(50)
    small = {"n0": 50_000.0, "v0": 10_000.0}
    low, high = (parts_of(market, folios, Params(overrides_all=small | {name: x})) for x in RISING[name])
    assert all(a.requirement <= b.requirement + 1e-9 for a, b in zip(low, high, strict=True))
    assert any(a.requirement < b.requirement - 1.0 for a, b in zip(low, high, strict=True))


@pytest.mark.parametrize(
    ("name", "steps"),
    [("mm_factor", (0.7, 0.8)), ("im_factor", (1.0, 1.2)), ("peg_slope", (4.0, 6.0)), ("peg_threshold", (0.98, 0.99)),
     ("conf_rate", (1.0, 2.0)), ("conf_threshold", (0.4, 0.55)), ("stress_share", (0.6, 0.95)),
     ("rho_high", (0.8, 0.9)), ("rho_low", (0.5, 0.4))],
)  # fmt: skip
def test_account_parameters__any_portfolio__never_lower_the_margin(name, steps):
    market = two_underlyings()
    doubtful = {n: replace(r, confidence=0.5) for n, r in market.rounds.items()}
    market = replace(market, rounds=doubtful, tokens={**market.tokens, "USDC": Token("USDC", 0.97, 0.0)})
    draw = np.random.default_rng(9)
    folios = [cross(*(round(float(x), 6) for x in draw.normal(0.0, (10.0, 0.3)))) for _ in range(60)]
    account = Params().account
    low, high = (evaluate_many(market, folios, Params(replace(account, **{name: x}))) for x in steps)
    pairs = [
        (a.maintenance_margin, b.maintenance_margin) if name == "mm_factor" else (a.initial_margin, b.initial_margin)
        for a, b in zip(low, high, strict=True)
    ]
    assert all(a <= b + 1e-9 for a, b in pairs)
    assert any(a < b - 1.0 for a, b in pairs)


SHOCKS = {"price_range": (0.18, 0.2), "vol_up": (0.4, 0.6), "vol_floor": (0.3, 0.5)}


@pytest.mark.parametrize("name", sorted(SHOCKS))
def test_shocks__short_options_only__a_larger_shock_never_lowers_the_requirement(name):
    market, folios = drawn(60)
    shorts = [
        replace(f, positions=tuple(replace(p, quantity=-abs(p.quantity)) for p in f.positions if p.kind != Kind.PERP))
        for f in folios
    ]
    low, high = (parts_of(market, shorts, Params(overrides_all={name: x})) for x in SHOCKS[name])
    assert all(a.requirement <= b.requirement + 1e-9 for a, b in zip(low, high, strict=True))
    assert any(a.requirement < b.requirement - 1.0 for a, b in zip(low, high, strict=True))


@pytest.mark.parametrize(("name", "steps"), [*SHOCKS.items(), ("vol_down", (0.2, 0.3))])
def test_shocks__long_and_short_options__a_larger_shock_can_lower_the_requirement(name, steps):
    """Exception: what is bought gains from the larger shock too, and the nodes move away from the worst price."""
    market, folios = drawn(3)
    low, high = (parts_of(market, folios, Params(overrides_all={name: x})) for x in steps)
    assert any(a.requirement > 1.01 * b.requirement for a, b in zip(low, high, strict=True))


def test_price_range__the_butterfly__a_wider_range_lowers_the_requirement():
    market, folio = butterfly_of_the_risk_model()
    narrow, wide = (parts_of(market, [folio], Params(overrides_all={"price_range": x}))[0] for x in (0.20, 0.22))
    assert narrow.requirement > 1.1 * wide.requirement


# --- collateral -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", list(Mode))
def test_collateral__more_of_a_plain_token__raises_the_excess_by_its_value(mode):
    market = two_underlyings()
    folio = replace(cross(eth=3.0, btc=-0.2, straddles=2.0), mode=mode)
    poor, rich = (evaluate(market, replace(folio, collateral={"GOLD": n}), Params()) for n in (1.0, 1.5))
    gained = (rich.equity - rich.initial_margin) - (poor.equity - poor.initial_margin)
    assert gained == pytest.approx(0.5 * 4_000.0 * 0.9, rel=1e-9)


@pytest.mark.parametrize("mode", [Mode.SINGLE, Mode.STANDARD])
@pytest.mark.parametrize("eth", [-12.0, 0.0, 12.0])
def test_collateral__more_of_a_linked_token__never_lowers_the_excess(mode, eth):
    """Its own loss in the scan is at most 3R*0.35 of its value; its haircut leaves 98 %."""
    market = two_underlyings()
    folio = replace(cross(eth=eth, btc=0.1, straddles=3.0), mode=mode)
    results = [evaluate(market, replace(folio, collateral={"WETH": n}), Params()) for n in np.linspace(0.1, 20.0, 60)]
    excess = [r.equity - r.initial_margin for r in results]
    assert (np.diff(excess) > 0.0).all()


def balanced():
    """Short straddles in one underlying, long the other; worst for both sides alike, up by a hair."""
    market, low, high = two_underlyings(), -20.0, 20.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        part = evaluate(market, cross(eth=middle, btc=1.0, straddles=10.0), Params()).underlyings["ETH"]
        low, high = (middle, high) if part.rows[part.worst_row].price > 0.0 else (low, middle)
    return market, cross(eth=round(low - 5e-4, 6), btc=1.0, straddles=10.0)


def test_cross__worst_row_turns_round__dust_of_a_linked_token_lowers_the_excess():
    """The two sides of a straddle are a hair apart: dust turns the worst row round, and rho from -0.4 to 0.9."""
    market, folio = balanced()
    poor, rich = (evaluate(market, replace(folio, collateral={"WETH": n}), Params()) for n in (1e-9, 0.001))
    assert rich.equity - rich.initial_margin < poor.equity - poor.initial_margin - 1_000.0


def test_cross__worst_row_turns_round__one_account_needs_more_than_two():
    params = Params(overrides_all={"vega_term_rate": 0.0, **NO_SIZE})
    market, one = balanced()
    eth = next(p for p in one.positions if p.kind is Kind.PERP and p.underlying == "ETH")
    dust = cross(eth=0.001)
    both = [replace(p, quantity=p.quantity + 0.001) if p is eth else p for p in one.positions]
    a, b, c = evaluate_many(market, [one, dust, replace(one, positions=tuple(both))], params)
    assert c.initial_margin > a.initial_margin + b.initial_margin + 1_000.0
