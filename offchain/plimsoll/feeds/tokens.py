"""Prices of collateral tokens: from a market where there is one, by the rate of their contract where there is not.

A token that the book links to an underlying has no signed price, the contracts take spot times the book's ratio. Every
other one needs one. A wrapped token is worth its underlying times its **rate**, which its own contract states; at the
bare spot a token of ratio 1.23 would be signed a fifth too low. The cash token always comes from a market, because the
peg charge exists for the day on which it is not worth one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from plimsoll.errors import DomainError
from plimsoll.feeds.reading import Price, Problem, Reading
from plimsoll.model import CASH_SYMBOL

MAX_GAP: Final = 0.05
"""A market price this far from underlying times rate is believed, and reported: a wrapped token may lose its peg."""


@dataclass(frozen=True, slots=True)
class TokenTerms:
    """What the chain says of a token.

    Attributes
    ----------
    symbol : str
        Name in the deployment.
    token_id : int
        Id on chain.
    linked : str or None
        Underlying whose round prices the token; it then needs no signed price.
    wraps : str or None
        Underlying that the token is a claim on, where it is not linked.
    rate : float or None
        Units of that underlying per token, as its contract states now; ``None`` where it states none.
    """

    symbol: str
    token_id: int
    linked: str | None = None
    wraps: str | None = None
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class TokenQuote:
    """Prices of one time, in cash by symbol, of the tokens that no round prices."""

    ts: int
    prices: Mapping[str, float]


def price_tokens(terms: Sequence[TokenTerms], reading: Reading) -> tuple[TokenQuote | None, tuple[Problem, ...]]:
    """Price every token that needs a signed price.

    Parameters
    ----------
    terms : Sequence[TokenTerms]
        Listed tokens.
    reading : Reading
        What the market says.

    Returns
    -------
    quote : TokenQuote or None
        At the oldest time of its prices; ``None`` when no token has one.
    problems : tuple[Problem, ...]
        Tokens that nothing prices, each with the reason; they are skipped and stop no other.
    """
    found: dict[str, Price] = {}
    problems: list[Problem] = []
    for token in terms:
        if token.linked is not None:
            continue
        price, reason = _price(token, reading)
        if price is not None:
            found[token.symbol] = price
        if reason is not None:
            problems.append(Problem("tokens", token.symbol, reason))
    if not found:
        return None, tuple(problems)
    ts = min(price.ts for price in found.values())
    return TokenQuote(ts, {symbol: price.value for symbol, price in found.items()}), tuple(problems)


def _price(token: TokenTerms, reading: Reading) -> tuple[Price | None, str | None]:
    """Return the price of a token, and what there is to say about it."""
    market = reading.tokens.get(token.symbol)
    computed, why = _by_rate(token, reading)
    if market is None:
        return computed, None if computed is not None else f"not priced: no source has a market of it, {why}"
    if computed is None or abs(market.value / computed.value - 1.0) <= MAX_GAP:
        return market, None
    gap = market.value / computed.value - 1.0
    return market, f"its market is {gap:+.1%} from {token.wraps} times its rate of {token.rate:g}"


def _by_rate(token: TokenTerms, reading: Reading) -> tuple[Price | None, str]:
    """Return spot times rate, or why it cannot be had."""
    if token.symbol == CASH_SYMBOL:
        return None, "and cash is never taken at par"
    if token.wraps is None:
        return None, "and it wraps no underlying"
    if token.rate is None:
        return None, f"and its contract states no rate to {token.wraps}"
    spot = reading.spot_of(token.wraps)
    if spot is None:
        return None, f"and no source has a spot of {token.wraps}"
    try:
        return Price(spot.ts, spot.value * token.rate), ""
    except DomainError as error:
        return None, error.message
