"""The market that attackers know in advance: one covered path of rounds for two underlyings.

A path is covered when no round moves a price by more than the initial requirement of a linear position is made for, so
that a loss beyond an account's equity can only come from a hole in the margin model.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import erf, exp, log, sqrt

from plimsoll.model import Kind, Round, Surface, Svi

YEAR_SEC = 365 * 86_400
WINDOW_SEC = 1_800
#: A mean over the last half hour varies as if it were taken this long before the expiry.
MEAN_LAG_SEC = 1_200


def variance_time(left_sec: int) -> float:
    """Years that the variance of what is still open belongs to (risk-model section 1)."""
    return ((left_sec - MEAN_LAG_SEC) if left_sec >= WINDOW_SEC else left_sec / 3) / YEAR_SEC


def _normal(x: float) -> float:
    return 0.5 * (1.0 + erf(x / sqrt(2.0)))


@dataclass(slots=True)
class Path:
    """State of one underlying: spot, rates and volatilities by expiry, and the samples of its spot."""

    name: str
    underlying_id: int
    spot: float
    vol: float
    expiries: list[int]
    premium: float = 0.0
    rates: dict[int, float] = field(default_factory=dict)
    vols: dict[int, float] = field(default_factory=dict)
    samples: list[tuple[int, float]] = field(default_factory=list)

    def rate(self, expiry_ts: int) -> float:
        """Continuously compounded rate of an expiry."""
        return self.rates.get(expiry_ts, 0.04)

    def forward(self, expiry_ts: int, ts: int) -> float:
        """Forward that the spot of the moment and the rate give."""
        return self.spot * exp(self.rate(expiry_ts) * (expiry_ts - ts) / YEAR_SEC)

    def listed(self, ts: int) -> list[int]:
        """Expiries that a round of this time lists."""
        return [expiry for expiry in self.expiries if expiry > ts]

    def mean(self, ts: int) -> float | None:
        """Mean of spot since half an hour before the expiry whose window runs; None outside of one."""
        for expiry in self.listed(ts):
            if expiry - ts < WINDOW_SEC:
                return self.mean_between(expiry - WINDOW_SEC, ts)
        return None

    def mean_between(self, start: int, end: int) -> float:
        """Time-weighted mean; a sample holds until the next, the first one also before itself."""
        inside = [(at, spot) for at, spot in self.samples if start < at <= end]
        if not inside:
            return self.spot
        total, since = 0.0, start
        for n, (_, spot) in enumerate(inside):
            until = inside[n + 1][0] if n + 1 < len(inside) else end
            total, since = total + spot * (until - since), until
        return total / (end - start) if end > start else inside[0][1]

    def round(self, ts: int) -> Round:
        """The round of a time."""
        surfaces = tuple(
            Surface(expiry, self.forward(expiry, ts), self.rate(expiry), self._svi(expiry, ts))
            for expiry in self.listed(ts)
        )
        return Round(self.name, ts, self.spot, self.spot * (1.0 + self.premium), 1.0, surfaces, self.mean(ts))

    def _svi(self, expiry_ts: int, ts: int) -> Svi:
        vol = self.vols.get(expiry_ts, self.vol)
        return Svi(max(vol**2 * variance_time(expiry_ts - ts), 1e-12), 0.0, 0.0, 0.0, 0.1)

    def mark(self, kind: Kind, expiry_ts: int, strike: float, ts: int) -> float:
        """What one unit of an instrument is worth before any entry price: a price to trade at."""
        if kind is Kind.PERP:
            return self.spot * (1.0 + self.premium)
        forward = self.forward(expiry_ts, ts)
        if kind is Kind.FUTURE:
            return forward
        discount = exp(-self.rate(expiry_ts) * (expiry_ts - ts) / YEAR_SEC)
        deviation = self.vols.get(expiry_ts, self.vol) * sqrt(max(variance_time(expiry_ts - ts), 1e-12))
        first = log(forward / strike) / deviation + deviation / 2
        call = forward * _normal(first) - strike * _normal(first - deviation)
        value = call if kind is Kind.CALL else call + strike - forward
        return max(discount * value, 1e-6)
