"""Gas and hedges in cash."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from plimsoll.decide import Hedge, gas_cost, hedge_of


def test_gas_cost__a_million_gas_at_30_gwei__is_three_hundredths_of_a_coin():
    assert gas_cost(1_000_000, 30 * 10**9, 2_000.0) == pytest.approx(60.0)


def test_hedge_of__long_and_short_underlyings__hedge_nothing_of_each_other():
    parts = {"ETH": SimpleNamespace(delta=-2.0, vega=30.0), "BTC": SimpleNamespace(delta=0.1, vega=-5.0)}
    result: Any = SimpleNamespace(underlyings=parts)
    assert hedge_of(result, {"ETH": 2_000.0, "BTC": 60_000.0}) == Hedge(10_000.0, 35.0)
