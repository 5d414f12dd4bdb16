"""A made-up market for machines without data: a crash of about 30 % over 39 snapshots, from a seed.

Nothing here is a real price. The tables have the columns of a real chain file, so everything downstream
runs the same code; source and instrument names say "synthetic".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from plimsoll.constants import DAY_SEC, YEAR_SEC
from plimsoll.market.chain_file import SCHEMA
from plimsoll.mirror.black76 import greeks, price_and_delta

Vector = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

SOURCE: Final = "synthetic market"
START_TS: Final = 1_769_747_400  # 2026-01-30 04:30 UTC
STEP_SEC: Final = 21_600
SNAPSHOTS: Final = 39
HOUR_SEC: Final = 3_600
DEFAULT_SEED: Final = 20_260_130

# Days since the start and the logarithm of the price over its start.
_KNOT_DAYS: Final = np.array([-1.0, 0.0, 1.2, 1.9, 3.0, 5.0, 5.9, 6.7, 7.2, 8.2, 11.0])
_KNOT_LOG: Final = np.array([0.01, 0.0, -0.03, -0.12, -0.13, -0.18, -0.23, -0.40, -0.32, -0.28, -0.29])
_NOISE_HOURLY: Final = 0.0025
_NOISE_MEMORY: Final = 0.9
_CARRY: Final = 0.05
_IV_NOISE: Final = 0.0010
_TICK_COIN: Final = 0.0001
_CALM_FUNDING: Final = 1e-4
_CRASH_FUNDING: Final = -3e-4


@dataclass(frozen=True, slots=True)
class _Coin:
    """Shape of one underlying: ``beta`` scales the path, vols are decimals per year, steps are in USD."""

    symbol: str
    start: float
    beta: float
    long_vol: float
    front_calm: float
    front_crash: float
    near_step: float
    far_step: float


_COINS: Final = (
    _Coin("BTC", 83_000.0, 0.78, 0.46, 0.40, 0.95, 1_000.0, 2_500.0),
    _Coin("ETH", 2_750.0, 1.0, 0.64, 0.58, 1.25, 25.0, 100.0),
)


@dataclass(frozen=True, slots=True)
class SyntheticMarket:
    """Chain rows, hourly prices and funding of both underlyings.

    Attributes
    ----------
    table : pyarrow.Table
        Rows with the columns of a chain file.
    hours : mapping of str to (ndarray of int64, ndarray of float64)
        Unix seconds and price at each hour, by underlying.
    funding : mapping of str to (ndarray of int64, ndarray of float64)
        Unix seconds and rate per 8 hours, by underlying.
    """

    table: pa.Table
    hours: Mapping[str, tuple[Integers, Vector]]
    funding: Mapping[str, tuple[Integers, Vector]]


def synthetic_market(seed: int = DEFAULT_SEED) -> SyntheticMarket:
    """Build the synthetic market.

    Parameters
    ----------
    seed : int
        The same seed gives the same market.

    Returns
    -------
    SyntheticMarket
        ``SNAPSHOTS`` snapshots, six hours apart, of BTC and ETH.
    """
    noise = np.random.default_rng(seed)
    hour_ts = np.arange(START_TS - DAY_SEC, START_TS + 11 * DAY_SEC, HOUR_SEC) // HOUR_SEC * HOUR_SEC
    shared = _memory(noise.normal(0.0, _NOISE_HOURLY, hour_ts.size))
    tables, hours, funding = [], {}, {}
    for coin in _COINS:
        own = 0.5 * _memory(noise.normal(0.0, _NOISE_HOURLY, hour_ts.size))
        prices = coin.start * np.exp(coin.beta * _path(hour_ts) + shared + own)
        hours[coin.symbol] = (hour_ts, prices)
        funding[coin.symbol] = _funding(hour_ts)
        for index in range(SNAPSHOTS):
            ts = START_TS + index * STEP_SEC
            tables.append(_snapshot(coin, ts, float(np.interp(ts, hour_ts, prices)), noise))
    return SyntheticMarket(pa.concat_tables(tables), hours, funding)


def _memory(steps: Vector) -> Vector:
    """First-order autoregression of ``steps``."""
    values = np.zeros_like(steps)
    for i in range(1, steps.size):
        values[i] = _NOISE_MEMORY * values[i - 1] + steps[i]
    return values


def _path(ts: npt.ArrayLike) -> Vector:
    days = (np.asarray(ts, dtype=np.float64) - START_TS) / DAY_SEC
    path: Vector = np.interp(days, _KNOT_DAYS, _KNOT_LOG)
    return path


def _stress(ts: float) -> float:
    """Fall of the path over the last day, 0 in calm and about 1 at the worst."""
    fall = float(_path(ts - DAY_SEC)) - float(_path(ts))
    return min(max(fall / 0.15, 0.0), 1.0)


def _funding(hour_ts: Integers) -> tuple[Integers, Vector]:
    ts = hour_ts[hour_ts % (8 * HOUR_SEC) == 0]
    stress = np.array([_stress(float(t)) for t in ts])
    return ts, _CALM_FUNDING + stress * (_CRASH_FUNDING - _CALM_FUNDING)


def _expiries(ts: int) -> list[int]:
    """Four days, four Fridays and the last Fridays of coming months and quarters, at 08:00 UTC."""
    first = datetime.fromtimestamp(ts, UTC).replace(hour=8, minute=0, second=0, microsecond=0)
    if first.timestamp() <= ts:
        first += timedelta(days=1)
    friday = first + timedelta(days=(4 - first.weekday()) % 7)
    days = [first + timedelta(days=i) for i in range(4)] + [friday + timedelta(weeks=i) for i in range(4)]
    fridays = [friday + timedelta(weeks=i) for i in range(52)]
    last = [f for f in fridays if (f + timedelta(weeks=1)).month != f.month]
    days += last[:3] + [f for f in last if f.month % 3 == 0][:4]
    return sorted({int(d.timestamp()) for d in days})


def _strikes(coin: _Coin, forward: float, std: float, days: float) -> Vector:
    step = coin.near_step if days < 8.0 else coin.far_step
    reach = min(max(5.0 * std, 0.08), 1.2)
    low, high = forward * math.exp(-reach), forward * math.exp(reach)
    ladder = np.arange(math.ceil(low / step), math.floor(high / step) + 1.0) * step
    # Far strikes are listed ever more sparsely, as on a real board.
    thin = max(1, ladder.size // 30)
    strikes: Vector = ladder[(ladder / step).round().astype(np.int64) % thin == 0]
    return strikes


def _smile(k: Vector, theta: float, rho: float) -> Vector:
    """Power-law SSVI total variance, free of butterfly arbitrage for the numbers used here."""
    phi = 0.8 / math.sqrt(theta * (1.0 + theta))
    variance: Vector = 0.5 * theta * (1.0 + rho * phi * k + np.sqrt((phi * k + rho) ** 2 + 1.0 - rho * rho))
    return variance


def _snapshot(coin: _Coin, ts: int, spot: float, noise: np.random.Generator) -> pa.Table:
    stress = _stress(float(ts))
    front = coin.front_calm + stress * (coin.front_crash - coin.front_calm)
    rho = -0.15 - 0.25 * stress
    parts = [_expiry_rows(coin, ts, e, spot, (front, rho), noise) for e in _expiries(ts)]
    columns = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
    size = columns["strike"].size
    columns["ts"] = np.full(size, ts)
    columns["currency"] = np.full(size, coin.symbol)
    columns["index_price"] = np.full(size, round(spot, 2))
    return pa.table([_array(columns[f.name], f) for f in SCHEMA], schema=SCHEMA)


def _array(values: npt.NDArray[Any], field: pa.Field[Any]) -> pa.Array[Any]:
    mask = np.isnan(values) if field.name in ("bid", "ask") else None
    array: pa.Array[Any] = pa.array(values, mask=mask).cast(field.type)
    return array


def _expiry_rows(
    coin: _Coin, ts: int, expiry_ts: int, spot: float, shape: tuple[float, float], noise: np.random.Generator
) -> dict[str, npt.NDArray[Any]]:
    front, rho = shape
    years = (expiry_ts - ts) / YEAR_SEC
    forward = round(spot * math.exp(_CARRY * years), 2)
    atm = coin.long_vol + (front - coin.long_vol) * math.exp(-years / 0.12)
    strike = _strikes(coin, forward, atm * math.sqrt(years), years * 365.0)
    iv = np.sqrt(_smile(np.log(strike / forward), atm * atm * years, rho) / years)
    iv = np.round(iv + noise.normal(0.0, _IV_NOISE, strike.size), 4)
    strike, iv = np.repeat(strike, 2), np.repeat(iv, 2)
    is_call = np.arange(strike.size) % 2 == 0
    forwards, time = np.full(strike.size, forward), np.full(strike.size, years)
    price, delta = price_and_delta(is_call, forwards, strike, iv * np.sqrt(time), np.ones_like(time))
    mark = price / forward
    half = _TICK_COIN + 0.02 * mark
    bid = np.floor((mark - half) / _TICK_COIN) * _TICK_COIN
    size = strike.size
    return {
        "expiry": np.full(size, expiry_ts),
        "strike": strike,
        "type": np.where(is_call, "C", "P"),
        "bid": np.where(bid > 0.0, np.round(bid, 4), np.nan),
        "ask": np.round(np.ceil((mark + half) / _TICK_COIN) * _TICK_COIN, 4),
        "mark": np.round(mark, 8),
        "mark_iv": iv,
        "underlying": forwards,
        "underlying_name": np.full(size, f"SYNTHETIC.{coin.symbol}-{_label(expiry_ts)}"),
        "delta": np.round(delta, 5),
        "vega": np.round(greeks(is_call, forwards, strike, iv, time, np.zeros_like(time)).vega / 100.0, 5),
        "open_interest": np.round(noise.exponential(50.0, size), 1),
        "volume_24h": np.round(noise.exponential(5.0, size), 1),
    }


def _label(expiry_ts: int) -> str:
    day = datetime.fromtimestamp(expiry_ts, UTC)
    return f"{day.day}{day:%b%y}".upper()
