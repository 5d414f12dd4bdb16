"""Follows the chain: reads new events, stores them with the state they lead to, rolls back after a reorganisation."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete
from sqlalchemy.orm import Session

from plimsoll.chain.client import Client
from plimsoll.deployment.record import Deployment
from plimsoll.errors import UnavailableError
from plimsoll.index.reader import ChainEvent, LogReader
from plimsoll.index.state import SOURCES, State, apply
from plimsoll.index.store import (
    AccountRow,
    AuctionRow,
    CollateralRow,
    PositionRow,
    RoundRow,
    Store,
    dump_arguments,
)

# Sync points kept in reach: a reorganisation deeper than these stops the index instead of guessing.
FORK_SEARCH = 512
_EXPIRY_SHIFT, _UNDERLYING_SHIFT, _EXPIRY_MASK = 200, 248, (1 << 40) - 1


@dataclass(frozen=True, slots=True)
class Progress:
    """What one sync did; ``rolled_back_to`` is set after a reorganisation."""

    block_number: int
    new_events: int
    rolled_back_to: int | None = None


class Index:
    """The state of one deployment, kept current.

    Parameters
    ----------
    client : Client
        Endpoint.
    deployment : Deployment
        Which contracts.
    store : Store
        Where events and state are kept.
    """

    def __init__(self, client: Client, deployment: Deployment, store: Store) -> None:
        # An older installation lacks some of them.
        known = {name: deployment.contracts[name] for name in SOURCES if name in deployment.contracts}
        self._reader = LogReader(client, known)
        self._deployment = deployment
        self._store = store
        self._url = client.url
        self.state = self._replay()

    def _replay(self) -> State:
        """Rebuild the state from the stored events."""
        state = State()
        for event in self._store.events():
            apply(state, event)
        return state

    def sync(self) -> Progress:
        """Read up to the head.

        Returns
        -------
        Progress
            What was new.

        Raises
        ------
        UnavailableError
            When the node fails, or the chain forked below every known block.
        """
        rolled_back_to = self._resolve_fork()
        number, block_hash = self._reader.head()
        last = self._store.last_synced()
        first = self._deployment.block if last is None else last[0] + 1
        events = self._reader.read(first, number) if first <= number else []
        for event in events:
            apply(self.state, event)
        self.state.ts = self._reader.head_ts
        with self._store.session() as session:
            self._store.add_events(session, events)
            self._store.add_sync_point(session, number, block_hash)
            self._write(session, events, everything=rolled_back_to is not None)
            session.commit()
        return Progress(number, len(events), rolled_back_to)

    def _resolve_fork(self) -> int | None:
        """Return the block rolled back to, or ``None`` when the chain only grew."""
        known = self._store.synced_blocks(FORK_SEARCH)
        if not known or self._reader.block_hashes([known[0][0]])[0] == known[0][1]:
            return None
        hashes = self._reader.block_hashes([number for number, _ in known])
        agreed = [number for (number, mine), theirs in zip(known, hashes, strict=True) if mine == theirs]
        if not agreed and len(known) == FORK_SEARCH:
            raise UnavailableError(self._url, f"the chain forked below block {known[-1][0]}; rebuild the index")
        fork = max(agreed, default=self._deployment.block - 1)
        self._store.roll_back(fork)
        self.state = self._replay()
        return fork

    def _write(self, session: Session, events: list[ChainEvent], *, everything: bool) -> None:
        """Bring the state tables up to date."""
        touched = {int(e.values["accountId"]) for e in events if "accountId" in e.values}
        # A loss index moves every account's cash at once.
        # Funding moves the cash of every perpetual all the time.
        touched |= {account_id for account_id, account in self.state.accounts.items() if account.paid_index}
        if everything or any(event.name == "LossSocialised" for event in events):
            touched = set(self.state.accounts)
        for table in (AccountRow, CollateralRow, PositionRow):
            if everything:
                session.execute(delete(table))
            elif touched:
                session.execute(delete(table).where(table.account_id.in_(touched)))
        for account_id in sorted(touched & set(self.state.accounts)):
            self._write_account(session, account_id)
        session.execute(delete(AuctionRow))
        for account_id, auction in self.state.auctions.items():
            session.add(
                AuctionRow(
                    account_id=account_id,
                    started_ts=auction.started_ts,
                    reserve_wad=str(auction.reserve_wad),
                    bid_count=auction.bid_count,
                )
            )
        if everything:
            session.execute(delete(RoundRow))
        posted = self._store.events() if everything else events
        for event in posted:
            if event.name == "RoundPosted":
                message = event.values["round"]
                row = RoundRow(underlying_id=message.underlyingId, ts=message.ts)
                row.arguments = dump_arguments(vars(message))
                session.merge(row)

    def _write_account(self, session: Session, account_id: int) -> None:
        """Write one account."""
        account = self.state.accounts[account_id]
        cash = str(self.state.cash_of(account_id))
        session.add(AccountRow(account_id=account_id, owner=account.owner, mode=account.mode, cash_wad=cash))
        for token_id, amount in account.collateral.items():
            session.add(CollateralRow(account_id=account_id, token_id=token_id, amount_wad=str(amount)))
        for place, word in enumerate(account.words):
            session.add(
                PositionRow(
                    account_id=account_id,
                    place=place,
                    word=str(word),
                    underlying_id=word >> _UNDERLYING_SHIFT,
                    expiry_ts=(word >> _EXPIRY_SHIFT) & _EXPIRY_MASK,
                )
            )
