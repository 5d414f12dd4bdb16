"""What a key has signed, kept before the signature leaves: never two messages of one subject and time."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine

from plimsoll.feeds.messages import Message
from plimsoll.feeds.tables import SIGNED
from plimsoll.storage import writing


class SignedStore:
    """Digests by signer, oracle, subject and time.

    Parameters
    ----------
    engine : Engine
        Migrated database. Two services with one key must share it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def claim(self, signer: str, domain: str, message: Message, digest: bytes) -> bool:
        """Claim the subjects and the time of a message for its digest, in one transaction.

        Parameters
        ----------
        signer : str
            Address.
        domain : str
            Chain and contract.
        message : Message
            What would be signed.
        digest : bytes
            Its digest.

        Returns
        -------
        bool
            Whether it may be signed: nothing was claimed before, or the very same digest.

        Raises
        ------
        StorageError
            When the database refuses or fails; nothing may be signed then.
        """
        table = SIGNED.c
        rows = [
            {"signer": signer, "domain": domain, "subject": subject, "ts": message.ts, "digest": digest}
            for subject in message.subjects
        ]
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        claimed = select(table.digest).where(
            table.signer == signer,
            table.domain == domain,
            table.subject.in_(message.subjects),
            table.ts == message.ts,
        )
        with writing(self._engine) as connection:
            before = connection.execute(claimed).scalars().all()
            if any(bytes(held) != digest for held in before):
                return False
            connection.execute(insert(SIGNED).on_conflict_do_nothing(), rows)
            # Between two statements another process of PostgreSQL may have claimed: what is there now decides.
            return all(bytes(held) == digest for held in connection.execute(claimed).scalars())
