"""The batteries that judge mutants, on the contracts themselves: none may complain."""

from __future__ import annotations

import pytest

from tests.chain.proof import book_battery, call_battery, margin_battery, oracle_battery, risk_battery, scan_battery
from tests.chain.proof.world import running


@pytest.fixture(scope="module")
def world():
    with running() as opened:
        yield opened


@pytest.mark.parametrize(
    ("battery", "least"),
    [
        *((risk_battery.Battery, 230), (margin_battery.Battery, 0), (book_battery.Battery, 0)),
        *((oracle_battery.Battery, 60), (call_battery.Battery, 220), (scan_battery.Battery, 500)),
    ],
    ids=["RiskEngine", "MarginEngine", "ScenarioBook", "Oracle", "PlainCall", "ScenarioScan"],
)
def test_battery__contracts_as_they_are__has_nothing_to_say(world, battery, least):
    made = battery(world)
    assert len(getattr(made, "cases", ())) >= least
    assert made.failures() == []


def test_battery__other_code_at_the_address__complains(world):
    made = risk_battery.Battery(world)
    world.client.rpc("anvil_setCode", world.contracts["RiskEngine"].address, world.original["ScenarioBook"])
    try:
        assert made.failures()
    finally:
        world.restore("RiskEngine")
