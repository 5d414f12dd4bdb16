"""The half of a fleet that knows accounts and no price: what some accounts hold, and their margins."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.mirror.fleet.books import Books
from plimsoll.mirror.fleet.catalogue import Catalogue
from plimsoll.mirror.fleet.columns import Columns
from plimsoll.mirror.fleet.desk import Changed, Tables
from plimsoll.mirror.fleet.margin_kernel import margins_of, room
from plimsoll.mirror.fleet.margins import FleetMargins
from plimsoll.mirror.fleet.reasons import Reason, State
from plimsoll.mirror.fleet.terms import Holdings, Results
from plimsoll.mirror.threads import in_parts

Longs = npt.NDArray[np.int64]

#: Accounts that one thread takes at least.
PART: Final = 512


class Shard:
    """Accounts and their last margins.

    Parameters
    ----------
    catalogue : Catalogue
        Of the desk whose tables are used.
    threads : int
    """

    def __init__(self, catalogue: Catalogue, threads: int) -> None:
        self.books = Books(catalogue)
        self._threads = threads
        self._stale = np.zeros(0, dtype=np.bool_)
        self._results = _results(0)

    def put(self, columns: Columns) -> None:
        """Take what some accounts hold now; see :meth:`plimsoll.mirror.fleet.fleet.Fleet.update`."""
        rows = self.books.put(columns)
        added = len(self.books) - len(self._stale)
        if added:
            self._stale = np.concatenate((self._stale, np.ones(added, dtype=np.bool_)))
            self._results = _joined(self._results, _results(added))
        self._stale[rows] = True

    def refresh(self, tables: Tables, changed: Changed, exact: Longs | None = None) -> FleetMargins:
        """Compute the accounts that changed or that a change concerns; return those.

        Parameters
        ----------
        tables : Tables
        changed : Changed
            Since the last call.
        exact : ndarray of int64, optional
            Ids of accounts whose requirements must be no bounds; all when not given. Ids of nobody here do not matter.

        Returns
        -------
        FleetMargins
        """
        wanted = self._must_be_exact(tables, exact)
        self._stale |= wanted & self._results.bounded
        if changed.everybody:
            self._stale[:] = True
        elif changed.underlyings or changed.tokens:
            self._stale |= self.books.holds & np.uint64(changed.underlyings) != 0
            self._stale |= self.books.pledges & np.uint64(changed.tokens) != 0
        rows = np.flatnonzero(self._stale)
        strict = wanted[rows]
        held, shape, out = _holdings(self.books), tables.shape, self._results
        terms = (tables.instruments, tables.segments, tables.underlyings, tables.tokens, tables.account)

        def work(first: int, end: int) -> None:
            own = room(shape.width, shape.places, len(tables.underlyings.records))
            margins_of(rows, strict, first, end, held, *terms, shape.width, shape.places, own, out)

        in_parts(work, len(rows), self._threads, PART)
        self._stale[rows] = False
        return self._margins(rows)

    def _must_be_exact(self, tables: Tables, exact: Longs | None) -> npt.NDArray[np.bool_]:
        """Return by row whose requirements must be no bounds."""
        # What the proof of the bounds asks of the parameters; no contract has others.
        provable = bool((tables.underlyings.records["vega_term_rate"] <= 1.0).all())
        if exact is None or not provable:
            return np.ones(len(self.books), dtype=np.bool_)
        found = np.zeros(len(self.books), dtype=np.bool_)
        rows = self.books.rows_of(exact)
        found[rows[rows >= 0]] = True
        return found

    def margins(self) -> FleetMargins:
        """Return the last margins of all accounts, by row."""
        return self._margins(np.arange(len(self.books)))

    def _margins(self, rows: Longs) -> FleetMargins:
        found = self._results
        return FleetMargins(
            account_ids=self.books.ids[rows],
            equity=found.equity[rows],
            market_equity=found.market_equity[rows],
            initial=found.initial[rows],
            maintenance=found.maintenance[rows],
            gross=found.gross[rows],
            state=found.state[rows],
            reason=found.reason[rows],
            bounded=found.bounded[rows],
        )


def _results(rows: int) -> Results:
    """Return results of accounts that nobody has looked at."""
    return Results(
        equity=np.full(rows, np.nan),
        market_equity=np.full(rows, np.nan),
        initial=np.full(rows, np.nan),
        maintenance=np.full(rows, np.nan),
        gross=np.full(rows, np.nan),
        state=np.full(rows, State.UNKNOWN, dtype=np.int8),
        reason=np.full(rows, Reason.NONE, dtype=np.uint8),
        bounded=np.zeros(rows, dtype=np.bool_),
    )


def _joined(old: Results, new: Results) -> Results:
    return Results(**{name: np.concatenate((getattr(old, name), getattr(new, name))) for name in Results._fields})


def _holdings(books: Books) -> Holdings:
    """Rows and pools as the kernel takes them."""
    instrument, quantity, price = books.positions.columns
    token, amount = books.collateral.columns
    return Holdings(
        modes=books.modes,
        cash=books.cash,
        problem=books.problem,
        position_start=books.positions.start,
        position_count=books.positions.count,
        instrument=instrument,
        quantity=quantity,
        price=price,
        collateral_start=books.collateral.start,
        collateral_count=books.collateral.count,
        token=token,
        amount=amount,
    )
