"""The oracle's speed limits and anchors, read from the contract."""

from __future__ import annotations

from collections.abc import Collection

from plimsoll.chain.contracts import Contract
from plimsoll.feeds.anchors import anchors_of
from plimsoll.mirror.speed_limit import Anchors, Limits
from plimsoll.units import wad_to_float


def read_limits(oracle: Contract) -> Limits:
    """Read the limits of an oracle."""
    move, variance_move = (wad_to_float(oracle.call(name)) for name in ("maxMoveWad", "maxVarianceMoveWad"))
    return Limits(move, variance_move, int(oracle.call("heartbeatSec")))


def read_anchors(oracle: Contract, underlying_id: int, expiries: Collection[int]) -> Anchors:
    """Read the anchors of an underlying and of some of its expiries.

    Parameters
    ----------
    oracle : Contract
    underlying_id : int
        Id on chain.
    expiries : Collection[int]
        Those wanted.

    Returns
    -------
    Anchors
        Without those of expiries that were never listed.
    """
    wanted = list(expiries)
    return anchors_of(oracle.call("anchorsOf", underlying_id, wanted), wanted)
