"""LendingMath: exact to the unit, below every point between two nodes, and no lower than the gap makes it."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction

import pytest

from tests.chain.accuracy.points import WAD
from tests.python.oracle import fixed

COUNT = 60


def loans(is_long: bool) -> list[tuple[bool, int, int, int, int, int]]:
    """Random loans around a price of 1,900: far from the threshold, at it, beyond it, and with nothing left."""
    rng, found = random.Random(5 + is_long), []
    for _ in range(COUNT):
        units = int(rng.uniform(0.001, 5_000) * WAD)
        lltv, buffer = rng.choice([0.3, 0.77, 0.86, 0.945]), rng.choice([0.0, 0.02, 0.1])
        incentive = min(1.15, 1 / (1 - 0.3 * (1 - lltv)))
        share = rng.uniform(0.2, 1.3) * lltv
        cash = int(units * 1_900 * share) if is_long else int(units * 1_900 / share)
        reserve = rng.choice([0, int(units * 1_900 * 0.02)])
        threshold, seized = int(lltv * (1 - buffer) * WAD), int(incentive / (1 - buffer) * WAD)
        found.append((is_long, units, cash, threshold, seized, reserve))
    return [*found, (is_long, 0, 0, WAD // 2, WAD, 0), (is_long, WAD, 0, WAD // 2, WAD, 0)]


def ladder(rng: random.Random) -> list[int]:
    """Rising prices as a scan asks about them."""
    moves = sorted({0.0, *(rng.uniform(-0.9, 2.0) for _ in range(rng.randrange(2, 14)))})
    return [int(1_900 * (1 + move) * WAD) for move in moves]


def exact(loan: tuple[bool, int, int, int, int, int], price: Fraction) -> Fraction:
    """Worth at any price, without a rounding."""
    is_long, units, cash, threshold, seized, reserve = (Fraction(word) for word in loan)
    side = units * price / WAD
    held, owed = (side, cash) if is_long else (cash, side)
    if owed * WAD > held * threshold:
        owed = owed * seized / WAD
    return max(held - owed - reserve, Fraction(0))


def edges(loan: tuple[bool, int, int, int, int, int]) -> list[Fraction]:
    """Prices beside which the worth drops, and at which nothing is left."""
    is_long, units, cash, threshold, seized, reserve = loan
    if not units or not cash:
        return []
    kinks = [Fraction(cash * WAD * WAD, units * threshold), Fraction((cash * seized // WAD + reserve) * WAD, units)]
    if not is_long:
        kinks = [Fraction(cash * threshold, units), Fraction((cash - reserve) * WAD * WAD, units * seized)]
    return [kink * share for kink in kinks for share in (1 - Fraction(1, 10**12), 1, 1 + Fraction(1, 10**12))]


@pytest.mark.parametrize("is_long", [True, False])
def test_value__equals_the_integer_reference(probe, is_long):
    rng = random.Random(11)
    for loan in loans(is_long):
        at = [1, *ladder(rng), *(max(int(edge), 1) for edge in edges(loan))]
        values, _ = probe.lending(loan, at)
        assert list(values) == [fixed.lending_value(loan, price) for price in at]


@pytest.mark.parametrize("is_long", [True, False])
def test_stated__is_below_every_point_between_two_nodes(probe, is_long):
    """The middle of each interval, both sides of the drop, and where nothing is left."""
    rng = random.Random(12)
    for loan in loans(is_long):
        at = ladder(rng)
        _, stated = probe.lending(loan, [at[0], *at])
        assert stated[0] == 0
        nodes = list(zip(at, stated[1:], strict=True))
        for (p, u), (q, v) in itertools.pairwise(nodes):
            inside = [Fraction(p + q, 2), *(edge for edge in edges(loan) if p <= edge <= q)]
            for price in inside:
                chord = u + (v - u) * (price - p) / (q - p)
                assert exact(loan, price) >= chord - 2, (loan, p, q, price)


@pytest.mark.parametrize("is_long", [True, False])
def test_stated__differs_from_the_worth_at_two_nodes_at_most(probe, is_long):
    """One beside the drop, one beside nothing; the first by the penalty and no more."""
    rng, lowered = random.Random(13), 0
    for loan in loans(is_long):
        at = ladder(rng)
        values, stated = probe.lending(loan, [at[0], *at])
        fell = [i for i in range(1, len(values)) if stated[i] != values[i]]
        assert len(fell) <= 2
        assert all(stated[i] < values[i] for i in fell)
        penalties = [(values[i] - stated[i], i) for i in fell if stated[i]]
        for penalty, i in penalties:
            side = loan[1] * at[i - 1] // WAD
            owed = loan[2] if is_long else side
            assert penalty <= owed * (loan[4] - WAD) // WAD + 2
        lowered += len(penalties)
    assert lowered > COUNT // 4
