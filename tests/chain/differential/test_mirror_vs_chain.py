"""The contracts against the float mirror on thousands of portfolios: every component, row and greek.

The chain is a private one: the calls only read, so nothing has to be isolated or reset.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plimsoll.constants import AGREEMENT_BOUND
from plimsoll.mirror.margin_engine import MarginResult, evaluate_many
from plimsoll.model import Kind, Market, Mode, Portfolio, Position
from plimsoll.protocol.margin_engine import Checker, checker
from tests.chain.differential.markets import CASES, OWN_BOOKS
from tests.chain.differential.strategies import MAX_POSITIONS, portfolios, unique

BATCH, EXAMPLES = 10, 12
# Section 9: what the chain asks for is never below the exact value by more than this share of it.
SHORTFALL_BOUND = 1e-8
# The mirror itself against 50-digit arithmetic, relative to gross notional.
MIRROR_BOUND = 1e-11

compared: Counter[str] = Counter()


@pytest.fixture(scope="module", params=[*CASES, OWN_BOOKS], ids=[case.name for case in (*CASES, OWN_BOOKS)])
def opened(request):
    with checker(request.param.market, request.param.params) as answer:
        yield request.param, answer


def scale_of(portfolio: Portfolio, market: Market, result: MarginResult) -> float:
    """Gross notional; collateral counts too, because linked collateral takes part in every row."""
    collateral = sum(amount * market.price_of(symbol) for symbol, amount in portfolio.collateral.items())
    return result.gross_notional + collateral + 1.0


def numbers(result: MarginResult) -> dict[str, float]:
    """Every figure of a result by name."""
    found = {
        "equity": result.equity,
        "marketEquity": result.market_equity,
        "markToMarket": result.mark_to_market,
        "initialMargin": result.initial_margin,
        "maintenanceMargin": result.maintenance_margin,
        "debtCharge": result.debt_charge,
    }
    for symbol, part in result.underlyings.items():
        document = part.to_json()
        rows, greeks = document.pop("rows"), document.pop("greeks")
        # Ties may decide these.
        document.pop("worstRow"), document.pop("cutoff")
        found |= {f"{symbol} {name}": value for name, value in document.items()}
        found |= {f"{symbol} row {i}": row["pnl"] for i, row in enumerate(rows)}
        # Section 9 bounds greeks per unit: delta, gamma*F, vega/F, theta/F.
        found |= {f"{symbol} greek {name}": value for name, value in greeks.items()}
        for expiry in part.expiries:
            named = {name: getattr(expiry, name) for name in greeks}
            found |= {f"{symbol} greek {name} of {expiry.expiry_ts}": value for name, value in named.items()}
    return found


def greek_slack(name: str, market: Market, portfolio: Portfolio) -> float:
    """Tolerance of a greek: 1e-6 a unit, in the greek's own unit of F."""
    symbol, _, greek = name.partition(" of ")[0].partition(" greek ")
    forwards = [market.rounds[symbol].spot, *(s.forward for s in market.rounds[symbol].surfaces)]
    units = 1.0 + sum(abs(p.quantity) for p in portfolio.positions if p.underlying == symbol)
    power = {"delta": 1.0, "gamma": 1.0 / min(forwards), "vega": max(forwards), "theta": max(forwards)}[greek]
    return 1e-6 * units * power


def compare(portfolio: Portfolio, market: Market, exact: MarginResult, chain: MarginResult) -> None:
    scale = scale_of(portfolio, market, exact)
    mirror, contracts = numbers(exact), numbers(chain)
    assert mirror.keys() == contracts.keys()
    for name, value in mirror.items():
        limit = greek_slack(name, market, portfolio) if " greek " in name else AGREEMENT_BOUND * scale
        assert abs(value - contracts[name]) <= limit, (name, value, contracts[name], portfolio)
    for name in ("initialMargin", "maintenanceMargin"):
        floor = mirror[name] * (1.0 - SHORTFALL_BOUND) - MIRROR_BOUND * scale
        assert contracts[name] >= floor, (name, mirror[name], contracts[name], portfolio)
    margins = (exact.initial_margin, exact.maintenance_margin)
    if min([abs(exact.equity - m) for m in margins] + [abs(exact.market_equity)]) > AGREEMENT_BOUND * scale:
        assert exact.state == chain.state, portfolio


def check(case, answer: Checker, batch: list[Portfolio]) -> None:
    exact = evaluate_many(case.market, batch, case.params)
    for portfolio, mine, theirs in zip(batch, exact, answer.evaluate_many(batch), strict=True):
        compare(portfolio, case.market, mine, theirs)
        compared[case.name] += 1


def test_evaluate__generated_portfolios__agree_in_every_figure(opened):
    case, answer = opened
    batches = st.lists(portfolios(case.market), min_size=BATCH, max_size=BATCH)

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(batches)
    def agree(batch):
        check(case, answer, batch)

    agree()
    assert compared[case.name] >= BATCH * EXAMPLES


@pytest.mark.parametrize("mode", list(Mode))
def test_evaluate__as_many_positions_as_an_account_holds__agree(opened, mode):
    case, answer = opened
    draw = np.random.default_rng(7)
    found: list[Position] = []
    for symbol, held in sorted(case.market.rounds.items()):
        for listed in held.surfaces:
            for moneyness in draw.uniform(0.6, 1.6, 40):
                quantity = round(float(draw.normal(0.0, 3.0)) * 1_900.0 / held.spot, 12)
                kind = Kind(int(draw.integers(0, 2)))
                found.append(Position(symbol, kind, listed.expiry_ts, round(held.spot * moneyness, 8), quantity))
    full = unique(found)[:MAX_POSITIONS]
    check(case, answer, [Portfolio(mode, 10_000.0, {}, full)])


def test_evaluate__all_markets_together__at_least_a_thousand_portfolios():
    assert sum(compared.values()) >= 1_000
