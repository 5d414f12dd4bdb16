"""Gas of every job, to the unit: a change of cost is a change of this table (`make bench-gas` prints it)."""

from __future__ import annotations

import pytest

from scripts.dev.bench_gas import LIMITS, measure

GAS = {
    "gas.margin.options.1": 108_458,
    "gas.margin.options.2": 113_498,
    "gas.margin.options.4": 139_540,
    "gas.margin.options.8": 230_725,
    "gas.margin.options.16": 396_891,
    "gas.margin.options.32": 631_374,
    "gas.margin.options.64": 1_099_643,
    "gas.margin.options.127": 2_038_626,
    "gas.margin.furtherOption": 14_904,
    "gas.margin.unpaired.16": 582_160,
    "gas.margin.unpaired.127": 3_496_432,
    "gas.margin.near.127": 3_753_716,
    "gas.trade.16": 945_142,
    "gas.trade.open17": 1_034_975,
    "gas.quote.keys.120": 6_959_409,
    "gas.bid.16": 1_000_570,
    "gas.bid.64": 3_157_211,
    "gas.bid.128.bothSides": 6_393_574,
    "gas.bid.worst": 9_797_963,
    "gas.bid.worst.dusted": 9_784_167,
    "gas.bid.worst.margined": 14_407_733,
    "gas.oracle.first": 64_117,
    "gas.oracle.nextExpiry": 22_263,
}
#: What is known to lie above what it must be, and is to be brought down: docs/mathematics.md says by what.
ABOVE = {"gas.margin.options.16", "gas.margin.unpaired.16", "gas.bid.worst.margined"}


@pytest.fixture(scope="module")
def measured():
    return measure()


def test_gas__every_job__as_recorded(measured):
    assert measured == GAS


def test_gas__recorded_figures__within_the_limits_but_those_named():
    assert {name for name, limit in LIMITS.items() if limit.must and GAS[name] > limit.must} == ABOVE
