"""Section 3: the nodes of a book, the intervals between them and the skew pairs, at one underlying's range."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from mpmath import mpf
from oracle.margin_exact.parameters import book_document

LOWEST_MOVE = -mpf(95) / 100
STATES = ("up", "flat", "down")


@dataclass(frozen=True)
class Node:
    """A price move in a vol state; ``multiple`` is the move in ranges after clamping."""

    move: Any
    multiple: Any
    vol: str
    weight: Any


@dataclass(frozen=True)
class Interval:
    """Two neighbouring prices and the vol states that have both."""

    low: Any
    high: Any
    states: tuple[str, ...]
    low_weight: Any
    high_weight: Any


@dataclass(frozen=True)
class Book:
    """Nodes in the order of the rows, intervals, and skew places (move, vol) with their size."""

    nodes: tuple[Node, ...]
    intervals: tuple[Interval, ...]
    places: tuple[tuple[Any, str], ...]
    size: Any

    @property
    def layout(self):
        """What two books must share to be added up node by node."""
        return tuple((node.multiple, node.vol) for node in self.nodes)


def clamped(multiple, reach):
    """(move, multiple of the range) of a stored multiple."""
    move = mpf(multiple) * reach
    return (move, mpf(multiple)) if move >= LOWEST_MOVE else (LOWEST_MOVE, LOWEST_MOVE / reach)


def ordered_states(names):
    return tuple(state for state in STATES if state in names)


def tail_weight(move, reach):
    """A linear position needs the same at every node."""
    return reach / abs(move)


def price_ladder(document, reach):
    """(move, multiple, weight, is tail) from the lowest price to the highest, duplicates dropped."""
    grid = {move: multiple for move, multiple in (clamped(m, reach) for m in document["grid"]["moves"])}
    tails = {}
    for m in document["tails"]["moves"]:
        for sign in (-1, 1):
            move, multiple = clamped(sign * mpf(m), reach)
            if move not in grid:
                tails[move] = multiple
    ladder = [(move, multiple, mpf(1), False) for move, multiple in grid.items()]
    ladder += [(move, multiple, tail_weight(move, reach), True) for move, multiple in tails.items()]
    return sorted(ladder)


def intervals_of(ladder, grid_states, tail_states):
    """Neighbouring prices; where a tail takes part, the states are those that both ends have."""
    found = []
    for (low, _, low_weight, low_tail), (high, _, high_weight, high_tail) in pairwise(ladder):
        ends = [tail_states if tail else grid_states for tail in (low_tail, high_tail)]
        states = tuple(state for state in STATES if state in ends[0] and state in ends[1])
        found.append(Interval(low, high, states, low_weight, high_weight))
    return tuple(found)


def book_of(params, reach):
    """The book of a parameter document for a price range."""
    document = book_document(params)
    grid_states, tail_states = (ordered_states(document[part]["vols"]) for part in ("grid", "tails"))
    ladder = price_ladder(document, reach)
    nodes = [Node(x, m, vol, w) for x, m, w, tail in ladder if not tail for vol in grid_states]
    nodes += [Node(x, m, vol, w) for x, m, w, tail in ladder if tail for vol in tail_states]
    places = tuple((clamped(place["move"], reach)[0], place["vol"]) for place in document["skew"]["at"])
    size = mpf(document["skew"]["size"])
    return Book(tuple(nodes), intervals_of(ladder, grid_states, tail_states), places, size)
