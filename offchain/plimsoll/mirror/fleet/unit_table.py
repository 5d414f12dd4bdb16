"""Per-unit arrays of all instruments of a fleet, kept between rounds: only what a change touches is priced again."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from plimsoll.mirror.fleet.instruments import Instruments
from plimsoll.mirror.fleet.layout import Shape
from plimsoll.mirror.fleet.market_terms import MarketTerms, Underlying
from plimsoll.mirror.fleet.terms import INSTRUMENT, InstrumentTerms, Records
from plimsoll.mirror.fleet.unit_rows import Pricing, UnitRows, Wanted, unit_rows
from plimsoll.model import OPTIONS

Longs = npt.NDArray[np.int64]

_COPIED: Final = (
    *("mark", "cash_delta", "vega", "straight", "entry_factor", "open_share"),
    *("scan_long", "scan_short", "long_alone", "short_alone", "problem"),
)


class UnitTable:
    """The arrays, and what they were priced with."""

    def __init__(self) -> None:
        self._shape: Shape | None = None
        self._units = UnitRows.empty(0, Shape(1, 0))
        self._keys: dict[int, tuple[Any, ...]] = {}

    def price(self, instruments: Instruments, terms: MarketTerms, segments: Records) -> None:
        """Bring every instrument up to date.

        Parameters
        ----------
        instruments : Instruments
        terms : MarketTerms
        segments : records
            Of the same market.
        """
        if terms.shape != self._shape:
            self._shape, self._keys = terms.shape, {}
            self._units = UnitRows.empty(0, terms.shape)
        before = len(self._units.problem)
        if before < instruments.count:
            self._extend(UnitRows.empty(instruments.count - before, terms.shape))
        rates = segments["basis_rate"][instruments.segment]
        for slot, underlying in enumerate(terms.underlyings):
            members = np.flatnonzero(instruments.underlying == slot)
            grown = bool(len(members)) and members[-1] >= before
            if grown or self._keys.get(slot) != underlying.key:
                self._fill(instruments, members, underlying, terms.shape, rates)
            self._keys[slot] = underlying.key

    def _extend(self, more: UnitRows) -> None:
        self._units = UnitRows(
            *(np.concatenate((getattr(self._units, i.name), getattr(more, i.name))) for i in fields(UnitRows))
        )

    def _fill(
        self,
        instruments: Instruments,
        members: Longs,
        underlying: Underlying,
        shape: Shape,
        rates: npt.NDArray[np.float64],
    ) -> None:
        """Price the instruments of one underlying."""
        if underlying.round_ is None or underlying.params is None or underlying.grid is None:
            self._units.problem[members] = underlying.problem
            return
        wanted = Wanted(
            kind=instruments.kind[members],
            expiry_ts=instruments.expiry_ts[members],
            strike=instruments.strike[members],
            curve=np.searchsorted(members, instruments.curve[members]).astype(np.int64),
            basis_rate=rates[members],
        )
        found = unit_rows(Pricing(underlying.round_, underlying.params, underlying.grid, shape), wanted)
        for item in fields(UnitRows):
            getattr(self._units, item.name)[members] = getattr(found, item.name)

    def terms(self, instruments: Instruments) -> InstrumentTerms:
        """Arrays as the kernel takes them."""
        records = np.zeros(instruments.count, dtype=INSTRUMENT)
        for name in _COPIED:
            records[name] = getattr(self._units, name)
        records["segment"], records["curve"] = instruments.segment, instruments.curve
        records["is_option"] = np.isin(instruments.kind, OPTIONS)
        return InstrumentTerms(self._units.rows, self._units.gap, records)
