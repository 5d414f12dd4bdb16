"""The contracts against 50-digit arithmetic that was written from the risk model alone, in every mode.

Both sides of every requirement: never below the exact one by more than 1e-8 of it, and within a millionth of gross
notional. A book that governance can store is a book that both must agree on.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle.margin_exact import margin

from plimsoll.mirror.margin_engine import MarginResult
from plimsoll.model import Kind, Mode, Portfolio, Position
from plimsoll.protocol.margin_engine import checker
from tests.chain.differential.documents import market_document, params_document, portfolio_document
from tests.chain.differential.markets import CASES, Case
from tests.chain.differential.strategies import portfolios, unique

#: Section 9, of gross notional and of the requirement.
AGREEMENT, SHORTFALL = 1e-6, 1e-8
#: A wad is cut to 18 digits; the double that the exact side reads is not.
READING = 1e-14
BATCH, EXAMPLES = 5, 6
FIELDS = {
    "scan": "scan",
    "certifiedScan": "certified_scan",
    "basis": "basis",
    "vegaTerm": "vega_term",
    "skewTerm": "skew_term",
    "shortMin": "short_min",
    "concentration": "concentration",
    "requirement": "requirement",
}
TOTALS = {
    "equity": "equity",
    "marketEquity": "market_equity",
    "markToMarket": "mark_to_market",
    "initialMargin": "initial_margin",
    "maintenanceMargin": "maintenance_margin",
    "debtCharge": "debt_charge",
}
compared: Counter[str] = Counter()


@pytest.fixture(scope="module", params=CASES, ids=[case.name for case in CASES])
def opened(request):
    with checker(request.param.market, request.param.params) as answer:
        yield request.param, answer


def judge(case: Case, portfolio: Portfolio, chain: MarginResult) -> None:
    """Compare one answer of the contracts."""
    market = case.market
    exact = margin(
        market_document(market), portfolio_document(portfolio), params_document(case.params, sorted(market.rounds))
    )
    collateral = sum(amount * market.price_of(symbol) for symbol, amount in portfolio.collateral.items())
    scale = float(exact["gross"]) + collateral + 1.0

    def near(name: str, theirs: float, ours: Any, limit: float) -> None:
        assert abs(theirs - float(ours)) <= limit, (name, theirs, float(ours), portfolio)

    for name, field in TOTALS.items():
        near(name, getattr(chain, field), exact[name], AGREEMENT * scale)
    for name in ("initialMargin", "maintenanceMargin"):
        floor = float(exact[name]) * (1.0 - SHORTFALL) - READING * scale
        assert getattr(chain, TOTALS[name]) >= floor, (name, getattr(chain, TOTALS[name]), floor, portfolio)
    for symbol, ours in exact["underlyings"].items():
        theirs = chain.underlyings[symbol]
        for name, field in FIELDS.items():
            near(f"{symbol} {name}", getattr(theirs, field), ours[name], AGREEMENT * scale)
        assert len(theirs.rows) == len(ours["rows"])
        for i, (row, same) in enumerate(zip(theirs.rows, ours["rows"], strict=True)):
            near(f"{symbol} row {i}", row.pnl, same["pnl"], AGREEMENT * scale)
            assert (row.vol, row.price, row.skew) == (same["vol"], pytest.approx(same["price"]), float(same["skew"]))
            # Weights are kept in steps of 1e-9, rounded up.
            assert row.weight == pytest.approx(float(same["weight"]), abs=1e-9)
    compared[case.name] += 1


def test_evaluate__generated_portfolios__is_the_exact_margin(opened):
    case, answer = opened
    batches = st.lists(portfolios(case.market, 5), min_size=BATCH, max_size=BATCH)

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(batches)
    def agree(batch):
        for portfolio, chain in zip(batch, answer.evaluate_many(batch), strict=True):
            judge(case, portfolio, chain)

    agree()
    assert compared[case.name] >= BATCH * EXAMPLES


def market_makers(case: Case) -> list[Position]:
    """Twelve options a listed expiry, around the money, long and short, calls and puts of one strike among them."""
    draw = np.random.default_rng(11)
    found: list[Position] = []
    for symbol, held in sorted(case.market.rounds.items()):
        unit = 1_900.0 / held.spot
        for listed in held.surfaces:
            strikes = [round(held.spot * moneyness, 4) for moneyness in draw.uniform(0.85, 1.15, 6)]
            for strike in strikes:
                for kind in (Kind.CALL, Kind.PUT):
                    quantity = round(float(draw.normal(0.0, 5.0)) * unit, 9)
                    found.append(Position(symbol, kind, listed.expiry_ts, strike, quantity))
            found.append(Position(symbol, Kind.FUTURE, listed.expiry_ts, held.spot, round(-2.0 * unit, 9)))
        found.append(Position(symbol, Kind.PERP, 0, held.spot * 1.01, round(1.5 * unit, 9)))
    return found


@pytest.mark.parametrize("mode", list(Mode))
def test_evaluate__market_makers_book__is_the_exact_margin(opened, mode):
    case, answer = opened
    full = unique(market_makers(case))
    tokens = {symbol: 3.0 for symbol, token in case.market.tokens.items() if token.linked}
    books = [Portfolio(mode, -5_000.0, tokens, full), Portfolio(mode, 1e5, {}, full[::2])]
    for portfolio, chain in zip(books, answer.evaluate_many(books), strict=True):
        judge(case, portfolio, chain)
