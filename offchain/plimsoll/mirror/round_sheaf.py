"""Rounds of one underlying at one moment that differ in their numbers alone, as columns.

Stress work asks what one account is worth and needs in hundreds of moved markets. They have the same time, the same
expiries and the same windows, so every formula can take all of them at once, one row for each market.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plimsoll.errors import DomainError
from plimsoll.mirror.settlement_window import Window, time_to_expiry, window_of
from plimsoll.mirror.svi import Slices
from plimsoll.model import Round

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SheafSurface:
    """One expiry in ``n`` rounds; every array has the shape (n,)."""

    forward: Vector
    rate: Vector
    svi: Slices


@dataclass(frozen=True, slots=True)
class RoundSheaf:
    """``n`` rounds of one underlying.

    Attributes
    ----------
    first : Round
        Any of them: says what all of them share, the time, the expiries and whether a settlement window is open.
    spot, perp : ndarray, shape (n,)
    mean : ndarray, shape (n,)
        Mean of an open settlement window; zeros while none is open.
    surfaces : dict of int to SheafSurface
        By expiry.
    """

    first: Round
    spot: Vector
    perp: Vector
    mean: Vector
    surfaces: dict[int, SheafSurface]

    def __len__(self) -> int:
        return len(self.spot)

    def surface(self, expiry_ts: int) -> SheafSurface:
        """Return one expiry; DomainError when the rounds do not list it."""
        self.first.surface(expiry_ts)
        return self.surfaces[expiry_ts]

    def window(self, expiry_ts: int) -> Window:
        """Look at one expiry; its ``mean`` is of the first round and counts for that alone."""
        return window_of(self.first, expiry_ts)

    def discount(self, expiry_ts: int) -> Vector:
        """Return the discount factors of one expiry, shape (n,)."""
        return np.exp(-self.surface(expiry_ts).rate * time_to_expiry(expiry_ts, self.first.ts))


def sheaf_of(rounds: Sequence[Round]) -> RoundSheaf:
    """Put rounds side by side.

    Parameters
    ----------
    rounds : sequence of Round
        At least one; of one underlying, one time and the same expiries.

    Returns
    -------
    RoundSheaf

    Raises
    ------
    DomainError
        When they are not alike.
    """
    first = rounds[0]
    shape = _shape(first)
    for round_ in rounds:
        if _shape(round_) != shape:
            raise DomainError(first.underlying, "rounds side by side must be of one time and list the same expiries")
    numbers = np.array(
        [
            [
                (s.forward, s.rate, s.svi.a, s.svi.b, s.svi.rho, s.svi.m, s.svi.sigma)
                for s in (round_.surfaces[place] for round_ in rounds)
            ]
            for place in range(len(first.surfaces))
        ]
    ).reshape(len(first.surfaces), len(rounds), 7)
    surfaces = {
        surface.expiry_ts: SheafSurface(own[:, 0], own[:, 1], Slices(*own[:, 2:].T))
        for surface, own in zip(first.surfaces, numbers, strict=True)
    }
    spot, perp = (np.array([getattr(round_, name) for round_ in rounds]) for name in ("spot", "perp"))
    mean = np.array([0.0 if round_.mean is None else round_.mean for round_ in rounds])
    return RoundSheaf(first, spot, perp, mean, surfaces)


def _shape(round_: Round) -> tuple[object, ...]:
    expiries = tuple(surface.expiry_ts for surface in round_.surfaces)
    return round_.underlying, round_.ts, round_.mean is None, expiries
