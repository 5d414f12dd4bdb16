"""Sifting a million accounts: whoever may be in trouble is picked, whoever the mirror cannot judge is asked for."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.decide import AccountView, Margins, Sifted, merged, share_of, sift


def margins(*rows, unknown=(), bounded=()):
    """Rows of id, equity, market equity, initial, maintenance, gross."""
    table = np.array(sorted(rows), dtype=float).reshape(-1, 6)
    ids = table[:, 0].astype(np.int64)
    flags = (np.isin(ids, list(some)) for some in (unknown, bounded))
    return Margins(ids, *(table[:, i].copy() for i in range(1, 6)), *flags)


HEALTHY = (2, 200.0, 200.0, 120.0, 100.0, 1_000.0)
CALLED = (3, 110.0, 110.0, 120.0, 100.0, 1_000.0)
SHORT = (4, 90.0, 95.0, 120.0, 100.0, 1_000.0)


def test_sift__healthy__is_no_object():
    assert sift(margins(HEALTHY, CALLED, SHORT)) == Sifted(
        (AccountView(3, 110.0, 110.0, 120.0, 100.0), AccountView(4, 90.0, 95.0, 120.0, 100.0)), ()
    )


def test_sift__no_accounts__finds_nothing():
    assert sift(margins()) == Sifted((), ())
    assert sift(margins(), also={5}) == Sifted((), (5,))


@pytest.mark.parametrize(("gap", "asked"), [(0.9e-3, True), (-0.9e-3, True), (1.1e-3, False), (-1.1e-3, False)])
@pytest.mark.parametrize("limit", [100.0, 120.0])
def test_sift__within_the_accuracy_of_a_limit__is_asked_for(gap, asked, limit):
    found = sift(margins((5, limit + gap, 500.0, 120.0, 100.0, 1_000.0)))
    assert (found.ask == (5,)) == asked


def test_sift__branch_within_the_accuracy__is_asked_for():
    assert sift(margins((5, -3.0, 0.5e-3, 120.0, 100.0, 1_000.0))).ask == (5,)


@pytest.mark.parametrize("place", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_sift__figure_that_is_no_number__is_asked_for(place, value):
    row = list(SHORT)
    row[place] = value
    found = sift(margins(tuple(row), HEALTHY))
    assert found.ask == (4,)
    assert found.views == ()


def test_sift__unknown_or_stale_collateral__is_asked_for_however_well_it_stands():
    found = sift(margins(HEALTHY, CALLED, SHORT, unknown=[3]), doubtful={2})
    assert found.ask == (2, 3)
    assert [view.account_id for view in found.views] == [4]


def test_sift__named__is_taken_along_and_asked_for_where_the_mirror_lacks_it():
    found = sift(margins(HEALTHY), also={2, 9})
    assert ([view.account_id for view in found.views], found.ask) == ([2], (9,))


def test_sift__named_with_bounds_alone__is_asked_for_and_others_with_bounds_are_not():
    found = sift(margins(HEALTHY, (6, *HEALTHY[1:]), bounded=[2, 6]), also={2})
    assert (found.views, found.ask) == ((), (2,))


def test_sift__no_margin_on_chain__is_left_out():
    found = sift(margins(HEALTHY, CALLED, SHORT, unknown=[3]), also={9}, dead={3, 4, 9})
    assert found == Sifted((), ())


def test_ordered__accounts_in_any_order__are_found_by_their_ids():
    sound = margins(HEALTHY, CALLED, SHORT, unknown=[3])
    order = np.array([2, 0, 1])
    columns = ("equity", "market_equity", "initial", "maintenance", "gross", "unknown", "bounded")
    mixed = Margins.ordered(sound.account_ids[order], *(getattr(sound, name)[order] for name in columns))
    assert sift(mixed, also={2}) == sift(sound, also={2})
    kept = Margins.ordered(sound.account_ids, *(getattr(sound, name) for name in columns))
    assert kept.equity is sound.equity


def test_merged__word_of_the_contract__goes_before_the_mirror():
    sifted = sift(margins(CALLED, SHORT))
    answer = AccountView(4, 300.0, 300.0, 120.0, 100.0)
    assert merged(sifted, {4: answer}, {3}) == (AccountView(3, 110.0, 110.0, 120.0, 100.0, True), answer)


@given(st.integers(0, 40), st.integers(1, 15), st.integers(0, 10))
def test_share_of__more_than_a_pass_may_ask__everybody_has_a_turn(count, limit, turn):
    ids = tuple(range(count))
    rounds = [share_of(ids, limit, turn + i) for i in range(math.ceil(count / limit) + 1)]
    assert all(len(part) == len(set(part)) == min(count, limit) for part in rounds)
    assert set().union(*rounds) == set(ids)


rows = st.tuples(*[st.floats(-1e3, 1e3)] * 2, st.floats(0, 1e3), st.floats(0, 1e3), st.floats(0, 1e6))


@given(st.lists(rows, max_size=30), st.sets(st.integers(0, 29)))
def test_sift__any_accounts__equals_the_rule_row_by_row(table, unknown):
    found = sift(margins(*((i, *row) for i, row in enumerate(table)), unknown=unknown))
    views = {view.account_id for view in found.views}
    assert not views & set(found.ask)
    for i, (equity, market, initial, maintenance, gross) in enumerate(table):
        band = 1e-6 * gross
        if i in unknown or min(abs(equity - initial), abs(equity - maintenance)) <= band:
            assert i in found.ask
        elif equity < max(initial, maintenance):
            assert i in (found.ask if abs(market) <= band else views)
        else:
            assert i not in views
