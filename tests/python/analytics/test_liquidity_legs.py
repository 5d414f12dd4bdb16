"""Liquidity of a range in the analytics: revalued as what it is, its greeks, and refused by the optimiser."""

import numpy as np
import pytest

from plimsoll.analytics.optimise.allocate import allocate
from plimsoll.analytics.optimise.trades import refuse_liquidity
from plimsoll.analytics.report.account import _legs
from plimsoll.analytics.series.moves import Moves
from plimsoll.analytics.var.legs import legs_of
from plimsoll.analytics.var.revaluation import revalue
from plimsoll.analytics.var.sensitivities import sensitivities
from plimsoll.errors import InputError
from plimsoll.model import Market, Mode, Portfolio, PriceRange, Round, Token
from plimsoll.params import Params

SPOT, AMOUNT = 1_900.0, 50.0
SPAN = PriceRange(1_500.0, 2_400.0)
MARKET = Market(
    1,
    {"USDC": Token("USDC", 1.0, 0.0), "LP": Token("LP", None, 0.2, "ETH", 0.05, span=SPAN)},
    {"ETH": Round("ETH", 1, SPOT, SPOT, 1.0, ())},
)
FOLIO = Portfolio(Mode.SINGLE, 0.0, {"LP": AMOUNT})


def test_revalue__liquidity__is_its_worth_at_the_moved_price():
    legs, notes = legs_of(MARKET, FOLIO)
    moves = np.log(np.array([[0.5], [0.9], [1.0], [1.2], [2.0]]))
    found = revalue(MARKET, legs, ["ETH"], Moves(moves, np.zeros_like(moves)))[:, 0]
    wanted = [AMOUNT * (SPAN.value(SPOT * np.exp(x)) - SPAN.value(SPOT)) for x in moves[:, 0]]
    assert found == pytest.approx(wanted, abs=1e-9)
    assert notes == []


def test_sensitivities__liquidity__are_the_derivatives_of_its_worth():
    legs, _ = legs_of(MARKET, FOLIO)
    found = sensitivities(MARKET, legs, ["ETH"], 86_400)
    bump = 1e-4

    def worth(x):
        return AMOUNT * SPAN.value(SPOT * np.exp(x))

    assert found.first[0, 0] == pytest.approx((worth(bump) - worth(-bump)) / (2 * bump), rel=1e-6)
    curve = (worth(bump) - 2 * worth(0.0) + worth(-bump)) / bump**2
    assert found.second[0, 0, 0] == pytest.approx(curve, rel=1e-4)


def test_report__liquidity__shows_worth_and_greeks():
    (line,) = _legs(MARKET, FOLIO, Params())
    assert line.label == "LP collateral"
    assert (line.delta, line.gamma) == (AMOUNT * SPAN.units(SPOT), AMOUNT * SPAN.gamma(SPOT))


def test_optimise__account_with_liquidity__is_refused_by_name():
    with pytest.raises(InputError, match="LP is liquidity of a range"):
        refuse_liquidity(MARKET, FOLIO)
    with pytest.raises(InputError, match="LP is liquidity of a range"):
        allocate(MARKET, [FOLIO, FOLIO], ["a", "b"], Params())
    refuse_liquidity(MARKET, Portfolio(Mode.SINGLE, 0.0, {"LP": 0.0}))
