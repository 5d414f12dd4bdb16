"""What markets, feeds, signers and governance do to one account, and must not do to another one."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
from feed import Feed
from files import price_lines
from helpers.venue_server import DeribitDouble, serving
from scene import until

from plimsoll.chain.book import plain_rows
from plimsoll.feeds import deribit_source
from plimsoll.feeds.document import document_of
from plimsoll.feeds.oracle_view import OracleView
from plimsoll.feeds.reading import Price, Reading
from plimsoll.model import Kind, Position
from plimsoll.protocol.margin_engine import own_prices
from plimsoll.units import float_to_wad


def rounds_of(chain, eth, ts):
    """Rounds of both underlyings, ETH in proportion."""
    scale = eth / chain.market.rounds["ETH"].spot
    for symbol, shape in chain.market.rounds.items():
        factor = scale if symbol == "ETH" else 1.0
        surfaces = tuple(replace(s, forward=s.forward * factor) for s in shape.surfaces if s.expiry_ts > ts)
        yield replace(shape, ts=ts, spot=shape.spot * factor, perp=shape.perp * factor, surfaces=surfaces)


def test_series__expired_without_samples__others_are_liquidated(scene):
    chain = scene.chain
    expiry_ts = chain.market.rounds["ETH"].surfaces[0].expiry_ts
    option = Position("ETH", Kind.CALL, expiry_ts, 2_000.0, 1.0)
    chain.trader("holder of an option", chain.maker, 20_000.0, option)
    chain.wait(expiry_ts + 60 - chain.client.block_ts())
    chain.post(1_900.0)
    scene.start()
    scene.quiet()
    scene.crash()
    scene.wait_auction()
    scene.quiet()
    scene.judge("expired series without samples", "others attended", others=True, rounds=2)


def test_round__of_one_underlying_stale__others_are_liquidated(scene):
    chain = scene.chain
    holder = chain.trader("holder of BTC", chain.maker, 60_000.0, Position("BTC", Kind.PERP, 0, 66_000.0, 0.1))
    chain.wait(2 * 3_600 * 12)
    scene.start()
    ts = chain.client.block_ts()
    eth = next(found for found in rounds_of(chain, 1_600.0, ts) if found.underlying == "ETH")
    chain.poster.send(chain.relayer, chain.poster.round_call(eth))
    chain.poster.send(chain.relayer, chain.poster.tokens_call(ts, own_prices(chain.market)))
    scene.crashed_at = time.monotonic()
    scene.wait_auction()
    scene.quiet()
    assert holder.account_id not in chain.state.auctions
    scene.judge("round of one underlying stale for a day", "others attended", others=True)


def test_governance__stores_rows_of_its_own__accounts_are_margined_by_them(scene):
    chain = scene.chain
    book, number = chain.world.contract("ScenarioBook"), chain.deployment.underlyings["ETH"]
    stored = book.call("bookOf", number)
    wider = vars(stored.params) | {"priceRangeWad": stored.params.priceRangeWad * 21 // 20}
    without_tails = plain_rows(stored.rows) | {"tailMovesWad": [], "tailVols": []}
    assert stored.rows.tailMovesWad
    book.send(chain.world.governor, "setBook", number, wider, without_tails)
    chain.wait(7_200)
    chain.post(1_900.0)
    scene.start()
    scene.crash(1_600.0)
    scene.wait_auction()
    scene.quiet()
    scene.judge("rows of governance's own", "attended by these rows", others=True, rounds=2)


def show(feed, chain, eth, ts=None):
    """Serve sound rounds, at the time of the chain when none is given."""
    ts = chain.client.block_ts() if ts is None else ts
    rounds = {found.underlying: found for found in rounds_of(chain, eth, ts)}
    feed.body = json.dumps(document_of(Reading(rounds, tokens={"USDC": Price(ts, 1.0)}), ts)).encode()


@pytest.fixture
def feed(scene, monkeypatch):
    """A feed, and clocks of this process that show the time of the chain."""
    shift = scene.chain.client.block_ts() + 5 - time.time()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + shift)
    monkeypatch.setattr(OracleView.__init__, "__defaults__", (None, time.time))
    found = Feed()
    show(found, scene.chain, 1_900.0)
    yield found
    found.close()


def poster(scene, feed, *services):
    """The file of a keeper that posts prices too, with two signers' keys of its own."""
    scene.senders.append(scene.chain.prices)
    lines = price_lines(scene.folder, feed.url, scene.chain.prices, scene.chain.world.signers, services)
    return scene.file(more=lines)


def test_signer__service_missing__quorum_of_the_others_posts(scene, feed):
    scene.start(poster(scene, feed, "http://127.0.0.1:9"))
    scene.chain.wait(60)
    show(feed, scene.chain, 1_600.0)
    scene.crashed_at = time.monotonic()
    scene.wait_attended()
    scene.quiet()
    scene.judge("one signer service missing", "posted by the others, attended", others=True)


#: Longer than any case.
GRACE_SEC = 3_600

BROKEN = [
    ("down", 503, b"no"),
    ("garbage", 200, b"\x00\xff{"),
    ("an empty list", 200, b"[]"),
    ("null entries", 200, b'{"schema": "plimsoll.feed/1", "underlyings": {"ETH": null}, "tokens": {"USDC": null}}'),
    ("NaN", 200, b'{"schema": "plimsoll.feed/1", "timestamp": NaN, "underlyings": {"ETH": {"spot": Infinity}}}'),
]


@pytest.mark.parametrize(("fault", "status", "body"), BROKEN, ids=[case[0] for case in BROKEN])
def test_feed__broken__prices_of_others_are_liquidated_by(scene, feed, fault, status, body):
    scene.start(poster(scene, feed))
    feed.status, feed.body = status, body
    scene.crash()
    scene.wait_attended()
    scene.quiet()
    scene.judge(f"feed: {fault}", "attended at the prices of another poster")


def wild_rounds(chain, ts, *, spot=1.0, forward=1.0):
    """Rounds as they stand, but for a factor that no market explains."""
    for found in rounds_of(chain, 1_900.0, ts):
        surfaces = tuple(replace(s, forward=s.forward * spot * forward) for s in found.surfaces)
        yield replace(found, spot=found.spot * spot, perp=found.perp * spot, surfaces=surfaces)


def crossed_rounds(chain, ts):
    """Rounds whose last expiry is far cheaper than the one before."""
    for found in rounds_of(chain, 1_900.0, ts):
        *others, last = found.surfaces
        svi = replace(last.svi, a=last.svi.a * 0.02, b=last.svi.b * 0.02)
        yield replace(found, surfaces=(*others, replace(last, svi=svi)))


WILD = {
    "forward at three times spot": lambda chain, ts: wild_rounds(chain, ts, forward=3.0),
    "spot at three times what it was": lambda chain, ts: wild_rounds(chain, ts, spot=3.0),
    "spot at a third of what it was": lambda chain, ts: wild_rounds(chain, ts, spot=1 / 3),
}


def serve(feed, rounds, ts):
    """Serve rounds as they are."""
    feed.body = json.dumps(document_of(Reading({r.underlying: r for r in rounds}), ts)).encode()


@pytest.mark.parametrize("fault", WILD)
def test_feed__wild_price_of_one_source__is_not_posted_and_nobody_is_hurt(scene, feed, fault):
    """The first keeper signed and posted it, and nine healthy accounts got auctions."""
    keeper = scene.start(poster(scene, feed))
    scene.chain.sync()
    before = dict(scene.chain.state.rounds)
    for _ in range(4):
        scene.chain.wait(5)
        ts = scene.chain.client.block_ts()
        serve(feed, WILD[fault](scene.chain, ts), ts)
        time.sleep(1)
    scene.chain.sync()
    assert scene.chain.state.rounds == before
    assert not scene.chain.state.auctions
    assert not scene.chain.effects.called
    assert keeper.is_running
    feed.body = b"{}"
    scene.crash()
    scene.wait_attended()
    scene.quiet()
    scene.judge(f"feed: {fault}", "not posted; attended")


def test_feed__calendar_arbitrage__that_expiry_is_left_out(scene, feed):
    """The first keeper signed and posted it."""
    scene.start(poster(scene, feed))
    scene.chain.wait(5)
    ts = scene.chain.client.block_ts()
    crossed = {found.underlying: found for found in crossed_rounds(scene.chain, ts)}
    serve(feed, [replace(found, spot=found.spot * 1.003) for found in crossed.values()], ts)
    numbers = scene.chain.deployment.underlyings
    until(
        lambda: scene.chain.sync() or all(scene.chain.state.rounds[n].ts == ts for n in numbers.values()), scene.story
    )
    listed = {surface.expiryTs for surface in scene.chain.state.rounds[numbers["ETH"]].surfaces}
    assert listed == {surface.expiry_ts for surface in crossed["ETH"].surfaces[:-1]}
    feed.body = b"{}"
    scene.crash()
    scene.wait_attended()
    scene.quiet()
    scene.judge("feed: calendar arbitrage", "expiry left out; attended", others=True, rounds=2)


#: What one row of a venue may be like: another type, no number, a volatility of a thousand per cent.
BAD_ROWS = {
    "null": lambda rows: rows.insert(3, None),
    "no underlying price": lambda rows: rows[4].update(underlying_price=None),
    "volatility above 1,000 %": lambda rows: rows[4].update(mark_iv=1_001.0),
}


@pytest.mark.parametrize("bad", BAD_ROWS)
def test_venue__busy_and_with_one_bad_row__its_rounds_are_posted(scene, feed, monkeypatch, bad):
    """The first keeper refused the whole answer, and asked no busy venue again."""
    chain, spot = scene.chain, 1_904.0
    venue = DeribitDouble(chain.client.block_ts(), {"ETH": spot, "BTC": chain.market.rounds["BTC"].spot})
    venue.spoil = lambda currency, rows: BAD_ROWS[bad](rows) if currency == "ETH" else None
    venue.failures = [(520, ""), (200, {"error": {"code": 10_040, "message": "retry"}})]
    number = chain.deployment.underlyings["ETH"]
    with serving(venue) as address:
        monkeypatch.setattr(deribit_source, "BASE_URL", address)
        feed.url = "deribit"
        scene.start(poster(scene, feed))
        until(lambda: chain.sync() or chain.state.rounds[number].spotWad == float_to_wad(spot), scene.story)
        scene.crash()
        scene.wait_attended()
        scene.quiet()
        scene.judge(f"venue: busy, and one row bad: {bad}", "its round posted; attended", others=True, rounds=2)


def with_grace(scene):
    """Let every change of parameters be followed by a grace; return the book."""
    book = scene.chain.world.contract("ScenarioBook")
    book.send(scene.chain.world.governor, "setGrace", GRACE_SEC)
    return book


@pytest.mark.parametrize("is_before", [False, True], ids=["by the keeper", "before the keeper comes"])
def test_range__raised_by_the_crash__whom_the_crash_hurts_is_liquidated_within_the_grace(scene, is_before):
    """A raise of the keeper's own opens a grace, which protects from the raise and not from the crash.

    That is why the keeper holds no raise back while somebody is liquidatable: whom it could liquidate without the raise
    it can liquidate with it, at once.
    """
    chain, book = scene.chain, with_grace(scene)
    number = chain.deployment.underlyings["ETH"]
    before_wad = book.call("bookOf", number).params.priceRangeWad
    if not is_before:
        scene.start()
    scene.crash()
    if is_before:
        chain.world.contract("RangeRule").send(chain.relayer, "recalibrate", number)
        scene.start()
    scene.wait_attended()
    scene.quiet()
    assert book.call("bookOf", number).params.priceRangeWad > before_wad, scene.story()
    assert book.call("graceEndTs") > chain.client.block_ts(), scene.story()
    who = "somebody else's" if is_before else "the keeper's own"
    scene.judge(f"{who} raise of the range opens a grace", "attended within the grace")


def test_range__raised_without_a_crash__whom_the_raise_hurts_is_liquidated_when_the_grace_is_over(scene):
    chain, book = scene.chain, with_grace(scene)
    number = chain.deployment.underlyings["ETH"]
    stored = book.call("bookOf", number)
    wider = vars(stored.params) | {"priceRangeWad": float_to_wad(0.5)}
    scene.start()
    book.send(chain.world.governor, "setBook", number, wider, plain_rows(stored.rows))
    chain.post(1_900.0)
    time.sleep(3)
    chain.sync()
    assert not chain.state.auctions, scene.story()
    chain.wait(GRACE_SEC)
    chain.post(1_900.0)
    scene.crashed_at = time.monotonic()
    scene.wait_auction()
    scene.quiet()
    scene.judge("a raise of the range that alone hurts", "liquidated after the grace", others=True, rounds=None)
