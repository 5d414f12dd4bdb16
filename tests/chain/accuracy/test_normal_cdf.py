"""NormalCdf: the table bit for bit and in bounds on the whole type."""

from __future__ import annotations

import re
from pathlib import Path

import mpmath as mp
import pytest

from tests.chain.accuracy.points import INT_MAX, INT_MIN, WAD, signed
from tests.python.oracle import fixed


@pytest.fixture(scope="module")
def table(accounts, NormalTable, isolate_module):
    return accounts[0].deploy(NormalTable)


@pytest.fixture(scope="module")
def code():
    text = (fixed.LIBRARIES / Path("NormalTable.sol")).read_text(encoding="utf-8")
    return bytes.fromhex("".join(re.findall(r'hex"([0-9a-f]{64})"', text)))


def places() -> list[int]:
    edges = [(edge << 60) + d for edge in (-800, 0, 799, 800) for d in (-1, 0, 1)]
    seams = [(i << 60) + d for i in range(-800, 800, 7) for d in (-1, 0)]
    return [
        *edges,
        *seams,
        INT_MIN,
        INT_MAX,
        *((x << 67) // WAD for x in signed(24, 8.4) if abs(x) < 2**180),
    ]


def test_table_equals_the_integer_reference(probe, table, code):
    assert len(code) == 12 * 1_600
    z = places()
    assert list(probe.tableCdf(table, z)) == [fixed.table_cdf(code, v) for v in z]


def test_table_stays_within_its_bound(probe, table):
    z = places()
    for v, got in zip(z, probe.tableCdf(table, z), strict=True):
        assert abs(mp.mpf(got) / 2**60 - mp.ncdf(mp.mpf(v) / 2**67)) <= mp.mpf("1e-9"), v
        assert 0 <= got <= 2**60
