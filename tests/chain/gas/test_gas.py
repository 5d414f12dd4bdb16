"""Gas of every job, to the unit: a change of cost is a change of this table (`make bench-gas` prints it)."""

from __future__ import annotations

import pytest

from tools.bench.gas import LIMITS, measure

GAS = {
    "gas.margin.options.1": 102_242,
    "gas.margin.options.2": 106_860,
    "gas.margin.options.4": 130_397,
    "gas.margin.options.8": 212_218,
    "gas.margin.options.16": 360_732,
    "gas.margin.options.32": 573_863,
    "gas.margin.options.64": 1_002_313,
    "gas.margin.options.127": 1_867_077,
    "gas.margin.furtherOption": 13_726,
    "gas.margin.unpaired.16": 526_697,
    "gas.margin.unpaired.127": 3_184_619,
    "gas.margin.near.127": 3_475_991,
    "gas.margin.share": 14_908,
    "gas.margin.share.own": 32_607,
    "gas.trade.16": 872_482,
    "gas.trade.open17": 959_223,
    "gas.quote.keys.120": 6_682_120,
    "gas.bid.16": 966_558,
    "gas.bid.64": 3_065_492,
    "gas.bid.128.bothSides": 6_005_404,
    "gas.bid.worst": 9_535_004,
    "gas.bid.worst.dusted": 9_521_388,
    "gas.bid.worst.margined": 12_969_133,
    "gas.bid.worst.dozen": 10_601_429,
    "gas.bid.worst.dozen.margined": 15_087_490,
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
