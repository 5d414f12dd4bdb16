"""The feed document: one bad entry is left out with its reason, the others stand."""

from __future__ import annotations

import copy
import json

import pytest
from helpers.feed_world import DAY, NOW, START_TS, reading

from plimsoll.errors import InputError
from plimsoll.feeds.document import document_of, reading_of, samples_of

SAMPLES = {"ETH": {START_TS: ((START_TS - 60, 1_999.0), (START_TS, 2_000.0))}}


@pytest.fixture
def document():
    return json.loads(json.dumps(document_of(reading(usdc=0.97), NOW, SAMPLES)))


def test_reading_of__document_of_a_reading__is_the_reading(document):
    found = reading_of(document, "feed")
    assert found.rounds == reading().rounds
    assert found.tokens["USDC"].value == 0.97
    assert found.problems == ()
    assert samples_of(document, "feed", "ETH", START_TS) == SAMPLES["ETH"][START_TS]
    assert samples_of(document, "feed", "BTC", START_TS) == ()


def spoiled(document, *path, value):
    found = copy.deepcopy(document)
    at = found
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return reading_of(found, "feed")


@pytest.mark.parametrize("value", [None, "x", -1.0, float("nan"), 1e300, True, []])
def test_reading_of__bad_spot__drops_that_underlying_alone(document, value):
    found = spoiled(document, "underlyings", "ETH", "spot", value=value)
    assert list(found.rounds) == ["BTC"]
    assert found.problems[0].subject == "ETH"
    assert "spot" in found.problems[0].reason
    assert "USDC" in found.tokens


@pytest.mark.parametrize(
    ("field", "value"),
    [("forward", None), ("rate", 100.0), ("expiry", NOW * 1_000 * 100), ("svi", {"a": 1}), ("svi", [])],
)
def test_reading_of__bad_expiry__drops_that_expiry_alone(document, field, value):
    found = spoiled(document, "underlyings", "ETH", "expiries", 0, field, value=value)
    assert [s.expiry_ts for s in found.rounds["ETH"].surfaces] == [START_TS + 30 * DAY]
    assert "expiries[0]" in found.problems[0].subject
    assert len(found.rounds["BTC"].surfaces) == 2


def test_reading_of__expiry_twice_or_expired__is_left_out(document):
    again = document["underlyings"]["ETH"]["expiries"]
    found = spoiled(document, "underlyings", "ETH", "expiries", value=[*again, again[0], {**again[0], "expiry": NOW}])
    assert found.rounds["ETH"] == reading().rounds["ETH"]
    assert ["twice" in p.reason for p in found.problems] == [True]


def test_reading_of__milliseconds__are_no_time(document):
    found = spoiled(document, "underlyings", "ETH", "timestamp", value=NOW * 1_000)
    assert "ETH" not in found.rounds


@pytest.mark.parametrize("key", ["underlyings", "spots", "tokens"])
@pytest.mark.parametrize("value", [None, [], 3, {"ETH": None}])
def test_reading_of__part_of_another_kind__leaves_the_others(document, key, value):
    found = spoiled(document, key, value=value)
    assert found.problems
    assert found.tokens or found.rounds


@pytest.mark.parametrize("value", [None, [], {}, {"schema": "other/1"}, "text", 7])
def test_reading_of__no_document__is_refused(value):
    with pytest.raises(InputError, match=r"plimsoll\.feed/1"):
        reading_of(value, "feed")


def test_reading_of__market_file__is_read_without_its_linked_tokens():
    from pathlib import Path

    path = Path(__file__).resolve().parents[3] / "examples" / "market.json"
    found = reading_of(json.loads(path.read_text()), "market.json")
    assert "ETH" in found.rounds
    assert "USDC" in found.tokens
    assert "WETH" not in found.tokens
    assert found.problems == ()


@pytest.mark.parametrize("samples", [[[1, 2, 3]], [["a", 1]], [[START_TS, -1]], 7, [[START_TS, None]]])
def test_samples_of__no_samples__is_refused(document, samples):
    document["samples"]["ETH"][str(START_TS)] = samples
    with pytest.raises(InputError, match="samples"):
        samples_of(document, "feed", "ETH", START_TS)
