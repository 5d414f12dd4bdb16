"""The optimiser's suggestion on a book of 100 legs: preview on chain confirms it, and the exchange reads its orders."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from brownie import accounts, chain, project, web3
from eth_account.messages import _hash_eip191_message, encode_typed_data

from plimsoll.analytics.optimise.limits import Limits
from plimsoll.analytics.optimise.release import release
from plimsoll.analytics.optimise.universe import TradingCosts
from plimsoll.cli import run
from plimsoll.model import Kind, Market, Mode, Portfolio, Position, Round, Surface, Svi, Token
from plimsoll.params import Params
from plimsoll.protocol.orders import ORDER_FIELDS, OrderTerms, order_document, order_messages, preview_changes
from plimsoll.units import float_to_wad
from tests.chain.helpers.ledger import option
from tests.chain.helpers.orders import sign_order
from tests.chain.helpers.signed import WAD, surface
from tests.chain.helpers.stack import PERP, deploy_stack

AGREEMENT = 1e-6  #: of gross notional
CASH, WETH, LEGS = 500_000, 3, 100
IDS = {"ETH": 1}
PARAMS = Params(overrides_all={"price_range": 0.189, "skew_rate": 1.0})


@pytest.fixture(scope="module")
def stack():
    return deploy_stack(project.get_loaded_projects()[0], accounts[0], chain)


@pytest.fixture(scope="module")
def expiries(stack):
    found = tuple(chain[-1].timestamp + days * 86_400 for days in (7, 30))
    stack.price(1_900, surfaces=[surface(expiry) for expiry in found])
    return found


@pytest.fixture(scope="module")
def wallets():
    """Keys of the account and of its counterparty."""
    return accounts.add(), accounts.add()


@pytest.fixture(scope="module")
def other(stack, wallets):
    """Account of the counterparty."""
    return stack.open(wallets[1], 10_000_000)


@pytest.fixture(scope="module")
def book(stack, expiries, wallets, other):
    """Account id and its mirror: 99 options and a perpetual, more sold than bought."""
    account = stack.open(wallets[0], CASH)
    stack.accounts.creditToken(account, 1, WETH * WAD, {"from": stack.admin})
    draw = random.Random(5)
    listed = [(e, k, s) for e in expiries for k in (Kind.CALL, Kind.PUT) for s in range(1_300, 2_600, 50)]
    positions, cash = [], float(CASH)
    for expiry, kind, strike in draw.sample(listed, LEGS - 1):
        quantity, price = draw.choice((-3, -2, -1, 1, 2)), draw.randint(5, 60)
        sides = (account, other) if quantity > 0 else (other, account)
        stack.trade(*sides, abs(quantity), price, option(expiry, strike, kind))
        positions.append(Position("ETH", kind, expiry, float(strike), float(quantity)))
        cash -= quantity * price
    stack.trade(account, other, 4, 1_900, PERP)
    positions.append(Position("ETH", Kind.PERP, 0, 1_900.0, 4.0))
    return account, Portfolio(Mode.SINGLE, cash, {"WETH": float(WETH)}, tuple(positions))


@pytest.fixture(scope="module")
def market(stack, expiries):
    """The same market off chain."""
    ts = int(stack.oracle.roundFor(1, [])[0][0])
    svi = Svi(0.002, 0.03, -0.2, 0.01, 0.1)
    eth = Round("ETH", ts, 1_900.0, 1_900.0, 1.0, tuple(Surface(e, 1_905.0, 0.04, svi) for e in expiries))
    return Market(
        ts, {"USDC": Token("USDC", 1.0, 0.0), "WETH": Token("WETH", None, 0.2, "ETH", 0.02, 1.0)}, {"ETH": eth}
    )


@pytest.mark.parametrize("count", [1, 4])
def test_preview_confirms_the_released_margin(stack, book, market, count):
    account, folio = book
    assert len(folio.positions) == LEGS
    found = release(market, folio, PARAMS, TradingCosts(), Limits(trades=count))
    orders = [trade.order for trade in found.trades]
    before, after, _, _ = stack.engine.preview(account, tuple(preview_changes(orders, IDS).values()))
    for ours, theirs in ((found.before, before), (found.after, after)):
        bound = AGREEMENT * ours.gross_notional
        assert ours.equity == pytest.approx(int(theirs[1]) / WAD, abs=bound)
        assert ours.initial_margin == pytest.approx(int(theirs[4]) / WAD, abs=bound)
    released = [int(side[1]) - int(side[4]) for side in (before, after)]
    assert found.released == pytest.approx(
        (released[1] - released[0]) / WAD, abs=2 * AGREEMENT * found.after.gross_notional
    )
    assert released[1] > released[0]


def test_the_exchange_hashes_the_templates_as_a_wallet_does(stack, book, wallets, market):
    account, folio = book
    found = release(market, folio, PARAMS, TradingCosts(), Limits(trades=2))
    (entry,) = [item for item in stack.exchange.abi if item.get("name") == "hashOf"]
    fields = [{"name": c["name"], "type": c["type"]} for c in entry["inputs"][0]["components"]]
    # The exchange's own struct decides; every field of it is known.
    assert fields == ORDER_FIELDS[: len(fields)]
    terms = OrderTerms(account, wallets[0].address, 3, chain[-1].timestamp + 3_600)
    held = [trade.candidate.held for trade in found.trades]
    messages = order_messages([t.order for t in found.trades], held, IDS, terms, fields)
    _, name, version, chain_id, verifying, _, _ = stack.exchange.eip712Domain()
    domain = {"name": name, "version": version, "chainId": int(chain_id), "verifyingContract": verifying}
    document = order_document(messages, domain, fields)
    for message in messages:
        typed = {key: document[key] for key in ("types", "primaryType", "domain")} | {"message": message}
        digest = bytes(_hash_eip191_message(encode_typed_data(full_message=typed)))
        assert str(stack.exchange.hashOf(tuple(message.values()))) == "0x" + digest.hex()


def test_the_exchange_settles_a_template(stack, book, other, wallets, market):
    account, folio = book
    found = release(market, folio, PARAMS, TradingCosts(), Limits(trades=1))
    (trade,) = found.trades
    (entry,) = [item for item in stack.exchange.abi if item.get("name") == "settle"]
    fields = [{"name": c["name"], "type": c["type"]} for c in entry["inputs"][0]["components"]]
    end = chain[-1].timestamp + 3_600
    sides = []
    for number, wallet, order, held in (
        (account, wallets[0], trade.order, trade.candidate.held),
        (
            other,
            wallets[1],
            replace(trade.order, position=replace(trade.order.position, quantity=-trade.quantity)),
            0.0,
        ),
    ):
        (message,) = order_messages([order], [held], IDS, OrderTerms(number, wallet.address, 11, end), fields)
        sides.append((tuple(message.values()), sign_order(stack.exchange, wallet, tuple(message.values()))))
    if trade.quantity < 0.0:
        sides.reverse()
    # Either form of the call: buy, sell and a price, or maker and taker.
    values = [item for side in sides for item in side] + [float_to_wad(abs(trade.quantity)), float_to_wad(trade.limit)]
    data = stack.exchange.settle.encode_input(*values[: len(entry["inputs"])])
    # Not through Brownie's own sender: it takes a transaction that is mined slowly for a dropped one.
    call = {"from": accounts[3].address, "to": stack.exchange.address, "data": data, "gas": 30_000_000, "gasPrice": 0}
    receipt = web3.eth.wait_for_transaction_receipt(web3.eth.send_transaction(call))
    assert receipt["status"] == 1
    equity, initial = (int(stack.engine.marginOf(account)[i]) / WAD for i in (1, 4))
    bound = 2 * AGREEMENT * found.after.gross_notional
    assert equity == pytest.approx(found.after.equity, abs=bound)
    assert initial == pytest.approx(found.after.initial_margin, abs=bound)


def test_the_command_asks_the_contracts(tmp_path, capsys):
    expiry = 1_770_968_000
    svi = {"a": 0.002, "b": 0.03, "rho": -0.2, "m": 0.0, "sigma": 0.1}
    surfaces = [{"expiry": expiry, "forward": 1_901.2, "rate": 0.04, "svi": svi}]
    market = {
        "schema": "plimsoll.market/1",
        "timestamp": 1_770_326_940,
        "tokens": {"USDC": {"price": 1.0}},
        "underlyings": {"ETH": {"spot": 1_900.0, "perp": 1_899.5, "confidence": 1.0, "expiries": surfaces}},
    }
    leg = {"underlying": "ETH", "kind": "option", "right": "call", "expiry": expiry, "strike": 2_000.0}
    folio = {
        "schema": "plimsoll.portfolio/1",
        "mode": "SINGLE",
        "cash": 9_000.0,
        "positions": [{**leg, "quantity": -5.0}],
    }
    for name, document in (("M.json", market), ("P.json", folio)):
        (tmp_path / name).write_text(json.dumps(document))
    files = ["--market", str(tmp_path / "M.json"), "--portfolio", str(tmp_path / "P.json")]
    assert run(["optimise", "release", *files, "--verify", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["chain"]["largestDifference"] <= AGREEMENT
    assert found["chain"]["released"] == pytest.approx(found["released"], abs=1e-3)
