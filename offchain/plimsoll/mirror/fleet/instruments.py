"""Every instrument that any account holds, numbered as it is first seen; accounts name instruments by number alone."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.mirror.jit import compiled
from plimsoll.model import MAX_QUANTITY, MAX_STORED_PRICE, MAX_TS, Kind

Vector = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

#: Number of a position that is none: a kind, price or quantity that no contract could hold.
NONE: Final = -1
#: What every kind is, by number. Arguments of the kernel and no constants of it: numba keeps compiled code as long as
#: this file stays the same, and a kind is said elsewhere.
_IS_OPTION: Final = np.array([kind.is_option for kind in Kind])
_HAS_EXPIRY: Final = np.array([kind.has_expiry for kind in Kind])
_EMPTY: Final = -1
_FIRST_ROOM: Final = 1_024


@compiled
def _number(
    underlying: npt.NDArray[np.int16],
    kind: npt.NDArray[np.int8],
    expiry_ts: Longs,
    price: Vector,
    quantity: Vector,
    slots: Numbers,
    option_kinds: Flags,
    dated_kinds: Flags,
    known: Longs,
    strikes: Vector,
    table: Numbers,
    used: int,
    begin: int,
    out: Numbers,
) -> tuple[int, int]:
    """Give numbers to positions from ``begin`` on; stop where the table of instruments is half full.

    Returns
    -------
    used : int
        Instruments known now.
    end : int
        The first position without a number.
    """
    size = table.size
    for i in range(begin, out.size):
        k, ts, q = kind[i], expiry_ts[i], quantity[i]
        if not 0 <= k < option_kinds.size:
            out[i] = NONE
            continue
        is_option = option_kinds[k]
        strike = price[i] if is_option else 0.0
        good = (ts != 0) == dated_kinds[k] and 0 <= ts <= MAX_TS
        good = good and 0.0 <= price[i] <= MAX_STORED_PRICE and (strike > 0.0 or not is_option)
        if not (good and -MAX_QUANTITY <= q <= MAX_QUANTITY):
            out[i] = NONE
            continue
        slot = slots[np.int64(underlying[i]) + 32768]
        # A multiplicative hash of what tells instruments apart.
        mixed = np.int64(ts * 4 + k) * np.int64(0x9E3779B97F4A7C1) + np.int64(slot) * np.int64(0x632BE59BD9B4E01)
        mixed += np.int64(strike * 1e4) * np.int64(0x2545F4914F6CDD1)
        mixed ^= mixed >> 29
        at = mixed & (size - 1)
        found = table[at]
        while found != _EMPTY:
            if known[found, 0] == slot and known[found, 1] == k and known[found, 2] == ts and strikes[found] == strike:
                break
            at = (at + 1) & (size - 1)
            found = table[at]
        if found == _EMPTY:
            if used >= strikes.size:
                return used, i
            found = used
            table[at] = found
            known[found, 0], known[found, 1], known[found, 2], strikes[found] = slot, k, ts, strike
            used += 1
        out[i] = found
    return used, out.size


class Instruments:
    """Distinct instruments, and the order in which an account's positions are kept.

    Attributes
    ----------
    count : int
    rank : ndarray of int32, shape (count,)
        Place in the order by underlying, expiry, strike, kind.
    segment : ndarray of int32, shape (count,)
        What is of one underlying and expiry.
    curve : ndarray of int32, shape (count,)
        The first instrument that was seen of the same strike, and so of the same curve.
    """

    def __init__(self) -> None:
        self.count = 0
        self._known = np.zeros((_FIRST_ROOM, 3), dtype=np.int64)
        self._strikes = np.zeros(_FIRST_ROOM)
        self._table = np.full(2 * _FIRST_ROOM, _EMPTY, dtype=np.int32)
        self._order()

    @property
    def underlying(self) -> Longs:
        """Slot of each instrument's underlying."""
        return self._known[: self.count, 0]

    @property
    def kind(self) -> Longs:
        """Kind of each instrument."""
        return self._known[: self.count, 1]

    @property
    def expiry_ts(self) -> Longs:
        """Expiry of each instrument, 0 for a perpetual."""
        return self._known[: self.count, 2]

    @property
    def strike(self) -> Vector:
        """Strike of each instrument, 0 for what is linear."""
        return self._strikes[: self.count]

    def numbers(
        self,
        underlying: npt.NDArray[np.int16],
        kind: npt.NDArray[np.int8],
        expiry_ts: Longs,
        price: Vector,
        quantity: Vector,
        slots: Numbers,
    ) -> Numbers:
        """Return the number of each position's instrument; new ones get the next numbers.

        Parameters
        ----------
        underlying, kind, expiry_ts, price, quantity : ndarray, shape (n,)
        slots : ndarray of int32, shape (65536,)
            Slot of the underlying of each id.

        Returns
        -------
        ndarray of int32, shape (n,)
            ``NONE`` for what no contract could hold.
        """
        before = self.count
        out = self._enter(underlying, kind, expiry_ts, price, quantity, slots)
        if self.count != before:
            self._order()
        return out

    def add(self, slot: Longs, kind: Longs, expiry_ts: Longs, strike: Vector) -> None:
        """Add instruments in this order, by slot of their underlying.

        Parameters
        ----------
        slot, kind, expiry_ts : ndarray of int64, shape (n,)
        strike : ndarray, shape (n,)
            0 for what is linear.
        """
        self._enter_again(slot, kind, expiry_ts, strike)
        self._order()

    def _enter(
        self,
        underlying: npt.NDArray[np.int16],
        kind: npt.NDArray[np.int8],
        expiry_ts: Longs,
        price: Vector,
        quantity: Vector,
        slots: Numbers,
    ) -> Numbers:
        """Give numbers to positions, making room for new instruments as they come."""
        out = np.empty(len(kind), dtype=np.int32)
        end = 0
        while True:
            tables = (self._known, self._strikes, self._table)
            self.count, end = _number(
                underlying,
                kind,
                expiry_ts,
                price,
                quantity,
                slots,
                _IS_OPTION,
                _HAS_EXPIRY,
                *tables,
                self.count,
                end,
                out,
            )
            if end == len(out):
                return out
            self._grow()

    def _enter_again(self, slot: Longs, kind: Longs, expiry_ts: Longs, strike: Vector) -> None:
        """Enter instruments by slot; a price of 0 is an entry like any other."""
        identity = np.arange(65536, dtype=np.int32) - np.int32(32768)
        self._enter(
            slot.astype(np.int16), kind.astype(np.int8), expiry_ts.copy(), strike.copy(), np.zeros(len(slot)), identity
        )

    def _grow(self) -> None:
        """Double the room and enter all instruments again."""
        held = (self.underlying, self.kind, self.expiry_ts, self.strike)
        room = 2 * len(self._strikes)
        self._known, self._strikes = np.zeros((room, 3), dtype=np.int64), np.zeros(room)
        self._table = np.full(2 * room, _EMPTY, dtype=np.int32)
        self.count = 0
        self._enter_again(*held)

    def _order(self) -> None:
        """Rank all instruments anew."""
        order = np.lexsort((self.kind, self.strike, self.expiry_ts, self.underlying))
        self.rank = np.empty(self.count, dtype=np.int32)
        self.rank[order] = np.arange(self.count, dtype=np.int32)
        underlying, expiry_ts, strike = (column[order] for column in (self.underlying, self.expiry_ts, self.strike))
        fresh = np.ones(self.count, dtype=bool)
        fresh[1:] = (underlying[1:] != underlying[:-1]) | (expiry_ts[1:] != expiry_ts[:-1])
        apart = fresh.copy()
        apart[1:] |= strike[1:] != strike[:-1]
        self.segment = np.empty(self.count, dtype=np.int32)
        self.segment[order] = np.cumsum(fresh) - 1
        self.curve = np.empty(self.count, dtype=np.int32)
        if self.count:
            lowest = np.minimum.reduceat(order, np.flatnonzero(apart))
            self.curve[order] = lowest[np.cumsum(apart) - 1]
        self.segment_underlying = underlying[fresh]
        self.segment_expiry_ts = expiry_ts[fresh]
