"""Metrics: a registry of their own, and labels from outside that cannot fill the memory."""

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from plimsoll.keeper.metrics import MAX_LABEL_LENGTH, MAX_LABEL_VALUES, OTHER, Metrics


@pytest.fixture
def metrics():
    return Metrics("1.2.3", "keeper-a")


def test_text__everything_set__is_read_by_prometheus_and_named_in_full(metrics):
    metrics.head_age_sec.set(3.5)
    metrics.round_age_sec.labels(underlying="ETH").set(12)
    metrics.intents.labels(kind="StartAuction", outcome="done").inc()
    metrics.pass_sec.labels(duty="prices").observe(0.2)
    metrics.tick_to_tx_sec.observe(0.3)
    families = list(text_string_to_metric_families(metrics.text().decode()))
    samples = {sample.name for family in families for sample in family.samples if not sample.name.endswith("_created")}
    assert samples <= set(metrics.names())
    assert {"plimsoll_head_age_seconds", "plimsoll_intents_total", "plimsoll_pass_duration_seconds_bucket"} <= samples
    build = metrics.registry.get_sample_value("plimsoll_build_info", {"version": "1.2.3", "keeper": "keeper-a"})
    assert build == 1


def test_metrics__two_keepers_in_one_process__do_not_meet(metrics):
    other = Metrics("1.2.3", "keeper-b")
    other.events.inc(5)
    assert metrics.registry.get_sample_value("plimsoll_events_total") == 0
    assert not [name for name in REGISTRY._names_to_collectors if name.startswith("plimsoll")]


def test_label__ten_thousand_reasons_of_a_feed__become_few_and_short(metrics):
    seen = {metrics.label("feed", f"reason {n} " + "x" * 500) for n in range(10_000)}
    assert len(seen) == MAX_LABEL_VALUES + 1
    assert OTHER in seen
    assert max(map(len, seen)) <= MAX_LABEL_LENGTH
    assert metrics.label("signer", "a\nb") == "a b"
    assert metrics.label("feed", "reason 3 " + "x" * 500) != OTHER
