"""One account in many markets against the plain mirror, market by market."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.documents import DAY, TS
from helpers.fleets import folios_of, market_of, size_of

from plimsoll.analytics.stress.moved import AT_ONCE, Move, held_of, margins_after
from plimsoll.analytics.stress.shock import Shock, shocked_market
from plimsoll.errors import DomainError
from plimsoll.mirror.margin_engine import evaluate
from plimsoll.mirror.market_sheaf import market_sheaf, sheaf_margins
from plimsoll.params import BookSpec, Params

BOUND = 1e-12
NAMES = ("equity", "market_equity", "initial_margin", "maintenance_margin")
#: Inside a window, across the end of it, fading, later: whatever expires meanwhile stays in the book.
ELAPSED = (0, 600, 900, 6 * 3_600, 6 * DAY)
BOOKS = {
    "default": Params(),
    "no skew": Params(book=BookSpec((-1.0, 0.0, 1.0), tail_moves=(2.0,), skew_at=())),
    "two layouts": Params(books={"ETH": BookSpec(tail_moves=(), tail_vols=())}),
}


def moves_of(seed, count, market):
    draw = np.random.default_rng(seed)
    return [
        Move({name: Shock(float(draw.uniform(-0.7, 1.5)), float(draw.uniform(-0.6, 2.0))) for name in market.rounds})
        for _ in range(count)
    ]


def assert_agrees(found, places, moved, folio, params):
    for place, market in zip(places, moved, strict=True):
        plain = evaluate(market, folio, params)
        ours = np.array([getattr(found, name)[place] for name in NAMES])
        theirs = np.array([getattr(plain, name) for name in NAMES])
        size = size_of(market, folio, plain)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=BOUND * (size + 1e-9))
        gaps = (plain.equity - plain.maintenance_margin, plain.equity - plain.initial_margin, plain.market_equity)
        if min(map(abs, gaps)) > BOUND * size:
            assert found.state(place) == plain.state


@pytest.mark.parametrize("book", BOOKS)
def test_margins__all_modes_sizes_and_times__agree_with_the_plain_mirror(book):
    params, base = BOOKS[book], market_of(usdc=0.98)
    moves = moves_of(1, 3, base)
    for number, folio in enumerate(folios_of(5, count=20)):
        elapsed = ELAPSED[number % len(ELAPSED)]
        moved = [shocked_market(base, move.shocks, elapsed) for move in moves]
        assert_agrees(sheaf_margins(market_sheaf(moved), folio, params), range(3), moved, folio, params)


def test_margins_after__more_moves_than_fit_at_once_and_of_several_times__keep_their_order():
    base, params = market_of(), Params()
    folio = folios_of(3, count=1)[-1]
    moves = [replace(move, elapsed_sec=DAY * (i % 3)) for i, move in enumerate(moves_of(2, 2 * AT_ONCE, base))]
    found = margins_after(base, folio, params, moves)
    assert len(found) == 2 * AT_ONCE
    some = range(0, len(moves), 17)
    # What expires meanwhile is paid at its own forward, not at that of a later series which nobody here holds.
    held = held_of(base, folio)
    assert_agrees(
        found, some, [shocked_market(held, moves[i].shocks, moves[i].elapsed_sec) for i in some], folio, params
    )


def test_markets_that_are_not_alike_are_not_put_side_by_side():
    base = market_of()
    with pytest.raises(DomainError, match="same tokens"):
        market_sheaf([base, market_of(usdc=0.9)])
    with pytest.raises(DomainError, match="of one time"):
        market_sheaf([base, shocked_market(base, {}, 60)])
    dropped = replace(base, rounds=base.rounds | {"ETH": replace(base.rounds["ETH"], surfaces=())})
    with pytest.raises(DomainError, match="list the same expiries"):
        market_sheaf([base, dropped])


def test_an_expiry_that_no_round_lists_is_named():
    base = market_of()
    folio = next(f for f in folios_of(3) if any(p.underlying == "ETH" and p.kind.is_option for p in f.positions))
    bare = replace(base, rounds=base.rounds | {"ETH": replace(base.rounds["ETH"], surfaces=())})
    with pytest.raises(DomainError, match=f"ETH: expiry {TS // 10_000}.* is not in the round"):
        sheaf_margins(market_sheaf([bare]), folio, Params())
