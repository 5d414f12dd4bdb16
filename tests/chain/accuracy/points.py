"""Arguments for the fixed-point libraries: edges of the type first, then reproducible random ones of every size."""

from __future__ import annotations

import random

WAD = 10**18
INT_MIN, INT_MAX, UINT_MAX = -(2**255), 2**255 - 1, 2**256 - 1
EDGES = (0, 1, 2, 3, WAD - 1, WAD, WAD + 1)


def sized(rng: random.Random, low_bits: float, high_bits: float) -> int:
    """A positive integer whose number of bits is uniform."""
    return int(2 ** rng.uniform(low_bits, high_bits)) + rng.randrange(2)


def around_powers(highest: int) -> list[int]:
    """Powers of two with both neighbours: where an exponent, a window or an octave begins."""
    return sorted({max(2**k + d, 0) for k in range(highest + 1) for d in (-1, 0, 1)})


def unsigned(seed: int, bits: int, count: int = 400) -> list[int]:
    """Edges, powers of two and random sizes below 2**bits."""
    rng = random.Random(seed)
    found = [*EDGES, *around_powers(bits - 1), 2**bits - 1, *(sized(rng, 0, bits) for _ in range(count))]
    return [x for x in found if x < 2**bits]


def signed(seed: int, span: float, count: int = 600) -> list[int]:
    """Edges of the type, small numbers, and wads in [-span, span], each with its opposite."""
    rng = random.Random(seed)
    half = [*EDGES, *(int(rng.uniform(0, span) * WAD) for _ in range(count)), 2**63, 2**128, INT_MAX]
    return [INT_MIN, *(-x for x in half), *half]
