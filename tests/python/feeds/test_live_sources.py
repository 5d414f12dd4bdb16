"""Live sources over real HTTP: one bad row, a busy venue, a missing underlying; each stops what it concerns alone."""

from __future__ import annotations

import asyncio
import time

import pytest
from aiohttp import web
from helpers.feed_world import NOW, reading, run
from helpers.venue_server import DeribitDouble, serving

from plimsoll.errors import InputError
from plimsoll.feeds.deribit_source import DeribitSource
from plimsoll.feeds.document import document_of
from plimsoll.feeds.http_source import HttpSource
from plimsoll.feeds.reading import NoSource, SourceError
from plimsoll.feeds.sources import open_source
from plimsoll.feeds.tickers import EXCHANGES, TickerSource
from plimsoll.feeds.web import Web, shown
from plimsoll.market.venues.patience import ATTEMPTS


@pytest.fixture
def venue():
    double = DeribitDouble(NOW)
    with serving(double) as address:
        yield double, address


def quick(address, **options):
    return Web(address, pause_sec=0.01, **options)


async def once(source, required=None):
    try:
        return await source.read(required or {})
    finally:
        await source.close()


def fetched(venue, required=None, symbols=("BTC", "ETH")):
    return run(once(DeribitSource(symbols, quick(venue[1])), required))


def said(found, subject):
    return [p.reason for p in found.problems if p.subject.startswith(subject)]


def test_deribit__clean_venue__gives_both_rounds_and_what_quotes_allow(venue):
    found = fetched(venue)
    assert sorted(found.rounds) == ["BTC", "ETH"]
    assert found.rounds["ETH"].ts == NOW
    assert found.rounds["ETH"].perp == pytest.approx(2_001.0, rel=1e-3)
    assert venue[0].good in found.bands["ETH"]
    assert said(found, "ETH") == []


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("mark_iv", 1_001.0, "outside 0 to 1000 %"),
        ("mark_price", 90.0, "price in USD?"),
        ("underlying_price", None, "lacks or spoils"),
        ("underlying_price", 9_000.0, "times the index"),
        ("open_interest", "many", "lacks or spoils"),
        ("bid_price", -1.0, "bid is -1"),
    ],
)
def test_deribit__one_bad_row__drops_that_row_alone(venue, field, value, reason):
    venue[0].spoil = lambda currency, rows: rows[4].update({field: value}) if currency == "ETH" else None
    found = fetched(venue)
    assert sorted(found.rounds) == ["BTC", "ETH"]
    assert any(reason in text for text in said(found, "ETH"))
    assert said(found, "BTC") == []


@pytest.mark.parametrize("row", [None, 7, {}, {"instrument_name": None}])
def test_deribit__row_of_another_kind__is_left_out(venue, row):
    venue[0].spoil = lambda currency, rows: rows.insert(3, row)
    assert sorted(fetched(venue).rounds) == ["BTC", "ETH"]


def test_deribit__linear_contract__is_dropped_by_name(venue):
    def linear(currency, rows):
        rows[2].update(instrument_type="linear", settlement_currency="USDC")

    venue[0].listed = linear
    found = fetched(venue)
    assert sorted(found.rounds) == ["BTC", "ETH"]
    assert "is a linear contract, settled in USDC" in said(found, "ETH")[0]


def test_deribit__held_expiry_with_four_quotes__is_left_out_and_the_others_stand(venue):
    # Its forward has two pairs to confirm it and bounds that contradict every slice.
    def contradict(currency, rows):
        for row in rows:
            if str(venue[0].thin) in row["instrument_name"]:
                row.update(mark_iv=None, bid_price=None, ask_price=None)

    venue[0].spoil = contradict
    found = fetched(venue, {"ETH": [venue[0].thin, venue[0].good]})
    assert [s.expiry_ts for s in found.rounds["ETH"].surfaces] == [venue[0].good]
    assert said(found, f"ETH {venue[0].thin}") == ["held expiry left out: no slice is good enough"]
    assert "BTC" in found.rounds


@pytest.mark.parametrize(
    "failure",
    [
        (400, {"error": {"code": 10_040, "message": "retry"}}),
        (400, {"error": {"code": 11_051, "message": "system_maintenance"}}),
        (400, {"error": {"code": 13_028, "message": "temporarily_unavailable"}}),
        (429, {"error": {"code": 10_028, "message": "too_many_requests"}}),
        (520, "unknown error"),
        (503, ""),
        None,
    ],
)
def test_deribit__busy_venue__is_asked_again(venue, failure):
    venue[0].failures = [failure, failure]
    found = fetched(venue, symbols=("ETH",))
    assert list(found.rounds) == ["ETH"]
    assert len(venue[0].asked) == 4 + 2


def test_deribit__venue_that_stays_busy__is_bounded(venue):
    venue[0].failures = [(520, "")] * 50
    with pytest.raises(SourceError, match=f"failed {ATTEMPTS} times: HTTP status 520"):
        fetched(venue, symbols=("ETH",))
    assert len(venue[0].asked) == ATTEMPTS


def test_deribit__one_underlying_down__the_other_goes_on(venue):
    venue[0].down = {"BTC"}
    found = fetched(venue)
    assert list(found.rounds) == ["ETH"]
    assert any("520" in text for text in said(found, "BTC"))


def test_deribit__fetch_fails_later__the_last_round_stays_and_the_problem_is_named(venue):
    async def scenario():
        source = DeribitSource(("ETH",), quick(venue[1]), refresh_sec=0.0)
        first = await source.read({})
        venue[0].down = {"ETH"}
        second = await source.read({})
        venue[0].down, venue[0].ts = set(), NOW + 60
        third = await source.read({})
        await source.close()
        return first, second, third

    first, second, third = run(scenario())
    assert second.rounds["ETH"] is first.rounds["ETH"]
    assert second.problems
    assert third.rounds["ETH"].ts == NOW + 60


def test_deribit__history__comes_from_the_index_chart_then_from_the_delivery_price(venue):
    expiry = NOW - NOW % 86_400 + 8 * 3_600
    double = venue[0]
    double.charts["ETH"] = [[(expiry - 1_800 + 60 * i) * 1_000, 2_000.0 + i] for i in range(40)] + [None, ["x", 1], []]

    async def history():
        source = DeribitSource(("ETH",), quick(venue[1]))
        try:
            return await source.samples("ETH", expiry)
        finally:
            await source.close()

    found = run(history())
    assert found[0] == (expiry - 1_740, 2_001.0)
    assert found[-1] == (expiry, 2_030.0)
    double.charts.clear()
    assert run(history()) == ()
    day = time.strftime("%Y-%m-%d", time.gmtime(expiry))
    double.deliveries = [{"date": day, "delivery_price": 1_987.5}]
    found = run(history())
    assert {price for _, price in found} == {1_987.5}
    assert (len(found), found[-1][0]) == (10, expiry)


BOOK = {
    "kraken": {"error": [], "result": {"PAIR": {"a": ["{ask}", "1"], "b": ["{bid}", "1"], "c": ["9", "1"]}}},
    "bitstamp": {"timestamp": f"{NOW}", "bid": "{bid}", "ask": "{ask}", "last": "9"},
    "coinbase": {"time": "2026-01-30T05:30:00.5Z", "bid": "{bid}", "ask": "{ask}", "price": "9"},
    "okx": {"code": "0", "msg": "", "data": [{"instId": "X", "idxPx": "{mid}", "ts": f"{NOW * 1000 + 500}"}]},
}


def ticker(name, bid, ask):
    import json

    text = json.dumps(BOOK[name]).replace("{bid}", str(bid)).replace("{ask}", str(ask))
    return web.Response(text=text.replace("{mid}", str((bid + ask) / 2)))


@pytest.mark.parametrize("name", sorted(EXCHANGES))
def test_tickers__each_exchange__middle_of_the_book_and_its_time(name):
    with serving(lambda request: ticker(name, 0.9499, 0.9501)) as address:
        source = TickerSource(EXCHANGES[name], ("ETH",), ("USDC", "GOLD"), quick(address), now=lambda: NOW)
        found = run(once(source))
    assert found.spots["ETH"].value == pytest.approx(0.95)
    assert found.spots["ETH"].ts == NOW
    # USDC has a price of its own wherever it has a market: the peg charge can fire.
    if "USDC" in EXCHANGES[name].markets:
        assert found.tokens["USDC"].value == pytest.approx(0.95)
    assert source.covers("ETH")
    assert not source.covers("GOLD")


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("kraken", {"error": ["EQuery:Unknown asset pair"]}),
        ("kraken", {"error": [], "result": {"PAIR": {"a": ["2", "1"], "b": ["1", "1"]}}}),
        ("bitstamp", {"timestamp": "1", "bid": "2", "ask": "1"}),
        ("bitstamp", None),
        ("coinbase", {"time": "never", "bid": "1", "ask": "1"}),
        ("okx", {"code": "51001", "msg": "instrument does not exist", "data": []}),
        ("okx", []),
    ],
)
def test_tickers__bad_answer__is_a_problem_of_that_symbol(name, answer):
    def answers(request):
        is_eth = "ETH" in str(request.url).upper()
        return web.json_response(answer) if is_eth else ticker(name, 100.0, 100.0)

    with serving(answers) as address:
        found = run(once(TickerSource(EXCHANGES[name], ("ETH", "BTC"), (), quick(address), now=lambda: NOW)))
    assert list(found.spots) == ["BTC"]
    assert [p.subject for p in found.problems] == ["ETH"]


def test_http_source__document__is_read_and_history_asked_for():
    asked = []

    def answers(request):
        asked.append(dict(request.query))
        return web.json_response(document_of(reading(), NOW, {"ETH": {NOW: ((NOW, 1.5),)}}))

    async def scenario(address):
        source = HttpSource(f"{address}/feed", quick(f"{address}/feed"))
        # Nobody knows yet.
        assert source.covers("USDC")
        assert source.covers("GOLD")
        found = await source.read({"ETH": [9, 7]})
        assert source.covers("USDC")
        assert not source.covers("GOLD")
        samples = await source.samples("ETH", NOW)
        await source.close()
        return found, samples

    with serving(answers) as address:
        found, samples = run(scenario(address))
    assert found.rounds == reading().rounds
    assert samples == ((NOW, 1.5),)
    assert asked == [{"required_ETH": "7,9"}, {"underlying": "ETH", "expiry": str(NOW)}]


@pytest.mark.parametrize(
    ("answer", "match"),
    [
        (lambda: web.Response(status=404), "HTTP status 404"),
        (lambda: web.Response(text="<html>"), "answered no JSON"),
        (lambda: web.json_response([]), r"plimsoll\.feed/1"),
        (lambda: web.Response(status=502), "failed 4 times: HTTP status 502"),
        (lambda: web.Response(body=b"0" * (17 * 1024 * 1024)), "longer than"),
    ],
)
def test_http_source__bad_answer__is_one_typed_error(answer, match):
    with serving(lambda request: answer()) as address, pytest.raises(SourceError, match=match):
        run(once(HttpSource(address, quick(address))))


def test_http_source__hanging_server__is_given_up():
    async def hang(request):
        await asyncio.sleep(2)
        return web.Response()

    with serving(hang) as address, pytest.raises(SourceError, match="TimeoutError"):
        run(once(HttpSource(address, quick(address, timeout_sec=0.1, attempts=2))))


def test_shown__address__without_secrets():
    assert shown("https://me:secret@feed.example:8443/path?key=secret") == "https://feed.example:8443/path"
    with pytest.raises(InputError, match="no address"):
        shown("http://[::1")


def test_open_source__words__open_what_they_name(tmp_path):
    assert isinstance(open_source(["none"], ("ETH",), ()), NoSource)
    assert open_source(["kraken", "okx"], ("ETH",), ("USDC",)).name == "median of kraken, okx"
    assert open_source(["http://me:pw@127.0.0.1:1/feed"], (), ()).name == "http://127.0.0.1:1/feed"
    with pytest.raises(InputError, match="'deribt' is none of none, deribit"):
        open_source(["deribt"], (), ())
    with pytest.raises(InputError, match="has no path"):
        open_source(["file:"], (), ())
    with pytest.raises(InputError, match="unknown option 'speed'"):
        open_source(["file:x?speed=2"], (), ())
    with pytest.raises(InputError, match="start is 'now'"):
        open_source(["file:x?start=soon"], (), ())
    with pytest.raises(InputError, match="cannot be read"):
        open_source([f"file:{tmp_path}/none.json"], (), ())
