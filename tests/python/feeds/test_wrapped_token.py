"""A wrapped token on the real chain: its rate comes from its contract, and what is signed is spot times that rate."""

from __future__ import annotations

import pytest
from helpers.feed_poster import Poster
from helpers.feed_world import Market, reading, run

from plimsoll.chain.anvil import wallet

RATE_WAD = 123 * 10**16
SOURCE = "0x" + "5a" * 20
GET_RATE = 2


def constant(value: int) -> str:
    """Code that answers every call with one word."""
    return "0x7f" + value.to_bytes(32, "big").hex() + "5f5260205ff3"


@pytest.fixture
def wrapped(world):
    """WETH without its link, and with a contract that states a rate of 1.23."""
    governor, token_id = wallet("deployer"), world.deployment.tokens["WETH"].token_id
    world.client.rpc("anvil_setCode", SOURCE, constant(RATE_WAD))
    book = world.deployment.contract(world.client, "ScenarioBook")
    terms = {"listed": True, "haircutWad": 2 * 10**17, "linkedHaircutWad": 2 * 10**16, "ratioWad": RATE_WAD}
    book.send(governor, "setCollateral", token_id, {**terms, "linkedUnderlying": 1})
    rates = world.deployment.contract(world.client, "RateFeed")
    source = {"source": SOURCE, "form": GET_RATE, "gapSec": 600, "fallGapSec": 24}
    source |= {"maxRiseWad": 10**16, "maxFallWad": 10**17}
    rates.send(governor, "setSource", token_id, source)
    unlinked = {"linkedUnderlying": 0, "linkedHaircutWad": 0, "ratioWad": 10**18}
    book.send(governor, "setCollateral", token_id, {**terms, **unlinked})
    return token_id


def terms_of(world, wraps):
    async def read():
        view = world.view(wraps)
        try:
            return {t.symbol: t for t in await view.terms()}
        finally:
            await view.close()

    return run(read())


def test_terms__rate_of_the_tokens_contract__is_read(world, wrapped):
    found = terms_of(world, {"WETH": "ETH"})["WETH"]
    assert (found.linked, found.wraps, found.rate) == (None, "ETH", 1.23)
    # A source that fails is no rate, and stops no other token.
    world.client.rpc("anvil_setCode", SOURCE, "0xfe")
    broken = terms_of(world, {"WETH": "ETH"})
    assert broken["WETH"].rate is None
    assert broken["WBTC"].linked == "BTC"


def test_posts__wrapped_token__is_signed_at_its_rate_and_not_at_spot(world, wrapped, engine):
    poster = Poster(world, engine, Market("own", reading(world.now)))
    poster.wraps = {"WETH": "ETH"}
    poster.posts()
    assert world.oracle("tokenPriceOf", wrapped) / 1e18 == pytest.approx(2_460.0)
    assert world.oracle("tokenPriceOf", 0) == 10**18


def test_posts__wrapped_token_that_nobody_names__is_skipped_by_name(world, wrapped, engine):
    made = Poster(world, engine, Market("own", reading(world.now))).posts()
    assert any("tokens WETH: not priced" in str(p) for p in made.problems)
    assert len(made.posts) == 3
