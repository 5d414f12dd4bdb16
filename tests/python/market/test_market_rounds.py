"""Rounds: spot and rates of one instant, which expiries, confidence, domain."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from offchain.errors import DomainError, InputError
from offchain.market.clean import clean
from offchain.market.forwards import RATE_LIMIT, YEAR_SEC, term_structure
from offchain.market.rounds import (
    MAX_EXPIRIES,
    choose_expiries,
    confidence_of,
    fit_snapshot,
    snapshot_to_round,
)
from offchain.market.svi_fit import SliceFit
from offchain.model import Svi


def test_spot_and_rates_are_those_of_the_forwards(first):
    term = term_structure(first)
    for expiry, forward in term.forwards.items():
        years = (expiry - first.ts) / YEAR_SEC
        assert term.rates[expiry] == pytest.approx(0.05, abs=0.03 / max(1.0, years * 365.0))
        assert forward == pytest.approx(term.spot * math.exp(0.05 * years), rel=1e-4)


def test_a_lagging_index_does_not_become_interest(first):
    moved = replace(first, index=first.index * np.linspace(0.995, 1.002, first.index.size))
    term = term_structure(moved)
    assert term.spot == pytest.approx(term_structure(first).spot, rel=1e-4)
    assert abs(term.rates[first.expiries[3]] - 0.05) < 0.02
    outside = replace(first, index=np.full_like(first.index, 0.99 * first.spot))
    assert term_structure(outside).spot == pytest.approx(0.99 * first.spot)
    assert term_structure(outside).rates[first.expiries[1]] == RATE_LIMIT


def test_a_forward_that_is_the_index_has_no_rate(first):
    near = first.expiry_ts == first.expiries[0]
    marked = replace(first, is_index=near, underlying=np.where(near, first.index, first.underlying))
    term = term_structure(marked)
    assert term.rates[first.expiries[0]] == 0.0
    assert term.forwards[first.expiries[0]] == pytest.approx(first.spot)


def test_a_round_lies_inside_the_domain_of_the_oracle(first):
    result = snapshot_to_round(first, perp_premium=1e-4)
    assert result.underlying == "ETH"
    assert result.perp == pytest.approx(result.spot * 1.0001)
    assert 0.9 < result.confidence <= 1.0
    assert len(result.surfaces) <= MAX_EXPIRIES
    stamps = [s.expiry_ts for s in result.surfaces]
    assert stamps == sorted(set(stamps))
    for s in result.surfaces:
        assert s.forward > 0.0
        assert s.svi.a + s.svi.b * s.svi.sigma * math.sqrt(1.0 - s.svi.rho**2) >= 0.0
        assert s.svi.b * (1.0 + abs(s.svi.rho)) <= 2.0


@pytest.mark.parametrize("premium", [0.51, -0.51, float("nan"), float("inf")])
def test_a_perpetual_far_from_spot_is_refused(first, premium):
    with pytest.raises(DomainError, match=r"^perp: premium over spot is .*, the limit is \+-0.5"):
        snapshot_to_round(first, perp_premium=premium)
    assert snapshot_to_round(first, perp_premium=-0.5).perp == pytest.approx(0.5 * snapshot_to_round(first).spot)


def thirteen(first):
    """Quotes of more expiries than a round holds."""
    quotes, _ = clean(first)
    last = quotes[first.expiries[-1]]
    extra = {last.expiry_ts + i * 86_400: replace(last, expiry_ts=last.expiry_ts + i * 86_400) for i in range(1, 4)}
    return {**quotes, **extra}


def test_required_expiries_come_first_then_the_nearest(first):
    quotes = thirteen(first)
    far = max(quotes)
    chosen = choose_expiries(first, quotes, ())
    assert chosen == tuple(sorted(quotes))[:MAX_EXPIRIES]
    assert far not in chosen
    kept = choose_expiries(first, quotes, {far, first.ts - 5})
    assert kept == (*tuple(sorted(quotes))[: MAX_EXPIRIES - 1], far)


def test_an_expiry_in_its_last_hour_needs_a_holder(first):
    near = first.expiries[0]
    late = replace(first, ts=near - 600)
    quotes, _ = clean(first)
    assert near not in choose_expiries(late, quotes, ())
    assert near in choose_expiries(late, quotes, {near})


def test_what_cannot_be_fitted_is_refused(first):
    quotes = thirteen(first)
    with pytest.raises(InputError, match="required expiry 1999999999 has 0 usable quotes; a fit needs 5"):
        choose_expiries(first, quotes, {1_999_999_999})
    with pytest.raises(InputError, match="13 expiries required, a round holds 12"):
        choose_expiries(first, quotes, set(sorted(quotes)[:13]))
    with pytest.raises(InputError, match="no expiry has the 5 usable quotes"):
        choose_expiries(first, {}, ())


def test_confidence_falls_with_error_and_with_few_quotes():
    def fit(rms: float, quotes: int) -> SliceFit:
        return SliceFit(1, Svi(0.01, 0.1, 0.0, 0.0, 0.1), rms, rms, rms, quotes, quotes, 0.1)

    assert confidence_of([fit(0.0, 10)]) == 1.0
    assert confidence_of([fit(0.05, 10)]) == pytest.approx(0.5)
    assert confidence_of([fit(0.0, 5)]) == pytest.approx(0.5)
    assert confidence_of([fit(0.0, 40), fit(0.05, 40)]) == pytest.approx(0.75)


def test_expiries_left_out_are_told(first):
    near = first.expiries[0]
    fit = fit_snapshot(replace(first, iv=np.where(first.expiry_ts == near, np.nan, first.iv)))
    assert f"expiry {near}: left out" in fit.warnings
