"""The front door on a chain: what it reads is what the contracts hold, the mirror agrees, and nothing is sent."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import plimsoll as pm
from plimsoll.chain import anvil
from plimsoll.chain.anvil import wallet
from plimsoll.chain.client import Client
from plimsoll.demo.plan import PlannedTrade
from plimsoll.demo.result import GasBook
from plimsoll.demo.world import build_world
from plimsoll.deployment.spec import spec_for_market
from plimsoll.protocol.margin_engine import own_prices
from plimsoll.protocol.rounds import RoundPoster

ROOT = Path(__file__).resolve().parents[3]
AGREEMENT = 1e-6  #: of gross notional
READS = {"eth_chainId", "eth_getCode", "eth_call"}


@pytest.fixture(scope="module")
def market():
    return pm.load_market(ROOT / "examples" / "market.json")


@pytest.fixture(scope="module")
def deployed(market, tmp_path_factory):
    """Address of a local chain, the artefact, and the account of somebody who traded."""
    with anvil.running(market.ts) as node:
        world = build_world(Client(node.url), spec_for_market(market, pm.Params(), ()), GasBook())
        poster, relayer = RoundPoster(world.client, world.deployment, world.signers), world.funded_wallet("relayer")
        for one in market.rounds.values():
            poster.send(relayer, poster.round_call(one))
        poster.send(relayer, poster.tokens_call(market.ts, own_prices(market)))
        maker = world.open("maker", pm.Mode.SINGLE, 1e6, by_permit=False)
        taker = world.open("taker", pm.Mode.CROSS, 20_000.0, by_permit=False)
        world.deposit(taker, "WETH", 4.0)
        for position, price in (
            (pm.put("ETH", "27MAR26", 1_700.0, -5.0), 70.0),
            (pm.perp("BTC", 66_000.0, 0.1), 66_000.0),
        ):
            world.trade(taker, maker, PlannedTrade(position, price))
        path = tmp_path_factory.mktemp("deployment") / "D.json"
        world.deployment.save(path)
        yield node.url, path, taker.account_id


@pytest.fixture
def asked(monkeypatch):
    """Every method that a node is asked for from here on."""
    methods: list[str] = []
    rpc, batch = Client.rpc, Client.batch

    def noted_rpc(self, method, *params):
        methods.append(method)
        return rpc(self, method, *params)

    def noted_batch(self, requests):
        methods.extend(method for method, _ in requests)
        return batch(self, requests)

    monkeypatch.setattr(Client, "rpc", noted_rpc)
    monkeypatch.setattr(Client, "batch", noted_batch)
    return methods


def test_connect__the_market__is_the_one_that_was_posted(deployed, market):
    found = pm.connect(deployed[1], deployed[0]).market()
    for name, posted in market.rounds.items():
        there = found.rounds[name]
        assert there.surfaces == posted.surfaces
        assert (there.ts, there.spot, there.perp, there.confidence) == (market.ts, posted.spot, posted.perp, 1.0)
    assert found.tokens["USDC"].price == 1.0
    assert found.tokens["WETH"] == market.tokens["WETH"]


def test_connect__the_margin_of_the_contracts__is_that_of_the_mirror(deployed, asked):
    url, path, account_id = deployed
    chain = pm.connect(path, url)
    theirs = chain.margin(account_id)
    ours = pm.margin(chain.market(), chain.portfolio(account_id), chain.params())
    assert theirs.result.engine == "chain"
    assert theirs.portfolio == ours.portfolio
    assert len(theirs.portfolio.positions) == 2
    for name in ("equity", "initial", "maintenance"):
        gap = abs(getattr(theirs, name) - getattr(ours, name))
        assert gap <= AGREEMENT * ours.result.gross_notional
    assert theirs.state == ours.state
    assert theirs.explain().initial_margin == theirs.initial
    assert account_id in chain.account_ids()
    assert chain.account(account_id).owner == wallet("taker").address
    assert set(asked) == READS


def test_connect__accounts_that_are_not_there__are_refused(deployed):
    chain = pm.connect(deployed[1], deployed[0])
    with pytest.raises(pm.InputError, match="account: 99 does not exist"):
        chain.margin(99)
    accounts = chain.deployment.contract(Client(deployed[0]), "Accounts")
    assert max(chain.account_ids()) == accounts.call("nextAccountId") - 1


def test_connect__parameters_that_governance_changed__are_those_of_the_contracts(deployed):
    url, path, account_id = deployed
    chain = pm.connect(path, url)
    before = chain.margin(account_id).initial
    book = chain.deployment.contract(Client(url), "ScenarioBook")
    book.send(wallet("deployer"), "setAccountParams", {**vars(book.call("accountParams")), "imFactorWad": 2 * 10**18})
    assert chain.params().account.im_factor == 2.0
    after = chain.margin(account_id).initial
    assert after > 1.5 * before
    assert pm.margin(chain.market(), chain.portfolio(account_id), chain.params()).initial == pytest.approx(after)


def test_connect__rounds_that_are_too_old__are_named(deployed):
    url, path, account_id = deployed
    chain = pm.connect(path, url)
    client = Client(url)
    saved = client.rpc("evm_snapshot")
    client.rpc("evm_setNextBlockTimestamp", client.block_ts() + 86_400)
    client.rpc("evm_mine")
    try:
        with pytest.raises(pm.UnavailableError, match=r"round of (BTC|ETH): .*Oracle__Stale"):
            chain.market()
        with pytest.raises(pm.UnavailableError, match=f"account {account_id}: has no margin now: .*Stale"):
            chain.margin(account_id)
        assert chain.portfolio(account_id).positions
    finally:
        client.rpc("evm_revert", saved)


def test_the_example__agrees_with_the_mirror(tmp_path):
    command = [sys.executable, str(ROOT / "examples" / "on_chain.py")]
    found = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=os.environ, timeout=300)
    assert found.returncode == 0, found.stderr
    assert "initial margin" in found.stdout
    assert float(re.search(r"largest gap to the mirror (\S+)", found.stdout)[1]) < 1e-3
    assert max(map(len, found.stdout.splitlines())) <= 80
