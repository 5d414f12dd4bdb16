"""The journal: what was meant, with which nonce and under which hashes, on disk before anything is sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Integer, LargeBinary, String, create_engine, event, func, select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Status(StrEnum):
    """Life of an intent; only ``PLANNED`` and ``SENT`` are unfinished."""

    PLANNED = "planned"
    SENT = "sent"
    CONFIRMED = "confirmed"
    ALREADY_DONE = "already done"
    REVERTED = "reverted"


OPEN = (Status.PLANNED, Status.SENT)

# Failures older than this no longer count against an intent: prices have moved on.
FAILURE_WINDOW_SEC = 3_600


class _Base(DeclarativeBase):
    """Tables of the journal."""


class _Row(_Base):
    """One intent."""

    __tablename__ = "intents"

    key: Mapped[str] = mapped_column(String, primary_key=True)
    sender: Mapped[str] = mapped_column(String)
    nonce: Mapped[int] = mapped_column(Integer)
    target: Mapped[str] = mapped_column(String)
    data: Mapped[bytes] = mapped_column(LargeBinary)
    gas: Mapped[int] = mapped_column(Integer)
    max_fee_wei: Mapped[int] = mapped_column(Integer)
    hashes: Mapped[str] = mapped_column(String, default="[]")
    status: Mapped[str] = mapped_column(String)


class _Failure(_Base):
    """Simulations that reverted, by intent."""

    __tablename__ = "failures"

    key: Mapped[str] = mapped_column(String, primary_key=True)
    count: Mapped[int] = mapped_column(Integer, default=0)
    since_ts: Mapped[int] = mapped_column(Integer, default=0)
    last: Mapped[str] = mapped_column(String, default="")


@dataclass(frozen=True, slots=True)
class Entry:
    """One journalled intent."""

    key: str
    sender: str
    nonce: int
    target: str
    data: bytes
    gas: int
    max_fee_wei: int
    hashes: tuple[str, ...]
    status: Status


def _entry(row: _Row) -> Entry:
    return Entry(
        key=row.key,
        sender=row.sender,
        nonce=row.nonce,
        target=row.target,
        data=row.data,
        gas=row.gas,
        max_fee_wei=row.max_fee_wei,
        hashes=tuple(json.loads(row.hashes)),
        status=Status(row.status),
    )


def open_engine(path: Path | None) -> Engine:
    """Open a SQLite file in WAL mode, or memory.

    Parameters
    ----------
    path : Path or None
        Database file; ``None`` keeps everything in memory.

    Returns
    -------
    Engine
        Every commit is on disk when it returns (``synchronous = FULL``).
    """
    engine = create_engine("sqlite://" if path is None else f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def _pragmas(connection, _record) -> None:  # type: ignore[no-untyped-def]
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")

    return engine


class Journal:
    """Intents of one keeper.

    Parameters
    ----------
    path : Path or None
        Database file; ``None`` keeps everything in memory.
    """

    def __init__(self, path: Path | None) -> None:
        self._engine = open_engine(path)
        _Base.metadata.create_all(self._engine)

    def find(self, key: str) -> Entry | None:
        """Return the entry of an intent, or ``None``."""
        with Session(self._engine) as session:
            row = session.get(_Row, key)
            return None if row is None else _entry(row)

    def unfinished(self, sender: str) -> list[Entry]:
        """Return the intents of ``sender`` that were planned or sent and never confirmed, by nonce."""
        query = select(_Row).where(_Row.sender == sender, _Row.status.in_(OPEN)).order_by(_Row.nonce)
        with Session(self._engine) as session:
            return [_entry(row) for row in session.scalars(query)]

    def highest_open_nonce(self, sender: str) -> int | None:
        """Return the highest nonce that an unfinished intent of ``sender`` holds."""
        query = select(func.max(_Row.nonce)).where(_Row.sender == sender, _Row.status.in_(OPEN))
        with Session(self._engine) as session:
            return session.scalar(query)

    def plan(self, entry: Entry) -> None:
        """Write an intent with its nonce, before it is signed.

        Parameters
        ----------
        entry : Entry
            Replaces a finished entry of the same key.
        """
        with Session(self._engine) as session:
            session.merge(
                _Row(
                    key=entry.key,
                    sender=entry.sender,
                    nonce=entry.nonce,
                    target=entry.target,
                    data=entry.data,
                    gas=entry.gas,
                    max_fee_wei=entry.max_fee_wei,
                    hashes=json.dumps(list(entry.hashes)),
                    status=entry.status.value,
                )
            )
            session.commit()

    def add_hash(self, key: str, tx_hash: str, max_fee_wei: int) -> None:
        """Write the hash of a signed transaction, before it is sent.

        Parameters
        ----------
        key : str
            Intent.
        tx_hash : str
            Hash of the signed transaction.
        max_fee_wei : int
            Fee cap it was signed with, wei.
        """
        with Session(self._engine) as session:
            row = session.get_one(_Row, key)
            row.hashes = json.dumps([*json.loads(row.hashes), tx_hash])
            row.max_fee_wei = max_fee_wei
            row.status = Status.SENT.value
            session.commit()

    def finish(self, key: str, status: Status) -> None:
        """Close an intent.

        Parameters
        ----------
        key : str
            Intent.
        status : Status
            How it ended.
        """
        with Session(self._engine) as session:
            session.get_one(_Row, key).status = status.value
            session.commit()

    def note_failure(self, key: str, reason: str, now_ts: int) -> int:
        """Count a simulation that reverted.

        Parameters
        ----------
        key : str
            Intent.
        reason : str
            Error of the last one.
        now_ts : int
            Current time, unix seconds.

        Returns
        -------
        int
            How often this intent has failed in the present window.
        """
        with Session(self._engine) as session:
            row = session.get(_Failure, key)
            if row is None or now_ts - row.since_ts >= FAILURE_WINDOW_SEC:
                row = session.merge(_Failure(key=key, count=0, since_ts=now_ts))
            row.count += 1
            row.last = reason
            session.commit()
            return int(row.count)

    def failures(self, key: str, now_ts: int) -> int:
        """Return how often an intent failed in the present window.

        Parameters
        ----------
        key : str
            Intent.
        now_ts : int
            Current time, unix seconds.

        Returns
        -------
        int
            0 once the window has passed.
        """
        with Session(self._engine) as session:
            row = session.get(_Failure, key)
            return 0 if row is None or now_ts - row.since_ts >= FAILURE_WINDOW_SEC else int(row.count)
