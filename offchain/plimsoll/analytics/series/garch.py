"""GARCH(1,1) of every risk factor, for filtered historical simulation."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plimsoll.errors import InputError

Vector = npt.NDArray[np.float64]
#: Moves are fitted in percent: the optimiser wants numbers near one.
SCALE = 100.0
#: Fewer moves than this do not determine three parameters.
MIN_MOVES = 250


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


def _fit(moves: Vector, name: str) -> tuple[float, float, float, Vector]:
    """Fit one factor; parameters, and volatilities including the forecast."""
    from arch import arch_model

    model = arch_model(moves * SCALE, mean="Zero", vol="GARCH", p=1, q=1, dist="t", rescale=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = model.fit(disp="off", show_warning=False)
    omega, alpha, beta = (float(fitted.params[key]) for key in ("omega", "alpha[1]", "beta[1]"))
    if fitted.convergence_flag != 0 or not np.isfinite([omega, alpha, beta]).all():
        raise InputError("garch", f"{name}: the fit did not converge over {moves.size} moves")
    past = np.asarray(fitted.conditional_volatility, dtype=np.float64) / SCALE
    omega /= SCALE**2
    ahead = np.sqrt(omega + alpha * moves[-1] ** 2 + beta * past[-1] ** 2)
    return omega, alpha, beta, np.r_[past, ahead]


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
    .. [1] T. Bollerslev, Generalized autoregressive conditional heteroskedasticity, 1986; the package ``arch``.
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
