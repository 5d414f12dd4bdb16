"""The price path and the fraction of risk-model section 8."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.decide.bidder import largest_fraction, price_factor, solvent_profit
from offchain.decide.snapshot import AccountView, AuctionTerms

TERMS = AuctionTerms()


@pytest.mark.parametrize(
    ("elapsed", "factor"), [(0, 0.98), (450, 0.84), (900, 0.70), (22_050, 0.35), (43_200, 0.0), (90_000, 0.0)]
)
def test_price_factor__at_the_corners__is_linear_between(elapsed, factor):
    assert price_factor(TERMS, elapsed) == pytest.approx(factor, abs=1e-12)


@given(st.floats(0, 50_000), st.floats(0, 50_000))
def test_price_factor__later__never_higher(one, other):
    assert price_factor(TERMS, max(one, other)) <= price_factor(TERMS, min(one, other))


@given(
    maintenance=st.floats(100, 1e6),
    shortfall=st.floats(0.01, 0.9),
    haircut=st.floats(0.0, 0.3),
    reserve_share=st.floats(0.0, 0.5),
    elapsed=st.floats(0, 40_000),
)
def test_largest_fraction__taken__restores_the_buffer_exactly(maintenance, shortfall, haircut, reserve_share, elapsed):
    equity = maintenance * (1 - shortfall)
    view = AccountView(2, equity, equity * (1 + haircut), 1.2 * maintenance, maintenance)
    reserve = reserve_share * equity
    factor = price_factor(TERMS, elapsed)
    fraction = largest_fraction(TERMS, view, reserve, factor)
    after_equity = equity - fraction * ((equity - reserve) - factor * (view.market_equity - reserve))
    after_target = (1 + TERMS.buffer) * (1 - fraction) * maintenance
    if fraction < 1:
        assert after_equity == pytest.approx(after_target, rel=1e-9)
    else:
        assert after_target == 0


def test_largest_fraction__healthy_account__nothing_to_take():
    assert largest_fraction(TERMS, AccountView(2, 200.0, 200.0, 120.0, 100.0), 0.0, 0.9) == 0.0


def test_solvent_profit__fee__never_above_the_discount():
    assert solvent_profit(TERMS, 1_000.0, 0.5, 0.995) == pytest.approx(0.0)
    assert solvent_profit(TERMS, 1_000.0, 0.5, 0.90) == pytest.approx(45.0)
