"""The scene on two chains: who has what at its end, and that the report says so."""

import pytest

from plimsoll.demo.result import DemoResult
from plimsoll.demo.sections import remote_section
from plimsoll.demo.two_chains import LOCKED, SPOT, play_two_chains


@pytest.fixture(scope="module")
def story():
    return play_two_chains(1_770_000_000)


def test_scene__every_unit__is_in_one_place_at_the_end(story):
    assert story.problems == ()
    assert story.seized == story.released > 0
    assert story.waits == pytest.approx(LOCKED - story.released, abs=1e-12)
    assert 0 < story.sold_share <= 1
    assert story.seized == pytest.approx(story.sold_share * LOCKED, rel=1e-9)


def test_scene__trader__had_its_initial_margin_and_fell_below_maintenance(story):
    assert story.equity_before > story.initial_before
    assert story.equity_after < story.maintenance_after
    # 60 ETH less the haircut, and cash of 5,000.
    assert story.equity_before == pytest.approx(5_000 + LOCKED * SPOT * (1 - story.haircut), rel=1e-3)
    # That of the token is 2 %, and 1.28 % is what the wait costs.
    assert story.haircut == pytest.approx(0.02 + 0.012823, abs=1e-6)


def test_report__scene__is_a_section_and_a_key(story):
    result = DemoResult("synthetic", {}, [], {}, remote=story)
    assert result.as_json()["remoteCollateral"]["released"] == story.released
    assert DemoResult("synthetic", {}, [], {}).as_json()["remoteCollateral"] is None
    rows = dict(remote_section(story).grids[0].rows)
    assert rows["that left the escrow for the bidder"] == f"{story.released:,.4f} ETH"
