"""Price histories that tests make up: synthetic, from seeds."""

import numpy as np

from plimsoll.analytics.series.history import History
from plimsoll.constants import DAY_SEC


def synthetic_history(close, assets=("ETH",), iv=None):
    """History that the test made up; high and low are the close."""
    close = np.asarray(close, dtype=np.float64).reshape(len(close), -1)
    ts = np.arange(close.shape[0], dtype=np.int64) * DAY_SEC
    return History(("synthetic",), assets, ts, close, close, close, iv, DAY_SEC)


def walk(n, sigma, seed=1, k=1, start=1_900.0):
    """Synthetic geometric random walk, shape (n, k)."""
    moves = np.random.default_rng(seed).normal(0.0, sigma, (n, k))
    return start * np.exp(np.cumsum(moves, axis=0))
