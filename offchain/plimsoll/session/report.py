"""An account before and after, in lines that fit a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from plimsoll.instrument_names import InstrumentName
from plimsoll.model import Position
from plimsoll.protocol.account import AccountOnChain, read_account
from plimsoll.session.session import Session

LABEL: Final = 22
FIGURE: Final = 18


def look(session: Session, account_id: int) -> AccountOnChain:
    """Read one account with its margin."""
    return read_account(session.client, session.deployment, account_id)


def day_of(expiry_ts: int) -> str:
    """Return the day of an expiry as venues write it, ``27MAR26``."""
    return time.strftime("%d%b%y", time.gmtime(expiry_ts)).upper()


def figures(before: AccountOnChain | None, after: AccountOnChain) -> Iterator[str]:
    """Yield balances, positions and margin of an account in two columns.

    Parameters
    ----------
    before : AccountOnChain or None
        The account as it was; ``None`` when it is new.
    after : AccountOnChain
        The account as it is.

    Yields
    ------
    str
        Lines of at most 80 columns.
    """
    yield f"  {'account ' + str(after.account_id):<{LABEL}}{'before':>{FIGURE}}{'after':>{FIGURE}}"
    olds, news = _rows(before) if before else {}, _rows(after)
    for name in {**news, **olds}:
        yield f"  {name:<{LABEL}}{olds.get(name, '-'):>{FIGURE}}{news.get(name, '-'):>{FIGURE}}"
    if after.margin is None:
        yield f"  no margin now: {after.margin_problem}"


def _rows(view: AccountOnChain) -> dict[str, str]:
    """Name every figure of an account, in the order it is shown."""
    rows = {"cash": f"{view.portfolio.cash:,.2f}"}
    rows |= {symbol: f"{amount:,.6f}" for symbol, amount in view.portfolio.collateral.items()}
    rows |= {_name(held): f"{held.quantity:+,.4f}" for held in view.portfolio.positions}
    if view.margin is not None:
        rows |= {
            "equity": f"{view.margin.equity:,.2f}",
            "initial margin": f"{view.margin.initial_margin:,.2f}",
            "maintenance margin": f"{view.margin.maintenance_margin:,.2f}",
            "state": view.margin.state,
        }
    return rows


def _name(held: Position) -> str:
    """Name an instrument as it is typed."""
    return str(InstrumentName(held.underlying, held.kind, day_of(held.expiry_ts), f"{held.price:g}"))
