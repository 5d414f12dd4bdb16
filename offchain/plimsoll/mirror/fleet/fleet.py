"""All accounts at once: columns in, margins out, and after a change only what it touches."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from plimsoll.mirror.fleet.columns import AccountColumns, Columns, Names
from plimsoll.mirror.fleet.desk import Desk, bits
from plimsoll.mirror.fleet.margins import FleetMargins
from plimsoll.mirror.fleet.shard import Shard
from plimsoll.mirror.threads import cores
from plimsoll.model import Market, Round
from plimsoll.params import Params

Longs = npt.NDArray[np.int64]


class Fleet:
    """Every account of a deployment; see :meth:`from_columns`.

    One thread may change or evaluate a fleet at a time; what it returns is the caller's.

    Parameters
    ----------
    names : Names
        Symbols of the ids in the columns.
    threads : int, optional
        One for each core when not given.
    """

    def __init__(self, names: Names, threads: int | None = None) -> None:
        self._desk = Desk(names)
        self._shard = Shard(self._desk.catalogue, threads or cores())

    @classmethod
    def from_columns(cls, columns: AccountColumns, names: Names, threads: int | None = None) -> Fleet:
        """Make a fleet of all accounts.

        Parameters
        ----------
        columns : AccountColumns
            Copied; the fleet takes about 20 bytes a position and 150 an account.
        names : Names
        threads : int, optional

        Returns
        -------
        Fleet

        Raises
        ------
        InputError
            When the columns do not belong together. What is wrong with one account alone makes it unknown.
        """
        fleet = cls(names, threads)
        fleet.update(columns)
        return fleet

    def __len__(self) -> int:
        return len(self._shard.books)

    @property
    def account_ids(self) -> Longs:
        """Ids by row: the order in which accounts came."""
        return self._shard.books.ids.copy()

    def listed(self, names: Names) -> None:
        """Take the symbols of what was listed since; accounts that were unknown for want of one are looked at again.

        Parameters
        ----------
        names : Names
            Of all ids, old and new.
        """
        self._desk.names = names

    def update(self, columns: AccountColumns) -> None:
        """Take what some accounts hold now, all of it, new accounts among them; the others stay as they are.

        Parameters
        ----------
        columns : AccountColumns

        Raises
        ------
        InputError
            When the columns do not belong together; nothing is changed then.
        """
        self._shard.put(Columns.of(columns))

    def evaluate(self, market: Market, params: Params) -> FleetMargins:
        """Margin of every account.

        Parameters
        ----------
        market : Market
            It need not have all that is held: whoever holds what is missing is unknown.
        params : Params

        Returns
        -------
        FleetMargins
            By row.

        Notes
        -----
        Within 1e-12 of gross notional of :func:`plimsoll.mirror.margin_engine.evaluate`. What is returned is the same
        to the last bit whatever the number of threads or shards.
        """
        self.refresh(market, params)
        return self._shard.margins()

    def refresh(self, market: Market, params: Params) -> FleetMargins:
        """Margin of the accounts that may have changed since the last call: all of them at the first.

        Parameters
        ----------
        market : Market
        params : Params

        Returns
        -------
        FleetMargins
            Of holders of an underlying or token whose round, price or terms are others now, of accounts that were
            updated, and of everybody when parameters of the account or the peg are others.
        """
        return self._shard.refresh(*self._desk.tables(market, params))

    def watch(self, market: Market, params: Params, exact: Iterable[int], *, everybody: bool = False) -> FleetMargins:
        """Do the same for who only has to know who is in danger: whoever surely is healthy is not computed to the end.

        What positions need one by one is no less than what they need together, and known at once. Where equity exceeds
        even that, by more than two sides of the protocol may differ, it stands in place of the requirement.

        Parameters
        ----------
        market : Market
        params : Params
        exact : iterable of int
            Ids of accounts whose requirements are wanted however well they stand; they may be of no account.
        everybody : bool
            Return all accounts, and not those alone that may have changed.

        Returns
        -------
        FleetMargins
            As of :meth:`refresh`. Equity and state are exact for all; ``bounded`` tells where requirements are bounds.
        """
        tables, changed = self._desk.tables(market, params)
        found = self._shard.refresh(tables, changed, np.fromiter(exact, dtype=np.int64))
        return self._shard.margins() if everybody else found

    def reprice(self, round_: Round) -> FleetMargins:
        """Margin of the accounts that hold an underlying which has a new round; all else is as at the last call.

        Parameters
        ----------
        round_ : Round

        Returns
        -------
        FleetMargins
            As of :meth:`refresh`.

        Raises
        ------
        InputError
            When nothing was evaluated before.
        """
        return self.refresh(*self._desk.later(round_))

    def close(self) -> None:
        """Let go of nothing: only a fleet on workers has them to end."""

    def holders(self, underlying: str) -> Longs:
        """Return the accounts with positions in an underlying."""
        ids, names, books = self._desk.catalogue.underlyings.ids, self._desk.names, self._shard.books
        slots = [slot for slot, number in enumerate(ids) if names.underlyings.get(number) == underlying]
        found: Longs = books.ids[books.holds & np.uint64(bits(slots)) != 0]
        return found
