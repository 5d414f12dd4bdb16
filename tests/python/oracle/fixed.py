"""The fixed-point libraries once more, in Python whole numbers: every rounding of the contracts, bit for bit.

Only the fitted coefficients are read from the contracts; algorithm, scales and limits are written again.
"""

import math
import re
from functools import cache
from pathlib import Path

import mpmath as mp

LIBRARIES = Path(__file__).resolve().parents[3] / "contracts" / "libraries"
WAD = 10**18
YEAR_SEC = 365 * 86_400
#: Irrational constants, rounded to nearest in the scale of their library.
with mp.workdps(80):
    LOG2_E = int(mp.nint(mp.mpf(2) ** 160 / mp.log(2) / WAD))
    LN2 = int(mp.nint(mp.log(2) * WAD * mp.mpf(2) ** 116))
    SECOND = int(mp.nint(mp.mpf(WAD) ** 2 / YEAR_SEC))


@cache
def coefficients(library: str) -> tuple[int, ...]:
    """C0, C1, ... of a library."""
    text = (LIBRARIES / f"{library}.sol").read_text(encoding="utf-8")
    found = {int(index): int(value) for index, value in re.findall(r"constant C(\d+) =\s(-?\d+);", text)}
    return tuple(found[k] for k in range(len(found)))


def toward_zero(n: int, d: int) -> int:
    """EVM sdiv."""
    quotient = abs(n) // abs(d)
    return quotient if (n >= 0) == (d >= 0) else -quotient


def horner(values: tuple[int, ...] | list[int], t: int) -> int:
    """Sum of values[k]*t**k without rounding."""
    total = 0
    for value in reversed(values):
        total = total * t + value
    return total


def exp_wad(x: int) -> int:
    """Exp.expWad."""
    if x < -41446531673892822312:
        return 0
    if x > 135305999368893231000:
        raise OverflowError(x)
    product = x * LOG2_E
    n = (product + 2**159) >> 160
    f = (product - n * 2**160) >> 60
    r = horner(coefficients("Exp"), f * f >> 150) >> 150
    return (((r + f) << 96) // (r - f) * (WAD << 99)) >> (195 - n)


SCALE = 1670 << 58
MIDDLE = (1670 * WAD) << 66


def _ln(reduced: int, drop: int = 0) -> int:
    if reduced == 0:
        raise ValueError(reduced)
    top = reduced.bit_length() - 1
    m = reduced << (136 - top) if top <= 136 else reduced >> (top - 136)
    z = toward_zero((m - MIDDLE) * (WAD << 36), m + MIDDLE)
    p = horner(coefficients("Ln"), z * z >> 146)
    return ((p >> 173) * z + (top + drop - 128) * LN2) >> 116


def ln_wad(x: int) -> int:
    """Ln.lnWad."""
    return _ln(x * SCALE) if x < 2**187 else _ln((x >> 70) * SCALE, 70)


def ln_ratio(a: int, b: int) -> int:
    """Ln.lnRatio."""
    return _ln(a * WAD * SCALE // b if b else 0)


def _line(x: int) -> int:
    z = (
        (x >> 61)
        + 0x6C31EE1D66C6500
        - 0x4FE8E6AD51E660000000000000000000000000000000 // (x + 0xC8B5AAE1356118000000000000000)
    )
    for _ in range(2):
        s = z + x // z
        z = (s >> 2) + x // s
    return z


def _newton(x: int) -> int:
    if x == 0:
        return 0
    z = 2 ** ((x.bit_length() - 1) // 2 + 1)
    for _ in range(7):
        z = (z + x // z) >> 1
    return z


def sqrt(x: int) -> int:
    """Sqrt.sqrt."""
    return _line(x) if 2**110 <= x < 416 * 10**34 else _newton(x)


def sqrt_wad(x: int) -> int:
    """Sqrt.sqrtWad."""
    if x >= 2**196:
        raise OverflowError(x)
    return _line(x * WAD) if -(-(2**110) // WAD) <= x < 416 * 10**16 else _newton(x * WAD)


def cdf(x: int) -> int:
    """NormalDistribution.cdf."""
    size = abs(x)
    if size >= 64 * 10**17:
        return WAD if x > 0 else 0
    c = coefficients("NormalDistribution")
    t = size >> 26
    high = horner([*c[4:10], 1], t) >> 118
    p = (((((high * t + c[3]) * t + c[2]) * t) + c[1]) * t + c[0]) >> 198
    tail = c[10] // (p**4 >> 136) ** 3
    return tail if x < 0 else WAD - tail


def black76_call(forward: int, strike: int, vol: int, seconds: int) -> tuple[int, int]:
    """Black76.call: price and delta."""
    std = vol * sqrt(seconds * SECOND) // WAD
    d1 = toward_zero(ln_ratio(forward, strike) * WAD, std + 1) + std // 2
    n1 = cdf(d1)
    price = toward_zero(forward * n1 - strike * cdf(d1 - std), WAD)
    return max(price, forward - strike, 0), n1


def svi_volatility(slice_: tuple[int, int, int, int, int], forward: int, strike: int, seconds: int) -> int:
    """SviVolatility.volatility."""
    a, b, rho, m, s = slice_
    x = ln_ratio(strike, forward) - m
    w = a + toward_zero(b * (toward_zero(rho * x, WAD) + sqrt(x * x + s * s)), WAD)
    return sqrt(max(w, 0) * WAD * YEAR_SEC // seconds)


def table_cdf(table: bytes, z: int) -> int:
    """NormalCdf.cdf on its table, 12 bytes an interval."""
    z += 800 << 60
    if z < 0:
        return 0
    if z >= 1_599 << 60:
        return 2**60
    interval, s = z >> 60, z % 2**60
    word = int.from_bytes(table[12 * interval : 12 * interval + 32].ljust(32, b"\0"), "big")
    value = 0
    # From c2, whose sign is bit 119, to c1, whose sign is bit 191 and never set.
    for bits in (120, 192):
        low = word % 2**bits
        value = value * s + low - (low >> (bits - 1) << bits)
    return (value * s + word) % 2**256 >> 195


RAY = 10**27
#: Halves of ln(1.0001) and ln(10), 36 digits.
with mp.workdps(80):
    HALF_LN_TICK, HALF_LN_TEN = (int(mp.floor(mp.log(mp.mpf(x)) / 2 * mp.mpf(10) ** 36)) for x in ("1.0001", "10"))


def root_at_tick(tick: int, decimals_up: int) -> int:
    """LiquidityMath.rootAtTick."""
    ln = toward_zero(tick * HALF_LN_TICK + decimals_up * HALF_LN_TEN, WAD)
    return 10**45 // exp_wad(-ln) if ln < 0 else exp_wad(ln) * 10**9


def liquidity_value(lower: int, upper: int, liquidity: int, price: int) -> int:
    """LiquidityMath.valueOf."""
    square = price * 10**36
    root, over = math.isqrt(square), -(-square // upper)
    if root >= upper:
        unit = upper - lower
    elif root <= lower:
        unit = max(square // lower - over, 0)
    else:
        unit = max(2 * root - lower - over, 0)
    return liquidity * unit // RAY


def liquidity_units(lower: int, upper: int, liquidity: int, price: int) -> int:
    """LiquidityMath.unitsOf."""
    root = max(math.isqrt(price * 10**36), lower)
    return 0 if root >= upper else liquidity * max(10**54 // root - -(-(10**54) // upper), 0) // RAY


def liquidity_bend(lower: int, upper: int, liquidity: int, price: int) -> int:
    """LiquidityMath.bendOf."""
    root = math.isqrt(price * 10**36)
    if not lower < root < upper:
        return 0
    inverse = 10**54 // root
    return liquidity * (inverse * inverse // RAY * inverse // RAY) // (2 * RAY)


def lending_value(loan: tuple[bool, int, int, int, int, int], price: int) -> int:
    """LendingMath.valueOf; the loan in the order of its struct."""
    is_long, units, cash, threshold, seized, reserve = loan
    held, owed = (units * price // WAD, cash) if is_long else (cash, -(-units * price // WAD))
    edges = (cash * WAD * WAD, units * price * threshold) if is_long else (units * price, cash * threshold)
    if edges[0] > edges[1]:
        owed = -(-owed * seized // WAD)
    return max(held - owed - reserve, 0)
