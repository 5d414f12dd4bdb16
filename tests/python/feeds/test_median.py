"""The median of several sources: outliers, majorities, and what two that disagree are worth."""

from __future__ import annotations

from dataclasses import replace

import pytest
from helpers.feed_world import NOW, Market, a_round, flat, reading, run

from plimsoll.errors import InputError
from plimsoll.feeds.median import FirstSource, MedianSource, agree
from plimsoll.feeds.reading import Price, Reading, SourceError


def agreed(*values, asked=None, least=0):
    return agree({f"v{i}": value for i, value in enumerate(values)}, asked or len(values), least)


@pytest.mark.parametrize(
    ("values", "median"),
    [
        ((100.0, 100.1, 100.2), 100.1),
        ((100.0, 100.1, 300.0), 100.05),
        ((100.0, 100.1, 100.2, 90.0), 100.1),
        ((100.0, 100.1, 1.0, 300.0), None),
        ((1.0, 2.0, 3.0), None),
        ((100.0, 100.2), 100.1),
        ((100.0, 101.0), None),
        ((100.0,), 100.0),
    ],
)
def test_agree__values__median_or_nothing(values, median):
    found = agreed(*values)
    assert (found.value if found else None) == (None if median is None else pytest.approx(median))


def test_agree__outlier__is_named_with_its_distance():
    found = agreed(100.0, 100.1, 300.0)
    assert list(found.outliers) == ["v2"]
    assert found.outliers["v2"] == pytest.approx(1.097, abs=1e-3)


def test_agree__silent_sources__count_against_the_majority():
    assert agreed(100.0, asked=3) is None
    assert agreed(100.0, 100.1, asked=3).value == pytest.approx(100.05)
    assert agreed(100.0, asked=2) is None
    assert agreed(100.0, asked=2, least=1).value == 100.0


def spots(name, ts=NOW, **prices):
    cash = {"USDC": Price(ts, prices.pop("usdc"))} if "usdc" in prices else {}
    return Market(name, Reading(spots={s: Price(ts, p) for s, p in prices.items()}, tokens=cash))


def test_read__wrong_venue__is_left_out_and_named():
    source = MedianSource(
        [Market("a", reading()), spots("b", ETH=2_001.0, BTC=60_010.0), spots("c", ETH=6_000.0, BTC=60_020.0)]
    )
    found = run(source.read({}))
    assert found.rounds["ETH"].spot == pytest.approx(2_000.5)
    assert found.rounds["BTC"].spot == 60_010.0
    assert [(p.source, p.subject) for p in found.problems] == [("c", "ETH")]
    # Forwards keep their distance from spot.
    first = found.rounds["ETH"].surfaces[0]
    assert first.forward / found.rounds["ETH"].spot == pytest.approx(a_round().surfaces[0].forward / 2_000.0)


def test_read__venue_with_the_rounds_is_the_outlier__gives_no_round_of_it():
    source = MedianSource([Market("a", reading(eth=6_000.0)), spots("b", ETH=2_001.0), spots("c", ETH=2_000.0)])
    found = run(source.read({}))
    assert "ETH" not in found.rounds
    assert found.spots["ETH"].value == pytest.approx(2_000.5)
    assert "BTC" in found.rounds


def test_read__two_that_disagree__neither_is_believed_and_the_other_underlying_goes_on():
    source = MedianSource([Market("a", reading()), spots("b", ETH=2_100.0, BTC=60_010.0)])
    found = run(source.read({}))
    assert list(found.rounds) == ["BTC"]
    assert any("no 2 of 2 sources agree" in p.reason for p in found.problems)


def test_read__one_down_of_three__the_others_decide_and_all_down__says_why():
    down = spots("c", ETH=2_000.0)
    down.error = SourceError("c", "HTTP status 503")
    source = MedianSource([Market("a", reading()), spots("b", ETH=2_001.0), down])
    found = run(source.read({}))
    assert found.rounds["ETH"].spot == pytest.approx(2_000.5)
    assert ("c", "all") in {(p.source, p.subject) for p in found.problems}
    for one in source._sources:
        one.error = SourceError(one.name, "gone")
    with pytest.raises(SourceError, match="gone"):
        run(source.read({}))


def test_read__stale_venue__is_no_voice():
    source = MedianSource([Market("a", reading()), spots("b", ETH=2_001.0), spots("c", ts=NOW - 121, ETH=2_000.0)])
    found = run(source.read({}))
    assert found.rounds["ETH"].spot == pytest.approx(2_000.5)
    assert any("-121 s from the others" in p.reason for p in found.problems)


def test_read__one_clock_far_ahead__does_not_make_the_others_old():
    source = MedianSource([Market("a", reading()), spots("b", ETH=2_001.0), spots("c", ts=NOW + 500, ETH=2_000.0)])
    found = run(source.read({}))
    assert found.rounds["ETH"].ts == NOW
    assert any("+500 s from the others" in p.reason for p in found.problems)


def test_read__fault_of_ours_in_one_source__the_others_decide():
    broken = spots("c", ETH=2_000.0)
    broken.error = KeyError("typo")
    found = run(MedianSource([Market("a", reading()), spots("b", ETH=2_001.0, BTC=60_000.0), broken]).read({}))
    assert found.rounds["ETH"].spot == pytest.approx(2_000.5)
    assert any("failed: KeyError" in p.reason for p in found.problems)


def test_read__several_surfaces__nearest_to_the_medians_and_no_mixture():
    def venue(name, vol):
        one = a_round()
        return Market(
            name, Reading({"ETH": replace(one, surfaces=(replace(one.surfaces[0], svi=flat(7 / 365, vol)),))})
        )

    found = run(MedianSource([venue("a", 0.60), venue("b", 0.62), venue("c", 0.90)]).read({}))
    assert found.rounds["ETH"].surfaces[0].svi == flat(7 / 365, 0.62)


def test_read__expiry_of_one_venue_alone__is_left_out():
    one = a_round()
    fewer = replace(one, surfaces=one.surfaces[:1])
    found = run(
        MedianSource([Market(n, Reading({"ETH": r})) for n, r in (("a", one), ("b", fewer), ("c", fewer))]).read({})
    )
    assert [s.expiry_ts for s in found.rounds["ETH"].surfaces] == [one.surfaces[0].expiry_ts]
    assert any("listed by 1 of 3" in p.reason for p in found.problems)


def test_read__cash_token__is_what_markets_say():
    source = MedianSource(
        [spots("a", ETH=1.0, usdc=0.91), spots("b", ETH=1.0, usdc=0.911), spots("c", ETH=1.0, usdc=1.0)]
    )
    assert run(source.read({})).tokens["USDC"].value == pytest.approx(0.9105)


def test_median_source__same_name_twice_or_impossible_least__is_refused():
    with pytest.raises(InputError, match="named twice"):
        MedianSource([Market("a"), Market("a")])
    with pytest.raises(InputError, match="3 sources must agree"):
        MedianSource([Market("a"), Market("b")], least=3)


def test_first_source__order__each_says_what_those_before_it_do_not():
    down = Market("a")
    down.error = SourceError("a", "gone")
    only_eth = Market("b", Reading({"ETH": a_round(spot=2_100.0)}))
    found = run(FirstSource([down, only_eth, Market("c", reading())]).read({}))
    assert (found.rounds["ETH"].spot, found.rounds["BTC"].spot) == (2_100.0, 60_000.0)
    assert found.tokens["USDC"].value == 1.0
    assert [p.source for p in found.problems] == ["a"]
    with pytest.raises(SourceError, match="gone"):
        run(FirstSource([down]).read({}))
