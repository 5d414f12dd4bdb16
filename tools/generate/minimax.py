"""Fit the polynomials of the fixed-point libraries and prove their error bounds.

Each library of `FITS` holds its coefficients as integers named ``C0``, ``C1``, ... This script finds them with the
Remez exchange (mpmath, 50 digits), evaluates them with the contract's own integer arithmetic on a dense grid, fails
above the bound that the library states, and writes them into the library. ``--check`` compares instead of writing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import mpmath as mp

LIBRARIES = Path(__file__).resolve().parents[2] / "contracts" / "libraries"
GRID = 800
PROOF_POINTS = 20_000
mp.mp.dps = 50

Real = Callable[[mp.mpf], mp.mpf]
WAD = 10**18
#: ln: 1.0 in the scale of the reduced argument; its mantissa is close to sqrt(2), the middle of an octave.
LN_ONE = (1670 * WAD) << 58
LN_MIDDLE = LN_ONE << 8
#: ln: z is wad*2^36, u = z^2 >> 146.
LN_SQUARE_SCALE = mp.mpf(WAD) ** 2 * mp.mpf(2) ** (72 - 146)
#: exp: u is Q50, R is Q250.
#: normal: 1.0 in steps of the argument; the clip; the power.
CDF_STEP = mp.mpf(2) ** 26 / WAD
CDF_LIMIT = mp.mpf("6.4")
CDF_POWER = 12
#: normal: what an error at -x may weigh in a price, K/F up to 20.
CDF_TAIL_WEIGHT = 20


def extrema(errors: list[mp.mpf], count: int) -> list[int]:
    """Index of the largest error between sign changes, ``count`` of them at most."""
    runs = [[0]]
    for i in range(1, len(errors)):
        if (errors[i] > 0) == (errors[i - 1] > 0):
            runs[-1].append(i)
        else:
            runs.append([i])
    found = [max(run, key=lambda i: abs(errors[i])) for run in runs]
    while len(found) > count:
        found.pop(0 if abs(errors[found[0]]) < abs(errors[found[-1]]) else -1)
    return found


def remez(powers: list[int], target: Real, weight: Real, low: mp.mpf, high: mp.mpf) -> list[mp.mpf]:
    """Coefficients of the given powers whose largest weighted error on [low, high] is smallest."""
    points = [low + (high - low) * (1 - mp.cos(mp.pi * (i + mp.mpf(1) / 2) / GRID)) / 2 for i in range(GRID)]
    wanted, weights = [target(t) for t in points], [weight(t) for t in points]
    rows = [[t**j for j in powers] for t in points]
    size = len(powers) + 1
    chosen = [int(GRID * (i + 0.5) / size) for i in range(size)]
    for _ in range(30):
        matrix, right = mp.matrix(size, size), mp.matrix(size, 1)
        for row, i in enumerate(chosen):
            for column, value in enumerate(rows[i]):
                matrix[row, column] = value
            matrix[row, size - 1] = (-1) ** row / weights[i]
            right[row] = wanted[i]
        solution = mp.lu_solve(matrix, right)
        fitted = [solution[j] for j in range(len(powers))]
        errors = [w * (mp.fdot(fitted, row) - g) for w, g, row in zip(weights, wanted, rows, strict=True)]
        largest = max(map(abs, errors))
        chosen = extrema(errors, size)
        if len(chosen) < size or largest < abs(solution[size - 1]) * mp.mpf("1.0005"):
            break
    return fitted


def fit_ln() -> list[int]:
    """2*atanh(z)/z in u = z^2, weighted so that the logarithm's error is even."""
    middle = mp.mpf(LN_MIDDLE) / 2**136
    furthest = max((2 - middle) / (2 + middle), (middle - 1) / (middle + 1)) ** 2
    fitted = remez(
        list(range(6)),
        lambda u: 2 * mp.atanh(mp.sqrt(u)) / mp.sqrt(u),
        mp.sqrt,
        mp.mpf(0),
        furthest,
    )
    return [int(mp.nint(c * mp.mpf(2) ** 253 / LN_SQUARE_SCALE**j)) for j, c in enumerate(fitted)]


def ln_integer(c: list[int], x: int) -> int:
    """Ln.lnWad for x in [1, 2) of the reduced scale, wad."""
    reduced = x * (1670 << 58)
    log2 = reduced.bit_length() - 1
    m = reduced << (136 - log2)
    numerator = (m - LN_MIDDLE) * (WAD << 36)
    z = abs(numerator) // (m + LN_MIDDLE) * (1 if numerator >= 0 else -1)
    u = z * z >> 146
    p = c[5]
    for k in range(4, -1, -1):
        p = p * u + c[k]
    ln2 = int(mp.nint(mp.log(2) * WAD * mp.mpf(2) ** 116))
    return ((p >> 173) * z + (log2 - 128) * ln2) >> 116


def prove_ln(c: list[int]) -> float:
    """Largest error over one octave around 1, absolute."""
    worst = mp.mpf(0)
    for i in range(PROOF_POINTS + 1):
        x = WAD * (PROOF_POINTS + i) * 7 // (PROOF_POINTS * 10)
        worst = max(worst, abs(mp.mpf(ln_integer(c, x)) / WAD - mp.log(mp.mpf(x) / WAD)))
    return float(worst)


def fit_exp() -> list[int]:
    """R(u) = f*coth(f*ln(2)/2) in u = f^2, so that 2^f = (R + f)/(R - f)."""

    def ratio(u: mp.mpf) -> mp.mpf:
        f = mp.sqrt(u)
        return f * mp.coth(f * mp.log(2) / 2)

    def relative(u: mp.mpf) -> mp.mpf:
        return 2 * mp.sqrt(u) / (ratio(u) ** 2 - u)

    fitted = remez(list(range(5)), ratio, relative, mp.mpf(0), mp.mpf("0.25"))
    return [int(mp.nint(c * mp.mpf(2) ** (250 - 50 * j))) for j, c in enumerate(fitted)]


def exp_integer(c: list[int], x: int) -> int:
    """Exp.expWad without its limits, Q60 more than wad."""
    product = x * int(mp.nint(mp.mpf(2) ** 160 / mp.log(2) / WAD))
    n = (product + (1 << 159)) >> 160
    f = (product - (n << 160)) >> 60
    u = f * f >> 150
    r = c[4]
    for k in range(3, -1, -1):
        r = r * u + c[k]
    r >>= 150
    quotient = ((r + f) << 96) // (r - f)
    return quotient * (WAD << 99) >> (195 - 60 - n)


def prove_exp(c: list[int]) -> float:
    """Largest relative error over one octave around 0."""
    worst = mp.mpf(0)
    for i in range(-PROOF_POINTS, PROOF_POINTS + 1):
        x = 347 * 10**15 * i // PROOF_POINTS
        exact = mp.exp(mp.mpf(x) / WAD)
        worst = max(worst, abs(mp.mpf(exp_integer(c, x)) / (WAD << 60) / exact - 1))
    return float(worst)


def cdf_scales(leading: mp.mpf) -> list[mp.mpf]:
    """Scale of every coefficient: that of t^10 is 1; 118 bits are shifted out between the powers 4 and 3."""
    scales = [CDF_STEP ** (j - 10) / leading for j in range(4, 11)]
    return [scales[0] * CDF_STEP ** (j - 4) / mp.mpf(2) ** 118 for j in range(4)] + scales


def fit_cdf() -> list[int]:
    """p(x) with N(-x) = 1/(2*p(x)^12), p(0) = 1."""

    def tail(x: mp.mpf) -> mp.mpf:
        return mp.ncdf(-x)

    def root(x: mp.mpf) -> mp.mpf:
        return (1 / (2 * tail(x))) ** (mp.mpf(1) / CDF_POWER)

    def weight(x: mp.mpf) -> mp.mpf:
        return min(mp.exp(x * x / 2), CDF_TAIL_WEIGHT) * CDF_POWER * tail(x) / root(x)

    fitted = remez(list(range(1, 11)), lambda x: root(x) - 1, weight, mp.mpf(0), CDF_LIMIT)
    coefficients = [int(mp.nint(c * s)) for c, s in zip([mp.mpf(1), *fitted], cdf_scales(fitted[-1]), strict=True)]
    # In place of the leading 1: the numerator that makes N(0) exactly 1/2.
    return [*coefficients[:-1], (WAD // 2) * ((coefficients[0] >> 198) ** 4 >> 136) ** 3]


def cdf_integer(c: list[int], x: int) -> int:
    """NormalDistribution.cdf for x <= 0 inside the clip, wad; ``x`` is the absolute value."""
    t = x >> 26
    p = 1
    for k in range(9, 3, -1):
        p = p * t + c[k]
    p >>= 118
    for k in range(3, -1, -1):
        p = p * t + c[k]
    p >>= 198
    p4 = p**4 >> 136
    return c[10] // p4**3


def prove_cdf(c: list[int]) -> float:
    """Largest absolute error, times 1 at 0 up to 20 in the tail."""
    worst, before = mp.mpf(0), WAD
    for i in range(PROOF_POINTS):
        x = int(CDF_LIMIT * WAD) * i // PROOF_POINTS
        n = cdf_integer(c, x)
        if n >= before:
            raise SystemExit(f"the distribution does not fall at {x}")
        real = mp.mpf(x) / WAD
        weight = min(mp.exp(real * real / 2), CDF_TAIL_WEIGHT)
        worst, before = max(worst, weight * abs(mp.mpf(n) / WAD - mp.ncdf(-real))), n
    return float(worst)


@dataclass(frozen=True)
class Fit:
    """One library: how its coefficients are made, proven, and what it promises."""

    fit: Callable[[], list[int]]
    prove: Callable[[list[int]], float]
    bound: float


FITS = {
    "Ln": Fit(fit_ln, prove_ln, 7e-15),
    "Exp": Fit(fit_exp, prove_exp, 2e-16),
    "NormalDistribution": Fit(fit_cdf, prove_cdf, 3e-10),
}


def with_coefficients(text: str, coefficients: list[int]) -> str:
    """Return the library's source with its coefficients replaced."""
    for j, value in enumerate(coefficients):
        text, count = re.subn(rf"(constant C{j} =)\s-?\w+;", rf"\g<1> {value};", text)
        if count != 1:
            raise SystemExit(f"constant C{j} is named {count} times")
    return text


def main() -> int:
    """Write or check every library; exit 1 when a check or a bound fails."""
    failed = False
    for name, fit in FITS.items():
        path = LIBRARIES / f"{name}.sol"
        coefficients = fit.fit()
        error = fit.prove(coefficients)
        fresh = with_coefficients(path.read_text(encoding="utf-8"), coefficients)
        same = fresh == path.read_text(encoding="utf-8")
        print(f"{name:<20} largest error {error:.3e}, bound {fit.bound:.0e}{'' if same else ', source differs'}")
        failed |= error > fit.bound or ("--check" in sys.argv and not same)
        if "--check" not in sys.argv:
            path.write_text(fresh, encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
