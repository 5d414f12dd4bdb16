"""What a bid costs and brings, and that the largest one restores the buffer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.decide.bidder import insolvent_terms, solvent_terms
from offchain.decide.snapshot import AccountView, AuctionTerms, AuctionView
from offchain.mirror.auction import price_factor

TERMS = AuctionTerms()


def auction(reserve=0.0, *, is_solvent=True):
    return AuctionView(2, 0, is_solvent, 0, reserve)


@given(
    maintenance=st.floats(100, 1e6),
    shortfall=st.floats(0.01, 0.9),
    haircut=st.floats(0.0, 0.3),
    reserve_share=st.floats(0.0, 0.5),
    elapsed=st.floats(0, 40_000),
)
def test_solvent_terms__largest_bid__restores_the_buffer_exactly(
    maintenance, shortfall, haircut, reserve_share, elapsed
):
    equity = maintenance * (1 - shortfall)
    view = AccountView(2, equity, equity * (1 + haircut), 1.2 * maintenance, maintenance)
    reserve = reserve_share * equity
    fraction, profit, cost = solvent_terms(TERMS, view, auction(reserve), elapsed)
    paid_in = price_factor(elapsed) * fraction * (view.market_equity - reserve)
    after_equity = equity - fraction * (equity - reserve) + paid_in
    assert profit >= -1e-9 * maintenance
    assert cost >= paid_in
    if fraction < 1:
        assert after_equity == pytest.approx((1 + TERMS.buffer) * (1 - fraction) * maintenance, rel=1e-6)


def test_solvent_terms__healthy_account__nothing_to_take():
    assert solvent_terms(TERMS, AccountView(2, 200.0, 200.0, 120.0, 100.0), auction(), 300)[0] == 0.0


def test_solvent_terms__hand_computed__after_five_minutes():
    # d = 0.98 - 0.28/3; f = 25/(25 + d*95); the fee is one percent of f*A.
    fraction, profit, cost = solvent_terms(TERMS, AccountView(4, 90.0, 95.0, 120.0, 100.0), auction(), 300)
    factor = 0.98 - 0.28 / 3
    assert fraction == pytest.approx(25.0 / (25.0 + factor * 95.0))
    assert cost == pytest.approx(fraction * 95.0 * (factor + 0.01))
    assert profit == pytest.approx(fraction * 95.0 * (1 - factor - 0.01))


def test_insolvent_terms__halfway_up_the_ramp__debt_plus_half_the_margin():
    view = AccountView(6, -30.0, -20.0, 120.0, 100.0)
    assert insolvent_terms(view, auction(is_solvent=False), 1_800) == pytest.approx((1.0, 50.0, 70.0))
    assert insolvent_terms(view, auction(5.0, is_solvent=False), 0) == pytest.approx((1.0, 0.0, 25.0))
