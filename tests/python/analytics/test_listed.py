"""Suggestions over what a venue lists: real quotes, nothing that is not there, none worse than a brute scan."""

import random
from dataclasses import replace

import pytest
from helpers.chains import snapshot_of
from helpers.documents import load
from helpers.examples import EXPIRY, MARKET, PORTFOLIO
from helpers.listed_books import COSTS, best_by_scan, book_of, crash_listing

from plimsoll.analytics.optimise.choice import Choice
from plimsoll.analytics.optimise.goal import read_goal
from plimsoll.analytics.optimise.hedge import collar, hedge
from plimsoll.analytics.optimise.limits import Limits, add_limits, add_worth
from plimsoll.analytics.optimise.listed import Listed, Quote, listed_of
from plimsoll.analytics.optimise.release import release
from plimsoll.analytics.optimise.trades import trade_program
from plimsoll.analytics.optimise.universe import TradingCosts, offered, universe_of
from plimsoll.errors import InputError
from plimsoll.market.fit.rounds import fit_snapshot
from plimsoll.mirror.margin_engine import evaluate
from plimsoll.model import Instrument, Kind, Market, Mode, Portfolio, Position, Token
from plimsoll.params import Params


@pytest.fixture(scope="module")
def crash():
    return crash_listing()


@pytest.mark.parametrize("seed", range(10))
def test_ten_books_get_what_is_listed_and_no_less_than_a_scan_finds(crash, seed):
    market, listed = crash
    folio = book_of(market, listed, seed)
    found = release(market, folio, Params(), COSTS, Limits(trades=1), (), listed)
    assert found.released >= 0.98 * best_by_scan(market, folio, listed)
    three = release(market, folio, Params(), COSTS, Limits(trades=3), (), listed)
    assert three.released >= found.released
    for trade in three.trades:
        position = trade.candidate.position
        if position.kind.is_option:
            quote = listed.quotes[position.identity]
            assert trade.limit == (quote.ask if trade.quantity > 0.0 else quote.bid)
        elif position.kind == Kind.FUTURE:
            assert (position.underlying, position.expiry_ts) in listed.futures
        if trade.candidate.held == 0.0 and position.kind.has_expiry:
            assert position.expiry_ts - market.ts >= 2 * 86_400
    assert three.freed >= 2.0 * three.cost


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_pair_or_triple_of_a_short_list_does_better_than_the_search(crash, seed):
    market, listed = crash
    folio = book_of(market, listed, seed)
    universe = universe_of(market, folio, COSTS, listed)
    draw = random.Random(seed)
    few = [c for c in universe if c.held != 0.0]
    few += draw.sample([c for c in universe if c.held == 0.0], 24 - len(few))
    before = evaluate(market, folio, Params())

    def program():
        built = trade_program(market, folio, Params(), few, open_all=False)
        add_limits(built, Limits(), before)
        add_worth(built, 2.0, before)
        return built

    search, brute = Choice(program()), Choice(program())
    found = list(search.best(3, search.singles()))
    n = len(few)
    pairs = [(i, j) for i in range(n) for j in range(i)]
    best = min(brute.value(pair) for pair in pairs)
    assert brute.base - search.value(found[1]) >= 0.98 * (brute.base - best)
    triples = [(i, j, k) for i, j in pairs for k in range(j)]
    best = min(brute.value(triple) for triple in draw.sample(triples, 600))
    assert brute.base - search.value(found[2]) >= 0.98 * (brute.base - best)


def test_a_side_that_nobody_quotes_is_not_traded(crash):
    market, _ = crash
    round_ = market.rounds["ETH"]
    last = round_.surfaces[-1]
    call, put = (Instrument(kind, last.expiry_ts, round(last.forward, -2)) for kind in (Kind.CALL, Kind.PUT))
    quotes = {("ETH", call): Quote(100.0, None, 3.0, None), ("ETH", put): Quote(None, 250.0, None, 7.0)}
    listed = Listed("two", quotes, frozenset())
    folio = Portfolio(Mode.SINGLE, 1e6, {}, (Position("ETH", Kind.PERP, 0, round_.spot, 10.0),))
    offers = {c.position.instrument: c for c in universe_of(market, folio, COSTS, listed)}
    assert len(offers) == 3
    assert (offers[call].most_bought, offers[call].most_sold, offers[call].bid) == (0.0, 3.0, 100.0)
    assert (offers[put].most_bought, offers[put].most_sold, offers[put].ask) == (7.0, 0.0, 250.0)
    assert offers[call].sell_cost == offers[call].price - 100.0
    assert not any(i.kind == Kind.FUTURE for i in offers)


def test_what_expires_soon_is_only_closed():
    market, folio, _ = load(MARKET, PORTFOLIO)
    far = (EXPIRY - market.ts) / 86_400 + 1.0
    for candidate in universe_of(market, folio, TradingCosts(min_days=far)):
        if candidate.position.expiry_ts == EXPIRY:
            assert candidate.held != 0.0
            assert candidate.most_bought == max(0.0, -candidate.held)
            assert candidate.most_sold == max(0.0, candidate.held)
    assert any(c.position.expiry_ts == EXPIRY and c.held == 0.0 for c in universe_of(market, folio, TradingCosts()))


def test_a_chain_of_another_time_or_of_nothing_held_is_refused():
    snapshot = snapshot_of("ETH")
    market = Market(snapshot.ts, {"USDC": Token("USDC", 1.0, 0.0)}, {"ETH": fit_snapshot(snapshot).round})
    late = replace(snapshot, ts=snapshot.ts + 301)
    with pytest.raises(InputError, match="more than 300 s apart"):
        listed_of([late], market, "quotes.csv")
    with pytest.raises(InputError, match=r"quotes\.csv.*lists nothing of ETH"):
        listed_of([replace(snapshot, currency="BTC")], market, "quotes.csv")
    crossed = snapshot.bid.copy()
    crossed[0] = snapshot.ask[0] * 1.5
    quotes = listed_of([replace(snapshot, bid=crossed)], market, "quotes.csv").quotes
    assert next(iter(quotes.values())) == Quote(None, None)


def full_account(market, room):
    strikes = [1_500.0 + 10.0 * i for i in range(64)]
    legs = [Position("ETH", k, EXPIRY, s, -1.0) for k in (Kind.CALL, Kind.PUT) for s in strikes]
    return Portfolio(Mode.SINGLE, 1e6, {}, tuple(legs[: 128 - room]))


@pytest.mark.parametrize(("room", "perp"), [(0, False), (1, True)])
def test_a_full_account_is_hedged_by_what_it_holds(room, perp):
    market, _, _ = load(MARKET, PORTFOLIO)
    folio = full_account(market, room)
    assert any(c.position.kind == Kind.PERP for c in offered(market, folio, COSTS, None, 3)) == perp
    found = hedge(market, folio, Params(), TradingCosts(lot=0.01), "delta", "ETH")
    assert abs(found.after.underlyings["ETH"].delta) <= 0.011
    assert all(t.candidate.held != 0.0 or t.candidate.position.kind == Kind.PERP for t in found.trades)


def test_a_collar_that_would_raise_margin_is_passed_over_or_refused():
    market, _, _ = load(MARKET, PORTFOLIO)

    def under(strike, quantity):
        call = Position("ETH", Kind.CALL, EXPIRY, strike, quantity)
        return Portfolio(Mode.SINGLE, 1e5, {}, (Position("ETH", Kind.PERP, 0, 1_900.0, 2.0), call))

    # Four calls are short against two units: whatever is sold on top is one more risk.
    with pytest.raises(InputError, match=r"would raise initial margin by .*--more-margin"):
        collar(market, under(1_900.0, -4.0), Params(), TradingCosts(), "ETH", 0.5, EXPIRY)
    free = Limits(more_margin=None)
    found = collar(market, under(1_900.0, -4.0), Params(), TradingCosts(), "ETH", 0.5, EXPIRY, free)
    assert found.after.initial_margin > 1.5 * found.before.initial_margin
    # Two are covered: the call that pays for the put raises margin, another does not.
    paid = collar(market, under(1_500.0, -2.0), Params(), TradingCosts(), "ETH", 0.5, EXPIRY, free)
    kept = collar(market, under(1_500.0, -2.0), Params(), TradingCosts(), "ETH", 0.5, EXPIRY)
    assert paid.after.initial_margin > 1.01 * paid.before.initial_margin
    assert kept.after.initial_margin <= 1.001 * kept.before.initial_margin
    assert kept.notes == ("no call that may be sold pays for the put",)
    for limits, option in ((Limits(more_margin=None, budget=0.1), "--budget"), (Limits(turnover=10.0), "--turnover")):
        with pytest.raises(InputError, match=option):
            collar(market, under(1_500.0, -2.0), Params(), TradingCosts(), "ETH", 0.5, EXPIRY, limits)


def test_the_program_knows_the_charge_for_size():
    market, _, _ = load(MARKET, PORTFOLIO)
    params = Params()
    free = params.for_underlying("ETH").n0 / 1_900.0
    for units in (0.5 * free, 1.5 * free, 4.0 * free):
        folio = Portfolio(Mode.SINGLE, 1e9, {}, (Position("ETH", Kind.PERP, 0, 1_900.0, units),))
        exact = evaluate(market, folio, params)
        program = trade_program(market, folio, params, universe_of(market, folio, COSTS), open_all=False)
        assert program.lp.solve("test")[0] == pytest.approx(exact.initial_margin, abs=2e-4 * units * 1_900.0)
    # Within what is free it is exact; beyond, half of the book released is worth more than half of the margin.
    found = release(market, folio, params, TradingCosts(liquidity=1e12, lot=1.0), Limits(trades=1))
    assert found.released > 0.9 * exact.initial_margin


def test_a_goal_frees_what_it_says_at_the_least_cost(crash):
    market, listed = crash
    folio = book_of(market, listed, 4)
    most = release(market, folio, Params(), COSTS, Limits(trades=2), (), listed)
    wanted = 0.4 * most.freed
    found = release(market, folio, Params(), COSTS, Limits(trades=2), (), listed, wanted)
    assert found.freed >= wanted
    assert found.cost < most.cost
    with pytest.raises(InputError, match="of initial margin can be freed"):
        release(market, folio, Params(), COSTS, Limits(trades=1, turnover=1_000.0), (), listed, wanted)
    with pytest.raises(InputError, match="is outside"):
        release(market, folio, Params(), COSTS, Limits(), (), listed, 1e12)


def test_limits_of_cost_and_turnover_hold_as_the_mirror_states_them(crash):
    market, listed = crash
    folio = book_of(market, listed, 5)
    free = release(market, folio, Params(), COSTS, Limits(trades=3, worth=0.0), (), listed)
    tight = Limits(trades=3, turnover=0.3 * free.turnover, budget=0.5 * free.cost)
    found = release(market, folio, Params(), COSTS, tight, (), listed)
    assert found.turnover <= 0.3 * free.turnover * (1.0 + 1e-8)
    assert found.cost <= 0.5 * free.cost * (1.0 + 1e-8)
    assert 0.0 < found.released < free.released


def test_a_goal_is_read_in_a_traders_words():
    goal = read_goal("Free 5,000 IM, keep delta; at most 2 trades and cost below 12.5")
    assert (goal.free, goal.shortfall, goal.keep) == (5_000.0, None, ("delta",))
    assert (goal.limits.trades, goal.limits.budget) == (2, 12.5)
    other = read_goal("cvar below 800, turnover at most 1_000, margin up at most 5")
    assert (other.free, other.shortfall) == (None, 800.0)
    assert (other.limits.turnover, other.limits.more_margin) == (1_000.0, 5.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("make me rich", "'make me rich' is not understood; clauses are: free 5,000 IM"),
        ("keep delta", "say either how much margin to free"),
        ("free 5 IM, cvar below 3", "say either how much margin to free"),
        ("free 5,00 IM", "'5,00' in 'free 5,00 im' is no number"),
        ("free 5 IM, free 6 IM", "'free 6 im': this is said twice"),
        ("free 5 IM, at most 2.5 trades", r"2\.5 is no number of trades"),
        ("free 5 IM, at most 40 trades", r"40 is outside \[1, 20\]"),
        ("cvar below 5, keep delta", "keep goes with margin to free"),
        ("", "'' is not understood"),
    ],
)
def test_a_goal_that_cannot_be_read_is_named(text, message):
    with pytest.raises(InputError, match=message):
        read_goal(text)
