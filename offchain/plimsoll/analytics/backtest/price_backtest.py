"""Back-test of a parameter set: how often, how clustered and how far the market left the scan range."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.backtest.coverage import (
    SIGNIFICANCE,
    LikelihoodRatio,
    conditional_coverage,
    too_many,
    traffic_light,
)
from plimsoll.analytics.backtest.liquidation_moves import BlockMoves, block_moves
from plimsoll.analytics.backtest.procyclicality import WINDOW, Procyclicality, procyclicality, rolling_rules
from plimsoll.analytics.backtest.shortfall_test import ShortfallTest, shortfall_test
from plimsoll.analytics.series.history import History
from plimsoll.errors import InputError
from plimsoll.params import MAX_PRICE_RANGE, Params

Vector = npt.NDArray[np.float64]

#: Coverage that both margins claim (risk-model section 10.3).
COVERAGE = 0.997
#: Hours in which a liquidation is done: maintenance margin is judged against the furthest price within them.
LIQUIDATION_HOURS = 6
#: Ranges are proposed in these steps, up to the largest that a book takes.
RANGE_STEP = 0.005


@dataclass(frozen=True, slots=True)
class BacktestSettings:
    """Horizon in steps of the history, claimed coverage, Student-t degrees of the ES law, EWMA decay, floor, seed."""

    steps: int = 1
    coverage: float = 0.99
    degrees: float = 4.0
    decay: float = 0.94
    floor: float = 0.10
    seed: int = 20_260_206

    def __post_init__(self) -> None:
        """Check every number against its range."""
        ranges = {
            "horizon": (self.steps, 1, 365),
            "coverage": (self.coverage, 0.9, 0.9999),
            "degrees": (self.degrees, 1.5, 1e6),
            "decay": (self.decay, 0.5, 0.9999),
            "floor": (self.floor, 0.01, 0.33),
            "seed": (self.seed, 0, 2**32 - 1),
        }
        for name, (value, low, high) in ranges.items():
            if not low <= value <= high:
                raise InputError(f"--{name}", f"{value:g} is outside [{low:g}, {high:g}]")


@dataclass(frozen=True, slots=True)
class LimitTest:
    """One limit against one measure of the move.

    Attributes
    ----------
    limit : float
        Relative move that is covered.
    expected : float
        Exceedances that the claimed coverage allows.
    exceedances : tuple of (str, float)
        Date on which the block ended, and the signed move.
    light, worst_year : str, int
        Traffic light over the whole history; most exceedances in any ``WINDOW`` blocks.
    hours : float
        Length of a block.
    source, first, last : str
        Prices it was judged by, and the span they cover.
    """

    limit: float
    observations: int
    expected: float
    exceedances: tuple[tuple[str, float], ...]
    kupiec: LikelihoodRatio
    independence: LikelihoodRatio
    conditional: LikelihoodRatio
    shortfall: ShortfallTest
    light: str
    worst_year: int
    hours: float
    source: str
    first: str
    last: str

    @property
    def too_many(self) -> bool:
        """Whether coverage is rejected because there are too many exceedances."""
        return too_many(len(self.exceedances), self.expected, self.kupiec.p_value)

    @property
    def passes(self) -> bool:
        """Whether the limit covers what it claims: coverage, ES and traffic light."""
        return not self.too_many and self.shortfall.p_value >= SIGNIFICANCE and self.light == "green"

    def to_json(self) -> dict[str, object]:
        """Build the entry of the report."""
        return {
            "limit": self.limit,
            "horizonHours": self.hours,
            "source": self.source,
            "first": self.first,
            "last": self.last,
            "observations": self.observations,
            "expected": self.expected,
            "count": len(self.exceedances),
            "exceedances": [{"date": date, "move": move} for date, move in self.exceedances],
            "kupiec": self.kupiec.to_json(),
            "independence": self.independence.to_json(),
            "conditionalCoverage": self.conditional.to_json(),
            "shortfall": self.shortfall.to_json(),
            "trafficLight": self.light,
            "worstWindow": self.worst_year,
            "passes": self.passes,
        }


@dataclass(frozen=True, slots=True)
class AssetBacktest:
    """One asset.

    Attributes
    ----------
    limits : mapping of str to LimitTest
        By name.
    raw_rule, buffered_rule : Procyclicality or None
        How two rolling rules would have moved; None with too little history.
    price_range : float
        Range that was judged.
    passing_range : float or None
        The range itself when every limit passes; else the smallest larger one that would, None when none does.
    """

    limits: Mapping[str, LimitTest]
    raw_rule: Procyclicality | None
    buffered_rule: Procyclicality | None
    price_range: float
    passing_range: float | None

    @property
    def passes(self) -> bool:
        """Whether every limit passes."""
        return all(test.passes for test in self.limits.values())

    def to_json(self) -> dict[str, object]:
        """Build the entry of the report."""
        rules = {"fixed": procyclicality(np.ones(2)).to_json()}
        if self.raw_rule is not None and self.buffered_rule is not None:
            rules |= {"ewma": self.raw_rule.to_json(), "buffered": self.buffered_rule.to_json()}
        return {
            "priceRange": self.price_range,
            "passes": self.passes,
            "passingRange": self.passing_range,
            "limits": {k: v.to_json() for k, v in self.limits.items()},
            "procyclicality": rules,
        }


def limit_test(
    history: History, blocks: BlockMoves, moves: Vector, limit: float, settings: BacktestSettings
) -> LimitTest:
    """Run every test of one limit.

    Parameters
    ----------
    history : History
        For the dates.
    blocks : BlockMoves
    moves : ndarray, shape (n,)
        ``blocks.close`` or ``blocks.worst``.
    limit : float
    settings : BacktestSettings

    Returns
    -------
    LimitTest
    """
    size, tail = np.abs(moves), 1.0 - settings.coverage
    hits = size > limit
    pof, independence, joint = conditional_coverage(hits, tail)
    count = int(hits.sum())
    window = np.convolve(hits.astype(np.int64), np.ones(min(WINDOW, hits.size), dtype=np.int64), mode="valid")
    return LimitTest(
        limit=limit,
        observations=hits.size,
        expected=hits.size * tail,
        exceedances=tuple((history.date(int(blocks.end[i])), float(moves[i])) for i in np.flatnonzero(hits)),
        kupiec=pof,
        independence=independence,
        conditional=joint,
        shortfall=shortfall_test(size, limit, settings.coverage, settings.degrees, settings.seed),
        light=traffic_light(count, hits.size, tail),
        worst_year=int(window.max()),
        hours=settings.steps * history.step_sec / 3_600,
        source=history.name,
        first=history.date(0),
        last=history.date(-1),
    )


def backtest_asset(
    history: History, asset: str, params: Params, settings: BacktestSettings, liquidation: History | None = None
) -> AssetBacktest:
    """Back-test the scan range of one asset, as initial and as maintenance margin.

    Parameters
    ----------
    history : History
    asset : str
    params : Params
        ``priceRange`` is the limit of initial margin, ``mmFactor*priceRange`` that of maintenance: a linear position
        at the edge of liquidation has that much left.
    settings : BacktestSettings
    liquidation : History, optional
        One step for each liquidation horizon; maintenance margin is judged by it, each step a block. Without it by
        ``history``, like initial margin.

    Returns
    -------
    AssetBacktest

    Raises
    ------
    InputError
        If fewer than two exceedances are expected: no test has power there.
    """
    price_range = params.for_underlying(asset).price_range
    factors = {"initial": params.account.im_factor, "maintenance": params.account.mm_factor}
    tried = {"initial": _trial(history, asset, settings)}
    tried["maintenance"] = (
        tried["initial"] if liquidation is None else _trial(liquidation, asset, replace(settings, steps=1))
    )
    limits = _limits(tried, factors, price_range)
    passing = price_range if all(test.passes for test in limits.values()) else _passing(tried, factors, price_range)
    worst = tried["initial"].blocks.worst
    if worst.size <= WINDOW:
        return AssetBacktest(limits, None, None, price_range, passing)
    raw, buffered = rolling_rules(worst, settings.coverage, settings.decay, settings.floor)
    return AssetBacktest(limits, procyclicality(raw), procyclicality(buffered), price_range, passing)


@dataclass(frozen=True, slots=True)
class _Trial:
    """Blocks of one history, and how they are tested."""

    history: History
    blocks: BlockMoves
    settings: BacktestSettings


def _trial(history: History, asset: str, settings: BacktestSettings) -> _Trial:
    blocks = block_moves(history, asset, settings.steps)
    need = int(np.ceil(2.0 / (1.0 - settings.coverage) - 1e-9))
    if blocks.close.size < need:
        raise InputError(
            history.source, f"{asset}: {blocks.close.size} blocks are too little history, {need} are needed"
        )
    return _Trial(history, blocks, settings)


def _limits(tried: Mapping[str, _Trial], factors: Mapping[str, float], price_range: float) -> dict[str, LimitTest]:
    """Test all limits of a range."""
    limits = {}
    for name, trial in tried.items():
        for kind, moves in (("Close", trial.blocks.close), ("Worst", trial.blocks.worst)):
            limit = price_range * factors[name]
            limits[f"{name}{kind}"] = limit_test(trial.history, trial.blocks, moves, limit, trial.settings)
    return limits


def _passing(tried: Mapping[str, _Trial], factors: Mapping[str, float], price_range: float) -> float | None:
    """Return the smallest larger range with which every limit passes."""

    def passes(step: int) -> bool:
        return all(test.passes for test in _limits(tried, factors, step * RANGE_STEP).values())

    # A wider range has fewer and smaller moves beyond it, so the steps that pass are the upper ones.
    low, high = math.floor(price_range / RANGE_STEP + 1e-9), round(MAX_PRICE_RANGE / RANGE_STEP)
    if low >= high or not passes(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if passes(middle) else (middle, high)
    return round(high * RANGE_STEP, 6)
