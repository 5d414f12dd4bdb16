"""What has to be kept up, read off the contracts in two batches: ranges, shares, queues; then what a queue would pay.

Each answer stands for itself: one that fails leaves its own range, token or account out of the pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plimsoll.decide import QueueState, RangeState, ShareState
from plimsoll.deployment.record import Deployment
from plimsoll.errors import PlimsollError
from plimsoll.keeper.calls import Question
from plimsoll.keeper.encode import MAX_REQUESTS
from plimsoll.units import wad_to_float

LOSS = Question("Auction", "openInsolventLossWad")


@dataclass(frozen=True, slots=True)
class Spot:
    """Latest live round of an underlying: its time, and its spot in cash."""

    ts: int
    price: float


@dataclass(frozen=True, slots=True)
class Findings:
    """What the first batch says.

    Parameters
    ----------
    ranges : tuple of RangeState
        Underlyings with a rule and a live round.
    heads : Mapping[str, int]
        Request that is next, by token with a queue.
    shares : tuple of ShareState
    is_loss_open : bool
        True also where that could not be read.
    problems : tuple of str
        One line for each answer that could not be used.
    """

    ranges: tuple[RangeState, ...]
    heads: Mapping[str, int]
    shares: tuple[ShareState, ...]
    is_loss_open: bool
    problems: tuple[str, ...]


class _Answers:
    """Answers by question; those that cannot be used are noted and read as nothing."""

    def __init__(self, questions: Sequence[Question], answers: Sequence[Any]) -> None:
        self._answers = dict(zip(questions, answers, strict=False))
        self.problems: list[str] = []

    def read(self, question: Question) -> Any:
        try:
            return question.read(self._answers.get(question))
        except PlimsollError as problem:
            self.problems.append(str(problem))
            return None


def upkeep_questions(deployment: Deployment, spots: Iterable[str], sharing: Iterable[int]) -> tuple[Question, ...]:
    """Return the first batch.

    Parameters
    ----------
    deployment : Deployment
        Ids; an installation without a rule of ranges is not asked for one.
    spots : iterable of str
        Underlyings with a live round.
    sharing : iterable of int
        Accounts that left a share of a loss behind.

    Returns
    -------
    tuple of Question
    """
    ruled = sorted(set(spots) & set(deployment.underlyings)) if "RangeRule" in deployment.contracts else []
    ids = [deployment.underlyings[symbol] for symbol in ruled]
    tokens = [record.token_id for _, record in sorted(deployment.tokens.items())]
    return (
        LOSS,
        *(Question("RangeRule", function, (number,)) for number in ids for function in ("termsOf", "observationOf")),
        *(Question("Vault", "queueOf", (token_id,)) for token_id in tokens),
        *(Question("Vault", "leftOf", (account_id,)) for account_id in sorted(set(sharing))),
    )


def read_upkeep(
    deployment: Deployment,
    questions: Sequence[Question],
    answers: Sequence[Any],
    spots: Mapping[str, Spot],
    releases: Mapping[int, int],
) -> Findings:
    """Read the first batch.

    Parameters
    ----------
    deployment : Deployment
    questions : sequence of Question
        As asked.
    answers : sequence
        One for each: return data, or the error that stands for it.
    spots : Mapping[str, Spot]
        Live rounds by underlying.
    releases : Mapping[int, int]
        How often an account was given a share back.

    Returns
    -------
    Findings
    """
    found = _Answers(questions, answers)
    asked = {(question.name, question.function, *question.values) for question in questions}
    loss_wad = found.read(LOSS)
    ranges = [
        _range(found, symbol, number, spots[symbol])
        for symbol, number in sorted(deployment.underlyings.items())
        if symbol in spots and ("RangeRule", "termsOf", number) in asked
    ]
    heads = {symbol: _head(found, record.token_id) for symbol, record in sorted(deployment.tokens.items())}
    shares = [_share(found, question, releases) for question in questions if question.function == "leftOf"]
    return Findings(
        tuple(state for state in ranges if state is not None),
        {symbol: first_id for symbol, first_id in heads.items() if first_id is not None},
        tuple(share for share in shares if share is not None),
        loss_wad is None or loss_wad > 0,
        tuple(found.problems),
    )


def _range(found: _Answers, symbol: str, number: int, spot: Spot) -> RangeState | None:
    terms = found.read(Question("RangeRule", "termsOf", (number,)))
    seen = found.read(Question("RangeRule", "observationOf", (number,)))
    if terms is None or seen is None or terms.ceilingWad == 0:
        return None
    low, high = wad_to_float(seen.lowWad), wad_to_float(seen.highWad)
    return RangeState(symbol, spot.ts, spot.price, seen.ts, low, high)


def _head(found: _Answers, token_id: int) -> int | None:
    queue = found.read(Question("Vault", "queueOf", (token_id,)))
    return None if queue is None or queue[0] == queue[1] else int(queue[0])


def _share(found: _Answers, question: Question, releases: Mapping[int, int]) -> ShareState | None:
    left = found.read(question)
    account_id = question.values[0]
    return None if left is None else ShareState(account_id, int(left[1]), releases.get(account_id, 0))


def queue_questions(deployment: Deployment, heads: Mapping[str, int]) -> tuple[Question, ...]:
    """Return the second batch, empty where nobody waits.

    Parameters
    ----------
    deployment : Deployment
    heads : Mapping[str, int]
        Request that is next, by token.

    Returns
    -------
    tuple of Question
        Two for each token: the request, and the payment as if it were made now.
    """
    questions = []
    for symbol, first_id in sorted(heads.items()):
        record = deployment.tokens[symbol]
        questions.append(Question("Vault", "requestOf", (record.token_id, first_id)))
        questions.append(Question("Vault", "payRequests", (record.address, MAX_REQUESTS)))
    return tuple(questions)


def read_queues(
    deployment: Deployment, heads: Mapping[str, int], answers: Sequence[Any]
) -> tuple[tuple[QueueState, ...], tuple[str, ...]]:
    """Read the second batch.

    Parameters
    ----------
    deployment : Deployment
    heads : Mapping[str, int]
        As asked.
    answers : sequence
        One for each question: return data, or the error that stands for it.

    Returns
    -------
    tuple of tuples
        Queues by token, and a line for each answer that could not be used.
    """
    questions = queue_questions(deployment, heads)
    found = _Answers(questions, answers)
    queues = []
    for place, (symbol, first_id) in enumerate(sorted(heads.items())):
        request, paid_raw = (found.read(question) for question in questions[2 * place : 2 * place + 2])
        if request is not None and paid_raw is not None:
            queues.append(QueueState(symbol, first_id, int(request.amountRaw), int(paid_raw)))
    return tuple(queues), tuple(found.problems)
