"""The example for integrators: compiled as `foundry.toml` says, deployed beside a local installation, and believed."""

from __future__ import annotations

import json
import subprocess
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
from eth_utils.crypto import keccak

from plimsoll.chain import abi, revert
from plimsoll.chain.anvil import running
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import create
from plimsoll.chain.revert import RevertError
from plimsoll.chain.words import to_instrument
from plimsoll.files.market import load_market
from plimsoll.mirror.margin_engine import evaluate_many
from plimsoll.mirror.order_preview import OpenOrder
from plimsoll.model import Kind, Market, Position
from plimsoll.protocol.account import params_of, read_account
from plimsoll.protocol.orders import OrderTerms, order_messages
from plimsoll.session import custody, rounds, trades
from plimsoll.session.install import install
from plimsoll.session.session import open_session
from plimsoll.units import float_to_raw, float_to_wad, wad_to_float

ROOT = Path(__file__).resolve().parents[3]
SOURCE = "examples/integration/MarginReader.sol"
START_TS = 1_770_400_000
BUFFER_BPS = 2_500
FIGURES = ("equity", "initial_margin", "maintenance_margin")


def compiled():
    """ABI and code of the example, by the project's compiler with the settings of foundry.toml."""
    profile = tomllib.loads((ROOT / "foundry.toml").read_text(encoding="utf-8"))["profile"]["default"]
    settings = {
        "viaIR": profile["via_ir"],
        "evmVersion": profile["evm_version"],
        "optimizer": {"enabled": profile["optimizer"], "runs": profile["optimizer_runs"]},
        "remappings": profile["remappings"],
        "outputSelection": {SOURCE: {"MarginReader": ["abi", "evm.bytecode.object"]}},
    }
    sources = {SOURCE: {"content": (ROOT / SOURCE).read_text(encoding="utf-8")}}
    question = {"language": "Solidity", "sources": sources, "settings": settings}
    solc = ROOT / ".solcx" / f"solc-v{profile['solc']}"
    command = [str(solc), "--standard-json", "--base-path", str(ROOT), "--allow-paths", str(ROOT)]
    done = subprocess.run(command, input=json.dumps(question), cwd=ROOT, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    problems = [found["formattedMessage"] for found in answer.get("errors", ())]
    assert problems == []
    found = answer["contracts"][SOURCE]["MarginReader"]
    return {"abi": found["abi"], "bytecode": found["evm"]["bytecode"]["object"]}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Alice with 5,000 cash, two ether and 6 perpetuals, and the reader, on a chain of its own."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "MarginReader.json").write_text(json.dumps(compiled()))
    with running(START_TS) as chain:
        client, record = Client(chain.url), folder / "local.json"
        install(client, record, "local", (), None, lambda _: None)
        session = open_session(client, record, load_market(ROOT / "examples" / "market.json"), None)
        for symbol in ("ETH", "BTC"):
            rounds.post_round(session, symbol, None)
        alice = custody.open_account(session, "alice", 5_000.0, "USDC")
        custody.deposit(session, alice, 2.0, "WETH")
        maker = custody.open_account(session, "maker", 1e6, "USDC")
        perp = trades.instrument(session, "ETH-PERP", 6.0)
        trades.trade(session, alice, maker, perp, 1_899.5)
        yield SimpleNamespace(session=session, alice=alice, maker=maker, reader=deploy(session, alice, folder))


def deploy(session, alice, folder):
    with pytest.MonkeyPatch.context() as patch:
        # The package reads built contracts of the protocol alone; the example is none.
        patch.setattr(abi, "ARTIFACTS", folder)
        names = ("Accounts", "Vault", "MarginEngine", "OrderPreview", "ActionPreview")
        addresses = [session.deployment.contracts[name] for name in names]
        return create(session.client, alice.wallet, "MarginReader", *addresses, BUFFER_BPS)[0]


@pytest.fixture(autouse=True)
def named_errors(place):
    """Let the package name the example's errors, which it does not know by itself."""
    own = {}
    for entry in place.reader.artifact.abi:
        if entry["type"] == "error":
            types = [abi.canonical_type(value) for value in entry["inputs"]]
            own[keccak(text=f"{entry['name']}({','.join(types)})")[:4].hex()] = (entry["name"], types)
    with pytest.MonkeyPatch.context() as patch:
        for selector, known in own.items():
            patch.setitem(revert._known_errors(), selector, known)
        yield


@pytest.fixture(autouse=True)
def undone(place):
    """Whatever a test sends is undone."""
    state = place.session.client.rpc("evm_snapshot")
    yield
    place.session.client.rpc("evm_revert", state)
    place.session.client.forget_nonces()


def chain_view(place):
    return read_account(place.session.client, place.session.deployment, place.alice.account_id)


def figures(reading):
    return [wad_to_float(getattr(reading, f"{name}Wad")) for name in ("equity", "initial", "maintenance")]


def mirror(place, portfolio):
    """The float mirror's figures of a portfolio in the market that is on chain."""
    own = place.session
    fresh = {symbol: rounds._round_at(own, symbol, rounds.last_spot(own, symbol)[0]) for symbol in own.market.rounds}
    market = Market(fresh["ETH"].ts, own.market.tokens, fresh)
    (result,) = evaluate_many(market, [portfolio], params_of(own.deployment))
    return [getattr(result, name) for name in FIGURES]


def test_read__account__is_what_the_package_reads(place):
    reading, margin = place.reader.call("read", place.alice.account_id), chain_view(place).margin
    assert figures(reading) == [getattr(margin, name) for name in FIGURES]
    assert reading.freeWad == reading.equityWad - reading.initialWad
    assert reading.state == 0
    assert reading.initialWad > 0


@pytest.mark.parametrize(("kind", "quantity", "price"), [(Kind.PUT, -4.0, 55.5), (Kind.CALL, 2.5, 80.0)])
def test_after_trade__option__is_the_mirrors_margin_with_the_leg(place, kind, quantity, price):
    expiry_ts = rounds.expiries_of(place.session, "ETH")[0]
    leg = Position("ETH", kind, expiry_ts, 1_800.0, quantity)
    before, after = place.reader.call(
        "afterTrade", place.alice.account_id, to_instrument(leg, 1), float_to_wad(quantity), float_to_wad(price)
    )
    held = chain_view(place).portfolio
    wanted = type(held)(held.mode, held.cash - quantity * price, held.collateral, (*held.positions, leg))
    assert figures(after) == pytest.approx(mirror(place, wanted), rel=1e-6)
    assert figures(before) == figures(place.reader.call("read", place.alice.account_id))


def test_after_trade__perpetual__enters_at_its_price(place):
    leg = Position("ETH", Kind.PERP, 0, 1_950.0, -1.0)
    _, after = place.reader.call(
        "afterTrade", place.alice.account_id, to_instrument(leg, 1), float_to_wad(-1.0), float_to_wad(1_950.0)
    )
    trades.trade(place.session, place.alice, place.maker, leg, 1_950.0)
    assert figures(after) == pytest.approx(figures(place.reader.call("read", place.alice.account_id)), rel=1e-9)


@pytest.mark.parametrize(("symbol", "delta"), [("USDC", 750.0), ("USDC", -250.0), ("WETH", 0.5), ("WETH", -0.25)])
def test_after_collateral__change__is_the_mirrors_margin(place, symbol, delta):
    token_id = place.session.deployment.tokens[symbol].token_id
    _, after = place.reader.call("afterCollateral", place.alice.account_id, token_id, float_to_wad(delta))
    held = chain_view(place).portfolio
    cash, amounts = held.cash, dict(held.collateral)
    if symbol == "USDC":
        cash += delta
    else:
        amounts[symbol] += delta
    wanted = type(held)(held.mode, cash, amounts, held.positions)
    assert figures(after) == pytest.approx(mirror(place, wanted), rel=1e-6)


def test_after_orders__open_order__is_what_the_protocol_previews(place):
    session, alice = place.session, place.alice
    order = OpenOrder(Position("ETH", Kind.PERP, 0, 1_800.0, 2.0), 1_800.0)
    terms = OrderTerms(alice.account_id, alice.wallet.address, 1, START_TS + 10**6)
    messages = order_messages([order], [0.0], session.deployment.underlyings, terms)
    before, worst = place.reader.call("afterOrders", alice.account_id, messages)
    seen = session.contract("OrderPreview").call("previewOrders", alice.account_id, messages)
    assert (before.equityWad, worst.equityWad) == (seen.before_.equityWad, seen.worst.equityWad)
    assert (before.initialWad, worst.initialWad) == (seen.before_.initialWad, seen.worst.initialWad)
    assert worst.initialWad > before.initialWad


def needed(reading):
    return -(-reading.initialWad * (10_000 + BUFFER_BPS) // 10_000)


def test_require_buffer__at_the_limit__passes_and_below_it_reverts(place):
    session, alice = place.session, place.alice
    # Equity less what is needed is what may go; a cent stays for the rounding of the withdrawal.
    reading = place.reader.call("read", alice.account_id)
    room = wad_to_float(reading.equityWad - needed(reading))
    custody.withdraw(session, alice, round(room, 2) - 0.01, "USDC")
    place.reader.call("requireBuffer", alice.account_id)
    assert place.reader.call("read", alice.account_id).keepsBuffer is True
    custody.withdraw(session, alice, 0.02, "USDC")
    reading = place.reader.call("read", alice.account_id)
    assert reading.keepsBuffer is False
    assert reading.freeWad > 0
    with pytest.raises(RevertError) as refused:
        place.reader.call("requireBuffer", alice.account_id)
    assert refused.value.name == "MarginReader__BelowBuffer"
    assert refused.value.values == (reading.equityWad, needed(reading))


def withdraw_above(place, amount, by=None):
    session, alice = place.session, place.alice
    usdc = session.deployment.tokens["USDC"]
    values = (alice.account_id, usdc.address, float_to_raw(amount, usdc.decimals))
    return place.reader.send(by or alice.wallet, "withdrawAbove", *values)


def test_withdraw_above__buffer_is_left__pays_the_owner(place):
    session, alice = place.session, place.alice
    session.contract("Accounts").send(alice.wallet, "approve", place.reader.address, alice.account_id)
    withdraw_above(place, 100.0)
    assert custody.balance(session, alice, "USDC") == 100.0
    # It falls short of the buffer, though the protocol alone would let it go.
    most = place.reader.call("maxWithdraw", alice.account_id, session.deployment.tokens["USDC"].address) / 10**6
    with pytest.raises(RevertError, match="MarginReader__BelowBuffer"):
        withdraw_above(place, round(most, 2) - 1.0)
    custody.withdraw(session, alice, round(most, 2) - 1.0, "USDC")


def test_withdraw_above__stranger_or_no_approval__reverts(place):
    with pytest.raises(RevertError, match="MarginReader__NotOwner"):
        withdraw_above(place, 1.0, by=place.maker.wallet)
    with pytest.raises(RevertError, match="Vault__NotAuthorised"):
        withdraw_above(place, 1.0)


def test_read__stale_round__reverts(place):
    place.session.sleep(3 * 3_600)
    with pytest.raises(RevertError, match="Oracle__Stale"):
        place.reader.call("read", place.alice.account_id)
