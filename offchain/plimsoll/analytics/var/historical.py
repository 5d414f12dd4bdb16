"""Historical simulation: yesterday's moves on today's book."""

from __future__ import annotations

from plimsoll.analytics.series.history import History
from plimsoll.analytics.series.moves import log_moves, volatility_note
from plimsoll.analytics.var.bootstrap import block_intervals
from plimsoll.analytics.var.legs import Leg, underlyings_of
from plimsoll.analytics.var.result import RiskResult, empirical_result
from plimsoll.analytics.var.revaluation import revalue
from plimsoll.analytics.var.settings import RiskSettings
from plimsoll.analytics.var.tail import check_level
from plimsoll.constants import DAY_SEC
from plimsoll.model import Market


def historical_var(market: Market, legs: tuple[Leg, ...], history: History, settings: RiskSettings) -> RiskResult:
    """VaR and ES from overlapping moves over the horizon, full revaluation.

    Parameters
    ----------
    market : Market
    legs : tuple of Leg
    history : History
        Assets equal to the underlyings of the legs, in their order.
    settings : RiskSettings

    Returns
    -------
    RiskResult

    Raises
    ------
    InputError
        If the tail holds less than one independent observation.

    Notes
    -----
    Overlapping moves are dependent: ``n/steps`` of them count as independent; intervals are by a block bootstrap.
    """
    steps = settings.horizon_days * DAY_SEC // history.step_sec
    moves = log_moves(history, steps, settings.vol_share)
    effective = moves.price.shape[0] / steps
    check_level(settings.level, effective, history.source)
    pnl = revalue(market, legs, underlyings_of(legs), moves, settings.horizon_days * DAY_SEC)
    warnings = volatility_note(history, settings.vol_share)
    method = f"historical: {len(pnl)} moves from {history.name}, {history.date(0)} to {history.date(-1)}"
    if steps == 1:
        return empirical_result(method, pnl, settings, warnings)
    warnings = (*warnings, f"moves over {steps} steps overlap: {effective:.0f} of them are independent")
    intervals = block_intervals(pnl.sum(axis=1), settings.level, steps, settings.confidence, settings.seed)
    return empirical_result(method, pnl, settings, warnings, intervals)
