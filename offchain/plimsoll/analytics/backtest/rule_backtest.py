"""Back-test of the rule by which ranges follow the market: what it would have asked for, and what went beyond it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.backtest.coverage import kupiec, too_many, traffic_light
from plimsoll.analytics.backtest.liquidation_moves import block_moves
from plimsoll.analytics.backtest.price_backtest import COVERAGE
from plimsoll.analytics.series.history import History
from plimsoll.constants import DAY_SEC
from plimsoll.errors import InputError
from plimsoll.mirror.range_rule import STEP, RangeTerms, observe
from plimsoll.params import Params

Vector = npt.NDArray[np.float64]

#: Who shows the rule a day's prices: everybody its lowest and highest too, or one caller its last alone.
CALLERS: Final = ("everyPrice", "oneCallADay")
WEEK: Final = 7
YEAR_DAYS: Final = 365.25
#: Ranges that are no further apart are the same.
NOTHING: Final = STEP * 1e-6


@dataclass(frozen=True, slots=True)
class RulePath:
    """Ranges at the beginning of every day, from earlier days only.

    Attributes
    ----------
    asked : ndarray, shape (n,)
        Range in the book: what a new position needs.
    enforced : ndarray, shape (n,)
        Range below which an auction may start: within a grace the lesser of that and the one before it.
    """

    asked: Vector
    enforced: Vector


@dataclass(frozen=True, slots=True)
class Beyond:
    """Days whose furthest price went beyond a limit.

    Attributes
    ----------
    dates : tuple of str
    expected : float
        How many the claimed coverage allows.
    p_value : float
        Of Kupiec's test.
    light : str
        Traffic light.
    """

    dates: tuple[str, ...]
    expected: float
    p_value: float
    light: str

    @property
    def passes(self) -> bool:
        """Whether the limit covers what it claims."""
        return not too_many(len(self.dates), self.expected, self.p_value) and self.light == "green"

    def to_json(self) -> dict[str, object]:
        """Build the entry of the report."""
        return {
            "count": len(self.dates),
            "expected": self.expected,
            "kupiec": self.p_value,
            "trafficLight": self.light,
            "passes": self.passes,
            "dates": list(self.dates),
        }


@dataclass(frozen=True, slots=True)
class RuleBacktest:
    """What the rule would have done.

    Attributes
    ----------
    initial, maintenance, in_grace : Beyond
        Against initial margin, against maintenance margin, and against what an auction may start below.
    share_above : float
        Share of the days that began above the floor.
    highest : float
    rise_day, rise_week : float
        Largest rises of the range, absolute.
    changes_a_year : float
    """

    initial: Beyond
    maintenance: Beyond
    in_grace: Beyond
    share_above: float
    highest: float
    rise_day: float
    rise_week: float
    changes_a_year: float

    def to_json(self) -> dict[str, object]:
        """Build the entry of the report."""
        return {
            "initial": self.initial.to_json(),
            "maintenance": self.maintenance.to_json(),
            "maintenanceInGrace": self.in_grace.to_json(),
            "shareAboveFloor": self.share_above,
            "highest": self.highest,
            "largestRiseDay": self.rise_day,
            "largestRiseWeek": self.rise_week,
            "changesAYear": self.changes_a_year,
        }


def _shown(history: History, column: int, row: int, callers: str) -> Iterator[tuple[int, float]]:
    """Yield the prices of a day that the rule sees, the last one last."""
    ts, close = int(history.ts[row]), float(history.close[row, column])
    if callers == "everyPrice":
        yield ts + 1, float(history.low[row, column])
        yield ts + 2, float(history.high[row, column])
    yield ts + history.step_sec - 1, close


def rule_path(history: History, asset: str, terms: RangeTerms, callers: str, grace_sec: int) -> RulePath:
    """Apply the rule to a daily history.

    Parameters
    ----------
    history : History
        Daily.
    asset : str
    terms : RangeTerms
    callers : str
        One of ``CALLERS``.
    grace_sec : int
        What every change starts; see ``observe``.

    Returns
    -------
    RulePath
        For every day but the first.

    Raises
    ------
    InputError
        When the history is not daily.
    """
    if history.step_sec != DAY_SEC:
        raise InputError(history.source, f"the rule sees days, not steps of {history.step_sec} seconds")
    column, price_range, prior = history.assets.index(asset), terms.floor, terms.floor
    view = observe(None, terms, int(history.ts[0]), float(history.close[0, column]), price_range)
    grace_end, asked, enforced = -1, [], []
    for row in range(1, history.ts.size):
        asked.append(price_range)
        enforced.append(min(prior, price_range) if int(history.ts[row]) <= grace_end else price_range)
        for ts, price in _shown(history, column, row, callers):
            # The last second counts as within: callers of a storm do not wait for a grace to end.
            in_grace = ts <= grace_end
            view = observe(view, terms, ts, price, price_range, prior if in_grace else None)
            if abs(view.price_range - price_range) > NOTHING:
                prior, grace_end = prior if in_grace else price_range, ts + grace_sec
            price_range = view.price_range
    return RulePath(np.array(asked), np.array(enforced))


def _beyond(history: History, end: npt.NDArray[np.int64], size: Vector, limit: Vector, coverage: float) -> Beyond:
    hits = np.flatnonzero(size > limit)
    tail = 1.0 - coverage
    dates = tuple(history.date(int(end[i])) for i in hits)
    count, n = len(dates), size.size
    return Beyond(dates, n * tail, kupiec(count, n, tail).p_value, traffic_light(count, n, tail))


def backtest_rule(
    history: History,
    asset: str,
    params: Params,
    terms: RangeTerms,
    *,
    callers: str = CALLERS[0],
    coverage: float = COVERAGE,
    grace_sec: int = DAY_SEC,
) -> RuleBacktest:
    """Back-test the rule on the furthest price of every day, from the close before it.

    Parameters
    ----------
    history : History
        Daily.
    asset : str
    params : Params
        Factors of initial and maintenance margin.
    terms : RangeTerms
    callers : str
        One of ``CALLERS``.
    coverage : float
    grace_sec : int

    Returns
    -------
    RuleBacktest
    """
    path = rule_path(history, asset, terms, callers, grace_sec)
    blocks = block_moves(history, asset, 1)
    size = np.abs(blocks.worst)

    def beyond(limit: Vector) -> Beyond:
        return _beyond(history, blocks.end, size, limit, coverage)

    account, asked = params.account, path.asked
    rise = {n: float(np.max(asked[n:] - asked[:-n], initial=0.0)) for n in (1, WEEK)}
    return RuleBacktest(
        initial=beyond(account.im_factor * asked),
        maintenance=beyond(account.mm_factor * asked),
        in_grace=beyond(account.mm_factor * path.enforced),
        share_above=float(np.mean(asked > terms.floor + NOTHING)),
        highest=float(asked.max()),
        rise_day=rise[1],
        rise_week=rise[WEEK],
        changes_a_year=float(np.sum(np.abs(np.diff(asked)) > NOTHING)) / asked.size * YEAR_DAYS,
    )


def rule_terms(params: Params, asset: str) -> RangeTerms:
    """Terms of the shipped configurations, with the range of an underlying as the floor."""
    return RangeTerms(params.for_underlying(asset).price_range)
