"""Crashes of the price history as scenarios."""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np

from plimsoll.analytics.series.history import History
from plimsoll.analytics.stress.scenarios import Scenario
from plimsoll.analytics.stress.shock import Shock
from plimsoll.constants import DAY_SEC

#: First and last day of each crash.
CRASHES: Final = (
    ("2018-01-16", "2018-01-17"),
    ("2020-03-12", "2020-03-13"),
    ("2021-05-19", "2021-05-19"),
    ("2022-06-12", "2022-06-18"),
    ("2022-11-07", "2022-11-09"),
    ("2024-08-05", "2024-08-05"),
    ("2025-10-10", "2025-10-10"),
    ("2026-02-05", "2026-02-06"),
)


def crash_scenarios(history: History, vol_move: float) -> tuple[list[Scenario], list[str]]:
    """Replay each crash from the close of the day before to the low of its days.

    Parameters
    ----------
    history : History
        Daily.
    vol_move : float
        Assumed relative rise of all volatilities, where the history has none; else the largest close within the crash.

    Returns
    -------
    list of Scenario, list of str
        Every asset at its own low, at once; the crashes that the history does not hold.
    """
    scenarios: list[Scenario] = []
    missing: list[str] = []
    for first, last in CRASHES:
        start, end = ((date.fromisoformat(day) - date(1970, 1, 1)).days * DAY_SEC for day in (first, last))
        rows = np.flatnonzero((history.ts >= start) & (history.ts <= end))
        if rows.size == 0 or rows[0] == 0 or history.ts[rows[-1]] < end:
            missing.append(first)
            continue
        before = int(rows[0]) - 1
        low = history.low[rows].min(axis=0) / history.close[before] - 1.0
        vols = np.full(len(history.assets), vol_move)
        if history.iv is not None:
            vols = np.maximum(history.iv[rows].max(axis=0) / history.iv[before] - 1.0, 0.0)
        shocks = {name: Shock(float(low[i]), float(vols[i])) for i, name in enumerate(history.assets)}
        assumed = "vol from history" if history.iv is not None else f"vol {vol_move:+g} assumed"
        scenarios.append(Scenario(f"crash {first}", shocks, 0.0, f"{history.source}, close before to low, {assumed}"))
    return scenarios, missing
