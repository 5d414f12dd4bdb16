"""The oracle's speed limits and anchors, read from the contract."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from plimsoll.chain.contracts import Contract
from plimsoll.mirror.speed_limit import VARIANCES, Anchor, Anchors, Limits
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
    ts, spot, perp, surfaces = oracle.call("anchorsOf", underlying_id, list(expiries))
    if not ts:
        return Anchors()
    listed = {expiry: _anchor(found) for expiry, found in zip(expiries, surfaces, strict=True) if found.ts}
    return Anchors(Anchor(ts, {"spot": wad_to_float(spot), "perp": wad_to_float(perp)}), listed)


def _anchor(found: Any) -> Anchor:
    values = (found.centreLnWad, found.upperLnWad, found.lowerLnWad)
    logs = {"forward": wad_to_float(found.forwardLnWad), "discount": wad_to_float(found.discountLnWad)}
    return Anchor(found.ts, logs | dict(zip(VARIANCES, map(wad_to_float, values), strict=True)))
