"""Gas of every job, to the unit: a change of cost is a change of this table (`make bench-gas` prints it)."""

from __future__ import annotations

import pytest

from tools.bench.gas import LIMITS, measure

GAS = {
    "gas.margin.options.1": 101_611,
    "gas.margin.options.2": 106_229,
    "gas.margin.options.4": 129_135,
    "gas.margin.options.8": 209_694,
    "gas.margin.options.16": 355_888,
    "gas.margin.options.32": 564_175,
    "gas.margin.options.64": 982_801,
    "gas.margin.options.127": 1_827_509,
    "gas.margin.furtherOption": 13_408,
    "gas.margin.unpaired.16": 517_145,
    "gas.margin.unpaired.127": 3_107_066,
    "gas.margin.near.127": 3_395_854,
    "gas.margin.share": 14_908,
    "gas.margin.share.own": 32_607,
    "gas.trade.16": 862_794,
    "gas.trade.open17": 948_273,
    "gas.quote.keys.120": 6_608_032,
    "gas.bid.16": 961_714,
    "gas.bid.64": 3_045_980,
    "gas.bid.128.bothSides": 5_926_268,
    "gas.bid.worst": 9_455_498,
    "gas.bid.worst.dusted": 9_441_882,
    "gas.bid.worst.margined": 12_808_859,
    "gas.bid.worst.dozen": 10_521_923,
    "gas.bid.worst.dozen.margined": 14_927_216,
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
