"""Calibration of the scenario ranges from history, with floors and anti-procyclical buffers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.backtest.liquidation_moves import block_moves
from plimsoll.analytics.backtest.price_backtest import BacktestSettings
from plimsoll.analytics.backtest.procyclicality import WINDOW, rolling_rules
from plimsoll.analytics.series.history import History
from plimsoll.errors import InputError
from plimsoll.params import MAX_PRICE_RANGE, UnderlyingParams

Vector = npt.NDArray[np.float64]

#: Parameters are proposed in these steps, rounded up.
GRID = 0.005
#: Lowest vol ranges that calibration proposes: the defaults, since months of volatilities do not justify less.
VOL_UP_FLOOR, VOL_DOWN_FLOOR = UnderlyingParams().vol_up, UnderlyingParams().vol_down


@dataclass(frozen=True, slots=True)
class AssetCalibration:
    """Proposed ranges of one asset; vol ranges are None without a volatility history."""

    price_range: float
    vol_up: float | None
    vol_down: float | None
    reasons: tuple[str, ...]


def _up(value: float) -> float:
    return round(math.ceil(value / GRID - 1e-9) * GRID, 6)


def _quantile(values: Vector, coverage: float) -> float:
    """Upper order statistic: at most ``n*(1-coverage)`` values lie above it."""
    ordered = np.sort(values)
    return float(ordered[min(math.ceil(values.size * coverage), values.size) - 1])


def _price_range(history: History, asset: str, settings: BacktestSettings, factor: float) -> tuple[float, list[str]]:
    moves = block_moves(history, asset, settings.steps).worst
    long_run = _quantile(np.abs(moves), settings.coverage)
    raw, buffered = rolling_rules(moves, settings.coverage, settings.decay, settings.floor)
    wanted = max(long_run, float(buffered[-1]), settings.floor) / factor
    reasons = [
        f"priceRange: long-run quantile {long_run:.4f} of {moves.size} blocks, EWMA now {raw[-1]:.4f}, "
        f"buffered {buffered[-1]:.4f}, floor {settings.floor:g}, divided by the margin factor {factor:g}"
    ]
    if wanted > MAX_PRICE_RANGE:
        reasons.append(
            f"priceRange {wanted:.4f} is more than the book allows: capped at {MAX_PRICE_RANGE:g}, coverage NOT reached"
        )
    return min(_up(wanted), MAX_PRICE_RANGE), reasons


def _vol_ranges(history: History, asset: str, settings: BacktestSettings) -> tuple[float, float, str]:
    if history.iv is None:
        raise InputError(history.source, "has no column iv or atm_iv_30d")
    iv = history.iv[:, history.assets.index(asset)]
    if iv.size - settings.steps < _needed(settings):
        raise InputError(
            history.source,
            f"{asset}: {iv.size} volatilities are too little history, {_needed(settings) + settings.steps} are needed",
        )
    move = iv[settings.steps :] / iv[: -settings.steps] - 1.0
    up, down = _quantile(move, settings.coverage), _quantile(-move, settings.coverage)
    reason = (
        f"volUp, volDown: quantiles {up:.4f}, {down:.4f} of {move.size} overlapping moves of the 30-day volatility, "
        f"floors {VOL_UP_FLOOR:g}, {VOL_DOWN_FLOOR:g}"
    )
    return _up(max(up, VOL_UP_FLOOR)), min(_up(max(down, VOL_DOWN_FLOOR)), 1.0), reason


def _needed(settings: BacktestSettings) -> int:
    return math.ceil(2.0 / (1.0 - settings.coverage) - 1e-9)


def calibrate_asset(
    history: History, vol_history: History | None, asset: str, settings: BacktestSettings, factor: float = 1.0
) -> AssetCalibration:
    """Propose the ranges of one asset.

    Parameters
    ----------
    history : History
        Prices; more than ``WINDOW`` blocks, and two expected exceedances.
    vol_history : History or None
        With volatilities; without it the vol ranges stay as they are.
    asset : str
    settings : BacktestSettings
    factor : float
        Margin over scan loss of the requirement that has to reach the coverage: ``imFactor`` or ``mmFactor``.

    Returns
    -------
    AssetCalibration
        The price range covers the furthest high or low within the horizon; it is the largest of the long-run
        quantile, the buffered rule of today and the floor, rounded up.

    Raises
    ------
    InputError
        When there is too little history.
    """
    blocks = (history.ts.size - 1) // settings.steps
    need = max(WINDOW + 1, _needed(settings))
    if blocks < need:
        raise InputError(history.source, f"{asset}: {blocks} blocks are too little history, {need} are needed")
    price_range, reasons = _price_range(history, asset, settings, factor)
    if vol_history is None:
        return AssetCalibration(
            price_range, None, None, (*reasons, "volUp, volDown: no volatility history, left as they are")
        )
    vol_up, vol_down, reason = _vol_ranges(vol_history, asset, settings)
    return AssetCalibration(price_range, vol_up, vol_down, (*reasons, reason))


def parameter_document(calibrations: dict[str, AssetCalibration], unchanged: UnderlyingParams) -> dict[str, object]:
    """Build a parameter file (plimsoll.params/1) of everything that was calibrated.

    Parameters
    ----------
    calibrations : dict
        By asset.
    unchanged : UnderlyingParams
        Gives the vol ranges of an asset without its own when another asset has them.

    Returns
    -------
    dict
    """
    document: dict[str, object] = {
        "schema": "plimsoll.params/1",
        "priceRange": {asset: found.price_range for asset, found in calibrations.items()},
    }
    if any(found.vol_up is not None for found in calibrations.values()):
        document["volUp"] = {
            asset: unchanged.vol_up if found.vol_up is None else found.vol_up for asset, found in calibrations.items()
        }
        document["volDown"] = {
            asset: unchanged.vol_down if found.vol_down is None else found.vol_down
            for asset, found in calibrations.items()
        }
    return document
