"""GARCH(1,1) of every risk factor, for filtered historical simulation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.errors import InputError

Vector = npt.NDArray[np.float64]
#: Moves are fitted in percent: the optimiser wants numbers near one.
SCALE: Final = 100.0
#: Fewer moves than this do not determine three parameters.
MIN_MOVES: Final = 250
#: The variance before the first move is a mean of the first squares, each weighing so much of the one before it.
START_MOVES: Final = 75
START_DECAY: Final = 0.94
#: Degrees of freedom that the search starts from, and those it may take.
START_DEGREES: Final = 8.0
DEGREES: Final = (2.05, 500.0)


@dataclass(frozen=True, slots=True)
class VolatilityRule:
    """``v_t = omega + alpha*m_{t-1}^2 + beta*v_{t-1}`` of ``k`` factors, and its forecasts over a history.

    Attributes
    ----------
    omega, alpha, beta : ndarray, shape (k,)
    forecast : ndarray, shape (n + 1, k)
        Volatility before each of ``n`` moves, and of the one after the last.
    note : str
        What was assumed or fitted, for the report.
    """

    omega: Vector
    alpha: Vector
    beta: Vector
    forecast: Vector
    note: str

    def next_variance(self, variance: Vector, move: Vector) -> Vector:
        """Variance of the next step, from this one's and its move."""
        return np.asarray(self.omega + self.alpha * move**2 + self.beta * variance)


@dataclass(frozen=True, slots=True)
class _Path:
    """Squared moves of one factor, in percent, and the variance that stands before the first of them."""

    squares: Vector
    start: float

    def variances(self, omega: float, alpha: float, beta: float) -> Vector:
        """Variance before every move and after the last, shape (n + 1,)."""
        news = omega + alpha * np.r_[self.start, self.squares]
        steps = accumulate(news.tolist(), lambda before, new: new + beta * before, initial=self.start)
        return np.array(list(steps)[1:])

    def surprise(self, numbers: Vector) -> float:
        """Mean negative log likelihood of Student-t innovations: of omega, alpha, beta and degrees of freedom."""
        omega, alpha, beta, degrees = numbers.tolist()
        variance = self.variances(omega, alpha, beta)[:-1]
        if not variance.min() > 0.0:
            return np.inf
        body = 0.5 * (degrees + 1.0) * np.log1p(self.squares / (variance * (degrees - 2.0)))
        scale = math.lgamma(0.5 * degrees) - math.lgamma(0.5 * (degrees + 1.0))
        scale += 0.5 * math.log(math.pi * (degrees - 2.0))
        return float((body + 0.5 * np.log(variance)).mean()) + scale


def _path(moves: Vector) -> _Path:
    squares = (moves * SCALE) ** 2
    weights = START_DECAY ** np.arange(min(START_MOVES, squares.size))
    return _Path(squares, float(weights @ squares[: weights.size] / weights.sum()))


def _fit(moves: Vector, name: str) -> tuple[float, float, float, Vector]:
    """Fit one factor; parameters, and volatilities including the forecast."""
    # Late: what optimises is slow to import.
    from scipy.optimize import LinearConstraint, minimize

    path, mean = _path(moves), float((moves * SCALE).var())
    starts = [
        np.array([mean * (1.0 - persistence), alpha, persistence - alpha, START_DEGREES])
        for persistence in (0.5, 0.7, 0.9, 0.98)
        for alpha in (0.01, 0.05, 0.1, 0.2)
    ]
    found = minimize(
        path.surprise,
        min(starts, key=path.surprise),
        method="SLSQP",
        bounds=[(1e-8 * mean, 10.0 * mean), (0.0, 1.0), (0.0, 1.0), DEGREES],
        constraints=LinearConstraint(np.array([[0.0, 1.0, 1.0, 0.0]]), -np.inf, 1.0),
        options={"ftol": 1e-12, "maxiter": 1_000},
    )
    if not found.success or not np.isfinite(found.x).all():
        raise InputError("garch", f"{name}: the fit did not converge over {moves.size} moves")
    omega, alpha, beta, _ = found.x.tolist()
    return omega / SCALE**2, alpha, beta, np.sqrt(path.variances(omega, alpha, beta)) / SCALE


def garch_rule(moves: Vector, names: tuple[str, ...]) -> VolatilityRule:
    """Fit GARCH(1,1) with zero mean and Student-t innovations to every factor, by maximum likelihood.

    Parameters
    ----------
    moves : ndarray, shape (n, k)
        Oldest first. A factor that never moves is left at zero.
    names : tuple of str
        For messages.

    Returns
    -------
    VolatilityRule

    Raises
    ------
    InputError
        When there is too little history, or a fit does not converge.

    References
    ----------
    .. [1] T. Bollerslev, Generalized autoregressive conditional heteroskedasticity, 1986.
    """
    n, k = moves.shape
    if n < MIN_MOVES:
        raise InputError("garch", f"{n} moves are too little history, {MIN_MOVES} are needed")
    omega, alpha, beta, forecast = np.zeros(k), np.zeros(k), np.zeros(k), np.zeros((n + 1, k))
    shown = []
    for j in range(k):
        if not moves[:, j].any():
            continue
        omega[j], alpha[j], beta[j], forecast[:, j] = _fit(moves[:, j], names[j])
        shown.append(f"{names[j]} alpha {alpha[j]:.3f} beta {beta[j]:.3f}")
    return VolatilityRule(omega, alpha, beta, forecast, f"GARCH(1,1)-t: {', '.join(shown)}")
