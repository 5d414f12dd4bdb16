"""The certified scan against every price that the book covers, on portfolios built to beat it."""

from collections import Counter

import numpy as np
import pytest

from plimsoll.mirror.margin_engine import evaluate_many
from plimsoll.params import Params
from tests.python.properties.adversary import SYMBOL, Builder, narrow_butterfly, random_market, worst_losses

EACH = 600
#: Float rounding of two independent evaluations, relative to gross notional.
ROUNDING = 1e-11

counted: Counter[str] = Counter()


@pytest.mark.parametrize("seed", range(6))
def test_certified_scan__adversarial_portfolios__covers_every_price(seed):
    """All of a loss inside the range, the range over the move of it out to three ranges, in every vol state."""
    params, market = Params(), random_market(np.random.default_rng(seed))
    named = Builder(market, params, seed).portfolios(EACH)
    folios = [folio for _, folio in named]
    losses = worst_losses(market, folios, params).max(axis=1)
    for (name, folio), true, result in zip(named, losses, evaluate_many(market, folios, params), strict=True):
        part, slack = result.underlyings[SYMBOL], ROUNDING * result.gross_notional
        assert true <= part.certified_scan + slack, (name, true, part.certified_scan, folio)
        assert part.scan <= part.certified_scan
        counted["all"] += 1
        counted["beyond the grid scan"] += true > part.scan + 1e-6 * result.gross_notional


def test_certified_scan__all_seeds_together__thousands_and_hundreds_that_beat_the_grid():
    assert counted["all"] >= 3_600
    assert counted["beyond the grid scan"] >= 300


def test_certified_scan__narrow_butterfly__hides_most_of_its_loss_from_the_grid():
    market, folio = narrow_butterfly()
    (result,) = evaluate_many(market, [folio], Params())
    (true,) = worst_losses(market, [folio], Params()).max(axis=1)
    part = result.underlyings[SYMBOL]
    assert part.scan < 0.9 * true < true <= part.certified_scan
