"""Prices from a feed to the oracle: sources, signers, posts, and what a bad feed does not stop."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from dataclasses import replace
from types import SimpleNamespace

import pytest
from aiohttp import web
from helpers.feed_world import Market, World
from helpers.keeper_runs import keystore, made, write_config
from helpers.signer_services import opened_signer, running_signer
from helpers.venue_server import serving

from plimsoll.chain.anvil import wallet
from plimsoll.feeds.document import document_of
from plimsoll.feeds.reading import Price, Reading
from plimsoll.units import wad_to_float

SIGNERS = tuple(wallet(f"oracle signer {number}") for number in range(3))
USDC = 0.998


def reading_at(chain, eth: float, ts: int) -> Reading:
    """What a feed says at a time: the market of the chain around a spot of ETH, and a price of cash."""
    rounds = {}
    for symbol, shape in chain.market.rounds.items():
        factor = eth / shape.spot if symbol == "ETH" else 1.0
        surfaces = tuple(replace(s, forward=s.forward * factor) for s in shape.surfaces)
        rounds[symbol] = replace(shape, ts=ts, spot=shape.spot * factor, perp=shape.perp * factor, surfaces=surfaces)
    return Reading(rounds, tokens={"USDC": Price(ts, USDC)})


@pytest.fixture
def prices(keeper_chain, tmp_path):
    """A keeper with a key for prices and one for liquidations, beside a chain whose clock is right."""
    chain = keeper_chain
    chain.world.set_time(int(time.time()))
    poster = chain.world.funded_wallet("poster")

    def write(source, *oracle):
        for name, account in (("prices", poster), *((f"signer-{n}", one) for n, one in enumerate(SIGNERS))):
            keystore(tmp_path, name, account)
        keys = [
            line
            for n in range(3)
            for line in ("[[oracle.keys]]", f'keystore = "signer-{n}.json"', 'pass_file = "password"')
        ]
        more = ("[signers.prices]", 'keystore = "prices.json"', 'pass_file = "password"')
        feed = ("[feed]", f'sources = ["{source}"]')
        return write_config(tmp_path, chain, chain.keeper, *more, *feed, *(oracle or keys))

    return SimpleNamespace(chain=chain, poster=poster, write=write, folder=tmp_path)


def spot_of(chain, symbol):
    """Return spot and time of the last round that the oracle took."""
    spot_wad, ts = chain.world.contract("Oracle").call("lastSpotOf", chain.deployment.underlyings[symbol])
    return wad_to_float(spot_wad), ts


def sent(chain, account):
    return int(chain.client.rpc("eth_getTransactionCount", account.address, "latest"), 16)


def kinds(lines):
    return sorted({line.split(":", 1)[0] for line in lines})


def assert_posted(prices, eth, lines):
    """See that the oracle has the rounds and the price of cash."""
    chain = prices.chain
    assert spot_of(chain, "ETH")[0] == pytest.approx(eth), lines
    assert spot_of(chain, "BTC")[1] == pytest.approx(time.time(), abs=60), lines
    chain.sync()
    number = chain.deployment.tokens["USDC"].token_id
    assert wad_to_float(chain.state.token_prices[number][1]) == pytest.approx(USDC), lines


def test_prices__file__are_posted_once_and_a_second_pass_posts_nothing(prices):
    chain = prices.chain
    document = document_of(reading_at(chain, 1_880.0, chain.market.ts), chain.market.ts)
    (prices.folder / "feed.json").write_text(json.dumps(document), encoding="utf-8")
    path = prices.write(f"file:{prices.folder}/feed.json?start=now")
    first = made(path, once=True)
    assert_posted(prices, 1_880.0, first)
    assert {"round", "tokens"} <= set(kinds(first)), first
    count = sent(chain, prices.poster)
    second = made(path, once=True)
    assert not {"round", "tokens"} & set(kinds(second)), second
    assert spot_of(chain, "ETH")[0] == pytest.approx(1_880.0)
    assert sent(chain, prices.poster) - count == len([line for line in second if " sent" in line]), second


def test_prices__fall_in_the_feed__is_posted_and_the_next_pass_liquidates(prices):
    chain = prices.chain
    called, short, _ = (holder.account_id for holder in chain.traders)
    with serving(lambda _: web.json_response(document_of(reading_at(chain, 1_600.0, now()), now()))) as url:
        path = prices.write(url)
        first = made(path, once=True)
        assert_posted(prices, 1_600.0, first)
        second = made(path, once=True)
    chain.sync()
    assert set(chain.state.auctions) == {short}, (first, second)
    assert chain.effects.called == {called}, (first, second)


@pytest.mark.parametrize("garbage", ["<html>502</html>", "[]", "null", '{"schema": "plimsoll.feed/1"}', "NaN"])
def test_prices__garbage__stops_no_liquidation(prices, garbage):
    chain = prices.chain
    short = chain.traders[1].account_id
    chain.post(1_600.0)
    with serving(lambda _: web.Response(text=garbage, content_type="application/json")) as url:
        lines = made(prices.write(url), once=True)
    chain.sync()
    assert set(chain.state.auctions) == {short}, lines
    assert not {"round", "tokens"} & set(kinds(lines)), lines


def test_prices__three_signer_services__one_of_which_disagrees__are_posted(prices):
    chain = prices.chain
    world = World(chain.client, chain.deployment, chain.client.url)
    sources = [
        Market(f"source {n}", reading_at(chain, eth, now())) for n, eth in enumerate((1_880.0, 1_881.0, 2_400.0))
    ]
    with ExitStack() as stack:
        urls = []
        for number, (account, source) in enumerate(zip(SIGNERS, sources, strict=True)):
            database = f"sqlite:///{prices.folder / f'signer-{number}.sqlite'}"
            signer = opened_signer(world, account, source, database)
            urls.append(stack.enter_context(running_signer(signer))[0])
        feed = stack.enter_context(
            serving(lambda _: web.json_response(document_of(reading_at(chain, 1_880.0, now()), now())))
        )
        services = ", ".join(f'"{url}"' for url in urls)
        lines = made(prices.write(feed, "[oracle]", f"services = [{services}]"), once=True)
    assert_posted(prices, 1_880.0, lines)


def now() -> int:
    return int(time.time())
