"""Order previews of the mirror: how a fill books, and which of the four cases is the worst."""

import pytest
from helpers.documents import DAY, TS
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.mirror.margin_engine import evaluate
from plimsoll.mirror.order_preview import Fill, OpenOrder, filled, preview_orders
from plimsoll.model import Kind, Market, Mode, Portfolio, Position, Round, Surface, Svi, Token
from plimsoll.params import Params

EXPIRY = TS + 30 * DAY
SVI = Svi(0.03, 0.02, -0.2, 0.0, 0.1)


def market():
    eth = Round("ETH", TS, 2_000.0, 2_000.0, 1.0, (Surface(EXPIRY, 2_000.0, 0.03, SVI),))
    btc = Round("BTC", TS, 60_000.0, 60_000.0, 1.0, ())
    return Market(TS, {"USDC": Token("USDC", 1.0, 0.0)}, {"ETH": eth, "BTC": btc})


def perp(quantity, entry=2_000.0, symbol="ETH"):
    return Position(symbol, Kind.PERP, 0, entry, quantity)


def call(quantity, strike=2_000.0):
    return Position("ETH", Kind.CALL, EXPIRY, strike, quantity)


def account(*positions, cash=50_000.0, mode=Mode.SINGLE):
    return Portfolio(mode, cash, {}, positions)


@pytest.mark.parametrize(
    ("change", "limit", "cash", "after"),
    [
        (perp(2.0), 2_300.0, 0.0, [perp(6.0, 2_100.0)]),
        (perp(-1.0), 2_300.0, 300.0, [perp(3.0)]),
        (perp(-4.0), 1_900.0, -400.0, []),
        (perp(-6.0), 1_900.0, -400.0, [perp(-2.0, 1_900.0)]),
    ],
)
def test_filled__perpetual__books_as_the_ledger(change, limit, cash, after):
    folio = filled(account(perp(4.0)), [OpenOrder(change, limit)])
    assert list(folio.positions) == after
    assert folio.cash == 50_000.0 + cash


def test_filled__option__pays_premium_and_adds_up():
    orders = [OpenOrder(call(3.0), 10.0), OpenOrder(call(-1.0), 7.0), OpenOrder(call(1.0, 2_100.0), 5.0)]
    folio = filled(account(call(1.0)), orders)
    assert folio.positions == (call(3.0), call(1.0, 2_100.0))
    assert folio.cash == 50_000.0 - 30.0 + 7.0 - 5.0


@pytest.mark.parametrize(
    ("held", "orders", "worst"),
    [
        ((), [(perp(5.0), 2_000.0), (perp(-4.0), 2_000.0)], Fill.BUYS),
        ((), [(perp(4.0), 2_000.0), (perp(-5.0), 2_000.0)], Fill.SELLS),
        ((perp(5.0),), [(perp(-4.0), 2_000.0)], Fill.NONE),
        ((), [(perp(5.0), 2_600.0), (perp(-5.0), 1_400.0)], Fill.ALL),
    ],
)
def test_preview_orders__one_underlying__names_the_worst_case(held, orders, worst):
    seen = preview_orders(market(), account(*held), [OpenOrder(*order) for order in orders], Params())
    assert seen.fills["ETH"].fill is worst
    assert seen.fills["ETH"].excess == pytest.approx(seen.worst.equity - seen.worst.initial_margin)
    assert seen.before == evaluate(market(), account(*held), Params())


QUANTITY = st.integers(-8, 8).filter(bool).map(float)
ORDER = st.one_of(
    st.tuples(QUANTITY, st.integers(1_800, 2_200)).map(lambda q: OpenOrder(perp(q[0]), float(q[1]))),
    st.tuples(QUANTITY, st.integers(10, 300)).map(lambda q: OpenOrder(call(q[0]), float(q[1]))),
    st.tuples(QUANTITY, st.integers(57_000, 63_000)).map(
        lambda q: OpenOrder(perp(q[0] / 8, symbol="BTC"), float(q[1]))
    ),
)


def picked(orders, fills):
    sides = {Fill.NONE: [], Fill.BUYS: [True], Fill.SELLS: [False], Fill.ALL: [True, False]}
    return [o for o in orders if (o.position.quantity > 0) in sides[fills[o.position.underlying]]]


@given(st.lists(ORDER, max_size=5), st.sampled_from([Mode.SINGLE, Mode.STANDARD]))
def test_preview_orders__additive_modes__no_combination_of_cases_is_worse(orders, mode):
    folio = account(perp(2.0), call(-3.0, 2_200.0), mode=mode)
    seen = preview_orders(market(), folio, orders, Params())
    least = seen.worst.equity - seen.worst.initial_margin
    for eth in Fill:
        for btc in Fill:
            after = evaluate(market(), filled(folio, picked(orders, {"ETH": eth, "BTC": btc})), Params())
            assert after.equity - after.initial_margin >= least - 1e-6
