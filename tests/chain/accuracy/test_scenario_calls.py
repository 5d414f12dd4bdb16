"""NormalQuartic and ScenarioCalls: the table bit for bit and in bounds on the whole type, prices against 50 digits."""

from __future__ import annotations

import random
import re
from pathlib import Path

import mpmath as mp
import pytest

from tests.chain.accuracy.points import INT_MAX, INT_MIN, UINT_MAX, WAD, signed
from tests.chain.helpers.errors import reverts_with
from tests.python.oracle import fixed

YEAR_SEC = 31_536_000
LIMIT = 2**104
MOVES = (0, 0.06, -0.06, 0.12, -0.12, 0.18, -0.18, 0.54, -0.54)


@pytest.fixture(scope="module")
def table(accounts, NormalQuarticTable, isolate_module):
    return accounts[0].deploy(NormalQuarticTable)


@pytest.fixture(scope="module")
def words():
    text = (fixed.LIBRARIES / Path("NormalQuarticTable.sol")).read_text(encoding="utf-8")
    return [int(word, 16) for word in re.findall(r'hex"([0-9a-f]{64})"', text)]


def arguments() -> list[int]:
    edges = [sign * (8 << 64) + d for sign in (-1, 1) for d in (-1, 0, 1)]
    return [*edges, INT_MIN, INT_MIN + (8 << 64), INT_MAX, *(x * 18 for x in signed(24, 8.4) if abs(x) < 2**200)]


def test_table_equals_the_integer_reference(probe, table, words):
    d = arguments()
    assert list(probe.quartic(table, d)) == [fixed.quartic(words, v) for v in d]


def test_table_stays_within_its_bound(probe, table):
    d = arguments()
    for v, got in zip(d, probe.quartic(table, d), strict=True):
        assert abs(mp.mpf(got) / 2**60 - mp.ncdf(mp.mpf(v) / 2**64)) <= mp.mpf("3e-11"), v
        assert 0 <= got <= 2**60


def rows() -> list[tuple[int, int, int]]:
    return [(int(mp.log(1 + mp.mpf(x)) * 2**64), int((1 + mp.mpf(x)) * 2**64), vol) for x in MOVES for vol in range(3)]


@pytest.mark.parametrize("seed", range(8))
def test_rows_stay_within_their_bound(probe, table, seed):
    rng = random.Random(seed)
    forward = int(10 ** rng.uniform(-2, 6) * WAD)
    strike = int(forward * 20 ** rng.uniform(-1, 1))
    vols = [int(5 * 10 ** rng.uniform(-2, 0) * WAD) for _ in range(3)]
    seconds = int(60 * 1_576_800 ** rng.random())
    got = probe.scenarioCalls(table, (forward, strike), vols, seconds, rows())
    for (_, growth, vol), price in zip(rows(), got, strict=True):
        moved = mp.mpf(forward) * growth / 2**64
        std = mp.mpf(vols[vol]) / WAD * mp.sqrt(mp.mpf(seconds) / YEAR_SEC)
        d1 = mp.log(moved / strike) / std + std / 2
        exact = moved * mp.ncdf(d1) - strike * mp.ncdf(d1 - std)
        assert abs(price - exact) <= mp.mpf("4e-11") * (moved + strike) + 2


def test_rows_without_deviation_are_intrinsic(probe, table):
    flat = (0, 2**64, 1)
    for strike, want in ((WAD, WAD), (3 * WAD, 0), (2 * WAD, 0)):
        assert list(probe.scenarioCalls(table, (2 * WAD, strike), (0, 0, 0), YEAR_SEC, [flat])) == [want]
        assert list(probe.scenarioCalls(table, (2 * WAD, strike), (WAD, WAD, WAD), 0, [flat])) == [want]


@pytest.mark.parametrize("value", [LIMIT, UINT_MAX])
def test_too_large_is_named(probe, table, value):
    with reverts_with("ScenarioCalls__TooLarge"):
        probe.scenarioCalls(table, (value, WAD), (WAD, WAD, WAD), YEAR_SEC, rows())


def test_price_of_nothing_is_named(probe, table):
    with reverts_with("Ln__NotPositive", 0, 1):
        probe.scenarioCalls(table, (WAD, 0), (WAD, WAD, WAD), YEAR_SEC, rows())
