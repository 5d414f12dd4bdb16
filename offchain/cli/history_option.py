"""Which price history a command reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from offchain.analytics.history import DAY_SEC, History, load_history
from offchain.errors import InputError
from offchain.market.replay import find_data

DEFAULT_FILE = "price_1d_binance_spot.csv.gz"


def history_path(given: Path | None) -> Path:
    """Return the file given, else the daily prices of the market data folder.

    Raises
    ------
    InputError
        When neither is there.
    """
    return given if given is not None else data_file(DEFAULT_FILE, "--history")


def data_file(name: str, option: str) -> Path:
    """Return a file of the market data folder; InputError names the option when it is not there."""
    folder = find_data()
    if folder is None or not (folder / name).is_file():
        raise InputError(option, f"no file given, and no market data folder holds {name}")
    return folder / name


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
