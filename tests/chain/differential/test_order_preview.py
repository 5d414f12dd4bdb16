"""OrderPreview against the float mirror on random books and orders: cases, margins, greeks per expiry."""

from __future__ import annotations

import random

import pytest
from brownie import accounts, chain, project

from plimsoll.mirror.order_preview import OpenOrder, filled, preview_orders
from plimsoll.model import Kind, Market, Mode, Portfolio, Position, Round, Surface, Svi, Token
from plimsoll.params import Params
from tests.chain.helpers.ledger import future, option, perp
from tests.chain.helpers.orders import PLAIN
from tests.chain.helpers.signed import WAD, surface
from tests.chain.helpers.stack import deploy_stack

AGREEMENT = 1e-6  #: of gross notional
SYMBOLS = {1: "ETH", 2: "BTC"}
HELD, OPEN = 4, 5
CASH, WETH = 100_000, 3
#: Both underlyings of the stack have the same shocks.
PARAMS = Params(overrides_all={"price_range": 0.189, "skew_rate": 1.0})


@pytest.fixture(scope="module")
def stack():
    return deploy_stack(project.get_loaded_projects()[0], accounts[0], chain)


@pytest.fixture(scope="module")
def pair(stack):
    """The account and its counterparty."""
    account = stack.open(accounts[1], CASH)
    stack.accounts.creditToken(account, 1, WETH * WAD, {"from": stack.admin})
    return account, stack.open(accounts[2], 10_000_000)


@pytest.fixture(scope="module")
def expiries(stack):
    found = tuple(chain[-1].timestamp + days * 86_400 for days in (7, 30))
    stack.price(1_900, surfaces=[surface(expiry) for expiry in found])
    stack.list_second(60_000)
    return found


@pytest.fixture(scope="module")
def market(stack, expiries):
    """The same market off chain."""
    ts = int(stack.oracle.roundFor(1, [])[0][0])
    svi = Svi(0.002, 0.03, -0.2, 0.01, 0.1)
    eth = Round("ETH", ts, 1_900.0, 1_900.0, 1.0, tuple(Surface(e, 1_905.0, 0.04, svi) for e in expiries))
    tokens = {"USDC": Token("USDC", 1.0, 0.0), "WETH": Token("WETH", None, 0.2, "ETH", 0.02, 1.0)}
    return Market(ts, tokens, {"ETH": eth, "BTC": Round("BTC", ts, 60_000.0, 60_000.0, 1.0, ())})


def drawn(draw, expiries):
    """A random order: instrument word, and the mirror's order."""
    kind = draw.choice((Kind.CALL, Kind.PUT, Kind.FUTURE, Kind.PERP))
    quantity = draw.choice((-1, 1)) * draw.randint(1, 40) / 8
    if kind is Kind.PERP and draw.random() < 0.5:
        position = Position("BTC", kind, 0, 0.0, quantity / 32)
        return perp() + (1 << 248), OpenOrder(position, float(draw.randint(57_000, 63_000)))
    if kind is Kind.PERP:
        return perp(), OpenOrder(Position("ETH", kind, 0, 0.0, quantity), float(draw.randint(1_800, 2_000)))
    expiry = draw.choice(expiries)
    if kind is Kind.FUTURE:
        position = Position("ETH", kind, expiry, 0.0, quantity)
        return future(expiry), OpenOrder(position, float(draw.randint(1_800, 2_000)))
    strike = float(draw.randrange(1_600, 2_300, 50))
    position = Position("ETH", kind, expiry, strike, quantity)
    return option(expiry, strike, kind), OpenOrder(position, float(draw.randint(1, 200)))


def hold(stack, pair, word, order):
    """Put an order's fill into the account's book."""
    size = round(abs(order.position.quantity) * WAD)
    sides = pair if order.position.quantity > 0 else pair[::-1]
    stack.accounts.applyTrade((*sides, word, size, int(order.limit) * WAD), {"from": stack.admin})


def signed_order(account, word, order, nonce):
    """The same order as the exchange takes it; nobody asks for its signature."""
    size = round(abs(order.position.quantity) * WAD)
    buys = order.position.quantity > 0
    end = chain[-1].timestamp + 600
    return (account, word, buys, size, int(order.limit) * WAD, nonce, end, accounts[1].address, *PLAIN)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("mode", list(Mode))
def test_preview_orders__random_books__mirror_agrees(stack, pair, expiries, market, mode, seed):
    draw, account = random.Random(100 * seed + mode), pair[0]
    stack.accounts.setMode(account, int(mode), {"from": accounts[1]})
    held, opened = ([drawn(draw, expiries) for _ in range(n)] for n in (HELD, OPEN))
    for word, order in held:
        hold(stack, pair, word, order)
    folio = filled(Portfolio(mode, float(CASH), {"WETH": float(WETH)}), [order for _, order in held])
    mine = preview_orders(market, folio, [order for _, order in opened], PARAMS)
    orders = [signed_order(account, word, order, nonce) for nonce, (word, order) in enumerate(opened)]
    before, worst, _, details, fills, _ = stack.preview.previewOrders(account, orders)
    slack = AGREEMENT * (mine.worst.gross_notional + mine.before.gross_notional + WETH * 1_900.0)
    assert len(fills) == len(mine.fills)
    for underlying_id, case, excess_wad in fills:
        expected = mine.fills[SYMBOLS[underlying_id]]
        assert int(case) == expected.fill
        assert int(excess_wad) / WAD == pytest.approx(expected.excess, abs=slack)
    for margin, result in ((before, mine.before), (worst, mine.worst)):
        expected = (result.equity, result.initial_margin, result.maintenance_margin)
        assert [int(margin[i]) / WAD for i in (1, 4, 5)] == pytest.approx(expected, abs=slack)
    for risk, detail in zip(worst[7], details, strict=True):
        part = mine.worst.underlyings[SYMBOLS[int(risk[0])]]
        seen = sorted(tuple(int(value) for value in entry) for entry in detail[5])
        assert [entry[0] for entry in seen] == [found.expiry_ts for found in part.expiries]
        for entry, found in zip(seen, part.expiries, strict=True):
            figures = (found.delta, found.gamma, found.vega, found.theta)
            assert [value / WAD for value in entry[1:]] == pytest.approx(figures, rel=1e-6, abs=1e-4)
