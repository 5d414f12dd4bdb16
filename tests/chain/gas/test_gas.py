"""Gas of every job, to the unit: a change of cost is a change of this table (`make bench-gas` prints it)."""

from __future__ import annotations

import pytest

from tools.bench.gas import LIMITS, measure

GAS = {
    "gas.margin.options.1": 103_251,
    "gas.margin.options.2": 107_870,
    "gas.margin.options.4": 131_896,
    "gas.margin.options.8": 215_930,
    "gas.margin.options.16": 367_753,
    "gas.margin.options.32": 585_602,
    "gas.margin.options.64": 1_025_832,
    "gas.margin.options.127": 1_919_053,
    "gas.margin.furtherOption": 14_178,
    "gas.margin.unpaired.16": 537_640,
    "gas.margin.unpaired.127": 3_267_048,
    "gas.margin.near.127": 3_587_449,
    "gas.margin.share": 14_908,
    "gas.margin.share.own": 32_607,
    "gas.trade.16": 885_338,
    "gas.trade.open17": 973_090,
    "gas.quote.keys.120": 6_799_383,
    "gas.bid.16": 973_598,
    "gas.bid.64": 3_089_087,
    "gas.bid.128.bothSides": 6_109_508,
    "gas.bid.worst": 9_645_384,
    "gas.bid.worst.dusted": 9_631_768,
    "gas.bid.worst.margined": 13_191_645,
    "gas.bid.worst.dozen": 10_749_117,
    "gas.bid.worst.dozen.margined": 15_385_210,
    "gas.oracle.first": 64_117,
    "gas.oracle.nextExpiry": 22_263,
}
#: What is known to lie above what it must be, and is to be brought down: docs/reference/gas.md says by what.
ABOVE = {"gas.margin.unpaired.16"}


@pytest.fixture(scope="module")
def measured():
    return measure()


def test_gas__every_job__as_recorded(measured):
    assert measured == GAS


def test_gas__recorded_figures__within_the_limits_but_those_named():
    assert {name for name, limit in LIMITS.items() if limit.must and GAS[name] > limit.must} == ABOVE
