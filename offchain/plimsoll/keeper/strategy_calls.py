"""A strategy vault as the keeper asks for it: where its epochs stand, and what a settlement and a stop would do now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from plimsoll.chain.revert import RevertError
from plimsoll.decide import StrategyState
from plimsoll.deployment.record import Deployment
from plimsoll.errors import PlimsollError
from plimsoll.keeper.calls import Question

VAULT: Final = "StrategyVault"
QUEUE, PRICE, SETTLE, STOP = (Question(VAULT, function) for function in ("queueNow", "priceNow", "settle", "stop"))
#: What says that nothing is due, in the words of the vault and of the prices it needs.
NOTHING_DUE: Final = frozenset(
    {
        *("StrategyVault__NothingToSettle", "StrategyVault__NoNewRound", "StrategyVault__NotDue"),
        *("StrategyVault__IsStopped", "Oracle__Stale", "Oracle__ExpiryNotInRound", "Oracle__NoTokenPrice"),
    }
)


def strategy_questions(deployment: Deployment) -> tuple[Question, ...]:
    """Return what is asked; nothing where the deployment has no strategy vault.

    Parameters
    ----------
    deployment : Deployment

    Returns
    -------
    tuple of Question
        Settlement and stop are asked as if they were made now.
    """
    return (QUEUE, PRICE, SETTLE, STOP) if VAULT in deployment.contracts else ()


def read_strategy(answers: Sequence[Any]) -> tuple[StrategyState | None, tuple[str, ...]]:
    """Read the answers.

    Parameters
    ----------
    answers : sequence
        One for each question, or none: return data, or the error that stands for it.

    Returns
    -------
    tuple of StrategyState or None, and of str
        The state, and a line for each answer that could not be used.
    """
    if not answers:
        return None, ()
    problems: list[str] = []
    queue, price = _read(QUEUE, answers[0], problems), _read(PRICE, answers[1], problems)
    is_due, must_stop = (
        _read(question, answer, problems) is not None for question, answer in ((SETTLE, answers[2]), (STOP, answers[3]))
    )
    if queue is None:
        return None, tuple(problems)
    floor_wad = 0 if price is None else int(price[2])
    stands = (queue.openId, queue.nextId, queue.unpaidId, queue.settledTs, floor_wad)
    return StrategyState(*stands, is_due, must_stop), tuple(problems)


def _read(question: Question, answer: Any, problems: list[str]) -> Any:
    """Decode an answer; a refusal that is none of the usual ones is a problem, and either is read as ``None``."""
    try:
        found = question.read(answer)
    except RevertError as refused:
        if refused.name not in NOTHING_DUE:
            problems.append(str(refused))
        return None
    except PlimsollError as problem:
        problems.append(str(problem))
        return None
    return () if found is None else found
