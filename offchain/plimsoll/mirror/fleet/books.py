"""What every account holds: positions by number of instrument and collateral by slot of token, in rows of two pools."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from plimsoll.errors import InputError
from plimsoll.mirror.fleet import book_kernels as kernels
from plimsoll.mirror.fleet.catalogue import IDS, Catalogue
from plimsoll.mirror.fleet.columns import Columns
from plimsoll.mirror.fleet.reasons import Reason
from plimsoll.mirror.fleet.slab import Slab
from plimsoll.model import MAX_CASH, Mode

Vector = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int32]
Masks = npt.NDArray[np.uint64]


class Books:
    """Accounts by row, in the order in which they came.

    Parameters
    ----------
    catalogue : Catalogue
        It learns what accounts hold.

    Attributes
    ----------
    ids : ndarray of int64, shape (n_acct,)
    modes : ndarray of int8, shape (n_acct,)
    cash : ndarray, shape (n_acct,)
    problem : ndarray of uint8, shape (n_acct,)
        What is wrong with the record itself, whatever the market.
    holds, pledges : ndarray of uint64, shape (n_acct,)
        Bit of the slot of each underlying held in positions, and of each token; all slots from 63 on share a bit.
    positions : Slab
        Instrument (int32), quantity, price as entered.
    collateral : Slab
        Slot of the token (int32), amount.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.ids: Longs = np.zeros(0, dtype=np.int64)
        self.modes: npt.NDArray[np.int8] = np.zeros(0, dtype=np.int8)
        self.cash: Vector = np.zeros(0)
        self.problem: npt.NDArray[np.uint8] = np.zeros(0, dtype=np.uint8)
        self.holds: Masks = np.zeros(0, dtype=np.uint64)
        self.pledges: Masks = np.zeros(0, dtype=np.uint64)
        self.positions = Slab((np.int32, np.float64, np.float64))
        self.collateral = Slab((np.int32, np.float64))
        self._sorted: Longs = np.zeros(0, dtype=np.int64)
        self._row_of: Longs = np.zeros(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.ids)

    def rows_of(self, account_ids: Longs) -> Longs:
        """Return the row of each account, -1 where there is none."""
        return kernels.locate(self._sorted, self._row_of, account_ids)

    def put(self, columns: Columns) -> Longs:
        """Take what accounts hold now, all of it; accounts that are new are added.

        Parameters
        ----------
        columns : Columns

        Returns
        -------
        ndarray of int64
            Rows that were written.

        Raises
        ------
        InputError
            When an account is there twice, or a position or collateral belongs to none of the accounts.
        """
        placed = owners_of(columns)
        rows = self._rows(columns.account_ids)
        self.modes[rows], self.cash[rows] = columns.modes, columns.cash
        bad = ~((columns.modes >= min(Mode)) & (columns.modes <= max(Mode)) & (np.abs(columns.cash) <= MAX_CASH))
        self.problem[rows] = np.where(bad, Reason.BAD_RECORD, Reason.NONE)
        self._put_positions(columns, rows, placed[0])
        self._put_collateral(columns, rows, placed[1])
        return rows

    def _rows(self, account_ids: Longs) -> Longs:
        """Row of each account; rows for those that have none."""
        rows = self.rows_of(account_ids)
        new = rows < 0
        added = int(new.sum())
        if added:
            first = len(self.ids)
            rows[new] = np.arange(first, first + added)
            self.ids = np.concatenate((self.ids, account_ids[new]))
            self.modes, self.problem, self.cash, self.holds, self.pledges = (
                np.concatenate((old, np.zeros(added, dtype=old.dtype)))
                for old in (self.modes, self.problem, self.cash, self.holds, self.pledges)
            )
            self.positions.add_rows(added)
            self.collateral.add_rows(added)
            self._row_of = _order(self.ids)
            self._sorted = self.ids[self._row_of]
        return rows

    def _put_positions(self, columns: Columns, rows: Longs, local: Numbers) -> None:
        instruments, numbers = self.catalogue.instruments, self.catalogue.see(columns)
        counts = np.zeros(len(rows), dtype=np.int32)
        spoiled = np.zeros(len(rows), dtype=np.bool_)
        kernels.count_positions(local, numbers, counts, spoiled)
        self.positions.place(rows, counts)
        kernels.fill_positions(
            local,
            numbers,
            columns.quantity,
            columns.price,
            self.positions.start[rows],
            counts,
            instruments.rank,
            spoiled,
            np.zeros_like(counts),
            *self.positions.columns,
        )
        self.problem[rows[spoiled]] |= np.uint8(Reason.BAD_RECORD)
        slots = np.minimum(instruments.underlying, 63).astype(np.uint64)
        kernels.masks(rows, self.positions.start, self.positions.count, self.positions.columns[0], slots, self.holds)

    def _put_collateral(self, columns: Columns, rows: Longs, local: Numbers) -> None:
        counts = np.zeros(len(rows), dtype=np.int32)
        spoiled = np.zeros(len(rows), dtype=np.bool_)
        slots = self.catalogue.tokens.of[columns.token.astype(np.int64) + IDS // 2]
        kernels.count_amounts(local, columns.amount, counts, spoiled)
        self.collateral.place(rows, counts)
        starts = self.collateral.start[rows]
        written = np.zeros_like(counts)
        kernels.fill_amounts(local, slots, columns.amount, starts, counts, spoiled, written, *self.collateral.columns)
        self.problem[rows[spoiled]] |= np.uint8(Reason.BAD_RECORD)
        bits = np.minimum(np.arange(len(self.catalogue.tokens.ids)), 63).astype(np.uint64)
        kernels.masks(
            rows, self.collateral.start, self.collateral.count, self.collateral.columns[0], bits, self.pledges
        )


def owners_of(columns: Columns) -> tuple[Numbers, Numbers]:
    """Find the account of each position and of each token among those of the columns.

    Parameters
    ----------
    columns : Columns

    Returns
    -------
    positions, collateral : ndarray of int32
        Places among ``account_ids``.

    Raises
    ------
    InputError
        When an account is there twice, or an owner is none of them.
    """
    ids = columns.account_ids
    order = _order(ids)
    return (
        _local("position_account", columns.position_account, ids, order),
        _local("collateral_account", columns.collateral_account, ids, order),
    )


def _order(ids: Longs) -> Longs:
    """Sort ids that mostly come sorted; refuse one that is there twice."""
    rising = np.arange(len(ids), dtype=np.int64)
    order = rising if (ids[1:] > ids[:-1]).all() else np.argsort(ids, kind="stable").astype(np.int64)
    again = np.flatnonzero(ids[order][1:] == ids[order][:-1])
    if len(again):
        raise InputError("account_ids", f"holds account {int(ids[order][again[0]])} twice")
    return order


def _local(name: str, owners: Longs, ids: Longs, order: Longs) -> Numbers:
    """Place of each owner among the ids; refuse one that is not there."""
    found = kernels.locate(ids[order], order, owners)
    if len(found) and int(found.min()) < 0:
        raise InputError(name, f"names account {int(owners[int(found.argmin())])}, which is not among account_ids")
    return found.astype(np.int32)
