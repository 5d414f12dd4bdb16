"""Shape of the whole requirement: what holds for every portfolio, and the exceptions, each with its counterexample."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.documents import cases, load
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.errors import DomainError
from plimsoll.mirror.exposure import holdings_of
from plimsoll.mirror.margin_engine import evaluate, evaluate_many
from plimsoll.mirror.risk_engine import risk_of
from plimsoll.mirror.scenario_book import scenario_book
from plimsoll.model import Instrument, Kind, Market, Mode, Portfolio, Position, Round, Token
from plimsoll.params import BookSpec, Params
from tests.python.properties.adversary import (
    NOW,
    SYMBOL,
    Builder,
    flat_surface,
    market_of,
    merged,
    narrow_butterfly,
    random_market,
)

#: Components of degree one that netting can only lower.
NETTING = ("scan", "certified_scan", "basis", "skew_term", "short_min")
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
@given(cases(liquidity=True), st.integers(-6, 10))
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
    # The charge for concentration is not proportional to size, and may make another cut-off the worst.
    params = Params(overrides_all=NO_SIZE)
    scaled = evaluate(market, many, params).underlyings
    for name, part in evaluate(market, folio, params).underlyings.items():
        for component in (*COMPONENTS, "requirement"):
            assert getattr(scaled[name], component) == factor * getattr(part, component), component


# --- initial and maintenance ------------------------------------------------------------------------------------------


@settings(max_examples=120)
@given(cases(liquidity=True))
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
        # The vega term alone may grow, but never by more than the scan falls: the requirement is a sum of maxima.
        assert c.requirement <= a.requirement + b.requirement + slack


@pytest.mark.parametrize("mode", [Mode.SINGLE, Mode.STANDARD])
def test_netting__without_concentration__margin_is_at_most_the_sum(mode):
    params = Params(overrides_all=NO_SIZE)
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
    assert c.vega_term > 100.0
    assert c.requirement < a.requirement + b.requirement


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
    tokens = {"USDC": Token("USDC", 1.0, 0.0), "WETH": Token("WETH", None, 0.2, "ETH", 0.02, 1.0)}
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
    book, draw = scenario_book(BookSpec(), own.price_range), np.random.default_rng(1)
    for folio in folios:
        legs = [(Instrument(p.kind, p.expiry_ts, p.price), p.quantity) for p in folio.positions]
        share = draw.uniform(0.0, 1.0, len(legs))
        twice = [leg for leg, _ in legs] * 2
        quantities = [q * s for (_, q), s in zip(legs, share, strict=True)]
        quantities += [q * (1.0 - s) for (_, q), s in zip(legs, share, strict=True)]
        found = []
        for instruments, quantity in (([leg for leg, _ in legs], [q for _, q in legs]), (twice, quantities)):
            matrix = np.array([quantity])
            held = holdings_of(round_, instruments, matrix, np.zeros_like(matrix), np.zeros(1), own, book)
            found.append(risk_of(held)[0])
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
    # Calls and puts of one strike are netted before their gaps count.
    assert part.certified_scan <= slack


# --- parameters -------------------------------------------------------------------------------------------------------

RISING = {
    **{"basis_min": (0.003, 0.01), "basis_rate": (0.05, 0.2), "perp_basis": (0.002, 0.01)},
    **{"vega_term_rate": (0.5, 0.8), "skew_rate": (0.8, 1.2), "short_min_rate": (0.01, 0.05), "conc_rate": (0.1, 0.5)},
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
     ("debt_rate", (0.003, 0.01))],
)  # fmt: skip
def test_account_parameters__any_portfolio__never_lower_the_margin(name, steps):
    market = two_underlyings()
    doubtful = {n: replace(r, confidence=0.5) for n, r in market.rounds.items()}
    market = replace(market, rounds=doubtful, tokens={**market.tokens, "USDC": Token("USDC", 0.97, 0.0)})
    draw = np.random.default_rng(9)
    folios = [cross(*(round(float(x), 6) for x in draw.normal(0.0, (10.0, 0.3)))) for _ in range(60)]
    folios = [replace(folio, cash=(-1.0) ** i * folio.cash) for i, folio in enumerate(folios)]
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
    # But for skew, which bends less of what a floor holds up.
    less = [max(a.skew_term - b.skew_term, 0.0) for a, b in zip(low, high, strict=True)]
    assert all(a.requirement - x <= b.requirement + 1e-9 for a, b, x in zip(low, high, less, strict=True))
    assert any(a.requirement < b.requirement - 1.0 for a, b in zip(low, high, strict=True))


@pytest.mark.parametrize("name", ["price_range", "vol_up"])
def test_shocks__long_and_short_options__a_larger_shock_can_lower_the_requirement(name):
    """Exception: what is bought gains from the larger shock too, and the nodes move away from the worst price."""
    market, folios = drawn(10)
    low, high = (parts_of(market, folios, Params(overrides_all={name: x})) for x in SHOCKS[name])
    assert any(a.requirement > 1.01 * b.requirement for a, b in zip(low, high, strict=True))


def test_price_range__the_butterfly__a_wider_range_lowers_the_requirement():
    market, folio = narrow_butterfly()
    narrow, wide = (parts_of(market, [folio], Params(overrides_all={"price_range": x}))[0] for x in (0.285, 0.5))
    assert narrow.requirement > 1.1 * wide.requirement


# --- collateral -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", list(Mode))
def test_collateral__more_of_a_plain_token__raises_the_excess_by_its_value(mode):
    market = two_underlyings()
    folio = replace(cross(eth=3.0, btc=-0.2, straddles=2.0), mode=mode)
    poor, rich = (evaluate(market, replace(folio, collateral={"GOLD": n}), Params()) for n in (1.0, 1.5))
    gained = (rich.equity - rich.initial_margin) - (poor.equity - poor.initial_margin)
    assert gained == pytest.approx(0.5 * 4_000.0 * 0.9, rel=1e-9)


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("eth", [-12.0, 0.0, 12.0])
def test_collateral__more_of_a_linked_token__never_lowers_the_excess(mode, eth):
    """Its own loss in the scan is at most R of its value; its haircut leaves 98 %, and 1 - R in STANDARD."""
    market = two_underlyings()
    folio = replace(cross(eth=eth, btc=0.1, straddles=3.0), mode=mode)
    results = [evaluate(market, replace(folio, collateral={"WETH": n}), Params()) for n in np.linspace(0.1, 20.0, 60)]
    excess = [r.equity - r.initial_margin for r in results]
    assert (np.diff(excess) > 0.0).all()


# --- CROSS ------------------------------------------------------------------------------------------------------------


def drawn_cross(seed, count):
    """Perpetuals in both underlyings and straddles in one, of any sign."""
    draw = np.random.default_rng(seed)
    sizes = draw.normal(0.0, (10.0, 0.3, 8.0), (count, 3)).round(6)
    return [cross(eth=float(e), btc=float(b), straddles=float(s)) for e, b, s in sizes]


def test_cross__two_accounts_made_one__needs_at_most_what_both_need():
    params, market, folios = Params(overrides_all=NO_SIZE), two_underlyings(), drawn_cross(70, 200)
    ones, others = folios[:100], folios[100:]
    both = []
    for a, b in zip(ones, others, strict=True):
        legs = [replace(p, quantity=p.quantity + q.quantity) for p, q in zip(a.positions, b.positions, strict=True)]
        both.append(replace(a, positions=tuple(legs)))
    results = [evaluate_many(market, part, params) for part in (ones, others, both)]
    for a, b, c in zip(*results, strict=True):
        assert c.initial_margin <= (a.initial_margin + b.initial_margin) * (1.0 + 1e-12)


def test_cross__dust__changes_the_margin_by_dust():
    """With a sign rule a hair turned the worst row round and the margin by thousands; rows added up are continuous."""
    market, folios = two_underlyings(), drawn_cross(71, 100)
    for folio, found in zip(folios, evaluate_many(market, folios, Params()), strict=True):
        nudged = [replace(p, quantity=p.quantity + 1e-6) if p.kind is Kind.PERP else p for p in folio.positions]
        other = evaluate(market, replace(folio, positions=tuple(nudged)), Params())
        assert other.initial_margin == pytest.approx(found.initial_margin, abs=0.05)


def test_cross__crash_of_the_same_share_of_every_range__is_covered_when_nothing_but_the_joint_scan_counts():
    """Two short condors: each gains where the other loses nothing, and one crash takes both."""
    market = two_underlyings()
    legs = []
    for name, spot, size in (("ETH", 2_000.0, 30.0), ("BTC", 60_000.0, 1.0)):
        expiry = market.rounds[name].surfaces[0].expiry_ts
        strikes = ((Kind.PUT, 0.75, 1.0), (Kind.PUT, 0.85, -1.0), (Kind.CALL, 1.15, -1.0), (Kind.CALL, 1.25, 1.0))
        legs += [Position(name, kind, expiry, spot * k, size * q) for kind, k, q in strikes]
    folio = Portfolio(Mode.CROSS, 1e6, {}, tuple(legs))
    single, joint = (evaluate(market, replace(folio, mode=mode), Params()) for mode in (Mode.SINGLE, Mode.CROSS))
    worst = max(sum(-part.rows[row].pnl for part in single.underlyings.values()) for row in range(33))
    assert joint.initial_margin >= worst > 0.9 * sum(part.scan for part in single.underlyings.values())


def test_cross__books_of_different_layout__get_no_offset():
    market = two_underlyings()
    folio = cross(eth=10.0, btc=-0.4)
    apart = Params(books={"BTC": BookSpec(tail_moves=(2.0,))})
    single = evaluate(market, replace(folio, mode=Mode.SINGLE), apart)
    assert evaluate(market, folio, Params()).initial_margin < 0.7 * single.initial_margin
    assert evaluate(market, folio, apart).initial_margin == pytest.approx(single.initial_margin, rel=1e-12)


def test_cross__rate_of_an_underlying_that_is_not_held__does_not_count():
    market = two_underlyings()
    near, far = flat_surface(7, 0.6), flat_surface(60, 0.6)
    market = replace(market, rounds={**market.rounds, "ETH": replace(market.rounds["ETH"], surfaces=(near, far))})
    legs = [Position("ETH", Kind.CALL, s.expiry_ts, 2_000.0, q) for s, q in ((near, 10.0), (far, -10.0))]
    folio = Portfolio(Mode.CROSS, 1e5, {}, tuple(legs))
    rates = Params(overrides={"ETH": {"vega_term_rate": 0.5}, "BTC": {"vega_term_rate": 1.0}})
    alone, beside = (evaluate(market, f, rates) for f in (folio, replace(folio, positions=(*legs, _bitcoin()))))
    assert alone.initial_margin == pytest.approx(alone.underlyings["ETH"].requirement, rel=1e-12)
    part = alone.underlyings["ETH"]
    assert beside.initial_margin - alone.initial_margin >= 0.4 * 0.999 * part.vega_term


def _bitcoin():
    """A position too small to matter, but for the rate of its underlying."""
    return Position("BTC", Kind.PERP, 0, 60_000.0, 1e-9)


# --- STANDARD ---------------------------------------------------------------------------------------------------------


def test_standard__any_portfolio__needs_at_least_what_single_needs_of_what_it_counts():
    """Long options count nothing in STANDARD, so the comparison is with SINGLE without them."""
    market, folios = drawn(80)
    needy = [
        replace(f, positions=tuple(p for p in f.positions if p.kind is Kind.PERP or p.quantity < 0.0)) for f in folios
    ]
    singles = evaluate_many(market, needy, Params())
    standards = evaluate_many(market, [replace(f, mode=Mode.STANDARD) for f in folios], Params())
    for single, standard, folio in zip(singles, standards, folios, strict=True):
        assert standard.initial_margin >= single.initial_margin - slack_of(folio)
    assert any(b.initial_margin > 1.5 * a.initial_margin for a, b in zip(singles, standards, strict=True))


@pytest.mark.parametrize("kind", [Kind.CALL, Kind.PUT, Kind.PERP])
def test_standard__one_position__needs_what_single_needs(kind):
    market = market_of([flat_surface(30, 0.6)])
    expiry = 0 if kind is Kind.PERP else market.rounds[SYMBOL].surfaces[0].expiry_ts
    folio = Portfolio(Mode.SINGLE, 0.0, {}, (Position(SYMBOL, kind, expiry, 1_900.0, -100_000.0),))
    single, standard = (evaluate(market, replace(folio, mode=mode), Params()) for mode in (Mode.SINGLE, Mode.STANDARD))
    assert standard.initial_margin == pytest.approx(single.initial_margin, rel=1e-12)
    assert single.underlyings[SYMBOL].concentration > 0.0


def test_standard__linked_collateral__covers_a_debt_after_a_fall_of_the_whole_range():
    market = two_underlyings()
    owed = Portfolio(Mode.STANDARD, -1_000.0, {"WETH": 1.0})
    found = evaluate(market, owed, Params())
    assert found.equity == pytest.approx(2_000.0 * (1.0 - 0.02 - 0.285) - 1_000.0)
    assert found.debt_charge == pytest.approx(3.0)
    fallen = replace(market, rounds={**market.rounds, "ETH": replace(market.rounds["ETH"], spot=2_000.0 * 0.715)})
    assert evaluate(fallen, replace(owed, cash=owed.cash - found.equity), Params()).market_equity > 0.0


# --- time -------------------------------------------------------------------------------------------------------------


def at(folio, seconds, mean=2_010.0):
    """Margin with the near expiry ``seconds`` away, everything else as it is; total variance stays."""
    near, far = flat_surface(1.0, 0.6), flat_surface(30.0, 0.6)
    near = replace(near, expiry_ts=NOW + seconds)
    round_ = Round(SYMBOL, NOW, 2_000.0, 2_000.0, 1.0, (near, far), mean if seconds < 1_800 else None)
    positions = tuple(replace(p, expiry_ts=NOW + seconds) if p.expiry_ts == 1 else p for p in folio.positions)
    market = Market(NOW, {"USDC": Token("USDC", 1.0, 0.0)}, {SYMBOL: round_})
    return evaluate(market, replace(folio, positions=positions), Params())


NEAR_BOOK = Portfolio(
    Mode.SINGLE,
    0.0,
    {},
    (
        Position(SYMBOL, Kind.CALL, 1, 2_050.0, -10.0),
        Position(SYMBOL, Kind.PUT, 1, 1_900.0, 25.0),
        Position(SYMBOL, Kind.FUTURE, 1, 1_980.0, 7.0),
        Position(SYMBOL, Kind.CALL, NOW + 30 * 86_400, 2_100.0, -6.0),
        Position(SYMBOL, Kind.PERP, 0, 2_000.0, -4.0),
    ),
)


@pytest.mark.parametrize("edge", [1_800, 7_200, 86_400])
@pytest.mark.parametrize("mode", list(Mode))
def test_time__across_an_edge__the_margin_moves_by_a_second(edge, mode):
    """Half an hour, two hours and a day before an expiry no rule starts with a jump."""
    folio = replace(NEAR_BOOK, mode=mode)
    before, after = at(folio, edge + 1), at(folio, edge - 1)
    assert after.initial_margin == pytest.approx(before.initial_margin, rel=5e-3)
    assert after.equity == pytest.approx(before.equity, abs=1e-3 * before.gross_notional)


def test_time__inside_the_window__known_pays_and_needs_nothing():
    """At the expiry itself a position is a payment: its mean is known."""
    legs = NEAR_BOOK.positions[:3]
    done = at(replace(NEAR_BOOK, positions=legs), 0, mean=2_100.0)
    assert done.equity == pytest.approx(-10.0 * 50.0 + 7.0 * 120.0)
    assert done.initial_margin == 0.0
    half = at(replace(NEAR_BOOK, positions=legs[2:]), 900, mean=2_100.0)
    assert half.equity == pytest.approx(7.0 * (0.5 * 2_000.0 + 0.5 * 2_100.0 - 1_980.0))
    whole = at(replace(NEAR_BOOK, positions=legs[2:]), 1_800)
    assert half.underlyings[SYMBOL].scan == pytest.approx(0.5 * whole.underlyings[SYMBOL].scan)
    assert half.underlyings[SYMBOL].basis == pytest.approx(0.5 * whole.underlyings[SYMBOL].basis)


def test_time__window_without_a_mean__is_refused():
    with pytest.raises(DomainError, match="carries no settlement mean"):
        at(NEAR_BOOK, 60, mean=None)


def test_time__hedge_about_to_expire__fades_before_it_goes():
    """A future against a perpetual: nothing to cover while both live, everything once the future is near its end."""
    legs = (Position(SYMBOL, Kind.FUTURE, 1, 2_000.0, 10.0), Position(SYMBOL, Kind.PERP, 0, 2_000.0, -10.0))
    hedged, alone = (Portfolio(Mode.SINGLE, 0.0, {}, legs[i:]) for i in (0, 1))
    whole = at(alone, 100_000).initial_margin
    margins = [at(hedged, hours * 3_600).initial_margin for hours in (30, 24, 13, 2, 1)]
    assert margins[0] == margins[1] < 0.03 * whole
    assert margins[2] == pytest.approx(0.5 * whole, rel=0.02)
    assert margins[3] == pytest.approx(whole, rel=1e-3)
    assert margins[4] == pytest.approx(whole, rel=1e-3)
    assert at(hedged, 3_600).underlyings[SYMBOL].cutoff == NOW + 3_600


# --- what an account may hold -----------------------------------------------------------------------------------------


def test_evaluate_many__unknown_underlying__is_refused_by_name():
    folio = Portfolio(Mode.SINGLE, 0.0, {}, (Position("SOL", Kind.PERP, 0, 2_000.0, 1.0),))
    with pytest.raises(DomainError, match="portfolio 1: 'SOL' is not an underlying of the market"):
        evaluate_many(two_underlyings(), [cross(eth=1.0), folio], Params())


def test_evaluate_many__unknown_token__is_refused_by_name():
    with pytest.raises(DomainError, match="portfolio 0: 'GOLDEN' is not a token"):
        evaluate_many(two_underlyings(), [Portfolio(Mode.SINGLE, 0.0, {"GOLDEN": 1.0})], Params())
