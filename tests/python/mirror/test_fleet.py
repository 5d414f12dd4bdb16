"""A fleet against the plain mirror, account by account, and against itself after changes."""

from dataclasses import fields, replace

import numpy as np
import pytest
from helpers.documents import DAY, TS, cases, load
from helpers.fleets import (
    MONEY,
    assert_same,
    columns_of,
    folio_of,
    folios_of,
    market_of,
    names_of,
    plain_numbers,
    size_of,
)
from hypothesis import given, settings

from plimsoll.constants import AGREEMENT_BOUND
from plimsoll.errors import InputError
from plimsoll.mirror.fleet import WORDS, Fleet, State, book_kernels, margin_kernel, warm_up
from plimsoll.mirror.margin_engine import evaluate
from plimsoll.model import Kind, Mode, Portfolio, Position
from plimsoll.params import BookSpec, Params

BOUND = 1e-12
BOOK_KERNELS = ("mark", "_locate", "count_positions", "fill_positions", "count_amounts", "fill_amounts", "masks")


def assert_agrees(found, market, folios, params):
    for i, folio in enumerate(folios):
        plain = evaluate(market, folio, params)
        values = np.array([getattr(found, name)[i] for name in MONEY])
        size = size_of(market, folio, plain)
        np.testing.assert_allclose(values, plain_numbers(plain), rtol=0, atol=BOUND * (size + 1e-9), err_msg=f"{i}")
        gaps = (plain.equity - plain.maintenance_margin, plain.equity - plain.initial_margin, plain.market_equity)
        if min(map(abs, gaps)) > BOUND * size:
            assert WORDS[found.state[i]] == plain.state, i
        assert found.reason[i] == 0


def fleet_of(market, folios, **options):
    return Fleet.from_columns(columns_of(market, folios), names_of(market), **options)


BOOKS = {
    "default": Params(),
    "7x3": Params(book=BookSpec((-1.0, -2 / 3, -1 / 3, 0.0, 1 / 3, 2 / 3, 1.0), tail_moves=(2.0, 3.0), skew_at=())),
    "one vol": Params(
        book=BookSpec(grid_vols=("flat",), tail_moves=(2.0,), tail_vols=("flat",), skew_at=((0.0, "flat"),))
    ),
    "tails up": Params(book=BookSpec(tail_moves=(2.0, 3.0), tail_vols=("up",))),
    "mixed": Params(books={"ETH": BookSpec(tail_moves=(), tail_vols=()), "SOL": BookSpec((-1.0, 0.0), skew_at=())}),
}  # fmt: skip


@pytest.mark.parametrize("book", BOOKS)
def test_evaluate__all_modes_sizes_and_times__agrees_with_the_plain_mirror(book):
    market, folios = market_of(usdc=0.97), folios_of(len(book))
    assert_agrees(fleet_of(market, folios).evaluate(market, BOOKS[book]), market, folios, BOOKS[book])


@settings(max_examples=150)
@given(cases(max_positions=8))
def test_evaluate__any_documents__agrees_with_the_plain_mirror(case):
    market, folio, params = load(*case)
    assert_agrees(fleet_of(market, [folio]).evaluate(market, params), market, [folio], params)


def test_evaluate__size_in_standard__is_charged_once_for_each_underlying():
    """The bound that says size cannot count must not say so here."""
    folio = Portfolio(Mode.STANDARD, 0.0, {}, (Position("ETH", Kind.PERP, 0, 1_900.0, 40_000.0),))
    market = market_of()
    plain = evaluate(market, folio, Params())
    assert plain.underlyings["ETH"].concentration > 0.0
    assert_agrees(fleet_of(market, [folio]).evaluate(market, Params()), market, [folio], Params())


def test_evaluate__no_account__is_empty():
    market = market_of()
    assert len(fleet_of(market, []).evaluate(market, Params())) == 0


@pytest.mark.parametrize("threads", [1, 2])
def test_evaluate__any_threads_and_company__same_to_the_last_bit(threads):
    market, folios = market_of(), folios_of(5) * 40
    together = fleet_of(market, folios, threads=threads).evaluate(market, Params())
    few = folios[:70]
    assert_same(together.of(np.arange(70)), fleet_of(market, folios[:70] + folios[:10]).evaluate(market, Params()).of(
        np.arange(len(few))))  # fmt: skip


def test_update__after_trades__equals_a_fleet_made_anew():
    market, before, draw = market_of(), folios_of(1), np.random.default_rng(2)
    fleet = fleet_of(market, before)
    fleet.evaluate(market, Params())
    after = list(before)
    for _ in range(6):
        changed = sorted(draw.choice(len(after), 9, replace=False).tolist())
        for i in changed:
            after[i] = folio_of(draw, int(draw.integers(0, 60)))
        fleet.update(columns_of(market, [after[i] for i in changed], account_ids=[i + 2 for i in changed]))
        found = fleet.refresh(market, Params())
        assert found.account_ids.tolist() == [i + 2 for i in changed]
    assert_agrees(fleet.evaluate(market, Params()), market, after, Params())


def test_update__new_account_with_a_new_strike__others_stay_as_they_are():
    market, folios = market_of(), folios_of(3)
    fleet = fleet_of(market, folios)
    before = fleet.evaluate(market, Params())
    new = Portfolio(Mode.SINGLE, 1e4, {}, (Position("ETH", Kind.PUT, TS + 5 * DAY, 1_234.5, -3.0),))
    fleet.update(columns_of(market, [new], account_ids=[1_000]))
    assert fleet.refresh(market, Params()).account_ids.tolist() == [1_000]
    after = fleet.evaluate(market, Params())
    assert_same(after.of(np.arange(len(before))), before)
    assert_agrees(after, market, [*folios, new], Params())


def test_reprice__one_underlying__its_holders_alone_are_computed_and_all_agree():
    market, folios = market_of(), folios_of(4)
    fleet = fleet_of(market, folios)
    fleet.evaluate(market, Params())
    later = replace(market, rounds={**market.rounds, "BTC": market_of(1.05).rounds["BTC"]})
    found = fleet.reprice(later.rounds["BTC"])
    holders = [i + 2 for i, folio in enumerate(folios) if any(p.underlying == "BTC" for p in folio.positions)]
    assert found.account_ids.tolist() == holders == fleet.holders("BTC").tolist()
    assert 0 < len(holders) < len(folios)
    assert_agrees(fleet.evaluate(later, Params()), later, folios, Params())


def test_reprice__underlying_of_a_token__its_pledgers_are_computed_too():
    market = market_of()
    folio = Portfolio(Mode.SINGLE, -1_000.0, {"WETH": 1.0})
    fleet = fleet_of(market, [folio])
    fleet.evaluate(market, Params())
    later = replace(market, rounds={**market.rounds, "ETH": market_of(0.5).rounds["ETH"]})
    assert len(fleet.reprice(later.rounds["ETH"])) == 1
    assert_agrees(fleet.evaluate(later, Params()), later, [folio], Params())


def test_refresh__nothing_changed__computes_nothing_and_peg_everybody():
    market, folios = market_of(), folios_of(6)
    fleet = fleet_of(market, folios)
    assert len(fleet.refresh(market, Params())) == len(folios)
    assert len(fleet.refresh(market_of(), Params())) == 0
    assert len(fleet.refresh(market_of(usdc=0.9), Params())) == len(folios)
    assert_agrees(fleet.evaluate(market_of(usdc=0.9), Params()), market_of(usdc=0.9), folios, Params())


def test_reprice__before_any_market__one_error():
    with pytest.raises(InputError, match="has not been evaluated"):
        fleet_of(market_of(), []).reprice(market_of().rounds["ETH"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"account_ids": np.array([2, 2], dtype=np.int64)}, "account 2 twice"),
        ({"position_account": np.array([9], dtype=np.int64)}, "position_account: names account 9"),
        ({"price": np.zeros(2)}, "price: has 2 rows, position_account of the same table has 1"),
        ({"cash": np.zeros(2, dtype=np.float32)}, "cash: is float32"),
    ],
)
def test_update__columns_that_do_not_belong_together__one_error_and_no_change(change, message):
    market = market_of()
    folios = [Portfolio(Mode.SINGLE, 1.0, {}, (Position("ETH", Kind.PERP, 0, 1.0, 1.0),)), Portfolio(Mode.CROSS, 2.0)]
    fleet = fleet_of(market, folios)
    before = fleet.evaluate(market, Params())
    good = columns_of(market, folios)
    with pytest.raises(InputError, match=message):
        fleet.update(replace(good, **change))
    assert_same(fleet.evaluate(market, Params()), before)


def test_state__of_each_kind__as_numbers_say():
    market = market_of()
    short = Position("ETH", Kind.PERP, 0, 1_901.9, -10.0)
    cash = (20_000.0, 5_200.0, 3_000.0, -30_000.0)
    folios = [Portfolio(Mode.SINGLE, amount, {}, (short,)) for amount in cash]
    params = Params()
    found = fleet_of(market, folios).evaluate(market, replace(params, account=replace(params.account, conf_rate=0.0)))
    states = (State.HEALTHY, State.MARGIN_CALL, State.LIQUIDATABLE, State.INSOLVENT)
    assert tuple(found.state) == states, (found.initial, found.maintenance)


def test_warm_up__then_a_fleet_with_updates_and_read_only_columns__nothing_more_is_compiled():
    warm_up()
    kernels_seen = [margin_kernel.margins_of, *(getattr(book_kernels, name) for name in BOOK_KERNELS)]
    before = [len(kernel.signatures) for kernel in kernels_seen]
    market, folios = market_of(), folios_of(7)
    columns = columns_of(market, folios)
    for item in fields(columns):
        getattr(columns, item.name).flags.writeable = False
    fleet = Fleet.from_columns(columns, names_of(market))
    fleet.evaluate(market, Params())
    fleet.update(columns)
    fleet.refresh(market, Params())
    assert [len(kernel.signatures) for kernel in kernels_seen] == before


#: Cash that leaves an account far above, near and below what it needs.
CASH = (-1e4, 0.0, 2e3, 1e4, 1e5, 1e7)


def watched_folios(seed):
    draw = np.random.default_rng(seed)
    return [
        replace(folio, cash=float(draw.choice(CASH)) * scale, mode=Mode(int(draw.integers(3))))
        for scale in (1.0, 1e4)
        for folio in folios_of(seed, 120)
    ]


@pytest.mark.parametrize("book", BOOKS)
@pytest.mark.parametrize("usdc", [1.0, 0.9])
def test_watch__any_accounts__who_is_bounded_is_healthy_and_needs_no_more_than_the_bound(book, usdc):
    market, folios = market_of(usdc=usdc), watched_folios(len(book))
    exact = fleet_of(market, folios).evaluate(market, BOOKS[book])
    found = fleet_of(market, folios).watch(market, BOOKS[book], (), everybody=True)
    bounded = found.bounded
    assert 0.2 < bounded.mean() < 0.9
    assert_same(replace(found.of(~bounded)), exact.of(~bounded))
    for name in ("account_ids", "equity", "market_equity", "gross", "state", "reason"):
        np.testing.assert_array_equal(getattr(found, name), getattr(exact, name), err_msg=name)
    assert (exact.state[bounded] == State.HEALTHY).all()
    for name in ("initial", "maintenance"):
        rounding = BOUND * exact.gross[bounded]
        assert (getattr(exact, name)[bounded] <= getattr(found, name)[bounded] + rounding).all(), name
    # Below every bound by more than both sides of the protocol may differ.
    assert (found.equity - found.initial > AGREEMENT_BOUND * found.gross)[bounded].all()


def test_watch__accounts_asked_for_by_name__are_exact_and_become_so_without_any_change():
    market, folios = market_of(), watched_folios(3)
    exact = fleet_of(market, folios).evaluate(market, Params())
    fleet = fleet_of(market, folios)
    first = fleet.watch(market, Params(), (), everybody=True)
    wanted = first.account_ids[first.bounded][:5].tolist()
    second = fleet.watch(market, Params(), [*wanted, 10**9])
    assert second.account_ids.tolist() == sorted(wanted)
    rows = np.searchsorted(exact.account_ids, second.account_ids)
    assert_same(second, exact.of(rows))
    assert_same(fleet.evaluate(market, Params()), exact)


def test_watch__a_rate_that_the_bound_is_not_proven_for__bounds_nobody():
    market, folios = market_of(), watched_folios(4)
    params = Params(overrides_all={"vega_term_rate": 1.5})
    found = fleet_of(market, folios).watch(market, params, (), everybody=True)
    assert not found.bounded.any()
    assert_same(found, fleet_of(market, folios).evaluate(market, params))
