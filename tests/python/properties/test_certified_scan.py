"""The certified scan against every price of the range, on portfolios built to beat it."""

from collections import Counter

import numpy as np
import pytest

from offchain.mirror.margin_engine import evaluate_many
from offchain.params import Params
from tests.python.properties.adversary import (
    SYMBOL,
    Builder,
    butterfly_of_the_risk_model,
    random_market,
    worst_losses,
)

EACH = 600
#: Float rounding of two independent evaluations, relative to gross notional.
ROUNDING = 1e-11
#: Vol states whose rows form intervals: the SPAN order knows no grid row of flat volatility.
CERTIFIED = {"default": [0, 1, 2], "span": [0, 2]}

counted: Counter[str] = Counter()


@pytest.mark.parametrize("book", ["default", "span"])
@pytest.mark.parametrize("seed", range(4))
def test_certified_scan__adversarial_portfolios__covers_every_price(book, seed):
    params, market = Params(book=book), random_market(np.random.default_rng(seed))
    named = Builder(market, params, seed).portfolios(EACH)
    folios = [folio for _, folio in named]
    losses = worst_losses(market, folios, params)[:, CERTIFIED[book]].max(axis=1)
    for (name, folio), true, result in zip(named, losses, evaluate_many(market, folios, params), strict=True):
        part, slack = result.underlyings[SYMBOL], ROUNDING * result.gross_notional
        assert true <= part.certified_scan + slack, (name, true, part.certified_scan, folio)
        assert part.scan <= part.certified_scan
        counted[book] += 1
        counted[f"{book} beyond the grid scan"] += true > part.scan + 1e-6 * result.gross_notional


def test_certified_scan__all_seeds_together__thousands_and_hundreds_that_beat_the_grid():
    assert counted["default"] + counted["span"] >= 4_800
    assert counted["default beyond the grid scan"] >= 400
    assert counted["span beyond the grid scan"] >= 300


def test_certified_scan__butterfly_between_two_grid_prices__figures_of_the_risk_model():
    market, folio = butterfly_of_the_risk_model()
    part = evaluate_many(market, [folio], Params())[0].underlyings[SYMBOL]
    assert round(part.scan) == 1_095
    assert round(float(worst_losses(market, [folio], Params()).max())) == 3_638
    assert round(part.certified_scan) == 4_942
    assert part.requirement >= part.certified_scan
