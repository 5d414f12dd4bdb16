"""What every account would leave unpaid under every row of the scenario book; the rows are those of its own margin.

A row says where prices and volatilities go. Here every underlying takes the same row at once, which is the crash that a
fund is there for, and each takes it alone, because a book that gains elsewhere would hide what it loses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.errors import InputError
from plimsoll.mirror.auction import Insolvent, bonus
from plimsoll.mirror.margin_engine import MarginResult
from plimsoll.mirror.scenario_book import scenario_book
from plimsoll.params import VOL_NAMES, Params

Vector = npt.NDArray[np.float64]

#: The auction's clock at which its bonus has grown to the share that governance set.
BONUS_AFTER_SEC: Final = 3_600.0
#: Multiples of the price range are compared as numbers of this many digits.
MULTIPLE_DIGITS: Final = 9


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the book, taken by some underlyings at once.

    Attributes
    ----------
    underlyings : tuple of str
        Who moves; all others stand still.
    multiple : float
        Move of the price in price ranges.
    vol : str
        ``up``, ``flat`` or ``down``.
    """

    underlyings: tuple[str, ...]
    multiple: float
    vol: str

    @property
    def is_within(self) -> bool:
        """Whether the move is inside the price range, which holds on 99.7 % of days."""
        return abs(self.multiple) <= 1.0

    def to_json(self) -> dict[str, object]:
        """Build the entry of a document."""
        return {"underlyings": list(self.underlyings), "ranges": self.multiple, "vol": self.vol}

    def __str__(self) -> str:
        """Say it in words, for example ``BTC, ETH by -3 ranges, vol up``."""
        return f"{', '.join(self.underlyings)} by {self.multiple:+g} ranges, vol {self.vol}"


@dataclass(frozen=True, slots=True)
class Shortfalls:
    """What accounts leave unpaid, cash; ``unpaid`` has a row for each of ``rows`` and a column for each account."""

    rows: tuple[Row, ...]
    names: tuple[str, ...]
    unpaid: Vector

    def of(self, numbers: Sequence[int]) -> Shortfalls:
        """Keep some rows, by number."""
        return Shortfalls(tuple(self.rows[number] for number in numbers), self.names, self.unpaid[list(numbers)])


def shortfalls(names: Sequence[str], margins: Sequence[MarginResult], params: Params) -> Shortfalls:
    """Take every account through every row.

    Parameters
    ----------
    names : sequence of str
        Of the accounts, in the order of ``margins``.
    margins : sequence of MarginResult
    params : Params
        Those of the margins.

    Returns
    -------
    Shortfalls
        Where the market equity of an account falls below zero: the loss, and what the auction pays a bidder beyond it
        within its first hour, ``min(bonusShare*M, loss + 0.02*M)`` with the maintenance margin of now.

    Raises
    ------
    InputError
        When there is no account, or names and margins are not as many.
    """
    if not margins:
        raise InputError("accounts", "there is none")
    if len(names) != len(margins):
        raise InputError("accounts", f"{len(names)} names for {len(margins)} margins")
    underlyings = sorted({name for margin in margins for name in margin.underlyings})
    moved = {name: _pnl_by_row(name, margins, params) for name in underlyings}
    rows = _rows(moved)
    unpaid = np.zeros((len(rows), len(margins)))
    for number, row in enumerate(rows):
        pnl = sum((moved[name][row.multiple, row.vol] for name in row.underlyings), np.zeros(len(margins)))
        for account, margin in enumerate(margins):
            unpaid[number, account] = _unpaid(margin, float(pnl[account]), params.account.bonus_share)
    return Shortfalls(rows, tuple(names), unpaid)


def _unpaid(margin: MarginResult, pnl: float, bonus_share: float) -> float:
    """Loss of one account below zero, with what its auction costs."""
    rest = margin.market_equity + pnl
    if rest >= 0.0:
        return 0.0
    account = Insolvent(rest, margin.maintenance_margin, reserve=0.0, credit=0.0, elapsed_sec=BONUS_AFTER_SEC)
    return -rest + bonus(account, bonus_share)


def _pnl_by_row(name: str, margins: Sequence[MarginResult], params: Params) -> dict[tuple[float, str], Vector]:
    """P&L of every account in one underlying, without weights, by (multiple of the range, vol state)."""
    book = scenario_book(params.book_of(name), params.for_underlying(name).price_range)
    found: dict[tuple[float, str], Vector] = {}
    for node, (multiple, vol, weight) in enumerate(book.layout):
        pnl = [m.underlyings[name].rows[node].pnl / weight if name in m.underlyings else 0.0 for m in margins]
        found[round(multiple, MULTIPLE_DIGITS), VOL_NAMES[vol]] = np.array(pnl)
    return found


def _rows(moved: Mapping[str, Mapping[tuple[float, str], Vector]]) -> tuple[Row, ...]:
    """Every row of every underlying alone, and each row that several have taken by them together."""
    alone = [Row((name,), *key) for name, found in moved.items() for key in found]
    keys = sorted({key for found in moved.values() for key in found})
    together = [Row(tuple(name for name, found in moved.items() if key in found), *key) for key in keys]
    return (*(row for row in together if len(row.underlyings) > 1), *alone)
