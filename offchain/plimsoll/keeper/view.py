"""From the index to the mirror: markets and portfolios in cash units."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from plimsoll.chain.words import from_word
from plimsoll.deployment.record import Deployment
from plimsoll.errors import DomainError, UnavailableError
from plimsoll.index.state import AccountState, State, snapshot_fields
from plimsoll.model import Market, Mode, Portfolio, Round, Token
from plimsoll.protocol.market import round_from, span_of
from plimsoll.units import wad_to_float

#: Its price scales every requirement, so nobody with positions does without it.
CASH_TOKEN: Final = 0
#: The highest byte of a position word.
UNDERLYING_SHIFT: Final = 248


def round_of(state: State, underlying_id: int, symbol: str) -> Round:
    """Return the latest round of an underlying.

    Parameters
    ----------
    state : State
        Rebuilt state; it must hold a round of the underlying.
    underlying_id : int
        Id on chain.
    symbol : str
        Its symbol.

    Returns
    -------
    Round
        In cash units.
    """
    posted = state.rounds[underlying_id]
    return round_from(symbol, posted, posted.surfaces)


def _token(state: State, deployment: Deployment, symbol: str) -> Token:
    """Return one token on the terms that the book has now, at its latest price unless the round prices it."""
    token_id = deployment.tokens[symbol].token_id
    terms = state.terms.get(token_id)
    if terms is None:
        # An index that was begun before it read the book's events.
        first = deployment.parameters["collateral"][symbol]
        linked, haircut = first["linked"] or None, first["haircut"]
        linked_haircut, ratio = first["linked_haircut"], first["ratio"]
    else:
        linked = {number: name for name, number in deployment.underlyings.items()}.get(terms.linked_id)
        haircut, linked_haircut = wad_to_float(terms.haircut_wad), wad_to_float(terms.linked_haircut_wad)
        ratio = wad_to_float(terms.ratio_wad)
    price = None if linked else wad_to_float(state.token_prices[token_id][1])
    if linked and not ratio:
        return Token(symbol, price, haircut, linked, linked_haircut, span=span_of(deployment, symbol))
    return Token(symbol, price, haircut, linked, linked_haircut, ratio)


def _tokens(state: State, deployment: Deployment, symbols: Iterable[str]) -> dict[str, Token]:
    """Return tokens by symbol; whoever holds one that nobody here can value is left to the chain."""
    found = {}
    for symbol in symbols:
        with suppress(UnavailableError):
            found[symbol] = _token(state, deployment, symbol)
    return found


def priced_alone(state: State, deployment: Deployment) -> set[int]:
    """Return the tokens that have a signed price of their own: those linked to no underlying.

    Parameters
    ----------
    state : State
        Rebuilt state.
    deployment : Deployment
        Tokens, and the terms of those that the index has not seen.

    Returns
    -------
    set[int]
        Token ids.
    """
    first = deployment.parameters["collateral"]
    return {
        record.token_id
        for symbol, record in deployment.tokens.items()
        if not (state.terms[record.token_id].linked_id if record.token_id in state.terms else first[symbol]["linked"])
    }


def market_of(state: State, deployment: Deployment) -> Market | None:
    """Return the market on chain.

    Parameters
    ----------
    state : State
        Rebuilt state.
    deployment : Deployment
        Names, and the terms of the tokens that the index has not seen.

    Returns
    -------
    Market or None
        ``None`` while a round or the price of an unlinked token has never been posted.
    """
    missing = priced_alone(state, deployment) - set(state.token_prices)
    if missing or not set(deployment.underlyings.values()) <= set(state.rounds):
        return None
    rounds = {symbol: round_of(state, number, symbol) for symbol, number in deployment.underlyings.items()}
    tokens = _tokens(state, deployment, deployment.tokens)
    return Market(max(r.ts for r in rounds.values()), tokens, rounds)


def known_market_of(state: State, deployment: Deployment) -> Market | None:
    """Return what is known of the market on chain: what was never posted is missing, and hides nothing else.

    Parameters
    ----------
    state : State
        Rebuilt state.
    deployment : Deployment
        Names, and the terms of the tokens that the index has not seen.

    Returns
    -------
    Market or None
        ``None`` while there is no round at all, or no price of the cash token, which everybody needs.
    """
    unpriced = priced_alone(state, deployment) - set(state.token_prices)
    rounds = {}
    for symbol, number in deployment.underlyings.items():
        if number in state.rounds:
            with suppress(DomainError):
                rounds[symbol] = round_of(state, number, symbol)
    if not rounds or CASH_TOKEN in unpriced:
        return None
    records = {symbol: record for symbol, record in deployment.tokens.items() if record.token_id not in unpriced}
    tokens = _tokens(state, deployment, records)
    priced = {name: token for name, token in tokens.items() if token.linked is None or token.linked in rounds}
    return Market(max(found.ts for found in rounds.values()), priced, rounds)


def portfolio_of(state: State, account_id: int, deployment: Deployment) -> Portfolio:
    """Return one account as the mirror takes it.

    Parameters
    ----------
    state : State
        Rebuilt state.
    account_id : int
        Account.
    deployment : Deployment
        Names.

    Returns
    -------
    Portfolio
        In cash units, pending losses applied; with the credit of its guarantee lines.

    Raises
    ------
    DomainError
        When it holds a token or an underlying that the deployment does not know: the contract has to be asked.
    """
    tokens = {record.token_id: symbol for symbol, record in deployment.tokens.items()}
    symbols = {number: symbol for symbol, number in deployment.underlyings.items()}
    account = state.accounts[account_id]
    unknown = set(account.collateral) - set(tokens), underlyings_of(account) - set(symbols)
    for noun, numbers in zip(("token", "underlying"), unknown, strict=True):
        if numbers:
            found = ", ".join(map(str, sorted(numbers)))
            raise DomainError(f"account {account_id}", f"{noun} {found} was listed after the record was written")
    fields = snapshot_fields(state, account_id)
    held = zip(fields["tokenIds"], fields["amountsWad"], strict=True)
    return Portfolio(
        Mode(fields["mode"]),
        wad_to_float(fields["cashWad"]),
        {tokens[token_id]: wad_to_float(amount) for token_id, amount in held},
        tuple(from_word(word, symbols) for word in fields["positions"]),
        wad_to_float(state.backing_of(account_id)[0]),
    )


def underlyings_of(account: AccountState) -> set[int]:
    """Return the ids of the underlyings that an account has positions in."""
    return {word >> UNDERLYING_SHIFT for word in account.words}
