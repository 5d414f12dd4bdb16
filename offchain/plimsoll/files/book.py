"""Reader of the ``book`` of a parameter file: scenario rows as multiples of the price range."""

from __future__ import annotations

from typing import Final

from plimsoll.errors import DomainError
from plimsoll.files.reader import Node
from plimsoll.params import MAX_NODES, VOL_NAMES, BookSpec, VolName

_DEFAULT: Final = BookSpec()
#: Moves are bounded by the price they lead to; see ``plimsoll.mirror.scenario_book``.
_FAR: Final = 1e6


def _moves(node: Node) -> tuple[float, ...]:
    return tuple(item.number(-_FAR, _FAR) for item in node.items(MAX_NODES))


def _vol(node: Node) -> VolName:
    text = node.text(VOL_NAMES)
    return next(name for name in VOL_NAMES if name == text)


def _vols(node: Node) -> tuple[VolName, ...]:
    """Vol states in any order, each once."""
    found: list[VolName] = []
    for item in node.items(len(VOL_NAMES)):
        vol = _vol(item)
        if vol in found:
            item.fail(f"{vol!r} appears twice")
        found.append(vol)
    return tuple(sorted(found, key=VOL_NAMES.index))


def _ladder(node: Node) -> tuple[tuple[float, ...], tuple[VolName, ...]]:
    node.object({"moves", "vols"})
    return _moves(node.key("moves")), _vols(node.key("vols"))


def _skew(node: Node) -> tuple[float, tuple[tuple[float, VolName], ...]]:
    node.object({"size", "at"})
    places = [item.object({"move", "vol"}) for item in node.key("at").items(MAX_NODES)]
    at = tuple((place.key("move").number(-_FAR, _FAR), _vol(place.key("vol"))) for place in places)
    return node.key("size").number(), at


def read_book(node: Node) -> BookSpec:
    """Read a book, or the name of the default one; a part that is left out is the default's.

    Parameters
    ----------
    node : Node
        Value of the key ``book``.

    Returns
    -------
    BookSpec

    Raises
    ------
    InputError
        Naming the file, the key, what is wrong and the limit.
    """
    if isinstance(node.value, str):
        node.text(("default",))
        return _DEFAULT
    node.object(set(), {"grid", "tails", "skew"})
    grid = _ladder(node.key("grid")) if node.has("grid") else (_DEFAULT.grid_moves, _DEFAULT.grid_vols)
    tails = _ladder(node.key("tails")) if node.has("tails") else (_DEFAULT.tail_moves, _DEFAULT.tail_vols)
    size, at = _skew(node.key("skew")) if node.has("skew") else (_DEFAULT.skew_size, _DEFAULT.skew_at)
    try:
        return BookSpec(*grid, *tails, size, at)
    except DomainError as error:
        # The book names the key itself.
        child = error.source.removeprefix("book").removeprefix(".")
        node.fail(f"{child}: {error.message}" if child else error.message)
