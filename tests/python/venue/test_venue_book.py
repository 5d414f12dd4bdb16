"""The book under random commands: price-time, conservation, never crossed, and the log gives the same book."""

import json
from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.constants import WAD
from plimsoll.venue.book import events as ev
from plimsoll.venue.book.engine import Engine, NewOrder
from plimsoll.venue.book.orders import ALIVE, FILL_OR_KILL, LIMIT, POST_ONLY, BookOrder, Trade
from plimsoll.venue.book.snapshot import rows_of, state_of
from plimsoll.venue.book.state import State

STEP = WAD // 100
INSTRUMENT = (1 << 248) | (3 << 240)
OTHER = (2 << 248) | (3 << 240)


class World:
    """Positions by hand."""

    def __init__(self):
        self.held, self.greeks = {}, (WAD, 0)

    def held_wad(self, account_id, instrument):
        return self.held.get((account_id, instrument), 0)

    def delta_vega_wad(self, instrument):
        return self.greeks


class Venue:
    """An engine whose every event is checked and written down."""

    def __init__(self):
        self.world = World()
        self.engine = Engine(State(), self.world, STEP)
        self.log, self.count = [], 0
        #: Number and rows of the last snapshot, and what left the memory with all of them.
        self.snapshot, self.over, self.done = (0, []), {}, {}
        state, fold = self.engine.state, self.engine.state.apply

        def checked(event):
            if isinstance(event, ev.Matched):
                self._check_priority(event)
            fold(event)

        # The engine folds through the same object.
        self.engine.state = _Checked(state, checked)

    @property
    def state(self):
        return self.engine.state

    def _check_priority(self, event):
        maker, taker = self.state.orders[event.maker], self.state.orders[event.taker]
        assert maker.price_wad == event.price_wad
        assert taker.crosses(maker.price_wad)
        if taker.kind == FILL_OR_KILL:
            return
        better = [
            order for order in self.state.ladder(maker.instrument).side(maker.is_buy) if _rank(order) < _rank(maker)
        ]
        assert not better

    def order(self, account=1, *, buy, price, quantity=1, kind=LIMIT, nonce=None, trigger=None, **more):
        self.count += 1
        message = {
            "accountId": account,
            "instrument": more.pop("instrument", INSTRUMENT),
            "isBuy": buy,
            "quantityWad": int(quantity * 100) * STEP,
            "priceWad": price * WAD,
            "nonce": self.count if nonce is None else nonce,
            "expiryTs": more.pop("expiry", 2_000_000_000),
            "signer": f"0x{account:040x}",
            "kind": kind,
            "reduceOnly": more.pop("reduce", False),
            "maxFeeWad": 0,
            "transferCount": 0,
            "triggerWad": trigger[1] if trigger else 0,
            "triggerAbove": trigger is not None and trigger[0] == "atOrAbove",
            "triggerAfterTs": more.pop("after_ts", 0),
            "exclusive": False,
        }
        return NewOrder(f"0x{self.count:064x}", message, "0x", **more)

    def place(self, *who, **what):
        new = self.order(*who, **what)
        refusal = self.engine.refusal(new)
        if refusal is not None:
            return refusal
        self.engine.place(new, 1_000 * self.count)
        self.note()
        return new.order_hash

    def note(self):
        self.log += self.engine.take_events()
        self.check()

    def trades(self):
        return list(self.state.trades.values())

    def check(self):
        state = self.state
        for order in state.orders.values():
            parts = (order.leaves_wad, order.pending_wad, order.filled_wad, order.cancelled_wad)
            assert sum(parts) == order.quantity_wad, order
            assert min(parts) >= 0, order
            trades = {**self.done, **state.trades}.values()
            mine = [t for t in trades if order.order_hash in (t.maker, t.taker)]
            assert order.pending_wad == sum(t.quantity_wad for t in mine if t.state == "pending")
            assert order.filled_wad == sum(t.quantity_wad for t in mine if t.state in ("settled", "final"))
            shown = [o for side in (True, False) for o in state.ladder(order.instrument).side(side)]
            assert (order in shown) == order.is_resting
        for ladder in state.ladders.values():
            bids, asks = ladder.bids.levels(1), ladder.asks.levels(1)
            assert not bids or not asks or bids[0][0] < asks[0][0]

    def take_snapshot(self):
        """Let a snapshot take the place of the log; what is over is over for good."""
        retired = self.engine.retire(0)
        assert not self.over.keys() & (retired.orders.keys() | self.state.orders.keys())
        for order in retired.orders.values():
            assert order.state not in ALIVE
            assert not order.pending_wad
            assert BookOrder.of(json.loads(json.dumps(order.values()))) == order
        assert all(Trade.of(json.loads(json.dumps(trade.values()))) == trade for trade in retired.trades.values())
        self.over.update(retired.orders)
        self.done.update(retired.trades)
        self.snapshot = (self.state.seq, [(kind, json.dumps(values)) for kind, values in rows_of(self.state)])
        self.log = []
        assert picture(state_of(*self.snapshot)) == picture(self.state)

    def replayed(self):
        again = state_of(*self.snapshot)
        for event in self.log:
            again.apply(ev.decode(event.name, ev.encode(event)))
        return again


class _Checked:
    """A state whose events are seen before they are folded."""

    def __init__(self, state, apply):
        object.__setattr__(self, "_state", state)
        object.__setattr__(self, "apply", apply)

    def __getattr__(self, name):
        return getattr(self._state, name)


def _rank(order):
    return (-order.price_wad if order.is_buy else order.price_wad, order.seq)


def picture(state):
    """Everything that a reader of the state can tell apart."""
    books = {
        instrument: [[o.order_hash for o in ladder.side(side)] for side in (True, False)]
        for instrument, ladder in state.ladders.items()
    }
    books = {instrument: sides for instrument, sides in books.items() if any(sides)}
    return (
        state.seq,
        books,
        {key: asdict(order) for key, order in state.orders.items()},
        {key: asdict(trade) for key, trade in state.trades.items()},
        {account: sorted(orders) for account, orders in state.alive.items()},
        {pair: sorted(orders) for pair, orders in state.pairs.items()},
        sorted(state.unsettled),
        {key: value for key, value in state.moving.items() if value},
        {number: sorted(orders) for number, orders in state.waiting.items() if orders},
        {account: asdict(guard) for account, guard in state.guards.items()},
        {number: asdict(request) for number, request in state.requests.items()},
        {key: asdict(quote) for key, quote in state.quotes.items()},
        {key: asdict(intent) for key, intent in state.intents.items()},
        (list(state.points), state.outsides, state.last_prices),
    )


def test_match__equal_prices__older_goes_first_at_the_makers_price():
    venue = Venue()
    first = venue.place(1, buy=False, price=101)
    second = venue.place(2, buy=False, price=101)
    third = venue.place(3, buy=False, price=100)
    venue.place(4, buy=True, price=102, quantity=2.5)
    assert [(t.maker, t.price_wad // WAD, t.quantity_wad * 100 // WAD) for t in venue.trades()] == [
        (third, 100, 100),
        (first, 101, 100),
        (second, 101, 50),
    ]


def test_fill_or_kill__no_single_maker__is_refused_and_the_first_that_is_whole_fills():
    venue = Venue()
    venue.place(1, buy=False, price=100, quantity=1)
    assert venue.place(3, buy=True, price=105, quantity=2, kind=FILL_OR_KILL) == "notFilled"
    whole = venue.place(2, buy=False, price=101, quantity=5)
    venue.place(3, buy=True, price=105, quantity=2, kind=FILL_OR_KILL)
    assert [(t.maker, t.quantity_wad // WAD) for t in venue.trades()] == [(whole, 2)]


def test_post_only__crossing__is_refused_and_otherwise_rests():
    venue = Venue()
    venue.place(1, buy=False, price=100)
    assert venue.place(2, buy=True, price=100, kind=POST_ONLY) == "wouldCross"
    rests = venue.place(2, buy=True, price=99, kind=POST_ONLY)
    assert venue.state.orders[rests].is_resting


def test_immediate_or_cancel__rest__is_cancelled():
    venue = Venue()
    venue.place(1, buy=False, price=100, quantity=1)
    taker = venue.state.orders[venue.place(2, buy=True, price=100, quantity=3, time_in_force="ioc")]
    assert (taker.state, taker.pending_wad, taker.cancelled_wad) == ("cancelled", WAD, 2 * WAD)


def test_reduce_only__beyond_the_position__fills_what_closes_and_counts_what_is_on_its_way():
    venue = Venue()
    venue.world.held[2, INSTRUMENT] = 2 * WAD
    venue.place(1, buy=True, price=100, quantity=5)
    order = venue.state.orders[venue.place(2, buy=False, price=100, quantity=3, reduce=True)]
    assert (order.pending_wad, order.state, order.cancelled_wad) == (2 * WAD, "cancelled", WAD)
    again = venue.state.orders[venue.place(2, buy=False, price=100, quantity=1, reduce=True)]
    assert (again.state, again.pending_wad) == ("cancelled", 0)


def test_trigger__round_meets_it__enters_oldest_first():
    venue = Venue()
    venue.place(1, buy=True, price=90, quantity=1)
    stop = venue.place(2, buy=False, price=80, trigger=("atOrBelow", 95 * WAD))
    later = venue.place(3, buy=False, price=80, trigger=("atOrBelow", 95 * WAD))
    assert not venue.trades()
    venue.engine.see_round(1, 96 * WAD, 7, 1)
    assert not venue.trades()
    venue.engine.see_round(1, 95 * WAD, 7, 1)
    venue.note()
    assert [(t.taker, t.price_wad // WAD) for t in venue.trades()] == [(stop, 90)]
    assert venue.state.orders[later].is_resting


def test_trigger__round_of_before_the_order__does_not_count():
    venue = Venue()
    stop = venue.place(2, buy=False, price=80, trigger=("atOrBelow", 95 * WAD), after_ts=10)
    venue.engine.see_round(1, 90 * WAD, 10, 1)
    assert venue.state.orders[stop].state == "waiting"
    venue.engine.see_round(1, 90 * WAD, 11, 1)
    assert venue.state.orders[stop].is_resting


def test_trigger__spot_comes_back_before_anything_traded__waits_again():
    venue = Venue()
    stop = venue.place(2, buy=False, price=80, trigger=("atOrBelow", 95 * WAD))
    venue.engine.see_round(1, 94 * WAD, 7, 1)
    venue.note()
    venue.engine.see_round(1, 96 * WAD, 8, 1)
    venue.note()
    assert (venue.state.orders[stop].state, list(venue.state.ladder(INSTRUMENT).asks)) == ("waiting", [])
    venue.place(1, buy=True, price=90)
    assert not venue.trades()
    venue.engine.see_round(1, 95 * WAD, 9, 1)
    venue.note()
    assert [trade.taker for trade in venue.trades()] == [stop]


def test_trigger__chain_has_filled_a_part__the_rest_stays_in_the_book():
    venue = Venue()
    stop = venue.place(2, buy=False, price=80, quantity=2, trigger=("atOrBelow", 95 * WAD))
    venue.place(1, buy=True, price=90)
    venue.engine.see_round(1, 94 * WAD, 7, 1)
    venue.note()
    (trade,) = venue.trades()
    venue.engine.settled(ev.Settled(trade.trade_id, "0x" + "1" * 64, 5, 1, 2))
    venue.engine.see_round(1, 99 * WAD, 8, 1)
    venue.note()
    assert venue.state.orders[stop].is_resting
    venue.engine.rolled_back(trade.trade_id)
    venue.engine.not_triggered(trade.trade_id, "spot is back", 1)
    venue.note()
    assert (venue.state.orders[stop].state, venue.state.orders[stop].leaves_wad) == ("waiting", 2 * WAD)


def test_trigger__chain_says_it_is_not_met__both_orders_live_and_the_one_waits():
    venue = Venue()
    bid = venue.place(1, buy=True, price=90)
    stop = venue.place(2, buy=False, price=80, trigger=("atOrBelow", 95 * WAD))
    venue.engine.see_round(1, 94 * WAD, 7, 1)
    venue.engine.not_triggered(venue.trades()[0].trade_id, "spot is back", 1)
    venue.note()
    assert venue.state.orders[bid].is_resting
    assert (venue.state.orders[stop].state, venue.state.orders[stop].leaves_wad) == ("waiting", WAD)


def test_trigger__of_an_order_at_once_or_not_at_all__waits_again_when_its_match_was_too_late():
    venue = Venue()
    venue.place(1, buy=True, price=90)
    stop = venue.place(2, buy=False, price=80, kind=FILL_OR_KILL, trigger=("atOrBelow", 95 * WAD))
    venue.engine.see_round(1, 94 * WAD, 7, 1)
    venue.engine.not_triggered(venue.trades()[0].trade_id, "spot is back", 1)
    venue.note()
    assert venue.state.orders[stop].state == "waiting"


def test_one_cancels_other__a_match_of_one__cancels_the_other():
    venue = Venue()
    take_profit = venue.place(1, buy=False, price=110, nonce=7)
    stop = venue.place(1, buy=False, price=80, nonce=7, trigger=("atOrBelow", 90 * WAD))
    venue.place(2, buy=True, price=110, quantity=0.5)
    assert venue.state.orders[stop].state == "cancelled"
    assert venue.state.orders[take_profit].is_resting


def test_self_trade__incoming_order__is_cancelled():
    venue = Venue()
    venue.place(1, buy=False, price=100)
    order = venue.state.orders[venue.place(1, buy=True, price=101)]
    assert (order.state, order.pending_wad) == ("cancelled", 0)


def test_failed__one_at_fault__is_barred_and_the_other_is_back_at_its_old_place():
    venue = Venue()
    maker = venue.place(1, buy=False, price=100)
    younger = venue.place(2, buy=False, price=100)
    taker = venue.place(3, buy=True, price=100)
    (trade,) = venue.trades()
    venue.engine.failed(trade.trade_id, "margin", [taker], 5)
    venue.note()
    assert venue.state.orders[taker].state == "barred"
    assert [o.order_hash for o in venue.state.ladder(INSTRUMENT).asks] == [maker, younger]


def test_failed__survivor_crosses_what_came_meanwhile__meets_it():
    venue = Venue()
    maker = venue.place(1, buy=False, price=100, kind=POST_ONLY)
    taker = venue.place(2, buy=True, price=100)
    bid = venue.place(3, buy=True, price=105)
    venue.engine.failed(venue.trades()[0].trade_id, "margin", [taker], 5)
    venue.note()
    assert [(t.maker, t.taker, t.price_wad // WAD) for t in venue.trades()[1:]] == [(maker, bid, 100)]


def test_failed__limit_survivor_crosses_what_came_meanwhile__takes_it_at_its_price():
    venue = Venue()
    maker = venue.place(1, buy=False, price=100)
    taker = venue.place(2, buy=True, price=100)
    bid = venue.place(3, buy=True, price=105)
    venue.engine.failed(venue.trades()[0].trade_id, "margin", [taker], 5)
    venue.note()
    assert [(t.maker, t.taker, t.price_wad // WAD) for t in venue.trades()[1:]] == [(bid, maker, 105)]


def test_trigger__post_only_would_trade__is_cancelled():
    venue = Venue()
    venue.place(1, buy=True, price=100)
    order = venue.place(2, buy=False, price=100, kind=POST_ONLY, trigger=("atOrBelow", 95 * WAD))
    venue.engine.see_round(1, 90 * WAD, 7, 1)
    venue.note()
    assert (venue.state.orders[order].state, venue.trades()) == ("cancelled", [])


def test_rolled_back__filled_order__is_alive_again_and_its_trade_pending():
    venue = Venue()
    maker = venue.place(1, buy=False, price=100)
    venue.place(2, buy=True, price=100)
    (trade,) = venue.trades()
    venue.engine.settled(ev.Settled(trade.trade_id, "0x" + "1" * 64, 5, 1, 2))
    venue.note()
    assert venue.state.orders[maker].state == "filled"
    venue.engine.rolled_back(trade.trade_id)
    venue.note()
    order = venue.state.orders[maker]
    assert (order.state, order.pending_wad, maker in venue.state.alive[1]) == ("open", WAD, True)


def test_protection__too_many_fills__pulls_every_quote_of_the_maker():
    venue = Venue()
    venue.engine.note(ev.Protected(1, 60_000, 1, None, None))
    for price in (100, 101, 102):
        venue.place(1, buy=False, price=price)
    venue.place(2, buy=True, price=103, quantity=3)
    assert len(venue.trades()) == 2
    assert 1 not in venue.state.alive
    assert venue.state.guards[1].is_tripped


def test_protection__clock_goes_back__the_window_begins_anew():
    venue = Venue()
    venue.engine.note(ev.Protected(1, 60_000, 1, None, None))
    for price in (100, 101):
        venue.place(1, buy=False, price=price)
    venue.place(2, buy=True, price=100)
    # An hour back: the fill before it lies in the future, and would count for an hour.
    venue.engine.place(venue.order(2, buy=True, price=101), 1_000 * venue.count - 3_600_000)
    assert len(venue.trades()) == 2
    assert not venue.state.guards[1].is_tripped


@pytest.mark.parametrize(("bound", "trips"), [(3, False), (1, True)])
def test_protection__delta__counts_greeks_of_the_fills(bound, trips):
    venue = Venue()
    venue.engine.note(ev.Protected(1, 60_000, None, bound * WAD, None))
    venue.place(1, buy=False, price=100, quantity=5)
    venue.place(2, buy=True, price=100, quantity=2)
    assert venue.state.guards[1].is_tripped is trips


def test_expire__own_time__takes_out_and_leaves_others():
    venue = Venue()
    soon, late = venue.place(1, buy=True, price=90, expiry=100), venue.place(1, buy=True, price=91, expiry=200)
    venue.engine.expire(100)
    venue.note()
    assert [venue.state.orders[one].state for one in (soon, late)] == ["expired", "open"]


def test_outside__a_fill_that_is_not_ours__shrinks_what_is_open_and_comes_back_as_cancelled():
    venue = Venue()
    order = venue.state.orders[venue.place(1, buy=False, price=100, quantity=5)]
    venue.engine.outside(order.order_hash, 2 * WAD, 7)
    assert (order.leaves_wad, order.filled_wad) == (3 * WAD, 2 * WAD)
    venue.engine.outside(order.order_hash, -2 * WAD, 7)
    assert (order.leaves_wad, order.filled_wad, order.cancelled_wad) == (3 * WAD, 0, 2 * WAD)


ORDER = st.fixed_dictionaries(
    {
        "account": st.integers(1, 5),
        "buy": st.booleans(),
        "price": st.integers(98, 102),
        "quantity": st.sampled_from((0.01, 0.5, 1, 1, 2, 3.33)),
        "kind": st.sampled_from((LIMIT, LIMIT, LIMIT, POST_ONLY, FILL_OR_KILL)),
        "nonce": st.one_of(st.none(), st.integers(1_000_000, 1_000_003)),
        "reduce": st.sampled_from((False, False, False, True)),
        "instrument": st.sampled_from((INSTRUMENT, INSTRUMENT, OTHER)),
        "trigger": st.one_of(
            st.none(),
            st.none(),
            st.tuples(st.sampled_from(("atOrAbove", "atOrBelow")), st.integers(95, 105).map(lambda n: n * WAD)),
        ),
        "time_in_force": st.sampled_from(("gtc", "gtc", "ioc")),
        "expiry": st.sampled_from((1_000, 2_000_000_000, 2_000_000_000)),
    }
)
COMMAND = st.one_of(
    ORDER,
    ORDER,
    ORDER,
    st.tuples(st.just("cancel"), st.integers(0, 10**6)),
    st.tuples(st.just("round"), st.integers(95, 105)),
    st.tuples(st.just("settle"), st.integers(0, 10**6)),
    st.tuples(st.just("fail"), st.integers(0, 10**6)),
    st.tuples(st.just("late"), st.integers(0, 10**6)),
    st.tuples(st.just("back"), st.integers(0, 10**6)),
    st.tuples(st.just("final"), st.integers(0, 10**6)),
    st.tuples(st.just("expire"), st.sampled_from((10, 1_000))),
    st.tuples(st.just("protect"), st.integers(1, 5)),
    st.tuples(st.just("request"), st.integers(1, 5)),
    st.tuples(st.just("synced"), st.integers(1, 100)),
    st.tuples(st.just("snapshot"), st.just(0)),
)


def follow(venue, name, number):
    """Let the chain do something with one of the trades."""
    wanted = "pending" if name in ("settle", "fail", "late") else "settled"
    found = [trade for trade in venue.trades() if trade.state == wanted]
    if not found:
        return
    trade = found[number % len(found)]
    if name == "settle":
        venue.engine.settled(ev.Settled(trade.trade_id, "0x" + "1" * 64, 5, 1, 2))
    elif name == "late":
        venue.engine.not_triggered(trade.trade_id, "no", 1)
    elif name == "fail":
        venue.engine.failed(trade.trade_id, "no", [[], [trade.maker], [trade.taker]][number % 3], 1)
    elif name == "back":
        venue.engine.rolled_back(trade.trade_id)
    else:
        venue.engine.finalised(trade.trade_id)


def run(venue, command):
    if isinstance(command, dict):
        venue.place(**dict(command))
        return
    name, number = command
    orders = sorted(venue.state.orders)
    if name == "cancel" and orders:
        venue.engine.cancel(orders[number % len(orders)], "by hand")
    elif name == "round":
        venue.engine.see_round(1, number * WAD, 7, 1)
    elif name == "expire":
        venue.engine.expire(number)
    elif name == "protect":
        venue.engine.note(ev.Protected(number, 1_000, 2, 3 * WAD, None))
    elif name == "request":
        asked = venue.engine.note(ev.Requested(number, "0xa", [[INSTRUMENT, True, WAD]], 1, 2))
        venue.engine.note(ev.Quoted(asked, f"0x{asked:064x}", {"expiryTs": 5}, "0x"))
        venue.engine.note(ev.Intended(f"0x{asked:064x}", "delta", {"nonce": number}, "0x"))
    elif name == "synced":
        venue.engine.note(ev.Synced(number, f"0x{number:064x}", number))
    elif name == "snapshot":
        venue.take_snapshot()
    elif name != "cancel":
        follow(venue, name, number)
    venue.note()


@given(
    st.lists(COMMAND, min_size=40, max_size=80), st.lists(st.tuples(st.integers(1, 5), st.integers(-3, 3)), max_size=4)
)
@settings(max_examples=150)
def test_book__any_commands__conserves_never_crosses_and_replays(commands, held):
    venue = Venue()
    for account, quantity in held:
        venue.world.held[account, INSTRUMENT] = quantity * WAD
    for command in commands:
        run(venue, command)
    assert picture(venue.replayed()) == picture(venue.state)
