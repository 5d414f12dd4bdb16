"""What the sources of wrapped tokens state at a block, read off the rate feed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plimsoll.errors import PlimsollError
from plimsoll.index.state import State
from plimsoll.keeper.calls import Question
from plimsoll.units import wad_to_float


def rate_questions(state: State) -> tuple[Question, ...]:
    """Return the questions for all tokens with a source.

    Parameters
    ----------
    state : State
        Rebuilt state.

    Returns
    -------
    tuple of Question
    """
    return tuple(Question("RateFeed", "ceilingOf", (token_id,)) for token_id in sorted(state.rates))


def read_rates(questions: Sequence[Question], answers: Sequence[Any]) -> dict[int, float]:
    """Read the answers.

    Parameters
    ----------
    questions : sequence of Question
        As asked.
    answers : sequence
        One for each: return data, or the error that stands for it.

    Returns
    -------
    dict[int, float]
        Units of the underlying in one token, by token; 0 where the source fails, missing where nobody could ask it.
    """
    found = {}
    for question, answer in zip(questions, answers, strict=True):
        try:
            found[int(question.values[0])] = wad_to_float(question.read(answer))
        except PlimsollError:
            # The rate is observed when it is due all the same.
            continue
    return found
