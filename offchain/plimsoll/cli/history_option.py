"""Which price history a command reads."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from pathlib import Path

from plimsoll.analytics.series.history import History, join_histories, load_history
from plimsoll.constants import DAY_SEC
from plimsoll.errors import InputError
from plimsoll.market.replay.replay import DAILY_FILE, find_data

#: Hours of the default history, each continued by the next.
HOURLY_FILES = ("price_1h_binance_spot.parquet", "price_1h_okx_swap.parquet")
HOUR_SEC = 3_600


def history_path(given: Path | None) -> Path:
    """Return the file given, else the daily prices of the market data folder.

    Raises
    ------
    InputError
        When neither is there.
    """
    return given if given is not None else data_file(DAILY_FILE, "--history")


def data_file(name: str, option: str) -> Path:
    """Return a file of the market data folder; InputError names the option when it is not there."""
    folder = find_data()
    if folder is None or not (folder / name).is_file():
        raise InputError(option, f"no file given, and no market data folder holds {name}")
    return folder / name


def hourly_history(given: Sequence[Path], assets: Sequence[str], hours: int) -> History:
    """Load hourly prices in steps of ``hours``; the files given, else those of the market data folder that are there.

    Raises
    ------
    InputError
        When none is there, or a step is missing within or between the files.
    """
    folder = find_data()
    found = list(given) or [folder / name for name in HOURLY_FILES if folder is not None and (folder / name).is_file()]
    if not found:
        raise InputError("--hourly", "no file given, and no market data folder holds hourly prices")
    parts = [load_history(path, assets, step_sec=hours * HOUR_SEC) for path in found]
    return reduce(join_histories, parts)


def chosen_history(given: Path | None, assets: Sequence[str], days: int | None = None) -> History:
    """Load daily history of ``assets``; with ``days`` only the last of them."""
    path = history_path(given)
    history = load_history(path, assets)
    if days is None:
        return history
    if days < 2:
        raise InputError("--days", f"{days} is below 2")
    keep = min(days + 1, history.ts.size)
    return load_history(path, assets, start=int(history.ts[-1]) - (keep - 1) * DAY_SEC)
