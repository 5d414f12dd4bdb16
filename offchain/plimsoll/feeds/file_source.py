"""Rounds from files, so that anybody can run a keeper without a live venue (``--feed file:PATH``).

A folder of market data or a chain file is replayed: a snapshot is fitted when its time comes, and carried along the
path of spot until the next. A ``.json`` document is one moment; ``.jsonl`` holds one document a line and is replayed
too. With a shift, the first moment of the file happens at a time of the reader's choice, on any chain.
"""

from __future__ import annotations

import asyncio
import json
from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from plimsoll.constants import YEAR_SEC
from plimsoll.errors import InputError
from plimsoll.feeds.carry import carried, shifted
from plimsoll.feeds.document import reading_of, samples_of
from plimsoll.feeds.reading import Price, Problem, Reading, Sample, SourceError
from plimsoll.feeds.surface_fit import SurfaceFitter, bands_by_expiry
from plimsoll.files.reader import MAX_FILE_BYTES
from plimsoll.market.chain_file import ChainSnapshot, load_chain
from plimsoll.market.fit.bands import Bands
from plimsoll.market.fit.forwards import term_structure
from plimsoll.market.replay.replay import Replay, SpotPath, load_replay, premium_at
from plimsoll.market.replay.window import WINDOW_SEC, window_of, with_mean
from plimsoll.model import CASH_SYMBOL, Round

STEP_SEC: Final = 60
SAMPLE_SEC: Final = 60
CHAIN_SUFFIXES: Final = (".parquet", ".csv", ".csv.gz")


@dataclass(slots=True)
class ReplaySource:
    """A replayed market.

    Parameters
    ----------
    replay : Replay
        Snapshots and the path of spot between them.
    clock : Callable[[], float]
        The time it shows, unix seconds; that of the chain where one is replayed beside it.
    shift_sec : int
        Added to every time of the file, expiries included.
    step_sec : int
        Rounds are dated at multiples of this many seconds after the first snapshot, and at the snapshots.
    cash_price : float or None
        Price of the cash token, which a chain file does not quote; ``None`` leaves it to another source.
    """

    replay: Replay
    clock: Callable[[], float]
    shift_sec: int = 0
    step_sec: int = STEP_SEC
    cash_price: float | None = None
    name: str = "replay"
    _fitters: dict[str, SurfaceFitter] = field(default_factory=dict)
    _bands: dict[str, dict[int, Bands]] = field(default_factory=dict)

    async def read(self, required: Mapping[str, Collection[int]]) -> Reading:
        """Return the round of every underlying at the time of the clock."""
        ts = int(self.clock()) - self.shift_sec
        first = self.replay.timestamps[0]
        if ts < first:
            raise SourceError(self.name, f"starts at {first + self.shift_sec}, it is {ts + self.shift_sec}")
        number = bisect_right(self.replay.timestamps, ts) - 1
        return await asyncio.to_thread(self._reading, number, ts, required)

    async def samples(self, underlying: str, expiry_ts: int) -> tuple[Sample, ...]:
        """Return spot every minute of a window, as far as the clock has come."""
        if underlying not in self.replay.chains:
            return ()
        now = int(self.clock())
        found = []
        for at in range(expiry_ts - WINDOW_SEC + SAMPLE_SEC, min(expiry_ts, now) + 1, SAMPLE_SEC):
            try:
                found.append((at, self.replay.spot_between(underlying, at - self.shift_sec)))
            except InputError:
                continue
        return tuple(found)

    def covers(self, symbol: str) -> bool:
        """Return whether the file has a chain of an underlying, or prices the cash token."""
        return symbol in self.replay.chains or (symbol == CASH_SYMBOL and self.cash_price is not None)

    async def close(self) -> None:
        """Do nothing: the file is in memory."""

    def _reading(self, number: int, ts: int, required: Mapping[str, Collection[int]]) -> Reading:
        rounds: dict[str, Round] = {}
        problems: list[Problem] = []
        for symbol, chains in self.replay.chains.items():
            wanted = {expiry - self.shift_sec for expiry in required.get(symbol, ())}
            found, said = self._round(symbol, chains[number], ts, wanted)
            problems += said
            if found is not None:
                rounds[symbol] = found
        tokens = {}
        if self.cash_price is not None and rounds:
            tokens[CASH_SYMBOL] = Price(max(r.ts for r in rounds.values()), self.cash_price)
        bands = {symbol: self._bands.get(symbol, {}) for symbol in rounds}
        return Reading(rounds, tokens=tokens, bands=bands, problems=tuple(problems))

    def _round(
        self, symbol: str, snapshot: ChainSnapshot, ts: int, wanted: Collection[int]
    ) -> tuple[Round | None, tuple[Problem, ...]]:
        """Fit a snapshot once, then carry what it gave along the path."""
        fitter = self._fitters.setdefault(symbol, SurfaceFitter(self.name))
        premium = premium_at(self.replay.funding.get(symbol), snapshot.ts)
        fitted, problems = fitter.take(snapshot, premium, wanted, ())
        if fitted is None:
            return None, problems
        if fitted.ts == snapshot.ts:
            bands = bands_by_expiry(snapshot)
            self._bands[symbol] = {expiry + self.shift_sec: found for expiry, found in bands.items()}
        at = max(ts - (ts - snapshot.ts) % self.step_sec, fitted.ts)
        try:
            spot = self.replay.spot_between(symbol, at)
        except InputError as error:
            return None, (*problems, Problem(self.name, symbol, error.message))
        now = carried(fitted, at, fitted.spot if at == fitted.ts else spot)
        open_ts = window_of(now)
        seen = () if open_ts is None else self._path(symbol, open_ts, at)
        return shifted(with_mean(now, seen), self.shift_sec), problems

    def _path(self, symbol: str, expiry_ts: int, ts: int) -> tuple[Sample, ...]:
        """Return spot every minute of the window of an expiry, until a time of the file."""
        times = range(expiry_ts - WINDOW_SEC + SAMPLE_SEC, ts + 1, SAMPLE_SEC)
        return tuple((at, self.replay.spot_between(symbol, at)) for at in times)


@dataclass(slots=True)
class DocumentSource:
    """Documents of a file, each from its own time on.

    Parameters
    ----------
    documents : list of (int, object)
        Time and parsed JSON, by rising time.
    clock : Callable[[], float]
        The time it shows, unix seconds.
    shift_sec : int
        Added to every time of rounds and prices, expiries included.
    name : str
        Name of the file.
    """

    documents: list[tuple[int, Any]]
    clock: Callable[[], float]
    shift_sec: int
    name: str

    async def read(self, required: Mapping[str, Collection[int]]) -> Reading:
        """Return the last document whose time has come."""
        found = reading_of(self._document(), self.name)
        by = self.shift_sec
        return replace(
            found,
            rounds={symbol: shifted(one, by) for symbol, one in found.rounds.items()},
            spots={symbol: replace(one, ts=one.ts + by) for symbol, one in found.spots.items()},
            tokens={symbol: replace(one, ts=one.ts + by) for symbol, one in found.tokens.items()},
        )

    async def samples(self, underlying: str, expiry_ts: int) -> tuple[Sample, ...]:
        """Return the samples of the document, or the spots of the documents inside the window."""
        by, now = self.shift_sec, self.clock()
        stated = samples_of(self._document(), self.name, underlying, expiry_ts - by)
        if stated:
            return tuple((ts + by, price) for ts, price in stated if ts + by <= now)
        found: dict[int, float] = {}
        for ts, document in self.documents:
            spot = reading_of(document, self.name).spot_of(underlying)
            if spot is not None and ts + by <= now and expiry_ts - WINDOW_SEC < spot.ts + by <= expiry_ts:
                found[spot.ts + by] = spot.value
        return tuple(sorted(found.items()))

    def covers(self, symbol: str) -> bool:
        """Return whether the first document prices a symbol."""
        first = reading_of(self.documents[0][1], self.name)
        return symbol in first.tokens or symbol in first.underlyings()

    async def close(self) -> None:
        """Do nothing: the file is in memory."""

    def _document(self) -> Any:
        ts = self.clock() - self.shift_sec
        number = bisect_right([at for at, _ in self.documents], ts) - 1
        if number < 0:
            first = self.documents[0][0] + self.shift_sec
            raise SourceError(self.name, f"starts at {first}, it is {ts + self.shift_sec:.0f}")
        return self.documents[number][1]


def open_file(
    path: Path, clock: Callable[[], float], *, start_ts: int | None = None, cash_price: float | None = 1.0
) -> ReplaySource | DocumentSource:
    """Open a market on disk.

    Parameters
    ----------
    path : Path
        Folder of market data, chain file, ``.json`` document or ``.jsonl`` history.
    clock : Callable[[], float]
        The time it shows, unix seconds.
    start_ts : int, optional
        When the first moment of the file happens; at its own time when absent.
    cash_price : float, optional
        Price of the cash token where the file quotes none.

    Returns
    -------
    ReplaySource or DocumentSource

    Raises
    ------
    InputError
        When the file is missing, of another kind, or wrong.
    """
    if path.is_dir() or path.name.endswith(CHAIN_SUFFIXES):
        replay = load_replay(path) if path.is_dir() else _replay_of(path)
        shift_sec = 0 if start_ts is None else start_ts - replay.timestamps[0]
        return ReplaySource(replay, clock, shift_sec, cash_price=cash_price, name=path.name)
    if path.suffix not in (".json", ".jsonl"):
        raise InputError(str(path), "is no folder of market data, .parquet, .csv, .csv.gz, .json or .jsonl file")
    documents = _documents(path)
    shift_sec = 0 if start_ts is None else start_ts - documents[0][0]
    return DocumentSource(documents, clock, shift_sec, path.name)


def _replay_of(path: Path) -> Replay:
    """Return a chain file as a replay whose spot is a straight line from snapshot to snapshot."""
    chains: dict[str, list[ChainSnapshot]] = {}
    for snapshot in load_chain(path):
        chains.setdefault(snapshot.currency, []).append(snapshot)
    common = set.intersection(*({c.ts for c in found} for found in chains.values()))
    if not common:
        raise InputError(str(path), "its underlyings have no time in common")
    kept = {symbol: tuple(c for c in found if c.ts in common) for symbol, found in chains.items()}
    stamps = tuple(sorted(common))
    # One more point, so that the last snapshot can be carried on at its own spot.
    times = np.array([*stamps, stamps[-1] + 10 * YEAR_SEC], dtype=np.int64)
    paths = {}
    for symbol, found in kept.items():
        spots = [term_structure(c).spot for c in found]
        paths[symbol] = SpotPath.anchored(times, np.array([*spots, spots[-1]]), found)
    return Replay("real", stamps, kept, paths, {})


def _documents(path: Path) -> list[tuple[int, Any]]:
    """Read a file of documents by rising time; each must have a time and be of a schema that is read."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputError(str(path), f"larger than {MAX_FILE_BYTES} bytes")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(str(path), f"cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError:
        raise InputError(str(path), "is not UTF-8 text") from None
    parts = [line for line in text.splitlines() if line.strip()] if path.suffix == ".jsonl" else [text]
    found = []
    for number, part in enumerate(parts, 1):
        try:
            document = json.loads(part)
        except (ValueError, RecursionError) as error:
            raise InputError(str(path), f"line {number} is not valid JSON ({error})") from None
        reading_of(document, str(path))
        ts = document.get("timestamp")
        if isinstance(ts, bool) or not isinstance(ts, int):
            raise InputError(str(path), f"line {number}: timestamp is {ts!r}, no whole number of seconds")
        found.append((ts, document))
    if not found:
        raise InputError(str(path), "holds no document")
    return sorted(found, key=lambda item: item[0])
