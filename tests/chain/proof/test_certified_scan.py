"""The contracts' certified scan against every price of the range, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from offchain.chain.margin_engine import checker
from offchain.mirror.margin_engine import evaluate_many
from offchain.model import Kind
from offchain.params import Params
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import WAD, market_round, post
from tests.python.properties.adversary import (
    SYMBOL,
    Builder,
    butterfly_of_the_risk_model,
    random_market,
    undiscounted,
    worst_losses,
)

DRAWN, KEPT = 900, 120
#: Vol states whose rows form intervals.
CERTIFIED = {"default": [0, 1, 2], "span": [0, 2]}
TENOR_SEC = 34_560
LEGS = ((1_730, -100), (1_775, 200), (1_820, -100))


@pytest.mark.parametrize(("seed", "book"), [(11, "default"), (12, "default"), (13, "span")])
def test_certified_scan__worst_of_many_adversarial_portfolios__covers_every_price(seed, book):
    params, market = Params(book=book), random_market(np.random.default_rng(seed))
    folios = [folio for _, folio in Builder(market, params, seed).portfolios(DRAWN)]
    losses = worst_losses(market, folios, params)[:, CERTIFIED[book]].max(axis=1)
    parts = [r.underlyings[SYMBOL] for r in evaluate_many(market, folios, params)]
    # Where the true loss comes closest to what certification adds to the grid scan, then those worst at a node.
    used = [
        (loss - part.scan) / (part.certified_scan - part.scan + 1e-3) for loss, part in zip(losses, parts, strict=True)
    ]
    kept = np.argsort(used)[::-1][:KEPT]
    beyond = 0
    with checker(market, params) as contracts:
        answers = contracts.evaluate_many([folios[i] for i in kept])
    for i, answer in zip(kept, answers, strict=True):
        part = answer.underlyings[SYMBOL]
        # No slack: the contract rounds and pads its requirement upward.
        assert part.certified_scan >= losses[i], (losses[i], part.certified_scan, folios[i])
        assert part.requirement >= part.certified_scan
        beyond += losses[i] > part.scan
    assert beyond >= KEPT // 2


@pytest.fixture(scope="module")
def series(stack, chain):
    """Expiry of the risk model's butterfly: F = 2000, vol 60 %, 0.4 day; posted, with fresh token prices."""
    stack.price(2_000)
    chain.sleep(2)
    chain.mine()
    ts = chain[-1].timestamp
    flat = {"forwardWad": 2_000 * WAD, "rateWad": 0, "bWad": 0, "rhoWad": 0, "mWad": 0}
    variance = 36 * 10**16 * TENOR_SEC // 31_536_000
    surface = {"expiryTs": ts + TENOR_SEC, **flat, "aWad": variance, "sWad": 10**17}
    order = ("expiryTs", "forwardWad", "rateWad", "aWad", "bWad", "rhoWad", "mWad", "sWad")
    message = market_round(ts, spotWad=2_000 * WAD, perpWad=2_000 * WAD)
    message["surfaces"] = [{name: surface[name] for name in order}]
    post(stack.oracle, "postRound", message, stack.admin)
    return ts + TENOR_SEC


def open_butterfly(stack, trader, series, cash):
    """Open the butterfly at its fair price from an account with ``cash``; return the account, before and after."""
    account, maker = stack.open(trader, cash), stack.open(stack.admin, 10_000_000)
    before = stack.accounts.snapshotOf(account)
    for strike, quantity in LEGS:
        instrument = 1 << 248 | series << 200 | (strike * 10**8) << 128
        fair = float(undiscounted(True, np.array(2_000.0), strike, 0.6 * (TENOR_SEC / 31_536_000) ** 0.5))
        price = int(fair * 10**8) * 10**10
        pair = (account, maker) if quantity > 0 else (maker, account)
        stack.accounts.applyTrade((*pair, instrument, abs(quantity) * WAD, price), {"from": stack.admin})
    return account, before


def test_butterfly__on_chain__figures_of_the_risk_model(stack, trader, series):
    account, _ = open_butterfly(stack, trader, series, 10_000)
    risk = stack.engine.marginOf(account)[6][0]
    assert (round(risk[1] / WAD), round(risk[2] / WAD)) == (1_095, 4_942)
    market, folio = butterfly_of_the_risk_model()
    assert [p.kind for p in folio.positions] == [Kind.CALL] * 3
    assert round(float(worst_losses(market, [folio], Params()).max())) == 3_638


@pytest.mark.parametrize("cash", [1_100, 2_400, 3_637, 4_941])
def test_butterfly__cash_above_its_grid_scan_but_below_the_certified__is_refused(stack, trader, series, cash):
    account, before = open_butterfly(stack, trader, series, cash)
    margin = stack.margin(account)
    assert abs(margin.equity - cash * WAD) < WAD // 100
    with reverts_with("MarginEngine__BelowInitial", margin.equity, margin.initial):
        stack.engine.enforce(account, before)


def test_butterfly__cash_for_the_certified_scan__opens(stack, trader, series):
    account, before = open_butterfly(stack, trader, series, 4_943)
    stack.engine.enforce(account, before)
