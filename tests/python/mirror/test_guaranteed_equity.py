"""What guarantee lines add to an account in the mirror: equity up to the initial margin, and nothing besides."""

from dataclasses import replace

import pytest
from helpers.documents import DAY, TS

from plimsoll.mirror.margin_engine import evaluate, evaluate_many
from plimsoll.model import Kind, Market, Mode, Portfolio, Position, Round, Surface, Svi, Token
from plimsoll.params import Params

EXPIRY = TS + 30 * DAY
SVI = Svi(0.03, 0.02, -0.2, 0.0, 0.1)
ETH = Round("ETH", TS, 2_000.0, 2_000.0, 1.0, (Surface(EXPIRY, 2_000.0, 0.03, SVI),))
MARKET = Market(TS, {"USDC": Token("USDC", 1.0, 0.0)}, {"ETH": ETH})
SHORT = (Position("ETH", Kind.CALL, EXPIRY, 2_000.0, -10.0),)


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize(("share", "state"), [(0.0, "liquidatable"), (0.5, None), (1.0, "healthy"), (40.0, "healthy")])
def test_evaluate__credit_of_a_share_of_what_lacks__fills_up_to_the_initial_margin(mode, share, state):
    alone = evaluate(MARKET, Portfolio(mode, 1_500.0, {}, SHORT), Params())
    lacking = alone.initial_margin - alone.equity
    assert lacking > 0.0
    found = evaluate(MARKET, Portfolio(mode, 1_500.0, {}, SHORT, share * lacking), Params())
    assert found.guaranteed == pytest.approx(min(share, 1.0) * lacking)
    assert found.equity == pytest.approx(alone.equity + found.guaranteed)
    assert state in (None, found.state)
    same = replace(found, equity=alone.equity, guaranteed=0.0, state=alone.state)
    assert same == alone


def test_evaluate__initial_margin_by_itself__credit_adds_nothing():
    rich = Portfolio(Mode.CROSS, 1e6, {}, SHORT, 5e5)
    found, alone = evaluate_many(MARKET, [rich, replace(rich, credit=0.0)], Params())
    assert found == alone
    assert found.guaranteed == 0.0
