"""Loops that put columns into rows; each visits every entry once and makes no list of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from plimsoll.mirror.jit import compiled
from plimsoll.model import MAX_POSITIONS, MAX_QUANTITY

Vector = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Masks = npt.NDArray[np.uint64]


@compiled
def mark(ids: npt.NDArray[np.int16], seen: Flags) -> None:
    """Mark every id that occurs."""
    for i in range(ids.size):
        seen[np.int64(ids[i]) + 32768] = True


def locate(rising: Longs, row_of: Longs, wanted: Longs) -> Longs:
    """Row of each wanted id among rising ones, -1 where it is not there."""
    found = np.empty(wanted.size, dtype=np.int64)
    _locate(rising, row_of, wanted, found)
    return found


@compiled
def _locate(rising: Longs, row_of: Longs, wanted: Longs, found: Longs) -> None:
    at = 0
    for i in range(wanted.size):
        # Entries of one account stand side by side, and accounts mostly in order: look here and next first.
        if not (at < rising.size and rising[at] == wanted[i]):
            if at + 1 < rising.size and rising[at + 1] == wanted[i]:
                at += 1
            else:
                at = np.searchsorted(rising, wanted[i])
        found[i] = row_of[at] if at < rising.size and rising[at] == wanted[i] else -1


@compiled
def count_positions(local: Numbers, numbers: Numbers, counts: Numbers, spoiled: Flags) -> None:
    """Count the positions of each account; what is none, or too many, spoils the account."""
    for i in range(local.size):
        row = local[i]
        if numbers[i] < 0 or counts[row] >= MAX_POSITIONS:
            spoiled[row] = True
        else:
            counts[row] += 1


@compiled
def _sort(first: int, end: int, rank: Numbers, instrument: Numbers, quantity: Vector, price: Vector) -> bool:
    """Sort the positions of one account by rank; whether an instrument is there twice."""
    twice = False
    for i in range(first + 1, end):
        number, q, p = instrument[i], quantity[i], price[i]
        place = rank[number]
        j = i - 1
        while j >= first and rank[instrument[j]] > place:
            instrument[j + 1], quantity[j + 1], price[j + 1] = instrument[j], quantity[j], price[j]
            j -= 1
        instrument[j + 1], quantity[j + 1], price[j + 1] = number, q, p
        twice = twice or (j >= first and instrument[j] == number)
    return twice


@compiled
def fill_positions(
    local: Numbers,
    numbers: Numbers,
    held: Vector,
    entered: Vector,
    starts: Longs,
    counts: Numbers,
    rank: Numbers,
    spoiled: Flags,
    written: Numbers,
    instrument: Numbers,
    quantity: Vector,
    price: Vector,
) -> None:
    """Write positions into the rows of their accounts and sort each row by underlying, expiry and strike.

    ``written`` comes as zeros and counts what each row has got.
    """
    for i in range(local.size):
        row = local[i]
        if numbers[i] >= 0 and written[row] < counts[row]:
            at = starts[row] + written[row]
            instrument[at], quantity[at], price[at] = numbers[i], held[i], entered[i]
            written[row] += 1
    for row in range(starts.size):
        first = starts[row]
        if _sort(first, first + counts[row], rank, instrument, quantity, price):
            spoiled[row] = True


@compiled
def count_amounts(local: Numbers, amounts: Vector, counts: Numbers, spoiled: Flags) -> None:
    """Count the tokens of each account; an amount that is none spoils the account."""
    for i in range(local.size):
        counts[local[i]] += 1
        if not 0.0 <= amounts[i] <= MAX_QUANTITY:
            spoiled[local[i]] = True


@compiled
def fill_amounts(
    local: Numbers,
    slots: Numbers,
    amounts: Vector,
    starts: Longs,
    counts: Numbers,
    spoiled: Flags,
    written: Numbers,
    token: Numbers,
    amount: Vector,
) -> None:
    """Write collateral into the rows of its accounts; a token twice spoils the account. ``written`` comes as zeros."""
    for i in range(local.size):
        row = local[i]
        at = starts[row] + written[row]
        for before in range(starts[row], at):
            if token[before] == slots[i]:
                spoiled[row] = True
        token[at], amount[at] = slots[i], amounts[i]
        written[row] += 1


@compiled
def masks(rows: Longs, start: Longs, count: Numbers, entries: Numbers, bits: Masks, out: Masks) -> None:
    """Bit of each entry's kind, joined by row."""
    for i in range(rows.size):
        row = rows[i]
        mask = np.uint64(0)
        for at in range(start[row], start[row] + count[row]):
            mask |= np.uint64(1) << bits[entries[at]]
        out[row] = mask
