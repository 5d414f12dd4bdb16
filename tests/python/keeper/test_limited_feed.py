"""LimitedFeed: what the keeper posts when the market is beyond the oracle's speed limit."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from plimsoll.keeper.feed import NoFeed, TokenQuote
from plimsoll.keeper.limited_feed import LimitedFeed
from plimsoll.model import Round

WAD = 10**18
NOW = 1_900_000_000


class Market(NoFeed):
    """A feed of one round without expiries and of one token."""

    def __init__(self, spot: float, usdc: float = 1.0) -> None:
        self.round = Round("ETH", NOW, spot, spot, 0.9, ())
        self.quote = TokenQuote(NOW, {"USDC": usdc})

    def rounds(self, required):
        return {"ETH": self.round}

    def tokens(self):
        return self.quote


class Oracle:
    """Limits of 0.25, 0.7 and an hour; anchors of spot and perpetual at 1,900, of the token at 1, a minute old."""

    def __init__(self, ts: int = NOW - 60) -> None:
        self.ts = ts

    def call(self, function, *values):
        anchor = round(math.log(1_900) * WAD)
        return {
            "maxMoveWad": WAD // 4,
            "maxVarianceMoveWad": 7 * WAD // 10,
            "heartbeatSec": 3_600,
            "anchorsOf": (self.ts, anchor, anchor, []),
            "tokenAnchorOf": (self.ts, 0),
        }[function]


def limited(market, oracle):
    deployment = SimpleNamespace(
        underlyings={"ETH": 1}, tokens={"USDC": SimpleNamespace(token_id=0)}, contract=lambda client, name: oracle
    )
    return LimitedFeed(market, None, deployment)


def test_rounds__within_the_limit__are_the_markets():
    market = Market(2_000.0)
    assert limited(market, Oracle()).rounds({})["ETH"] is market.round


def test_rounds__beyond__are_posted_at_the_limit_once_alerted(capsys):
    feed = limited(Market(3_000.0), Oracle())
    found = feed.rounds({})["ETH"]
    assert found.spot == pytest.approx(1_900 * math.exp(0.25), rel=1e-5)
    assert found.confidence == pytest.approx(0.9 * 0.25 / math.log(3_000 / 1_900))
    assert feed.rounds({})["ETH"] is found
    shown = capsys.readouterr().out
    assert shown.count("beyond the speed limit") == 2
    assert "spot" in shown
    assert "perp" in shown


@pytest.mark.parametrize("ts", [0, NOW])
def test_rounds__no_anchor_or_posted_already__are_the_markets(ts):
    market = Market(9_000.0)
    assert limited(market, Oracle(ts)).rounds({})["ETH"] is market.round


@pytest.mark.parametrize(("usdc", "posted"), [(0.9, 0.9), (0.5, math.exp(-0.25)), (2.0, math.exp(0.25))])
def test_tokens__beyond__are_posted_at_the_limit(usdc, posted):
    quote = limited(Market(1_900.0, usdc), Oracle()).tokens()
    assert quote.prices["USDC"] == pytest.approx(posted, rel=1e-5)
    assert quote.ts == NOW
