"""The optimiser: programs against the mirror, constraints that are named, trades that are worth their cost."""

import json
from dataclasses import replace

import numpy as np
import pytest
from helpers.documents import load
from helpers.examples import EXPIRY, MARKET, PORTFOLIO
from helpers.histories import synthetic_history, walk

from plimsoll.analytics.optimise.allocate import allocate
from plimsoll.analytics.optimise.bands import BandSettings, _simulate, rebalancing_bands
from plimsoll.analytics.optimise.frontier import frontier, shrunk_covariance, shrunk_means
from plimsoll.analytics.optimise.hedge import collar, hedge
from plimsoll.analytics.optimise.limits import Limits
from plimsoll.analytics.optimise.linear_program import InfeasibleError, LinearProgram, UnboundedError
from plimsoll.analytics.optimise.listed import Listed, Quote
from plimsoll.analytics.optimise.release import release
from plimsoll.analytics.optimise.tail_risk import less_risk
from plimsoll.analytics.optimise.trades import excess, rounded, trade_program
from plimsoll.analytics.optimise.universe import TradingCosts, universe_of
from plimsoll.chain.words import unpack
from plimsoll.cli import run
from plimsoll.errors import InputError
from plimsoll.mirror.margin_engine import evaluate
from plimsoll.mirror.order_preview import OpenOrder, filled
from plimsoll.mirror.unit_risk import mark_of
from plimsoll.model import Instrument, Kind, Mode, Position
from plimsoll.params import Params
from plimsoll.protocol.orders import ORDER_FIELDS, OrderTerms, order_messages, preview_changes
from plimsoll.units import float_to_wad

FREE = TradingCosts(option_spread=0.0, option_floor=0.0, linear_spread=0.0)


def options_book(legs, mode="SINGLE", cash=25_000.0, collateral=()):
    """Options as (right, strike, quantity)."""
    folio = {**PORTFOLIO, "mode": mode, "cash": cash, "collateral": list(collateral)}
    folio["positions"] = [
        {"underlying": "ETH", "kind": "option", "right": r, "expiry": EXPIRY, "strike": k, "quantity": q}
        for r, k, q in legs
    ]
    return load(MARKET, folio)[:2]


def requirement_of(market, portfolio, costs=FREE):
    program = trade_program(market, portfolio, Params(), universe_of(market, portfolio, costs), open_all=False)
    return program.lp.solve("test")[0]


@pytest.mark.parametrize(
    "legs",
    [
        [("call", 2_000.0, -5.0)],
        [("call", 1_900.0, 3.0), ("put", 1_800.0, -7.0), ("call", 2_100.0, -2.0)],
        [("put", 1_750.0, 10.0), ("put", 1_800.0, -20.0), ("put", 1_850.0, 10.0)],
        [("call", 1e5, -50.0)],
    ],
)
def test_the_program_without_trades_is_the_requirement_of_the_mirror(legs):
    market, folio = options_book(legs, collateral=[{"token": "WETH", "amount": 2.0}])
    assert requirement_of(market, folio) == pytest.approx(evaluate(market, folio, Params()).initial_margin, rel=1e-9)


def two_expiries(near, positions, mean=None):
    """The examples' market with a second expiry ``near`` seconds away, and positions at (expiry, kind, price, size)."""
    document = json.loads(json.dumps(MARKET))
    listed = document["underlyings"]["ETH"]["expiries"]
    first = {**listed[0], "expiry": MARKET["timestamp"] + near, "svi": {**listed[0]["svi"], "a": 4e-4, "b": 3e-3}}
    document["underlyings"]["ETH"]["expiries"] = [first, *listed]
    if mean is not None:
        document["underlyings"]["ETH"]["settlementMean"] = mean
    rows = []
    for far, kind, price, quantity in positions:
        row = {"underlying": "ETH", "quantity": quantity, "kind": "option" if kind in ("call", "put") else kind}
        if kind != "perp":
            row["expiry"] = listed[0]["expiry"] if far else first["expiry"]
        row |= {"right": kind, "strike": price} if row["kind"] == "option" else {"entry": price}
        rows.append(row)
    return load(document, {**PORTFOLIO, "collateral": [], "positions": rows})[:2]


@pytest.mark.parametrize(("near", "mean"), [(3 * 86_400, None), (5 * 3_600, None), (600, 1_910.0)])
def test_the_program_knows_calendars_futures_fading_hedges_and_the_settlement_window(near, mean):
    legs = [
        (False, "call", 1_900.0, 8.0), (True, "call", 1_900.0, -8.0), (False, "put", 1_850.0, -3.0),
        (True, "put", 1_700.0, 4.0), (False, "future", 1_880.0, 2.0), (True, "future", 1_960.0, -6.0),
        (False, "perp", 1_905.0, 3.0),
    ]  # fmt: skip
    market, folio = two_expiries(near, legs, mean)
    exact = evaluate(market, folio, Params())
    assert (exact.underlyings["ETH"].cutoff != 0) == (near < 86_400)
    assert requirement_of(market, folio) == pytest.approx(exact.initial_margin, rel=1e-9)


def test_the_program_knows_that_every_expiry_has_a_worst_vol_of_its_own():
    """A calendar with its delta taken out: what one expiry loses to rising vol the other gains."""
    legs = [(False, "call", 1_900.0, 40.0), (True, "call", 1_900.0, -10.0), (False, "perp", 1_905.0, -16.0)]
    market, folio = two_expiries(3 * 86_400, legs)
    exact = evaluate(market, folio, Params())
    assert exact.underlyings["ETH"].vega_term > 100.0
    assert requirement_of(market, folio) == pytest.approx(exact.initial_margin, rel=1e-9)


def test_the_program_counts_the_debt_charge():
    market, folio = options_book([("call", 2_000.0, -5.0)], cash=-1_000.0)
    exact = evaluate(market, folio, Params())
    assert exact.debt_charge == 3.0
    assert requirement_of(market, folio) == pytest.approx(exact.initial_margin, rel=1e-9)


def test_the_program_counts_the_confidence_charge():
    document = json.loads(json.dumps(MARKET))
    document["underlyings"]["ETH"]["confidence"] = 0.3
    market, folio, _ = load(document, PORTFOLIO)
    assert requirement_of(market, folio) == pytest.approx(evaluate(market, folio, Params()).initial_margin, rel=1e-9)


def test_release_predicts_what_the_mirror_states_and_pays_its_cost(book):
    market, folio, _ = book
    one = release(market, folio, Params(), TradingCosts(), Limits(trades=1))
    three = release(market, folio, Params(), TradingCosts(), Limits(trades=3))
    assert len(one.trades) == 1
    assert len(three.trades) <= 3
    assert three.released >= one.released > 0.0
    equity = one.after.equity - one.before.equity
    assert equity == pytest.approx(-one.trades[0].cost, abs=1e-6)
    alone = evaluate(market, filled(folio, [t.order for t in one.trades]), Params())
    assert one.after.initial_margin == pytest.approx(alone.initial_margin, rel=1e-12)
    assert one.after.equity == pytest.approx(alone.equity, rel=1e-12)


def test_the_first_suggestion_is_the_best_single_trade_of_a_brute_search():
    market, folio = options_book([("call", 2_000.0, -5.0), ("put", 1_700.0, -2.0)])
    costs = TradingCosts(lot=1e-4)
    found = release(market, folio, Params(), costs, Limits(trades=1))
    base, best = excess(evaluate(market, folio, Params())), 0.0
    for candidate in universe_of(market, folio, costs):
        for quantity in np.r_[np.arange(-12.0, 0.0, 0.5), np.arange(0.5, 12.5, 0.5)]:
            order = replace(candidate.position, quantity=float(quantity))
            after = filled(folio, [OpenOrder(order, candidate.limit_price(quantity > 0))])
            best = max(best, excess(evaluate(market, after, Params())) - base)
    assert found.released >= 0.9999 * best


def test_release_keeps_the_greeks_it_is_told_to_keep(book):
    market, folio, _ = book
    found = release(market, folio, Params(), TradingCosts(lot=1e-6), Limits(trades=6), ("delta",))
    for name in ("ETH", "BTC"):
        assert found.after.underlyings[name].delta == pytest.approx(found.before.underlyings[name].delta, abs=1e-4)


def test_a_full_account_trades_what_it_holds():
    strikes = [1_500.0 + 10.0 * i for i in range(64)]
    legs = [(right, k, -1.0) for right in ("call", "put") for k in strikes]
    market, folio = options_book(legs, cash=1e6)
    assert len(folio.positions) == 128
    found = release(market, folio, Params(), TradingCosts(), Limits(trades=2))
    assert all(trade.candidate.held == -1.0 for trade in found.trades)


def test_release_stays_within_its_budget(book):
    market, folio, _ = book
    costs = TradingCosts(lot=1e-4)
    free = release(market, folio, Params(), costs, Limits(worth=0.0))
    spent = sum(trade.cost for trade in free.trades)
    tight = release(market, folio, Params(), costs, Limits(budget=0.3 * spent))
    assert sum(trade.cost for trade in tight.trades) <= 0.3 * spent + 1e-6
    assert 0.0 < tight.released < free.released
    with pytest.raises(InputError, match="--budget"):
        release(market, folio, Params(), costs, Limits(budget=-1.0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mode": "STANDARD"}, "STANDARD nets nothing"),
        ({"positions": [], "collateral": []}, "holds nothing"),
    ],
)
def test_release_refuses_what_it_cannot_do(change, message):
    market, folio, _ = load(MARKET, {**PORTFOLIO, **change})
    with pytest.raises(InputError, match=message):
        release(market, folio, Params(), TradingCosts())


def test_release_says_when_nothing_helps(book):
    market, folio, _ = book
    with pytest.raises(InputError, match="no trade within the limits"):
        release(market, folio, Params(), TradingCosts(option_spread=1.0, option_floor=1.0, linear_spread=1.0))


@pytest.mark.parametrize("target", ["delta", "delta-gamma", "delta-vega"])
def test_hedge_reaches_its_target_to_within_a_lot(book, target):
    market, folio, _ = book
    found = hedge(market, folio, Params(), TradingCosts(lot=0.001), target, "ETH")
    after = found.after.underlyings["ETH"]
    assert abs(after.delta) <= 0.0011
    if target == "delta-gamma":
        assert abs(after.gamma) < 1e-5
    if target == "delta-vega":
        assert abs(after.vega) < 0.5


def test_the_perpetual_takes_up_what_rounding_leaves(book):
    market, folio, _ = book
    found = hedge(market, folio, Params(), TradingCosts(lot=0.1), "delta-vega", "ETH")
    assert abs(found.after.underlyings["ETH"].delta) <= 0.05 + 1e-9


def test_hedge_by_delta_alone_takes_the_cheapest_instrument():
    market, folio = options_book([("call", 2_000.0, -5.0)])
    found = hedge(market, folio, Params(), TradingCosts(linear_spread=1e-5), "delta", "ETH")
    assert {t.candidate.position.kind for t in found.trades} <= {Kind.PERP, Kind.FUTURE}


def test_a_hedge_beyond_liquidity_names_the_greek(book):
    market, folio, _ = book
    with pytest.raises(InfeasibleError, match="change of vega of ETH can only reach"):
        hedge(market, folio, Params(), TradingCosts(liquidity=400.0), "delta-vega", "ETH")


def test_collar_limits_the_loss_and_needs_a_long_position():
    market, folio, _ = load(MARKET, {**PORTFOLIO, "positions": []})
    found = collar(market, folio, Params(), TradingCosts(), "ETH", 0.95, EXPIRY)
    put, call = found.trades
    assert (put.candidate.position.kind, call.candidate.position.kind) == (Kind.PUT, Kind.CALL)
    assert put.quantity == 2.0 == -call.quantity
    assert call.limit >= put.limit or "pays for the put" in found.notes[0]
    short, held = options_book([("call", 2_000.0, -5.0)])
    with pytest.raises(InputError, match="not held long"):
        collar(short, held, Params(), TradingCosts(), "ETH", 0.95, EXPIRY)
    with pytest.raises(InputError, match="liquidity allows"):
        collar(market, folio, Params(), TradingCosts(liquidity=100.0), "ETH", 0.95, EXPIRY)
    with pytest.raises(InputError, match="no expiry of ETH"):
        collar(market, folio, Params(), TradingCosts(), "ETH", 0.95, EXPIRY + 1)
    with pytest.raises(InputError, match="--floor"):
        collar(market, folio, Params(), TradingCosts(), "ETH", 1.0, EXPIRY)


@pytest.fixture(scope="module")
def prices():
    return synthetic_history(walk(500, 0.03), ("ETH",))


def test_less_risk_lowers_what_it_minimises(prices):
    market, folio = options_book([("call", 2_000.0, -5.0)])
    for objective in ("cvar", "variance"):
        found = less_risk(market, folio, Params(), TradingCosts(), prices, objective)
        risk = found.figures
        assert 0.0 <= risk["foundOnAfter"] < 0.2 * risk["foundOnBefore"]
        assert 0.0 <= risk["unseenAfter"] < 0.2 * risk["unseenBefore"]
        assert found.after.initial_margin <= found.before.initial_margin * 1.001
        assert len(found.trades) <= 5


def test_less_risk_reaches_a_goal_or_says_how_far_it_gets(prices):
    market, folio = options_book([("call", 2_000.0, -5.0)])
    costs = TradingCosts(lot=1e-4)
    found = less_risk(market, folio, Params(), costs, prices, target=150.0)
    assert 149.0 <= found.figures["foundOnAfter"] <= 151.0
    assert len(found.trades) == 1
    coarse = less_risk(market, folio, Params(), TradingCosts(lot=0.1), prices, target=150.0)
    after = coarse.figures["foundOnAfter"]
    assert after > 150.0
    assert coarse.notes[-1] == f"rounding to lots leaves {after - 150.0:,.2f} above the goal"
    with pytest.raises(InputError, match="below the mean can only reach"):
        less_risk(market, folio, Params(), costs, prices, limits=Limits(budget=0.5), target=1.0)
    for bad in (float("nan"), -1.0, 2e18):
        with pytest.raises(InputError, match="is outside"):
            less_risk(market, folio, Params(), costs, prices, target=bad)
    with pytest.raises(InputError, match="'magic' is not one of"):
        less_risk(market, folio, Params(), costs, prices, objective="magic")


def test_a_gain_that_the_past_happened_to_hold_is_no_hedge():
    """A price that only rose made options a sure gain: the shortfall was minimised to less than nothing."""
    rising = synthetic_history(walk(500, 0.01) * np.exp(0.004 * np.arange(500.0))[:, None], ("ETH",))
    market, folio = options_book([("call", 2_000.0, -5.0)])
    found = less_risk(market, folio, Params(), TradingCosts(), rising)
    assert min(found.figures.values()) >= 0.0
    assert found.after.initial_margin <= found.before.initial_margin * 1.001


def test_trades_that_the_newer_moves_do_not_confirm_are_refused():
    """ETH goes with BTC in the older part and against it in the newer: what hedged the one doubles the other."""
    moves = np.random.default_rng(5).normal(0.0, 0.03, 500)
    signs = np.where(np.arange(500) < 350, 1.0, -1.0)
    prices = np.exp(np.cumsum(np.column_stack((signs * moves, moves)), axis=0)) * np.array([1_900.0, 64_000.0])
    both = synthetic_history(prices, ("ETH", "BTC"))
    rows = [
        {"underlying": "BTC", "kind": "perp", "entry": 64_000.0, "quantity": 1.0},
        {"underlying": "ETH", "kind": "perp", "entry": 1_900.0, "quantity": 0.01},
    ]
    market, held, _ = load(MARKET, {**PORTFOLIO, "cash": 1e5, "collateral": [], "positions": rows})
    deep = Instrument(Kind.CALL, EXPIRY, 1_000.0)
    mark = mark_of(market.rounds["ETH"], deep)
    # One option at its mark, and perpetuals that cost more than they are worth.
    listed = Listed("one call", {("ETH", deep): Quote(mark, mark, 500.0, 500.0)}, frozenset())
    costs, limits = TradingCosts(linear_spread=0.2), Limits(more_margin=1e6)
    with pytest.raises(InputError, match="which they have not seen"):
        less_risk(market, held, Params(), costs, both, limits=limits, listed=listed)


def test_allocation_moves_collateral_to_where_it_is_short(book):
    market, rich, _ = book
    poor = replace(rich, cash=-3_000.0, collateral={})
    found = allocate(market, [rich, poor], ["rich", "poor"], Params())
    ends = [excess(result) for result in found.after]
    assert min(ends) > min(excess(result) for result in found.before)
    assert ends[0] == pytest.approx(ends[1], rel=0.02)
    for _, changes in found.transfers:
        assert sum(changes) == pytest.approx(0.0, abs=1e-9)
    still = allocate(market, [rich, rich], ["a", "b"], Params())
    assert all(change == 0.0 for _, changes in still.transfers for change in changes)


def test_allocation_gives_the_token_to_the_account_that_it_hedges():
    perp = {"underlying": "ETH", "kind": "perp", "entry": 1_900.0}
    weth = [{"token": "WETH", "amount": 5.0}]
    document = {**PORTFOLIO, "cash": 1_000.0}
    market, short, _ = load(MARKET, {**document, "collateral": [], "positions": [{**perp, "quantity": -5.0}]})
    _, idle, _ = load(MARKET, {**document, "collateral": weth, "positions": []})
    found = allocate(market, [short, idle], ["short", "idle"], Params())
    (moved,) = [changes for token, changes in found.transfers if token == "WETH"]  # noqa: S105
    assert moved[0] > 2.5
    assert found.after[0].initial_margin < 0.5 * found.before[0].initial_margin


def test_allocation_never_borrows_for_another_account():
    perp = {"underlying": "ETH", "kind": "perp", "entry": 1_900.0}
    document = {**PORTFOLIO, "cash": 100.0}
    market, short, _ = load(MARKET, {**document, "collateral": [], "positions": [{**perp, "quantity": -50.0}]})
    dai = [{"token": "DAI", "amount": 1e5}]
    _, rich, _ = load(MARKET, {**document, "collateral": dai, "positions": [{**perp, "quantity": 1.0}]})
    found = allocate(market, [short, rich], ["short", "rich"], Params())
    changes = dict(found.transfers)["cash"]
    assert min(100.0 + change for change in changes) >= -1e-6


def test_allocation_needs_two_accounts_of_mode_single(book):
    market, folio, _ = book
    with pytest.raises(InputError, match="at least 2"):
        allocate(market, [folio], ["a"], Params())
    with pytest.raises(InputError, match="mode CROSS"):
        allocate(market, [folio, replace(folio, mode=Mode.CROSS)], ["a", "b"], Params())


def test_bands_trade_less_and_risk_more_as_they_widen():
    market, folio = options_book([("call", 1_900.0, -5.0)])
    bands, best = rebalancing_bands(market, folio, "ETH", BandSettings(0.6, days=3.0, paths=400))
    assert [b.trades for b in bands] == sorted((b.trades for b in bands), reverse=True)
    assert bands[-1].risk > bands[2].risk
    assert best.objective == min(b.objective for b in bands)
    free = BandSettings(0.6, days=3.0, paths=400, gas=0.0, slippage=0.0)
    assert rebalancing_bands(market, folio, "ETH", free)[1].width <= 0.5
    dear = BandSettings(0.6, days=3.0, paths=400, gas=100.0)
    assert rebalancing_bands(market, folio, "ETH", dear)[1].width > best.width


def test_simulated_prices_have_no_drift():
    market, folio = options_book([("call", 1_900.0, -5.0)])
    spot, _, _ = _simulate(
        market, list(folio.positions), 1_900.0, BandSettings(1.5, days=5.0, paths=20_000, steps_per_day=2)
    )
    assert spot[-1].mean() == pytest.approx(1_900.0, rel=0.004)
    assert np.log(spot[-1]).std() == pytest.approx(1.5 * np.sqrt(5.0 / 365.0), rel=0.03)


def test_gamma_drag_has_the_sign_of_realised_less_implied_variance():
    market, folio = options_book([("call", 1_900.0, -5.0)])
    calm = rebalancing_bands(market, folio, "ETH", BandSettings(0.05, days=5.0, paths=200))[0][0]
    wild = rebalancing_bands(market, folio, "ETH", BandSettings(1.5, days=5.0, paths=200))[0][0]
    assert calm.hedged > 0.0 > wild.hedged
    with pytest.raises(InputError, match="no option of BTC"):
        rebalancing_bands(market, folio, "BTC", BandSettings(0.5))


def test_shrinkage_and_frontier():
    rng = np.random.default_rng(3)
    few, many = rng.normal(0.0, 0.02, (10, 4)), rng.normal(0.0, [0.01, 0.02, 0.03, 0.04], (20_000, 4))
    assert shrunk_covariance(few)[1] > shrunk_covariance(many)[1]
    covariance, weight = shrunk_covariance(many)
    assert weight < 0.01
    assert np.sqrt(np.diag(covariance)) == pytest.approx([0.01, 0.02, 0.03, 0.04], rel=0.03)
    sample = np.cov(few.T, bias=True)
    shrunk, share = shrunk_covariance(few)
    assert shrunk == pytest.approx(share * np.trace(sample) / 4 * np.eye(4) + (1 - share) * sample)
    assert 0.1 < share <= 1.0
    means, share = shrunk_means(many, covariance)
    assert 0.0 < share <= 1.0
    assert means.std() < many.mean(axis=0).std()
    history = synthetic_history(walk(800, 0.03, k=3), ("A", "B", "C"))
    found = frontier(history, 6)
    vols, rewards = [p.volatility for p in found.points], [p.mean for p in found.points]
    assert vols == sorted(vols)
    assert rewards == sorted(rewards)
    assert all(sum(p.weights) == pytest.approx(1.0, abs=1e-6) for p in found.points)
    assert max(p.weights[0] for p in frontier(history, 4, largest=0.5).points) <= 0.5 + 1e-6


def test_frontier_refuses_what_has_no_answer():
    history = synthetic_history(walk(100, 0.03, k=2), ("A", "B"))
    with pytest.raises(InputError, match="cannot add up to 1"):
        frontier(history, largest=0.4)
    with pytest.raises(InputError, match="at least 2"):
        frontier(synthetic_history(walk(100, 0.03), ("A",)))
    with pytest.raises(InputError, match="--largest"):
        frontier(history, largest=float("nan"))
    with pytest.raises(InputError, match="appears twice"):
        frontier(synthetic_history(walk(100, 0.03, k=2), ("A", "A")))
    with pytest.raises(InputError, match="--points"):
        frontier(history, count=1)


def test_an_unbounded_program_names_the_column():
    lp = LinearProgram()
    x = lp.columns(["cheap", "free money", "also free"], cost=np.array([1.0, -1.0, -5.0]))
    lp.row("limit", [(x, np.array([0.0, -1.0, 1.0]))], upper=1.0)
    lp.row("limit", [(x, np.array([0.0, 0.0, 1.0]))], upper=10.0)
    with pytest.raises(UnboundedError, match="nothing limits 'free money'"):
        lp.solve("test")


def test_an_infeasible_program_names_only_what_stands_in_the_way():
    lp = LinearProgram()
    x = lp.column("x", upper=1.0)
    lp.row("possible", [(x, 1.0)], lower=0.5, wanted=True)
    lp.row("too much", [(x, 2.0)], lower=10.0, wanted=True)
    with pytest.raises(InfeasibleError, match=r"infeasible: too much can only reach 2 where 10 is asked for$"):
        lp.solve("test")


def test_lots_round_towards_zero_and_close_exactly():
    assert rounded(1.239, 0.01, 0.0) == 1.23
    assert rounded(-1.239, 0.01, 0.0) == -1.23
    assert rounded(0.3, 0.1, 0.0) == 0.3
    assert rounded(-2.4999, 0.01, 2.50123) == -2.50123


@pytest.mark.parametrize("quantity", [1.5, -1.5])
def test_orders_of_linear_instruments_have_prices_that_the_exchange_takes(quantity):
    """The exchange keeps entries in 1e-8 and refuses finer limits; those of options it takes as they are."""
    limit, terms = 63_699.11608734202, OrderTerms(7, "0x" + "11" * 20, 5, 1_770_330_000)
    legs = [
        Position("ETH", Kind.PERP, 0, limit, quantity),
        Position("ETH", Kind.FUTURE, 1_770_968_000, limit, quantity),
        Position("ETH", Kind.CALL, 1_770_968_000, 2_000.0, quantity),
    ]
    orders = [OpenOrder(leg, limit) for leg in legs]
    messages = order_messages(orders, [0.0] * 3, {"ETH": 1}, terms)
    exact = float_to_wad(limit)
    assert [message["priceWad"] for message in messages] == [63_699_11608734 * 10**10] * 2 + [exact]
    # What is previewed enters at the very price of the order.
    entered = [unpack(word).price_e8 * 10**10 for word in preview_changes(orders[:2], {"ETH": 1})["positions"]]
    assert entered == [message["priceWad"] for message in messages[:2]]


def test_orders_carry_the_trades_and_close_as_reduce_only(book):
    market, folio, _ = book
    found = release(market, folio, Params(), TradingCosts(), Limits(trades=2))
    orders = [t.order for t in found.trades]
    terms = OrderTerms(7, "0x" + "11" * 20, 5, 1_770_330_000, 0.002, 4)
    held = [-orders[0].position.quantity, 0.0]
    messages = order_messages(orders, held, {"ETH": 3, "BTC": 9}, terms)
    assert [list(m) for m in messages] == [[f["name"] for f in ORDER_FIELDS]] * 2
    word = unpack(messages[0]["instrument"])
    assert (word.underlying_id, word.quantity_wad) == ({"ETH": 3, "BTC": 9}[orders[0].position.underlying], 0)
    assert [m["nonce"] for m in messages] == [5, 6]
    assert [m["transferCount"] for m in messages] == [4, 4]
    assert [m["reduceOnly"] for m in messages] == [True, False]
    assert messages[0]["quantityWad"] == pytest.approx(abs(orders[0].position.quantity) * 1e18)
    with pytest.raises(InputError, match="not an underlying of the deployment"):
        order_messages(orders, held, {}, terms)
    with pytest.raises(InputError, match="asks for surprise"):
        order_messages(orders, held, {"ETH": 3, "BTC": 9}, terms, [{"name": "surprise", "type": "uint8"}])
    changes = preview_changes(orders, {"ETH": 3, "BTC": 9})
    premiums = sum(o.position.quantity * o.limit for o in orders if o.position.kind <= Kind.PUT)
    assert changes["cashDeltaWad"] == pytest.approx(-premiums * 1e18)


@pytest.fixture
def arguments(tmp_path):
    (tmp_path / "M.json").write_text(json.dumps(MARKET))
    (tmp_path / "P.json").write_text(json.dumps(PORTFOLIO))
    return ["--market", str(tmp_path / "M.json"), "--portfolio", str(tmp_path / "P.json")]


def test_command_writes_orders_beside_its_document(arguments, tmp_path, capsys):
    out = tmp_path / "O.json"
    assert run(["optimise", "release", *arguments, "--orders", str(out), "--account", "4", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    written = json.loads(out.read_text())
    assert written["orders"] == document["orders"]
    assert {order["accountId"] for order in written["orders"]} == {"4"}
    assert document["released"] > 0.0


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["release", "--trades", "0"], "--trades: 0 is outside"),
        (["release", "--keep", "theta"], "'theta' is not one of"),
        (["release", "--lot", "0"], "--lot: 0 is outside"),
        (["release", "--liquidity", "nan"], "--liquidity: nan is outside"),
        (["release", "--signer", "me"], "'me' is no address"),
        (["release", "--valid", "0"], "--valid: 0 is outside"),
        (["release", "--transfers", "-1"], "--transfers: -1 is outside"),
        (["hedge", "--underlying", "DOGE"], "'DOGE' is not an underlying"),
        (["hedge", "--underlying", "ETH", "--target", "all"], "'all' is not one of"),
        (["hedge", "--underlying", "BTC", "--target", "collar"], "BTC has no expiry"),
        (["bands", "--underlying", "ETH", "--paths", "1"], "--paths: 1 is outside"),
        (["hedge", "--underlying", "ETH", "--delta", "nan"], "--delta: nan is outside"),
    ],
)
def test_bad_options_are_one_line_and_write_nothing(arguments, tmp_path, capsys, command, message):
    extra = ["--orders", str(tmp_path / "O.json")] if command[0] != "bands" else []
    assert run(["optimise", command[0], *arguments, *command[1:], *extra]) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.err.count("\n") == 1
    assert shown.out == ""
    assert not (tmp_path / "O.json").exists()
