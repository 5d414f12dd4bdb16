"""VaR and expected shortfall of many accounts over one set of scenarios.

The P&L of every instrument under every scenario is computed once; an account is a sparse row of quantities. Sums are in
float32 blocks that fit the cache, so a figure is exact to about 1e-6 of the gross P&L it is summed from.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.var.tail import check_level
from plimsoll.errors import DomainError, InputError

Vector = npt.NDArray[np.float64]
Single = npt.NDArray[np.float32]
Index = npt.NDArray[np.int64]
#: Accounts summed at a time by one thread.
BLOCK: Final = 16
THREADS: Final = 2


@dataclass(frozen=True, slots=True)
class SparseBooks:
    """Quantities of ``n`` accounts in ``m`` instruments, compressed by row.

    Attributes
    ----------
    start : ndarray of int64, shape (n + 1,)
        Account ``a`` holds the entries ``start[a]`` to ``start[a + 1]``.
    instrument : ndarray of int64
    quantity : ndarray of float64
    """

    start: Index
    instrument: Index
    quantity: Vector

    def check(self, instruments: int) -> None:
        """Raise InputError when a row points outside or a quantity is no number."""
        if self.start[0] != 0 or self.start[-1] != self.instrument.size or (np.diff(self.start) < 0).any():
            raise InputError("books", "the row starts are not increasing from 0 to the number of entries")
        if self.instrument.size and not 0 <= int(self.instrument.min()) <= int(self.instrument.max()) < instruments:
            raise InputError("books", f"an entry names an instrument outside [0, {instruments})")
        if not np.isfinite(self.quantity).all():
            raise InputError("books", "a quantity is not a finite number")


@dataclass(frozen=True, slots=True)
class ManyRisk:
    """VaR and expected shortfall per account, cash, a loss positive."""

    var: Vector
    es: Vector


@cache
def _adder() -> Any:
    """Compile the kernel on first use; ``plimsoll --help`` must not wait for it."""
    import numba

    def add(pnl: Single, start: Index, instrument: Index, quantity: Single, first: int, out: Single) -> None:
        scenarios = pnl.shape[1]
        for row in range(out.shape[0]):
            sums = out[row]
            sums[:] = np.float32(0.0)
            low, high = start[first + row], start[first + row + 1]
            entry = low
            # Four at a time: the sums are read and written a quarter as often.
            while entry + 4 <= high:
                a, b = pnl[instrument[entry]], pnl[instrument[entry + 1]]
                c, d = pnl[instrument[entry + 2]], pnl[instrument[entry + 3]]
                qa, qb, qc, qd = quantity[entry], quantity[entry + 1], quantity[entry + 2], quantity[entry + 3]
                for s in range(scenarios):
                    sums[s] += qa * a[s] + qb * b[s] + qc * c[s] + qd * d[s]
                entry += 4
            while entry < high:
                one, q = pnl[instrument[entry]], quantity[entry]
                for s in range(scenarios):
                    sums[s] += q * one[s]
                entry += 1

    return numba.njit(nogil=True, fastmath=True, cache=True)(add)


def var_many(pnl: Single, books: SparseBooks, level: float) -> ManyRisk:
    """VaR and expected shortfall of every account.

    Parameters
    ----------
    pnl : ndarray of float32, shape (m, n_scenarios), C order
        P&L of one unit of every instrument under every scenario.
    books : SparseBooks
    level : float
        In [0.5, 1).

    Returns
    -------
    ManyRisk
        VaR is the loss of rank ``ceil(n*level)``, ES the Acerbi-Tasche mean of the worst ``n*(1-level)`` scenarios,
        the last of them in part.

    Raises
    ------
    InputError
        For a bad level or bad rows.
    DomainError
        If a result is not a finite number.
    """
    n = pnl.shape[1]
    check_level(level, float(n), "scenarios")
    books.check(pnl.shape[0])
    quantity = books.quantity.astype(np.float32)
    accounts = books.start.size - 1
    tail = n * (1.0 - level)
    whole = int(np.ceil(round(tail, 9)))
    rank = n - int(np.ceil(round(n * level, 9)))
    var, es = np.empty(accounts), np.empty(accounts)
    add = _adder()

    def block(first: int) -> None:
        rows = min(BLOCK, accounts - first)
        sums = np.empty((rows, n), dtype=np.float32)
        add(pnl, books.start, books.instrument, quantity, first, sums)
        sums.partition(max(whole, rank + 1) - 1, axis=1)
        worst = np.sort(sums[:, : max(whole, rank + 1)], axis=1).astype(np.float64)
        own = slice(first, first + rows)
        var[own] = -worst[:, rank]
        part = tail - (whole - 1)
        es[own] = -(worst[:, : whole - 1].sum(axis=1) + part * worst[:, whole - 1]) / tail

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(block, range(0, accounts, BLOCK)))
    if not (np.isfinite(var).all() and np.isfinite(es).all()):
        raise DomainError("accounts", "a P&L is too large for a float")
    return ManyRisk(var, es)
