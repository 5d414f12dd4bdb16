"""A venue as the import knows it: how its answers are unpacked, what its names mean, what to ask it live."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from plimsoll.dialects.times import read_times
from plimsoll.errors import InputError
from plimsoll.intake.positions import Parse
from plimsoll.intake.records import Record
from plimsoll.intake.statement import Statement


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What is in the envelope of one answer.

    Attributes
    ----------
    lists : tuple of list of mapping
        Each of one form; an answer may hold positions and balances.
    ts : int or None
        Time of the answer, unix seconds.
    rule : str
        How that was read, to be said; empty without one.
    """

    lists: tuple[list[dict[str, Any]], ...]
    ts: int | None = None
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One read of a venue's interface.

    Attributes
    ----------
    path : str
    params : mapping of str to str
        Query, or for a venue that is asked by POST the body.
    is_private : bool
        Whether it is signed with the key.
    adds : mapping of str to object
        What the answer does not repeat of the question, added to each record.
    """

    path: str
    params: Mapping[str, str]
    is_private: bool
    adds: Mapping[str, object]


#: Signs one question: returns the request that is sent.
Sign = Callable[[httpx.Client, str, Question], httpx.Request]


@dataclass(frozen=True, slots=True)
class Venue:
    """One venue.

    Attributes
    ----------
    name : str
    parse : callable
        Reads a name of a contract.
    unpack : callable
        Takes the records out of an answer; gets what was parsed and the name of the file.
    is_percent : bool
        Whether volatilities are in per cent.
    counts_contracts : bool
        Whether sizes are numbers of contracts.
    finish : callable
        Last corrections of a statement, with all positions' records beside it.
    """

    name: str
    parse: Parse
    unpack: Callable[[Any, str], Unpacked]
    is_percent: bool = False
    counts_contracts: bool = False
    finish: Callable[[Statement, Sequence[Record]], None] | None = None


def stamp_of(value: object, source: str) -> tuple[int | None, str]:
    """Return the time of an envelope and how it was read; ``None`` where it names none.

    Parameters
    ----------
    value : object
        Whole number since 1970, or a text of one.
    source : str

    Returns
    -------
    ts : int or None
        Unix seconds.
    rule : str

    Raises
    ------
    InputError
        When it is no time.
    """
    if value is None:
        return None, ""
    found = read_times([str(value)], source, "time of the answer")
    return int(found.ts[0]), f"times read as {found.rule}"


def objects(value: object, source: str, what: str) -> list[dict[str, Any]]:
    """Return a list of objects.

    Parameters
    ----------
    value : object
    source : str
    what : str
        Key that it was under, for errors.

    Returns
    -------
    list of dict

    Raises
    ------
    InputError
        When it is something else.
    """
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise InputError(source, f"{what}: expected a list of objects")
    return value


def each_with(records: Iterable[Mapping[str, Any]], **more: object) -> list[dict[str, Any]]:
    """Return the records with more keys, their own before."""
    return [{**more, **record} for record in records]
