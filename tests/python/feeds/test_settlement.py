"""Where the price of an expired series comes from, and what survives a restart."""

from __future__ import annotations

import pytest
from helpers.feed_world import NOW, Market, reading, run

from plimsoll.errors import InputError
from plimsoll.feeds.reading import SourceError
from plimsoll.feeds.samples import KEEP_SEC, SampleStore
from plimsoll.feeds.settlement import How, gap_of, merged, plan_settlement, samples_by_hand
from plimsoll.feeds.window_samples import WindowSamples
from plimsoll.storage import StorageError

EXPIRY = NOW + 86_400
MINUTES = tuple((EXPIRY - 1_800 + 60 * i, 2_000.0 + i) for i in range(1, 31))


@pytest.mark.parametrize(
    ("samples", "now", "last_round", "how"),
    [
        (MINUTES, EXPIRY - 1, None, How.WAIT),
        (MINUTES, EXPIRY, None, How.SAMPLES),
        (MINUTES[:10], EXPIRY, None, How.WAIT),
        (MINUTES[:10], EXPIRY + 7_200, None, How.GAPPED_SAMPLES),
        ((), EXPIRY + 7_199, EXPIRY - 60, How.WAIT),
        ((), EXPIRY + 7_200, EXPIRY - 60, How.ROUNDS),
        ((), EXPIRY + 7_200, EXPIRY - 900, How.WAIT),
        ((), EXPIRY + 14_400, EXPIRY - 900, How.ROUNDS),
        ((), EXPIRY + 14_400, None, How.WAIT),
        ((), EXPIRY + 86_400, None, How.GOVERNOR),
    ],
)
def test_plan_settlement__time_and_samples__next_source(samples, now, last_round, how):
    plan = plan_settlement(samples, EXPIRY, now, last_round)
    assert plan.how is how
    assert (plan.until_ts > now) == (how is How.WAIT)


def test_gap_of__edges_and_middle__are_the_contracts():
    assert gap_of(MINUTES, EXPIRY) is None
    sparse = tuple((EXPIRY - 1_800 + 300 * i, 1.0) for i in range(1, 7))
    assert gap_of(sparse, EXPIRY) is None
    assert "5 samples" in gap_of(sparse[:-1], EXPIRY)
    assert "a gap of 301 s" in gap_of((*sparse[:-2], (sparse[-2][0] + 1, 1.0), sparse[-1]), EXPIRY)
    assert "a gap of 360 s" in gap_of(MINUTES[5:], EXPIRY)


def test_merged__gap__is_filled_and_own_samples_stay():
    own = MINUTES[20:]
    found = merged(own, tuple((ts, 1.0) for ts, _ in MINUTES), EXPIRY)
    assert found[20:] == own
    assert len(found) == 30
    many = tuple((EXPIRY - 1_799 + i, 1.0) for i in range(1_800))
    assert len(merged(many, (), EXPIRY)) == 1_800


def test_store__restart_inside_the_window__loses_nothing(engine):
    first = SampleStore(engine)
    for ts, price in MINUTES[:15]:
        first.observe(reading(ts, eth=price), "market")
    second = SampleStore(engine)
    for ts, price in MINUTES[15:]:
        second.observe(reading(ts, eth=price), "market")
    assert SampleStore(engine).window("ETH", EXPIRY) == MINUTES


def test_store__same_second_twice__the_first_stays(store):
    assert store.add("ETH", [(NOW, 1.0), (NOW + 1, 2.0)], "a") == 2
    assert store.add("ETH", [(NOW, 9.0)], "b") == 0
    assert store.window("ETH", NOW + 1) == ((NOW, 1.0), (NOW + 1, 2.0))
    assert store.add("ETH", [(NOW + 2, float("nan")), (NOW + 2, -1.0), (NOW * 1_000, 1.0)], "b") == 0


def test_store__old_samples__are_forgotten(store):
    store.add("ETH", MINUTES, "a")
    assert store.prune(EXPIRY + KEEP_SEC - 900) == 14
    assert len(store.window("ETH", EXPIRY)) == 16


def test_store__read_only__is_one_typed_error(engine, tmp_path):
    from sqlalchemy import text

    store = SampleStore(engine)
    with engine.connect() as connection:
        connection.execute(text("PRAGMA query_only = ON"))
        connection.commit()
    with pytest.raises(StorageError, match="readonly"):
        store.add("ETH", MINUTES, "a")


def test_window_samples__started_1200_s_before_the_expiry__is_filled_by_the_venues_history(store):
    source = Market()
    store.add("ETH", MINUTES[10:], "market")
    window = WindowSamples(source, store)
    found, _ = run(window.until("ETH", EXPIRY, EXPIRY))
    assert "a gap of 660 s" in gap_of(found, EXPIRY)
    source.history["ETH", EXPIRY] = MINUTES
    found, problems = run(window.until("ETH", EXPIRY, EXPIRY))
    assert found == MINUTES
    assert problems == ()
    # And it is kept: the next process needs the venue no more.
    assert store.window("ETH", EXPIRY) == MINUTES


def test_window_samples__venue_fails__the_own_samples_stand(store):
    source = Market()
    source.error = SourceError("market", "HTTP status 520")
    store.add("ETH", MINUTES[10:], "market")
    found, problems = run(WindowSamples(source, store).until("ETH", EXPIRY, EXPIRY))
    assert found == MINUTES[10:]
    assert "520" in problems[0].reason


def test_samples_by_hand__lines_or_one_price():
    assert samples_by_hand("\n".join(f"{ts},{price}" for ts, price in MINUTES), EXPIRY) == MINUTES
    one = samples_by_hand("1987.5", EXPIRY)
    assert gap_of(one, EXPIRY) is None
    assert {price for _, price in one} == {1_987.5}


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "0 samples"),
        ("x", "'x' is no number"),
        (f"{EXPIRY},-1", "line 1: -1 is outside"),
        (f"{EXPIRY + 1},1", "line 1"),
        (f"{EXPIRY},1\n{EXPIRY},1", "line 2"),
        (f"{EXPIRY}000,1", "line 1"),
        ("now,1", "no whole number"),
    ],
)
def test_samples_by_hand__bad_line__is_named(text, match):
    with pytest.raises(InputError, match=match):
        samples_by_hand(text, EXPIRY)
