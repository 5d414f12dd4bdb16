"""The oracle's anchors as the contract answers them, in the mirror's numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plimsoll.mirror.speed_limit import VARIANCES, Anchor, Anchors
from plimsoll.units import wad_to_float


def anchors_of(found: Any, expiries: Sequence[int]) -> Anchors:
    """Return the anchors that ``Oracle.anchorsOf`` answers with.

    Parameters
    ----------
    found : Any
        Time, spot and perpetual, and one surface for each expiry.
    expiries : Sequence[int]
        Those that were asked for, in the same order.

    Returns
    -------
    Anchors
        Without those of expiries that were never listed.
    """
    ts, spot, perp, surfaces = found
    if not ts:
        return Anchors()
    listed = {expiry: _anchor(one) for expiry, one in zip(expiries, surfaces, strict=True) if one.ts}
    return Anchors(Anchor(ts, {"spot": wad_to_float(spot), "perp": wad_to_float(perp)}), listed)


def _anchor(found: Any) -> Anchor:
    values = (found.centreLnWad, found.upperLnWad, found.lowerLnWad)
    logs = {"forward": wad_to_float(found.forwardLnWad), "discount": wad_to_float(found.discountLnWad)}
    return Anchor(found.ts, logs | dict(zip(VARIANCES, map(wad_to_float, values), strict=True)))
