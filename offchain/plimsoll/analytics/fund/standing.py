"""What accounts have, need and would lose, as far as a fund is concerned: arrays, so that a hundred thousand fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.told import Tell, silent
from plimsoll.errors import DomainError, InputError
from plimsoll.mirror.margin_engine import MarginResult, UnderlyingMargin, evaluate_many
from plimsoll.mirror.scenario_book import scenario_book
from plimsoll.model import Market, Portfolio
from plimsoll.params import VOL_NAMES, Params

Vector = npt.NDArray[np.float64]
#: Multiple of the price range, and vol state.
RowKey = tuple[float, str]

#: Multiples of the price range are compared as numbers of this many digits.
MULTIPLE_DIGITS: Final = 9
#: Accounts that are margined at a time: the mirror takes dense arrays of accounts and all that one of them holds.
AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True)
class Standing:
    """Some accounts at one market; every array has an entry for each of ``names``.

    Attributes
    ----------
    names : tuple of str
    market_equity, initial, maintenance : ndarray, cash
    pnl : mapping of str to mapping of (float, str) to ndarray, cash
        By underlying and row of its book, (multiple of the price range, vol state), without weights.
    delta, vega : mapping of str to ndarray
        By underlying; units of it, and cash for one more of volatility (1.00).
    lines : ndarray, cash
        What guarantee lines hold for the account: they pay its loss before the fund does.
    """

    names: tuple[str, ...]
    market_equity: Vector
    initial: Vector
    maintenance: Vector
    pnl: Mapping[str, Mapping[RowKey, Vector]]
    delta: Mapping[str, Vector]
    vega: Mapping[str, Vector]
    lines: Vector

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True)
class Unknown:
    """An account that has no margin number, and why; a fund's figures are without it."""

    name: str
    reason: str

    def to_json(self) -> dict[str, object]:
        """Build the entry of a document."""
        return {"account": self.name, "reason": self.reason}


def standing_of(
    names: Sequence[str], margins: Sequence[MarginResult], params: Params, lines: Mapping[str, float] | None = None
) -> Standing:
    """Take from margins what a fund is measured by.

    Parameters
    ----------
    names : sequence of str
        Of the accounts, in the order of ``margins``; the fund's own is none of them.
    margins : sequence of MarginResult
        Of this mirror or of the contracts.
    params : Params
        Those of the margins.
    lines : mapping of str to float, optional
        What guarantee lines hold, cash, by the name of the account; nothing for those that it leaves out.

    Returns
    -------
    Standing

    Raises
    ------
    InputError
        When names and margins are not as many.
    """
    if len(names) != len(margins):
        raise InputError("accounts", f"{len(names)} names for {len(margins)} margins")
    held = sorted({name for margin in margins for name in margin.underlyings})
    return Standing(
        names=tuple(names),
        market_equity=np.array([margin.market_equity for margin in margins]),
        initial=np.array([margin.initial_margin for margin in margins]),
        maintenance=np.array([margin.maintenance_margin for margin in margins]),
        pnl={name: _pnl_by_row(name, margins, params) for name in held},
        delta={name: _by_account(name, margins, lambda own: own.delta) for name in held},
        vega={name: _by_account(name, margins, lambda own: own.vega) for name in held},
        lines=np.array([(lines or {}).get(name, 0.0) for name in names]),
    )


def standing_at(
    market: Market,
    portfolios: Mapping[str, Portfolio],
    params: Params,
    tell: Tell = silent,
    lines: Mapping[str, float] | None = None,
) -> tuple[Standing, tuple[Unknown, ...]]:
    """Margin accounts with the mirror, some at a time.

    Parameters
    ----------
    market : Market
    portfolios : mapping of str to Portfolio
        By the name of the account.
    params : Params
    tell : callable, optional
        Is told how far it is.
    lines : mapping of str to float, optional
        What guarantee lines hold, cash, by the name of the account; without it what the portfolios say they count.

    Returns
    -------
    Standing
        Of those that have a margin number.
    tuple of Unknown
        The others: one of them hides nobody else.
    """
    names, parts, unknown = list(portfolios), [standing_of((), (), params)], []
    held = {name: folio.credit for name, folio in portfolios.items()} if lines is None else lines
    for first in range(0, len(names), AT_ONCE):
        tell(f"accounts: {first} of {len(names)}")
        some = {name: portfolios[name] for name in names[first : first + AT_ONCE]}
        try:
            parts.append(standing_of(tuple(some), evaluate_many(market, list(some.values()), params), params, held))
        except DomainError:
            for name, portfolio in some.items():
                try:
                    parts.append(standing_of((name,), evaluate_many(market, [portfolio], params), params, held))
                except DomainError as reason:
                    unknown.append(Unknown(name, reason.message))
    return joined(parts), tuple(unknown)


def joined(parts: Sequence[Standing]) -> Standing:
    """Put accounts of several parts one after another; an underlying that a part does not hold is nothing there.

    Parameters
    ----------
    parts : sequence of Standing
        At least one; at one market, under the same parameters.

    Returns
    -------
    Standing
    """
    pnl: dict[str, dict[RowKey, Vector]] = {}
    for name in sorted({name for part in parts for name in part.pnl}):
        keys = next(part.pnl[name] for part in parts if name in part.pnl)
        pnl[name] = {key: _joined(parts, [part.pnl.get(name, {}).get(key) for part in parts]) for key in keys}
    return Standing(
        names=tuple(name for part in parts for name in part.names),
        market_equity=np.concatenate([part.market_equity for part in parts]),
        initial=np.concatenate([part.initial for part in parts]),
        maintenance=np.concatenate([part.maintenance for part in parts]),
        pnl=pnl,
        delta={name: _joined(parts, [part.delta.get(name) for part in parts]) for name in pnl},
        vega={name: _joined(parts, [part.vega.get(name) for part in parts]) for name in pnl},
        lines=np.concatenate([part.lines for part in parts]),
    )


def _joined(parts: Sequence[Standing], columns: Sequence[Vector | None]) -> Vector:
    """Put columns one after another, nothing where a part has none."""
    pairs = zip(parts, columns, strict=True)
    return np.concatenate([np.zeros(len(part)) if column is None else column for part, column in pairs])


def _by_account(name: str, margins: Sequence[MarginResult], value: Callable[[UnderlyingMargin], float]) -> Vector:
    """Return a figure of every account in one underlying, 0 where it has none of it."""
    return np.array([value(m.underlyings[name]) if name in m.underlyings else 0.0 for m in margins])


def _pnl_by_row(name: str, margins: Sequence[MarginResult], params: Params) -> dict[RowKey, Vector]:
    """P&L of every account in one underlying, without weights, by (multiple of the range, vol state)."""
    book = scenario_book(params.book_of(name), params.for_underlying(name).price_range)
    found: dict[RowKey, Vector] = {}
    for node, (multiple, vol, weight) in enumerate(book.layout):
        pnl = [m.underlyings[name].rows[node].pnl if name in m.underlyings else 0.0 for m in margins]
        found[round(multiple, MULTIPLE_DIGITS), VOL_NAMES[vol]] = np.array(pnl) / weight
    return found
