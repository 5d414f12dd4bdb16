"""VaR of many accounts against one account at a time."""

import numpy as np
import pytest

from plimsoll.analytics.var.many import SparseBooks, var_many
from plimsoll.analytics.var.tail import tail_weights
from plimsoll.errors import DomainError, InputError


@pytest.fixture
def sample():
    draw = np.random.default_rng(7)
    pnl = draw.standard_t(4, (30, 1_001)).astype(np.float32)
    sizes = draw.integers(0, 12, 53)
    start = np.r_[0, np.cumsum(sizes)]
    books = SparseBooks(start, draw.integers(0, 30, start[-1]), draw.normal(0.0, 10.0, start[-1]))
    return pnl, books


@pytest.mark.parametrize("level", [0.5, 0.9, 0.975, 0.99])
def test_many_equals_one_at_a_time(sample, level):
    pnl, books = sample
    found = var_many(pnl, books, level)
    for account in range(books.start.size - 1):
        own = slice(books.start[account], books.start[account + 1])
        total = books.quantity[own] @ pnl[books.instrument[own]].astype(np.float64)
        total = np.zeros(pnl.shape[1]) if own.start == own.stop else total
        losses = np.sort(-total)
        gross = 1e-5 * max(1.0, float(np.abs(losses).max()))
        assert found.var[account] == pytest.approx(losses[int(np.ceil(1_001 * level)) - 1], abs=gross)
        assert found.es[account] == pytest.approx(-float(tail_weights(total, level).es @ total), abs=gross)


def test_bad_rows_and_levels_are_errors(sample):
    pnl, books = sample
    with pytest.raises(InputError, match="too little history"):
        var_many(pnl, books, 0.9999)
    with pytest.raises(InputError, match="outside"):
        var_many(pnl[:5], books, 0.99)
    broken = SparseBooks(books.start, books.instrument, np.where(np.arange(books.quantity.size) == 3, np.nan, 1.0))
    with pytest.raises(InputError, match="not a finite number"):
        var_many(pnl, broken, 0.99)
    with pytest.raises(InputError, match="row starts"):
        var_many(pnl, SparseBooks(books.start[::-1].copy(), books.instrument, books.quantity), 0.99)
    huge = SparseBooks(books.start, books.instrument, np.full(books.quantity.size, 1e38))
    with pytest.raises(DomainError, match="too large"):
        var_many(pnl * np.float32(1e3), huge, 0.99)
