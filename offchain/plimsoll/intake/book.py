"""From a statement to a portfolio file: inverse contracts, coin premiums and coin debt, converted exactly.

All arithmetic is in fractions; the last step rounds each figure to the nearest double.

An inverse future or perpetual of ``N`` USD, entered at ``E``, has made ``N*(1/E - 1/F)`` coins when its price is ``F``.
Worth in USD at spot ``S``, that is ``N*S/E - N*S/F``. A linear future of ``q = N/E`` coins with the same entry is worth
``D*q*(F - E)``, and ``D = S/F`` is the discount factor of every round: ``(S/F)*(N/E)*(F - E) = N*S/E - N*S/F``, the
same for every ``S`` and ``F``. A perpetual is not discounted; there ``q*(F - E)`` differs from the inverse one by the
factor ``F/S``, which is one where the perpetual is at spot.

A venue counts open profit and options into the equity of a coin. What is left of it beside the converted legs,
``C = equity - sum of the legs at the venue's own marks``, is the coin collateral. Another entry would move coins
between leg and collateral and change nothing: ``C + N/E = equity - ... + N/F`` has no ``E`` in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from plimsoll.errors import InputError
from plimsoll.intake.contract import Contract
from plimsoll.intake.statement import CASH, Holding, Statement
from plimsoll.market.market_file import wrapped_symbol
from plimsoll.model import Kind

#: Underlying, kind, expiry and strike: what an account holds once.
Identity = tuple[str, Kind, int, Fraction]


@dataclass(frozen=True, slots=True)
class Leg:
    """A position of ours, exactly.

    Attributes
    ----------
    underlying : str
    kind : Kind
    expiry_ts : int
    strike : Fraction
        0 for a future or perpetual.
    quantity : Fraction
        Coins, bought is positive.
    entry : Fraction
        USD; 0 for an option.
    """

    underlying: str
    kind: Kind
    expiry_ts: int
    strike: Fraction
    quantity: Fraction
    entry: Fraction

    @property
    def identity(self) -> Identity:
        """What an account holds once."""
        return self.underlying, self.kind, self.expiry_ts, self.strike


@dataclass(slots=True)
class Book:
    """Legs, cash and tokens, exactly.

    Attributes
    ----------
    legs : dict of Identity to Leg
    cash : Fraction
    tokens : dict of str to Fraction
        Amounts by the symbol of the token.
    prices : dict of str to Fraction
        Cash of one token that is linked to no underlying.
    """

    legs: dict[Identity, Leg] = field(default_factory=dict)
    cash: Fraction = Fraction(0)
    tokens: dict[str, Fraction] = field(default_factory=dict)
    prices: dict[str, Fraction] = field(default_factory=dict)
    _taken: dict[Identity, list[Leg]] = field(default_factory=dict)

    def add(self, leg: Leg) -> None:
        """Take a leg; those of one instrument are netted, see :func:`netted`."""
        held = self._taken.setdefault(leg.identity, [])
        self.cash -= netted(held)[1]
        held.append(leg)
        net, cash = netted(held)
        self.cash += cash
        if net is None:
            self.legs.pop(leg.identity, None)
        else:
            self.legs[leg.identity] = net


def netted(legs: Sequence[Leg]) -> tuple[Leg | None, Fraction]:
    """Net legs of one instrument so that their value stays the same at every price, in whatever order they come.

    What is bought has the mean entry ``B`` of its legs, what is sold the mean entry ``A`` of its own. Of the larger
    side the difference is left, at its own mean; the rest has made its profit, whatever the price: cash. With ``b``
    bought, ``a`` sold and ``b > a`` that is ``b*(F - B) - a*(F - A) = (b - a)*(F - B) + a*(A - B)``.

    Parameters
    ----------
    legs : sequence of Leg

    Returns
    -------
    leg : Leg or None
        ``None`` where nothing is left.
    cash : Fraction
    """
    costs = {is_bought: _total(legs, is_bought) for is_bought in (True, False)}
    quantity = costs[True][0] + costs[False][0]
    cost = costs[True][1] + costs[False][1]
    if quantity == 0:
        return None, -cost
    of_side, paid = costs[quantity > 0]
    entry = paid / of_side
    return Leg(*legs[0].identity, quantity, entry), quantity * entry - cost


def _total(legs: Iterable[Leg], is_bought: bool) -> tuple[Fraction, Fraction]:
    """Return quantity and cost of all legs of one side."""
    own = [leg for leg in legs if (leg.quantity > 0) is is_bought]
    return sum((leg.quantity for leg in own), Fraction(0)), sum((leg.quantity * leg.entry for leg in own), Fraction(0))


def leg_of(holding: Holding) -> Leg:
    """Convert a position: ``N`` USD of an inverse contract entered at ``E`` are ``N/E`` coins.

    Parameters
    ----------
    holding : Holding

    Returns
    -------
    Leg
    """
    contract, size = holding.contract, holding.size
    if contract.kind.is_option or holding.entry is None:
        return Leg(contract.underlying, contract.kind, contract.expiry_ts, contract.strike, size, Fraction(0))
    coins = size / holding.entry if contract.is_inverse else size
    return Leg(contract.underlying, contract.kind, contract.expiry_ts, Fraction(0), coins, holding.entry)


def counted_value(holding: Holding) -> Fraction:
    """Return what a position adds to the equity of the currency that it settles in, at the venue's mark.

    Parameters
    ----------
    holding : Holding

    Returns
    -------
    Fraction
        Coins for an inverse contract, else the quote currency.

    Raises
    ------
    InputError
        When the venue's mark is not known.
    """
    mark, contract = holding.mark, holding.contract
    if mark is None or (mark <= 0 and contract.kind.is_linear):
        message = f"{contract.name}: has no mark, so that its part of the equity is not known"
        raise InputError(holding.source, message)
    if contract.kind.is_option or holding.entry is None:
        return holding.size * mark
    if contract.is_inverse:
        return holding.size * (1 / holding.entry - 1 / mark)
    return holding.size * (mark - holding.entry)


def book_of(statement: Statement) -> Book:
    """Convert a whole account.

    Parameters
    ----------
    statement : Statement
        Gets a sentence for each rule that was used.

    Returns
    -------
    Book

    Raises
    ------
    InputError
        When a mark or a price that a conversion needs is not known.
    """
    book = Book()
    for holding in statement.holdings:
        book.add(leg_of(holding))
    free = {currency: _free(statement, currency) for currency in _currencies(statement)}
    for currency, amount in free.items():
        _place(book, statement, currency, amount)
    _say(statement)
    return book


def _currencies(statement: Statement) -> list[str]:
    """Currencies with a balance; others settle contracts with none, which is nothing."""
    settled = {h.contract.settles for h in statement.holdings}
    return [*statement.balances, *sorted(c for c in settled if c not in statement.balances)]


def _free(statement: Statement, currency: str) -> Fraction:
    """Return what is held of a currency beside the positions."""
    balance = statement.balances.get(currency)
    if balance is None:
        return Fraction(0)
    if not balance.counts_positions:
        return balance.amount
    own = (h for h in statement.holdings if h.contract.settles == currency)
    return balance.amount - sum((counted_value(h) for h in own), Fraction(0))


def _place(book: Book, statement: Statement, currency: str, amount: Fraction) -> None:
    """Put an amount where a portfolio holds it: cash, a token, or, for a debt of coins, a short perpetual."""
    if currency in CASH:
        book.cash += amount
        return
    coin = _coin_of(currency, statement)
    if amount == 0:
        return
    if coin is not None and amount > 0:
        symbol = wrapped_symbol(coin)
        book.tokens[symbol] = book.tokens.get(symbol, Fraction(0)) + amount
        return
    if coin is not None:
        _owe(book, statement, coin, -amount)
        return
    balance = statement.balances.get(currency)
    price = None if balance is None else balance.price
    if price is None:
        raise InputError(statement.venue, f"{currency}: its price is not known; say it with --price {currency}=PRICE")
    if amount > 0:
        book.tokens[currency], book.prices[currency] = amount, price
    else:
        book.cash += amount * price
        statement.say(f"{float(-amount):,.6g} {currency} owed: counted as owed cash at {float(price):g}")


def _owe(book: Book, statement: Statement, coin: str, amount: Fraction) -> None:
    """Owe coins: ``-c*S`` is a short perpetual of ``c`` coins from ``s`` on, ``-c*(S - s)``, and cash of ``-c*s``."""
    spot = statement.spots.get(coin)
    if spot is None:
        message = f"{coin}: {float(amount):g} are owed and their price is not known; say it with --price {coin}=PRICE"
        raise InputError(statement.venue, message)
    book.cash -= amount * spot
    book.add(Leg(coin, Kind.PERP, 0, Fraction(0), -amount, spot))
    shown = f"{float(amount):,.6g} {coin}"
    statement.say(f"{shown} owed: a short perpetual of as many coins at spot, and their price as owed cash")


def _coin_of(currency: str, statement: Statement) -> str | None:
    """Return the underlying that a currency is a coin of: of ETH, and of WETH, ETH."""
    known = _underlyings(statement)
    return next(
        (name for name in (currency, currency[1:]) if name in known and currency in (name, wrapped_symbol(name))), None
    )


def _underlyings(statement: Statement) -> set[str]:
    """Return the underlyings that a balance can be a coin of: of positions, chains and prices."""
    return {h.contract.underlying for h in statement.holdings} | set(statement.spots) | statement.chain.underlyings


def _say(statement: Statement) -> None:
    contracts = [h.contract for h in statement.holdings]
    if any(c.is_inverse and c.kind.is_linear for c in contracts):
        statement.say("inverse contracts: N USD entered at E are N/E coins entered at E, beside coins as collateral")
    if any(c.is_inverse and c.kind.is_option for c in contracts):
        statement.say("options paid in coin: as many options paid in cash; their value is taken off the coins")
    for quote in _par_quotes(contracts):
        statement.say(f"contracts that settle in {quote}: counted in cash, {quote} taken at par")


def _par_quotes(contracts: Iterable[Contract]) -> list[str]:
    return sorted({c.settles for c in contracts if not c.is_inverse and c.settles != CASH[0]})


def portfolio_document(book: Book, mode: str) -> dict[str, Any]:
    """Return the ``plimsoll.portfolio/1`` document of a book.

    Parameters
    ----------
    book : Book
    mode : str
        SINGLE, STANDARD or CROSS.

    Returns
    -------
    dict
    """
    legs = sorted(book.legs.values(), key=lambda leg: leg.identity)
    return {
        "schema": "plimsoll.portfolio/1",
        "mode": mode,
        "cash": float(book.cash),
        "collateral": [{"token": name, "amount": float(amount)} for name, amount in sorted(book.tokens.items())],
        "positions": [_position(leg) for leg in legs if leg.quantity != 0],
    }


def _position(leg: Leg) -> Mapping[str, Any]:
    head: dict[str, Any] = {"underlying": leg.underlying, "kind": "option" if leg.kind.is_option else leg.kind.word}
    if leg.kind.is_option:
        head["right"] = leg.kind.word
    if leg.kind.has_expiry:
        head["expiry"] = leg.expiry_ts
    if leg.kind.is_option:
        head["strike"] = float(leg.strike)
    head["quantity"] = float(leg.quantity)
    return head if leg.kind.is_option else head | {"entry": float(leg.entry)}
