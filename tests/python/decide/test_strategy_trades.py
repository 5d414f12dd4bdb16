"""What the key of a strategy vault wants to trade."""

import pytest

from plimsoll.decide.strategy import Cycle, Strategy, hedge_change, opening_trades
from plimsoll.model import Kind

CYCLE = Cycle("ETH", 1_800_000_000, 2_100.0, 0.5)


def test_opening_trades__covered_call__as_many_calls_as_perpetuals():
    held, sold = opening_trades(Strategy.COVERED_CALL, CYCLE, 1_000_000.0, 2_000.0)
    assert (held.kind, held.quantity) == (Kind.PERP, 250.0)
    assert (sold.kind, sold.quantity, sold.price, sold.expiry_ts) == (Kind.CALL, -250.0, 2_100.0, 1_800_000_000)


def test_opening_trades__short_vol__a_straddle():
    trades = opening_trades(Strategy.SHORT_VOL, CYCLE, 1_000_000.0, 2_000.0)
    assert [(trade.kind, trade.quantity) for trade in trades] == [(Kind.CALL, -250.0), (Kind.PUT, -250.0)]


@pytest.mark.parametrize(
    ("delta", "band", "change"),
    [(5.0, 5.0, 0.0), (-5.0, 5.0, 0.0), (7.0, 5.0, -2.0), (-7.0, 5.0, 2.0), (3.0, 0.0, -3.0)],
)
def test_hedge_change__beyond_the_band__back_to_its_edge(delta, band, change):
    assert hedge_change(delta, band) == change
