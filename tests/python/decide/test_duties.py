"""Settlements, funding and rates: each duty by itself, whatever becomes of the others."""

from __future__ import annotations

import random

import pytest

from plimsoll.decide import (
    FundingView,
    LiquidationView,
    PostSettlement,
    RateSight,
    RateView,
    Settle,
    SettlementView,
    StartAuction,
    UpdateFunding,
    UpdateRate,
    decide_funding,
    decide_liquidations,
    decide_rates,
    decide_settlements,
)
from plimsoll.decide.margins import AccountView
from plimsoll.decide.settlements import MAX_ACCOUNTS, ROUNDS_AFTER_SEC

NOW = 1_770_000_000


def test_decide_settlements__priced_series__holders_settle_in_batches_oldest_first():
    many = tuple(range(100, 100 + MAX_ACCOUNTS + 1))
    expired = {("ETH", 9): many, ("BTC", 8): (7, 5, 5)}
    view = SettlementView(NOW, expired, frozenset(expired))
    assert decide_settlements(view) == (
        Settle("BTC", 8, (5, 7)),
        Settle("ETH", 9, many[:MAX_ACCOUNTS]),
        Settle("ETH", 9, many[MAX_ACCOUNTS:]),
    )


def test_decide_settlements__series_without_samples__holds_up_no_other_series():
    broken, sound = ("BTC", NOW - 60), ("ETH", NOW - 60)
    view = SettlementView(NOW, {broken: (5,), sound: (6,)}, unpriced=frozenset({broken, sound}), sampled={sound})
    assert decide_settlements(view) == (PostSettlement(*sound),)
    later = SettlementView(NOW - 60 + ROUNDS_AFTER_SEC, {broken: (5,), sound: (6,)}, {sound}, frozenset({broken}))
    assert decide_settlements(later) == (PostSettlement(*broken), Settle(*sound, (6,)))


def test_decide_settlements__price_not_final__nobody_is_settled_and_nothing_posted_twice():
    assert decide_settlements(SettlementView(NOW, {("ETH", 9): (5,)}, sampled=frozenset({("ETH", 9)}))) == ()


def test_decide_funding__fresh_round__sets_the_rate_once():
    posted = {"ETH": 100, "BTC": 90}
    assert decide_funding(FundingView(150, 60, posted, {"ETH": 50, "BTC": 90})) == (UpdateFunding("ETH", 100),)
    assert decide_funding(FundingView(150, 60, posted, posted)) == ()
    assert decide_funding(FundingView(160, 60, posted, {})) == (UpdateFunding("ETH", 100),)


def test_decide_rates__gap_over__is_observed():
    rates = {"WSTETH": RateSight(150, 90, 1.2), "RETH": RateSight(151, 90, 1.1, 1.1, 1.1)}
    assert decide_rates(RateView(149, rates)) == ()
    assert decide_rates(RateView(150, rates)) == (UpdateRate("WSTETH", 150),)
    assert decide_rates(RateView(151, rates)) == (UpdateRate("RETH", 151), UpdateRate("WSTETH", 150))


@pytest.mark.parametrize(
    ("seen", "stated", "is_wanted"),
    [(1.2, 1.0, True), (1.3, 1.0, True), (0.0, 1.0, True), (1.2, 1.2 - 1e-9, False), (1.2, 1.3, False),
     (1.2, 0.0, False), (1.0, 1.1, True), (1.0, 1.3, True), (1.0, 1.0, False), (1.0, 0.9, False), (1.0, 0.0, False)],
    ids=["falls", "falls in a rise", "falls at first", "dust", "rises", "source fails", "less deep", "is undone",
         "as deep", "deeper", "source fails in a fall"],
)  # fmt: skip
def test_decide_rates__fall__is_observed_at_once_and_so_is_its_end(seen, stated, is_wanted):
    view = RateView(100, {"WSTETH": RateSight(150, 90, 1.2, seen, stated)})
    assert decide_rates(view) == ((UpdateRate("WSTETH", 90, stated),) if is_wanted else ())


def test_update_rate__key__tells_another_rate_from_the_same_one():
    found = [UpdateRate("WSTETH", 90, 1.0), UpdateRate("WSTETH", 90, 1.1), UpdateRate("WSTETH", 90)]
    assert len({intent.key for intent in found}) == 3


def test_duties__a_series_stuck__liquidations_are_wanted_all_the_same():
    """The fault: while any series was stuck, ``decide`` wanted no liquidation of anybody."""
    series = decide_settlements(SettlementView(NOW, {("ETH", NOW - 5): (7,)}, unpriced=frozenset({("ETH", NOW - 5)})))
    short = AccountView(4, 90.0, 95.0, 120.0, 100.0)
    assert series == ()
    assert decide_liquidations(LiquidationView(NOW, (short,))) == (StartAuction(4, 0),)


def test_duties__order_of_the_input__does_not_matter():
    draw = random.Random(5)
    names = [f"U{i}" for i in range(30)]
    for _ in range(20):
        draw.shuffle(names)
        offered = {name: 10 + len(name) for name in names}
        expired = {(name, 9): tuple(draw.sample(range(50), 50)) for name in names}
        found = (
            decide_settlements(SettlementView(NOW, expired, frozenset(expired))),
            decide_funding(FundingView(50, 60, offered)),
            decide_rates(RateView(50, {name: RateSight(ts, 5, 1.0) for name, ts in offered.items()})),
        )
        assert all(list(part) == sorted(part, key=_order) for part in found)


def _order(intent):
    return (getattr(intent, "underlying", getattr(intent, "token", "")), getattr(intent, "account_ids", ()))
