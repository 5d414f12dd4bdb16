"""Try to beat the certified scan: search for a portfolio whose true loss exceeds it.

Random restarts of differential evolution, then Nelder-Mead from the best, over strikes, quantities, tenors,
volatilities and a perpetual. What is maximised is the share of the certified scan's addition to the grid scan that
a portfolio's true loss uses up, ``(true - scan)/(certified - scan)``: the plain ratio is 1 for every portfolio that
is worst at a grid price. A share of 1 or more is a loss that the requirement does not cover; the exit code is 1.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import differential_evolution, minimize

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from plimsoll.mirror.margin_engine import evaluate
from plimsoll.model import Kind, Market, Mode, Portfolio, Position
from plimsoll.params import Params
from tests.python.properties.adversary import SYMBOL, flat_surface, market_of, worst_losses

Vector = npt.NDArray[np.float64]
PARAMS: Final = Params()
RANGE: Final = PARAMS.for_underlying(SYMBOL).price_range
FORWARD: Final = 2_000.0
#: log10 of the tenor in days (an hour to a year) and of the volatility (5 % to 300 %).
TENOR: Final = (-1.38, 2.56)
VOL: Final = (-1.3, 0.48)
#: Below this share of gross notional an addition is rounding.
NOTHING: Final = 1e-7


@dataclass(frozen=True)
class Found:
    """The best portfolio so far."""

    share: float
    true: float
    scan: float
    certified: float
    market: Market
    folio: Portfolio


def bounds_of(legs: int) -> list[tuple[float, float]]:
    """Two tenors, two volatilities, the perpetual; then strike, quantity and expiry of each leg."""
    leg = [(1.0 - 1.3 * RANGE, 1.0 + 1.3 * RANGE), (-1.0, 1.0), (0.0, 2.0)]
    return [TENOR, TENOR, VOL, VOL, (-1.0, 1.0), *(leg * legs)]


def case_of(x: Vector) -> tuple[Market, Portfolio]:
    """Turn a point of the search space into a market and a portfolio."""
    near, far = sorted(float(10.0**d) for d in x[:2])
    surfaces = [flat_surface(near, float(10.0 ** x[2])), flat_surface(far * 1.001 + 0.001, float(10.0 ** x[3]))]
    # A call and a put of one strike differ by a future: the perpetual stands for it.
    legs = [
        Position(SYMBOL, Kind.CALL, surfaces[int(e >= 1.0)].expiry_ts, round(FORWARD * float(k), 6), 100.0 * float(q))
        for k, q, e in x[5:].reshape(-1, 3)
    ]
    perp = Position(SYMBOL, Kind.PERP, 0, FORWARD, 100.0 * float(x[4]))
    unique = {(p.kind, p.expiry_ts, p.price): p for p in (*legs, perp)}
    return market_of(surfaces), Portfolio(Mode.SINGLE, 0.0, {}, tuple(unique.values()))


def judge(x: Vector, points: int = 129) -> Found:
    """Return true loss, grid scan and certified scan of one point."""
    market, folio = case_of(np.asarray(x))
    result = evaluate(market, folio, PARAMS)
    part = result.underlyings[SYMBOL]
    true = float(worst_losses(market, [folio], PARAMS, points).max())
    slack = NOTHING * result.gross_notional
    added, beyond = part.certified_scan - part.scan, true - part.scan
    # Rounding apart, a loss beyond a certified scan that adds nothing would be a find as well.
    share = beyond / max(added, slack) if beyond > slack else min(0.0, beyond / max(part.scan, 1.0))
    return Found(share, true, part.scan, part.certified_scan, market, folio)


def restart(legs: int, seed: int, rounds: int) -> Found:
    """One random restart: differential evolution, then a local search from its best."""
    bounds = bounds_of(legs)
    wide = differential_evolution(
        lambda x: -judge(x).share, bounds, maxiter=rounds, popsize=6, seed=seed, polish=False, tol=0.0
    )
    near = minimize(
        lambda x: -judge(np.clip(x, *np.array(bounds).T)).share, wide.x, method="Nelder-Mead",
        options={"maxfev": 20 * rounds, "xatol": 1e-7, "fatol": 1e-9},
    )  # fmt: skip
    ends = [judge(np.clip(x, *np.array(bounds).T), 2_001) for x in (wide.x, near.x)]
    return max(ends, key=lambda found: found.share)


def describe(found: Found) -> str:
    """Portfolio in one line for each position."""
    lines = [
        f"   {p.kind.name:5s} {p.quantity:10.4f} @ {p.price:10.4f}"
        + (f"  {(p.expiry_ts - found.market.ts) / 86_400.0:9.4f} days" if p.expiry_ts else "")
        for p in found.folio.positions
    ]
    vols = ", ".join(
        f"{(s.svi.a / ((s.expiry_ts - found.market.ts) / 31_536_000.0)) ** 0.5:.3f}"
        for s in found.market.rounds[SYMBOL].surfaces
    )
    return "\n".join([f"   volatilities {vols}", *lines])


def main() -> int:
    """Search; return 1 when a loss is found that the certified scan does not cover."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--restarts", type=int, default=10, help="random restarts (default 10)")
    parser.add_argument("--rounds", type=int, default=30, help="generations of each restart (default 30)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began, best = time.monotonic(), None
    for number in range(options.restarts):
        legs = 1 + number % 5
        found = restart(legs, options.seed * 1_000 + number, options.rounds)
        best = found if best is None or found.share > best.share else best
        print(
            f"   restart {number + 1}/{options.restarts}, {legs} legs: share {found.share:.6f}, best {best.share:.6f}"
            f" ({time.monotonic() - began:.0f} s)",
            file=sys.stderr,
        )
    if best is None:
        raise SystemExit("error: --restarts: must be at least 1")
    verdict = "covered" if best.share < 1.0 else "NOT COVERED"
    print(f"best share of the addition used: {best.share:.6f} ({verdict}; the bound is 1)")
    print(f"   true loss {best.true:.4f}, grid scan {best.scan:.4f}, certified scan {best.certified:.4f}")
    print(f"   true/certified {best.true / best.certified:.6f}")
    print(describe(best))
    return int(best.share >= 1.0)


if __name__ == "__main__":
    sys.exit(main())
