"""The plays of the attackers, by what they turn against the protocol; importing them registers them."""

from tests.chain.profit.plays import (
    clocks,
    equity,
    hedges,
    lines,
    liquidity,
    loans,
    models,
    others,
    prices,
    remote,
    shares,
)
from tests.chain.profit.plays.registry import PLAYS

__all__ = [
    "PLAYS",
    "clocks",
    "equity",
    "hedges",
    "lines",
    "liquidity",
    "loans",
    "models",
    "others",
    "prices",
    "remote",
    "shares",
]
