"""What accounts hold by name: underlyings, tokens and instruments, numbered in the order in which they were seen.

Accounts that are divided among machines share one catalogue, so that unit arrays made once fit all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.mirror.fleet import book_kernels as kernels
from plimsoll.mirror.fleet.columns import Columns
from plimsoll.mirror.fleet.instruments import Instruments

Vector = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int32]
#: Ids of the chain are 16 bits; this many of them.
IDS: Final = 65_536


class Slots:
    """Ids of the chain in the order in which they were first seen."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.of: Numbers = np.full(IDS, -1, dtype=np.int32)

    def see(self, ids: npt.NDArray[np.int16]) -> None:
        """Give a slot to every id that has none."""
        seen = np.zeros(IDS, dtype=np.bool_)
        kernels.mark(ids, seen)
        self.add([at - IDS // 2 for at in np.flatnonzero(seen & (self.of < 0)).tolist()])

    def add(self, ids: list[int]) -> None:
        """Give the next slots to ids that have none, in this order."""
        for number in ids:
            self.of[number + IDS // 2] = len(self.ids)
            self.ids.append(number)


@dataclass(frozen=True, slots=True)
class Additions:
    """What a catalogue has learnt since it had some number of underlyings, tokens and instruments."""

    underlyings: list[int]
    tokens: list[int]
    slot: Longs
    kind: Longs
    expiry_ts: Longs
    strike: Vector


class Catalogue:
    """Slots of underlyings and tokens, numbers of instruments."""

    def __init__(self) -> None:
        self.instruments = Instruments()
        self.underlyings, self.tokens = Slots(), Slots()

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Number of underlyings, tokens and instruments."""
        return len(self.underlyings.ids), len(self.tokens.ids), self.instruments.count

    def see(self, columns: Columns) -> Numbers:
        """Give numbers and slots to what is in columns.

        Parameters
        ----------
        columns : Columns

        Returns
        -------
        ndarray of int32
            Instrument of each position, -1 for what is none.
        """
        self.underlyings.see(columns.underlying)
        self.tokens.see(columns.token)
        held = (columns.underlying, columns.kind, columns.expiry_ts, columns.price, columns.quantity)
        return self.instruments.numbers(*held, self.underlyings.of)

    def since(self, sizes: tuple[int, int, int]) -> Additions:
        """Return what was learnt since the catalogue had these sizes."""
        own = self.instruments
        return Additions(
            self.underlyings.ids[sizes[0] :],
            self.tokens.ids[sizes[1] :],
            own.underlying[sizes[2] :].copy(),
            own.kind[sizes[2] :].copy(),
            own.expiry_ts[sizes[2] :].copy(),
            own.strike[sizes[2] :].copy(),
        )

    def learn(self, more: Additions) -> None:
        """Take what another catalogue, which had the same sizes, has learnt since."""
        self.underlyings.add(more.underlyings)
        self.tokens.add(more.tokens)
        self.instruments.add(more.slot, more.kind, more.expiry_ts, more.strike)
