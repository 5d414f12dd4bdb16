"""Intervals of VaR and ES over several days: they cover the truth about as often as they claim, and are coherent.

All prices are synthetic, from seeds, so that the truth is known.
"""

from dataclasses import replace

import numpy as np
import pytest
from helpers.histories import synthetic_history, walk
from scipy.stats import norm

from plimsoll.analytics.series.moves import Moves
from plimsoll.analytics.var import filtered
from plimsoll.analytics.var.bootstrap import block_intervals, coherent
from plimsoll.analytics.var.filtered import filter_of, filtered_var
from plimsoll.analytics.var.legs import legs_of, underlyings_of
from plimsoll.analytics.var.profile import pnl_profile
from plimsoll.analytics.var.revaluation import revalue
from plimsoll.analytics.var.risk_report import METHODS, risk_report
from plimsoll.analytics.var.settings import RiskSettings

DECAY = 0.94
NOTIONAL = 3 * 1899.5


def residuals(rng, size):
    """Student-t with six degrees of freedom, of variance one."""
    return rng.standard_t(6, size) / np.sqrt(1.5)


def clustered(n, rng):
    """Moves whose variance follows the EWMA rule; it does not fall below a day of 0.1 %."""
    variance, moves = 0.03**2, np.empty(n)
    for i, r in enumerate(residuals(rng, n)):
        moves[i] = r * np.sqrt(variance)
        variance = max(DECAY * variance + (1.0 - DECAY) * moves[i] ** 2, 1e-6)
    return moves


def true_figures(variance, days, level, rng, paths=200_000):
    """VaR and ES of the position over some days, by simulation of the law itself."""
    now, total = np.full(paths, variance), np.zeros(paths)
    for _ in range(days):
        move = residuals(rng, paths) * np.sqrt(now)
        total += move
        now = DECAY * now + (1.0 - DECAY) * move**2
    losses = np.sort(NOTIONAL * -np.expm1(total))
    tail = losses[int(paths * level) :]
    return tail[0], tail.mean()


@pytest.mark.parametrize(("rows", "days", "level"), [(500, 5, 0.95), (1_000, 10, 0.99)])
def test_filtered_intervals_over_several_days_cover_the_truth_as_often_as_they_claim(
    linear, monkeypatch, rows, days, level
):
    """90 % intervals hold the truth in 31 to 40 of 40 samples (the chance of fewer than 31 is 1 %)."""
    monkeypatch.setattr(filtered, "STEPS_BUDGET", 2_000_000)
    market, folio, _ = linear
    legs, _ = legs_of(market, folio)
    rng = np.random.default_rng(11)
    inside, widths = np.zeros(2), []
    for seed in range(40):
        history = synthetic_history(1_900.0 * np.exp(np.cumsum(np.r_[0.0, clustered(rows, rng)])))
        settings = RiskSettings(level=level, horizon_days=days, confidence=0.9, seed=seed)
        got = filtered_var(market, legs, history, settings)
        today = filter_of(history, settings, garch=False).rule.forecast[-1, 0]
        truth = true_figures(today**2, days, level, rng)
        for i, (span, exact) in enumerate(zip((got.var_interval, got.es_interval), truth, strict=True)):
            inside[i] += span[0] <= exact <= span[1]
        widths.append((got.var_interval[1] - got.var_interval[0]) / truth[0])
    assert (inside >= 31).all(), inside
    assert np.mean(widths) < 0.8


def test_block_intervals_of_overlapping_moves_cover_the_truth_as_often_as_they_claim():
    """90 % intervals of the VaR hold the truth in 80 to 97 % of 200 samples."""
    rng, days, level = np.random.default_rng(3), 5, 0.9
    exact = -np.sqrt(days) * norm.ppf(1.0 - level)
    inside = 0
    for seed in range(200):
        total = np.cumsum(rng.standard_normal(1_000))
        span, _ = block_intervals(total[days:] - total[:-days], level, days, 0.9, seed)
        inside += span[0] <= exact <= span[1]
    assert 0.80 <= inside / 200 <= 0.97


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize(("days", "level", "rows"), [(1, 0.99, 300), (10, 0.95, 700), (10, 0.99, 1_100)])
def test_intervals_hold_their_estimate_and_shortfall_is_never_below_the_var(book, method, days, level, rows):
    market, folio, _ = book
    close = walk(rows, 0.03, seed=8, k=2)
    settings = RiskSettings(level=level, horizon_days=days, paths=1_024, replicates=4)
    history = synthetic_history(close, ("ETH", "BTC"))
    got = risk_report(market, folio, history, settings, [method]).results[method]
    assert got.es >= got.var
    if got.var_interval is None:
        return
    assert got.var_interval[0] <= got.var <= got.var_interval[1]
    assert got.es_interval[0] <= got.es <= got.es_interval[1]
    assert got.es_interval[0] >= got.var_interval[0]
    assert got.es_interval[1] >= got.var_interval[1]


def test_an_interval_of_a_multi_day_figure_is_no_wider_than_the_figure(linear):
    """Regression: ten days of a thousand gave VaR in half to fifteen times itself, and an ES below zero."""
    market, folio, _ = linear
    legs, _ = legs_of(market, folio)
    rng = np.random.default_rng(2)
    history = synthetic_history(1_900.0 * np.exp(np.cumsum(clustered(1_031, rng))))
    got = filtered_var(market, legs, history, RiskSettings(horizon_days=10))
    for figure, span in ((got.var, got.var_interval), (got.es, got.es_interval)):
        assert 0.0 < span[0] < figure < span[1]
        assert span[1] - span[0] < figure


def test_a_year_of_filtered_paths_does_not_run_away():
    """Residuals of mean square above one would grow the EWMA variance without end; moves of 3 % a day stay that."""
    history = synthetic_history(walk(1_000, 0.03, seed=4))
    settings = RiskSettings(horizon_days=365, level=0.9)
    found = filter_of(history, settings, garch=False)
    loud = replace(found, residual=1.2 * found.residual)
    spread = [f.paths(f.residual, 365, 4_000, np.random.default_rng(1)).price.std() for f in (found, loud)]
    assert spread[0] == pytest.approx(0.03 * np.sqrt(365), rel=0.35)
    assert spread[1] == pytest.approx(1.2 * spread[0], rel=1e-6)


def test_coherent_intervals_are_left_alone_and_others_are_mended():
    assert coherent(10.0, 12.0, (9.0, 11.0), (10.0, 14.0)) == ((9.0, 11.0), (10.0, 14.0))
    assert coherent(10.0, 12.0, (10.5, 11.0), (-5.0, 10.5)) == ((10.0, 11.0), (10.0, 12.0))


def test_the_profile_of_a_book_is_its_full_revaluation(book):
    market, folio, _ = book
    legs, _ = legs_of(market, folio)
    names = underlyings_of(legs)
    rng = np.random.default_rng(6)
    moves = Moves(rng.normal(0.0, 0.15, (500, 2)), rng.normal(0.0, 0.2, (500, 2)))
    exact = revalue(market, legs, names, moves, 86_400).sum(axis=1)
    assert pnl_profile(market, legs, names, 86_400)(moves) == pytest.approx(exact, abs=5e-4 * np.abs(exact).max())
