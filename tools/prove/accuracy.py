"""Compare a million points per fixed-point library, and the engine's kernel, with references; exit 1 above a bound.

The contracts run on a local chain, tens of thousands of points in one ``eth_call``. References are numpy in 80-bit
floating point or scipy in 64-bit; each is itself checked against 50-digit arithmetic on a sample. Rows follow the
accuracy contract of the risk model.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import mpmath as mp
import numpy as np
from eth_utils.crypto import keccak
from scipy.special import ndtr

from plimsoll.chain.anvil import running, wallet
from plimsoll.chain.book import rows_of
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract, create
from plimsoll.deployment.deploy import account_params, underlying_params
from plimsoll.params import Params

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.chain.helpers.mocks import use_mocks

WAD: Final = 10**18
YEAR_SEC: Final = 31_536_000
TS: Final = 1_800_000_000
CHUNK: Final = 20_000
KERNEL_CHUNK: Final = 2_000
SAMPLE: Final = 200
SEED: Final = 20_260_101
#: The settlement price is a mean over so long.
WINDOW_SEC: Final = 1_800

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, Any]
Long = np.longdouble


class Words:
    """Whole numbers ``value * 256**bytes``, as they go on chain and as 80-bit floats."""

    def __init__(self, value: Ints, scale_bytes: int = 0) -> None:
        self.value, self.scale_bytes = value, scale_bytes

    def packed(self, part: slice) -> bytes:
        """32 bytes each, big-endian, two's complement."""
        value = self.value[part]
        words = np.zeros((len(value), 32), np.uint8)
        words[value < 0] = 255
        end = 32 - self.scale_bytes
        words[:, end - 8 : end] = value.astype(">i8").view(np.uint8).reshape(-1, 8)
        words[:, end:] = 0
        return words.tobytes()

    def real(self, unit: int = WAD) -> Floats:
        """Return the number over its unit, correct to 80 bits twice rounded."""
        return self.value.astype(Long) * (Long(256) ** self.scale_bytes / Long(unit))

    def exact(self, i: int) -> int:
        """Return the whole number at one place."""
        return int(self.value[i]) << (8 * self.scale_bytes)


def decode(data: bytes) -> Floats:
    """Read 32-byte two's complement words into 80-bit floats."""
    limbs = np.frombuffer(data, ">u8").reshape(-1, 4)
    low = np.zeros(len(limbs), Long)
    negative = limbs[:, 0] >> np.uint64(63) == 1
    for k in range(4):
        limb = limbs[:, k].astype(np.uint64)
        limb = np.where(negative, ~limb, limb)
        low = low * Long(2) ** 64 + limb.astype(Long)
    return np.where(negative, -low - 1, low)


class Probe:
    """Array functions of a deployed probe."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract

    def run(
        self, signature: str, arrays: Sequence[Words], head: Sequence[int] = (), fields: int = 1, chunk: int = CHUNK
    ) -> list[Floats]:
        """Call ``signature`` chunk by chunk; static ``head`` words come first, ``fields`` results come back."""
        selector = keccak(text=signature)[:4]
        total = len(arrays[0].value)
        parts: list[list[Floats]] = [[] for _ in range(fields)]
        for start in range(0, total, chunk):
            part = slice(start, min(start + chunk, total))
            count = part.stop - part.start
            offset = 32 * (len(head) + len(arrays))
            heads = [word % 2**256 for word in head]
            heads += [offset + k * 32 * (count + 1) for k in range(len(arrays))]
            body = b"".join(count.to_bytes(32, "big") + array.packed(part) for array in arrays)
            data = selector + b"".join(word.to_bytes(32, "big") for word in heads) + body
            answer = decode(self.contract.client.call(self.contract.address, data)[64:])
            for field in range(fields):
                parts[field].append(answer[field * count : (field + 1) * count])
            if sys.stderr.isatty():
                print(f"\r   {signature.split('(')[0]:<12} {part.stop:>9,} of {total:,}", end="", file=sys.stderr)
        if sys.stderr.isatty():
            print("\r" + " " * 50 + "\r", end="", file=sys.stderr)
        return [np.concatenate(part) for part in parts]


class Report:
    """Rows of the table and whether all of them hold."""

    def __init__(self) -> None:
        self.failed = False
        self.start = time.monotonic()
        print(f"{'what':<46}{'points':>10}{'largest':>11}{'bound':>9}{'reference':>11}")

    def row(self, what: str, error: Floats, bound: float, own: float) -> None:
        """Add a row; ``own`` is the error of the reference on a sample."""
        largest = float(np.max(error)) if np.all(np.isfinite(error)) else float("inf")
        bad = largest > bound or own > bound / 2
        self.failed |= bad
        print(
            f"{what:<46}{len(error):>10,}{largest:>11.2e}{bound:>9.0e}{own:>11.1e}{'  BROKEN' if bad else ''}",
            flush=True,
        )


def own_error(reference: Floats, exact: Callable[[int], Any], relative: bool = False) -> float:
    """Largest difference of a reference from 50-digit arithmetic on evenly spread points."""
    worst = mp.mpf(0)
    for i in range(0, len(reference), max(1, len(reference) // SAMPLE)):
        want = exact(i)
        high = float(reference[i])
        got = mp.mpf(high) + mp.mpf(float(reference[i] - Long(high)))
        worst = max(worst, abs(got - want) / (abs(want) if relative and want else 1))
    return float(worst)


def logs(random: np.random.Generator, low: float, high: float, count: int) -> Floats:
    """Log-uniform numbers."""
    return np.exp(random.uniform(np.log(low), np.log(high), count))


def check_exp(probe: Probe, random: np.random.Generator, count: int, report: Report) -> None:
    """Relative to the result, and at most one wei where it is small."""
    x = Words(
        np.concatenate(
            [
                random.integers(int(-42e18 / 256), int(135.3e18 / 256), count // 2),
                random.integers(int(-3e18 / 256), int(3e18 / 256), count - count // 2),
            ]
        ),
        1,
    )
    (got,) = probe.run("exp(int256[])", [x])
    want = np.exp(x.real())
    own = own_error(want, lambda i: mp.exp(mp.mpf(x.exact(i)) / WAD), relative=True)
    wei = Long(1) / WAD
    report.row("exp, relative beyond one wei", np.maximum(abs(got * wei - want) - wei, 0) / want, 2e-16, own)


def check_ln(probe: Probe, random: np.random.Generator, count: int, report: Report) -> None:
    """Near 1, and over the whole type."""
    for name, scale in (("0 to 9.2", 0), ("0 to 2e20", 8), ("0 to 1e57", 23)):
        x = Words(logs(random, 1, 9.2e18, count // 3).astype(np.int64), scale)
        (got,) = probe.run("ln(uint256[])", [x])
        want = np.log(x.real())
        own = own_error(want, lambda i, x=x: mp.log(mp.mpf(x.exact(i)) / WAD))
        report.row(f"ln of {name}", abs(got / WAD - want), 7e-15, own)


def check_sqrt(probe: Probe, random: np.random.Generator, count: int, report: Report) -> None:
    """In units of the result."""
    x = Words(logs(random, 1, 9.2e18, count).astype(np.int64))
    (got,) = probe.run("sqrtWad(uint256[])", [x])
    want = np.sqrt(x.value.astype(Long) * Long(WAD))
    own = own_error(want, lambda i: mp.sqrt(mp.mpf(x.exact(i)) * WAD))
    report.row("sqrt of 0 to 9.2, wei", abs(got - want), 2, own)


def check_cdf(probe: Probe, random: np.random.Generator, count: int, report: Report) -> None:
    """Absolute, and in the tails where a strike up to 20 forwards multiplies it."""
    x = Words(random.integers(int(-9e18), int(9e18), count))
    (got,) = probe.run("cdf(int256[])", [x])
    real = x.real().astype(float)
    want = ndtr(real)
    own = own_error(want.astype(Long), lambda i: mp.ncdf(mp.mpf(x.exact(i)) / WAD))
    error = abs(got / WAD - want).astype(float)
    report.row("normal distribution", error, 3e-10, own)
    report.row("normal distribution, |x| > 2.45", error[abs(real) > 2.45], 1e-10, own)


def options(random: np.random.Generator, count: int) -> tuple[Words, Words, Words, Words]:
    """Forward, K/F in [0.05, 20], vol in [0.05, 5], one minute to three years; half of the strikes near the forward."""
    forward = logs(random, 1e-2, 5e5, count)
    ratio = np.where(random.random(count) < 0.5, logs(random, 0.05, 20, count), logs(random, 0.8, 1.25, count))
    # The strike in steps of 1e-8, as a position holds it.
    strike_e8 = np.maximum(np.rint(forward * ratio * 1e8), 1).astype(np.int64)
    vol = (logs(random, 0.05, 5, count) * WAD).astype(np.int64)
    seconds = logs(random, 60, 3 * YEAR_SEC, count).astype(np.int64)
    return Words((forward * (WAD / 2**16)).astype(np.int64), 2), Words(strike_e8), Words(vol), Words(seconds)


def in_wad(strike_e8: Words) -> Words:
    """Nearly the same strikes in whole multiples of 2^24 wei."""
    return Words(np.maximum((strike_e8.value.astype(float) * (1e10 / 2**24)).astype(np.int64), 1), 3)


def exact_call(forward: int, strike: Any, std: Any) -> tuple[Any, Any, Any]:
    """Undiscounted call over the forward, N(d1), density; 50 digits."""
    moneyness = mp.mpf(strike) / forward
    d1 = -mp.log(moneyness) / std + std / 2
    return mp.ncdf(d1) - moneyness * mp.ncdf(d1 - std), mp.ncdf(d1), mp.npdf(d1)


def black(forward: Floats, strike: Floats, std: Floats) -> tuple[Floats, Floats, Floats]:
    """Compute the same in floats; the logarithm and d in 80 bits."""
    moneyness = strike / forward
    d1 = -np.log(moneyness) / std + std / 2
    n1, n2 = ndtr(d1.astype(float)), ndtr((d1 - std).astype(float))
    return n1 - moneyness * n2, n1, np.exp(-d1 * d1 / 2) / np.sqrt(2 * Long(np.pi))


def check_call(probe: Probe, random: np.random.Generator, count: int, report: Report) -> None:
    """Compare the standalone library: price over the forward and delta."""
    forward, strike_e8, vol, seconds = options(random, count)
    strike = in_wad(strike_e8)
    names = "call(uint256[],uint256[],uint256[],uint256[])"
    price, delta = probe.run(names, [forward, strike, vol, seconds], fields=2)
    std = vol.real() * np.sqrt(seconds.real(YEAR_SEC))
    want, n1, _ = black(forward.real(), strike.real(), std)

    def exact(i: int) -> tuple[Any, Any, Any]:
        deviation = mp.mpf(vol.exact(i)) / WAD * mp.sqrt(mp.mpf(seconds.exact(i)) / YEAR_SEC)
        return exact_call(forward.exact(i), strike.exact(i), deviation)

    own = own_error(want, lambda i: exact(i)[0])
    wei = 1 / (forward.real() * WAD)
    report.row("Black-76 library: price/F", np.maximum(abs(price * wei - want) - wei, 0), 2e-9, own)
    report.row("Black-76 library: delta", abs(delta / WAD - n1), 3e-10, own_error(n1, lambda i: exact(i)[1]))


def check_svi(probe: Probe, random: np.random.Generator, count: int, report: Report) -> None:
    """One slice per call, over strikes and tenors."""
    slice_ = [int(v * WAD) for v in (0.01, 0.12, -0.35, 0.05, 0.25)]
    a, b, rho, m, s = (Long(v) / WAD for v in slice_)
    forward, strike_e8, _, seconds = options(random, count)
    strike = in_wad(strike_e8)
    names = "volatility((int256,int256,int256,int256,int256),uint256[],uint256[],uint256[])"
    (got,) = probe.run(names, [forward, strike, seconds], head=slice_)
    x = np.log(strike.real() / forward.real()) - m
    want = np.sqrt((a + b * (rho * x + np.sqrt(x * x + s * s))) / seconds.real(YEAR_SEC))

    def exact(i: int) -> Any:
        ae, be, rhoe, me, se = (mp.mpf(v) / WAD for v in slice_)
        xe = mp.log(mp.mpf(strike.exact(i)) / forward.exact(i)) - me
        return mp.sqrt((ae + be * (rhoe * xe + mp.sqrt(xe * xe + se * se))) * YEAR_SEC / seconds.exact(i))

    report.row("SVI volatility, relative", abs(got / WAD / want - 1), 1e-12, own_error(want, exact, relative=True))


def check_kernel(probe: Probe, engine: str, random: np.random.Generator, count: int, report: Report) -> None:
    """Compare the deployed engine: value and greeks of one option through RiskEngine.detailOf."""
    forward, strike, vol, seconds = options(random, count)
    # Inside the settlement window a part of the option is open, and its variance grows a third as fast.
    tau = seconds.real(1)
    is_late, still_open = tau < WINDOW_SEC, np.minimum(tau / WINDOW_SEC, 1)
    years = np.where(is_late, tau / 3, tau - 2 * WINDOW_SEC / 3) / YEAR_SEC
    variance = Words(np.maximum((vol.real() ** 2 * years * WAD / 256).astype(np.int64), 1), 1)
    is_call = Words(random.integers(0, 2, count))
    names = "detail(address,uint256[],uint256[],uint256[],int256[],uint256[])"
    arrays = [is_call, forward, strike, variance, seconds]
    fields = probe.run(names, arrays, head=[int(engine, 16)], fields=5, chunk=KERNEL_CHUNK)
    value, delta, gamma, vega, theta = (field / WAD / still_open for field in fields)
    f, k, std = forward.real(), strike.real(10**8), np.sqrt(variance.real())
    sigma, call = std / np.sqrt(years), is_call.value == 1
    want, n1, density = black(f, k, std)

    def exact(i: int) -> Any:
        deviation = mp.sqrt(mp.mpf(variance.exact(i)) / WAD)
        return exact_call(forward.exact(i), mp.mpf(strike.exact(i)) * 10**10, deviation)[0]

    own = own_error(want, exact)
    want = np.where(call, want, want - 1 + k / f)
    want_vega, pace = density * np.sqrt(years), np.where(is_late, 1 / Long(3), Long(1))
    report.row("engine: price/F", abs(value / f - want), 1e-8, own)
    report.row("engine: delta", abs(delta - np.where(call, n1, n1 - 1)), 1e-6, own)
    report.row("engine: gamma*F", abs(gamma * f - density / std), 1e-6, own)
    report.row("engine: vega/F", abs(vega / f - want_vega), 1e-6, own)
    report.row("engine: theta/F", abs(theta / f + want_vega * sigma * pace / (2 * years)), 1e-6, own)


def deploy(client: Client) -> tuple[Probe, Probe, str]:
    """Probe of the libraries, probe of the engine, and the engine's address."""
    use_mocks()
    account = wallet("accuracy")
    client.rpc("anvil_setBalance", account.address, hex(10**24))
    math, _ = create(client, account, "MathProbe")
    kernel, _ = create(client, account, "KernelProbe")
    authority, _ = create(client, account, "Authority", account.address)
    table, _ = create(client, account, "NormalTable")
    params = Params()
    book, _ = create(client, account, "ScenarioBook", authority.address, account_params(params.account))
    engine, _ = create(client, account, "RiskEngine", book.address, kernel.address, table.address)
    own, rows = underlying_params(params.for_underlying("ETH")), rows_of(params.book)
    book.send(account, "listUnderlying", b"ETH".ljust(32, b"\0"), own, rows)
    return Probe(math), Probe(kernel), engine.address


def main() -> int:
    """Run every row; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1_000_000, help="points per library")
    parser.add_argument("--kernel-points", type=int, default=20_000, help="options through the engine")
    arguments = parser.parse_args()
    mp.mp.dps = 50
    random = np.random.default_rng(SEED)
    with running(TS) as chain:
        client = Client(chain.url)
        math, kernel, engine = deploy(client)
        report = Report()
        for check in (check_exp, check_ln, check_sqrt, check_cdf, check_call, check_svi):
            check(math, random, arguments.points, report)
        check_kernel(kernel, engine, random, arguments.kernel_points, report)
    print(f"{'a bound is broken' if report.failed else 'every bound holds'}, {time.monotonic() - report.start:.0f} s")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
