"""What a bid costs and brings, and that the largest one restores the buffer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.decide import AccountView, AuctionTerms, AuctionView, BidderRule
from plimsoll.decide.bidder import BidView, insolvent_offer, solvent_offer
from plimsoll.mirror.auction import price_factor, whole_price

TERMS = AuctionTerms()
VIEW = BidView(0, BidderRule(8))


def auction(reserve=0.0, *, is_solvent=True):
    return AuctionView(2, 0, is_solvent, 0, 0, reserve, reserve)


@given(
    maintenance=st.floats(100, 1e6),
    shortfall=st.floats(0.01, 0.9),
    haircut=st.floats(0.0, 0.3),
    reserve_share=st.floats(0.0, 0.5),
    elapsed=st.floats(0, 40_000),
)
def test_solvent_offer__largest_bid__restores_the_buffer_exactly(
    maintenance, shortfall, haircut, reserve_share, elapsed
):
    equity = maintenance * (1 - shortfall)
    view = AccountView(2, equity, equity * (1 + haircut), 1.2 * maintenance, maintenance)
    reserve = reserve_share * equity
    offer = solvent_offer(TERMS, view, auction(reserve), elapsed, 1.0)
    price = whole_price(view.market_equity - reserve, maintenance, price_factor(elapsed))
    after_equity = equity - offer.fraction * (equity - reserve) + offer.fraction * price
    assert offer.profit >= -1e-9 * maintenance
    assert offer.cash >= offer.fraction * price
    if offer.fraction < 1:
        assert after_equity == pytest.approx((1 + TERMS.buffer) * (1 - offer.fraction) * maintenance, rel=1e-6)


def test_solvent_offer__healthy_account__nothing_to_take():
    assert solvent_offer(TERMS, AccountView(2, 200.0, 200.0, 120.0, 100.0), auction(), 300, 1.0).fraction == 0.0


def test_solvent_offer__hand_computed__after_five_minutes():
    # d = 0.98 - 0.28/3; f = 25/(25 + d*95); the fee is one percent of f*A.
    offer = solvent_offer(TERMS, AccountView(4, 90.0, 95.0, 120.0, 100.0), auction(), 300, 1.0)
    factor = 0.98 - 0.28 / 3
    assert offer.fraction == pytest.approx(25.0 / (25.0 + factor * 95.0))
    assert offer.cash == pytest.approx(offer.fraction * 95.0 * (factor + 0.01))
    assert offer.profit == pytest.approx(offer.fraction * 95.0 * (1 - factor - 0.01))
    part = solvent_offer(TERMS, AccountView(4, 90.0, 95.0, 120.0, 100.0), auction(), 300, 0.1)
    assert part.fraction == 0.1
    assert part.cash == pytest.approx(0.1 * 95.0 * (factor + 0.01))


def test_insolvent_offer__quarter_of_an_hour__debt_plus_a_sixteenth_of_the_margin():
    view = AccountView(6, -30.0, -20.0, 120.0, 100.0)
    offer = insolvent_offer(VIEW, view, auction(is_solvent=False), 900, 1.0)
    assert (offer.profit, offer.cash) == pytest.approx((6.25, 26.25))
    late = insolvent_offer(VIEW, view, auction(5.0, is_solvent=False), 0, 1.0)
    assert (late.profit, late.cash) == pytest.approx((0.0, 25.0))
