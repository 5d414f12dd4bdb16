"""From intents to transactions: each signer sends its own, and what is too large is cut before it is sent."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from plimsoll.decide import FillIntent, Intent, PostRound, PostSettlement, PostTokenPrices, Settle
from plimsoll.deployment.record import Deployment
from plimsoll.errors import InputError, PlimsollError
from plimsoll.feeds.post import Post
from plimsoll.keeper.encode import action_call, budget_of, group_of
from plimsoll.keeper.sizing import Parts, cut
from plimsoll.transact.intent import Result, Ticket, Transaction
from plimsoll.transact.transactor import Transactor

#: Rounds of estimates in which a settlement is cut: 40 accounts become single ones in six.
MAX_CUTS: Final = 8


@dataclass(frozen=True, slots=True)
class Deed:
    """One intent and what was done about it.

    Parameters
    ----------
    key : str
        Intent.
    kind : str
        Its kind, as a metric names it.
    result : str
        ``sent``, or how it ended.
    reason : str
        Why, where it was not sent.
    gas : int
        Estimate, 0 where there is none.
    cost_wei : int
        Likely cost of a dry run, 0 otherwise.
    sent_sec : float or None
        When it was sent, by the process's own clock, seconds.
    """

    key: str
    kind: str
    result: str
    reason: str = ""
    gas: int = 0
    cost_wei: int = 0
    sent_sec: float | None = None


def transaction_of(deployment: Deployment, intent: Intent) -> Transaction:
    """Encode what anybody may do.

    Parameters
    ----------
    deployment : Deployment
        Addresses and ids.
    intent : Intent
        Anything but posts of the oracle and signed intents.

    Returns
    -------
    Transaction

    Raises
    ------
    InputError
        When it names an underlying or a token that the deployment does not know, or is made by somebody else.
    """
    if isinstance(intent, PostRound | PostTokenPrices | PostSettlement | FillIntent):
        raise InputError(intent.key, "is encoded by the feeds or the solver")
    call = action_call(deployment, intent)
    return Transaction(call.key, call.target, call.data, call.already_done, budget_of(intent), group_of(intent))


def transaction_of_post(post: Post) -> Transaction:
    """Return a signed call of the oracle as a transaction."""
    return Transaction(post.key, post.target, post.data, post.already_done, replaces=post.group)


class Performer:
    """Sends what one signer is for.

    Parameters
    ----------
    deployment : Deployment
        Addresses and ids.
    transactor : Transactor
        The signer.
    is_dry : bool
        Simulate, and send nothing.
    """

    def __init__(self, deployment: Deployment, transactor: Transactor, *, is_dry: bool) -> None:
        self._deployment = deployment
        self.transactor = transactor
        self._is_dry = is_dry

    async def perform(self, intents: Sequence[Intent]) -> list[Deed]:
        """Encode and send intents, in order; one that cannot be encoded leaves only itself out.

        Parameters
        ----------
        intents : sequence of Intent

        Returns
        -------
        list of Deed
            One for each, settlements in their parts.
        """
        deeds: list[Deed] = []
        ready: list[Transaction] = []
        for intent in await self._sized(intents):
            try:
                ready.append(transaction_of(self._deployment, intent))
            except PlimsollError as problem:
                deeds.append(Deed(intent.key, kind_of(intent.key), "not encoded", str(problem)))
        return [*await self.send(ready), *deeds]

    async def send(self, transactions: Sequence[Transaction]) -> list[Deed]:
        """Send transactions, or say what they would do.

        Parameters
        ----------
        transactions : sequence of Transaction

        Returns
        -------
        list of Deed
            One for each.
        """
        if not transactions:
            return []
        if not self._is_dry:
            return [_deed(ticket) for ticket in await self.transactor.submit_all(transactions)]
        return [
            Deed(item.key, kind_of(item.key), item.result.value, item.reason, item.gas_estimate, item.cost_wei)
            for item in await self.transactor.simulate(transactions)
        ]

    async def _sized(self, intents: Sequence[Intent]) -> list[Intent]:
        """Cut settlements to what one transaction may use."""
        parts = Parts(ask=tuple(intent for intent in intents if isinstance(intent, Settle)))
        others: list[Intent] = [intent for intent in intents if not isinstance(intent, Settle)]
        for _ in range(MAX_CUTS):
            if not parts.ask:
                break
            asked = [transaction_of(self._deployment, part) for part in parts.ask]
            found = await self.transactor.simulate(asked)
            parts = cut(parts, [item.gas_estimate or None for item in found])
        return [*others, *parts.ready]


def kind_of(key: str) -> str:
    """Return the kind of an intent, which its key begins with."""
    return key.split(":", 1)[0]


def _deed(ticket: Ticket) -> Deed:
    if ticket.is_sent:
        return Deed(ticket.key, kind_of(ticket.key), "sent", ticket.tx_hash or "", sent_sec=time.monotonic())
    outcome = ticket.outcome
    if outcome is None:
        return Deed(ticket.key, kind_of(ticket.key), Result.WAITING.value)
    return Deed(ticket.key, kind_of(ticket.key), outcome.result.value, outcome.reason, outcome.gas_estimate)
