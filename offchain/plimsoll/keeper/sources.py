"""Prices that are too old, and whom they concern: one bad source never stops the accounts that do without it."""

from __future__ import annotations

from dataclasses import dataclass

from plimsoll.deployment.record import Deployment
from plimsoll.index.state import AccountState, State
from plimsoll.keeper.holdings import Holdings
from plimsoll.keeper.view import CASH_TOKEN, underlyings_of


@dataclass(frozen=True, slots=True)
class Sources:
    """What is stale at one moment.

    Parameters
    ----------
    underlyings : frozenset of int
        Ids whose round is stale or has never been posted.
    tokens : frozenset of int
        Ids of tokens whose price is stale: their own, or that of the round of their underlying.
    """

    underlyings: frozenset[int]
    tokens: frozenset[int]

    def stops(self, account: AccountState) -> bool:
        """Return whether the chain has no margin number of an account."""
        if not account.words:
            return False
        return CASH_TOKEN in self.tokens or not self.underlyings.isdisjoint(underlyings_of(account))

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
    known = {record.token_id: _first_link(deployment, symbol) for symbol, record in deployment.tokens.items()}
    links = known | {token_id: terms.linked_id for token_id, terms in state.terms.items()}
    listed = set(deployment.underlyings.values()) | set(state.rounds)
    underlyings = {number for number in listed if number not in state.rounds or state.rounds[number].ts < oldest_ts}
    stale = {
        token_id
        for token_id, linked_id in links.items()
        if (linked_id in underlyings if linked_id else state.token_prices.get(token_id, (0, 0))[0] < oldest_ts)
    }
    return Sources(frozenset(underlyings), frozenset(stale))


def _first_link(deployment: Deployment, symbol: str) -> int:
    """Return the underlying that a token was linked to at first, 0 for none."""
    return deployment.underlyings.get(deployment.parameters["collateral"][symbol]["linked"] or "", 0)


def dead_ids(holdings: Holdings, sources: Sources) -> set[int]:
    """Return the accounts that the chain has no margin number of, because a price they need is stale.

    Parameters
    ----------
    holdings : Holdings
        Who holds what.
    sources : Sources
        What is stale.

    Returns
    -------
    set of int
        Those with positions in a stale underlying; all with positions when the price of cash is stale.
    """
    return holdings.account_ids if CASH_TOKEN in sources.tokens else holdings.in_underlyings(sources.underlyings)


def doubtful_ids(state: State, holdings: Holdings, deployment: Deployment, sources: Sources) -> set[int]:
    """Return the accounts that only the contract can value.

    Parameters
    ----------
    state : State
        Rebuilt state.
    holdings : Holdings
        Who holds what.
    deployment : Deployment
        What the mirror knows by name.
    sources : Sources
        What is stale.

    Returns
    -------
    set of int
        Those with collateral at a last price, with a token, or in an underlying, that was listed later.
    """
    tokens = {record.token_id for record in deployment.tokens.values()}
    later = (set(state.terms) | set(state.token_prices)) - tokens
    underlyings = set(state.rounds) - set(deployment.underlyings.values())
    return holdings.with_tokens(sources.tokens | later) | holdings.in_underlyings(underlyings)
