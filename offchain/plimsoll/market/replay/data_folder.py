"""Where recorded market data lies on this machine, and what its files are called."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from plimsoll.errors import InputError

CHAIN_FILE: Final = "deribit_chain_crash_2026-02.parquet"
PRICE_FILE: Final = "price_1h_okx_swap.parquet"
DAILY_FILE: Final = "price_1d_binance_spot.csv.gz"
FUNDING_FILE: Final = "funding_intraday.csv.gz"
DATA_VARIABLE: Final = "PLIMSOLL_MARKET_DATA"
#: Where the folder is looked for when none is named: beside the repository.
DATA_BESIDE: Final = Path(__file__).resolve().parents[5] / "shared" / "market-data"


def find_data(data_dir: Path | None = None) -> Path | None:
    """Folder of the market data.

    Parameters
    ----------
    data_dir : Path, optional
        Folder to take; default: what ``PLIMSOLL_MARKET_DATA`` names, else the one beside the repository.

    Returns
    -------
    Path or None
        None when no folder was named and the default one does not exist.

    Raises
    ------
    InputError
        When a named folder does not hold the chain file.
    """
    named = data_dir or (Path(value) if (value := os.environ.get(DATA_VARIABLE)) else None)
    if named is not None:
        if not (named / CHAIN_FILE).is_file():
            raise InputError(str(named), f"does not hold {CHAIN_FILE}")
        return named
    return DATA_BESIDE if (DATA_BESIDE / CHAIN_FILE).is_file() else None
