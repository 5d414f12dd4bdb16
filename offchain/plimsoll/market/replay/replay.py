"""A replay: a run of chain snapshots with the spot path between them, real or synthetic."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pa_compute
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from plimsoll.errors import InputError
from plimsoll.market.chain_file import ChainSnapshot, load_chain, split_table
from plimsoll.market.fit.forwards import term_structure
from plimsoll.market.fit.rounds import SnapshotFit, fit_snapshot
from plimsoll.market.replay.data_folder import CHAIN_FILE, FUNDING_FILE, PRICE_FILE, find_data
from plimsoll.market.replay.synthetic import SOURCE, synthetic_market
from plimsoll.model import Round

Vector = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
DataSource = Literal["real", "synthetic"]

TWAP_SEC: Final = 1_800
DEFAULT_SAMPLES: Final = 30
FUNDING_AGE_SEC: Final = 43_200
"""Older funding says nothing about the premium; the perpetual is then marked at spot."""
PREMIUM_LIMIT: Final = 0.005
"""The premium that funding implies is kept within this fraction of spot."""
FUNDING_VENUES: Final = ("binance", "okx", "hyperliquid")
_HOUR_SEC: Final = 3_600


@dataclass(frozen=True, slots=True)
class SpotPath:
    """Spot between snapshots: hourly prices, scaled to pass through the spot of every snapshot.

    Attributes
    ----------
    ts : ndarray of int64
        Hours, unix seconds, increasing.
    price : ndarray of float64
        Traded price at those hours.
    anchor_ts : ndarray of int64
        Times of the snapshots.
    anchor_ratio : ndarray of float64
        Spot of the snapshot over the interpolated hourly price at those times.
    """

    ts: Integers
    price: Vector
    anchor_ts: Integers
    anchor_ratio: Vector

    @staticmethod
    def anchored(ts: Integers, price: Vector, chains: tuple[ChainSnapshot, ...]) -> SpotPath:
        """Scale an hourly path to the spot of the snapshots."""
        anchor_ts = np.array([c.ts for c in chains], dtype=np.int64)
        spot = np.array([term_structure(c).spot for c in chains])
        return SpotPath(ts, price, anchor_ts, spot / np.interp(anchor_ts, ts, price))

    def at(self, ts: int) -> float:
        """Price at ``ts``, linear between hours; the ratio is linear between snapshots and flat outside."""
        return float(np.interp(ts, self.ts, self.price) * np.interp(ts, self.anchor_ts, self.anchor_ratio))


@dataclass(frozen=True, slots=True)
class Replay:
    """Snapshots of every underlying at common times.

    Attributes
    ----------
    data_source : str
        ``real`` or ``synthetic``.
    timestamps : tuple of int
        Times of the rounds, unix seconds, increasing.
    chains : mapping of str to tuple of ChainSnapshot
        One snapshot for each timestamp, by underlying.
    paths : mapping of str to SpotPath
        Spot between the snapshots.
    funding : mapping of str to (ndarray of int64, ndarray of float64)
        Unix seconds and rate per 8 hours, by underlying; may be empty.
    """

    data_source: DataSource
    timestamps: tuple[int, ...]
    chains: Mapping[str, tuple[ChainSnapshot, ...]]
    paths: Mapping[str, SpotPath]
    funding: Mapping[str, tuple[Integers, Vector]]

    @property
    def underlyings(self) -> tuple[str, ...]:
        """Symbols, sorted."""
        return tuple(sorted(self.chains))

    def fit_at(
        self, number: int, underlying: str, required_expiries: Collection[int] = (), previous: SnapshotFit | None = None
    ) -> SnapshotFit:
        """Fit of one underlying at one round.

        Parameters
        ----------
        number : int
            Index into ``timestamps``.
        underlying : str
            Symbol.
        required_expiries : collection of int
            Expiries that positions hold.
        previous : SnapshotFit, optional
            Earlier fit, whose slices settle what quotes leave open.

        Returns
        -------
        SnapshotFit
            The round and its fits.

        Raises
        ------
        InputError
            When a required expiry cannot be fitted.
        """
        snapshot = self.chains[underlying][number]
        premium = premium_at(self.funding.get(underlying), snapshot.ts)
        return fit_snapshot(snapshot, required_expiries=required_expiries, perp_premium=premium, previous=previous)

    def round_at(
        self, number: int, underlying: str, required_expiries: Collection[int] = (), previous: SnapshotFit | None = None
    ) -> Round:
        """Round of one underlying; parameters as in ``fit_at``."""
        return self.fit_at(number, underlying, required_expiries, previous).round

    def listing(self, number: int) -> dict[str, dict[int, tuple[float, ...]]]:
        """Return the listed strikes by underlying and expiry at one round."""
        return {
            name: {expiry: chain[number].strikes(expiry) for expiry in chain[number].expiries}
            for name, chain in self.chains.items()
        }

    def expiries_between(self, underlying: str, after_ts: int, until_ts: int) -> tuple[int, ...]:
        """Return the listed expiries in ``(after_ts, until_ts]``, increasing: what falls due between two rounds."""
        listed = {e for chain in self.chains[underlying] for e in chain.expiries}
        return tuple(sorted(e for e in listed if after_ts < e <= until_ts))

    def spot_between(self, underlying: str, ts: int) -> float:
        """Spot of an underlying at any time inside the replay.

        Parameters
        ----------
        underlying : str
            Symbol.
        ts : int
            Unix seconds.

        Returns
        -------
        float
            The spot of the round at a snapshot; between snapshots an interpolation of hourly prices, not a record.

        Raises
        ------
        InputError
            When ``ts`` is outside the hourly prices.
        """
        path = self.paths[underlying]
        if not path.ts[0] <= ts <= path.ts[-1]:
            raise InputError("replay", f"no {underlying} price at {ts}; hours cover [{path.ts[0]}, {path.ts[-1]}]")
        return path.at(ts)

    def twap_samples(
        self, underlying: str, expiry_ts: int, count: int = DEFAULT_SAMPLES
    ) -> tuple[tuple[int, float], ...]:
        """Evenly spaced spot samples of the half hour that ends at an expiry.

        Parameters
        ----------
        underlying : str
            Symbol.
        expiry_ts : int
            Unix seconds.
        count : int
            Samples, 1 to 1,800.

        Returns
        -------
        tuple of (int, float)
            Time and price, increasing in ``(expiry_ts - 1800, expiry_ts]``; the last is at the expiry.

        Raises
        ------
        InputError
            When the count or the time is outside its range.
        """
        if not 1 <= count <= TWAP_SEC:
            raise InputError("replay", f"{count} samples; expected 1 to {TWAP_SEC}")
        times = [expiry_ts - TWAP_SEC + (i + 1) * TWAP_SEC // count for i in range(count)]
        return tuple((ts, self.spot_between(underlying, ts)) for ts in times)


def load_replay(data_dir: Path | None = None, rounds: int | None = None) -> Replay:
    """Load the crash of February 2026, or the synthetic market where that data is absent.

    Parameters
    ----------
    data_dir : Path, optional
        Folder of the market data. Without it the folder named by ``PLIMSOLL_MARKET_DATA``, then the one beside the
        repository is used when it holds the chain file.
    rounds : int, optional
        Take only the first so many snapshots.

    Returns
    -------
    Replay
        ``data_source`` tells which market it is.

    Raises
    ------
    InputError
        When a named folder lacks a file, a file is bad, or ``rounds`` is outside the data.
    """
    folder = find_data(data_dir)
    replay = _synthetic() if folder is None else _real(folder)
    return replay if rounds is None else _first(replay, rounds)


def premium_at(funding: tuple[Integers, Vector] | None, ts: int) -> float:
    """Perpetual premium over spot that the latest funding implies.

    Parameters
    ----------
    funding : (ndarray of int64, ndarray of float64) or None
        Unix seconds and rate per 8 hours.
    ts : int
        Unix seconds.

    Returns
    -------
    float
        The latest rate at or before ``ts`` within ``PREMIUM_LIMIT``, 0 when there is none within ``FUNDING_AGE_SEC``.
    """
    if funding is None:
        return 0.0
    times, rates = funding
    row = int(np.searchsorted(times, ts, side="right")) - 1
    if row < 0 or ts - int(times[row]) > FUNDING_AGE_SEC:
        return 0.0
    return min(max(float(rates[row]), -PREMIUM_LIMIT), PREMIUM_LIMIT)


def load_funding(path: Path) -> dict[str, tuple[Integers, Vector]]:
    """Read a funding file, one venue for each underlying and time.

    Parameters
    ----------
    path : Path
        CSV with ``ts, venue, asset, interval_h, rate``.

    Returns
    -------
    dict of str to (ndarray of int64, ndarray of float64)
        Unix seconds and rate per 8 hours; at one time the first venue of ``FUNDING_VENUES`` counts.

    Raises
    ------
    InputError
        When the file cannot be read.
    """
    try:
        table = pa_csv.read_csv(path, convert_options=pa_csv.ConvertOptions(column_types={"rate": pa.float64()}))
        times = table["ts"].cast(pa.timestamp("s", tz="UTC")).cast(pa.int64()).to_numpy()
        rates = table["rate"].to_numpy() * 8.0 / table["interval_h"].to_numpy()
        venues, assets = ([str(v) for v in table[name].to_pylist()] for name in ("venue", "asset"))
    except (OSError, KeyError, pa.ArrowException) as error:
        raise InputError(str(path), f"cannot be read: {str(error).splitlines()[0]}") from error
    order = {name: rank for rank, name in enumerate(FUNDING_VENUES)}
    rows = sorted(range(len(venues)), key=lambda i: (times[i], -order.get(venues[i], len(order))))
    result: dict[str, dict[int, float]] = {}
    for i in rows:
        result.setdefault(assets[i], {})[int(times[i])] = float(rates[i])
    return {a: (np.array(list(s), dtype=np.int64), np.array(list(s.values()))) for a, s in result.items()}


def load_hours(path: Path, asset: str, start_ts: int, end_ts: int) -> tuple[Integers, Vector]:
    """Read hourly prices of one asset.

    Parameters
    ----------
    path : Path
        Parquet with ``ts, asset, open, close`` where ``ts`` is the start of the bar.
    asset : str
        Symbol.
    start_ts, end_ts : int
        Range to cover, unix seconds.

    Returns
    -------
    ts : ndarray of int64
        Starts of bars, and the end of the last.
    price : ndarray of float64
        Price at those times: opens, then the last close.

    Raises
    ------
    InputError
        When the file cannot be read or does not cover the range.
    """
    try:
        table = pa_parquet.read_table(path, columns=["ts", "asset", "open", "close"])
    except (OSError, pa.ArrowException) as error:
        raise InputError(str(path), f"cannot be read: {str(error).splitlines()[0]}") from error
    table = table.filter(pa_compute.field("asset") == asset).sort_by("ts")
    ts: Integers = table["ts"].cast(pa.timestamp("s", tz="UTC"), safe=False).cast(pa.int64()).to_numpy()
    inside = (ts >= start_ts - _HOUR_SEC) & (ts <= end_ts)
    if not inside.any() or ts[inside][0] > start_ts or ts[inside][-1] + _HOUR_SEC < end_ts:
        raise InputError(str(path), f"hours of {asset} do not cover [{start_ts}, {end_ts}]")
    times, opens = ts[inside], table["open"].to_numpy()[inside]
    close = float(table["close"].to_numpy()[inside][-1])
    return np.append(times, times[-1] + _HOUR_SEC), np.append(opens, close)


def _group(snapshots: list[ChainSnapshot]) -> dict[str, tuple[ChainSnapshot, ...]]:
    """Snapshots by underlying, kept only at times that every underlying has."""
    names = sorted({s.currency for s in snapshots})
    common = set.intersection(*({s.ts for s in snapshots if s.currency == n} for n in names))
    return {n: tuple(s for s in snapshots if s.currency == n and s.ts in common) for n in names}


def _assemble(
    source: DataSource,
    chains: dict[str, tuple[ChainSnapshot, ...]],
    hours: Mapping[str, tuple[Integers, Vector]],
    funding: Mapping[str, tuple[Integers, Vector]],
) -> Replay:
    stamps = tuple(c.ts for c in next(iter(chains.values())))
    paths = {name: SpotPath.anchored(*hours[name], chain) for name, chain in chains.items()}
    return Replay(source, stamps, chains, paths, funding)


def _synthetic() -> Replay:
    market = synthetic_market()
    return _assemble("synthetic", _group(split_table(market.table, SOURCE)), market.hours, market.funding)


def _real(folder: Path) -> Replay:
    chains = _group(load_chain(folder / CHAIN_FILE))
    start = min(c[0].ts for c in chains.values()) - TWAP_SEC
    end = max(c[-1].ts for c in chains.values())
    hours = {name: load_hours(folder / PRICE_FILE, name, start, end) for name in chains}
    path = folder / FUNDING_FILE
    return _assemble("real", chains, hours, load_funding(path) if path.is_file() else {})


def _first(replay: Replay, rounds: int) -> Replay:
    if not 1 <= rounds <= len(replay.timestamps):
        raise InputError("rounds", f"{rounds} requested; expected 1 to {len(replay.timestamps)}")
    return Replay(
        replay.data_source,
        replay.timestamps[:rounds],
        {name: chain[:rounds] for name, chain in replay.chains.items()},
        replay.paths,
        replay.funding,
    )
