"""Back-test and calibration on synthetic histories of known law, and on the real one."""

import json
from dataclasses import replace

import numpy as np
import pytest
from helpers.histories import synthetic_history, walk
from scipy.special import ndtri

from plimsoll.analytics.backtest.calibrate import calibrate_asset, parameter_document
from plimsoll.analytics.backtest.liquidation_moves import block_moves
from plimsoll.analytics.backtest.price_backtest import COVERAGE, LIQUIDATION_HOURS, BacktestSettings, backtest_asset
from plimsoll.analytics.backtest.procyclicality import procyclicality, rolling_rules
from plimsoll.analytics.series.history import join_histories, load_history
from plimsoll.cli import run
from plimsoll.cli.history_option import hourly_history
from plimsoll.errors import InputError
from plimsoll.market.chain_file import write_chain
from plimsoll.market.replay.synthetic import synthetic_market
from plimsoll.params import Params, UnderlyingParams

SETTINGS = BacktestSettings(degrees=1e6)


def ranged(price_range):
    return Params(overrides={"ETH": {"price_range": price_range}})


def test_the_true_quantile_passes_and_half_of_it_fails():
    """The law of the log move is normal and known; the limit is its 99 % quantile as a relative move."""
    history = synthetic_history(walk(3_000, 0.02, seed=8))
    limit = np.expm1(-0.02 * ndtri(0.005))
    assert backtest_asset(history, "ETH", ranged(limit), SETTINGS).limits["initialClose"].passes
    assert not backtest_asset(history, "ETH", ranged(limit / 2), SETTINGS).limits["initialClose"].passes


def test_exceedances_are_the_moves_beyond_the_limit_with_their_dates():
    close = 100.0 + (np.arange(301) % 2)
    close[250:] = 80.0 + (np.arange(51) % 2)
    test = backtest_asset(synthetic_history(close), "ETH", ranged(0.18), SETTINGS).limits["initialClose"]
    assert [date for date, _ in test.exceedances] == ["1970-09-08"]
    assert test.exceedances[0][1] == pytest.approx(80.0 / 101.0 - 1.0)


def test_blocks_do_not_overlap_and_see_the_furthest_price():
    history = synthetic_history([100.0, 90.0, 80.0, 95.0, 100.0, 130.0])
    blocks = block_moves(history, "ETH", 2)
    assert blocks.close == pytest.approx([-0.2, 0.25])
    assert blocks.worst == pytest.approx([-0.2, 0.25])
    assert blocks.end.tolist() == [2, 4]


def test_rolling_rules_do_not_see_the_future():
    moves = np.random.default_rng(1).normal(0, 0.03, 600)
    other = moves.copy()
    other[500:] *= 9
    for a, b in zip(rolling_rules(moves, 0.99, 0.94, 0.1), rolling_rules(other, 0.99, 0.94, 0.1), strict=True):
        # entry i is set before move 250 + i
        assert np.array_equal(a[:251], b[:251])
        assert not np.array_equal(a[251:], b[251:])


def test_procyclicality_of_a_known_path():
    found = procyclicality(np.array([1.0, 2.0, 2.0, 4.0, 4.0, 4.0, 1.0]))
    assert (found.peak_to_trough, found.rise_1, found.rise_5) == (4.0, 2.0, 4.0)
    assert procyclicality(np.ones(30)).rise_20 == 1.0


def test_calibration_reaches_its_coverage_and_keeps_the_floor():
    wild = synthetic_history(walk(2_000, 0.05, seed=2))
    found = calibrate_asset(wild, None, "ETH", SETTINGS)
    test = backtest_asset(wild, "ETH", ranged(found.price_range), SETTINGS).limits["initialWorst"]
    assert len(test.exceedances) <= test.expected
    assert found.vol_up is None
    assert calibrate_asset(synthetic_history(walk(2_000, 0.001)), None, "ETH", SETTINGS).price_range == 0.1


def test_calibration_says_when_the_book_cannot_cover():
    found = calibrate_asset(synthetic_history(walk(2_000, 0.2)), None, "ETH", SETTINGS)
    assert found.price_range == 0.5
    assert any("coverage NOT reached" in reason for reason in found.reasons)


def test_vol_ranges_come_from_the_volatility_history():
    n = 400
    iv = 0.6 * np.exp(np.random.default_rng(3).normal(0.0, 0.4, (n, 1)))
    history = synthetic_history(walk(n, 0.03), iv=iv)
    found = calibrate_asset(history, history, "ETH", SETTINGS)
    moves = iv[1:, 0] / iv[:-1, 0] - 1
    assert (moves > found.vol_up).sum() <= 0.01 * moves.size < (moves > found.vol_up - 0.3).sum()
    document = parameter_document({"ETH": found}, UnderlyingParams())
    assert document["volUp"] == {"ETH": found.vol_up}


@pytest.mark.parametrize("rows", [100, 199])
def test_too_little_history_is_refused(rows):
    with pytest.raises(InputError, match="too little history, 200 are needed"):
        backtest_asset(synthetic_history(walk(rows, 0.02)), "ETH", Params(), SETTINGS)
    with pytest.raises(InputError, match="too little history, 251 are needed"):
        calibrate_asset(synthetic_history(walk(rows, 0.02)), None, "ETH", SETTINGS)


def test_maintenance_is_judged_by_its_own_blocks_where_there_are_hours():
    """The same path in steps of a day and of six hours: a third of it within a day, never within six hours."""
    fall = np.concatenate([np.full(3_000, 100.0), np.linspace(100.0, 66.0, 5), np.full(999, 66.0)])
    wiggle = fall * (1.0 + 1e-4 * (np.arange(fall.size) % 2))
    hours = replace(synthetic_history(wiggle), step_sec=21_600, sources=("hours",))
    days = synthetic_history(wiggle[::4])
    found = backtest_asset(days, "ETH", ranged(0.25), SETTINGS, hours).limits
    assert (found["initialWorst"].hours, found["maintenanceWorst"].hours) == (24.0, 6.0)
    assert (found["initialWorst"].observations, found["maintenanceWorst"].observations) == (1_000, 4_003)
    assert [test.source for test in found.values()] == [days.source] * 2 + ["hours"] * 2
    assert len(found["initialWorst"].exceedances) == 1
    assert len(found["maintenanceWorst"].exceedances) == 0
    alone = backtest_asset(days, "ETH", ranged(0.25), SETTINGS).limits["maintenanceWorst"]
    assert (alone.hours, len(alone.exceedances)) == (24.0, 1)


def test_a_range_that_fails_names_the_smallest_that_would_pass():
    history = synthetic_history(walk(3_000, 0.02, seed=8))
    found = backtest_asset(history, "ETH", ranged(0.03), SETTINGS)
    assert not found.passes
    assert found.passing_range is not None
    assert backtest_asset(history, "ETH", ranged(found.passing_range), SETTINGS).passes
    assert not backtest_asset(history, "ETH", ranged(found.passing_range - 0.005), SETTINGS).passes
    wide = backtest_asset(history, "ETH", ranged(0.3), SETTINGS)
    assert (wide.passes, wide.passing_range) == (True, 0.3)
    wild = backtest_asset(synthetic_history(walk(3_000, 0.4, seed=8)), "ETH", ranged(0.1), SETTINGS)
    assert (wild.passes, wild.passing_range) == (False, None)


def test_a_history_is_continued_by_another_of_the_same_steps():
    whole = synthetic_history(100.0 + np.arange(40.0) % 7)
    early, late = whole.between(0, int(whole.ts[25])), whole.between(int(whole.ts[20]), 2**40)
    joined = join_histories(early, late)
    assert np.array_equal(joined.ts, whole.ts)
    assert np.array_equal(joined.close, whole.close)
    assert joined.source == f"{whole.source}, {whole.source}"
    with pytest.raises(InputError, match="steps missing"):
        join_histories(whole.between(0, int(whole.ts[19])), late)
    with pytest.raises(InputError, match="other assets or steps"):
        join_histories(early, replace(late, step_sec=3_600))


def test_default_parameters_over_the_real_history(real_prices):
    """Recorded figures; a change of data or method must be noticed. Every limit passes at 99.7 % (risk-model 10.3)."""
    history = load_history(real_prices, ["ETH", "BTC"])
    hours = hourly_history([], history.assets, LIQUIDATION_HOURS)
    assert (hours.date(0), hours.date(-1)) == ("2017-08-17T00:00Z", "2026-08-22T18:00Z")
    counts = {}
    for asset in history.assets:
        found = backtest_asset(history, asset, Params(), BacktestSettings(coverage=COVERAGE), hours)
        assert found.passes
        counts[asset] = {name: len(test.exceedances) for name, test in found.limits.items()}
    assert counts == {
        "ETH": {"initialClose": 1, "initialWorst": 7, "maintenanceClose": 3, "maintenanceWorst": 8},
        "BTC": {"initialClose": 1, "initialWorst": 6, "maintenanceClose": 3, "maintenanceWorst": 10},
    }


def test_maintenance_against_a_whole_day_would_fail(real_prices):
    history = load_history(real_prices, ["ETH", "BTC"])
    found = backtest_asset(history, "ETH", Params(), BacktestSettings(coverage=COVERAGE))
    assert [name for name, test in found.limits.items() if not test.passes] == ["maintenanceWorst"]
    assert len(found.limits["maintenanceWorst"].exceedances) == 21
    assert found.passing_range is not None
    assert found.passing_range > found.price_range


def test_the_command_says_that_every_limit_passes(real_prices, capsys):
    assert run(["backtest", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["passes"], document["coverage"], document["liquidationHours"]) == (True, 0.997, 6)
    assert run(["backtest"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("every limit passes") == 2
    assert "maintenance margin: 13171 blocks of 6 hours" in shown


def test_bad_hours_are_one_line(real_prices, capsys):
    for options in (["--liquidation", "0"], ["--liquidation", "25"], ["--hourly", "nowhere.parquet"]):
        assert run(["backtest", *options]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.count("\n") == 1


def test_chains_claim_what_months_can_tell(tmp_path, capsys):
    path = tmp_path / "chain.parquet"
    write_chain(synthetic_market().table, path)
    assert run(["backtest", "--chains", "--chain-file", str(path)]) == 2
    assert "38 pairs of snapshots are too little history, 200 are needed" in capsys.readouterr().err
    assert run(["backtest", "--chains", "--chain-file", str(path), "--coverage", "0.997"]) == 2
    assert "667 are needed" in capsys.readouterr().err
