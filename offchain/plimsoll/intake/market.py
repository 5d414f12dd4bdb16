"""From a statement to a market file: option chains fitted, prices alone where only perpetuals and coins are held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from plimsoll.errors import InputError
from plimsoll.intake.book import Book
from plimsoll.intake.statement import Statement
from plimsoll.market.chain_file import ChainSnapshot, split_table
from plimsoll.market.fit.rounds import PREMIUM_BOUND, fit_snapshot
from plimsoll.market.market_file import market_document
from plimsoll.model import Round


@dataclass(frozen=True, slots=True)
class FittedMarket:
    """A market and what was said on the way.

    Attributes
    ----------
    document : dict
        ``plimsoll.market/1``.
    ts : int
    warnings : tuple of str
        Of the fits.
    """

    document: dict[str, Any]
    ts: int
    warnings: tuple[str, ...]


def fitted_market(statement: Statement, book: Book) -> FittedMarket:
    """Fit a market that has all that a book holds.

    Parameters
    ----------
    statement : Statement
        Gets a sentence for each rule that was used.
    book : Book
        Its expiries must be in the chains.

    Returns
    -------
    FittedMarket

    Raises
    ------
    InputError
        When chain, time or price of something that is held is missing, or an expiry that is held cannot be fitted.
    """
    snapshots = _snapshots(statement)
    ts = max((s.ts for s in snapshots.values()), default=statement.ts)
    if ts is None:
        raise InputError(statement.venue, "no time says when the prices were taken; give it with --at")
    rounds: dict[str, Round] = {}
    warnings: list[str] = []
    needed = held_underlyings(book)
    for name in sorted(needed | statement.chain.underlyings):
        held = {leg.expiry_ts for leg in book.legs.values() if leg.underlying == name and leg.kind.has_expiry}
        snapshot = snapshots.get(name)
        if snapshot is None:
            rounds[name] = _plain_round(statement, name, ts, held)
            continue
        missing = sorted(e for e in held if e not in snapshot.expiries)
        if missing:
            raise InputError(statement.venue, f"{name}: expiry {missing[0]} is held and not in the option chain")
        try:
            fit = fit_snapshot(snapshot, required_expiries=held)
        except InputError as error:
            if name in needed:
                raise
            warnings.append(f"{name} is not held and left out of the market: {error.message}")
            continue
        premium = _premium(statement, name, fit.round.spot)
        rounds[name] = replace(fit.round, perp=fit.round.spot * (1.0 + premium))
        warnings += [f"{name}: {warning}" for warning in fit.warnings]
    prices = {symbol: float(price) for symbol, price in book.prices.items()}
    if not rounds:
        raise InputError(statement.venue, "no prices among the files, of which a market could be made")
    return FittedMarket(market_document(rounds, prices), ts, tuple(warnings))


def held_underlyings(book: Book) -> set[str]:
    """Return the underlyings that a book cannot do without: of its legs, and of the coins among its tokens.

    Parameters
    ----------
    book : Book

    Returns
    -------
    set of str
    """
    coins = {symbol.removeprefix("W") for symbol in book.tokens if symbol not in book.prices}
    return coins | {leg.underlying for leg in book.legs.values()}


def _snapshots(statement: Statement) -> Mapping[str, ChainSnapshot]:
    """Return the chain of every underlying; all rows are of one time."""
    if not len(statement.chain) and not statement.chain.dropped:
        return {}
    return {s.currency: s for s in split_table(statement.chain.table(), statement.venue)}


def _premium(statement: Statement, name: str, spot: float) -> float:
    """Return the premium of the perpetual over spot; none where its mark is not known."""
    perp = statement.perps.get(name)
    if perp is None:
        statement.say(f"perpetual of {name}: no mark among the prices, taken at spot")
        return 0.0
    premium = float(perp) / spot - 1.0
    if abs(premium) > PREMIUM_BOUND:
        message = f"perpetual of {name} is {premium:+.0%} from spot {spot:g}, the limit is {PREMIUM_BOUND:.0%}"
        raise InputError(statement.venue, message)
    return premium


def _plain_round(statement: Statement, name: str, ts: int, held: set[int]) -> Round:
    """Return the round of an underlying without an option chain: spot and perpetual, no expiry."""
    if held:
        raise InputError(statement.venue, f"{name}: expiry {min(held)} is held and there is no option chain of {name}")
    spot = statement.spots.get(name, statement.perps.get(name))
    if spot is None:
        raise InputError(statement.venue, f"{name}: its price is not known; say it with --price {name}=PRICE")
    if name not in statement.spots:
        statement.say(f"index of {name} is not among the prices: taken at its perpetual")
    statement.say(f"{name}: no option chain, so a market of spot and perpetual alone")
    premium = _premium(statement, name, float(spot))
    return Round(name, ts, float(spot), float(spot) * (1.0 + premium), 1.0, ())
