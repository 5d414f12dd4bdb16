"""A parameter file through the governor's delay: previewed, scheduled, executed, and read back by everyone."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from eth_account import Account

from plimsoll.analytics.backtest.calibrate import parameter_document
from plimsoll.chain.anvil import running, wallet
from plimsoll.chain.client import Client
from plimsoll.cli import run
from plimsoll.deployment.deploy import deploy
from plimsoll.deployment.spec import load_spec
from plimsoll.params import AccountParams, BookSpec, Params, UnderlyingParams
from plimsoll.protocol.parameters import chain_params

START_TS = 1_700_000_000
DELAY_SEC = 3_600
DEPLOYER, GUARDIAN, GOVERNOR, STRANGER = (wallet(name) for name in ("deployer", "guardian", "governor", "stranger"))
SPEC = load_spec("local", Params()).with_signers(tuple(wallet(f"signer {n}").address for n in range(3)))
PROPOSED = {"schema": "plimsoll.params/1", "priceRange": {"ETH": 0.3, "BTC": 0.25}, "debtRate": 0.004}
#: Fewer prices, other tails, another skew.
BOOK = {
    "grid": {"moves": [-1.0, -0.5, 0.0, 0.5, 1.0], "vols": ["up", "flat", "down"]},
    "tails": {"moves": [1.5, 3.0], "vols": ["up"]},
    "skew": {"size": 0.2, "at": [{"move": 0.0, "vol": "flat"}, {"move": -1.0, "vol": "up"}]},
}
SPEC_OF_BOOK = BookSpec(
    (-1.0, -0.5, 0.0, 0.5, 1.0), ("up", "flat", "down"), (1.5, 3.0), ("up",), 0.2, ((0.0, "flat"), (-1.0, "up"))
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """An installation whose governor waits an hour, its artefact, and key files of governor and stranger."""
    folder = tmp_path_factory.mktemp("propose")
    with running(START_TS) as chain:
        client = Client(chain.url)
        for who in (DEPLOYER, GOVERNOR, STRANGER):
            client.rpc("anvil_setBalance", who.address, hex(10**24))
        spec = replace(SPEC, network=replace(SPEC.network, governor_delay_sec=DELAY_SEC))
        deployment = deploy(client, DEPLOYER, spec, guardian=GUARDIAN.address, governor=GOVERNOR.address)
        deployment.save(folder / "D.json")
        (folder / "password").write_text("open", encoding="utf-8")
        for name, who in (("governor", GOVERNOR), ("stranger", STRANGER)):
            key = Account.encrypt(who.key, "open", kdf="pbkdf2", iterations=2)
            (folder / f"{name}.json").write_text(json.dumps(key), encoding="utf-8")
        yield SimpleNamespace(client=client, deployment=deployment, folder=folder)


@pytest.fixture
def site(installed):
    """Whatever a test does on chain is undone."""
    snapshot = installed.client.rpc("evm_snapshot")
    yield installed
    installed.client.rpc("evm_revert", snapshot)


def propose(site, document, *options, by="governor"):
    (site.folder / "P.json").write_text(json.dumps(document), encoding="utf-8")
    where = ["--rpc", site.client.url, "--deployment", str(site.folder / "D.json")]
    key = ["--keystore", str(site.folder / f"{by}.json"), "--pass-file", str(site.folder / "password")]
    return run(["propose", "--params", str(site.folder / "P.json"), *where, *key, *options])


def wait(client, seconds):
    client.rpc("evm_increaseTime", hex(seconds))
    client.rpc("evm_mine")


def test_chain_params__as_deployed(site):
    there = chain_params(site.client, site.deployment)
    assert there.account == AccountParams()
    assert all(there.book_of(name) == BookSpec() for name in ("ETH", "BTC"))
    assert all(there.for_underlying(name) == Params().for_underlying(name) for name in ("ETH", "BTC"))


def test_propose__through_the_delay(site, tmp_path, capsys):
    client, out = site.client, tmp_path / "proposal.json"
    assert propose(site, PROPOSED, "--account", "0", "--out", str(out), "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document == json.loads(out.read_text())
    assert [(c["name"], c["before"], c["after"]) for c in document["changes"]] == [
        ("account.debt_rate", 0.003, 0.004),
        ("BTC.price_range", 0.23, 0.25),
        ("ETH.price_range", 0.285, 0.3),
    ]
    assert [c["function"] for c in document["calls"]] == ["setBook", "setBook", "setAccountParams"]
    assert document["accounts"][0]["after"]["state"] == "healthy"
    before = client.block_number()
    assert propose(site, PROPOSED) == 0
    assert "nothing was sent" in capsys.readouterr().out
    assert client.block_number() == before

    assert propose(site, PROPOSED, "--execute") == 1
    assert "AccessManagerNotScheduled" in capsys.readouterr().err
    assert propose(site, PROPOSED, "--schedule", "--json") == 0
    due_ts = json.loads(capsys.readouterr().out)["executableTs"]
    assert due_ts == client.block_ts() + DELAY_SEC
    assert propose(site, PROPOSED, "--schedule") == 1
    assert "AccessManagerAlreadyScheduled" in capsys.readouterr().err
    assert propose(site, PROPOSED, "--execute") == 1
    assert "AccessManagerNotReady" in capsys.readouterr().err
    assert chain_params(client, site.deployment).for_underlying("ETH").price_range == 0.285

    wait(client, DELAY_SEC)
    assert propose(site, PROPOSED, "--execute") == 0
    there = chain_params(client, site.deployment)
    assert there.account == AccountParams(debt_rate=0.004)
    assert there.for_underlying("ETH") == UnderlyingParams(price_range=0.3)
    assert there.for_underlying("BTC") == UnderlyingParams(price_range=0.25, n0=100e6)
    assert there.book_of("ETH") == BookSpec()
    assert propose(site, PROPOSED) == 2
    assert "nothing to propose" in capsys.readouterr().err


def test_propose__what_a_file_does_not_name_stays(site):
    def through(document):
        assert propose(site, document, "--schedule") == 0
        wait(site.client, DELAY_SEC)
        assert propose(site, document, "--execute") == 0

    through(PROPOSED)
    through({"schema": "plimsoll.params/1", "book": BOOK, "volUp": 0.7, "imFactor": 1.1})
    there = chain_params(site.client, site.deployment)
    assert all(there.book_of(name) == SPEC_OF_BOOK for name in ("ETH", "BTC"))
    assert there.account == AccountParams(debt_rate=0.004, im_factor=1.1)
    assert there.for_underlying("ETH") == UnderlyingParams(price_range=0.3, vol_up=0.7)
    through({"schema": "plimsoll.params/1", "volUp": 0.6})
    assert all(chain_params(site.client, site.deployment).book_of(name) == SPEC_OF_BOOK for name in ("ETH", "BTC"))


def test_propose__takes_what_calibrate_writes(site, capsys):
    from plimsoll.analytics.backtest.calibrate import AssetCalibration

    found = {"ETH": AssetCalibration(0.2, 0.6, 0.3, ())}
    assert propose(site, parameter_document(found, UnderlyingParams()), "--json") == 0
    names = [change["name"] for change in json.loads(capsys.readouterr().out)["changes"]]
    assert names == ["ETH.price_range", "ETH.vol_up", "ETH.vol_down"]


@pytest.mark.parametrize(
    ("document", "options", "message"),
    [
        ({"schema": "plimsoll.params/1"}, [], "nothing to propose"),
        ({**PROPOSED, "priceRange": {"DOGE": 0.2}}, [], "'DOGE' is not an underlying"),
        ({**PROPOSED, "priceRange": {"ETH": 0.6}}, [], "priceRange"),
        ({**PROPOSED, "book": BOOK | {"tails": {"moves": [0.5], "vols": ["up"]}}}, [], "is not beyond"),
        (PROPOSED, ["--account", "99"], "--account: 99 does not exist"),
        (PROPOSED, ["--schedule", "--execute"], "not both at once"),
        (PROPOSED, ["--out", "/nonexistent/p.json"], "cannot be written"),
    ],
)
def test_propose__bad_input_is_one_line(site, capsys, document, options, message):
    before = site.client.block_number()
    assert propose(site, document, *options) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.err.count("\n") == 1
    assert shown.out == ""
    assert site.client.block_number() == before


def test_propose__a_key_without_the_role_sends_nothing(site, capsys):
    before = site.client.block_number()
    for step in ("--schedule", "--execute"):
        assert propose(site, PROPOSED, step, by="stranger") == 2
        assert "may not call setBook" in capsys.readouterr().err
    assert site.client.block_number() == before


def test_propose__what_the_book_refuses_is_refused_before(site, capsys):
    assert propose(site, {"schema": "plimsoll.params/1", "debtRate": 0.12345678}, "--schedule") == 2
    assert "ScenarioBook__ParameterStep" in capsys.readouterr().err
