"""Looks at the chain past every fault: who could be liquidated, since when, and whether somebody began."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from plimsoll.chain.client import Client
from plimsoll.deployment.record import Deployment
from plimsoll.errors import PlimsollError
from plimsoll.keeper.calls import Question
from plimsoll.keeper.chain_margins import margin_requests, read_margins

FIRST_USER_ACCOUNT = 2
NOBODY = "0x" + "11" * 20


class Watcher:
    """Counts how long accounts wait.

    Parameters
    ----------
    url : str
        Of the node itself.
    deployment : Deployment
    """

    def __init__(self, url: str, deployment: Deployment) -> None:
        self._client, self._deployment = Client(url), deployment
        self._since: dict[int, float] = {}
        self._under: frozenset[int] = frozenset()
        #: Seconds that each account waited, each time that it could be liquidated.
        self.waits: list[tuple[int, float]] = []
        #: Auctions that were seen, and accounts.
        self.auctions = self.accounts = self.looks = 0
        self._last_sec = 0.0
        #: Longest time between two looks: nothing shorter is measured.
        self.longest_gap_sec = 0.0

    @property
    def waiting(self) -> dict[int, float]:
        """Accounts that could be liquidated now and are not, and since how many seconds."""
        now = time.monotonic()
        return {number: now - since for number, since in self._since.items()}

    @property
    def longest_sec(self) -> float:
        """Longest wait of anybody so far."""
        return max([*self.waiting.values(), *(sec for _, sec in self.waits)], default=0.0)

    @property
    def open_auctions(self) -> int:
        """Auctions that are open now."""
        return len(self._under)

    def look(self) -> None:
        """Ask the contracts about everybody."""
        block = self._client.rpc("eth_blockNumber")
        count = Question("Accounts", "nextAccountId")
        (answer,) = self._client.batch([count.request(self._deployment, block)])
        ids = range(FIRST_USER_ACCOUNT, int(count.read(answer)))
        margins = read_margins(ids, self._client.batch(margin_requests(self._deployment, ids, block)))
        under = frozenset(number for number, is_so in zip(ids, self._asked(ids, block), strict=True) if is_so)
        now = time.monotonic()
        below = [n for n, view in margins.views.items() if view.is_auctionable and n not in under]
        short = self._startable(below, block)
        for number in list(self._since):
            if number not in short:
                self.waits.append((number, now - self._since.pop(number)))
        for number in short:
            self._since.setdefault(number, now)
        self.auctions += len(under - self._under)
        self._under, self.accounts = under, len(ids)
        self.longest_gap_sec = max(self.longest_gap_sec, now - (self._last_sec or now))
        self._last_sec = now
        self.looks += 1

    def _startable(self, ids: Iterable[int], block: str) -> set[int]:
        """Return whose auction anybody could start now: in a grace after wider ranges, for one, nobody can."""
        questions = {number: Question("Auction", "start", (number,)) for number in ids}
        answers = self._client.batch([one.request(self._deployment, block, NOBODY) for one in questions.values()])
        return {number for number, answer in zip(questions, answers, strict=True) if isinstance(answer, str)}

    def _asked(self, ids: Iterable[int], block: str) -> list[bool]:
        questions = [Question("Auction", "isUnderAuction", (number,)) for number in ids]
        answers = self._client.batch([question.request(self._deployment, block) for question in questions])
        return [_read(question, answer) for question, answer in zip(questions, answers, strict=True)]


def _read(question: Question, answer: Any) -> bool:
    try:
        return bool(question.read(answer))
    except PlimsollError:
        return False
