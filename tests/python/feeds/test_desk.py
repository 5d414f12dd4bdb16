"""The poster end to end: market, three signer services over HTTP, and the real oracle that takes what it makes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from helpers.feed_poster import Poster
from helpers.feed_world import DAY, START_TS, Market, a_round, flat, reading, run
from helpers.signer_services import three_services

from plimsoll.feeds.posting import Why
from plimsoll.feeds.reading import Price, Reading, SourceError
from plimsoll.feeds.samples import SampleStore
from plimsoll.feeds.settlement import samples_by_hand
from plimsoll.feeds.settlement_desk import settle_by_hand

WEEK = START_TS + 7 * DAY


@pytest.fixture
def services(world, tmp_path):
    with three_services(world, tmp_path) as found:
        yield found


@pytest.fixture
def poster(world, engine):
    return Poster(world, engine, Market("own", reading(world.now)))


def show(services, found):
    for service in services:
        service.source.reading = found


def test_posts__first_pass__tokens_then_rounds_signed_by_services_and_accepted(world, engine, services):
    ts = world.now
    poster = Poster(world, engine, Market("own", reading(ts, usdc=0.97)), [s.url for s in services])
    show(services, reading(ts, usdc=0.97))
    made = poster.posts()
    assert poster.keys(made) == [f"tokens:{ts}", f"round:ETH:{ts}", f"round:BTC:{ts}"]
    assert {post.why for post in made.posts} == {Why.FIRST}
    assert {post.group for post in made.posts} == {"tokens", "round:ETH", "round:BTC"}
    # USDC is what its market says, on chain: the peg charge can fire.
    assert world.oracle("tokenPriceOf", 0) == 97 * 10**16
    assert tuple(poster.spot("ETH")) == (2_000 * 10**18, ts)
    assert made.problems == ()
    # Nothing moved: nothing to do.
    assert poster.posts().posts == ()


def test_posts__one_service_gone__goes_on_and_names_it(world, engine, services):
    urls = [services[0].url, "http://127.0.0.1:1", services[2].url]
    poster = Poster(world, engine, Market("own", reading(world.now)), urls)
    made = poster.posts()
    assert len(made.posts) == 3
    assert {r.signer for r in made.reports if r.answer == "silent" and "not waited" not in r.text} <= {
        "http://127.0.0.1:1"
    }
    poster.urls = urls[:2]
    world.at(world.now + 60)
    poster.source.reading = reading(world.now, eth=2_010.0)
    show(services, reading(world.now, eth=2_010.0))
    made = poster.posts()
    assert made.posts == ()
    assert any("1 of 2 signatures" in str(p) for p in made.problems)


def test_posts__moved_or_aged__one_underlying_alone(world, poster):
    poster.posts()
    ts = world.now + 120
    world.at(ts)
    poster.source.reading = reading(ts, eth=2_010.0)
    assert [(p.key, p.why) for p in poster.posts().posts] == [(f"round:ETH:{ts}", Why.MOVED)]
    ts += 900
    world.at(ts)
    poster.source.reading = reading(ts, eth=2_010.0)
    made = {post.group: post.why for post in poster.posts().posts}
    assert made == {"tokens": Why.AGED, "round:ETH": Why.AGED, "round:BTC": Why.AGED}


def test_posts__source_down__nothing_is_offered_and_it_is_named(world, poster):
    poster.source.error = SourceError("own", "HTTP status 520")
    made = poster.posts()
    assert made.posts == ()
    assert [str(p) for p in made.problems] == ["own all: HTTP status 520"]
    poster.source.error = KeyError("a fault of ours")
    assert "failed: KeyError" in str(poster.posts().problems[0])


def test_posts__hanging_source__ends_in_time(world, poster):
    async def hang(required):
        await asyncio.sleep(5)

    poster.source.read = hang

    async def act(desk):
        desk.timeout_sec = 0.05
        return await desk.posts({})

    assert "no answer in 0.05 s" in str(poster.use(act).problems[0])


def test_posts__one_stale_round__the_other_underlying_goes_on(world, poster):
    old = a_round("BTC", world.now - 700, 60_000.0)
    poster.source.reading = replace(reading(world.now), rounds={**reading(world.now).rounds, "BTC": old})
    made = poster.posts()
    assert {post.group for post in made.posts} == {"tokens", "round:ETH"}
    assert any("round BTC: refused: stale" in str(p) for p in made.problems)


def test_posts__underlying_that_is_not_listed__stops_nobody(world, poster):
    more = {**reading(world.now).rounds, "DOGE": a_round("DOGE", world.now)}
    poster.source.reading = replace(reading(world.now), rounds=more)
    made = poster.posts()
    assert len(made.posts) == 3
    assert any("'DOGE' is not listed" in str(p) for p in made.problems)


def test_posts__forward_at_three_times_spot__that_expiry_is_left_out_and_the_rest_accepted(world, poster):
    one = a_round(ts=world.now)
    bad = replace(one, surfaces=(one.surfaces[0], replace(one.surfaces[1], forward=6_000.0)))
    poster.source.reading = replace(reading(world.now), rounds={"ETH": bad})
    made = poster.posts()
    assert list(world.oracle("expiriesOf", 1)) == [WEEK]
    assert any(f"ETH {one.surfaces[1].expiry_ts}: left out: forward" in str(p) for p in made.problems)


def test_posts__calendar_arbitrage__the_later_expiry_is_left_out(world, poster):
    one = a_round(ts=world.now)
    bad = replace(one, surfaces=(one.surfaces[0], replace(one.surfaces[1], svi=flat(1 / 365, 0.3))))
    poster.source.reading = replace(reading(world.now), rounds={"ETH": bad})
    made = poster.posts()
    assert list(world.oracle("expiriesOf", 1)) == [WEEK]
    assert any("left out: calendar" in str(p) for p in made.problems)


def test_posts__expiry_that_the_signers_cannot_price__is_left_out_at_the_second_try(world, engine, services):
    ts = world.now
    poster = Poster(world, engine, Market("own", reading(ts)), [s.url for s in services])
    near = {name: replace(found, surfaces=found.surfaces[:1]) for name, found in reading(world.now).rounds.items()}
    show(services, replace(reading(world.now), rounds=near))
    made = poster.posts()
    # A second later, because a signer never signs two rounds of one time.
    assert poster.keys(made)[1:] == [f"round:ETH:{ts + 1}", f"round:BTC:{ts + 1}"]
    assert list(world.oracle("expiriesOf", 1)) == [WEEK]


def test_posts__crash__is_posted_at_the_limit_with_less_confidence_and_accepted(world, engine, services):
    poster = Poster(world, engine, Market("own", reading(world.now)), [s.url for s in services])
    poster.posts()
    for _ in range(3):
        ts = world.now + 15
        world.at(ts)
        for source in (poster.source, *(s.source for s in services)):
            source.reading = reading(ts, eth=1_300.0, usdc=0.5)
        # Signers look by themselves, whether or not anybody asks.
        for service in services:
            run(service.signer.observe())
        made = poster.posts()
    assert {post.group for post in made.posts} == {"tokens", "round:ETH"}
    spot, _ = poster.spot("ETH")
    assert spot / 1e18 == pytest.approx(2_000.0 * 0.7788, rel=1e-3)
    posted = next(post.posted for post in made.posts if post.group == "round:ETH")
    assert posted.confidence < 0.6
    assert world.oracle("tokenPriceOf", 0) / 1e18 == pytest.approx(0.7788, rel=1e-3)
    assert any("posted at the limit" in str(p) for p in made.problems)


def test_posts__three_times_spot_from_one_source__is_not_posted_until_it_lasts(world, poster):
    poster.posts()
    before, ts = tuple(poster.spot("ETH")), world.now
    for later in (10, 20, 29):
        world.at(ts + later)
        poster.source.reading = reading(world.now, eth=6_000.0, usdc=3.0)
        made = poster.posts()
        assert made.posts == ()
        assert any("ETH: not believed: spot is +1.099" in str(p) for p in made.problems)
        assert any("USDC: not believed" in str(p) for p in made.problems)
    # Back to what it was: nothing has to be believed.
    world.at(ts + 40)
    poster.source.reading = reading(world.now)
    assert tuple(poster.spot("ETH")) == before
    assert not any("not believed" in str(p) for p in poster.posts().problems)


def test_posts__every_forward_at_three_times_spot__leaves_the_last_round_alone(world, poster):
    poster.posts()
    listed = list(world.oracle("expiriesOf", 1))
    world.at(world.now + 30)
    one = a_round(ts=world.now, spot=2_010.0)
    bad = replace(one, surfaces=tuple(replace(s, forward=6_000.0) for s in one.surfaces))
    poster.source.reading = replace(reading(world.now), rounds={"ETH": bad})
    assert [post.group for post in poster.posts().posts] == []
    assert list(world.oracle("expiriesOf", 1)) == listed


def test_posts__signers_who_saw_the_jump_once__refuse_it(world, engine, services):
    poster = Poster(world, engine, Market("own", reading(world.now)), [s.url for s in services])
    poster.posts()
    for _ in range(3):
        world.at(world.now + 15)
        poster.source.reading = reading(world.now, eth=1_300.0)
        show(services, poster.source.reading)
        made = poster.posts()
    assert made.posts == ()
    assert any("unconfirmed: spot, said by one source alone" in str(p) for p in made.problems)


def test_posts__urgent__is_posted_although_nothing_moved(world, poster):
    poster.posts()
    world.at(world.now + 5)
    poster.source.reading = reading(world.now)
    assert poster.posts().posts == ()
    assert [post.why for post in poster.posts(urgent=["ETH"]).posts] == [Why.URGENT]


def test_posts__required_expiry_missing_on_chain__is_posted(world, poster):
    poster.source.reading = reading(world.now)
    short = a_round(ts=world.now, days=(7,))
    poster.source.reading = replace(poster.source.reading, rounds={"ETH": short})
    poster.posts()
    world.at(world.now + 5)
    poster.source.reading = reading(world.now)
    made = poster.posts({"ETH": [START_TS + 30 * DAY]})
    assert ("round:ETH", Why.EXPIRIES) in {(post.group, post.why) for post in made.posts}


def in_window(world, poster, left, price=2_000.0):
    """A reading so many seconds before the first expiry."""
    world.at(WEEK - left)
    poster.source.reading = Reading({"ETH": a_round(ts=world.now, spot=price)}, tokens={"USDC": Price(world.now, 1.0)})


def test_posts__restart_inside_the_window__the_mean_covers_what_was_seen_before(world, poster):
    for left, price in ((1_500, 2_000.0), (1_300, 2_000.0), (1_100, 2_030.0), (900, 2_031.0)):
        in_window(world, poster, left, price)
        poster.posts(urgent=["ETH"])
    posted = poster.standing["ETH"]
    # A process that began now would say 2,031; every use of the poster here is a new one.
    assert posted.mean == pytest.approx((2_000.0 * 700 + 2_030.0 * 200) / 900)
    header, _ = world.oracle("roundFor", 1, [])
    assert header.meanWad / 1e18 == pytest.approx(posted.mean)


def settled(world, expiry=WEEK):
    return world.oracle("settlementPriceOf", 1, expiry) / 1e18


def test_settle__restart_inside_the_window__settles_on_kept_samples(world, poster):
    for i in range(1, 31):
        poster.source.reading = Reading(spots={"ETH": Price(WEEK - 1_800 + 60 * i, 2_000.0 + i)})
        SampleStore(poster.engine).observe(poster.source.reading, "own")
    assert poster.use(lambda desk: desk.settlements.settle("ETH", WEEK)).posts == ()
    world.at(WEEK)
    (post,) = poster.use(lambda desk: desk.settlements.settle("ETH", WEEK)).posts
    assert post.key == f"settlement:ETH:{WEEK}"
    world.send(post.data)
    assert settled(world) == pytest.approx(2_014.533333)


def test_settle__started_1200_s_before_the_expiry__waits_or_takes_the_venues_history(world, poster):
    SampleStore(poster.engine).add("ETH", [(WEEK - 1_200 + 60 * i, 2_000.0) for i in range(21)], "own")
    world.at(WEEK)
    made = poster.use(lambda desk: desk.settlements.settle("ETH", WEEK))
    assert made.posts == ()
    assert f"wait: a gap of 600 s from {WEEK - 1_800} on" in str(made.problems[-1])
    poster.source.history["ETH", WEEK] = tuple((WEEK - 1_800 + 60 * i, 2_000.0) for i in range(1, 31))
    (post,) = poster.use(lambda desk: desk.settlements.settle("ETH", WEEK)).posts
    world.send(post.data)
    assert settled(world) == pytest.approx(2_000.0)


def test_settle__no_samples_at_all__on_the_rounds_of_the_window_after_two_hours(world, poster):
    in_window(world, poster, 200)
    poster.posts()
    poster.engine.dispose()
    empty = Poster(world, poster.engine, Market("own"))
    with poster.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM feed_samples")
    world.at(WEEK + 7_100)
    assert empty.use(lambda desk: desk.settlements.settle("ETH", WEEK, WEEK - 200)).posts == ()
    world.at(WEEK + 7_200)
    (post,) = empty.use(lambda desk: desk.settlements.settle("ETH", WEEK, WEEK - 200)).posts
    world.send(post.data)
    assert settled(world) == pytest.approx(2_000.0)


def test_settle_by_hand__samples_of_a_person__are_accepted(world, poster):
    world.at(WEEK)
    samples = samples_by_hand("1987.5", WEEK)
    (post,) = poster.use(lambda desk: settle_by_hand(desk.messages, desk.quorum, "ETH", WEEK, samples)).posts
    world.send(post.data)
    assert settled(world) == pytest.approx(1_987.5)
    assert poster.use(lambda desk: settle_by_hand(desk.messages, desk.quorum, "DOGE", WEEK, samples)).problems


def test_view__tokens_of_the_deployment__linked_ones_need_no_price(world):
    async def terms():
        view = world.view()
        try:
            return {t.symbol: t for t in await view.terms()}
        finally:
            await view.close()

    found = run(terms())
    assert (found["WETH"].linked, found["WBTC"].linked, found["USDC"].linked) == ("ETH", "BTC", None)
    assert found["WETH"].rate is None
