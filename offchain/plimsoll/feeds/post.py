"""Signed calls of the oracle, and what a pass of the poster made besides."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass

from plimsoll.errors import PlimsollError
from plimsoll.feeds.posting import Why
from plimsoll.feeds.reading import Problem
from plimsoll.feeds.signer_client import Report
from plimsoll.feeds.tokens import TokenQuote
from plimsoll.model import Round


@dataclass(frozen=True, slots=True)
class Post:
    """A signed call of the oracle.

    Attributes
    ----------
    key : str
        Tells the effect from every other.
    group : str
        Of which only the newest matters; empty for a settlement, which is final.
    target : str
        Address of the oracle.
    data : bytes
        Call data.
    why : Why or None
        ``None`` for a settlement.
    already_done : frozenset of str
        Errors that say that somebody else has done it.
    posted : Round or TokenQuote or None
        What stands when it is mined.
    """

    key: str
    group: str
    target: str
    data: bytes
    why: Why | None = None
    already_done: frozenset[str] = frozenset()
    posted: Round | TokenQuote | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass of the poster made.

    Attributes
    ----------
    posts : tuple[Post, ...]
        Token prices first: they are needed by everybody.
    problems : tuple[Problem, ...]
    reports : tuple[Report, ...]
        How each signer answered.
    """

    posts: tuple[Post, ...] = ()
    problems: tuple[Problem, ...] = ()
    reports: tuple[Report, ...] = ()


async def guarded(subject: str, made: Awaitable[Pass]) -> Pass:
    """Turn what fails about one subject into its problem, so that the others go on.

    Parameters
    ----------
    subject : str
        Named in the problem.
    made : Awaitable[Pass]

    Returns
    -------
    Pass
    """
    try:
        return await made
    except PlimsollError as error:
        return Pass(problems=(Problem("post", subject, str(error)),))
