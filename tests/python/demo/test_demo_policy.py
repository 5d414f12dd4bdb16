"""How much of an account the margin of the demo's bidder carries, and that newer prices come first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from plimsoll.decide import AccountView, AuctionView, PostRound, PostTokenPrices
from plimsoll.decide.bidder import Offer
from plimsoll.demo.keeper.policy import affordable_fraction
from plimsoll.demo.keeper.prices import PriceView, decide_prices

AUCTION = AuctionView(2, 0, is_solvent=True, clock_ts=0, vouched_ts=0)


@given(
    room=st.floats(0.0, 1e4), initial=st.floats(1.0, 1e5), equity_share=st.floats(-0.5, 0.8), cash=st.floats(0.0, 1e4)
)
def test_affordable_fraction__any_slice__leaves_the_bidder_its_initial_margin(room, initial, equity_share, cash):
    bidder = AccountView(8, 500.0 + room, 600.0, 500.0, 400.0)
    view = AccountView(2, equity_share * initial, initial, initial, 0.8 * initial)
    fraction = affordable_fraction(bidder, view, AUCTION, Offer(1.0, 0.0, cash), 1.0)
    equity = bidder.equity + fraction * (view.equity - cash)
    assert 0.0 <= fraction <= 1.0
    assert equity >= bidder.initial + fraction * view.initial - 1e-9 * (initial + cash + room)


def test_affordable_fraction__bidder_short_of_margin__nothing():
    bidder = AccountView(8, 499.0, 600.0, 500.0, 400.0)
    view = AccountView(2, 90.0, 95.0, 120.0, 100.0)
    assert affordable_fraction(bidder, view, AUCTION, Offer(1.0, 0.0, 80.0), 1.0) == 0.0
    rich = AccountView(8, 5_000.0, 5_000.0, 500.0, 400.0)
    assert affordable_fraction(rich, view, AUCTION, Offer(1.0, 0.0, 80.0), 1.0) == 1.0


def test_decide_prices__newer_than_the_chain__are_posted_tokens_first():
    view = PriceView({"ETH": 6, "BTC": 6, "SOL": 5}, {"ETH": 5, "SOL": 5}, 6, 5)
    assert decide_prices(view) == (PostTokenPrices(6), PostRound("BTC", 6), PostRound("ETH", 6))


def test_decide_prices__nothing_newer__wants_nothing():
    assert decide_prices(PriceView({"ETH": 4}, {"ETH": 5}, 5, 5)) == ()


def test_decide_prices__one_feed_down__the_others_are_posted():
    assert decide_prices(PriceView({"BTC": 6}, {"ETH": 5, "BTC": 5})) == (PostRound("BTC", 6),)


def test_decide_prices__order_of_the_input__does_not_matter():
    names = [f"U{i}" for i in range(30)]
    found = [decide_prices(PriceView(dict.fromkeys(order, 10))) for order in (names, names[::-1])]
    assert found[0] == found[1] == tuple(PostRound(name, 10) for name in sorted(names))
