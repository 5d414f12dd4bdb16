"""Replays: anybody can run a keeper without a live venue, on a chain of any date."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers.feed_world import DAY, NOW, reading, run

from plimsoll.errors import InputError
from plimsoll.feeds.carry import carried
from plimsoll.feeds.chain_state import FeedState
from plimsoll.feeds.document import document_of
from plimsoll.feeds.file_source import ReplaySource, open_file
from plimsoll.feeds.reading import SourceError
from plimsoll.feeds.round_checks import judge_round
from plimsoll.feeds.settlement import gap_of
from plimsoll.feeds.sources import open_source
from plimsoll.market.chain_file import write_chain
from plimsoll.market.replay.synthetic import START_TS, STEP_SEC, synthetic_market
from plimsoll.mirror.speed_limit import Limits

LIMITS = Limits(0.25, 0.7, 7_200)


class Clock:
    def __init__(self, ts: float) -> None:
        self.ts = ts

    def __call__(self) -> float:
        return self.ts


def test_replay__between_snapshots__carries_the_last_one_along_the_path(replay):
    clock = Clock(START_TS + 3_000)
    source = ReplaySource(replay, clock, cash_price=1.0)
    found = run(source.read({}))
    assert found.rounds["ETH"].ts == START_TS + 3_000
    assert found.rounds["ETH"].spot == pytest.approx(replay.spot_between("ETH", START_TS + 3_000))
    assert found.tokens["USDC"].value == 1.0
    verdict = judge_round(found.rounds["ETH"], FeedState(START_TS + 3_000, LIMITS))
    assert verdict.passes, str(verdict)
    clock.ts += 60
    assert run(source.read({})).rounds["ETH"].ts == START_TS + 3_060


def test_replay__shifted__happens_now_and_keeps_its_volatilities(replay):
    shift = 123 * DAY + 77
    plain = run(ReplaySource(replay, Clock(START_TS + 600)).read({})).rounds["ETH"]
    moved = run(ReplaySource(replay, Clock(START_TS + 600 + shift), shift).read({})).rounds["ETH"]
    assert moved.ts == plain.ts + shift
    assert [s.expiry_ts - shift for s in moved.surfaces] == [s.expiry_ts for s in plain.surfaces]
    assert [s.svi for s in moved.surfaces] == [s.svi for s in plain.surfaces]


def test_replay__window__states_a_mean_and_has_the_samples(replay):
    expiry = next(e for e in replay.chains["ETH"][0].expiries if e - START_TS > 7_200)
    source = ReplaySource(replay, Clock(expiry - 600))
    found = run(source.read({"ETH": [expiry]})).rounds["ETH"]
    assert found.mean == pytest.approx(replay.spot_between("ETH", expiry - 1_200), rel=0.01)
    source.clock.ts = expiry
    samples = run(source.samples("ETH", expiry))
    assert gap_of(samples, expiry) is None
    assert run(source.samples("DOGE", expiry)) == ()


def test_replay__before_it_starts__says_when(replay):
    with pytest.raises(SourceError, match=f"starts at {START_TS}"):
        run(ReplaySource(replay, Clock(START_TS - 1)).read({}))


def test_carried__later__variance_runs_out_and_expired_series_go():
    one = reading().rounds["ETH"]
    later = carried(one, NOW + 86_400, 2_100.0)
    assert later.perp / later.spot == one.perp / one.spot
    assert later.surfaces[0].svi.a < one.surfaces[0].svi.a
    assert carried(one, one.surfaces[0].expiry_ts, 2_100.0).surfaces[0].expiry_ts == one.surfaces[1].expiry_ts


def test_open_file__chain_file__is_replayed(tmp_path):
    table = synthetic_market().table
    ts = np.unique(table["ts"].cast("int64").to_numpy())[:2]
    import pyarrow as pa
    import pyarrow.compute as pc

    kept = table.filter(pc.less_equal(table["ts"].cast(pa.int64()), int(ts[1])))
    write_chain(kept, tmp_path / "chain.parquet")
    source = open_source([f"file:{tmp_path}/chain.parquet?start={NOW}&cash=0.97"], (), (), Clock(NOW + STEP_SEC + 600))
    found = run(source.read({}))
    assert sorted(found.rounds) == ["BTC", "ETH"]
    assert found.rounds["ETH"].ts == NOW + STEP_SEC + 600
    assert found.tokens["USDC"].value == 0.97
    assert source.covers("ETH")


def test_open_file__history_of_documents__each_from_its_time_on(tmp_path):
    path = tmp_path / "market.jsonl"
    lines = [json.dumps(document_of(reading(NOW + 60 * i, eth=2_000.0 + i), NOW + 60 * i)) for i in range(3)]
    path.write_text("\n".join(lines))
    clock = Clock(NOW + 1_000_000 + 90)
    source = open_file(path, clock, start_ts=NOW + 1_000_000)
    found = run(source.read({}))
    assert found.rounds["ETH"].spot == 2_001.0
    assert found.rounds["ETH"].ts == NOW + 1_000_060
    assert run(source.samples("ETH", NOW + 1_000_060)) == ((NOW + 1_000_000, 2_000.0), (NOW + 1_000_060, 2_001.0))
    assert source.covers("USDC")


@pytest.mark.parametrize(
    ("name", "text", "match"),
    [
        ("m.json", "{", "not valid JSON"),
        ("m.json", "{}", r"plimsoll\.feed/1"),
        ("m.json", '{"schema": "plimsoll.feed/1"}', "timestamp is None"),
        ("m.jsonl", "", "holds no document"),
        ("m.txt", "", "is no folder of market data"),
    ],
)
def test_open_file__bad_file__is_one_error_that_names_it(tmp_path, name, text, match):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=match):
        open_file(tmp_path / name, Clock(NOW))
