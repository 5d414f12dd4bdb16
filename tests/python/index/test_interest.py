"""Interest in exact integers against fractions."""

from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from plimsoll.constants import WAD, YEAR_SEC
from plimsoll.index.interest import MAX_INDEX_WAD, ONE_BPS, ONE_E6, Curve, Lending, accrual, after_index, climbed, rate

AN_AMOUNT = st.integers(1, 10**30)
A_CURVE = st.builds(
    lambda rates, kink, reserve: Curve(rates[0], kink, rates[1], rates[2], reserve),
    st.lists(st.integers(0, 4 * ONE_E6), min_size=3, max_size=3).map(sorted),
    st.integers(1, ONE_E6 - 1),
    st.integers(0, 5_000),
)
A_LENDING = st.builds(
    Lending,
    st.integers(10**12, 10**20),
    st.integers(WAD, 10**20),
    AN_AMOUNT,
    AN_AMOUNT,
    st.integers(1, 4 * ONE_E6),
    st.just(0),
    st.integers(0, 5_000),
)
A_TIME = st.integers(0, YEAR_SEC)


@given(AN_AMOUNT, AN_AMOUNT, A_CURVE)
def test_rate__utilisation__lies_on_the_curve(debt, positive, curve):
    used = min(Fraction(debt, positive), 1)
    kink = Fraction(curve.kink_e6, ONE_E6)
    low, middle, high = curve.base_rate_e6, curve.kink_rate_e6, curve.full_rate_e6
    if used <= kink:
        exact = low + (middle - low) * used / kink
    else:
        exact = middle + (high - middle) * (used - kink) / (1 - kink)
    # The utilisation is rounded up by at most 1e-6, the rate by at most one step.
    slope = max((middle - low) / kink, (high - middle) / (1 - kink)) / ONE_E6
    assert 0 <= rate(debt, positive, curve) - exact <= slope + 1
    assert low <= rate(debt, positive, curve) <= high


@given(A_CURVE, AN_AMOUNT, AN_AMOUNT, AN_AMOUNT)
def test_rate__more_debt__never_falls(curve, debt, more, positive):
    assert rate(debt, positive, curve) <= rate(debt + more, positive, curve)
    assert rate(0, positive, curve) == 0


@given(A_CURVE, st.integers(1, ONE_E6), st.integers(0, 4 * ONE_E6), AN_AMOUNT, AN_AMOUNT, st.integers(0, 10**7))
def test_climbed__on_the_way_to_the_curve__never_passes_it(curve, cap, from_e6, debt, positive, elapsed):
    """At once up to the rate at the cap, above it five points a day, down at once."""
    curve = replace(curve, max_utilisation_e6=cap)
    wanted, free = rate(debt, positive, curve), rate(cap, ONE_E6, curve)
    now = climbed(from_e6, wanted, curve, elapsed)
    assert now <= wanted
    if wanted <= max(from_e6, free):
        assert now == wanted
    else:
        assert now == min(wanted, max(from_e6, free) + 50_000 * elapsed // 86_400)


@given(A_LENDING, A_TIME)
def test_accrual__time__pays_out_what_it_takes_in(lending, elapsed):
    moved = accrual(lending, elapsed)
    exact = Fraction(lending.debt_wad * lending.rate_e6 * elapsed, ONE_E6 * YEAR_SEC)
    if moved.interest_wad == 0:
        assert (moved.cash_index_wad, moved.debt_index_wad) == (lending.cash_index_wad, lending.debt_index_wad)
        top = lending.debt_index_wad * (1 + Fraction(lending.rate_e6 * elapsed, ONE_E6 * YEAR_SEC))
        share = 1 + Fraction(int(exact), lending.positive_wad)
        assert exact < 1 or max(top, lending.cash_index_wad * share) > MAX_INDEX_WAD - 1
        return
    assert 0 <= exact - moved.interest_wad < 1
    assert 0 <= moved.reserve_wad - Fraction(moved.interest_wad * lending.reserve_bps, ONE_BPS) < 1
    debt = -after_index(-lending.debt_wad, lending.debt_index_wad, moved) - lending.debt_wad
    cash = after_index(lending.positive_wad, lending.cash_index_wad, moved) - lending.positive_wad
    assert debt >= moved.interest_wad >= cash + moved.reserve_wad
    assert debt - exact <= lending.debt_wad / WAD + 1


@given(st.integers(-(10**30), 10**30), A_LENDING, A_TIME)
def test_after_index__cash__is_rounded_down(cash, lending, elapsed):
    moved = accrual(lending, elapsed)
    old, new = (
        (lending.cash_index_wad, moved.cash_index_wad) if cash > 0 else (lending.debt_index_wad, moved.debt_index_wad)
    )
    assert 0 <= Fraction(cash * new, old) - after_index(cash, old, moved) < 1
