"""Events and the state they fold into, in one SQLite file (WAL) or any database SQLAlchemy reaches by URL."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Integer, String, create_engine, delete, event, func, select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from plimsoll.index.reader import ChainEvent

MEMORY = "sqlite://"


class _Base(DeclarativeBase):
    """Tables of the index."""


class _EventRow(_Base):
    """One decoded event: the source of everything else in the file."""

    __tablename__ = "events"

    block_number: Mapped[int] = mapped_column(Integer, primary_key=True)
    log_index: Mapped[int] = mapped_column(Integer, primary_key=True)
    block_ts: Mapped[int] = mapped_column(Integer)
    block_hash: Mapped[str] = mapped_column(String)
    tx_hash: Mapped[str] = mapped_column(String)
    contract: Mapped[str] = mapped_column(String)
    name: Mapped[str] = mapped_column(String, index=True)
    arguments: Mapped[str] = mapped_column(String)


class _SyncRow(_Base):
    """Blocks at which a sync ended; the newest says where to go on, all serve to find a fork."""

    __tablename__ = "synced"

    block_number: Mapped[int] = mapped_column(Integer, primary_key=True)
    block_hash: Mapped[str] = mapped_column(String)


class AccountRow(_Base):
    """One account; cash in wad as text, because SQL integers end at 64 bits."""

    __tablename__ = "accounts"

    account_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    owner: Mapped[str] = mapped_column(String, index=True)
    mode: Mapped[int] = mapped_column(Integer)
    cash_wad: Mapped[str] = mapped_column(String)


class CollateralRow(_Base):
    """One collateral amount, wad as text."""

    __tablename__ = "collateral"

    account_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    token_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    amount_wad: Mapped[str] = mapped_column(String)


class PositionRow(_Base):
    """One position word as text, with its underlying and expiry for queries."""

    __tablename__ = "positions"

    account_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    place: Mapped[int] = mapped_column(Integer, primary_key=True)
    word: Mapped[str] = mapped_column(String)
    underlying_id: Mapped[int] = mapped_column(Integer, index=True)
    expiry_ts: Mapped[int] = mapped_column(Integer, index=True)


class RoundRow(_Base):
    """One accepted round."""

    __tablename__ = "rounds"

    underlying_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    ts: Mapped[int] = mapped_column(Integer, primary_key=True)
    arguments: Mapped[str] = mapped_column(String)


class AuctionRow(_Base):
    """One running auction; reserve in wad as text."""

    __tablename__ = "auctions"

    account_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    started_ts: Mapped[int] = mapped_column(Integer)
    reserve_wad: Mapped[str] = mapped_column(String)
    bid_count: Mapped[int] = mapped_column(Integer)


def _plain(value: Any) -> Any:
    """Turn decoded arguments into JSON values."""
    if isinstance(value, SimpleNamespace):
        return {key: _plain(item) for key, item in vars(value).items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return "0x" + value.hex() if isinstance(value, bytes) else value


def _named(value: Any) -> Any:
    """Undo :func:`_plain`."""
    if isinstance(value, dict):
        return SimpleNamespace(**{key: _named(item) for key, item in value.items()})
    return [_named(item) for item in value] if isinstance(value, list) else value


def dump_arguments(values: Mapping[str, Any]) -> str:
    """Return event arguments as JSON text; integers keep all their digits."""
    return json.dumps({key: _plain(item) for key, item in values.items()})


def load_arguments(text: str) -> dict[str, Any]:
    """Return event arguments from JSON text; structs as namespaces, bytes as hexadecimal."""
    return {key: _named(item) for key, item in json.loads(text).items()}


def open_engine(url: str) -> Engine:
    """Open the database of the index.

    Parameters
    ----------
    url : str
        SQLAlchemy URL.

    Returns
    -------
    Engine
        SQLite in WAL mode, so that readers never wait for the keeper.
    """
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _pragmas(connection, _record) -> None:  # type: ignore[no-untyped-def]
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")

    return engine


class Store:
    """Database of one index.

    Parameters
    ----------
    url : str
        SQLAlchemy URL.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        _Base.metadata.create_all(self._engine)

    def session(self) -> Session:
        """Return a session; the caller commits."""
        return Session(self._engine)

    def last_synced(self) -> tuple[int, str] | None:
        """Return number and hash of the block up to which everything is stored."""
        with self.session() as session:
            row = session.scalars(select(_SyncRow).order_by(_SyncRow.block_number.desc()).limit(1)).first()
            return None if row is None else (row.block_number, row.block_hash)

    def synced_blocks(self, limit: int) -> list[tuple[int, str]]:
        """Return the newest sync points, newest first."""
        query = select(_SyncRow).order_by(_SyncRow.block_number.desc()).limit(limit)
        with self.session() as session:
            return [(row.block_number, row.block_hash) for row in session.scalars(query)]

    def roll_back(self, block_number: int) -> None:
        """Forget everything above a block.

        Parameters
        ----------
        block_number : int
            Last block that stays.
        """
        with self.session() as session:
            session.execute(delete(_EventRow).where(_EventRow.block_number > block_number))
            session.execute(delete(_SyncRow).where(_SyncRow.block_number > block_number))
            session.commit()

    def add_events(self, session: Session, events: Sequence[ChainEvent]) -> None:
        """Add decoded events.

        Parameters
        ----------
        session : Session
            Open session.
        events : Sequence[ChainEvent]
            New events.
        """
        session.add_all(
            _EventRow(
                block_number=item.block_number,
                log_index=item.log_index,
                block_ts=item.block_ts,
                block_hash=item.block_hash,
                tx_hash=item.tx_hash,
                contract=item.contract,
                name=item.name,
                arguments=dump_arguments(item.values),
            )
            for item in events
        )

    def add_sync_point(self, session: Session, block_number: int, block_hash: str) -> None:
        """Note that everything up to a block is stored."""
        session.merge(_SyncRow(block_number=block_number, block_hash=block_hash))

    def events(self) -> Iterator[ChainEvent]:
        """Yield every stored event in chain order."""
        query = select(_EventRow).order_by(_EventRow.block_number, _EventRow.log_index)
        with self.session() as session:
            for row in session.scalars(query):
                yield ChainEvent(
                    row.block_number,
                    row.log_index,
                    row.block_ts,
                    row.block_hash,
                    row.tx_hash,
                    row.contract,
                    row.name,
                    load_arguments(row.arguments),
                )

    def count_events(self) -> int:
        """Return the number of stored events."""
        with self.session() as session:
            return session.scalar(select(func.count()).select_from(_EventRow)) or 0
