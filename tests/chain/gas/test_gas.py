"""Gas of every job, to the unit: a change of cost is a change of this table (`make bench-gas` prints it)."""

from __future__ import annotations

import pytest

from tools.bench.gas import LIMITS, measure

GAS = {
    "gas.margin.options.1": 102_974,
    "gas.margin.options.2": 107_593,
    "gas.margin.options.4": 131_619,
    "gas.margin.options.8": 215_653,
    "gas.margin.options.16": 367_477,
    "gas.margin.options.32": 585_325,
    "gas.margin.options.64": 1_025_555,
    "gas.margin.options.127": 1_918_775,
    "gas.margin.furtherOption": 14_178,
    "gas.margin.unpaired.16": 537_364,
    "gas.margin.unpaired.127": 3_266_770,
    "gas.margin.near.127": 3_587_171,
    "gas.trade.16": 884_799,
    "gas.trade.open17": 972_551,
    "gas.quote.keys.120": 6_798_497,
    "gas.bid.16": 973_304,
    "gas.bid.64": 3_088_793,
    "gas.bid.128.bothSides": 6_109_190,
    "gas.bid.worst": 9_740_323,
    "gas.bid.worst.dusted": 9_726_519,
    "gas.bid.worst.margined": 13_367_626,
    "gas.bid.worst.dozen": 10_844_056,
    "gas.bid.worst.dozen.margined": 15_561_191,
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
