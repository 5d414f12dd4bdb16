"""Deployment of remote collateral on two chains: escrow, claims and home, interrupted, repeated, changed behind us."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from plimsoll.chain.anvil import running, wallet
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import create
from plimsoll.chain.revert import RevertError
from plimsoll.cli import run
from plimsoll.deployment.deploy import ADMIN_ROLE, deploy
from plimsoll.deployment.escrow import deploy_escrow, load_escrow, set_home
from plimsoll.deployment.progress import part_path
from plimsoll.deployment.record import load_deployment
from plimsoll.deployment.spec import CONFIG, load_spec
from plimsoll.deployment.verify import verify, verify_escrow
from plimsoll.doctor.onchain import deployed
from plimsoll.errors import InputError
from plimsoll.params import Params
from plimsoll.units import float_to_wad

START_TS = 1_700_000_000
AWAY_ID = 10
DEPLOYER, GOVERNOR, STRANGER = (wallet(name) for name in ("deployer", "governor", "stranger"))
ORACLE = tuple(wallet(f"signer {n}").address for n in range(3))
SIGNERS = sorted((wallet(f"header signer {n}").address for n in range(3)), key=lambda address: int(address, 16))
LOCAL = (CONFIG / "local.toml").read_text(encoding="utf-8")
NOBODY = "0x" + "0" * 40


class KilledError(Exception):
    """The run ends here."""


class FragileClient(Client):
    """A client that dies at one of its transactions, before the node has it or after."""

    def __init__(self, url, at, arrives):
        super().__init__(url)
        self.left, self.arrives = at, arrives

    def rpc(self, method, *params):
        if method != "eth_sendRawTransaction":
            return super().rpc(method, *params)
        self.left -= 1
        if self.left >= 0:
            return super().rpc(method, *params)
        if self.arrives:
            super().rpc(f"{method}Sync", *params)
        raise KilledError


def section(token, escrow="", signers=SIGNERS):
    return f"""
[remote]
chain_id = {AWAY_ID}
escrow = "{escrow}"
signers = {json.dumps(list(signers))}
signer_threshold = 2
final_sec = 1140

[remote.tokens.rETH]
name = "Ether on the other chain"
token = "{token}"
decimals = 18
cap = 1_000.0
volatility = 0.8
haircut = 0.2
linked = "ETH"
linked_haircut = 0.02
"""


@pytest.fixture(scope="module")
def chains():
    with running(START_TS) as home, running(START_TS, chain_id=AWAY_ID) as away:
        found = Client(home.url), Client(away.url)
        for client in found:
            for account in (DEPLOYER, GOVERNOR, STRANGER):
                client.rpc("anvil_setBalance", account.address, hex(10**24))
        token, _ = create(found[1], DEPLOYER, "LocalToken", "Wrapped Ether", "WETH", 18)
        yield SimpleNamespace(home=found[0], away=found[1], token=token)


@pytest.fixture
def two(chains, tmp_path):
    """Both chains as they were, and a configuration of them; whatever a test does is undone."""
    states = [client.rpc("evm_snapshot") for client in (chains.home, chains.away)]
    path = tmp_path / "two.toml"

    def config(escrow="", **how):
        text = LOCAL + section(chains.token.address, escrow, **how)
        path.write_text(text, encoding="utf-8")
        return load_spec(str(path), Params()).with_signers(ORACLE)

    yield SimpleNamespace(**vars(chains), path=path, config=config, folder=tmp_path)
    for client, state in zip((chains.home, chains.away), states, strict=True):
        client.rpc("evm_revert", state)
        client.forget_nonces()


@pytest.fixture
def installed(two):
    """Escrow and claims that know each other, governed by their deployer."""
    escrow = deploy_escrow(two.away, DEPLOYER, two.config())
    spec = two.config(escrow.contracts["RemoteEscrow"])
    deployment = deploy(two.home, DEPLOYER, spec)
    assert set_home(two.away, DEPLOYER, escrow, deployment, is_local=True)
    return SimpleNamespace(**vars(two), spec=spec, escrow=escrow, deployment=deployment)


def nonce_of(client):
    return int(client.rpc("eth_getTransactionCount", DEPLOYER.address, "latest"), 16)


def found(installed, spec=None):
    differences = verify(installed.home, installed.deployment, spec or installed.spec)
    return {d.name: (d.on_chain, d.configured) for d in differences}


def away(installed, spec=None):
    differences = verify_escrow(installed.away, installed.escrow, spec or installed.spec, installed.deployment)
    return {d.name: (d.on_chain, d.configured) for d in differences}


def test_commands__escrow_then_claims_then_home__verify_themselves(two, capsys):
    out, escrow_out = two.folder / "home.json", two.folder / "escrow.json"
    signers = [word for signer in ORACLE for word in ("--signer", signer)]
    at_home = ["deploy", "--network", str(two.path), "--rpc", two.home.url, "--out", str(out), *signers]
    at_escrow = ["deploy-escrow", "--network", str(two.path), "--rpc", two.away.url, "--out", str(escrow_out)]
    two.config()
    assert run(at_home) == 2
    assert "remote.escrow: is missing" in capsys.readouterr().err
    assert run(at_escrow) == 0
    assert "it has no home yet" in capsys.readouterr().out
    escrow = load_escrow(escrow_out)
    two.config(escrow.contracts["RemoteEscrow"])
    assert run(at_home) == 0
    assert run([*at_escrow, "--home", str(out)]) == 0
    assert "is as configured" in capsys.readouterr().out
    claims = load_deployment(out).contracts["RemoteClaims"]
    assert escrow.contract(two.away, "RemoteEscrow").call("home") == claims
    # Again, with the home and without: nothing is sent.
    before = nonce_of(two.away), nonce_of(two.home)
    assert [run([*at_escrow, *more]) for more in ([], ["--verify"], ["--home", str(out)])] == [0, 0, 0]
    assert run(at_home) == 0
    assert (nonce_of(two.away), nonce_of(two.home)) == before
    assert sorted(path.name for path in two.folder.iterdir()) == ["escrow.json", "home.json", "two.toml"]


def test_claim__is_collateral__with_the_haircut_of_its_wait_beside_that_of_its_token(installed):
    record = installed.deployment.tokens["rETH"]
    terms = installed.deployment.contract(installed.home, "ScenarioBook").call("collateralOf", record.token_id)
    # 1 - exp(-3*0.8*sqrt((1140 + 900)/31536000))
    wait = 0.019118
    assert terms.haircutWad / 1e18 == pytest.approx(0.2 + wait, abs=1e-6)
    assert terms.linkedHaircutWad / 1e18 == pytest.approx(0.02 + wait, abs=1e-6)
    assert (terms.linkedUnderlying, terms.listed, record.token_id) == (1, True, 3)
    there = installed.deployment.contract(installed.home, "Vault").call("tokenOf", record.token_id)
    assert (there.token, there.decimals, there.capRaw) == (record.address, 18, 1_000 * 10**18)
    assert installed.deployment.parameters["remote"]["tokens"][0]["token"] == installed.token.address


def test_verify__as_deployed__finds_nothing_on_either_chain(installed):
    assert found(installed) == {}
    assert away(installed) == {}
    headers = [finding for finding in deployed(installed.home, installed.deployment) if finding.name == "HeaderFeed"]
    assert [finding.seen for finding in headers] == ["no header yet: nothing was carried"]


def test_verify__what_was_changed_on_chain__is_named(installed):
    def send(function, *values, name="HeaderFeed"):
        installed.deployment.contract(installed.home, name).send(DEPLOYER, function, *values)

    send("setSigners", SIGNERS[:2], 1)
    send("setCap", installed.token.address, 5, name="RemoteClaims")
    send("listClaim", STRANGER.address, "Another", "OTHER", 18, 1, name="RemoteClaims")
    seen = found(installed)
    assert set(seen) == {"remote.signer_threshold", "remote.signers", "remote.rETH.cap", "remote.tokens"}
    assert seen["remote.rETH.cap"] == (5, 1_000 * 10**18)
    there = installed.escrow.contract(installed.away, "HeaderFeed")
    there.send(DEPLOYER, "setSigners", SIGNERS, 3)
    assert away(installed) == {"remote.signer_threshold": (3, 2)}


def test_verify__what_was_changed_in_the_configuration__is_named(installed):
    remote = installed.spec.remote
    token = replace(remote.tokens[0], cap=2_000.0, volatility=1.6, name="Other")
    other = replace(installed.spec, remote=replace(remote, escrow=STRANGER.address, tokens=(token,)))
    wait = float_to_wad(0.02 + remote.wait_haircut(1.6))
    seen = found(installed, other)
    assert set(seen) == {
        *("remote.escrow", "remote.rETH.cap", "remote.rETH.name", "tokens.rETH.capRaw"),
        *("tokens.rETH.haircutWad", "tokens.rETH.linkedHaircutWad"),
    }
    assert seen["tokens.rETH.linkedHaircutWad"][1] == wait
    assert "HeaderFeed.address" in found(installed, replace(installed.spec, remote=None))


def test_deploy__to_a_governor__leaves_the_deployer_neither_feed_nor_claims(two):
    escrow = deploy_escrow(two.away, DEPLOYER, two.config(), governor=GOVERNOR.address)
    spec = two.config(escrow.contracts["RemoteEscrow"])
    spec = replace(spec, network=replace(spec.network, governor_delay_sec=3_600))
    deployment = deploy(two.home, DEPLOYER, spec, governor=GOVERNOR.address)
    assert verify(two.home, deployment, spec) == []
    for feed in (deployment.contract(two.home, "HeaderFeed"), escrow.contract(two.away, "HeaderFeed")):
        with pytest.raises(RevertError, match="AccessManagedUnauthorized"):
            feed.send(DEPLOYER, "setSigners", SIGNERS, 1)
    claims = deployment.contract(two.home, "RemoteClaims")
    for function, values in (("setCap", (two.token.address, 1)), ("listClaim", (STRANGER.address, "a", "b", 1, 1))):
        with pytest.raises(RevertError, match="AccessManagedUnauthorized"):
            claims.send(DEPLOYER, function, *values)
    # The governor itself has to announce it.
    with pytest.raises(RevertError, match="AccessManagerNotScheduled"):
        claims.send(GOVERNOR, "setCap", two.token.address, 1)
    manager = escrow.contract(two.away, "Authority")
    assert [manager.call("hasRole", ADMIN_ROLE, who.address)[0] for who in (DEPLOYER, GOVERNOR)] == [False, True]


@pytest.mark.parametrize("arrives", [False, True])
def test_deploy_escrow__killed_at_any_transaction__goes_on_without_a_second_one(two, arrives):
    spec, people = two.config(), {"governor": GOVERNOR.address}
    state, first = two.away.rpc("evm_snapshot"), nonce_of(two.away)
    whole = deploy_escrow(two.away, DEPLOYER, spec, **people)
    sent = nonce_of(two.away) - first
    assert sent == 7
    for at in range(sent):
        two.away.rpc("evm_revert", state)
        state = two.away.rpc("evm_snapshot")
        part = part_path(two.folder / f"{at}.json")
        with pytest.raises(KilledError):
            deploy_escrow(FragileClient(two.away.url, at, arrives), DEPLOYER, spec, part=part, **people)
        assert deploy_escrow(Client(two.away.url), DEPLOYER, spec, part=part, **people) == whole, at
        assert nonce_of(two.away) - first == sent, at


@pytest.mark.parametrize("arrives", [False, True])
def test_deploy__killed_where_claims_are_made__goes_on_without_a_second_one(two, arrives):
    escrow = deploy_escrow(two.away, DEPLOYER, two.config())
    spec = two.config(escrow.contracts["RemoteEscrow"])
    state, first = two.home.rpc("evm_snapshot"), nonce_of(two.home)
    named = []
    whole = deploy(two.home, DEPLOYER, spec, report=lambda name: named.append((name, nonce_of(two.home) - first)))
    sent, feed_at = nonce_of(two.home) - first, dict(named)["HeaderFeed"]
    # Feed, claims, signers, claim token, and its listing in the vault behind the three tokens of the chain.
    for at in (*range(feed_at, feed_at + 4), feed_at + 4 + 3 * 4):
        two.home.rpc("evm_revert", state)
        state = two.home.rpc("evm_snapshot")
        part = part_path(two.folder / f"{at}.json")
        with pytest.raises(KilledError):
            deploy(FragileClient(two.home.url, at, arrives), DEPLOYER, spec, part=part)
        assert deploy(Client(two.home.url), DEPLOYER, spec, part=part) == whole, at
        assert nonce_of(two.home) - first == sent, at


def test_set_home__of_another_installation__is_refused_before_anything_is_sent(installed):
    def refused(deployment, message, by=DEPLOYER):
        with pytest.raises((InputError, RevertError), match=message):
            set_home(installed.away, by, fresh, deployment, is_local=True)

    fresh = deploy_escrow(installed.away, DEPLOYER, installed.spec)
    before = nonce_of(installed.away)
    refused(installed.deployment, "its claims are of the escrow")
    refused(replace(installed.deployment, chain_id=5), "is of chain 5; the escrow's home is chain 31337")
    refused(replace(installed.deployment, contracts={}), "without RemoteClaims")
    fresh = installed.escrow
    other = {**installed.deployment.contracts, "RemoteClaims": STRANGER.address}
    refused(replace(installed.deployment, contracts=other), "for ever")
    assert nonce_of(installed.away) == before
    assert set_home(installed.away, DEPLOYER, fresh, installed.deployment, is_local=True) is False


def test_set_home__by_a_stranger__is_refused_by_the_escrow(two):
    escrow = deploy_escrow(two.away, DEPLOYER, two.config())
    deployment = deploy(two.home, DEPLOYER, two.config(escrow.contracts["RemoteEscrow"]))
    with pytest.raises(RevertError, match="RemoteEscrow__HomeFixed"):
        set_home(two.away, STRANGER, escrow, deployment, is_local=True)
    assert escrow.contract(two.away, "RemoteEscrow").call("home") == NOBODY


def test_command__node_of_another_chain__is_refused(two, capsys):
    two.config()
    command = ["deploy-escrow", "--network", str(two.path), "--rpc", two.home.url, "--out", str(two.folder / "x.json")]
    assert run(command) == 2
    assert "collateral on chain 10, the node is of 31337" in capsys.readouterr().err
    command[2] = "local"
    assert run(command) == 2
    assert "the section remote is missing" in capsys.readouterr().err


def test_command__public_network__wants_live_and_a_key(two, capsys):
    two.config()
    text = two.path.read_text(encoding="utf-8").replace("is_local = true", "is_local = false\nchain_id = 1")
    two.path.write_text(text, encoding="utf-8")
    before = nonce_of(two.away)
    command = ["deploy-escrow", "--network", str(two.path), "--rpc", two.away.url, "--out", str(two.folder / "x.json")]
    assert run(command) == 2
    assert "--live: missing; local is a public network" in capsys.readouterr().err
    assert run([*command, "--live"]) == 2
    assert "--keystore: missing" in capsys.readouterr().err
    assert run([*command, "--verify"]) == 3
    assert "there is no record to verify" in capsys.readouterr().err
    assert run([*command, "--governor", "0x12"]) == 2
    assert "0x12 is no address" in capsys.readouterr().err
    assert nonce_of(two.away) == before


@pytest.mark.parametrize("text", ["{", "{}", '{"schema": "plimsoll.escrow/1"}', "[]"])
def test_load_escrow__of_another_shape__is_refused(tmp_path, text):
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"is not|not an escrow"):
        load_escrow(tmp_path / "x.json")
