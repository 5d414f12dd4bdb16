"""Black-76 by the million: the formulas of :mod:`plimsoll.mirror.black76` in loops that run on vector units.

Logarithm, exponential and normal distribution are written without branches and tables, because those of a library are
calls, and a loop with a call in it runs on one number at a time. Both tails come from one exponential: by
``F*phi(d1) = K*phi(d2)`` what is left of the normal distribution is ``phi(d)`` times Mills' ratio, a rational function.

Against 50 digits prices are within 1e-15 of the larger of forward and strike, deltas within 1e-15.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import types
from numba.extending import intrinsic

from plimsoll.errors import DomainError
from plimsoll.mirror.black76 import Flags, Greeks
from plimsoll.mirror.jit import compiled, inlined
from plimsoll.mirror.threads import cores, in_parts

Vector = npt.NDArray[np.float64]

_LOG2_E: Final = 1.4426950408889634
#: ln 2 in two parts, the first with zeros at its end: a multiple of it is exact.
_LN2_HIGH: Final = 0.693147180369123816490
_LN2_LOW: Final = 1.90821492927058770002e-10
_INV_SQRT_2PI: Final = 0.3989422804014326779
#: Adding 1.5*2^52 rounds to a whole number, which then stands in the low bits.
_ROUNDER: Final = 6755399441055744.0
_ROUNDER_BITS: Final = np.uint64(0x4338000000000000)
_BIAS: Final = np.uint64(1023)
_MANTISSA: Final = np.uint64(52)
_ONE_BITS: Final = np.uint64(0x3FF0000000000000)
_ROOT_HALF_BITS: Final = np.uint64(0x3FE6A09E667F3BCD)
_WHOLE_BITS: Final = np.uint64(0x4330000000000000)
_WHOLE: Final = 4503599627370496.0 + 1023.0
#: No deviation is smaller, no distance larger: their limits are reached long before.
_LEAST_STD: Final = 1e-150
_FAR: Final = 1e3


def _bits(_context: Any, _number: Any) -> Any:
    """Return the 64 bits of a number."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.uint64))

    return types.uint64(types.float64), generate


def _number(_context: Any, _bits: Any) -> Any:
    """Return the number that 64 bits stand for."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.float64))

    return types.float64(types.uint64), generate


_bits_of: Any = intrinsic(_bits)
_number_of: Any = intrinsic(_number)


@inlined
def _exp(x: float) -> float:
    """``e^x`` for ``x`` up to 700; what is below ``e^-700`` counts as nothing."""
    scale = 1.0 if x > -700.0 else 0.0
    x = x if x > -700.0 else -700.0
    shifted = x * _LOG2_E + _ROUNDER
    k = shifted - _ROUNDER
    r = x - k * _LN2_HIGH - k * _LN2_LOW
    r2 = r * r
    low = (0.5 + 0.16666666666666685 * r) + r2 * (0.0416666666665119 + 0.00833333333331633 * r)
    mid = (0.0013888888947786178 + 0.0001984126989789204 * r) + r2 * (2.480148925221258e-05 + 2.755723352968756e-06 * r)
    high = 2.76314984212987e-07 + 2.5112454311242147e-08 * r
    r4 = r2 * r2
    tail = low + r4 * (mid + r4 * high)
    found: float = (
        scale * (1.0 + (r + r2 * tail)) * _number_of((_bits_of(shifted) - _ROUNDER_BITS + _BIAS) << _MANTISSA)
    )
    return found


@inlined
def _log(x: float) -> float:
    """``ln x`` of a positive number that is not denormal."""
    bits = _bits_of(x)
    k = (bits - _ROOT_HALF_BITS + _ONE_BITS) >> _MANTISSA
    m = _number_of(bits - (k << _MANTISSA) + _ONE_BITS)
    power = _number_of(k | _WHOLE_BITS) - _WHOLE
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    z2 = z * z
    low = (0.6666666666666736 + 0.3999999999940507 * z) + z2 * (0.2857142874413889 + 0.22222198419192385 * z)
    high = (0.1818357138419732 + 0.15313888042339555 * z) + z2 * 0.1479743510950102
    found: float = power * _LN2_HIGH + (2.0 * s + (s * z * (low + z2 * z2 * high) + power * _LN2_LOW))
    return found


@inlined
def _mills(r: float) -> float:
    """Mills' ratio ``(1 - N(x))/phi(x)`` for ``x >= 0``, given ``r = 1/(x + 4)``.

    A polynomial of degree 16 in ``(x - 4)/(x + 4)``; its error, times ``phi(x)``, is below 1.1e-16.
    """
    u = 1.0 - 8.0 * r
    v = u * u
    even = 2.5759068887823216e-07
    even = even * v - 3.633328190360679e-06
    even = even * v + 3.311338767798593e-06
    even = even * v - 4.982001263100967e-06
    even = even * v + 0.0003341696514569539
    even = even * v - 0.00872227171476471
    even = even * v + 0.15139176014277136
    even = even * v + 0.9704095549295969
    even = even * v + 1.8932190633082815
    odd = 5.924889359296333e-07
    odd = odd * v - 1.486469397361797e-05
    odd = odd * v + 8.902366374155512e-05
    odd = odd * v - 0.0005796555489875401
    odd = odd * v + 0.0040879114676104075
    odd = odd * v - 0.018900452756414367
    odd = odd * v - 0.467540963152725
    odd = odd * v - 1.523770910812844
    return (even + odd * u) * r


@compiled
def _value_into(
    is_call: Flags,
    forward: Vector,
    strike: Vector,
    std: Vector,
    discount: Vector,
    out: Vector,
    first: int,
    end: int,
) -> None:
    """Price and delta of the options ``first`` to ``end`` into the two rows of ``out``."""
    price, delta = out[0][first:end], out[1][first:end]
    # Parts of whole arrays, taken here: a loop from 0 over arrays without gaps is one that runs on vector units.
    is_call, forward, strike = is_call[first:end], forward[first:end], strike[first:end]
    std, discount = std[first:end], discount[first:end]
    for i in range(end - first):
        f, k, s = forward[i], strike[i], 1.0 if is_call[i] else -1.0
        deviation = std[i]
        safe = deviation if deviation > _LEAST_STD else _LEAST_STD
        distance = _log(f / k) / safe
        d1, d2 = s * (distance + 0.5 * deviation), s * (distance - 0.5 * deviation)
        far1, far2 = abs(d1), abs(d2)
        far1 = far1 if far1 < _FAR else _FAR
        far2 = far2 if far2 < _FAR else _FAR
        density = _INV_SQRT_2PI * _exp(-0.5 * far1 * far1)
        beyond = density * _mills(1.0 / (far1 + 4.0))
        cash_beyond = f * density * _mills(1.0 / (far2 + 4.0))
        held = 1.0 - beyond if d1 > 0.0 else beyond
        paid = k - cash_beyond if d2 > 0.0 else cash_beyond
        scale = discount[i] * s
        value = scale * (f * held - paid)
        price[i] = value if value > 0.0 else 0.0
        delta[i] = scale * held


@compiled
def _greeks_into(
    is_call: Flags,
    forward: Vector,
    strike: Vector,
    sigma: Vector,
    time: Vector,
    rate: Vector,
    out: Vector,
    first: int,
    end: int,
) -> None:
    """Price, delta, gamma, vega and theta of the options ``first`` to ``end`` into the five rows of ``out``."""
    price, delta, gamma = out[0][first:end], out[1][first:end], out[2][first:end]
    vega, theta = out[3][first:end], out[4][first:end]
    is_call, forward, strike = is_call[first:end], forward[first:end], strike[first:end]
    sigma, time, rate = sigma[first:end], time[first:end], rate[first:end]
    for i in range(end - first):
        f, k, s = forward[i], strike[i], 1.0 if is_call[i] else -1.0
        root = np.sqrt(time[i])
        deviation = sigma[i] * root
        safe = deviation if deviation > _LEAST_STD else _LEAST_STD
        alive = 1.0 if deviation > 0.0 else 0.0
        discount = _exp(-rate[i] * time[i])
        by_std, by_forward = 1.0 / safe, 1.0 / f
        distance = _log(f / k) * by_std
        d1, d2 = s * (distance + 0.5 * deviation), s * (distance - 0.5 * deviation)
        far1, far2 = abs(d1), abs(d2)
        far1 = far1 if far1 < _FAR else _FAR
        far2 = far2 if far2 < _FAR else _FAR
        density = _INV_SQRT_2PI * _exp(-0.5 * far1 * far1)
        beyond = density * _mills(1.0 / (far1 + 4.0))
        cash_density = f * density
        cash_beyond = cash_density * _mills(1.0 / (far2 + 4.0))
        held = 1.0 - beyond if d1 > 0.0 else beyond
        paid = k - cash_beyond if d2 > 0.0 else cash_beyond
        scale = discount * s
        value = scale * (f * held - paid)
        value = value if value > 0.0 else 0.0
        price[i] = value
        delta[i] = scale * held
        weight = discount * alive
        gamma[i] = weight * density * by_std * by_forward
        vega[i] = weight * cash_density * root
        theta[i] = rate[i] * value - 0.5 * weight * cash_density * sigma[i] * sigma[i] * by_std


def _flat(array: npt.NDArray[Any], shape: tuple[int, ...], kind: type[np.generic]) -> npt.NDArray[Any]:
    """Return an array broadcast, in one row that can be written to: a kernel is compiled again for one that cannot."""
    whole = array if array.shape == shape else np.broadcast_to(array, shape)
    return np.require(whole, kind, ["C", "W"]).ravel()


def _spread(
    kernel: Callable[..., None], rows: int, is_call: Flags, numbers: Sequence[Vector], out: Vector | None, threads: int
) -> Vector:
    """Broadcast the columns, run a kernel over them in parts and return its ``rows`` rows of results."""
    shape = np.broadcast_shapes(is_call.shape, *(column.shape for column in numbers))
    wanted = (rows, *shape)
    if out is None:
        out = np.empty(wanted)
    elif out.shape != wanted or out.dtype != np.float64 or not out.flags.c_contiguous:
        raise DomainError("out", f"has the shape {out.shape}; the results need {wanted}, float64, in C order")
    call = _flat(is_call, shape, np.bool_)
    flat = [_flat(column, shape, np.float64) for column in numbers]
    results = out.reshape(rows, -1)
    in_parts(lambda first, end: kernel(call, *flat, results, first, end), call.size, threads)
    return out


def price_and_delta(
    is_call: Flags,
    forward: Vector,
    strike: Vector,
    std: Vector,
    discount: Vector,
    *,
    out: Vector | None = None,
    threads: int | None = None,
) -> tuple[Vector, Vector]:
    """Discounted price and discounted delta, as :func:`plimsoll.mirror.black76.price_and_delta`.

    Parameters
    ----------
    is_call : ndarray of bool
        All arrays broadcast against each other.
    forward, strike : ndarray, cash
        Positive.
    std : ndarray
        ``sigma*sqrt(T)``, at least 0.
    discount : ndarray
    out : ndarray, shape (2, ...), optional
        Where the results go; memory that was used before is several times faster than new.
    threads : int, optional
        One for each core when not given.

    Returns
    -------
    price, delta : ndarray

    Raises
    ------
    DomainError
        When ``out`` has another shape.
    """
    found = _spread(_value_into, 2, is_call, (forward, strike, std, discount), out, threads or cores())
    return found[0], found[1]


def price_and_greeks(
    is_call: Flags,
    forward: Vector,
    strike: Vector,
    sigma: Vector,
    time: Vector,
    rate: Vector,
    *,
    out: Vector | None = None,
    threads: int | None = None,
) -> tuple[Vector, Greeks]:
    """Price and four greeks, as :func:`plimsoll.mirror.black76.greeks` outside a settlement window.

    Parameters
    ----------
    is_call : ndarray of bool
        All arrays broadcast against each other.
    forward, strike : ndarray, cash
        Positive.
    sigma, rate : ndarray
        Per year; ``sigma`` at least 0.
    time : ndarray
        Years, at least 0.
    out : ndarray, shape (5, ...), optional
        Where the results go; memory that was used before is several times faster than new.
    threads : int, optional
        One for each core when not given.

    Returns
    -------
    price : ndarray
    Greeks

    Raises
    ------
    DomainError
        When ``out`` has another shape.
    """
    found = _spread(_greeks_into, 5, is_call, (forward, strike, sigma, time, rate), out, threads or cores())
    return found[0], Greeks(found[1], found[2], found[3], found[4])
