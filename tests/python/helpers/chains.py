"""Option chains that tests make up: snapshots of the synthetic market."""

from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from plimsoll.market.chain_file import split_table
from plimsoll.market.replay.synthetic import START_TS, synthetic_market


@cache
def _first():
    keep = pc.field("ts") == pa.scalar(START_TS, pa.timestamp("s", tz="UTC"))
    return {s.currency: s for s in split_table(synthetic_market().table.filter(keep), "synthetic chain")}


def snapshot_of(currency):
    """First snapshot of one underlying of the synthetic market."""
    return _first()[currency]
