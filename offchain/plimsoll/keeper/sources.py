"""Prices that are too old, and whom they concern: one bad source never stops the accounts that do without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from plimsoll.chain.words import unpack
from plimsoll.deployment.record import Deployment
from plimsoll.index.state import AccountState, State
from plimsoll.keeper.view import priced_alone

#: Its price scales every requirement, so nobody with positions does without it.
CASH_TOKEN: Final = 0


@dataclass(frozen=True, slots=True)
class Sources:
    """What is stale at one moment.

    Parameters
    ----------
    underlyings : frozenset of int
        Ids whose round is stale.
    tokens : frozenset of int
        Ids of tokens whose price is stale: their own, or that of the round of their underlying.
    """

    underlyings: frozenset[int]
    tokens: frozenset[int]

    def stops(self, account: AccountState) -> bool:
        """Return whether the chain has no margin number of an account."""
        if not account.words:
            return False
        return CASH_TOKEN in self.tokens or any(
            unpack(word).underlying_id in self.underlyings for word in account.words
        )

    def blurs(self, account: AccountState) -> bool:
        """Return whether collateral counts at a last price, less a haircut that the mirror does not know."""
        return not self.tokens.isdisjoint(account.collateral)


def sources_of(state: State, deployment: Deployment, oldest_ts: int) -> Sources:
    """Return what is older than the contracts accept.

    Parameters
    ----------
    state : State
        Rebuilt state.
    deployment : Deployment
        Names and ids.
    oldest_ts : int
        Oldest time of a price that still counts.

    Returns
    -------
    Sources
    """
    underlyings = frozenset(
        number
        for number in deployment.underlyings.values()
        if number in state.rounds and state.rounds[number].ts < oldest_ts
    )
    alone = priced_alone(state, deployment)
    stale = {token_id for token_id in alone if state.token_prices.get(token_id, (0, 0))[0] < oldest_ts}
    first = deployment.parameters["collateral"]
    for symbol, record in deployment.tokens.items():
        terms = state.terms.get(record.token_id)
        linked_id = terms.linked_id if terms else deployment.underlyings.get(first[symbol]["linked"] or "", 0)
        if linked_id in underlyings:
            stale.add(record.token_id)
    return Sources(underlyings, frozenset(stale))
