"""The database of one index: what is read at a start, and what one step of it writes, all in one transaction.

Leader and standby keep one database, and both follow the chain. Each step therefore says what its writer believes the
database to hold. Where the other one was faster, what it wrote of the same chain counts as written, and only the rest
is; where it wrote something else, the step is refused and its writer reads the database again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import Table, delete, func, insert, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine

from plimsoll.chain.head import Head, Header
from plimsoll.errors import InputError
from plimsoll.index.reader import ChainEvent
from plimsoll.index.rows import account_of, account_row, fact_row, key_text, set_fact
from plimsoll.index.state import State
from plimsoll.index.tables import ACCOUNTS, BLOCKS, CURSORS, DIFFERENCES, EVENTS, FACTS, META
from plimsoll.index.touches import ABSENT, Entry
from plimsoll.index.wire import Log
from plimsoll.storage import StorageError, insert_many, reading, writing

#: Rows that are fetched at once when events are read again.
_AT_ONCE: Final = 10_000
#: Keys in one deletion, below what SQLite takes as variables of a statement.
_KEYS_AT_ONCE: Final = 400


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the index and the chain said differently, at one block; the chain is right."""

    block_number: int
    subject: str
    field: str
    ours: str
    theirs: str


@dataclass(slots=True)
class Step:
    """What one transaction writes.

    Parameters
    ----------
    head : Head
        Up to where events are stored when it is done.
    base : Head, optional
        The new last final block.
    entries : Mapping
        State at the new base, where it changed.
    drop_above : int, optional
        Everything above this block is forgotten first.
    logs, events : Sequence
        New events, raw and decoded.
    headers : Sequence[Header]
        New blocks that are not final.
    """

    head: Head
    base: Head | None = None
    entries: Mapping[Entry, Any] = field(default_factory=dict)
    drop_above: int | None = None
    logs: Sequence[Log] = ()
    events: Sequence[ChainEvent] = ()
    headers: Sequence[Header] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What a database holds: last final block, newest block, and the hashes of all between."""

    base: Head
    head: Head
    blocks: dict[int, Head]

    def has(self, block: Head) -> bool:
        """Return whether a block is the last final one or above it, and on this chain."""
        mine = self.base if block.number == self.base.number else self.blocks.get(block.number)
        return mine is not None and mine.hash == block.hash


class ConflictError(StorageError):
    """Another index wrote to the same database what this one does not know: read it again."""


class Archive:
    """Tables of one index.

    Parameters
    ----------
    engine : Engine
        Database, upgraded.
    identity : Mapping[str, str]
        Whose events these are; a database of another deployment is refused.
    fold : str
        Edition of the fold; state of another one is made anew from the events.

    Raises
    ------
    InputError
        When the database belongs to another deployment.
    StorageError
        When the database refuses or fails.
    """

    def __init__(self, engine: Engine, identity: Mapping[str, str], fold: str) -> None:
        self._engine = engine
        self._fold = fold
        with writing(engine) as connection:
            found: dict[str, str] = {row.key: row.value for row in connection.execute(select(META))}
            for key, value in identity.items():
                if found.get(key, value) != value:
                    shown = engine.url.render_as_string(hide_password=True)
                    text = f"holds the index of {key} {found[key]}, not of {value}; use another database"
                    raise InputError(f"database {shown}", text)
            added = {key: value for key, value in {**identity, "fold": fold}.items() if key not in found}
            self._put(connection, META, [{"key": key, "value": value} for key, value in added.items()])

    @property
    def is_outdated(self) -> bool:
        """Whether another edition of the fold has made the stored state."""
        with reading(self._engine) as connection:
            return bool(connection.scalar(select(META.c.value).where(META.c.key == "fold")) != self._fold)

    def known(self, start: Head) -> Known:
        """Return how far the index has come.

        Parameters
        ----------
        start : Head
            The block before the first of the deployment, for an empty database.

        Returns
        -------
        Known
            Blocks.
        """
        with reading(self._engine) as connection:
            return self._known(connection, start)

    def load(self, base: Head) -> State:
        """Return the state at the last final block.

        Parameters
        ----------
        base : Head
            From :meth:`known`.

        Returns
        -------
        State
            At the time of the block.

        Raises
        ------
        StorageError
            When a row cannot be read: the database is damaged.
        """
        state = State(ts=base.ts)
        with reading(self._engine) as connection:
            try:
                for row in connection.execution_options(yield_per=_AT_ONCE).execute(select(ACCOUNTS)):
                    state.accounts[row.account_id] = account_of(row)
                for row in connection.execute(select(FACTS)):
                    set_fact(state, row)
            except (ValueError, TypeError, KeyError) as reason:
                shown = self._engine.url.render_as_string(hide_password=True)
                raise StorageError(f"database {shown}", f"a row of the index is damaged ({reason!r})") from reason
        return state

    def logs(self, names: Mapping[str, bytes], first: int, last: int) -> Iterator[tuple[Log, int]]:
        """Yield stored logs in chain order, with the times of their blocks.

        Parameters
        ----------
        names : Mapping[str, bytes]
            Address by contract name.
        first : int
            First block.
        last : int
            Last block.

        Yields
        ------
        tuple[Log, int]
            Log and unix seconds.
        """
        query = select(EVENTS).where(EVENTS.c.block_number.between(first, last))
        ordered = query.order_by(EVENTS.c.block_number, EVENTS.c.log_index)
        with reading(self._engine) as connection:
            for row in connection.execution_options(yield_per=_AT_ONCE).execute(ordered):
                if row.contract in names:
                    hashes = "0x" + row.block_hash.hex(), "0x" + row.tx_hash.hex()
                    place = row.block_number, row.log_index
                    yield Log(*place, *hashes, names[row.contract], row.topics, row.data), row.block_ts

    def count_events(self) -> int:
        """Return the number of stored events."""
        with reading(self._engine) as connection:
            return int(connection.scalar(select(func.count()).select_from(EVENTS)) or 0)

    def write(self, step: Step, mine: Known) -> None:
        """Write one step, all of it or nothing.

        Parameters
        ----------
        step : Step
            What is new.
        mine : Known
            What its writer believes the database to hold.

        Raises
        ------
        ConflictError
            When another index of the same database has written something else meanwhile.
        StorageError
            When the database refuses or fails; it holds what it held before.
        """
        with writing(self._engine) as connection:
            # The row is there from the first opening on; whoever else writes a step waits here.
            connection.execute(select(META).where(META.c.key == "accounts").with_for_update())
            cursors = self._cursors(connection)
            if (cursors.get("base", mine.base), cursors.get("head", mine.head)) != (mine.base, mine.head):
                stored = self._known(connection, mine.base)
                self._compare(connection, step, stored.head.number)
                step = rest_of(step, mine, stored)
            if step.drop_above is not None:
                connection.execute(delete(EVENTS).where(EVENTS.c.block_number > step.drop_above))
                connection.execute(delete(BLOCKS).where(BLOCKS.c.number > step.drop_above))
            if step.logs:
                insert_many(connection, EVENTS, map(_event_row, step.logs, step.events))
            if step.headers:
                connection.execute(insert(BLOCKS), [_block_row(header) for header in step.headers])
            if step.base is not None:
                self._write_entries(connection, step.entries)
                connection.execute(delete(BLOCKS).where(BLOCKS.c.number <= step.base.number))
                self._put(connection, CURSORS, [_cursor_row("base", step.base)])
            self._put(connection, CURSORS, [_cursor_row("head", step.head)])

    def _compare(self, connection: Connection, step: Step, last: int) -> None:
        """Refuse new blocks that the other one has stored with other events: one of both read them wrongly."""
        if not step.headers:
            return
        number = EVENTS.c.block_number
        query = select(number, EVENTS.c.log_index).where(number.between(step.headers[0].number, last))
        theirs = {(row.block_number, row.log_index) for row in connection.execute(query)}
        ours = {(log.block_number, log.log_index) for log in step.logs if log.block_number <= last}
        if {place for place in theirs if place[0] <= step.head.number} != ours:
            raise ConflictError("index", f"blocks up to {last} are stored with other events than were read")

    def _cursors(self, connection: Connection) -> dict[str, Head]:
        return {row.name: Head(row.number, row.hash, row.ts) for row in connection.execute(select(CURSORS))}

    def _known(self, connection: Connection, start: Head) -> Known:
        cursors = self._cursors(connection)
        rows = connection.execute(select(BLOCKS).order_by(BLOCKS.c.number))
        blocks = {row.number: Head(row.number, row.hash, row.ts) for row in rows}
        base = cursors.get("base", start)
        return Known(base, cursors.get("head", base), blocks)

    def write_anew(self, step: Step) -> None:
        """Replace the whole state, after another edition of the fold has made it again from the events.

        Parameters
        ----------
        step : Step
            With every entry of the state.
        """
        with writing(self._engine) as connection:
            connection.execute(delete(ACCOUNTS))
            connection.execute(delete(FACTS))
            self._write_entries(connection, step.entries)
            self._put(connection, META, [{"key": "fold", "value": self._fold}])

    def note(self, differences: Sequence[Difference], seen_ts: int) -> None:
        """Keep what a comparison with the chain has found.

        Parameters
        ----------
        differences : Sequence[Difference]
            What differed.
        seen_ts : int
            Time of the block.
        """
        if differences:
            rows = [
                {
                    "seen_ts": seen_ts,
                    "block_number": item.block_number,
                    "subject": item.subject,
                    "field": item.field,
                    "ours": item.ours,
                    "theirs": item.theirs,
                }
                for item in differences
            ]
            with writing(self._engine) as connection:
                connection.execute(insert(DIFFERENCES), rows)

    def _write_entries(self, connection: Connection, entries: Mapping[Entry, Any]) -> None:
        """Bring the rows of some entries up to date, and no others."""
        gone = [entry for entry, value in entries.items() if value is ABSENT]
        held: list[tuple[Any, Any]] = [(entry, value) for entry, value in entries.items() if value is not ABSENT]
        for some in _pieces([entry[1] for entry in gone if entry[0] == "accounts"]):
            connection.execute(delete(ACCOUNTS).where(ACCOUNTS.c.account_id.in_(some)))
        for some in _pieces([(entry[0], key_text(entry[1])) for entry in gone if entry[0] != "accounts"]):
            connection.execute(delete(FACTS).where(tuple_(FACTS.c.section, FACTS.c.key).in_(some)))
        self._put(
            connection, ACCOUNTS, [account_row(entry[1], value) for entry, value in held if entry[0] == "accounts"]
        )
        self._put(connection, FACTS, [fact_row(entry, value) for entry, value in held if entry[0] != "accounts"])

    def _put(self, connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        """Insert rows, or replace those with the same key."""
        if not rows:
            return
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(table)
        keys = [column.name for column in table.primary_key]
        others = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=others), list(rows))


def rest_of(step: Step, mine: Known, stored: Known) -> Step:
    """Return what is left of a step to write, after another index has written to the same database.

    Parameters
    ----------
    step : Step
        As its writer made it.
    mine : Known
        What its writer believed the database to hold.
    stored : Known
        What it holds.

    Returns
    -------
    Step
        Ends at the head of the database, where the other one is ahead.

    Raises
    ------
    ConflictError
        When both are not of one chain, or too far apart to tell.
    """
    if step.drop_above is not None:
        return _rest_of_drop(step, mine, stored)
    if step.base is None:
        return _rest_of_append(step, mine, stored)
    if step.head.number > mine.head.number:
        raise ConflictError("index", f"the database is at block {stored.head.number}, not at {mine.head.number}")
    return _rest_of_base(step, mine, stored)


def _rest_of_drop(step: Step, mine: Known, stored: Known) -> Step:
    """Drop what is above a fork where the database is still on the branch that was left; else it has been done."""
    if not stored.has(step.head):
        raise ConflictError("index", f"the database does not hold block {step.head.number} {step.head.hash}")
    is_left = mine.has(stored.head) or stored.has(mine.head)
    return step if is_left else Step(stored.head)


def _rest_of_append(step: Step, mine: Known, stored: Known) -> Step:
    """Append blocks above the database's head; none where it has them all."""
    if stored.has(step.head):
        return Step(stored.head)
    new = {header.number: header.head for header in step.headers}
    ours = Known(mine.base, step.head, mine.blocks | new)
    at = stored.head.number
    if at < mine.head.number or not ours.has(stored.head):
        raise ConflictError("index", f"the database is at block {at} {stored.head.hash}, this index is elsewhere")
    kept = [place for place, log in enumerate(step.logs) if log.block_number > at]
    return replace(
        step,
        logs=[step.logs[place] for place in kept],
        events=[step.events[place] for place in kept],
        headers=[header for header in step.headers if header.number > at],
    )


def _rest_of_base(step: Step, mine: Known, stored: Known) -> Step:
    """Move the base where the database's is lower: what changed since a lower one covers what changed since it."""
    if step.base is None or not mine.has(stored.base):
        raise ConflictError("index", f"the database is final at block {stored.base.number}, which is not known here")
    if stored.base.number >= step.base.number:
        return Step(stored.head)
    if not stored.has(step.base):
        raise ConflictError("index", f"the database does not hold block {step.base.number} {step.base.hash}")
    return replace(step, head=stored.head)


def _pieces(keys: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (keys[at : at + _KEYS_AT_ONCE] for at in range(0, len(keys), _KEYS_AT_ONCE))


def _cursor_row(name: str, head: Head) -> dict[str, Any]:
    return {"name": name, "number": head.number, "hash": head.hash, "ts": head.ts}


def _block_row(header: Header) -> dict[str, Any]:
    return {"number": header.number, "hash": header.hash, "parent_hash": header.parent_hash, "ts": header.ts}


def _event_row(log: Log, event: ChainEvent) -> tuple[Any, ...]:
    """Return the columns of an event in the order of its table."""
    return (
        log.block_number,
        log.log_index,
        event.block_ts,
        bytes.fromhex(log.block_hash[2:]),
        bytes.fromhex(log.tx_hash[2:]),
        event.contract,
        event.name,
        log.topics,
        log.data,
    )
