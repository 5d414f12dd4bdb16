"""ScenarioBook.setBook: rows as data, stored as given, and every way in which they can be none."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from brownie import accounts, chain, project

from plimsoll.chain.book import spec_of
from plimsoll.errors import DomainError
from tests.chain.helpers.books import DEFAULT_COUNT, DOWN, FIELDS, FLAT, PLAIN, UP, rows
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import WAD
from tests.chain.helpers.stack import PRICE_RANGE, UNDERLYING, deploy_stack

MOST_NODES = 48
HALF = WAD // 2


@pytest.fixture(scope="module")
def stack():
    return deploy_stack(project.get_loaded_projects()[0], accounts[0], chain)


def set_book(stack, book, params=UNDERLYING):
    return stack.book.setBook(1, params, book, {"from": stack.admin})


def plain(value):
    """Nested tuples and lists of plain integers, as lists."""
    return [plain(entry) for entry in value] if isinstance(value, list | tuple) else int(value)


def grid(count, step=WAD // 40):
    """A grid of ``count`` moves around the unmoved price."""
    return [n * step for n in range(-(count // 2), count - count // 2)]


FINE = {
    "default": rows(),
    "plain grid": PLAIN,
    "one side": rows(gridMovesWad=[0, HALF, WAD], skewAt=[(WAD, UP)]),
    "tails of one state": rows(tailVols=[DOWN]),
    "tails below the lowest price": rows(tailMovesWad=[4 * WAD, 5 * WAD, 6 * WAD], tailVols=[UP, FLAT]),
    "no tails": rows(tailMovesWad=[], tailVols=[]),
    "no skew": rows(skewWad=0, skewAt=[]),
    "skew at any node of the grid": rows(skewAt=[(-WAD, UP), (WAD, FLAT)]),
    "as many nodes as fit": rows(gridMovesWad=grid(10), skewAt=[(0, UP), (0, FLAT), (0, DOWN)]),
}


@pytest.mark.parametrize("name", sorted(FINE))
def test_set_book__rows__are_stored_and_read_back_as_given(stack, name):
    tx = set_book(stack, FINE[name])
    event = tx.events["BookSet"]
    assert event["underlyingId"] == 1
    assert event["version"] == stack.book.version()
    assert plain(event["rows"]) == plain(FINE[name])
    stored = stack.book.bookOf(1)
    assert plain(stored["rows"]) == plain(FINE[name])
    assert plain(stored["params"]) == list(UNDERLYING)


@pytest.mark.parametrize("name", sorted(FINE))
def test_set_book__rows__price_what_is_held(stack, name):
    """A perpetual needs its range whatever the book, once that reaches it: every tail weighs as much."""
    set_book(stack, FINE[name])
    perp = 1 << 248 | 3 << 240 | 1_900 * 10**8 << 128 | WAD
    risk = stack.risk.riskOf(1, [perp], 0)
    reach = max(-min(FINE[name][0]), WAD if FINE[name][2] else 0)
    assert int(risk["scanWad"]) == pytest.approx(reach * PRICE_RANGE // WAD * 1_900, rel=1e-8)


def test_set_book__default_rows__count(stack):
    detail = stack.risk.detailOf(1, [1 << 248 | 3 << 240 | WAD], 0, 0, [])[1]
    assert len(detail["rowPnlWad"]) == DEFAULT_COUNT


BAD = {
    "no unmoved price": (rows(gridMovesWad=[-WAD, WAD]), "ScenarioBook__NoUnmovedPrice", ()),
    "no price": (rows(gridMovesWad=[]), "ScenarioBook__NoUnmovedPrice", (0, 3)),
    "one price": (rows(gridMovesWad=[0]), "ScenarioBook__NoUnmovedPrice", (1, 3)),
    "moves equal in price": (rows(gridMovesWad=[0, 1], skewAt=[]), "ScenarioBook__NotIncreasing", ()),
    "skew twice": (rows(skewAt=[(0, UP), (WAD, UP), (0, UP)]), "ScenarioBook__DuplicateSkew", (2, 0)),
    "no vol state": (rows(gridVols=[], tailMovesWad=[], tailVols=[]), "ScenarioBook__NoUnmovedPrice", ()),
    "moves twice": (rows(gridMovesWad=[-WAD, 0, 0, WAD]), "ScenarioBook__NotIncreasing", ()),
    "moves falling": (rows(gridMovesWad=[WAD, 0, -WAD]), "ScenarioBook__NotIncreasing", ()),
    "states twice": (rows(gridVols=[UP, UP, DOWN]), "ScenarioBook__NotIncreasing", ()),
    "states falling": (rows(gridVols=[DOWN, UP]), "ScenarioBook__NotIncreasing", ()),
    "unknown state": (rows(gridVols=[UP, 3]), "ScenarioBook__VolState", (3, 2)),
    "unknown state of a tail": (rows(tailVols=[3]), "ScenarioBook__VolState", (3, 2)),
    "skew between prices": (rows(skewAt=[(WAD + HALF, UP)]), "ScenarioBook__SkewOutsideGrid", (WAD + HALF, UP)),
    "unknown state of a skew": (rows(skewAt=[(0, 3)]), "ScenarioBook__VolState", (3, 2)),
    "a move of many ranges": (rows(tailMovesWad=[101 * WAD]), "ScenarioBook__MoveOutOfRange", (101 * WAD, 100 * WAD)),
    "tails twice": (rows(tailMovesWad=[2 * WAD, 2 * WAD]), "ScenarioBook__NotIncreasing", ()),
    "tail states twice": (rows(tailVols=[UP, UP]), "ScenarioBook__NotIncreasing", ()),
    "tail at the edge": (rows(tailMovesWad=[WAD]), "ScenarioBook__TailInsideGrid", (WAD, WAD)),
    "tail inside": (rows(tailMovesWad=[-2 * WAD]), "ScenarioBook__TailInsideGrid", (-2 * WAD, WAD)),
    "tail of no grid": (rows(gridVols=[UP], tailVols=[UP, FLAT]), "ScenarioBook__TailWithoutGrid", ()),
    "tails without states": (rows(tailVols=[]), "ScenarioBook__BadLength", ()),
    "states without tails": (rows(tailMovesWad=[]), "ScenarioBook__BadLength", ()),
    "one node too many": (
        rows(gridMovesWad=grid(11), tailMovesWad=[], tailVols=[], skewAt=8 * [(0, UP)]),
        "ScenarioBook__NodeCount",
        (MOST_NODES + 1, MOST_NODES),
    ),
    "skew too large": (rows(skewWad=WAD), "ScenarioBook__ParameterOutOfRange", ()),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_set_book__bad_rows__revert(stack, name):
    book, error, arguments = BAD[name]
    with reverts_with(error, *arguments):
        set_book(stack, book)


#: Files name vol states, and hold moves as doubles: these have no counterpart in a file.
ON_CHAIN_ONLY = {"moves equal in price", "unknown state", "unknown state of a tail", "unknown state of a skew"}


@pytest.mark.parametrize("name", sorted(set(BAD) - ON_CHAIN_ONLY))
def test_book_spec__rows_that_the_chain_refuses__are_refused_by_the_mirror(name):
    """A book is one on both sides or on neither: the mirror may not price rows that no contract can hold."""
    book = SimpleNamespace(**dict(zip(FIELDS, BAD[name][0], strict=True)))
    book.skewAt = [SimpleNamespace(moveWad=move, vol=vol) for move, vol in book.skewAt]
    with pytest.raises(DomainError, match="book"):
        spec_of(book)


@pytest.mark.parametrize(("move", "limit"), [(95, -WAD), (901, 9 * WAD)])
def test_set_book__grid_beyond_the_lowest_or_highest_price__reverts_MoveOutOfRange(stack, move, limit):
    """With a range of a half a grid move of -2 is a price of nothing."""
    params = (WAD // 2, *UNDERLYING[1:])
    sign = -1 if limit < 0 else 1
    far = sign * (move + 1) * WAD // 50
    moves = [far, 0] if sign < 0 else [0, far]
    with reverts_with("ScenarioBook__MoveOutOfRange"):
        set_book(stack, rows(gridMovesWad=moves, tailMovesWad=[], tailVols=[], skewAt=[]), params)


def test_set_book__unlisted__reverts_UnknownUnderlying(stack):
    with reverts_with("ScenarioBook__UnknownUnderlying", 2, 1):
        stack.book.setBook(2, UNDERLYING, rows(), {"from": stack.admin})


def test_set_book__by_a_stranger__reverts(stack):
    with reverts_with("AccessManagedUnauthorized"):
        stack.book.setBook(1, UNDERLYING, rows(), {"from": accounts[3]})


def test_fields__of_the_helper__are_those_of_the_struct(stack):
    stored = stack.book.bookOf(1)["rows"].dict()
    assert tuple(stored) == FIELDS
