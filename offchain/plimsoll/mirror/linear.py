"""One unit of a linear instrument: every room that values a future or a perpetual asks here, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plimsoll.errors import DomainError
from plimsoll.mirror.settlement_window import moment_of, time_to_expiry
from plimsoll.model import Kind, Round

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LinearUnit:
    """A linear instrument of entry ``e`` is worth ``discount * (share*price + known - e)``, cash per unit.

    ``price`` is the forward, or the perpetual's price; ``share`` what is open of the settlement price and ``known``
    what is settled of it; ``rate`` and ``time`` (years) are those of the expiry, 0 for a perpetual.
    """

    price: float | Vector
    discount: float
    share: float
    known: float | Vector
    rate: float
    time: float

    @property
    def entry_factor(self) -> float:
        """What one unit of cash of the entry takes off the value."""
        return self.discount

    @property
    def delta(self) -> float:
        """Value of a move of the price by one."""
        return self.discount * self.share

    @property
    def fair(self) -> float | Vector:
        """Entry at which it is worth nothing: what it trades at."""
        return (self.share * self.price + self.known) * (self.discount / self.entry_factor)

    def value(self, entry: float) -> float | Vector:
        """Return what one unit that was entered at ``entry`` is worth."""
        return self.entry_factor * (self.fair - entry)


def linear_unit(
    round_: Round, kind: Kind, expiry_ts: int, growth: float | Vector = 1.0, elapsed_sec: int = 0
) -> LinearUnit:
    """Look at one unit of a linear instrument, now or after a move.

    Parameters
    ----------
    round_ : Round
    kind : Kind
        A linear one.
    expiry_ts : int
        0 for a perpetual.
    growth : float or ndarray
        Factor by which spot, perpetual and forwards move.
    elapsed_sec : int
        Time that passes.

    Returns
    -------
    LinearUnit

    Raises
    ------
    DomainError
        When the round does not list the expiry, or carries no mean while its window is open.
    """
    if not kind.has_expiry:
        return LinearUnit(round_.perp * growth, 1.0, 1.0, 0.0, 0.0, 0.0)
    surface = round_.surface(expiry_ts)
    forward = surface.forward * growth
    moment = moment_of(round_, surface, forward, elapsed_sec)
    time = time_to_expiry(expiry_ts, round_.ts + elapsed_sec)
    return LinearUnit(forward, moment.discount, moment.open, moment.known, surface.rate, time)


def settled_value(kind: Kind, price: float, entry: float) -> float:
    """Return what one unit of a dated linear instrument pays at its expiry, as ``SettlementMath.sol`` does.

    Parameters
    ----------
    kind : Kind
        A linear one that expires.
    price : float
        Settlement price, cash.
    entry : float
        Cash.

    Returns
    -------
    float
        Cash; negative when the holder pays.

    Raises
    ------
    DomainError
        When the kind is settled by nobody.
    """
    if kind.is_option or not kind.has_expiry:
        raise DomainError(kind.word, "is no dated linear instrument")
    return price - entry
