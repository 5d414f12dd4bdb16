"""Scenario books at the border: the rows of a parameter file as ``IScenarioBook.Rows``, and back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from plimsoll.params import VOL_NAMES, BookSpec
from plimsoll.units import float_to_wad, wad_to_float


def rows_of(book: BookSpec) -> dict[str, Any]:
    """Turn a book into the struct that the scenario book stores.

    Parameters
    ----------
    book : BookSpec
        Moves as multiples of the price range.

    Returns
    -------
    dict[str, Any]
        Fields of ``IScenarioBook.Rows``, wad.
    """
    return {
        "gridMovesWad": [float_to_wad(move) for move in book.grid_moves],
        "gridVols": [VOL_NAMES.index(vol) for vol in book.grid_vols],
        "tailMovesWad": [float_to_wad(move) for move in book.tail_moves],
        "tailVols": [VOL_NAMES.index(vol) for vol in book.tail_vols],
        "skewWad": float_to_wad(book.skew_size),
        "skewAt": [{"moveWad": float_to_wad(move), "vol": VOL_NAMES.index(vol)} for move, vol in book.skew_at],
    }


def spec_of(rows: SimpleNamespace) -> BookSpec:
    """Turn stored rows into a book.

    Parameters
    ----------
    rows : SimpleNamespace
        ``IScenarioBook.Rows`` as it is read.

    Returns
    -------
    BookSpec
        The one that ``rows_of`` turns into the same rows.
    """
    return BookSpec(
        grid_moves=tuple(map(wad_to_float, rows.gridMovesWad)),
        grid_vols=tuple(VOL_NAMES[vol] for vol in rows.gridVols),
        tail_moves=tuple(map(wad_to_float, rows.tailMovesWad)),
        tail_vols=tuple(VOL_NAMES[vol] for vol in rows.tailVols),
        skew_size=wad_to_float(rows.skewWad),
        skew_at=tuple((wad_to_float(place.moveWad), VOL_NAMES[place.vol]) for place in rows.skewAt),
    )


def plain_rows(rows: SimpleNamespace) -> dict[str, Any]:
    """Return stored rows as ``rows_of`` makes them, to be compared or sent.

    Parameters
    ----------
    rows : SimpleNamespace
        ``IScenarioBook.Rows`` as it is read.

    Returns
    -------
    dict[str, Any]
        Plain lists and integers.
    """
    plain = {name: list(value) if isinstance(value, list | tuple) else value for name, value in vars(rows).items()}
    return plain | {"skewAt": [dict(vars(place)) for place in rows.skewAt]}
