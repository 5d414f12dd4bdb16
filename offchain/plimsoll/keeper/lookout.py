"""One look at the world: the index at the head, margins of everybody, and the contract's word where it is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from plimsoll.chain.endpoints import Endpoints
from plimsoll.chain.head import Head
from plimsoll.chain.node import Node
from plimsoll.decide import AccountView, Margins, merged, share_of, sift
from plimsoll.deployment.record import Deployment
from plimsoll.index.follow import Index, Progress
from plimsoll.index.state import State
from plimsoll.keeper.accounts import Accounts
from plimsoll.keeper.chain_margins import ChainMargins, margin_requests, read_margins
from plimsoll.keeper.duties import pure_debts
from plimsoll.keeper.effects import Effects, effects_of
from plimsoll.keeper.governance import Governance, Terms
from plimsoll.keeper.holdings import Holdings
from plimsoll.keeper.names import name_of
from plimsoll.keeper.sources import dead_ids, doubtful_ids, sources_of

#: Accounts that one pass asks the contract for; the others have their turn in the next passes.
MAX_ASKED: Final = 500
Series = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Look:
    """The world at one head.

    Parameters
    ----------
    head : Head
        Block that everything is of.
    node : Node
        One that has shown it.
    state : State
        Replayed from events.
    effects : Effects
        Counts of the same events.
    terms : Terms
        Of governance.
    accounts : tuple of AccountView
        Accounts that anything may have to be done about, with their margins.
    blurred : frozenset of int
        Accounts that only an auction can value, or nothing.
    expiries : Mapping
        Expiries that anybody holds, by underlying.
    expired : Mapping
        Holders of expired series, by (underlying, expiry).
    final : frozenset
        Series whose settlement price is on chain and final.
    asked : ChainMargins
        What the contract said of those that the mirror could not tell.
    account_count : int
        Accounts that were margined.
    progress : Progress
        What the index read.
    """

    head: Head
    node: Node
    state: State
    effects: Effects
    terms: Terms
    accounts: tuple[AccountView, ...]
    blurred: frozenset[int]
    expiries: Mapping[str, set[int]]
    expired: Mapping[Series, tuple[int, ...]]
    asked: ChainMargins
    final: frozenset[Series]
    account_count: int
    progress: Progress

    @property
    def block(self) -> str:
        """The block as contracts are asked at it."""
        return hex(self.head.number)


class Lookout:
    """Looks at one deployment.

    Parameters
    ----------
    endpoints : Endpoints
    index : Index
    governance : Governance
    accounts : Accounts
    deployment : Deployment
    bidder_id : int or None
        Account whose margin is always wanted.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        index: Index,
        governance: Governance,
        accounts: Accounts,
        deployment: Deployment,
        bidder_id: int | None,
    ) -> None:
        self._endpoints, self._index, self._governance = endpoints, index, governance
        self._accounts, self._deployment, self._bidder_id = accounts, deployment, bidder_id
        self._holdings = Holdings()
        self._turn = 0

    async def look(self) -> Look:
        """Bring the index to the head and say how everybody stands.

        Returns
        -------
        Look

        Raises
        ------
        PlimsollError
            When nodes or database fail; the next look goes on from what is there.
        """
        progress, terms = await self._follow()
        head, state = self._index.head, self._index.state
        node = self._endpoints.node_at(head)
        margins = await asyncio.to_thread(self._margins, state, self._index.take_changed(), terms)
        effects = effects_of(state)
        sources = sources_of(state, self._deployment, head.ts - terms.heartbeat_sec)
        expired = self._holdings.expired(self._deployment.underlyings, head.ts)
        waiting = {number for holders in expired.values() for number in holders}
        dead = dead_ids(self._holdings, sources) | waiting
        doubtful = doubtful_ids(state, self._holdings, self._deployment, sources) | set(self._index.ledger.suspects)
        also = {*state.auctions, *effects.called, *([self._bidder_id] if self._bidder_id is not None else [])}
        sifted = sift(margins, also=also & state.accounts.keys(), doubtful=doubtful & state.accounts.keys(), dead=dead)
        asked = await self._ask(node, head, share_of(sifted.ask, MAX_ASKED, self._turn))
        self._turn += 1
        ids = (*(view.account_id for view in sifted.views), *asked.views)
        return Look(
            head=head,
            node=node,
            state=state,
            effects=effects,
            terms=terms,
            accounts=merged(sifted, asked.views, pure_debts(state, ids)),
            blurred=frozenset(doubtful | dead),
            expiries=self._holdings.expiries(self._deployment.underlyings),
            expired=expired,
            asked=asked,
            final=self._final(state),
            account_count=int(margins.account_ids.size),
            progress=progress,
        )

    async def _follow(self) -> tuple[Progress, Terms]:
        """Read events up to the head, and the terms of that block meanwhile."""
        head = await self._endpoints.head()
        asked = asyncio.create_task(self._governance.follow(self._endpoints.node_at(head), hex(head.number)))
        try:
            progress = await self._index.sync(head)
            terms = await asked
        finally:
            # Nothing of this look may still run in the next.
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
        mine = self._index.head
        if mine.hash != head.hash:
            terms = await self._governance.follow(self._endpoints.node_at(mine), hex(mine.number))
        return progress, terms

    def _margins(self, state: State, changed: Sequence[int], terms: Terms) -> Margins:
        """Take in what changed, and margin everybody; beside the loop, which has leases to renew."""
        self._holdings.take(state, changed)
        self._accounts.take(state, changed)
        return self._accounts.margins(state, terms.params)

    def _final(self, state: State) -> frozenset[Series]:
        """Return the settled series that no reorganisation takes back."""
        settled = set(state.settled) - self._index.ledger.changed_since_final("settled")
        return frozenset((name_of(self._deployment.underlyings, number), ts) for number, ts in settled)

    async def _ask(self, node: Node, head: Head, ids: tuple[int, ...]) -> ChainMargins:
        """Ask the contract in one batch at the head."""
        if not ids:
            return ChainMargins({}, {}, {})
        return read_margins(ids, await node.batch(margin_requests(self._deployment, ids, hex(head.number))))
