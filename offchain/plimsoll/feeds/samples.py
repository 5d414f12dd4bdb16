"""Spot seen over time, in the common database: a restart inside a settlement window loses nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine

from plimsoll.constants import DAY_SEC
from plimsoll.feeds.reading import Reading, Sample
from plimsoll.feeds.tables import SAMPLES
from plimsoll.market.replay.window import WINDOW_SEC
from plimsoll.model import MAX_PRICE, MAX_TS, MIN_PRICE
from plimsoll.storage import reading, writing

COUNTED: Final = {"preserve_rowcount": True}
"""Without it the number of new rows is kept for updates and deletions alone."""
KEEP_SEC: Final = 3 * DAY_SEC
"""Samples are settled on within a day; two more are for the person who has to look."""


class SampleStore:
    """Samples of every underlying.

    Parameters
    ----------
    engine : Engine
        Migrated database; several keepers may share it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # What was written last, so that a reading that did not change is not written again.
        self._last: dict[str, Sample] = {}

    def add(self, underlying: str, samples: Iterable[Sample], source: str) -> int:
        """Keep samples; of two at one second the first stays.

        Parameters
        ----------
        underlying : str
            Symbol.
        samples : Iterable[Sample]
            Time and spot. Those outside the domain of a price or a time are left out: they would spoil the settlement.
        source : str
            Who said so.

        Returns
        -------
        int
            How many were new.

        Raises
        ------
        StorageError
            When the database refuses or fails; nothing was kept.
        """
        rows = [
            {"underlying": underlying, "ts": int(ts), "spot": float(spot), "source": source}
            for ts, spot in samples
            if 0 < ts <= MAX_TS and MIN_PRICE <= spot <= MAX_PRICE
        ]
        if not rows:
            return 0
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        with writing(self._engine) as connection:
            result = connection.execute(
                insert(SAMPLES).values(rows).on_conflict_do_nothing(), execution_options=COUNTED
            )
        return max(result.rowcount, 0)

    def observe(self, found: Reading, source: str) -> None:
        """Keep the spot of every underlying of a reading.

        Parameters
        ----------
        found : Reading
            Newest of a source.
        source : str
            Its name.

        Raises
        ------
        StorageError
            When the database refuses or fails.
        """
        for underlying in found.underlyings():
            price = found.spot_of(underlying)
            sample = None if price is None else (price.ts, price.value)
            if sample is not None and self._last.get(underlying) != sample:
                self.add(underlying, [sample], source)
                self._last[underlying] = sample

    def window(self, underlying: str, expiry_ts: int) -> tuple[Sample, ...]:
        """Return the samples of a settlement window.

        Parameters
        ----------
        underlying : str
            Symbol.
        expiry_ts : int
            End of the window, unix seconds.

        Returns
        -------
        tuple[Sample, ...]
            Increasing, in ``(expiry_ts - 1800, expiry_ts]``.

        Raises
        ------
        StorageError
            When the database refuses or fails.
        """
        table = SAMPLES.c
        query = (
            select(table.ts, table.spot)
            .where(table.underlying == underlying, table.ts > expiry_ts - WINDOW_SEC, table.ts <= expiry_ts)
            .order_by(table.ts)
        )
        with reading(self._engine) as connection:
            return tuple((int(ts), float(spot)) for ts, spot in connection.execute(query))

    def prune(self, now_ts: int) -> int:
        """Forget what is older than ``KEEP_SEC``.

        Parameters
        ----------
        now_ts : int
            Unix seconds.

        Returns
        -------
        int
            How many samples went.

        Raises
        ------
        StorageError
            When the database refuses or fails.
        """
        with writing(self._engine) as connection:
            return max(connection.execute(delete(SAMPLES).where(SAMPLES.c.ts < now_ts - KEEP_SEC)).rowcount, 0)
