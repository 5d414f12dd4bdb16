"""Rounds: spot and rates of one instant, which expiries, confidence, domain."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from plimsoll.constants import YEAR_SEC
from plimsoll.errors import DomainError, InputError
from plimsoll.market.fit.forwards import RATE_LIMIT, term_structure
from plimsoll.market.fit.rounds import confidence_of, fit_snapshot, score_of
from plimsoll.market.fit.svi_fit import Shape, SliceFit
from plimsoll.model import MAX_EXPIRIES, Svi


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
    result = fit_snapshot(first, perp_premium=1e-4).round
    assert result.underlying == "ETH"
    assert result.perp == pytest.approx(result.spot * 1.0001)
    assert 0.85 < result.confidence <= 1.0
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
        fit_snapshot(first, perp_premium=premium)
    assert fit_snapshot(first, perp_premium=-0.5).round.perp == pytest.approx(0.5 * fit_snapshot(first).round.spot)


def thirteen(first):
    """A chain of more expiries than a round holds: the last expiry listed three more times, a day apart."""
    last = first.expiry_ts == first.expiries[-1]
    parts = [first] + [replace(first, expiry_ts=np.where(last, first.expiry_ts + i * 86_400, 0)) for i in (1, 2, 3)]
    columns = {
        name: np.concatenate([getattr(first, name)] + [getattr(p, name)[last] for p in parts[1:]])
        for name in first.__dataclass_fields__
        if isinstance(getattr(first, name), np.ndarray)
    }
    return replace(first, **columns)


def chosen(chain, required=()):
    return tuple(s.expiry_ts for s in fit_snapshot(chain, required_expiries=required).round.surfaces)


def test_required_expiries_come_first_then_the_nearest(first):
    chain = thirteen(first)
    far = chain.expiries[-1]
    assert len(chain.expiries) > MAX_EXPIRIES
    assert chosen(chain) == chain.expiries[:MAX_EXPIRIES]
    assert chosen(chain, {far, first.ts - 5}) == (*chain.expiries[: MAX_EXPIRIES - 1], far)


def test_an_expiry_in_its_last_hour_needs_a_holder(first):
    near = first.expiries[0]
    late = replace(first, ts=near - 3_000)
    assert near not in chosen(late)
    before = fit_snapshot(first)
    held = fit_snapshot(late, required_expiries={near}, previous=before)
    assert held.round.surfaces[0].expiry_ts == near


def test_what_cannot_be_fitted_is_refused(first):
    with pytest.raises(InputError, match="required expiry 1999999999 cannot be fitted: 0 usable quotes with two sides"):
        chosen(first, {1_999_999_999})
    chain = thirteen(first)
    with pytest.raises(InputError, match="13 expiries required, a round holds 12"):
        chosen(chain, set(chain.expiries[:13]))
    with pytest.raises(InputError, match="no expiry has quotes that a slice fits"):
        chosen(replace(first, iv=np.full_like(first.iv, np.nan)))


def fit_of(rms: float, quotes: int, shape: Shape = Shape.FIVE, age_sec: int = 0) -> SliceFit:
    return SliceFit(1, Svi(0.01, 0.1, 0.0, 0.0, 0.1), rms, rms, rms, quotes, quotes, 0.1, shape, age_sec)


def test_confidence_falls_with_error_few_quotes_fewer_numbers_and_age():
    assert confidence_of([fit_of(0.0, 10)]) == 1.0
    assert confidence_of([fit_of(0.05, 10)]) == pytest.approx(0.5)
    assert confidence_of([fit_of(0.0, 5)]) == pytest.approx(0.5)
    assert score_of(replace(fit_of(0.0, 10), quoted=0)) == pytest.approx(0.5)
    shapes = [score_of(fit_of(0.0, 10, shape)) for shape in Shape]
    assert shapes == sorted(shapes, reverse=True)
    assert len(set(shapes)) == len(Shape)
    assert score_of(fit_of(0.0, 0, Shape.HELD, 3_600)) == pytest.approx(0.5 * score_of(fit_of(0.0, 0, Shape.HELD)))
    assert score_of(replace(fit_of(0.0, 10, Shape.HELD), excess=0.05)) == pytest.approx(0.25)


def test_one_bad_slice_among_twelve_is_not_averaged_away():
    good = [fit_of(0.0, 40)] * 11
    assert confidence_of([*good, fit_of(0.0, 40, Shape.HELD)]) == pytest.approx(0.5 * (11.5 / 12 + 0.5))
    # Older than the heartbeat of the oracle a held slice takes the round below the default threshold of 0.55.
    assert confidence_of([*good, fit_of(0.0, 40, Shape.HELD, 7_200)]) < 0.55


def test_expiries_left_out_are_told(first):
    near = first.expiries[0]
    fit = fit_snapshot(replace(first, iv=np.where(first.expiry_ts == near, np.nan, first.iv)))
    assert f"expiry {near}: left out, no slice is good enough" in fit.warnings
    assert fit.unfitted == (near,)
