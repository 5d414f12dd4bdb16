"""What is still open of a settlement price, and the time its variance belongs to (risk-model section 1).

A series settles on the mean of spot over the last thirty minutes. Inside this window part of the payoff is known:
a quantity q at strike K is ``(1 - theta)*q`` at strike ``(K - theta*mean)/(1 - theta)``, exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.constants import YEAR_SEC
from plimsoll.errors import DomainError
from plimsoll.model import Round, Surface

WINDOW_SEC: Final = 1_800

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Window:
    """One expiry at a round: ``known`` is theta, ``mean`` the mean of spot so far (0 outside a window)."""

    time: float
    variance_time: float
    known: float
    mean: float

    @property
    def open(self) -> float:
        """Share of the payoff that is still open, ``1 - theta``."""
        return 1.0 - self.known


def time_to_expiry(expiry_ts: int, ts: int) -> float:
    """Years from ``ts`` to ``expiry_ts``, never negative."""
    return max(expiry_ts - ts, 0) / YEAR_SEC


def variance_time(left_sec: float) -> float:
    """Years that the variance of a mean over the window belongs to; continuous where the window opens."""
    return (left_sec - 1_200.0 if left_sec >= WINDOW_SEC else left_sec / 3.0) / YEAR_SEC


def window_of(round_: Round, expiry_ts: int) -> Window:
    """Look at one expiry at the time of a round.

    Parameters
    ----------
    round_ : Round
    expiry_ts : int

    Returns
    -------
    Window

    Raises
    ------
    DomainError
        When the window is open and the round carries no mean.
    """
    left = max(expiry_ts - round_.ts, 0)
    time = time_to_expiry(expiry_ts, round_.ts)
    if left >= WINDOW_SEC:
        return Window(time, variance_time(left), 0.0, 0.0)
    if round_.mean is None:
        message = f"expiry {expiry_ts} settles in {left} s and the round of {round_.ts} carries no settlement mean"
        raise DomainError(round_.underlying, message)
    return Window(time, variance_time(left), (WINDOW_SEC - left) / WINDOW_SEC, round_.mean)


@dataclass(frozen=True, slots=True)
class Moment:
    """One expiry at a time: what of its settlement price is known, cash per unit, and what is open.

    ``root`` is the square root of the time that its variance belongs to, years.
    """

    discount: float
    open: float
    known: float | Vector
    root: float


def moment_of(round_: Round, surface: Surface, forward: float | Vector, elapsed_sec: int = 0) -> Moment:
    """Look at one expiry after a time; what settles meanwhile settles at the moved ``forward``.

    Parameters
    ----------
    round_ : Round
    surface : Surface
        Of the round.
    forward : float or ndarray
        After the move.
    elapsed_sec : int
        Seconds from the round to the moment that is asked for; 0 is the round itself.

    Returns
    -------
    Moment

    Raises
    ------
    DomainError
        When the window is open and the round carries no mean.
    """
    window = window_of(round_, surface.expiry_ts)
    rest = max(max(surface.expiry_ts - round_.ts, 0) - elapsed_sec, 0)
    share = max(WINDOW_SEC - rest, 0) / WINDOW_SEC
    known = window.known * window.mean + (share - window.known) * forward
    return Moment(math.exp(-surface.rate * rest / YEAR_SEC), 1.0 - share, known, math.sqrt(variance_time(rest)))
