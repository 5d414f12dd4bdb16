"""The risk model in 50-digit arithmetic, written from its text and from nothing else in this repository.

Inputs are the integers that the chain sees (wad, seconds, steps of 1e-8); outputs are ``mpf``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import mpmath as mp

mp.mp.dps = 50
WAD = mp.mpf(10) ** 18
YEAR_SEC = 31_536_000
DAY = mp.mpf(86_400) / YEAR_SEC
UP, FLAT, DOWN = 0, 1, 2
CALL, PUT, FUTURE, PERP = 0, 1, 2, 3


def wad(x: int) -> Any:
    """Exact value of a wad integer."""
    return mp.mpf(x) / WAD


@dataclass(frozen=True)
class Slice:
    """One expiry of a round, exact."""

    expiry_ts: int
    time: Any
    forward: Any
    rate: Any
    svi: tuple[Any, ...]

    @property
    def discount(self) -> Any:
        """exp(-r*T)."""
        return mp.exp(-self.rate * self.time)

    def sigma(self, strike: Any) -> Any:
        """Volatility of a strike; 0 at expiry."""
        if self.time == 0:
            return mp.mpf(0)
        a, b, rho, m, s = self.svi
        x = mp.log(strike / self.forward) - m
        return mp.sqrt(max(mp.mpf(0), a + b * (rho * x + mp.sqrt(x * x + s * s))) / self.time)


def read_slice(surface: tuple[int, ...], ts: int) -> Slice:
    """Exact slice from the tuple (expiry, forward, rate, a, b, rho, m, s) that goes on chain."""
    expiry, forward, rate, *svi = surface
    return Slice(expiry, mp.mpf(max(expiry - ts, 0)) / YEAR_SEC, wad(forward), wad(rate), tuple(map(wad, svi)))


def black(is_call: bool, forward: Any, strike: Any, std: Any, discount: Any) -> tuple[Any, Any, Any]:
    """Discounted price, delta and density at d1; the intrinsic value at zero deviation."""
    sign = 1 if is_call else -1
    if std == 0:
        at = mp.mpf("0.5") if forward == strike else mp.mpf(sign * (forward - strike) > 0)
        return discount * max(sign * (forward - strike), mp.mpf(0)), discount * sign * at, mp.mpf(0)
    d1 = mp.log(forward / strike) / std + std / 2
    n1, n2 = mp.ncdf(sign * d1), mp.ncdf(sign * (d1 - std))
    return discount * sign * (forward * n1 - strike * n2), discount * sign * n1, mp.npdf(d1)


def term_factor(time: Any) -> Any:
    """g(T)."""
    power = mp.mpf("0.30") if time <= 30 * DAY else mp.mpf("0.13")
    return (30 * DAY / max(time, DAY)) ** power


def shocked(sigma: Any, vol: int, skew: Any, log_moneyness: Any, time: Any, params: dict[str, Any]) -> Any:
    """Volatility under a row."""
    g = term_factor(time)
    if vol == UP:
        sigma = max(params["volFloorWad"], sigma * (1 + params["volUpWad"] * g))
    elif vol == DOWN:
        sigma *= max(mp.mpf(0), 1 - params["volDownWad"] * g)
    scale = mp.mpf("0.6") * mp.sqrt(max(time, DAY))
    return sigma * (1 + skew * max(mp.mpf(-1), min(mp.mpf(1), log_moneyness / scale)))


def intervals(rows: list[tuple[int, int, int, int]]) -> list[tuple[int, int]]:
    """Neighbouring grid rows of one vol state: (low, high)."""
    pairs = []
    for vol in (UP, FLAT, DOWN):
        grid = sorted((r[0], j) for j, r in enumerate(rows) if r[1] == vol and r[2] == 0 and r[3] == 10**18)
        pairs += [(lo[1], hi[1]) for lo, hi in pairwise(grid)]
    return pairs


class Book:
    """Everything that one call of ``detailOf`` depends on, exact."""

    def __init__(
        self,
        header: tuple[int, int, int, int],
        surfaces: list[tuple[int, ...]],
        params: dict[str, int],
        rows: list[tuple[int, int, int, int]],
    ) -> None:
        ts, spot, perp, _ = header
        self.spot, self.perp = wad(spot), wad(perp)
        self.slices = {s[0]: read_slice(s, ts) for s in surfaces}
        self.params = {name: wad(value) for name, value in params.items()}
        self.rows = [(wad(r[0]), r[1], wad(r[2]), wad(r[3])) for r in rows]
        self.pairs = intervals(rows)

    def option(self, kind: int, s: Slice, strike: Any) -> dict[str, Any]:
        """Mark, greeks, price and delta of one option at every row."""
        sigma = s.sigma(strike)
        k = mp.log(strike / s.forward)
        std = sigma * mp.sqrt(s.time)
        price, delta, density = black(kind == CALL, s.forward, strike, std, s.discount)
        nodes = []
        for move, vol, skew, _ in self.rows:
            row_std = shocked(sigma, vol, skew, k, s.time, self.params) * mp.sqrt(s.time)
            nodes.append(black(kind == CALL, s.forward * (1 + move), strike, row_std, s.discount)[:2])
        vega = s.discount * s.forward * density * mp.sqrt(s.time)
        live = std > 0
        return {
            "price": price,
            "delta": delta,
            "vega": vega,
            "gamma": s.discount * density / (s.forward * std) if live else mp.mpf(0),
            "theta": -vega * sigma / (2 * s.time) + s.rate * price if live else mp.mpf(0),
            "shocked_vega": vega * sigma * self.params["volUpWad"] * term_factor(s.time),
            "nodes": nodes,
            "forward": s.forward,
        }

    def gap(self, unit: dict[str, Any], low: int, high: int) -> Any:
        """How far a convex value may lie below its chord between two rows."""
        (p0, d0), (p1, d1) = unit["nodes"][low], unit["nodes"][high]
        h = unit["forward"] * (self.rows[high][0] - self.rows[low][0])
        c = (p1 - p0) / h
        return mp.mpf(0) if d1 == d0 else h * (d1 - c) * (c - d0) / (d1 - d0)

    def evaluate(self, positions: list[tuple[int, int, int, int]], linked_wad: int = 0) -> dict[str, Any]:
        """Components, rows and greeks of positions (kind, expiry, priceE8, quantityWad)."""
        p = self.params
        linked = wad(linked_wad)
        total = dict.fromkeys(("mark", "gamma", "vega", "theta", "short", "gross"), mp.mpf(0))
        total["delta"] = linked
        pnl = [linked * self.spot * row[0] for row in self.rows]
        gaps = [mp.mpf(0)] * len(self.pairs)
        by_expiry = {e: mp.mpf(0) for e in self.slices}
        vega_by_expiry = {e: mp.mpf(0) for e in self.slices}
        perp_cash = mp.mpf(0)
        greeks = {e: dict.fromkeys(("delta", "gamma", "vega", "theta"), mp.mpf(0)) for e in (0, *self.slices)}
        greeks[0]["delta"] = linked
        for kind, expiry, price_e8, quantity in positions:
            q, price = wad(quantity), mp.mpf(price_e8) / 10**8
            total["gross"] += abs(q) * self.spot
            if kind in (CALL, PUT):
                unit = self.option(kind, self.slices[expiry], price)
                for name in ("delta", "gamma", "vega", "theta"):
                    total[name] += q * unit[name]
                    greeks[expiry][name] += q * unit[name]
                total["mark"] += q * unit["price"]
                total["short"] += max(mp.mpf(0), -q)
                by_expiry[expiry] += q * unit["delta"] * unit["forward"]
                vega_by_expiry[expiry] += q * unit["shocked_vega"]
                pnl = [a + q * (node[0] - unit["price"]) for a, node in zip(pnl, unit["nodes"], strict=True)]
                if q > 0:
                    gaps = [a + q * self.gap(unit, *pair) for a, pair in zip(gaps, self.pairs, strict=True)]
                continue
            value, discount = self.perp, mp.mpf(1)
            if kind == FUTURE:
                value, discount = self.slices[expiry].forward, self.slices[expiry].discount
                by_expiry[expiry] += q * discount * value
            else:
                perp_cash += q * value
            total["mark"] += q * discount * (value - price)
            total["delta"] += q * discount
            greeks[expiry]["delta"] += q * discount
            pnl = [a + q * discount * value * row[0] for a, row in zip(pnl, self.rows, strict=True)]
        rows = [a * row[3] for a, row in zip(pnl, self.rows, strict=True)]
        scan = max(mp.mpf(0), -min(rows))
        between = [max(-rows[lo], -rows[hi]) + gap for (lo, hi), gap in zip(self.pairs, gaps, strict=True)]
        certified = max([scan, *between])
        basis = abs(perp_cash) * p["perpBasisWad"]
        for expiry, cash in by_expiry.items():
            growth = mp.exp(p["basisRateWad"] * self.slices[expiry].time) - 1
            basis += abs(cash) * max(p["basisMinWad"], growth)
        shocks = list(vega_by_expiry.values())
        vega_term = p["vegaTermRateWad"] * (sum(map(abs, shocks)) - abs(sum(shocks)))
        short_min = p["shortMinRateWad"] * self.spot * total["short"]
        net = abs(sum(by_expiry.values()) + perp_cash + linked * self.spot)
        concentration = p["concRateWad"] * max(mp.mpf(0), net - p["n0Wad"]) ** 2 / p["n0Wad"]
        concentration += p["concVegaRateWad"] * max(mp.mpf(0), abs(total["vega"]) - p["v0Wad"]) ** 2 / p["v0Wad"]
        return {
            **total,
            "expiries": greeks,
            "rows": rows,
            "scan": scan,
            "certified": certified,
            "basis": basis,
            "vegaTerm": vega_term,
            "shortMin": short_min,
            "concentration": concentration,
            "requirement": max(certified + basis + vega_term, short_min) + concentration,
        }
