"""What a fleet answers: margins of many accounts as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from plimsoll.mirror.fleet.reasons import State

Vector = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FleetMargins:
    """Margins of ``n`` accounts, money in cash; requirements unsigned, equity signed.

    Attributes
    ----------
    account_ids : ndarray of int64, shape (n,)
    equity, market_equity, initial, maintenance, gross : ndarray, shape (n,)
        NaN where the state is unknown, so that no comparison with it is ever true.
    state : ndarray of int8, shape (n,)
        Values of :class:`plimsoll.mirror.fleet.reasons.State`.
    reason : ndarray of uint8, shape (n,)
        Flags of :class:`plimsoll.mirror.fleet.reasons.Reason`, 0 where the account is known.
    bounded : ndarray of bool, shape (n,)
        Accounts that surely are healthy, with bounds in place of their requirements; see
        :meth:`plimsoll.mirror.fleet.fleet.Fleet.watch`.
    """

    account_ids: Longs
    equity: Vector
    market_equity: Vector
    initial: Vector
    maintenance: Vector
    gross: Vector
    state: npt.NDArray[np.int8]
    reason: npt.NDArray[np.uint8]
    bounded: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.account_ids)

    def of(self, which: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> FleetMargins:
        """Return some of the accounts.

        Parameters
        ----------
        which : ndarray of int64 or bool
            Their places, or which are meant.

        Returns
        -------
        FleetMargins
        """
        return FleetMargins(*(getattr(self, item.name)[which] for item in fields(self)))

    @property
    def unknown(self) -> npt.NDArray[np.bool_]:
        """Accounts that the mirror cannot say anything about: the chain must be asked."""
        found: npt.NDArray[np.bool_] = self.state == State.UNKNOWN
        return found

    def uncertain(self, share: float) -> npt.NDArray[np.bool_]:
        """Accounts nearer to a limit than two sides of the protocol agree.

        Parameters
        ----------
        share : float
            Of gross notional.

        Returns
        -------
        ndarray of bool
            False for unknown accounts.
        """
        band = share * self.gross
        gaps = (self.equity - self.maintenance, self.equity - self.initial, self.market_equity)
        nearest: Vector = np.min([np.abs(gap) for gap in gaps], axis=0)
        return nearest <= band


def joined(parts: Sequence[FleetMargins]) -> FleetMargins:
    """Put margins of several fleets one after another."""
    names = [item.name for item in fields(FleetMargins)]
    return FleetMargins(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})
