"""VaR and expected shortfall of a sample as weighted sums of ordered losses, so that contributions add up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, ndtri
from scipy.stats import binom, t

from plimsoll.errors import InputError

Vector = npt.NDArray[np.float64]
Interval = tuple[float, float]
#: Weights of this size together change no figure.
NEGLIGIBLE: Final = 1e-18


@dataclass(frozen=True, slots=True)
class TailWeights:
    """Weight of every scenario in VaR and in ES, shape (n,); each sums to 1."""

    var: Vector
    es: Vector


def check_level(level: float, effective: float, source: str) -> None:
    """Reject a level outside [0.5, 1) or one with less than one expected observation in the tail.

    Raises
    ------
    InputError
    """
    if not 0.5 <= level < 1.0:
        raise InputError("level", f"{level:g} is outside [0.5, 1)")
    if effective * (1.0 - level) < 1.0:
        need = int(np.ceil(1.0 / (1.0 - level)))
        raise InputError(source, f"too little history: {effective:.0f} independent moves, level {level:g} needs {need}")


def tail_weights(pnl: Vector, level: float) -> TailWeights:
    """Weights by which ordered losses make VaR and ES.

    Parameters
    ----------
    pnl : ndarray, shape (n,)
        Cash; losses are negative.
    level : float
        In [0.5, 1).

    Returns
    -------
    TailWeights
        VaR is the Harrell-Davis quantile (beta weights over the order statistics), ES the Acerbi-Tasche mean of
        the worst ``n*(1-level)`` scenarios, the last of them in part.

    References
    ----------
    .. [1] F. Harrell, C. Davis, A new distribution-free quantile estimator, Biometrika 69, 1982.
    .. [2] C. Acerbi, D. Tasche, On the coherence of expected shortfall, 2002.
    """
    order = np.argsort(-pnl, kind="stable")  # smallest loss first
    ordered = _ordered_weights(pnl.size, level)
    var, es = np.empty(pnl.size), np.empty(pnl.size)
    var[order], es[order] = ordered.var, ordered.es
    return TailWeights(var, es)


@lru_cache(maxsize=64)
def _ordered_weights(n: int, level: float) -> TailWeights:
    """Weights of losses in order, the smallest first."""
    edges = betainc((n + 1) * level, (n + 1) * (1.0 - level), np.arange(n + 1) / n)
    size = n * (1.0 - level)
    var, es = np.diff(edges), np.clip(size - np.arange(n)[::-1], 0.0, 1.0) / size
    return TailWeights(var / var.sum(), es / es.sum())


@lru_cache(maxsize=64)
def _first_counted(n: int, level: float) -> int:
    """Place in the order of losses before which all weights together are less than rounding."""
    ordered = _ordered_weights(n, level)
    return int(np.argmax(np.cumsum(ordered.var + ordered.es) > NEGLIGIBLE))


def tail_figures(pnl: Vector, level: float) -> tuple[float, float]:
    """VaR and ES of a sample, cash, a loss positive; weights as ``tail_weights``.

    Only the losses that count are put in order: the others weigh less than ``NEGLIGIBLE`` together.
    """
    ordered, first = _ordered_weights(pnl.size, level), _first_counted(pnl.size, level)
    losses = np.partition(-pnl, first)[first:]
    losses.sort()
    return float(ordered.var[first:] @ losses), float(ordered.es[first:] @ losses)


def order_interval(pnl: Vector, level: float, effective: float, confidence: float) -> Interval:
    """Distribution-free confidence interval of VaR from order statistics.

    Parameters
    ----------
    pnl : ndarray, shape (n,)
    level : float
    effective : float
        Number of independent observations in ``pnl``, at most n.
    confidence : float

    Returns
    -------
    (float, float)
        Cash; the upper end is at most the largest loss of the sample.
    """
    losses = np.sort(-pnl)
    size = max(int(effective), 1)
    tail = 0.5 * (1.0 - confidence)
    low = binom.ppf(tail, size, level) / size
    high = (binom.ppf(1.0 - tail, size, level) + 1.0) / size
    index = np.clip(np.array([np.floor(low * pnl.size) - 1, np.ceil(high * pnl.size) - 1]), 0, pnl.size - 1)
    return float(losses[int(index[0])]), float(losses[int(index[1])])


def es_interval(pnl: Vector, level: float, effective: float, confidence: float) -> Interval:
    """Asymptotic confidence interval of ES.

    Parameters
    ----------
    pnl, level, effective, confidence
        As in ``order_interval``.

    Returns
    -------
    (float, float)
        Cash.

    References
    ----------
    .. [1] B. Manistre, G. Hancock, Variance of the CTE estimator, North American Actuarial Journal 9, 2005.
    """
    weights = tail_weights(pnl, level)
    losses = -pnl
    es, var = float(weights.es @ losses), float(weights.var @ losses)
    spread = float(weights.es @ (losses - es) ** 2) + level * (es - var) ** 2
    half = float(ndtri(0.5 + 0.5 * confidence)) * np.sqrt(spread / (effective * (1.0 - level)))
    return float(es - half), float(es + half)


def replicate_interval(pooled: float, replicates: Vector, confidence: float) -> Interval:
    """Interval of an estimate from independent replicates.

    Parameters
    ----------
    pooled : float
        Estimate from all replicates together.
    replicates : ndarray, shape (r,), r at least 2
    confidence : float

    Returns
    -------
    (float, float)
        Student-t interval round ``pooled``, widened by the distance to the mean of the replicates: the smoothing of
        a quantile is biased in proportion to one over the sample size, so that distance bounds the bias of ``pooled``.
    """
    r = replicates.size
    half = float(t.ppf(0.5 + 0.5 * confidence, r - 1)) * float(replicates.std(ddof=1)) / np.sqrt(r)
    half += abs(float(replicates.mean()) - pooled)
    return float(pooled - half), float(pooled + half)
