"""The synthetic market, always; the real crash, where its data is present."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from plimsoll.market.chain_file import ChainSnapshot, split_table
from plimsoll.market.replay import replay as replays
from plimsoll.market.replay.synthetic import START_TS, synthetic_market


@pytest.fixture(scope="session")
def made_up():
    return synthetic_market()


@pytest.fixture(scope="session")
def first_table(made_up) -> pa.Table:
    """First ETH snapshot of the synthetic market."""
    keep = (pc.field("currency") == "ETH") & (pc.field("ts") == pa.scalar(START_TS, pa.timestamp("s", tz="UTC")))
    return made_up.table.filter(keep)


@pytest.fixture(scope="session")
def first(first_table) -> ChainSnapshot:
    return split_table(first_table, "test")[0]


@pytest.fixture(scope="session")
def synthetic_replay() -> replays.Replay:
    return replays._synthetic()


@pytest.fixture(scope="session")
def data_folder() -> Path:
    folder = replays.find_data()
    if folder is None:
        pytest.skip("no market data on this machine")
    return folder


@pytest.fixture(scope="session")
def real_replay(data_folder) -> replays.Replay:
    return replays.load_replay(data_folder)
