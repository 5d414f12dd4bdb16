"""Deployment of a strategy vault: as configured, handed over, changed behind us, refused before anything is sent."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from plimsoll.chain.anvil import running, wallet
from plimsoll.chain.client import Client
from plimsoll.chain.revert import RevertError
from plimsoll.deployment.deploy import deploy
from plimsoll.deployment.spec import CONFIG, load_spec
from plimsoll.deployment.verify import verify
from plimsoll.errors import InputError
from plimsoll.params import Params

START_TS = 1_700_000_000
DEPLOYER, GOVERNOR, GUARDIAN, STRANGER = (wallet(name) for name in ("deployer", "governor", "guardian", "stranger"))
ORACLE = tuple(wallet(f"signer {n}").address for n in range(3))
LOCAL = (CONFIG / "local.toml").read_text(encoding="utf-8")
SECTION = f"""
[strategy]
name = "Weekly options"
symbol = "WEEKLY"
mode = "SINGLE"
kinds = 15
term_sec = 86_400
half_spread = 0.0005
half_vol = 0.01
loss_share = 0.01
stop_share = 0.2
fee = 0.1
fee_receiver = "{STRANGER.address}"

[strategy.limits.ETH]
delta = 2.0
gamma = 10.0
vega = 1.0
"""


def spec_of(tmp_path, text=SECTION):
    path = tmp_path / "strategy.toml"
    path.write_text(LOCAL + text, encoding="utf-8")
    return load_spec(str(path), Params()).with_signers(ORACLE)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    spec = spec_of(tmp_path_factory.mktemp("strategy"))
    with running(START_TS) as chain:
        client = Client(chain.url)
        for account in (DEPLOYER, GOVERNOR, GUARDIAN, STRANGER):
            client.rpc("anvil_setBalance", account.address, hex(10**24))
        deployment = deploy(client, DEPLOYER, spec, guardian=GUARDIAN.address, governor=GOVERNOR.address)
        yield SimpleNamespace(client=client, spec=spec, deployment=deployment)


def found(installed, spec=None):
    differences = verify(installed.client, installed.deployment, spec or installed.spec)
    return {d.name: (d.on_chain, d.configured) for d in differences}


def test_verify__as_deployed__finds_nothing(installed):
    assert found(installed) == {}
    vault = installed.deployment.contract(installed.client, "StrategyVault")
    assert (vault.call("name"), vault.call("symbol"), vault.call("decimals")) == ("Weekly options", "WEEKLY", 12)
    assert vault.call("asset") == installed.deployment.tokens["USDC"].address
    assert int(vault.call("trader"), 16) == 0
    assert installed.deployment.parameters["strategy"]["limits"][0]["underlying"] == "ETH"


def test_verify__another_mandate__is_named(installed):
    strategy = installed.spec.strategy
    limits = (replace(strategy.limits[0], delta=3.0),)
    other = replace(installed.spec, strategy=replace(strategy, fee=0.2, name="Other", limits=limits))
    assert set(found(installed, other)) == {"strategy.feeWad", "strategy.limits", "strategy.name"}


def test_verify__no_vault_in_the_configuration__is_named(installed):
    assert {"StrategyVault.address", "StrategyCloser.address"} <= set(
        found(installed, replace(installed.spec, strategy=None))
    )


def test_halt__guardian_at_once__nobody_else(installed):
    vault = installed.deployment.contract(installed.client, "StrategyVault")
    for caller in (STRANGER, DEPLOYER, GOVERNOR):
        with pytest.raises(RevertError, match="AccessManaged"):
            vault.send(caller, "halt")
    vault.send(GUARDIAN, "halt")
    assert vault.call("isStopped")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("fee = 0.1", "fee = 0.6", r"\[strategy\]: fee 0.6 is outside 0.0 to 0.5"),
        ("loss_share = 0.01", "loss_share = 0.2", "loss_share 0.2 is outside 0.0 to 0.1"),
        ("stop_share = 0.2", "stop_share = 0.0", "stop_share 0.0 is outside 1e-06 to 0.5"),
        ("term_sec = 86_400", "term_sec = 60", "term_sec 60 is outside 3600 to 7776000"),
        ("kinds = 15", "kinds = 16", "kinds 16 is outside 1 to 15"),
        ('mode = "SINGLE"', 'mode = "BOTH"', "mode 'BOTH' is none of SINGLE, STANDARD, CROSS"),
        (f'fee_receiver = "{STRANGER.address}"', "", "fee_receiver is missing"),
        (STRANGER.address, "0x12", "fee_receiver '0x12' is no address"),
        ("[strategy.limits.ETH]", "[strategy.limits.DOGE]", "limits.DOGE is no listed underlying"),
        ("delta = 2.0", "delta = 19.0", r"strategy.limits.ETH\]: delta 19.0 is outside 0 to 18"),
        ("vega = 1.0", "", "vega is missing"),
        ("symbol =", "symbols =", "unknown key symbols"),
    ],
)
def test_load_spec__what_the_contract_would_refuse__is_named(tmp_path, old, new, message):
    assert SECTION.count(old) == 1
    with pytest.raises(InputError, match=message):
        spec_of(tmp_path, SECTION.replace(old, new))


def test_load_spec__no_limits__is_named(tmp_path):
    with pytest.raises(InputError, match="limits is missing"):
        spec_of(tmp_path, SECTION[: SECTION.index("[strategy.limits")])
