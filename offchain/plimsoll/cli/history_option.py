"""Which price history a command reads."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plimsoll.errors import InputError
from plimsoll.market.replay.data_folder import DAILY_FILE, find_data

if TYPE_CHECKING:
    # Late otherwise: what reads prices is slow to import, and many a command needs none.
    from plimsoll.analytics.series.as_of import Provenance
    from plimsoll.analytics.series.history import History

#: Hours of the default history, each continued by the next.
HOURLY_FILES = ("price_1h_binance_spot.parquet", "price_1h_okx_swap.parquet")
HOUR_SEC = 3_600

AsOf = Annotated[
    str | None,
    typer.Option("--as-of", help="Use no price later than this; default: the market's own time. ISO or unix seconds."),
]


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
    from plimsoll.analytics.series.history import join_histories, load_history

    folder = find_data()
    found = list(given) or [folder / name for name in HOURLY_FILES if folder is not None and (folder / name).is_file()]
    if not found:
        raise InputError("--hourly", "no file given, and no market data folder holds hourly prices")
    parts = [load_history(path, assets, step_sec=hours * HOUR_SEC) for path in found]
    return reduce(join_histories, parts)


def chosen_history(
    given: Path | None,
    assets: Sequence[str],
    days: int | None = None,
    *,
    market_ts: int | None = None,
    as_of: str | None = None,
) -> tuple[History, Provenance]:
    """Load the daily history of ``assets`` that was known at a moment.

    Parameters
    ----------
    given : Path or None
        Default: the market data folder's.
    assets : sequence of str
    days : int, optional
        Only the last so many moves of it.
    market_ts : int, optional
        Time of the market that the figures are about.
    as_of : str, optional
        Value of ``--as-of``; default the time of the market.

    Returns
    -------
    History, Provenance

    Raises
    ------
    InputError
        For a bad option, a bad file, or one in which too little was known by then.
    """
    from plimsoll.analytics.series.as_of import history_known_at, jumps_of, moment_of_text
    from plimsoll.analytics.series.history import load_history

    if days is not None and days < 2:
        raise InputError("--days", f"{days} is below 2")
    as_of_ts = None if as_of is None else moment_of_text(as_of)
    history, found = history_known_at(load_history(history_path(given), assets), market_ts, as_of_ts)
    if days is None or days + 1 >= history.ts.size:
        return history, found
    kept = history.between(int(history.ts[-days - 1]), int(history.ts[-1]) + 1)
    return kept, replace(found, first_ts=int(kept.ts[0]), rows=kept.ts.size, jumps=jumps_of(kept))


def told(found: Provenance | None) -> None:
    """Say on standard error what is wrong with the prices that are used, where any are."""
    for warning in () if found is None else found.warnings:
        print(f"warning: {warning}", file=sys.stderr)
