"""The scripts for Brownie users, one after the other on one chain: what each says, and what it left on chain."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import brownie
import pytest

from plimsoll.chain.anvil import wallet
from plimsoll.chain.client import Client
from plimsoll.chain.revert import RevertError
from plimsoll.constants import FUND_ID
from plimsoll.deployment.record import load_deployment
from plimsoll.files.market import load_market
from plimsoll.protocol.account import read_account
from plimsoll.session import custody
from plimsoll.session.session import open_session

ROOT = Path(__file__).resolve().parents[3]
MARKET = ROOT / "examples" / "market.json"
RECORD = Path("build", "plimsoll", "development.json")


def play(name, *arguments, function="main"):
    """Run one script as `brownie run` does; its exit code, what it printed, and its error."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            brownie.run(name, function, arguments)
        except SystemExit as stop:
            return SimpleNamespace(code=stop.code, out=out.getvalue(), err=err.getvalue())
    return SimpleNamespace(code=0, out=out.getvalue(), err=err.getvalue())


def well(*step, function="main"):
    """What a script printed that has to succeed, without Brownie's own line."""
    done = play(*step, function=function)
    assert (done.code, done.err) == (0, ""), done.err
    said = done.out.split("'...\n", 1)[1]
    assert max(map(len, said.splitlines())) <= 80
    return said


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of its own, so that no record of the checkout is touched."""
    place, before = tmp_path_factory.mktemp("scripts"), Path.cwd()
    os.chdir(place)
    yield place
    os.chdir(before)


@pytest.fixture(scope="module")
def installed(isolate_module, folder):
    """The chain after `deploy`."""
    said = well("deploy")
    client, deployment = Client(brownie.web3.provider.endpoint_uri), load_deployment(RECORD)
    return SimpleNamespace(
        said=said,
        client=client,
        deployment=deployment,
        account=lambda number: read_account(client, deployment, number),
        of=lambda name: deployment.contract(client, name),
    )


@pytest.fixture(scope="module")
def alice(installed):
    """Alice's account 2 after `open_account`."""
    return well("open_account")


@pytest.fixture(scope="module")
def traded(alice):
    """Alice's account after `trade`, with the market maker's account 3."""
    return well("trade")


def figure(text, label):
    """Both figures of a line of a report."""
    (line,) = re.findall(rf"^  {re.escape(label)} +(\S+) +(\S+)$", text, re.M)
    return tuple(float(value.replace(",", "")) if value != "-" else None for value in line)


def blocks(installed):
    return installed.client.block_number()


def test_deploy__new_chain__writes_the_record_and_the_first_rounds(installed):
    assert "31 contracts on chain 31337: deployed; as configured" in installed.said
    assert installed.account(FUND_ID).portfolio.cash == 200_000.0
    spots = {s: installed.of("Oracle").call("lastSpotOf", n)[0] for s, n in installed.deployment.underlyings.items()}
    assert spots == {"ETH": 1_900 * 10**18, "BTC": 66_000 * 10**18}


def test_deploy__again__sends_nothing(installed):
    before, record = blocks(installed), RECORD.read_bytes()
    assert "there already, nothing was sent; as configured" in well("deploy")
    assert (blocks(installed), RECORD.read_bytes()) == (before, record)


def test_deploy__parameter_that_differs__fails_and_names_it(installed):
    installed.of("Vault").send(wallet("deployer"), "setCap", 0, 10**12)
    done = play("deploy")
    assert done.code == 1
    assert done.err.startswith(
        f"error: {RECORD}: 1 differ from the configuration, first tokens.USDC.capRaw: chain 1000"
    )


def test_open_account__default__deposits_for_alice(installed, alice):
    assert "account 2 of alice" in alice
    assert figure(alice, "cash") == (None, 25_000.0)
    assert installed.account(2).portfolio.cash == 25_000.0
    assert installed.account(2).owner == wallet("alice").address


def test_deposit__token_and_account__arrives(installed, alice):
    said = well("deposit", "alice:2", "1.5", "WETH")
    assert "deposited 1.5 WETH" in said
    assert figure(said, "WETH") == (None, 1.5)
    assert dict(installed.account(2).portfolio.collateral) == {"WETH": 1.5}


def test_withdraw__default__goes_to_the_wallet(installed, alice):
    said = well("withdraw")
    assert "withdrew 1,000 USDC; the wallet now holds 1,000" in said
    assert figure(said, "cash") == (25_000.0, 24_000.0)
    token = installed.deployment.token_contract(installed.client, "USDC")
    assert token.call("balanceOf", wallet("alice").address) == 10**9


def test_trade__default__buys_perpetuals_from_the_market_maker(installed, traded):
    assert "alice bought 2 ETH-PERP at 1,899.50\nthe other side is account 3 of market maker\n" in traded
    (mine,), (theirs,) = (installed.account(number).portfolio.positions for number in (2, 3))
    assert (mine.quantity, theirs.quantity, mine.price) == (2.0, -2.0, 1_899.5)
    before, after = figure(traded, "initial margin")
    assert before == 0.0
    assert after == pytest.approx(installed.account(2).margin.initial_margin, abs=0.005)


def test_trade__option_by_name__is_sold_at_its_price(installed, traded):
    expiries = installed.of("Oracle").call("expiriesOf", installed.deployment.underlyings["ETH"])
    said = well("post_round")
    day = said.split("expiries: ")[1].split(",")[0].strip()
    well("trade", "alice:2", "-3", f"ETH-{day}-1700-P", "120")
    option = next(held for held in installed.account(2).portfolio.positions if held.kind.is_option)
    assert (option.expiry_ts, option.price, option.quantity) == (min(expiries), 1_700.0, -3.0)
    assert installed.account(2).portfolio.cash == 25_000.0 + 360.0


def test_post_round__spot__moves_it_and_the_margin(installed, traded):
    said = well("post_round", "ETH", "1750")
    assert "round of ETH: spot 1,750.00, -7.89% from 1,900.00" in said
    assert installed.of("Oracle").call("lastSpotOf", 1)[0] == 1_750 * 10**18
    assert installed.account(2).margin.equity == pytest.approx(
        25_000.0 + 2 * 1_750 * (1_899.5 / 1_900 - 1_899.5 / 1_750)
    )


def test_liquidate__whole__takes_a_slice_at_a_discount(installed, traded):
    said = well("liquidate")
    # The bid gave the account its buffer back, which ends the auction.
    assert installed.of("Auction").call("isUnderAuction", 4) is False
    fell, taken = said.split("auction of account 4 started")
    equity, maintenance = figure(fell, "equity")[1], figure(fell, "maintenance margin")[1]
    assert equity < maintenance
    assert figure(fell, "equity")[0] > figure(fell, "initial margin")[0]
    share, paid = re.search(r"liquidator took ([\d.]+)% and paid ([\d,.]+), fee", taken).groups()
    after = installed.account(4)
    assert after.portfolio.positions[0].quantity == pytest.approx(10.0 * (1.0 - float(share) / 100.0), abs=1e-3)
    assert after.margin.equity > after.margin.maintenance_margin
    bidder = installed.account(5)
    assert bidder.portfolio.positions[0].quantity == pytest.approx(10.0 * float(share) / 100.0, abs=1e-3)
    assert float(paid.replace(",", "")) > 0.0
    assert bidder.margin.equity > 100_000.0


def test_liquidate__step_by_step__does_the_same(installed, traded):
    well("liquidate", "carol", "-4", "20", function="fall")
    assert installed.account(4).margin.state == "liquidatable"
    assert installed.of("Auction").call("isUnderAuction", 4) is False
    assert well("liquidate", "4", function="start") == "auction of account 4 started\n"
    said = well("liquidate", "carol", "dave", "0.1", "60", function="bid")
    assert "dave took 10.00% and paid" in said
    assert installed.account(4).portfolio.positions[0].quantity == pytest.approx(-3.6)


BAD = [
    (("open_account", "bob", "-1"), 2, "amount: -1 must be above 0"),
    (("open_account", "bob", "x"), 2, "amount: 'x' is no number"),
    (("open_account", "bob", "nan"), 2, "amount: nan must be above 0"),
    (("open_account", "bob", "1e-9"), 2, "amount: 1e-09 USDC is less than its smallest unit, 1e-6"),
    (("open_account", "bob", "1", "DAI"), 2, "token: 'DAI' is none of USDC, WBTC, WETH"),
    (("open_account", "bob", "2e9"), 1, "Vault.openAndDeposit: reverted with Vault__CapExceeded"),
    (("deposit", "nobody"), 2, "who: 'nobody' has no account; open_account makes one"),
    (("deposit", "alice:x"), 2, "who: 'alice:x' must be a name, or name and account id as alice:7"),
    (("deposit", "alice:1"), 2, "who: account 1 is not of 'alice', who has 2"),
    (("deposit", "a", "b", "c", "d"), 2, "arguments: 4 given, at most 3: who, amount, symbol"),
    (("withdraw", "alice", "24999.5"), 2, "amount: 24,999.5 USDC is more than may leave account 2: 23,"),
    (("trade", "alice", "0"), 2, "quantity: 0 is no trade; positive buys, negative sells"),
    (("trade", "alice", "1", "ETH"), 2, "instrument: 'ETH' has none of the forms ETH-27MAR26-1800-C,"),
    (("trade", "alice", "1", "DOGE-PERP"), 2, "instrument: 'DOGE' is none of BTC, ETH"),
    (("trade", "alice", "1", "ETH-01JAN30"), 2, "instrument: ETH-01JAN30 has no expiry of the rounds of ETH: "),
    (("trade", "alice", "1", "ETH-PERP", "1900", "alice"), 2, "maker: account 2 cannot trade with itself"),
    (("trade", "alice", "10000"), 1, "Exchange.settle: reverted with MarginEngine__BelowInitial"),
    (("post_round", "DOGE"), 2, "underlying: 'DOGE' is none of BTC, ETH"),
    (("post_round", "ETH", "900"), 2, "spot: 900.00 is beyond the oracle's speed limit, which allows 1,479."),
    (("liquidate", "bob", "10", "40"), 2, "arguments: 3 given, at most 2: who, bidder"),
]


@pytest.mark.parametrize(("step", "code", "text"), BAD, ids=[" ".join(step) for step, _, _ in BAD])
def test_script__bad_argument__is_one_line_and_changes_nothing(installed, traded, step, code, text):
    before = state(installed)
    done = play(*step)
    assert (done.code, done.err.count("\n")) == (code, 1)
    assert done.err.startswith(f"error: {text}"), done.err
    assert state(installed) == before


@pytest.mark.parametrize(
    ("function", "arguments", "text"),
    [
        ("fall", ("carol", "10", "40"), "error: spot: 1,140.00 is beyond the oracle's speed limit, which allows"),
        ("start", ("alice",), "error: account: 2 cannot be liquidated: equity 25,000.00 is not below its maintenance"),
        ("bid", ("alice",), "error: account: no auction of 2 runs; start one first"),
        ("bid", ("alice", "dave", "2"), "error: fraction: 2 must be above 0 and at most 1"),
    ],
)
def test_liquidate__step_that_cannot_be__is_one_line_and_changes_nothing(installed, traded, function, arguments, text):
    before = state(installed)
    done = play("liquidate", *arguments, function=function)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert done.err.startswith(text), done.err
    assert state(installed) == before


def state(installed):
    """What a script that failed must not have changed: accounts, tokens made, rounds."""
    token, accounts = installed.deployment.token_contract(installed.client, "USDC"), installed.of("Accounts")
    held = [vars(accounts.call("snapshotOf", n)) for n in range(accounts.call("nextAccountId"))]
    return held, token.call("totalSupply"), installed.of("Oracle").call("lastSpotOf", 1)


def test_stale_round__trade__names_the_script_that_helps(installed, traded):
    installed.client.rpc("evm_increaseTime", 3 * 3_600)
    installed.client.rpc("evm_mine")
    done = play("trade")
    assert done.code == 1
    assert re.search(r"Oracle__Stale.*; `brownie run post_round` brings a new round\n$", done.err)
    well("post_round")
    well("trade")


def test_before_deploy__every_script__says_so(installed, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    done = play("trade")
    assert (done.code, done.err) == (2, f"error: {RECORD}: there is no deployment; `brownie run deploy` makes one\n")


def test_deploy__configuration_of_another_chain__sends_nothing(installed, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    before = blocks(installed)
    done = play("deploy", "sepolia")
    assert (done.code, done.err) == (2, "error: config: sepolia has chain id 11155111, the node 31337\n")
    assert blocks(installed) == before
    assert not list(tmp_path.iterdir())


def test_deploy__chain_started_again__deploys_anew(installed, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    nowhere = replace(installed.deployment, contracts={**installed.deployment.contracts, "Accounts": "0x" + "12" * 20})
    nowhere.save(RECORD)
    assert "31 contracts on chain 31337: deployed; as configured" in well("deploy")
    assert load_deployment(RECORD).contracts["Accounts"] != nowhere.contracts["Accounts"]


def test_session__after_a_failure__goes_on(installed, alice):
    there = open_session(installed.client, RECORD.absolute(), load_market(MARKET), None)
    holder, before = there.holder("alice"), state(installed)
    for _ in range(2):
        with pytest.raises(RevertError, match="Vault__CapExceeded"):
            custody.deposit(there, holder, 2e9, "USDC")
        assert state(installed) == before
    custody.deposit(there, holder, 1.0, "USDC")
    assert installed.account(2).portfolio.cash == 25_001.0


def test_brownie_run__as_a_command__passes_arguments_and_the_exit_code(installed, alice, folder):
    home = folder / "home" / ".brownie"
    home.mkdir(parents=True, exist_ok=True)
    # The port of this test's chain in the place of Brownie's.
    networks = Path(brownie.__file__).parent / "data" / "network-config.yaml"
    port = brownie.web3.provider.endpoint_uri.rsplit(":", 1)[1]
    (home / "network-config.yaml").write_text(networks.read_text().replace("port: 8545", f"port: {port}"))
    command = [Path(sys.executable).with_name("brownie"), "run", "deposit", "main", "alice", "nothing"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "HOME": str(home.parent)}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2, done.stderr
    assert "error: amount: 'nothing' is no number" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_key_of__brownie_account__opens_with_the_password_of_the_environment(tmp_path, monkeypatch):
    own, word = wallet("a real trader"), "hunter two"
    path = tmp_path / "trader.json"
    brownie.accounts.add(own.key.hex()).save(str(path), password=word)
    common = importlib.import_module("scripts._common")
    monkeypatch.setenv("PLIMSOLL_KEYSTORE_PASSWORD", word)
    assert common.key_of(str(path)).address == own.address
    monkeypatch.setenv("PLIMSOLL_KEYSTORE_PASSWORD", "wrong")
    with pytest.raises(common.InputError, match="does not open the Brownie account"):
        common.key_of(str(path))
    with pytest.raises(common.InputError, match="Brownie has no account"):
        common.key_of(str(tmp_path / "nobody"))
