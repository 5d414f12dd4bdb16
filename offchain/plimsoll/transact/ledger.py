"""The durable journal of one signer on one chain: written before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, or_, select, update
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import IntegrityError

from plimsoll.storage import StorageError, reading
from plimsoll.transact.entry import MINED, OPEN, PENDING, Entry, State
from plimsoll.transact.fees import Fees
from plimsoll.transact.fence import Fence, OvertakenError, fenced, open_to_all
from plimsoll.transact.intent import Transaction
from plimsoll.transact.tables import JOURNAL

#: Fields of an entry that are columns of the same name.
PLAIN = (
    *("nonce", "gas", "raw", "answer", "replacements", "planned_ts", "sent_ts", "closed_ts"),
    *(
        "planned_block",
        "sent_block",
        "block_number",
        "block_hash",
        "mined_hash",
        "succeeded",
        "cost_wei",
        "spent_day",
        "reason",
    ),
)
OF_TRANSACTION = ("key", "target", "data", "account", "replaces", "is_private", "is_repeatable")


def _held(from_block: int) -> ColumnElement[bool]:
    """Entries that a block holds, final ones from a block on."""
    final = and_(JOURNAL.c.state.in_(MINED), JOURNAL.c.block_number >= from_block)
    return or_(JOURNAL.c.state == State.INCLUDED.value, final)


def _columns(entry: Entry) -> dict[str, Any]:
    """Write an entry as columns, without those that the ledger itself fills."""
    own = {name: getattr(entry, name) for name in PLAIN}
    own |= {name: getattr(entry.transaction, name) for name in OF_TRANSACTION}
    return own | {
        "already_done": json.dumps(sorted(entry.transaction.already_done)),
        "max_fee_wei": entry.fees.max_wei,
        "tip_wei": entry.fees.tip_wei,
        "is_legacy": entry.fees.is_legacy,
        "hashes": json.dumps(list(entry.hashes)),
        "state": entry.state.value,
    }


def _entry(row: Row[Any]) -> Entry:
    """Read an entry from its columns; one that cannot be read is a problem of the database."""
    values = row._mapping
    try:
        return Entry(
            row_id=values["id"],
            revision=values["revision"],
            transaction=Transaction(
                already_done=frozenset(json.loads(values["already_done"])),
                **{name: values[name] for name in OF_TRANSACTION},
            ),
            fees=Fees(values["max_fee_wei"], values["tip_wei"], values["is_legacy"]),
            hashes=tuple(json.loads(values["hashes"])),
            state=State(values["state"]),
            **{name: values[name] for name in PLAIN},
        )
    except (ValueError, TypeError) as reason:
        raise StorageError("transact_journal", f"row {values['id']} cannot be read ({reason})") from reason


class Ledger:
    """Journal of one signer on one chain.

    Parameters
    ----------
    engine : Engine
        From :func:`plimsoll.storage.open_database`, with its migrations run.
    chain_id : int
        Chain.
    signer : str
        Address.
    fence : Fence
        Asked in every transaction that writes.
    """

    def __init__(self, engine: Engine, chain_id: int, signer: str, fence: Fence = open_to_all) -> None:
        self._engine, self._fence = engine, fence
        self._chain_id = chain_id
        self._signer = signer
        self._mine = and_(JOURNAL.c.chain_id == chain_id, JOURNAL.c.signer == signer)

    def open_entries(self) -> list[Entry]:
        """Return everything that is unfinished, by nonce, older entries of a nonce first."""
        return self._read(JOURNAL.c.state.in_(OPEN))

    def blocks(self, from_block: int) -> frozenset[tuple[int, str]]:
        """Return the blocks that hold entries.

        Parameters
        ----------
        from_block : int
            Those of final entries are left out below it.

        Returns
        -------
        frozenset[tuple[int, str]]
            Number and hash of each.
        """
        query = select(JOURNAL.c.block_number, JOURNAL.c.block_hash).distinct().where(self._mine, _held(from_block))
        with reading(self._engine) as connection:
            return frozenset((number, block_hash) for number, block_hash in connection.execute(query))

    def next_nonce(self, from_block: int) -> int:
        """Return the nonce above all that are held or were mined since a block; 0 for none.

        Parameters
        ----------
        from_block : int
            Final entries of earlier blocks are left out.

        Returns
        -------
        int
            At least what the chain says, unless others use the key, or the journal is not of this chain.
        """
        query = select(func.max(JOURNAL.c.nonce)).where(
            self._mine, or_(JOURNAL.c.state.in_(PENDING), _held(from_block))
        )
        with reading(self._engine) as connection:
            highest = connection.scalar(query)
        return 0 if highest is None else int(highest) + 1

    def latest(self, keys: Sequence[str]) -> dict[str, Entry]:
        """Return the newest entry of each key that has one.

        Parameters
        ----------
        keys : Sequence[str]
            Intents.

        Returns
        -------
        dict[str, Entry]
            By key.
        """
        newest = (
            select(func.max(JOURNAL.c.id)).where(self._mine, JOURNAL.c.key.in_(keys)).group_by(JOURNAL.c.key)
        ).scalar_subquery()
        return {entry.key: entry for entry in self._read(JOURNAL.c.id.in_(newest))}

    def newest_of(self, groups: Sequence[str]) -> dict[str, int]:
        """Return the row of the newest intent of each group that was sent or may yet be.

        Parameters
        ----------
        groups : Sequence[str]
            See :attr:`~plimsoll.transact.intent.Transaction.replaces`.

        Returns
        -------
        dict[str, int]
            By group.
        """
        counts = JOURNAL.c.state.not_in((State.FAILED, State.REVERTED, State.REPLACED))
        query = select(JOURNAL.c.replaces, func.max(JOURNAL.c.id)).where(
            self._mine, JOURNAL.c.replaces.in_(groups), counts
        )
        with reading(self._engine) as connection:
            return {group: int(row) for group, row in connection.execute(query.group_by(JOURNAL.c.replaces))}

    def of_nonces(self, nonces: Sequence[int]) -> list[Entry]:
        """Return every entry, closed ones too, that was ever given one of these nonces."""
        return self._read(JOURNAL.c.nonce.in_(nonces))

    def of_blocks(self, numbers: Sequence[int]) -> list[Entry]:
        """Return the entries that these blocks hold, and every other entry of their nonces."""
        nonces = select(JOURNAL.c.nonce).where(self._mine, JOURNAL.c.block_number.in_(numbers))
        return self._read(JOURNAL.c.nonce.in_(nonces.scalar_subquery()))

    def spent_wei(self, day: int) -> int:
        """Return what was paid for transactions mined on a day.

        Parameters
        ----------
        day : int
            Days since 1970.

        Returns
        -------
        int
            Wei.
        """
        with reading(self._engine) as connection:
            costs = connection.scalars(select(JOURNAL.c.cost_wei).where(self._mine, JOURNAL.c.spent_day == day))
            return sum(costs)

    def write(self, changed: Sequence[Entry], added: Sequence[Entry] = ()) -> list[Entry]:
        """Change entries and add others, all of it or nothing.

        Parameters
        ----------
        changed : Sequence[Entry]
            As read, with other values.
        added : Sequence[Entry]
            New ones; their ``row_id`` and ``revision`` are ignored.

        Returns
        -------
        list[Entry]
            The changed and then the added ones, as they now stand.

        Raises
        ------
        OvertakenError
            When one was changed by somebody else since it was read, or a nonce or key is held already; a
            ``DeposedError`` when another keeper holds the lease.
        StorageError
            When the database fails; nothing is written then, and nothing may be sent.
        """
        try:
            with fenced(self._engine, self._fence) as connection:
                after = [self._change(connection, entry) for entry in changed]
                after.extend(self._add(connection, entry) for entry in added)
        except StorageError as problem:
            if isinstance(problem.__cause__, IntegrityError):
                raise OvertakenError("transact_journal", "a nonce or an intent is held by another entry") from problem
            raise
        return after

    def forget(self, before_ts: int) -> int:
        """Delete what was closed long ago; a key that is forgotten may be begun again.

        Parameters
        ----------
        before_ts : int
            Entries closed before this are deleted, unix seconds.

        Returns
        -------
        int
            How many.
        """
        closed = and_(JOURNAL.c.state.not_in(OPEN), JOURNAL.c.closed_ts < before_ts)
        with fenced(self._engine, self._fence) as connection:
            return connection.execute(delete(JOURNAL).where(self._mine, closed)).rowcount

    def _change(self, connection: Connection, entry: Entry) -> Entry:
        """Write one entry unless somebody else has."""
        statement = (
            update(JOURNAL)
            .where(JOURNAL.c.id == entry.row_id, JOURNAL.c.revision == entry.revision)
            .values(revision=entry.revision + 1, **_columns(entry))
        )
        if connection.execute(statement).rowcount != 1:
            raise OvertakenError("transact_journal", f"{entry.key} was changed by somebody else")
        return replace(entry, revision=entry.revision + 1)

    def _add(self, connection: Connection, entry: Entry) -> Entry:
        """Add one entry."""
        values = {"revision": 0, "chain_id": self._chain_id, "signer": self._signer, **_columns(entry)}
        row_id = connection.execute(insert(JOURNAL).values(values)).inserted_primary_key
        return replace(entry, row_id=row_id[0] if row_id else 0, revision=0)

    def _read(self, condition: ColumnElement[bool]) -> list[Entry]:
        """Read entries by nonce, then age."""
        query = select(JOURNAL).where(self._mine, condition).order_by(JOURNAL.c.nonce, JOURNAL.c.id)
        with reading(self._engine) as connection:
            return [_entry(row) for row in connection.execute(query)]
