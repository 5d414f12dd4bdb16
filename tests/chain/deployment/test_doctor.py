"""``plimsoll doctor`` against a chain: what it says of a node, a deployment and its feed, sound and broken."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from plimsoll.chain.anvil import running, wallet
from plimsoll.chain.client import Client
from plimsoll.cli import run
from plimsoll.deployment.record import load_deployment
from plimsoll.files.market import load_market
from plimsoll.session.install import install
from plimsoll.session.rounds import post_round
from plimsoll.session.session import open_session

START_TS = 1_770_400_000
MARKET = Path(__file__).resolve().parents[3] / "examples" / "market.json"
DEPLOYER = wallet("deployer")


def silent(_):
    """Nobody is told what is deployed."""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    record = tmp_path_factory.mktemp("doctor") / "local.json"
    with running(START_TS) as chain:
        client = Client(chain.url)
        deployment = install(client, record, "local", (), None, silent)
        yield SimpleNamespace(url=chain.url, client=client, record=record, deployment=deployment)


@pytest.fixture(autouse=True)
def undone(world):
    state = world.client.rpc("evm_snapshot")
    yield
    world.client.rpc("evm_revert", state)
    world.client.forget_nonces()


@pytest.fixture
def posted(world):
    """First rounds of both underlyings."""
    session = open_session(world.client, world.record, load_market(MARKET), None)
    for symbol in world.deployment.underlyings:
        post_round(session, symbol, None)
    return session


@pytest.fixture
def ask(world, capsys):
    def asked(*options, record=None):
        place = ("--rpc", world.url, "--deployment", str(record or world.record))
        code = run(["doctor", "--json", *place, *options])
        document = json.loads(capsys.readouterr().out)
        assert document["isWell"] is (code == 0)
        found = [finding for finding in document["findings"] if finding["group"] != "installed"]
        return code, {(finding["group"], finding["name"]): finding for finding in found}

    return asked


def of(name, world):
    return world.deployment.contract(world.client, name)


def broken(found):
    return {key for key, finding in found.items() if finding["state"] != "ok" and finding["needed"]}


def test_doctor__sound_deployment_with_rounds__is_well(world, posted, ask):
    code, found = ask("--feed")
    assert (code, broken(found)) == (0, set())
    assert found["node", "chain"]["seen"] == "31337, a local chain"
    assert found["deployment", "code"]["seen"] == f"at all 31 addresses, since block {world.deployment.block}"
    assert found["deployment", "configuration"]["seen"] == "code, parameters and roles are as local says"
    assert found["deployment", "roles"]["seen"] == "governor the deployer, 1 canceller(s)"
    assert found["feed", "ETH"]["seen"].startswith("round of 1,900.00, ")
    assert found["feed", "ETH"]["seen"].endswith(" old, heartbeat 2 h 0 min")
    assert found["feed", "USDC"]["seen"].startswith("price of 1.0000, ")
    assert ("feed", "WETH") not in found


def test_doctor__text__has_a_line_of_every_group(world, posted, capsys):
    assert run(["doctor", "--rpc", world.url, "--deployment", str(world.record), "--feed"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == ["installed", "node", "deployment", "feed"]
    assert max(map(len, lines)) <= 80


def test_doctor__nothing_posted__is_missing_and_fails_only_with_the_feed(world, ask):
    code, found = ask()
    assert (code, broken(found)) == (0, set())
    code, found = ask("--feed")
    assert (code, broken(found)) == (1, {("feed", "ETH"), ("feed", "BTC"), ("feed", "USDC")})
    assert found["feed", "BTC"]["seen"] == "no round was ever posted"


def test_doctor__round_older_than_its_heartbeat__is_bad(world, posted, ask):
    posted.sleep(7_300)
    post_round(posted, "ETH", None)
    code, found = ask("--feed")
    assert (code, broken(found)) == (1, {("feed", "BTC")})
    assert found["feed", "BTC"]["seen"].startswith("round of 66,000.00, 2 h 1 min old")


def test_doctor__paused_contract__is_bad(world, posted, ask):
    of("Vault", world).send(DEPLOYER, "pause")
    of("Oracle", world).send(DEPLOYER, "pause")
    code, found = ask("--feed")
    assert (code, broken(found)) == (1, {("deployment", "Vault"), ("deployment", "Oracle"), ("feed", "Oracle")})
    assert found["deployment", "configuration"]["state"] == "ok"


def test_doctor__changed_parameters__are_counted_and_named(world, ask):
    for token_id in range(3):
        of("Vault", world).send(DEPLOYER, "setCap", token_id, 7)
    of("Accounts", world).send(DEPLOYER, "setModule", DEPLOYER.address, True)
    code, found = ask()
    assert (code, broken(found)) == (1, {("deployment", "configuration")})
    seen = found["deployment", "configuration"]["seen"]
    assert seen.startswith("4 differ from local: tokens.USDC.capRaw, tokens.WETH.capRaw, tokens.WBTC.capRaw and 1 more")


def test_doctor__record_of_another_place__is_bad_and_nothing_more_is_asked(world, ask, tmp_path):
    there = load_deployment(world.record)
    elsewhere, empty = tmp_path / "elsewhere.json", tmp_path / "empty.json"
    replace(there, chain_id=1).save(elsewhere)
    replace(there, contracts={**there.contracts, "Vault": "0x" + "12" * 20}).save(empty)
    code, found = ask("--feed", record=elsewhere)
    assert (code, broken(found)) == (1, {("deployment", "chain")})
    assert not any(group == "feed" for group, _ in found)
    code, found = ask("--feed", record=empty)
    assert (code, broken(found)) == (1, {("deployment", "code")})
    assert found["deployment", "code"]["seen"] == "none at 1 of 31 addresses: Vault"
    assert not any(group == "feed" for group, _ in found)


def test_doctor__configuration_of_ones_own__is_left_uncompared(world, ask, tmp_path):
    own = tmp_path / "own.json"
    replace(load_deployment(world.record), network="ours").save(own)
    code, found = ask(record=own)
    assert code == 0
    assert found["deployment", "configuration"]["seen"] == "ours is no configuration of this package"
