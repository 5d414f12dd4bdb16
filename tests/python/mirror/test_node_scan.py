"""The plain node scan against scipy, and its changes against a scan made anew."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from plimsoll.errors import InputError
from plimsoll.mirror.fleet.node_scan import NodeScan


def books(rows=16, accounts=5_000, instruments=300, seed=1):
    draw = np.random.default_rng(seed)
    counts = draw.integers(0, 25, accounts)
    start = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    instrument = draw.integers(0, instruments, start[-1], dtype=np.int32)
    return start, instrument, draw.standard_normal(start[-1]), draw.standard_normal((instruments, rows))


def expected(start, instrument, quantity, loss):
    held = csr_matrix((quantity, instrument, start), shape=(len(start) - 1, len(loss)))
    return np.maximum((held @ loss).max(axis=1), 0.0)


@pytest.mark.parametrize("rows", [1, 16, 33])
@pytest.mark.parametrize("threads", [1, 2])
def test_scan__any_rows_and_threads__equals_scipy(rows, threads):
    case = books(rows)
    np.testing.assert_allclose(NodeScan(*case, threads=threads).scan(), expected(*case), rtol=0, atol=1e-12)


def test_change__one_instrument_after_another__equals_a_scan_made_anew():
    start, instrument, quantity, loss = books(16)
    scan, draw = NodeScan(start, instrument, quantity, loss), np.random.default_rng(2)
    scan.scan(keep=True)
    loss = loss.copy()
    for number in (0, 7, 299, 7):
        loss[number] = draw.standard_normal(16)
        before = scan.worst.copy()
        holders = scan.change(number, loss[number])
        owners = np.repeat(np.arange(len(start) - 1), np.diff(start))
        assert set(holders.tolist()) == set(owners[instrument == number].tolist())
        others = np.setdiff1d(np.arange(len(before)), holders)
        np.testing.assert_array_equal(scan.worst[others], before[others])
    np.testing.assert_allclose(scan.worst, expected(start, instrument, quantity, loss), rtol=0, atol=1e-12)
    np.testing.assert_allclose(scan.scan(), scan.worst.copy(), rtol=0, atol=1e-12)


def test_change__without_kept_sums__one_error():
    scan = NodeScan(*books())
    scan.scan()
    with pytest.raises(InputError, match="kept no sums"):
        scan.change(0, np.zeros(16))


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        (0, np.array([0, 2, 1], dtype=np.int64), "does not rise"),
        (1, np.array([5], dtype=np.int32), "outside"),
        (2, np.zeros(2), "has 2 entries"),
    ],
)
def test_scan__rows_that_do_not_fit__one_error(part, value, message):
    case = [np.array([0, 1, 1], dtype=np.int64), np.array([0], dtype=np.int32), np.zeros(1), np.zeros((3, 4))]
    case[part] = value
    with pytest.raises(InputError, match=message):
        NodeScan(*case)
