"""Gas of every job, to the unit: a change of cost is a change of this table (`make bench-gas` prints it)."""

from __future__ import annotations

import pytest

from scripts.dev.bench_gas import LIMITS, measure

GAS = {
    "gas.margin.options.1": 99_928,
    "gas.margin.options.2": 126_230,
    "gas.margin.options.4": 167_776,
    "gas.margin.options.8": 270_923,
    "gas.margin.options.16": 478_966,
    "gas.margin.options.32": 858_052,
    "gas.margin.options.64": 1_616_641,
    "gas.margin.options.127": 3_126_703,
    "gas.margin.furtherOption": 23_969,
    "gas.trade.16": 1_063_581,
    "gas.bid.16": 1_430_224,
    "gas.bid.64": 5_095_893,
    "gas.bid.128.bothSides": 8_130_856,
    "gas.oracle.first": 49_276,
    "gas.oracle.nextExpiry": 13_787,
}


@pytest.fixture(scope="module")
def measured():
    return measure()


def test_gas__every_job__as_recorded(measured):
    assert measured == GAS


def test_gas__recorded_figures__within_the_limits():
    assert {name for name, limit in LIMITS.items() if limit.must and GAS[name] > limit.must} == set()
