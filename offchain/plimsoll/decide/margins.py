"""Margins of all accounts as arrays, and the few rows that anything may have to be done about.

A million healthy accounts are one comparison of arrays; objects exist for the rest alone. Whatever is not surely above
its initial requirement is picked, a figure that is no number included, so that no error of the mirror hides an account.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.constants import AGREEMENT_BOUND

#: Rows that are compared at once: their temporaries stay in the cache of a core.
BLOCK_ROWS: Final = 16_384

Ids = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class AccountView:
    """One account as the mirror or the contract sees it at the latest round; money in cash units.

    Parameters
    ----------
    account_id : int
        Id on chain.
    equity, market_equity, initial, maintenance : float
        Risk-model sections 5 and 6.
    is_pure_debt : bool
        Negative cash and nothing else: nobody can gain by taking it over.
    """

    account_id: int
    equity: float
    market_equity: float
    initial: float
    maintenance: float
    is_pure_debt: bool = False

    @property
    def is_short(self) -> bool:
        """Section 6: below the initial requirement."""
        return self.equity < self.initial

    @property
    def is_auctionable(self) -> bool:
        """Section 6: below the maintenance requirement."""
        return self.equity < self.maintenance

    @property
    def shortfall_order(self) -> tuple[float, int]:
        """Largest deficit first, then by id so that the order never depends on the input's."""
        return (self.equity - self.maintenance, self.account_id)


@dataclass(frozen=True, slots=True)
class Margins:
    """Margins of all accounts by the mirror; money in cash units.

    Parameters
    ----------
    account_ids : ndarray of int64, shape (n,)
        Strictly ascending.
    equity, market_equity, initial, maintenance : ndarray of float64, shape (n,)
        Risk-model sections 5 and 6; of no meaning where ``unknown``.
    gross : ndarray of float64, shape (n,)
        Gross notional, on which the accuracy of the mirror is measured.
    unknown : ndarray of bool, shape (n,)
        Accounts of which the mirror cannot say anything.
    bounded : ndarray of bool, shape (n,)
        Accounts that surely are healthy, with bounds in place of requirements; who asks for their requirements has to
        ask the contract.
    """

    account_ids: Ids
    equity: Values
    market_equity: Values
    initial: Values
    maintenance: Values
    gross: Values
    unknown: Flags
    bounded: Flags

    @classmethod
    def ordered(
        cls,
        account_ids: Ids,
        equity: Values,
        market_equity: Values,
        initial: Values,
        maintenance: Values,
        gross: Values,
        unknown: Flags,
        bounded: Flags,
    ) -> Margins:
        """Return margins whose accounts come in any order, each once; sorted only where they are not.

        Parameters
        ----------
        account_ids, equity, market_equity, initial, maintenance, gross, unknown, bounded : ndarray, shape (n,)
            As the mirror of all accounts gives them.

        Returns
        -------
        Margins
        """
        columns = (equity, market_equity, initial, maintenance, gross)
        if not (account_ids[1:] > account_ids[:-1]).all():
            order = np.argsort(account_ids, kind="stable")
            account_ids, unknown, bounded = account_ids[order], unknown[order], bounded[order]
            columns = (equity[order], market_equity[order], initial[order], maintenance[order], gross[order])
        return cls(account_ids, *columns, unknown, bounded)

    def rows_of(self, account_ids: Iterable[int]) -> Ids:
        """Return the rows of some accounts, ascending; ids that are none of them have none.

        Parameters
        ----------
        account_ids : iterable of int

        Returns
        -------
        ndarray of int64, shape (k,)
        """
        wanted = np.fromiter(sorted(set(account_ids)), dtype=np.int64)
        if not self.account_ids.size:
            return np.empty(0, dtype=np.int64)
        places = np.minimum(np.searchsorted(self.account_ids, wanted), self.account_ids.size - 1)
        found: Ids = places[self.account_ids[places] == wanted]
        return found

    def view(self, row: int) -> AccountView:
        """Return one row as an object."""
        figures = (self.equity[row], self.market_equity[row], self.initial[row], self.maintenance[row])
        equity, market_equity, initial, maintenance = map(float, figures)
        return AccountView(int(self.account_ids[row]), equity, market_equity, initial, maintenance)


@dataclass(frozen=True, slots=True)
class Sifted:
    """What is left of all accounts.

    Parameters
    ----------
    views : tuple of AccountView
        Accounts that are not healthy, or that were asked for by name, by id; the mirror is sure of them.
    ask : tuple of int
        Accounts that the contract has to be asked for, by id.
    """

    views: tuple[AccountView, ...]
    ask: tuple[int, ...]


def sift(
    margins: Margins, *, also: Collection[int] = (), doubtful: Collection[int] = (), dead: Collection[int] = ()
) -> Sifted:
    """Pick the accounts that anything may have to be done about.

    Parameters
    ----------
    margins : Margins
        All accounts.
    also : collection of int
        Accounts wanted however well they stand: under auction, called for margin, the bidder's own. One that the mirror
        does not have is asked for.
    doubtful : collection of int
        Accounts whose figures here do not count: collateral at a stale price.
    dead : collection of int
        Accounts without any margin number on chain, by a stale round for example: left out.

    Returns
    -------
    Sifted
        Rows within the accuracy of the mirror of a limit, unknown ones, and ones that are no numbers, are to be asked.
    """
    picked = _picked(margins)
    forced = set(also) | set(doubtful)
    picked[margins.rows_of(forced)] = True
    rows = np.flatnonzero(picked)
    unsure = _is_unsure(margins, rows)
    unsure |= np.isin(margins.account_ids[rows], np.fromiter(doubtful, dtype=np.int64, count=len(doubtful)))
    alive = ~np.isin(margins.account_ids[rows], np.fromiter(dead, dtype=np.int64, count=len(dead)))
    missing = forced - set(margins.account_ids[rows].tolist()) - set(dead)
    ask = set(margins.account_ids[rows[unsure & alive]].tolist()) | missing
    views = tuple(margins.view(row) for row in rows[~unsure & alive].tolist())
    return Sifted(views, tuple(sorted(ask)))


def _picked(margins: Margins) -> Flags:
    """Return which rows are not surely healthy."""
    picked = margins.unknown.copy()
    with np.errstate(invalid="ignore"):
        for first in range(0, picked.size, BLOCK_ROWS):
            part = slice(first, first + BLOCK_ROWS)
            slack = margins.gross[part] * -AGREEMENT_BOUND
            slack += margins.equity[part]
            slack -= np.maximum(margins.initial[part], margins.maintenance[part])
            # A figure that is no number is not within any interval, and so picked.
            picked[part] |= ~((slack > 0.0) & (slack < np.inf))
    return picked


def _is_unsure(margins: Margins, rows: Ids) -> Flags:
    """Return which rows the mirror cannot decide."""
    band = AGREEMENT_BOUND * margins.gross[rows]
    equity, market = margins.equity[rows], margins.market_equity[rows]
    with np.errstate(invalid="ignore"):
        gaps = np.array([equity - margins.maintenance[rows], equity - margins.initial[rows], market, band])
    near = (np.abs(gaps[:3]) <= band).any(axis=0)
    broken = ~np.isfinite(gaps).all(axis=0)
    found: Flags = near | broken | margins.unknown[rows] | margins.bounded[rows]
    return found


def share_of(account_ids: Sequence[int], limit: int, turn: int) -> tuple[int, ...]:
    """Return as many accounts as one pass may ask for, other ones in the next turn, so that each has its turn.

    Parameters
    ----------
    account_ids : sequence of int
        All that should be asked for, in a fixed order.
    limit : int
        Most of one pass, positive.
    turn : int
        Number of the pass.

    Returns
    -------
    tuple of int
        Everything when it fits.
    """
    count = len(account_ids)
    if count <= limit:
        return tuple(account_ids)
    first = turn * limit % count
    return tuple((*account_ids[first:], *account_ids[:first])[:limit])


def merged(sifted: Sifted, answers: Mapping[int, AccountView], pure_debts: Collection[int]) -> tuple[AccountView, ...]:
    """Put the mirror's accounts and the contract's together.

    Parameters
    ----------
    sifted : Sifted
    answers : Mapping[int, AccountView]
        What the contract said; those it refused are missing, and nothing is decided on them.
    pure_debts : collection of int
        Accounts with a debt and nothing else.

    Returns
    -------
    tuple of AccountView
        By id; the contract's word goes before the mirror's.
    """
    found = {view.account_id: view for view in sifted.views} | dict(answers)
    debts = frozenset(pure_debts)
    return tuple(
        AccountView(number, view.equity, view.market_equity, view.initial, view.maintenance, number in debts)
        for number, view in sorted(found.items())
    )
