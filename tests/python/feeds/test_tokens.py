"""Prices of tokens: a market first, spot times rate where there is none, and never par for cash."""

from __future__ import annotations

import pytest
from helpers.feed_world import NOW, a_round

from plimsoll.feeds.reading import Price, Reading
from plimsoll.feeds.tokens import TokenTerms, price_tokens

CASH = TokenTerms("USDC", 0)
LINKED = TokenTerms("WETH", 1, linked="ETH", rate=None)
WRAPPED = TokenTerms("WSTETH", 2, wraps="ETH", rate=1.23)
LOST = TokenTerms("GOLD", 3)
ETH = {"ETH": a_round(surfaces=())}


def priced(*terms, **tokens):
    market = {symbol: Price(NOW, price) for symbol, price in tokens.items()}
    quote, problems = price_tokens(terms, Reading(ETH, tokens=market))
    return (None if quote is None else dict(quote.prices)), [f"{p.subject}: {p.reason}" for p in problems]


def test_price_tokens__wrapped__is_spot_times_its_rate_and_not_spot():
    prices, problems = priced(CASH, LINKED, WRAPPED, USDC=0.999)
    assert prices == {"USDC": 0.999, "WSTETH": pytest.approx(2_460.0)}
    assert problems == []


def test_price_tokens__cash_without_a_market__is_skipped_and_never_par():
    prices, problems = priced(CASH, WRAPPED)
    assert "USDC" not in prices
    assert problems == ["USDC: not priced: no source has a market of it, and cash is never taken at par"]


def test_price_tokens__nothing_prices_it__is_named_and_stops_no_other():
    prices, problems = priced(CASH, LOST, USDC=1.0)
    assert prices == {"USDC": 1.0}
    assert problems == ["GOLD: not priced: no source has a market of it, and it wraps no underlying"]


def test_price_tokens__rate_unknown_or_spot_missing__is_named():
    assert "states no rate" in priced(TokenTerms("WSTETH", 2, wraps="ETH"))[1][0]
    assert "no source has a spot of BTC" in priced(TokenTerms("WBTC", 2, wraps="BTC", rate=1.0))[1][0]


def test_price_tokens__market_far_from_its_rate__is_believed_and_reported():
    prices, problems = priced(WRAPPED, WSTETH=2_000.0)
    assert prices == {"WSTETH": 2_000.0}
    assert "-18.7%" in problems[0]


def test_price_tokens__old_price__dates_the_message():
    reading = Reading(ETH, tokens={"USDC": Price(NOW - 50, 1.0)})
    quote, _ = price_tokens((CASH, WRAPPED), reading)
    assert quote.ts == NOW - 50
