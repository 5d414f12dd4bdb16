"""What the watchman makes of nodes, rounds and deeds: numbers for Prometheus, alerts for a person."""

from types import SimpleNamespace

import pytest

from plimsoll.chain.endpoints import Endpoints
from plimsoll.chain.node import Node
from plimsoll.keeper.alert_book import AlertKind
from plimsoll.keeper.alerts import Alerts
from plimsoll.keeper.config.sections import AlertsSection, HealthSection
from plimsoll.keeper.health import Progress
from plimsoll.keeper.metrics import Metrics
from plimsoll.keeper.performer import Deed
from plimsoll.keeper.roster import Report
from plimsoll.keeper.watchman import Watchman

URLS = ("http://one.example", "http://two.example", "http://three.example")


@pytest.fixture
def ops():
    metrics, section = Metrics("1.2.3", "keeper-a"), AlertsSection()
    config = SimpleNamespace(alerts=section)
    return SimpleNamespace(
        config=config,
        metrics=metrics,
        alerts=Alerts(section, (), metrics),
        progress=Progress(HealthSection(), ("liquidations",)),
    )


@pytest.fixture
def watchman(ops):
    return Watchman(ops, lambda line: None)


def value(ops, name, **labels):
    return ops.metrics.registry.get_sample_value(f"plimsoll_{name}", labels)


def look(round_ts):
    return SimpleNamespace(
        head=SimpleNamespace(number=9, ts=1_770_000_000),
        progress=SimpleNamespace(head_number=9, new_events=0, rolled_back_to=None),
        state=SimpleNamespace(rounds={1: SimpleNamespace(ts=round_ts)}, auctions={}),
        effects=SimpleNamespace(called=set()),
        asked=SimpleNamespace(refused={}, failed={}),
        accounts=(),
        account_count=0,
        expired={},
        final=frozenset(),
    )


def test_asked__one_behind_one_silent_one_on_a_fork__says_who_and_by_how_much(ops, watchman):
    endpoints = Endpoints([Node(url) for url in URLS], 1)
    endpoints.numbers = {URLS[0]: 100, URLS[1]: 93}
    endpoints.disagreements, endpoints.disputes = 2, {URLS[1]: f"{URLS[1]} has block 90 as 0xabc"}
    watchman.asked(endpoints)
    assert [value(ops, "endpoint_lag_blocks", endpoint=url) for url in URLS[:2]] == [0, 7]
    assert str(value(ops, "endpoint_lag_blocks", endpoint=URLS[2])) == "nan"
    assert value(ops, "head_disagreements_total") == 2
    ops.alerts.pump()
    assert value(ops, "alerts_active", kind=AlertKind.DISAGREEMENT.value) == 1
    endpoints.disputes = {}
    watchman.asked(endpoints)
    assert value(ops, "head_disagreements_total") == 2
    ops.alerts.pump()
    assert value(ops, "alerts_active", kind=AlertKind.DISAGREEMENT.value) == 0


def test_tick__round_then_start__is_observed_once_from_the_first_sight_of_the_round(ops, watchman):
    watchman.looked(look(1_000), {1: "ETH"}, 50.0)
    # A start of the keeper finds rounds that are older than it knows.
    watchman.reported(Report("liquidations", (Deed("start:4:0", "start", "sent", sent_sec=50.1),)))
    assert value(ops, "tick_to_tx_seconds_count") == 0
    watchman.looked(look(1_060), {1: "ETH"}, 60.0)
    watchman.looked(look(1_060), {1: "ETH"}, 61.0)
    refused = Deed("start:5:0", "start", "failed", "Auction__NotLiquidatable")
    touched = Deed("touch:4:1:0", "touch", "sent", sent_sec=61.1)
    starts = [Deed(f"start:{number}:0", "start", "sent", sent_sec=61.25 + number) for number in (0, 1)]
    watchman.reported(Report("liquidations", (refused, touched, *starts)))
    assert value(ops, "tick_to_tx_seconds_count") == 1
    assert value(ops, "tick_to_tx_seconds_sum") == pytest.approx(1.25)


def test_reported__duty_that_ended_on_the_way__is_no_pass_of_it(ops, watchman):
    """The fault: a duty that failed in every pass was healthy for ever."""
    watchman.reported(Report("liquidations", problems=("no answer",), is_broken=True))
    assert ops.progress.health().facts["last_pass_sec"] == {"liquidations": None}
    # What it met and went on from is none of that.
    watchman.reported(Report("liquidations", problems=("account 7: reverts",)))
    assert ops.progress.health().facts["last_pass_sec"]["liquidations"] is not None
