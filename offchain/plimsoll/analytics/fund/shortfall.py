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

from plimsoll.analytics.fund.standing import RowKey, Standing
from plimsoll.errors import InputError
from plimsoll.mirror.auction import Insolvent, bonus
from plimsoll.params import VOL_NAMES, Params

Vector = npt.NDArray[np.float64]

#: The auction's clock at which its bonus has grown to the share that governance set.
BONUS_AFTER_SEC: Final = 3_600.0


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
        if not self.underlyings:
            return "no move"
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


def shortfalls(accounts: Standing, params: Params) -> Shortfalls:
    """Take every account through every row.

    Parameters
    ----------
    accounts : Standing
    params : Params
        Those of its margins.

    Returns
    -------
    Shortfalls
        Where the market equity of an account falls below zero by more than its guarantee lines hold: what they leave
        of the loss, and what the auction pays a bidder beyond it within its first hour,
        ``min(bonusShare*M, loss + 0.02*M)`` with the maintenance margin of now.

    Raises
    ------
    InputError
        When there is no account.
    """
    if not accounts.names:
        raise InputError("accounts", "there is none")
    rows = _rows(accounts.pnl)
    unpaid = np.zeros((len(rows), len(accounts)))
    for number, row in enumerate(rows):
        pnl = sum((accounts.pnl[name][row.multiple, row.vol] for name in row.underlyings), np.zeros(len(accounts)))
        rest = accounts.market_equity + pnl
        for account in np.flatnonzero(rest + accounts.lines < 0.0):
            lines, maintenance = float(accounts.lines[account]), float(accounts.maintenance[account])
            found = Insolvent(float(rest[account]), maintenance, 0.0, 0.0, BONUS_AFTER_SEC, lines)
            unpaid[number, account] = _unpaid(found, params.account.bonus_share)
    return Shortfalls(rows, accounts.names, unpaid)


def _unpaid(account: Insolvent, bonus_share: float) -> float:
    """Loss of one account beyond its lines, with what its auction costs."""
    return -account.rest - account.lines + bonus(account, bonus_share)


def _rows(moved: Mapping[str, Mapping[RowKey, Vector]]) -> tuple[Row, ...]:
    """Every row of every underlying alone, and each row that several have taken by them together."""
    alone = [Row((name,), *key) for name, found in moved.items() for key in found]
    keys = sorted({key for found in moved.values() for key in found})
    together = [Row(tuple(name for name, found in moved.items() if key in found), *key) for key in keys]
    # Where nobody holds what moves, accounts are where they are.
    return (*(row for row in together if len(row.underlyings) > 1), *alone) or (Row((), 0.0, VOL_NAMES[0]),)
