"""Back-test and calibration on synthetic histories of known law, and on the real one."""

import numpy as np
import pytest
from helpers.histories import synthetic_history, walk
from scipy.special import ndtri

from offchain.analytics.backtest import BacktestSettings, backtest_asset
from offchain.analytics.calibrate import calibrate_asset, parameter_document
from offchain.analytics.history import load_history
from offchain.analytics.liquidation_moves import block_moves
from offchain.analytics.procyclicality import procyclicality, rolling_rules
from offchain.errors import InputError
from offchain.params import Params, UnderlyingParams

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


def test_default_parameters_over_the_real_history(real_prices):
    """Recorded figures; a change of data or method must be noticed."""
    history = load_history(real_prices, ["ETH", "BTC"])
    counts = {}
    for asset in history.assets:
        found = backtest_asset(history, asset, Params(), BacktestSettings()).limits
        counts[asset] = {name: len(test.exceedances) for name, test in found.items()}
    assert counts == {
        "ETH": {"initialClose": 1, "initialWorst": 7, "maintenanceClose": 5, "maintenanceWorst": 21},
        "BTC": {"initialClose": 1, "initialWorst": 6, "maintenanceClose": 5, "maintenanceWorst": 22},
    }
