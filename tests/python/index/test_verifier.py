"""State against the chain's own views on a real deployment: equal, or found, put right and reported."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import rpc_proxy as faults
from helpers.emitter import topic
from sqlalchemy import select

from plimsoll.chain import anvil
from plimsoll.chain.client import Client
from plimsoll.chain.problem import NodeProblem
from plimsoll.constants import WAD
from plimsoll.demo.plan import PlannedTrade
from plimsoll.demo.result import GasBook
from plimsoll.demo.world import build_world
from plimsoll.deployment.spec import spec_for_market
from plimsoll.errors import InputError
from plimsoll.index.artefact import check_artefact
from plimsoll.index.columns import columns_of
from plimsoll.index.snapshot import read_accounts
from plimsoll.index.state import AccountState, AuctionState, FundingState, snapshot_fields
from plimsoll.index.tables import DIFFERENCES
from plimsoll.index.verifier import Verifier
from plimsoll.model import Kind, Market, Mode, Position, Round, Surface, Svi, Token
from plimsoll.params import Params
from plimsoll.protocol.margin_engine import own_prices
from plimsoll.protocol.rounds import RoundPoster

NOW = 1_770_326_940
EXPIRY = NOW + 20 * 86_400


@pytest.fixture(scope="module")
def world():
    svi = Svi(0.01, 0.05, -0.2, 0.0, 0.1)
    rounds = {"ETH": Round("ETH", NOW, 1_900.0, 1_899.5, 1.0, (Surface(EXPIRY, 1_905.0, 0.04, svi),))}
    tokens = {"USDC": Token("USDC", 1.0, 0.0), "WETH": Token("WETH", None, 0.2, "ETH", 0.02, 1.0)}
    market = Market(NOW, tokens, rounds)
    with anvil.running(NOW) as chain:
        built = build_world(Client(chain.url), spec_for_market(market, Params(), ()), GasBook())
        relayer = built.funded_wallet("relayer")
        poster = RoundPoster(built.client, built.deployment, list(built.signers))
        poster.send(relayer, poster.round_call(market.rounds["ETH"]))
        poster.send(relayer, poster.tokens_call(NOW, own_prices(market)))
        maker = built.open("maker", Mode.SINGLE, 1e6, by_permit=False)
        taker = built.open("taker", Mode.SINGLE, 20_000.0, by_permit=False)
        built.deposit(taker, "WETH", 2.0)
        for position, price in (
            (Position("ETH", Kind.CALL, EXPIRY, 2_100.0, -5.0), 40.0),
            (Position("ETH", Kind.PERP, 0, 1_900.0, 1.0), 1_900.0),
        ):
            built.trade(taker, maker, PlannedTrade(position, price))
        built.client.rpc("anvil_mine", hex(3))
        yield SimpleNamespace(url=chain.url, deployment=built.deployment, taker=taker.account_id)


@pytest.fixture
def synced(world, follow, tmp_path):
    follower = follow(world.url, f"sqlite:///{tmp_path / 'index.sqlite'}", deployment=world.deployment)
    follower.sync()
    return follower


def check_all(follower, world, **options):
    verifier = Verifier(follower.index, follower.endpoints, world.deployment, **options)
    return follower.run(verifier.check_all())


def differences(passes):
    return {(item.subject, item.field) for checked in passes for item in checked.differences}


def fields(state):
    return {account_id: snapshot_fields(state, account_id) for account_id in state.accounts}


@pytest.mark.parametrize("slice_accounts", [1, 3, 250])
def test_check__folded_state__equals_the_chain(world, synced, slice_accounts):
    passes = check_all(synced, world, slice_accounts=slice_accounts)
    assert differences(passes) == set()
    assert sum(checked.accounts for checked in passes) >= 4
    assert passes[-1].is_round or slice_accounts == 250


def break_account(state, world):
    state.accounts[world.taker].cash_wad += 1


def break_words(state, world):
    state.accounts[world.taker].words.reverse()


def lose_perp(state, world):
    account = state.accounts[world.taker]
    account.words.pop()
    account.paid_index.clear()


def lose_account(state, world):
    del state.accounts[world.taker]


def invent_account(state, world):
    state.accounts[3] = state.accounts.get(3, AccountState("0x" + "1" * 40, 0, WAD))
    state.accounts[3].owner = "0x" + "2" * 40


def keep_closed(state, world):
    state.accounts[world.taker].collateral[0] = 7


def invent_auction(state, world):
    state.auctions[world.taker] = AuctionState(NOW)


def age_round(state, world):
    state.rounds[1] = SimpleNamespace(**{**vars(state.rounds[1]), "ts": NOW - 5})


def lose_price(state, world):
    state.token_prices.clear()


def break_lending(state, world):
    state.lending = replace(state.lending, reserve_bps=state.lending.reserve_bps + 1)


def break_funding(state, world):
    state.funding[1] = FundingState(5, 6, NOW)


BREAKS = {
    break_account: ("account", "cashWad"),
    break_words: ("account", "positions"),
    lose_perp: ("account", "positions"),
    lose_account: ("account", "account"),
    keep_closed: ("account", "collateral"),
    invent_account: ("account", "owner"),
    invent_auction: ("account", "auction"),
    age_round: ("round of underlying 1", "ts"),
    lose_price: ("price of token 0", "priceWad"),
    break_lending: ("lending", "reserveBps"),
    break_funding: ("funding of underlying 1", "rateWad"),
}


@pytest.mark.parametrize("break_it", BREAKS, ids=lambda item: item.__name__)
def test_check__difference__is_reported_and_put_right(world, synced, break_it):
    right = fields(synced.state)
    rounds, prices = dict(synced.state.rounds), dict(synced.state.token_prices)
    break_it(synced.state, world)
    found = differences(check_all(synced, world))
    subject, field = BREAKS[break_it]
    assert any(item[0].startswith(subject) and item[1] == field for item in found), found
    assert fields(synced.state) == right
    assert (synced.state.token_prices, synced.state.rounds) == (prices, rounds)
    assert not synced.state.auctions
    assert differences(check_all(synced, world)) == set()
    with synced.engine.connect() as connection:
        assert len(connection.execute(select(DIFFERENCES)).all()) == len(found)


def test_check__position_lost_in_both_readings__is_put_right_and_kept(world, follow, tmp_path):
    url = f"sqlite:///{tmp_path / 'index.sqlite'}"
    with faults.RpcProxy(world.url) as proxy:
        changed = topic("Accounts", "PositionChanged")
        proxy.add(
            faults.lost_logs(lambda log: log["topics"][0] == changed and int(log["topics"][1], 16) == world.taker)
        )
        follower = follow(proxy.url, url, deployment=world.deployment, final_depth=0)
        follower.sync()
        assert follower.state.accounts[world.taker].words == []
        assert ("account " + str(world.taker), "positions") in differences(check_all(follower, world))
        assert len(follower.state.accounts[world.taker].words) == 2
        Client(world.url).rpc("anvil_mine", "0x1")
        follower.sync()
    again = follow(world.url, url, deployment=world.deployment, final_depth=0)
    assert len(again.state.accounts[world.taker].words) == 2


def test_columns__of_state_and_of_the_chains_pages__are_the_same(world, synced):
    mine = columns_of(synced.state)
    theirs = synced.run(read_accounts(synced.nodes[0], world.deployment, synced.index.head))
    for name in mine.__dataclass_fields__:
        ours, found = getattr(mine, name), getattr(theirs, name)
        assert ours.dtype == found.dtype
        np.testing.assert_allclose(ours, found, rtol=1e-15, atol=1e-15, err_msg=name)
    for place, account_id in enumerate(mine.account_ids.tolist()):
        assert mine.cash[place] == pytest.approx(synced.state.cash_of(account_id) / WAD, rel=1e-15)
    mask = mine.position_account == world.taker
    held = list(zip(mine.kind[mask], mine.price[mask], mine.quantity[mask], strict=True))
    assert held == [(Kind.CALL, 2_100.0, -5.0), (Kind.PERP, 1_900.0, 1.0)]


def test_columns__changed_accounts__are_exactly_those_that_changed(world, synced):
    assert set(synced.index.take_changed()) == set(synced.state.accounts)
    assert synced.index.take_changed() == []
    part = columns_of(synced.state, [world.taker, 10**6])
    assert part.account_ids.tolist() == [world.taker]
    assert len(part.kind) == 2


def test_check__chain_has_another_block_by_now__is_one_typed_error(world, synced):
    client = Client(world.url)
    snapshot = client.rpc("evm_snapshot")
    client.rpc("anvil_mine", "0x1")
    synced.sync()
    client.rpc("evm_revert", snapshot)
    client.rpc("evm_setNextBlockTimestamp", client.block_ts() + 50)
    client.rpc("anvil_mine", "0x1")
    with pytest.raises(NodeProblem, match="no longer has block"):
        check_all(synced, world)


def swapped_tokens(deployment):
    first, second = list(deployment.tokens.items())[:2]
    records = {
        first[0]: replace(first[1], token_id=second[1].token_id),
        second[0]: replace(second[1], token_id=first[1].token_id),
    }
    return replace(deployment, tokens=records)


ARTEFACTS = {
    "swapped ids": (swapped_tokens, "the vault has 0x"),
    "another chain": (lambda d: replace(d, chain_id=5), "is of chain 5, the node is on 31337"),
    "unknown token": (
        lambda d: replace(d, tokens={"WETH": replace(d.tokens["WETH"], token_id=99)}),
        "which the vault does not know",
    ),
    "underlying by another name": (
        lambda d: replace(d, underlyings={"BTC": d.underlyings["ETH"]}),
        "underlying BTC has id 1, which is ETH on chain",
    ),
    "underlying unknown": (lambda d: replace(d, underlyings={"ETH": 99}), "has id 99, which is nothing on chain"),
    "one id twice": (lambda d: replace(d, underlyings={"ETH": 1, "BTC": 1}), "underlyings 1 named twice"),
    "no code": (
        lambda d: replace(d, contracts={**d.contracts, "Accounts": "0x" + "9" * 40}),
        "no code at the address of Accounts",
    ),
}


@pytest.mark.parametrize("name", ARTEFACTS)
def test_check_artefact__wrong__is_refused_by_name(world, synced, name):
    change, message = ARTEFACTS[name]
    synced.run(check_artefact(synced.nodes[0], world.deployment, synced.index.head))
    with pytest.raises(InputError, match=message):
        synced.run(check_artefact(synced.nodes[0], change(world.deployment), synced.index.head))
