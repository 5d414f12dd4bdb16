"""The market file that a command is given."""

from __future__ import annotations

import sys
from pathlib import Path

from plimsoll.files.market import load_market
from plimsoll.files.market_doubts import market_doubts
from plimsoll.model import Market


def read_market(path: Path) -> Market:
    """Read a market file and say on standard error what of it is hard to believe.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Market
    """
    market = load_market(path)
    for said in market_doubts(market):
        print(f"warning: {path}: {said}", file=sys.stderr)
    return market
