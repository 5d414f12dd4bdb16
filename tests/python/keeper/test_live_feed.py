"""DeribitFeed: what is offered when a chain cannot be fitted or jumps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from plimsoll.keeper import live_feed
from plimsoll.keeper.live_feed import DeribitFeed
from plimsoll.market.chain_file import split_table
from plimsoll.market.replay.synthetic import synthetic_market


class Live:
    """A fetched chain: the table is the snapshot itself, see ``feed``."""

    def __init__(self, chain) -> None:
        self.table, self.perp = chain, chain.spot


class Venue:
    def __init__(self, chain) -> None:
        self.chain = chain

    def fetch(self, symbol):
        return Live(self.chain)


@pytest.fixture(scope="module")
def chain():
    return next(s for s in split_table(synthetic_market().table, "test") if s.currency == "ETH")


@pytest.fixture
def feed(chain, monkeypatch):
    monkeypatch.setattr(live_feed, "split_table", lambda table, source: [table])
    venue, clock = Venue(chain), [1_000.0]
    made = DeribitFeed(venue, ("ETH",), lambda: clock[0])

    def show(**changes):
        """Show the venue's chain a minute later, changed."""
        clock[0] += 60.0
        venue.chain = replace(chain, ts=venue.chain.ts + 60, **changes)
        return made.rounds({})["ETH"]

    return made, show


def test_rounds__chain_without_volatilities__the_last_round_stays(feed, chain):
    made, show = feed
    first = made.rounds({})["ETH"]
    assert first.ts == chain.ts
    second = show()
    assert second.ts == chain.ts + 60
    # Nothing can be fitted: every slice is held, and the confidence says so.
    third = show(iv=np.full_like(chain.iv, np.nan))
    assert third.ts == chain.ts + 120
    assert third.confidence <= 0.5
    assert [s.expiry_ts for s in third.surfaces] == [s.expiry_ts for s in second.surfaces]


def test_rounds__volatilities_without_quotes_at_another_level__the_last_round_stays(feed, chain):
    made, show = feed
    first = made.rounds({})["ETH"]
    nothing = np.full_like(chain.bid, np.nan)
    assert show(iv=3.0 * chain.iv, bid=nothing, ask=nothing) is first


def test_rounds__prices_that_fall_by_forty_per_cent__are_not_offered_until_confirmed(feed, chain):
    made, show = feed
    first = made.rounds({})["ETH"]
    fallen = {name: 0.6 * getattr(chain, name) for name in ("strike", "underlying", "index")}
    before = show()
    refused = show(**fallen)
    assert refused is before
    confirmed = show(**fallen)
    assert confirmed.ts == chain.ts + 60 * 3
    assert first.spot * 0.7 < confirmed.spot < first.spot * 0.85


def test_rounds__required_expiry_that_is_not_listed__the_last_round_stays(feed, chain):
    made, _ = feed
    first = made.rounds({})["ETH"]
    made.clock = lambda: 5_000.0
    made.venue.chain = replace(chain, ts=chain.ts + 60)
    assert made.rounds({"ETH": [chain.expiries[-1] + 86_400]})["ETH"] is first
