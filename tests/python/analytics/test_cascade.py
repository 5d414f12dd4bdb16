"""Gamma-shock cascade, correlation breakdown, GARCH filter and the back-test over option chains."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from arch import arch_model
from helpers.documents import load
from helpers.examples import EXPIRY, MARKET, PORTFOLIO
from helpers.histories import synthetic_history, walk

from plimsoll.analytics.backtest.chain_backtest import RECIPES, book_of, chain_backtest, load_chains
from plimsoll.analytics.series.covariance import horizon_covariance
from plimsoll.analytics.series.garch import garch_rule
from plimsoll.analytics.stress.cascade import CascadeSettings, cascade, hedging_accounts
from plimsoll.analytics.var.breakdown import correlation_breakdown
from plimsoll.analytics.var.settings import RiskSettings
from plimsoll.cli import run
from plimsoll.errors import InputError
from plimsoll.market.fit.rounds import fit_snapshot
from plimsoll.mirror.margin_engine import evaluate
from plimsoll.model import Kind, Mode, Portfolio, Position
from plimsoll.params import Params

QUIET = {**PORTFOLIO, "collateral": []}


def option(right, strike, quantity):
    kind = {"underlying": "ETH", "kind": "option", "right": right, "expiry": EXPIRY}
    return {**kind, "strike": strike, "quantity": quantity}


def perp(quantity, entry=1_900.0):
    return {"underlying": "ETH", "kind": "perp", "quantity": quantity, "entry": entry}


def account(cash, *positions):
    market, folio, _ = load(MARKET, {**QUIET, "cash": cash, "positions": list(positions)})
    return market, folio


def hedged(sign, cash=1e6):
    """Straddles at the money with their delta hedged."""
    market, folio = account(cash, option("call", 1_900.0, sign * 100.0), option("put", 1_900.0, sign * 100.0))
    delta = evaluate(market, folio, Params()).underlyings["ETH"].delta
    return market, replace(folio, positions=(*folio.positions, Position("ETH", Kind.PERP, 0, 1_900.0, -delta)))


def test_short_gamma_amplifies_and_long_gamma_dampens():
    market, short = hedged(-1.0)
    _, long = hedged(1.0)
    settings = CascadeSettings("ETH", -0.10, depth=1e6)
    down = cascade(market, [short], ["short"], Params(), settings)
    calm = cascade(market, [long], ["long"], Params(), settings)
    assert down.hedgers == ("short",)
    assert down.amplification > 1.0 > calm.amplification
    assert down.settled
    assert down.rounds[0].hedging < 0.0 < calm.rounds[0].hedging


def test_the_first_round_is_the_delta_change_over_the_depth():
    market, short = hedged(-1.0)
    found = cascade(market, [short], ["a"], Params(), CascadeSettings("ETH", -0.10, depth=2e6))
    impact = 0.01 * found.rounds[0].hedging / 2e6
    assert found.rounds[1].move == pytest.approx(0.9 * math.exp(impact) - 1.0, rel=1e-12)
    deep = cascade(market, [short], ["a"], Params(), CascadeSettings("ETH", -0.10, depth=1e14))
    assert deep.amplification == pytest.approx(1.0, abs=1e-6)


def test_a_liquidation_sells_the_delta_and_takes_the_next_account_down():
    market, weak = account(5_000.0, perp(10.0))
    _, next_ = account(6_700.0, perp(10.0))
    alone = cascade(market, [next_], ["next"], Params(), CascadeSettings("ETH", -0.12, depth=1e5))
    assert alone.rounds[-1].liquidated == ()
    assert all(r.liquidated == () for r in alone.rounds)
    both = cascade(market, [weak, next_], ["weak", "next"], Params(), CascadeSettings("ETH", -0.12, depth=3e3))
    assert both.rounds[0].liquidated == ("weak",)
    assert any("next" in r.liquidated for r in both.rounds[1:])
    fallen = [name for r in both.rounds for name in r.liquidated]
    assert sorted(fallen) == ["next", "weak"]
    assert both.rounds[0].selling == pytest.approx(-10.0 * 1_900.0 * 0.88)


def test_a_runaway_is_said_to_be_one():
    market, short = hedged(-1.0)
    found = cascade(market, [short], ["a"], Params(), CascadeSettings("ETH", -0.10, depth=100.0))
    assert not found.settled
    assert -0.9 <= found.rounds[-1].move <= 3.0


def test_hedgers_are_recognised_by_their_net_delta():
    market, short = hedged(-1.0)
    _, naked = account(1e6, option("call", 1_900.0, -100.0))
    _, plain = account(1e6, perp(3.0))
    assert hedging_accounts(market, [short, naked, plain], "ETH", Params()) == [True, False, False]


def test_cascade_command(tmp_path, capsys):
    (tmp_path / "M.json").write_text(json.dumps(MARKET))
    (tmp_path / "P.json").write_text(json.dumps(PORTFOLIO))
    base = ["cascade", "--market", str(tmp_path / "M.json"), "--portfolio", str(tmp_path / "P.json")]
    assert run([*base, "--underlying", "ETH", "--hedger", "1", "--depth", "1e5", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["hedgers"] == ["1 P.json"]
    assert run([*base, "--underlying", "ETH"]) == 0
    capsys.readouterr()
    for extra, message in (
        (["--underlying", "DOGE"], "'DOGE' is not an underlying"),
        (["--underlying", "ETH", "--shock", "-0.95"], "--shock: -0.95 is outside"),
        (["--underlying", "ETH", "--depth", "0"], "--depth: 0 is outside"),
        (["--underlying", "ETH", "--hedger", "2"], "--hedger: 2 is outside [1, 1]"),
    ):
        assert run([*base, *extra]) == 2
        shown = capsys.readouterr()
        assert message in shown.err
        assert shown.err.count("\n") == 1


def test_breakdown_of_a_spread_grows_as_correlation_falls():
    market, folio, _ = load(
        MARKET,
        {
            **QUIET,
            "positions": [perp(30.0), {"underlying": "BTC", "kind": "perp", "quantity": -0.9, "entry": 64_000.0}],
        },
    )
    history = synthetic_history(walk(400, 0.03, k=2), ("ETH", "BTC"))
    settings = RiskSettings(paths=1024, replicates=4)
    found = correlation_breakdown(market, folio, Params(), history, settings)
    es = [point.es for point in found.points[1:]]
    assert es == sorted(es, reverse=True)
    assert found.worst.correlation == -0.9
    single = evaluate(market, replace(folio, mode=Mode.SINGLE), Params())
    scans = sum(part.certified_scan for part in single.underlyings.values())
    assert found.separate == pytest.approx(Params().account.mm_factor * scans, rel=1e-12)
    assert found.cross < found.separate <= found.single
    alone = replace(folio, positions=folio.positions[:1])
    with pytest.raises(InputError, match="two underlyings"):
        correlation_breakdown(market, alone, Params(), history, settings)


def test_a_forced_correlation_replaces_what_is_between_prices_alone():
    """Forced to what was estimated it changes nothing, with volatilities that follow their prices."""
    history = synthetic_history(walk(400, 0.03, k=2), ("ETH", "BTC"))
    settings = RiskSettings()
    plain, _ = horizon_covariance(history, settings)
    std = np.sqrt(np.diag(plain))
    rho = plain[0, 1] / (std[0] * std[1])
    same, _ = horizon_covariance(history, replace(settings, correlation=float(rho)))
    assert same == pytest.approx(plain, rel=1e-9)
    forced, notes = horizon_covariance(history, replace(settings, correlation=0.5))
    assert not [note for note in notes if "repaired" in note]
    assert forced[0, 1] == pytest.approx(0.5 * std[0] * std[1], rel=1e-12)
    forced[0, 1] = forced[1, 0] = plain[0, 1]
    assert forced == pytest.approx(plain, rel=1e-12)
    own, _ = horizon_covariance(history, replace(settings, correlation=0.5, spot_vol=-0.3))
    assert own[0, 2] == pytest.approx(-0.3 * std[0] * std[2], rel=1e-12)


def garch_path(n, omega, alpha, beta, seed=3, degrees=None):
    rng, out, variance = np.random.default_rng(seed), np.empty(n), omega / (1.0 - alpha - beta)
    for t in range(n):
        fat = None if degrees is None else rng.standard_t(degrees) * np.sqrt((degrees - 2.0) / degrees)
        out[t] = np.sqrt(variance) * (rng.standard_normal() if fat is None else fat)
        variance = omega + alpha * out[t] ** 2 + beta * variance
    return out


def test_garch_finds_the_parameters_of_a_simulated_path():
    moves = garch_path(4_000, 2e-5, 0.10, 0.85)[:, None]
    rule = garch_rule(moves, ("ETH",))
    assert rule.alpha[0] == pytest.approx(0.10, abs=0.03)
    assert rule.beta[0] == pytest.approx(0.85, abs=0.05)
    expected = rule.omega + rule.alpha * moves[-1] ** 2 + rule.beta * rule.forecast[-2] ** 2
    assert rule.forecast[-1] ** 2 == pytest.approx(expected)
    residual = moves[:, 0] / rule.forecast[:-1, 0]
    assert residual.std() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("truth", [(2e-5, 0.10, 0.85), (4e-4, 0.05, 0.60)])
def test_garch_is_the_fit_of_the_package_arch(truth):
    """Innovations have fat tails: of normal ones the likelihood hardly knows how many degrees of freedom they have."""
    moves = garch_path(1_500, *truth, seed=8, degrees=6.0)
    rule = garch_rule(moves[:, None], ("ETH",))
    model = arch_model(100.0 * moves, mean="Zero", vol="GARCH", p=1, q=1, dist="t", rescale=False)
    theirs = model.fit(disp="off", show_warning=False)
    expected = [theirs.params[key] for key in ("alpha[1]", "beta[1]")]
    assert (rule.alpha[0], rule.beta[0]) == pytest.approx(expected, abs=1e-3)
    np.testing.assert_allclose(100.0 * rule.forecast[:-1, 0], theirs.conditional_volatility, rtol=1e-3)


def test_garch_needs_history_and_leaves_still_factors_alone():
    with pytest.raises(InputError, match="too little history"):
        garch_rule(np.ones((100, 1)), ("ETH",))
    moves = np.c_[garch_path(600, 2e-5, 0.1, 0.85), np.zeros(600)]
    assert not garch_rule(moves, ("ETH", "ETH vol")).forecast[:, 1].any()


def test_chain_backtest_refuses_too_little_history(real_prices):
    snapshots = load_chains(real_prices.parent / "deribit_chain_daily.parquet", "ETH")
    with pytest.raises(InputError, match="20 pairs of snapshots are too little history, 200 are needed"):
        chain_backtest(snapshots[:21], Params())
    with pytest.raises(InputError, match="no snapshot of DOGE"):
        load_chains(real_prices.parent / "deribit_chain_daily.parquet", "DOGE")


def test_chain_backtest_over_real_days(real_prices):
    snapshots = load_chains(real_prices.parent / "deribit_chain_daily.parquet", "ETH")[25:50]
    found = chain_backtest(snapshots, Params(), coverage=0.9)
    assert found.skipped == 0
    assert len(found.dates) == 24
    # A linear position's requirement is its range, in the tails too, and the basis: the worst day decides.
    spot = np.array([fit_snapshot(s).round.perp for s in snapshots])
    fall = float((1.0 - spot[1:] / spot[:-1]).max())
    book = book_of(RECIPES["long perpetual"], snapshots[0], fit_snapshot(snapshots[0]).round, snapshots[1].ts)
    assert book == Portfolio(Mode.SINGLE, 0.0, {}, book.positions)
    assert found.largest["long perpetual"] == pytest.approx(fall / (0.8 * (0.285 + 0.002)), rel=1e-6)
    narrow = Params(overrides_all={"price_range": 0.02, "vol_up": 0.0, "vol_down": 0.0})
    tight = chain_backtest(snapshots, narrow, coverage=0.9)
    assert not tight.tests["long perpetual"][1].passes
    beyond = int((1.0 - spot[1:] / spot[:-1] > 0.8 * (0.02 + 0.002)).sum())
    assert len(tight.tests["long perpetual"][1].exceedances) == beyond > 2
    day, ratio = max(tight.tests["long perpetual"][1].exceedances, key=lambda e: e[1])
    assert day.startswith("2026-0")
    assert ratio > 1.0
