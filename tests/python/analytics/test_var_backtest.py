"""Back-test of the VaR methods on a book: right models pass, wrong ones fail, and nothing looks ahead.

Prices are synthetic, from seeds, but for one test on the real daily prices.
"""

import json
from dataclasses import replace

import numpy as np
import pytest
from helpers.desk import account, fails, printed, write_desk
from helpers.histories import synthetic_history, walk
from scipy.special import ndtri
from scipy.stats import norm

from plimsoll.analytics.backtest.var_backtest import forecast_shortfall, var_backtest
from plimsoll.analytics.backtest.var_forecasts import FORECASTS, TAIL_POINTS, Forecast, past_of
from plimsoll.analytics.series.history import load_history
from plimsoll.analytics.var.filtered import filtered_var
from plimsoll.analytics.var.historical import historical_var
from plimsoll.analytics.var.legs import legs_of
from plimsoll.analytics.var.parametric import parametric_var
from plimsoll.analytics.var.risk_report import METHODS
from plimsoll.analytics.var.settings import RiskSettings
from plimsoll.cli import run
from plimsoll.errors import InputError

SETTINGS = RiskSettings(level=0.975)


def normal_forecast(sigma, level):
    """Forecast of a normal P&L of mean 0, in closed form."""
    es = sigma * norm.pdf(ndtri(level)) / (1.0 - level)
    shares = (np.arange(TAIL_POINTS) + 0.5) / TAIL_POINTS
    return Forecast(sigma * ndtri(level), es, 1.0 - level, sigma * ndtri(level + shares * (1.0 - level)))


def test_shortfall_statistic_has_the_published_critical_value():
    """Acerbi and Szekely, table 4: for 250 days at 97.5 % the 5 % critical value of Z2 is -0.70, whatever the tail."""
    forecasts = [normal_forecast(1.0, 0.975)] * 250
    rng = np.random.default_rng(4)
    z = [forecast_shortfall(rng.standard_normal(250), forecasts, 0.975, 1).z for _ in range(60)]
    assert abs(np.mean(z)) < 0.15
    at = np.full(250, 0.1)
    # Losses whose statistic is just -0.70: 6.25 expected, each of the size of the expected shortfall.
    at[:10] = -1.7 * 250 * 0.025 * forecasts[0].es / 10
    found = forecast_shortfall(at, forecasts, 0.975, 1)
    assert found.z == pytest.approx(-0.70)
    assert found.p_value == pytest.approx(0.05, abs=0.012)


def test_shortfall_test_rejects_a_law_that_is_too_narrow_and_keeps_the_right_one():
    rng = np.random.default_rng(5)
    pnl = rng.standard_normal(500)
    assert forecast_shortfall(pnl, [normal_forecast(1.0, 0.975)] * 500, 0.975, 1).p_value > 0.05
    assert forecast_shortfall(1.5 * pnl, [normal_forecast(1.0, 0.975)] * 500, 0.975, 1).p_value < 0.001


def test_methods_pass_on_calm_prices_and_the_slow_one_fails_when_volatility_doubles(linear):
    market, folio, _ = linear
    calm = synthetic_history(walk(1_400, 0.03, seed=21))
    for found in var_backtest(market, folio, calm, SETTINGS, ["historical", "filtered", "parametric"]).results.values():
        assert found.covers
        assert found.observations == 899
    moves = np.diff(np.log(walk(1_400, 0.03, seed=21)[:, 0]))
    moves[1_100:] *= 2.5
    wild = synthetic_history(1_900.0 * np.exp(np.cumsum(moves)))
    results = var_backtest(market, folio, wild, SETTINGS, ["historical", "filtered"], days=250).results
    assert not results["historical"].passes
    assert "too many" in results["historical"].verdict
    assert results["filtered"].covers
    assert results["historical"].light != "green"


@pytest.mark.parametrize(
    ("name", "method"), [("historical", historical_var), ("filtered", filtered_var), ("parametric", parametric_var)]
)
def test_a_forecast_is_what_the_method_says_of_the_same_prices(book, name, method):
    """The last forecast equals the VaR of the window before it; the filter's window is longer by its warm-up."""
    market, folio, _ = book
    legs, _ = legs_of(market, folio)
    history = synthetic_history(walk(700, 0.03, seed=2, k=2), ("ETH", "BTC"))
    history = replace(history, ts=history.ts + 10**9)
    settings = replace(SETTINGS, vol_share=0.0)
    past = past_of(market, legs, history, settings, 500, 100)
    last = list(FORECASTS[name](past))[-1]
    known = history.between(int(history.ts[198]) if name != "filtered" else 0, int(history.ts[698]) + 1)
    own = method(market, legs, known, settings)
    # The filter's residuals of the whole history are more than those of the window; figures then agree roughly.
    tolerance = 0.1 if name == "filtered" else 2e-3
    assert last.var == pytest.approx(own.var, rel=tolerance)
    assert last.es == pytest.approx(own.es, rel=tolerance)


@pytest.mark.parametrize("name", sorted(FORECASTS))
def test_no_forecast_looks_ahead(linear, name):
    """Prices of the last days change no forecast of the days before them."""
    market, folio, _ = linear
    legs, _ = legs_of(market, folio)
    close = walk(460, 0.03, seed=7)
    other = close.copy()
    other[-20:] *= 0.3
    one, two = (
        [f.var for f in FORECASTS[name](past_of(market, legs, synthetic_history(c), SETTINGS, 300, 120))]
        for c in (close, other)
    )
    # The start of the recursion has seen the whole series; 300 days later nothing of it is left.
    assert one[:101] == pytest.approx(two[:101], rel=1e-6)
    assert two[101] > 1.001 * one[101]


def test_every_method_has_forecasts():
    assert set(FORECASTS) == set(METHODS)


@pytest.fixture
def files(tmp_path):
    return write_desk(tmp_path, {"underlying": "BTC", "kind": "perp", "quantity": -0.2, "entry": 65_000.0})


def test_command_gives_figures_verdicts_and_provenance(files, capsys):
    arguments = ["risk", "backtest", *account(files), "--history", str(files / "H.csv"), "--window", "300"]
    document = printed(capsys, [*arguments, "--json"])
    assert set(document["methods"]) == set(METHODS)
    assert document["history"]["source"] == "H.csv"
    for found in document["methods"].values():
        assert found["observations"] == 299
        assert found["count"] == len(found["exceedances"])
        assert all(day["loss"] > day["var"] for day in found["exceedances"])
        assert f"{found['count']} days beyond the VaR in 299" in found["verdict"]
        assert 0.0 <= found["shortfall"]["pValue"] <= 1.0
    assert run([*arguments, "--html", str(files / "o.html")]) == 0
    shown = capsys.readouterr().out
    assert max(len(line) for line in shown.splitlines()) <= 80
    assert "historical passes: " in " ".join(shown.split()) or "historical FAILS: " in " ".join(shown.split())
    text = (files / "o.html").read_text()
    assert "How far to believe each method" in text
    assert "Prices behind the figures" in text
    assert json.loads((files / "o.json").read_text())["schema"] == "plimsoll.varBacktest/1"


def test_a_method_that_cannot_be_judged_is_named(files, capsys):
    arguments = ["risk", "backtest", *account(files), "--history", str(files / "H.csv"), "--window", "200", "--json"]
    assert run(arguments) == 4
    shown = capsys.readouterr()
    assert set(json.loads(shown.out)["failed"]) == {"garch"}
    assert "garch is missing" in shown.err


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--window", "50"], "--window: 50 moves hold no tail at level 0.99: 100 are needed"),
        (["--window", "590"], "9 days have 590 moves before them, 200 are needed"),
        (["--days", "100"], "too little history"),
        (["--days", "5000"], "5000 are needed"),
        (["--method", "magic"], "'magic' is not one of"),
    ],
)
def test_bad_options_are_one_line(files, capsys, extra, message):
    line = fails(capsys, ["risk", "backtest", *account(files), "--history", str(files / "H.csv"), *extra])
    assert message in line


def test_a_longer_horizon_is_refused(linear):
    market, folio, _ = linear
    with pytest.raises(InputError, match="--horizon: 10 days"):
        var_backtest(market, folio, synthetic_history(walk(900, 0.03)), RiskSettings(horizon_days=10), ["historical"])


def test_real_prices__filtered_volatility_passes_and_a_normal_one_does_not(linear, real_prices):
    """ETH over the 1,000 days to 2026-02-04: Student-t tails and clusters, which the closed form does not know."""
    market, folio, _ = linear
    history = load_history(real_prices, ["ETH"]).between(0, 1_770_249_600)
    results = var_backtest(market, folio, history, RiskSettings(), ["filtered", "parametric"]).results
    assert results["filtered"].covers
    assert not results["parametric"].passes
