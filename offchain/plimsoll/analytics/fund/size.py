"""What the insurance fund has to bear: the two largest shortfalls at once, who is covered, where risk is concentrated.

Cover-2 is what clearing houses are held to (CPMI-IOSCO, Principles for financial market infrastructures, 2012,
principle 4): means that outlast the default of the two participants whose failure would cost most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from plimsoll.analytics.fund.shortfall import Row, Shortfalls, shortfalls
from plimsoll.analytics.fund.standing import Standing, Unknown
from plimsoll.errors import InputError
from plimsoll.params import Params

#: How many defaults at once the standard asks for.
COVERED_DEFAULTS: Final = 2


@dataclass(frozen=True, slots=True)
class Cover:
    """The worst row for some defaults at once.

    Attributes
    ----------
    defaults : int
        How many accounts default: those with the largest shortfalls of the row.
    cost : float
        What they leave unpaid together, cash.
    row : Row or None
        None when nobody leaves anything in any row.
    names : tuple of str
        Who they are, largest first; fewer where fewer lose anything.
    """

    defaults: int
    cost: float
    row: Row | None
    names: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Build the entry of a document."""
        row = None if self.row is None else self.row.to_json()
        return {"defaults": self.defaults, "cost": self.cost, "row": row, "accounts": list(self.names)}


@dataclass(frozen=True, slots=True)
class Concentration:
    """The largest holder of a risk.

    Attributes
    ----------
    risk : str
        ``initial margin``, or an underlying with ``delta`` or ``vega``.
    name : str
        The account.
    amount : float
        Signed; cash, of a delta units of the underlying, of a vega cash for one more of volatility (1.00).
    share : float
        Of the sum of all holders' absolute amounts.
    """

    risk: str
    name: str
    amount: float
    share: float

    def to_json(self) -> dict[str, object]:
        """Build the entry of a document."""
        return {"risk": self.risk, "account": self.name, "amount": self.amount, "share": self.share}


@dataclass(frozen=True, slots=True)
class Uncovered:
    """An account that a move within the price range makes insolvent: the most it leaves unpaid, and under which row."""

    name: str
    unpaid: float
    row: Row

    def to_json(self) -> dict[str, object]:
        """Build the entry of a document."""
        return {"account": self.name, "unpaid": self.unpaid, "row": self.row.to_json()}


@dataclass(frozen=True, slots=True)
class FundSize:
    """The fund beside what it may have to pay, cash.

    Attributes
    ----------
    fund : float
        What it holds.
    per_hour : float
        What it may pay in an hour; a loss above it is shared by all positive cash at once.
    accounts : int
    cover, cover_within : tuple of Cover
        One default, two, and all accounts at once where there are more; under every row, and under those within the
        price range, which holds on 99.7 % of days.
    bears, bears_within : int
        How many of the largest defaults at once it outlasts under every row, and under those within the price range.
    uncovered : tuple of Uncovered
        Largest first.
    concentrations : tuple of Concentration
    lines : float
        What the guarantee lines of all these accounts hold; they pay before the fund, and ``cover`` is what they leave
        to it.
    without_lines : Cover
        The two largest defaults under any row if no line stood.
    unknown : tuple of Unknown
        Accounts without a margin number: nothing here counts them.
    """

    fund: float
    per_hour: float
    accounts: int
    cover: tuple[Cover, ...]
    cover_within: tuple[Cover, ...]
    bears: int
    bears_within: int
    uncovered: tuple[Uncovered, ...]
    concentrations: tuple[Concentration, ...]
    lines: float
    without_lines: Cover
    unknown: tuple[Unknown, ...] = ()

    @property
    def cover_two(self) -> Cover:
        """The two largest defaults under any row, by which the fund is measured."""
        return _two(self.cover)

    @property
    def cover_two_within(self) -> Cover:
        """The two largest defaults within the price range."""
        return _two(self.cover_within)

    @property
    def spare(self) -> float:
        """What the fund holds beyond cover-2; negative when it does not bear it."""
        return self.fund - self.cover_two.cost

    @property
    def covered_share(self) -> float:
        """Share of accounts that every move within the price range leaves solvent."""
        return 1.0 - len(self.uncovered) / self.accounts

    def to_json(self) -> dict[str, object]:
        """Build the plimsoll.fund/1 document."""
        return {
            "schema": "plimsoll.fund/1",
            "fund": self.fund,
            "perHour": self.per_hour,
            "accounts": self.accounts,
            "cover": [cover.to_json() for cover in self.cover],
            "coverWithin": [cover.to_json() for cover in self.cover_within],
            "spare": self.spare,
            "bears": {"anyRow": self.bears, "within": self.bears_within},
            "coveredShare": self.covered_share,
            "uncovered": [entry.to_json() for entry in self.uncovered],
            "concentrations": [entry.to_json() for entry in self.concentrations],
            "lines": {"held": self.lines, "coverWithout": self.without_lines.to_json()},
            "unknown": [entry.to_json() for entry in self.unknown],
        }


def fund_size(fund: float, accounts: Standing, params: Params, unknown: Sequence[Unknown] = ()) -> FundSize:
    """Hold the fund against what accounts would leave unpaid.

    Parameters
    ----------
    fund : float
        What it holds, cash; at least 0.
    accounts : Standing
        Of everybody but the fund itself.
    params : Params
        Those of the margins.
    unknown : sequence of Unknown, optional
        Accounts that have no margin number, to be told of.

    Returns
    -------
    FundSize

    Raises
    ------
    InputError
        When the fund is negative or not finite, or there is no account.
    """
    if not (np.isfinite(fund) and fund >= 0.0):
        raise InputError("fund", f"{fund:g} is not an amount of cash")
    found = shortfalls(accounts, params)
    within = found.of([number for number, row in enumerate(found.rows) if row.is_within])
    counts = (1, COVERED_DEFAULTS, len(accounts)) if len(accounts) > COVERED_DEFAULTS else (1, COVERED_DEFAULTS)
    return FundSize(
        fund=fund,
        per_hour=fund * params.account.fund_per_hour,
        accounts=len(accounts),
        cover=tuple(_cover(found, count) for count in counts),
        cover_within=tuple(_cover(within, count) for count in counts),
        bears=_borne(found, fund),
        bears_within=_borne(within, fund),
        uncovered=_uncovered(within),
        concentrations=_concentrations(accounts),
        lines=float(accounts.lines.sum()),
        without_lines=_cover(_without_lines(found, accounts, params), COVERED_DEFAULTS),
        unknown=tuple(unknown),
    )


def _without_lines(found: Shortfalls, accounts: Standing, params: Params) -> Shortfalls:
    """Take the accounts through the rows again where lines stand for any of them."""
    if not accounts.lines.any():
        return found
    return shortfalls(replace(accounts, lines=np.zeros(len(accounts))), params)


def _borne(found: Shortfalls, fund: float) -> int:
    """Count how many of the largest defaults at once a fund outlasts, whichever row comes."""
    largest = -np.sort(-found.unpaid, axis=1)
    return int((largest.cumsum(axis=1).max(axis=0) <= fund).sum())


def _cover(found: Shortfalls, defaults: int) -> Cover:
    order = np.argsort(-found.unpaid, axis=1, kind="stable")[:, :defaults]
    largest = np.take_along_axis(found.unpaid, order, axis=1)
    worst = int(largest.sum(axis=1).argmax())
    cost = float(largest[worst].sum())
    if cost == 0.0:
        return Cover(defaults, 0.0, None, ())
    names = tuple(found.names[i] for i in order[worst] if found.unpaid[worst, i] > 0.0)
    return Cover(defaults, cost, found.rows[worst], names)


def _two(covers: Sequence[Cover]) -> Cover:
    return next(cover for cover in covers if cover.defaults == COVERED_DEFAULTS)


def _uncovered(within: Shortfalls) -> tuple[Uncovered, ...]:
    worst = within.unpaid.argmax(axis=0)
    entries = [
        Uncovered(name, float(within.unpaid[row, i]), within.rows[row])
        for i, (name, row) in enumerate(zip(within.names, worst, strict=True))
        if within.unpaid[row, i] > 0.0
    ]
    return tuple(sorted(entries, key=lambda entry: -entry.unpaid))


def _concentrations(accounts: Standing) -> tuple[Concentration, ...]:
    """Largest holders of initial margin, and of delta and vega in every underlying; what nobody holds is left out."""
    amounts = {"initial margin": accounts.initial}
    for name in accounts.delta:
        amounts |= {f"{name} delta": accounts.delta[name], f"{name} vega": accounts.vega[name]}
    found = []
    for risk, values in amounts.items():
        sizes = np.abs(values)
        if sizes.sum() > 0.0:
            largest, whole = int(sizes.argmax()), float(sizes.sum())
            share = float(sizes[largest]) / whole
            found.append(Concentration(risk, accounts.names[largest], float(values[largest]), share))
    return tuple(found)
