"""Mean-variance frontier over underlyings, with shrunk covariance and means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.report.figures import frontier_figure
from plimsoll.analytics.series.history import History
from plimsoll.analytics.series.moves import log_moves
from plimsoll.constants import DAY_SEC
from plimsoll.errors import InputError, PlimsollError
from plimsoll.frames import Tabular

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Vector = npt.NDArray[np.float64]
MAX_WEIGHT = 10.0
#: Means and covariances of fewer moves say nothing.
MIN_MOVES = 60


@dataclass(frozen=True, slots=True)
class FrontierPoint:
    """Weights of the assets, expected return and volatility per year."""

    weights: tuple[float, ...]
    mean: float
    volatility: float


@dataclass(frozen=True, slots=True, repr=False)
class Frontier(Tabular):
    """Points from the least variance upwards, and how far the estimates were shrunk."""

    assets: tuple[str, ...]
    points: tuple[FrontierPoint, ...]
    covariance_shrinkage: float
    mean_shrinkage: float

    def columns(self) -> Mapping[str, Sequence[object]]:
        """Return one row per point: volatility and expected return per year, and the weight of every asset."""
        weights = {f"weight_{name}": [p.weights[i] for p in self.points] for i, name in enumerate(self.assets)}
        return {"volatility": [p.volatility for p in self.points], "mean": [p.mean for p in self.points]} | weights

    def plot(self) -> Figure:
        """Draw expected return over volatility, per year."""
        return frontier_figure(self)

    def __repr__(self) -> str:
        least, most = self.points[0].volatility, self.points[-1].volatility
        return f"<Frontier of {', '.join(self.assets)}: volatility {least:.1%} to {most:.1%} per year>"

    def __str__(self) -> str:
        header = "".join(f"{name:>10}" for name in ("volatility", "return", *self.assets))
        rows = ((p.volatility, p.mean, *p.weights) for p in self.points)
        return "\n".join((header, *("".join(f"{share:>10.1%}" for share in row) for row in rows)))

    def to_json(self) -> dict[str, object]:
        """Build the plimsoll.frontier/1 document."""
        return {
            "schema": "plimsoll.frontier/1",
            "assets": list(self.assets),
            "covarianceShrinkage": self.covariance_shrinkage,
            "meanShrinkage": self.mean_shrinkage,
            "points": [{"weights": list(p.weights), "mean": p.mean, "volatility": p.volatility} for p in self.points],
        }


def shrunk_covariance(returns: Vector) -> tuple[Vector, float]:
    """Shrink the sample covariance towards a multiple of the identity.

    Parameters
    ----------
    returns : ndarray, shape (n, k)

    Returns
    -------
    ndarray of shape (k, k), float
        Covariance; weight of the target, in [0, 1].

    References
    ----------
    .. [1] O. Ledoit, M. Wolf, A well-conditioned estimator for large-dimensional covariance matrices, 2004.
    """
    n, k = returns.shape
    centred = returns - returns.mean(axis=0)
    sample = centred.T @ centred / n
    mean_variance = float(np.trace(sample)) / k
    target = mean_variance * np.eye(k)
    distance = float(((sample - target) ** 2).sum()) / k
    noise = sum(float(((np.outer(row, row) - sample) ** 2).sum()) for row in centred) / n**2 / k
    weight = 1.0 if distance <= 0.0 else min(1.0, noise / distance)
    return weight * target + (1.0 - weight) * sample, weight


def shrunk_means(returns: Vector, covariance: Vector) -> tuple[Vector, float]:
    """Shrink sample means towards that of the least-variance portfolio.

    Parameters
    ----------
    returns : ndarray, shape (n, k)
    covariance : ndarray, shape (k, k)

    Returns
    -------
    ndarray of shape (k,), float
        Means; weight of the target, in [0, 1].

    References
    ----------
    .. [1] P. Jorion, Bayes-Stein estimation for portfolio analysis, 1986.
    """
    n, k = returns.shape
    mean = returns.mean(axis=0)
    inverse = np.linalg.inv(covariance)
    ones = np.ones(k)
    target = float(ones @ inverse @ mean) / float(ones @ inverse @ ones)
    gap = mean - target
    weight = (k + 2.0) / (k + 2.0 + n * float(gap @ inverse @ gap))
    return np.asarray(weight * target + (1.0 - weight) * mean), weight


def _least_variance(covariance: Vector, mean: Vector, wanted: float | None, largest: float, long_only: bool) -> Vector:
    """Weights of least variance that reach a mean; they add up to 1."""
    import cvxpy as cp

    weights = cp.Variable(mean.size)
    limits = [cp.sum(weights) == 1.0, weights <= largest, weights >= (0.0 if long_only else -largest)]
    if wanted is not None:
        limits.append(mean @ weights >= wanted)
    scale = float(np.trace(covariance)) / mean.size
    problem = cp.Problem(cp.Minimize(cp.quad_form(weights, cp.psd_wrap(covariance / scale))), limits)
    problem.solve(solver=cp.CLARABEL)
    if problem.status not in ("optimal", "optimal_inaccurate"):
        raise PlimsollError("optimise", f"frontier: the solver stopped: {problem.status}")
    return np.asarray(weights.value)


def frontier(history: History, count: int = 12, largest: float = 1.0, long_only: bool = True) -> Frontier:
    """Efficient frontier of the assets of a history.

    Parameters
    ----------
    history : History
        At least two assets.
    count : int
        Points.
    largest : float
        Largest weight of one asset (and, without ``long_only``, largest short weight).
    long_only : bool

    Returns
    -------
    Frontier
        From the least variance to the largest mean within the limits, means evenly spaced; per year, simple returns.

    Raises
    ------
    InputError
        For one asset, too little history, or limits that no weights meet.
    """
    k = len(history.assets)
    if k < 2:
        raise InputError("--asset", f"{k} asset, a frontier needs at least 2")
    if len(set(history.assets)) < k:
        raise InputError("--asset", f"{', '.join(history.assets)}: an asset appears twice")
    if not 0.0 < largest <= MAX_WEIGHT:
        raise InputError("--largest", f"{largest:g} is outside (0, {MAX_WEIGHT:g}]")
    if largest * k < 1.0:
        raise InputError("--largest", f"infeasible: {k} weights of at most {largest:g} cannot add up to 1")
    if not 2 <= count <= 200:
        raise InputError("--points", f"{count} is outside [2, 200]")
    if history.ts.size - 1 < MIN_MOVES:
        raise InputError(history.source, f"too little history: {history.ts.size - 1} moves, {MIN_MOVES} are needed")
    steps_a_year = 365.0 * DAY_SEC / history.step_sec
    returns = np.expm1(log_moves(history).price)
    covariance, covariance_weight = shrunk_covariance(returns)
    mean, mean_weight = shrunk_means(returns, covariance)
    least = _least_variance(covariance, mean, None, largest, long_only)
    order = np.argsort(-mean)
    low = 0.0 if long_only else -largest
    best, left = np.full(k, low), 1.0 - low * k
    for i in order:
        best[i] += min(left, largest - low)
        left -= best[i] - low
    points = []
    for wanted in np.linspace(float(mean @ least), float(mean @ best), count):
        weights = _least_variance(covariance, mean, float(wanted) - 1e-12, largest, long_only)
        variance = float(weights @ covariance @ weights)
        points.append(
            FrontierPoint(
                tuple(float(w) for w in weights),
                float(mean @ weights) * steps_a_year,
                float(np.sqrt(max(variance, 0.0) * steps_a_year)),
            )
        )
    return Frontier(history.assets, tuple(points), covariance_weight, mean_weight)
