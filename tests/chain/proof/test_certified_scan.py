"""The contracts' certified scan against every price of the range, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from plimsoll.mirror.margin_engine import evaluate_many
from plimsoll.model import Kind, Market, Mode, Portfolio, Position, Round, Surface, Svi, Token
from plimsoll.params import Params
from plimsoll.protocol.margin_engine import checker
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import WAD, market_round, post
from tests.chain.helpers.stack import PRICE_RANGE, UNDERLYING
from tests.python.properties.adversary import SYMBOL, Builder, random_market, undiscounted, worst_losses

DRAWN, KEPT = 900, 120
TENOR_SEC = 34_560
LEGS = ((1_730, -100), (1_775, 200), (1_820, -100))


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_certified_scan__worst_of_many_adversarial_portfolios__covers_every_price(seed):
    params, market = Params(), random_market(np.random.default_rng(seed))
    folios = [folio for _, folio in Builder(market, params, seed).portfolios(DRAWN)]
    losses = worst_losses(market, folios, params).max(axis=1)
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
    assert beyond >= KEPT // 4


@pytest.fixture(scope="module")
def series(stack, chain):
    """Expiry of a butterfly between two nodes: F = 2000, vol 60 %, 0.4 day; posted."""
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


def figures(stack, account):
    """Requirement of an account, and what of it the prices between the nodes add, both without the pad."""
    risk = stack.engine.marginOf(account)[7][0]
    between = risk["certifiedScanWad"] - risk["scanWad"] - risk["padWad"]
    return int(risk["requirementWad"] - risk["padWad"]) / WAD, int(between) / WAD


def test_butterfly__on_chain__is_the_mirrors(stack, trader, series):
    account, _ = open_butterfly(stack, trader, series, 10_000)
    ts = int(stack.oracle.roundFor(1, [])[0][0])
    flat = Svi(36e-2 * TENOR_SEC / 31_536_000, 0.0, 0.0, 0.0, 0.1)
    held = Round(SYMBOL, ts, 2_000.0, 2_000.0, 1.0, (Surface(series, 2_000.0, 0.0, flat),))
    market = Market(ts, {"USDC": Token("USDC", 1.0, 0.0)}, {SYMBOL: held})
    legs = tuple(Position(SYMBOL, Kind.CALL, series, float(strike), float(q)) for strike, q in LEGS)
    own = {"price_range": PRICE_RANGE / WAD, "skew_rate": UNDERLYING[8] / WAD}
    params = Params(overrides={SYMBOL: own})
    (result,) = evaluate_many(market, [Portfolio(Mode.SINGLE, 0.0, {}, legs)], params)
    part = result.underlyings[SYMBOL]
    requirement, between = figures(stack, account)
    assert requirement == pytest.approx(part.requirement, rel=1e-6)
    assert between == pytest.approx(part.certified_scan - part.scan, rel=1e-6)
    # Most of it lies between the nodes.
    assert between > part.scan


@pytest.mark.parametrize("share", [0.2, 0.5, 0.7, 0.999])
def test_butterfly__cash_for_a_part_of_the_certified_scan__is_refused(stack, trader, series, share):
    needed, _ = figures(stack, open_butterfly(stack, trader, series, 10_000)[0])
    account, before = open_butterfly(stack, trader, series, int(share * needed))
    margin = stack.margin(account)
    assert margin.equity < margin.initial
    with reverts_with("MarginEngine__BelowInitial", margin.equity, margin.initial):
        stack.engine.enforce(account, before)


def test_butterfly__cash_for_the_certified_scan__opens(stack, trader, series):
    needed, _ = figures(stack, open_butterfly(stack, trader, series, 10_000)[0])
    account, before = open_butterfly(stack, trader, series, int(needed) + 2)
    stack.engine.enforce(account, before)
