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
from plimsoll.errors import InputError, UnavailableError
from plimsoll.feeds.document import document_of
from plimsoll.feeds.reading import Price, Reading
from plimsoll.keeper import opening
from plimsoll.units import wad_to_float

SIGNERS = tuple(wallet(f"oracle signer {number}") for number in range(3))
USDC = 0.998
SIGNER_TOKEN = "shared with the services"  # noqa: S105


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
    # Relative to the keeper's file, and not to wherever it was started.
    path = prices.write("file:feed.json?start=now")
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


def test_prices__three_signer_services_with_a_token__one_of_which_disagrees__are_posted(prices):
    chain = prices.chain
    (prices.folder / "signer-token").write_text(f"{SIGNER_TOKEN}\n", encoding="utf-8")
    world = World(chain.client, chain.deployment, chain.client.url)
    sources = [
        Market(f"source {n}", reading_at(chain, eth, now())) for n, eth in enumerate((1_880.0, 1_881.0, 2_400.0))
    ]
    with ExitStack() as stack:
        urls = []
        for number, (account, source) in enumerate(zip(SIGNERS, sources, strict=True)):
            database = f"sqlite:///{prices.folder / f'signer-{number}.sqlite'}"
            signer = opened_signer(world, account, source, database)
            urls.append(stack.enter_context(running_signer(signer, token=SIGNER_TOKEN))[0])
        feed = stack.enter_context(
            serving(lambda _: web.json_response(document_of(reading_at(chain, 1_880.0, now()), now())))
        )
        services = ", ".join(f'"{url}"' for url in urls)
        path = prices.write(feed, "[oracle]", f"services = [{services}]")
        refused = made(path, once=True)
        assert not {"round", "tokens"} & set(kinds(refused)), refused
        path = prices.write(feed, "[oracle]", f"services = [{services}]", 'token_file = "signer-token"')
        lines = made(path, once=True)
    assert_posted(prices, 1_880.0, lines)


def test_prices__one_of_three_sources_alone__posts_nothing_unless_told_that_one_is_enough(prices):
    """The fault: with one source silent and one wrong, a single one decided what was signed."""
    chain = prices.chain
    before = spot_of(chain, "ETH")
    with ExitStack() as stack:
        alive = stack.enter_context(
            serving(lambda _: web.json_response(document_of(reading_at(chain, 1_880.0, now()), now())))
        )
        silent = [stack.enter_context(serving(lambda _: web.Response(status=502))) for _ in range(2)]
        sources = ", ".join(f'"{url}"' for url in (alive, *silent))
        path = prices.write("alive")
        words = path.read_text(encoding="utf-8").replace('sources = ["alive"]', f"sources = [{sources}]")
        path.write_text(words, encoding="utf-8")
        lines = made(path, once=True)
        assert not {"round", "tokens"} & set(kinds(lines)), lines
        assert spot_of(chain, "ETH") == before
        path.write_text(words.replace("[feed]", "[feed]\nmin_sources = 1"), encoding="utf-8")
        lines = made(path, once=True)
    assert_posted(prices, 1_880.0, lines)


def test_prices__wraps_of_a_token_that_is_not_listed__one_error_before_anything_is_sent(prices):
    path = prices.write("http://127.0.0.1:1")
    words = path.read_text(encoding="utf-8").replace("[feed]", '[feed]\nwraps = ["WSTETH=MOON"]')
    path.write_text(words, encoding="utf-8")
    with pytest.raises(InputError, match=r"feed.wraps: 'WSTETH=MOON' is not TOKEN=UNDERLYING"):
        made(path, once=True)


def test_open_parts__wraps__reach_the_view_of_the_oracle(prices, monkeypatch):
    asked = []

    async def connect(rpc, deployment, wraps=None):
        asked.append(wraps)
        raise UnavailableError("oracle", "enough is seen")

    monkeypatch.setattr(opening, "connect", connect)
    token, underlying = next(iter(prices.chain.deployment.tokens)), next(iter(prices.chain.deployment.underlyings))
    path = prices.write("http://127.0.0.1:1")
    words = path.read_text(encoding="utf-8").replace("[feed]", f'[feed]\nwraps = ["{token}={underlying}"]')
    path.write_text(words, encoding="utf-8")
    with pytest.raises(UnavailableError, match="enough is seen"):
        made(path, once=True)
    assert asked == [{token: underlying}]


def now() -> int:
    return int(time.time())
