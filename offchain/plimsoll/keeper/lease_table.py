"""The lease as a row: every comparison of times is made by the database, on its own clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Float,
    String,
    Table,
    and_,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine

from plimsoll.errors import UnavailableError
from plimsoll.storage import METADATA, reading, writing

LEASE: Final = Table(
    "lease",
    METADATA,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("beat", BigInteger, nullable=False),
    Column("expires_ts", Float, nullable=False),
)
MEMBER: Final = Table(
    "lease_member",
    METADATA,
    Column("holder", String, primary_key=True),
    Column("lease", String, nullable=False),
    Column("role", String, nullable=False),
    Column("is_well", Boolean, nullable=False),
    Column("seen_ts", Float, nullable=False),
)
#: Time of the statement and not of its transaction, which may have waited for a lock.
CLOCKS: Final = {
    "postgresql": "extract(epoch from clock_timestamp())::double precision",
    "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
}
#: Members that nobody has seen for so long are forgotten.
FORGET_SEC: Final = 7 * 24 * 3_600.0


class LeaseLostError(UnavailableError):
    """Another keeper acts now, or this one could not renew in time: nothing may be sent."""


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """The lease at one moment.

    Parameters
    ----------
    holder : str
        Who has it; empty when it was given back.
    token : int
        Grows with every change of hands.
    beat : int
        Grows with every renewal.
    left_sec : float
        Seconds until it expires, on the database's clock; negative afterwards.
    """

    holder: str
    token: int
    beat: int
    left_sec: float


@dataclass(frozen=True, slots=True)
class Member:
    """A keeper that shares the database.

    Parameters
    ----------
    holder : str
        Which process.
    role : str
        ``leader`` or ``standby``.
    is_well : bool
        Whether it made progress when it was seen.
    age_sec : float
        Seconds since then, on the database's clock.
    """

    holder: str
    role: str
    is_well: bool
    age_sec: float


def clock_of(engine_name: str) -> ColumnElement[float]:
    """Return the expression for the database's own time, unix seconds."""
    return literal_column(CLOCKS[engine_name], Float)


class LeaseTable:
    """Reads and changes one named lease.

    Parameters
    ----------
    engine : Engine
        Database that all keepers share.
    name : str
        What the lease is about, such as one deployment on one chain.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._name = name
        self._now = clock_of(engine.dialect.name)
        self._insert: Any = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert

    def read(self) -> LeaseRow | None:
        """Return the lease, or ``None`` when nobody ever had it."""
        columns = (LEASE.c.holder, LEASE.c.token, LEASE.c.beat, (LEASE.c.expires_ts - self._now).label("left_sec"))
        with reading(self._engine) as connection:
            row = connection.execute(select(*columns).where(LEASE.c.name == self._name)).one_or_none()
        return None if row is None else LeaseRow(row.holder, row.token, row.beat, row.left_sec)

    def acquire(self, holder: str, lease_sec: float, delay_sec: float, forced: LeaseRow | None = None) -> int | None:
        """Take the lease if it is free.

        Parameters
        ----------
        holder : str
            Who asks.
        lease_sec : float
            How long it lasts.
        delay_sec : float
            How long it must have been expired; one that was given back is free at once.
        forced : LeaseRow or None
            Row whose holder is known to be dead or silent: taken although it has not expired, unless it has changed.

        Returns
        -------
        int or None
            Fencing token, larger than every earlier one; ``None`` when somebody else has the lease.
        """
        free = or_(LEASE.c.holder == "", LEASE.c.expires_ts + delay_sec <= self._now)
        if forced is not None:
            same = and_(LEASE.c.holder == forced.holder, LEASE.c.token == forced.token, LEASE.c.beat == forced.beat)
            free = or_(free, same)
        until = self._now + lease_sec
        first = self._insert(LEASE).values(name=self._name, holder=holder, token=1, beat=0, expires_ts=until)
        taken = first.on_conflict_do_update(
            index_elements=[LEASE.c.name],
            set_={"holder": holder, "token": LEASE.c.token + 1, "beat": 0, "expires_ts": until},
            where=free,
        ).returning(LEASE.c.token)
        with writing(self._engine) as connection:
            token = connection.execute(taken).scalar_one_or_none()
        return None if token is None else int(token)

    def renew(self, holder: str, token: int, lease_sec: float) -> bool:
        """Move the end of a lease that is still held.

        Returns
        -------
        bool
            False when it has expired or changed hands; it then has to be acquired anew, with a new token.
        """
        held = and_(
            LEASE.c.name == self._name,
            LEASE.c.holder == holder,
            LEASE.c.token == token,
            LEASE.c.expires_ts > self._now,
        )
        moved = {"expires_ts": self._now + lease_sec, "beat": LEASE.c.beat + 1}
        with writing(self._engine) as connection:
            return connection.execute(update(LEASE).where(held).values(moved)).rowcount == 1

    def release(self, holder: str, token: int) -> None:
        """Give the lease back, so that a standby need not wait until it expires."""
        held = and_(LEASE.c.name == self._name, LEASE.c.holder == holder, LEASE.c.token == token)
        with writing(self._engine) as connection:
            connection.execute(update(LEASE).where(held).values(holder="", expires_ts=0.0))

    def fence(self, connection: Connection, token: int) -> None:
        """Refuse a transaction of a leader that is none any more.

        The row stays locked until the transaction ends, so that whoever takes over next sees what it wrote.

        Parameters
        ----------
        connection : Connection
            Open transaction that journals a send, on the same database; on SQLite one that ``writing`` has begun.
        token : int
            Fencing token.

        Raises
        ------
        LeaseLostError
            When the lease has expired or changed hands.
        """
        is_live = (LEASE.c.expires_ts > self._now).label("is_live")
        found = select(LEASE.c.token, is_live).where(LEASE.c.name == self._name).with_for_update(read=True)
        row = connection.execute(found).one_or_none()
        if row is None or row.token != token:
            raise LeaseLostError("lease", f"token {token} is not the current one, {row.token if row else 'none'}")
        if not row.is_live:
            raise LeaseLostError("lease", f"token {token} has expired")

    def see(self, holder: str, role: str, *, is_well: bool) -> None:
        """Write down that a keeper is there; it also shows that the database can be written.

        Parameters
        ----------
        holder : str
            Who writes.
        role : str
            ``leader`` or ``standby``.
        is_well : bool
            Whether it makes progress.
        """
        values = {"lease": self._name, "role": role, "is_well": is_well, "seen_ts": self._now}
        seen = self._insert(MEMBER).values(holder=holder, **values)
        seen = seen.on_conflict_do_update(index_elements=[MEMBER.c.holder], set_=values)
        with writing(self._engine) as connection:
            connection.execute(seen)
            connection.execute(MEMBER.delete().where(MEMBER.c.seen_ts < self._now - FORGET_SEC))

    def leave(self, holder: str) -> None:
        """Write down that a keeper is gone."""
        with writing(self._engine) as connection:
            connection.execute(MEMBER.delete().where(MEMBER.c.holder == holder))

    def has_well_other(self, holder: str, within_sec: float) -> bool:
        """Return whether another keeper that makes progress was seen lately.

        Parameters
        ----------
        holder : str
            Who asks.
        within_sec : float
            Longest time since it was seen.
        """
        rows = (MEMBER.c.lease == self._name, MEMBER.c.holder != holder, MEMBER.c.is_well)
        with reading(self._engine) as connection:
            asked = select(MEMBER.c.holder).where(*rows, MEMBER.c.seen_ts > self._now - within_sec)
            return connection.execute(asked).first() is not None

    def members(self) -> list[Member]:
        """Return every keeper of this lease, the one seen last first."""
        age = (self._now - MEMBER.c.seen_ts).label("age_sec")
        asked = select(MEMBER.c.holder, MEMBER.c.role, MEMBER.c.is_well, age).where(MEMBER.c.lease == self._name)
        with reading(self._engine) as connection:
            rows = connection.execute(asked.order_by(age)).all()
        return [Member(row.holder, row.role, row.is_well, float(row.age_sec)) for row in rows]
