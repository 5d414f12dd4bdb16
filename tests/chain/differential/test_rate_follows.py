"""A ratio that follows its source: book, events, keeper's view, mirror and verification agree."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from helpers.no_feed import NoFeed

from plimsoll.chain import anvil
from plimsoll.chain.abi import creation_code, load_artifact
from plimsoll.chain.anvil import wallet
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract
from plimsoll.decide import UpdateRate
from plimsoll.demo.keeper.encoder import Encoder
from plimsoll.demo.keeper.loop import Keeper
from plimsoll.demo.plan import PlannedTrade
from plimsoll.demo.result import GasBook
from plimsoll.demo.world import World
from plimsoll.deployment.deploy import deploy
from plimsoll.deployment.spec import RateSpec, spec_for_market
from plimsoll.deployment.verify import verify
from plimsoll.index.store import MEMORY, Store
from plimsoll.index.sync import Index
from plimsoll.keeper.account_feed import AccountFeed
from plimsoll.mirror.margin_engine import evaluate
from plimsoll.mirror.rate_feed import own_measure
from plimsoll.model import Kind, Market, Mode, Position, Round, Surface, Svi, Token
from plimsoll.params import Params
from plimsoll.protocol.account import read_account
from plimsoll.protocol.margin_engine import own_prices
from plimsoll.protocol.rounds import RoundPoster
from plimsoll.transact.journal import Journal
from plimsoll.transact.sender import Policy, Transactor

NOW, GAP, FALL_GAP, DAY = 1_770_326_940, 3_600, 24, 86_400
EXPIRY = NOW + 20 * DAY
AGREEMENT = 1e-6  #: of gross notional
RATIO, WAD = 1.2, 10**18
DEPLOYER = wallet("deployer")


@pytest.fixture(scope="module")
def market():
    svi = Svi(0.01, 0.05, -0.2, 0.0, 0.1)
    rounds = {"ETH": Round("ETH", NOW, 1_900.0, 1_899.5, 1.0, (Surface(EXPIRY, 1_905.0, 0.04, svi),))}
    tokens = {"USDC": Token("USDC", 1.0, 0.0), "WSTETH": Token("WSTETH", None, 0.2, "ETH", 0.02, RATIO)}
    return Market(NOW, tokens, rounds)


@pytest.fixture(scope="module")
def found(market, tmp_path_factory):
    """An account that holds 20 of the token and is short calls; the token's source states 1.2."""
    with anvil.running(NOW) as chain:
        client = Client(chain.url)
        client.rpc("anvil_setBalance", DEPLOYER.address, hex(10**24))
        client.rpc("anvil_setBlockTimestampInterval", 1)
        created = client.send(DEPLOYER, None, creation_code("RateStub"), 10**6, "RateStub")
        stub = Contract(client, load_artifact("RateStub"), to_checksum_address(created.contract_address))
        stub.send(DEPLOYER, "set", encode(["uint256"], [12 * 10**17]), False)
        signers = tuple(wallet(f"oracle signer {number}") for number in range(2))
        spec = spec_for_market(market, Params(), tuple(s.address for s in signers))
        rate = RateSpec("WSTETH", stub.address, "steth_per_token", GAP, FALL_GAP, 0.01, 0.05)
        spec = replace(spec, rates=(rate,))
        world = World(client, deploy(client, DEPLOYER, spec), signers, GasBook(), DEPLOYER)
        poster, relayer = RoundPoster(client, world.deployment, list(signers)), world.funded_wallet("relayer")
        poster.send(relayer, poster.round_call(market.rounds["ETH"]))
        poster.send(relayer, poster.tokens_call(NOW, own_prices(market)))
        maker, taker = (world.open(name, Mode.SINGLE, 1e6, by_permit=False) for name in ("maker", "taker"))
        world.deposit(taker, "WSTETH", 20.0)
        world.trade(taker, maker, PlannedTrade(Position("ETH", Kind.CALL, EXPIRY, 2_100.0, -5.0), 40.0))
        path = tmp_path_factory.mktemp("deployment") / "D.json"
        world.deployment.save(path)
        feed = world.contract("RateFeed")
        yield SimpleNamespace(client=client, world=world, spec=spec, stub=stub, feed=feed, path=path, url=chain.url,
                              account=taker.account_id)  # fmt: skip


def wait(found):
    found.client.rpc("evm_setNextBlockTimestamp", found.client.block_ts() + GAP)
    found.client.rpc("evm_mine")


def settle(found, rate):
    """State a rate and observe it twice."""
    found.stub.send(DEPLOYER, "set", encode(["uint256"], [int(rate * WAD)]), False)
    for _ in range(2):
        wait(found)
        found.feed.send(DEPLOYER, "update", 1)
    return found.world.contract("ScenarioBook").call("collateralOf", 1).ratioWad / WAD


def test_rate__settles__view_and_mirror_follow_the_book(found):
    feed = AccountFeed(found.url, found.path, found.account)
    before = feed.read()
    assert before.market.tokens["WSTETH"].ratio == RATIO
    ratio = settle(found, 1.2004)
    assert ratio == pytest.approx(1.2004, abs=1e-12)
    after = feed.read()
    assert after.market.tokens["WSTETH"].ratio == pytest.approx(ratio, abs=1e-15)
    assert after.market.tokens["WSTETH"].linked == "ETH"
    chain = read_account(found.client, found.world.deployment, found.account).margin
    ours, stale = (evaluate(m, after.portfolio, feed.params) for m in (after.market, before.market))
    for name in ("equity", "initial_margin", "maintenance_margin"):
        assert getattr(ours, name) == pytest.approx(getattr(chain, name), abs=AGREEMENT * ours.gross_notional)
    # With the ratio of the deployment the mirror would be off by more than its tolerance.
    assert abs(stale.initial_margin - chain.initial_margin) > AGREEMENT * ours.gross_notional


@pytest.mark.parametrize("share", [1.1, 0.7, 0.0])
def test_own_measure__mirror_says_what_an_action_is_judged_by(found, share):
    """The source states more than the book, less, and nothing; the margin by the book does not move."""
    world, snapshot = found.world, found.client.rpc("evm_snapshot")
    seen = AccountFeed(found.url, found.path, found.account).read()
    ratio = seen.market.tokens["WSTETH"].ratio
    found.stub.send(DEPLOYER, "set", encode(["uint256"], [int(share * ratio * WAD)]), False)
    stated = found.feed.call("ceilingOf", 1) / WAD
    folio = own_measure(seen.market, seen.portfolio, {"WSTETH": stated})
    engine = world.contract("MarginEngine")
    own, book = (engine.call(name, found.account) for name in ("ownMarginOf", "marginOf"))
    for there, ours in ((own, folio), (book, seen.portfolio)):
        mirror = evaluate(seen.market, ours, AccountFeed(found.url, found.path, found.account).params)
        for chain_wad, here in (
            (there.equityWad, mirror.equity),
            (there.initialWad, mirror.initial_margin),
            (there.maintenanceWad, mirror.maintenance_margin),
        ):
            assert chain_wad / WAD == pytest.approx(here, abs=AGREEMENT * mirror.gross_notional)
    assert (own.equityWad < book.equityWad) == (share < 1.0)
    found.client.rpc("evm_revert", snapshot)
    found.client.forget_nonce(DEPLOYER.address)


def test_terms__governor_changes_a_token__view_follows(found):
    world = found.world
    book = world.contract("ScenarioBook")
    old = book.call("collateralOf", 1)
    snapshot = found.client.rpc("evm_snapshot")
    book.send(DEPLOYER, "setCollateral", 1, {**vars(old), "haircutWad": 3 * 10**17, "linkedHaircutWad": 5 * 10**16})
    token = AccountFeed(found.url, found.path, found.account).read().market.tokens["WSTETH"]
    assert (token.haircut, token.linked_haircut, token.linked) == (0.3, 0.05, "ETH")
    found.client.rpc("evm_revert", snapshot)
    found.client.forget_nonce(DEPLOYER.address)


def test_verify__ratio_that_the_feed_moved__is_as_configured_and_one_that_it_did_not_is_not(found):
    settle(found, 1.2008)
    assert verify(found.client, found.world.deployment, found.spec) == []
    book = found.world.contract("ScenarioBook")
    snapshot = found.client.rpc("evm_snapshot")
    book.send(DEPLOYER, "setCollateral", 1, {**vars(book.call("collateralOf", 1)), "ratioWad": WAD})
    names = [d.name for d in verify(found.client, found.world.deployment, found.spec)]
    assert names == ["tokens.WSTETH.ratioWad"]
    found.client.rpc("evm_revert", snapshot)
    found.client.forget_nonce(DEPLOYER.address)
    other = replace(found.spec, rates=(replace(found.spec.rates[0], max_fall=0.06, form="get_rate"),))
    names = [d.name for d in verify(found.client, found.world.deployment, other)]
    assert names == ["rates.WSTETH.form", "rates.WSTETH.maxFallWad"]
    names = {d.name for d in verify(found.client, found.world.deployment, replace(found.spec, rates=()))}
    keys = ("source", "form", "gapSec", "fallGapSec", "maxRiseWad", "maxFallWad")
    assert names == {f"rates.WSTETH.{key}" for key in keys}


def test_keeper__observes_when_the_gap_is_over_and_not_before(found):
    """With a source that fails it says so and goes on."""
    client, deployment = Client(found.url), found.world.deployment
    relayer = found.world.funded_wallet("keeper")
    transactor = Transactor(client, relayer, Journal(None), Policy(poll_sec=0.002), clock=client.block_ts)
    index = Index(client, deployment, Store(MEMORY))
    keeper = Keeper(client, deployment, index, Encoder(client, deployment, NoFeed(), None), transactor, None)
    found.stub.send(DEPLOYER, "set", encode(["uint256"], [12_012 * 10**14]), False)
    wait(found)
    for _ in range(2):
        done = [entry for entry in keeper.run_pass() if isinstance(entry.intent, UpdateRate)]
        assert [entry.outcome.done for entry in done] == [True]
        assert [entry for entry in keeper.run_pass() if isinstance(entry.intent, UpdateRate)] == []
        wait(found)
    assert found.world.contract("ScenarioBook").call("collateralOf", 1).ratioWad == 12_012 * 10**14
    found.stub.send(DEPLOYER, "set", b"", True)
    failed = [entry for entry in keeper.run_pass() if isinstance(entry.intent, UpdateRate)]
    assert [entry.outcome.done for entry in failed] == [False]
    assert "RateFeed__SourceFailed" in failed[0].outcome.reason


def test_keeper__fall__is_observed_at_once_and_settled_after_the_short_gap(found):
    client, deployment = Client(found.url), found.world.deployment
    relayer = found.world.funded_wallet("keeper of falls")
    transactor = Transactor(client, relayer, Journal(None), Policy(poll_sec=0.002), clock=client.block_ts)
    index = Index(client, deployment, Store(MEMORY))
    keeper = Keeper(client, deployment, index, Encoder(client, deployment, NoFeed(), None), transactor, None)

    def passes():
        return [entry.outcome.done for entry in keeper.run_pass() if isinstance(entry.intent, UpdateRate)]

    book = found.world.contract("ScenarioBook")
    ratio = book.call("collateralOf", 1).ratioWad
    found.stub.send(DEPLOYER, "set", encode(["uint256"], [ratio]), False)
    wait(found)
    passes()
    assert passes() == []
    # Slashed by a fiftieth, in the middle of a gap of an hour.
    low = ratio * 98 // 100
    found.stub.send(DEPLOYER, "set", encode(["uint256"], [low]), False)
    assert passes() == [True]
    assert passes() == []
    found.client.rpc("evm_setNextBlockTimestamp", found.client.block_ts() + FALL_GAP)
    found.client.rpc("evm_mine")
    assert passes() == [True]
    assert book.call("collateralOf", 1).ratioWad == low


def test_keeper__fall_that_somebody_pushed__is_taken_back_before_it_counts(found):
    client, deployment = Client(found.url), found.world.deployment
    relayer = found.world.funded_wallet("keeper of pushes")
    transactor = Transactor(client, relayer, Journal(None), Policy(poll_sec=0.002), clock=client.block_ts)
    index = Index(client, deployment, Store(MEMORY))
    keeper = Keeper(client, deployment, index, Encoder(client, deployment, NoFeed(), None), transactor, None)
    ratio = found.world.contract("ScenarioBook").call("collateralOf", 1).ratioWad
    for rate in (ratio // 2, ratio):
        found.stub.send(DEPLOYER, "set", encode(["uint256"], [rate]), False)
        if rate != ratio:
            found.feed.send(DEPLOYER, "update", 1)
    assert found.feed.call("observationOf", 1).rateWad == ratio // 2
    done = [entry.outcome.done for entry in keeper.run_pass() if isinstance(entry.intent, UpdateRate)]
    assert done == [True]
    assert found.feed.call("observationOf", 1).rateWad == ratio
