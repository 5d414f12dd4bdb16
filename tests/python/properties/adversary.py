"""Portfolios built to hide their worst loss between scenario prices, and that loss by pricing every point.

``worst_losses`` is an oracle of its own: it takes nothing from the mirror but the market's data classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from plimsoll.model import Kind, Market, Mode, Portfolio, Position, Round, Surface, Svi, Token
from plimsoll.params import Params, UnderlyingParams

Vector = npt.NDArray[np.float64]
Legs = tuple[Position, ...]
SYMBOL = "ETH"
NOW = 1_770_326_940
DAY_SEC = 86_400
YEAR_SEC = 365 * DAY_SEC
VOLS = ("up", "flat", "down")


@dataclass(frozen=True)
class Unit:
    """One option with what the vol states make of it; everything per unit."""

    is_call: bool
    strike: float
    forward: float
    discount: float
    value: float
    deviations: tuple[float, ...]


def undiscounted(is_call: bool, forward: Vector, strike: float, std: float) -> Vector:
    """Black's formula; the intrinsic value at zero deviation."""
    sign = 1.0 if is_call else -1.0
    if std == 0.0:
        return np.maximum(sign * (forward - strike), 0.0)
    d1 = np.log(forward / strike) / std + 0.5 * std
    return sign * (forward * ndtr(sign * d1) - strike * ndtr(sign * (d1 - std)))


def _deviations(sigma: float, time: float, own: UnderlyingParams) -> tuple[float, ...]:
    """Deviation under vol up, flat and down (risk-model section 3)."""
    days = time * 365.0
    factor = (30.0 / max(days, 1.0)) ** (0.30 if days <= 30.0 else 0.13)
    up = max(own.vol_floor, sigma * (1.0 + own.vol_up * factor))
    down = sigma * max(0.0, 1.0 - own.vol_down * factor)
    return tuple(vol * _variance_time(time) ** 0.5 for vol in (up, sigma, down))


def _variance_time(time: float) -> float:
    """Years that the total variance belongs to: the price that settles is a mean of the last half hour."""
    return time - 1_200.0 / YEAR_SEC


def unit_of(position: Position, round_: Round, own: UnderlyingParams) -> Unit:
    """Everything the P&L of one option depends on."""
    (listed,) = (s for s in round_.surfaces if s.expiry_ts == position.expiry_ts)
    time = max(listed.expiry_ts - round_.ts, 0) / YEAR_SEC
    svi, x = listed.svi, np.log(position.price / listed.forward) - listed.svi.m
    total = svi.a + svi.b * (svi.rho * x + (x * x + svi.sigma**2) ** 0.5)
    sigma = float((max(total, 0.0) / _variance_time(time)) ** 0.5)
    is_call = position.kind is Kind.CALL
    value = float(undiscounted(is_call, np.array(listed.forward), position.price, max(total, 0.0) ** 0.5))
    discount = float(np.exp(-listed.rate * time))
    return Unit(is_call, position.price, listed.forward, discount, value, _deviations(sigma, time, own))


def pnl(unit: Unit, state: int, moves: Vector) -> Vector:
    """P&L of one unit for any price moves under one vol state."""
    price = undiscounted(unit.is_call, unit.forward * (1.0 + moves), unit.strike, unit.deviations[state])
    return unit.discount * (price - unit.value)


def linear_cash(portfolio: Portfolio, round_: Round) -> float:
    """What a relative move of 1 earns on futures and the perpetual."""
    total = 0.0
    for p in portfolio.positions:
        if p.kind is Kind.PERP:
            total += p.quantity * round_.perp
        elif p.kind is Kind.FUTURE:
            (listed,) = (s for s in round_.surfaces if s.expiry_ts == p.expiry_ts)
            time = max(listed.expiry_ts - round_.ts, 0) / YEAR_SEC
            total += p.quantity * float(np.exp(-listed.rate * time)) * listed.forward
    return total


def weights(moves: Vector, price_range: float) -> Vector:
    """What a loss counts: all of it inside the range, the range over the move beyond."""
    return np.minimum(1.0, price_range / np.maximum(np.abs(moves), 1e-300))


def worst_losses(market: Market, portfolios: Sequence[Portfolio], params: Params, points: int = 401) -> Vector:
    """Largest weighted loss of each portfolio over all prices that the default book covers, per vol state.

    Every vol state is covered to three ranges.

    Parameters
    ----------
    market : Market
        One underlying.
    portfolios : sequence of Portfolio
    params : Params
    points : int
        Prices of the dense grid; around the worst of them the grid is refined twice.

    Returns
    -------
    ndarray, shape (n_portfolios, 3)
        At least 0, cash; vol up, flat, down.
    """
    round_, own = market.rounds[SYMBOL], params.for_underlying(SYMBOL)
    options = sorted({_instrument(p) for folio in portfolios for p in folio.positions if _is_option(p)})
    column = {instrument: i for i, instrument in enumerate(options)}
    units = [unit_of(Position(SYMBOL, kind, expiry, strike, 1.0), round_, own) for kind, expiry, strike in options]
    quantity = np.zeros((len(portfolios), len(units)))
    for row, folio in enumerate(portfolios):
        for p in folio.positions:
            if _is_option(p):
                quantity[row, column[_instrument(p)]] += p.quantity
    linear = np.array([linear_cash(folio, round_) for folio in portfolios])
    losses = np.zeros((len(portfolios), 3))
    for state, reach in enumerate((3.0, 3.0, 3.0)):
        moves = np.linspace(max(-0.95, -reach * own.price_range), reach * own.price_range, points)
        counted = weights(moves, own.price_range)
        grid = np.array([pnl(unit, state, moves) for unit in units]).reshape(len(units), points)
        total = counted * (quantity @ grid + linear[:, None] * moves[None, :])
        for row, at in enumerate(total.argmin(axis=1)):
            held = [(units[i], quantity[row, i]) for i in np.flatnonzero(quantity[row])]
            losses[row, state] = max(0.0, -_refined(held, linear[row], state, moves, int(at), own.price_range))
    return losses


def _is_option(position: Position) -> bool:
    return position.kind in (Kind.CALL, Kind.PUT)


def _instrument(position: Position) -> tuple[Kind, int, float]:
    return position.kind, position.expiry_ts, position.price


def _refined(
    held: list[tuple[Unit, float]], linear: float, state: int, moves: Vector, at: int, price_range: float
) -> float:
    """Smallest P&L near one point of the dense grid."""
    low, high = float(moves[max(at - 1, 0)]), float(moves[min(at + 1, len(moves) - 1)])
    smallest = np.inf
    for _ in range(2):
        fine = np.linspace(low, high, 41)
        whole = linear * fine + sum(q * pnl(unit, state, fine) for unit, q in held)
        total = weights(fine, price_range) * whole
        best = int(total.argmin())
        smallest = min(smallest, float(total[best]))
        low, high = float(fine[max(best - 1, 0)]), float(fine[min(best + 1, 40)])
    return smallest


# --- portfolios -------------------------------------------------------------------------------------------------------


def flat_surface(days: float, sigma: float, forward: float = 2_000.0, rate: float = 0.0, tilt: float = 0.0) -> Surface:
    """A slice of about one volatility; ``tilt`` is the slope of its smile."""
    seconds = round(days * DAY_SEC)
    variance = sigma * sigma * seconds / YEAR_SEC
    # A steeper wing than b*(1 + |rho|) = 2 is refused by every round.
    b = min(abs(tilt) * variance, 1.1)
    svi = Svi(variance - 0.1 * b, b, 0.8 if tilt > 0 else -0.8 if tilt < 0 else 0.0, 0.0, 0.1)
    return Surface(NOW + seconds, forward, rate, svi)


def market_of(surfaces: Sequence[Surface], spot: float = 2_000.0) -> Market:
    """One underlying with these expiries."""
    round_ = Round(SYMBOL, NOW, spot, spot, 1.0, tuple(sorted(surfaces, key=lambda s: s.expiry_ts)))
    return Market(NOW, {"USDC": Token("USDC", 1.0, 0.0)}, {SYMBOL: round_})


def random_market(draw: np.random.Generator) -> Market:
    """Twelve expiries from an hour to two years, calm and wild, more of them short."""
    days = sorted({round(float(d), 4) for d in 10 ** draw.uniform(-1.4, 2.8, 9)} | {0.4, 1.0, 30.0})
    return market_of(
        [
            flat_surface(
                day,
                float(10 ** draw.uniform(-1.0, 0.3)),
                2_000.0 * float(draw.uniform(0.98, 1.02)),
                float(draw.uniform(-0.05, 0.1)),
                float(draw.uniform(-2.0, 2.0)) if draw.random() < 0.5 else 0.0,
            )
            for day in days
        ]
    )


class Builder:
    """Draws portfolios of one market, one family after the other."""

    def __init__(self, market: Market, params: Params, seed: int) -> None:
        self.draw = np.random.default_rng(seed)
        self.round = market.rounds[SYMBOL]
        self.range = params.for_underlying(SYMBOL).price_range
        self.families: tuple[tuple[str, Callable[[], Legs]], ...] = (
            ("butterfly", self.butterfly),
            ("condor", self.condor),
            ("calendar", self.calendar),
            ("ratio spread", self.ratio),
            ("fence", self.fence),
            ("random", self.random),
        )

    def portfolios(self, count: int) -> list[tuple[str, Portfolio]]:
        """Draw ``count`` portfolios; half of them with their slope between two nodes taken out."""
        found = []
        for number in range(count):
            name, family = self.families[number % len(self.families)]
            legs = family()
            if self.draw.random() < 0.5:
                quantity = -sum(p.quantity * (1.0 if p.kind is Kind.CALL else 0.0) for p in legs)
                quantity += float(self.draw.normal(0.0, 20.0))
                legs = (*legs, Position(SYMBOL, Kind.PERP, 0, 2_000.0, round(quantity, 6)))
            found.append((name, Portfolio(Mode.SINGLE, 0.0, {}, merged(legs))))
        return found

    def _expiry(self, short: bool = True) -> int:
        surfaces = self.round.surfaces
        last = len(surfaces) * 2 // 3 if short else len(surfaces)
        return surfaces[int(self.draw.integers(0, last))].expiry_ts

    def _leg(self, expiry: int, strike: float, quantity: float) -> Position:
        kind = Kind.CALL if self.draw.random() < 0.5 else Kind.PUT
        return Position(SYMBOL, kind, expiry, round(strike, 4), round(quantity, 6))

    def _between(self) -> tuple[float, float]:
        """Price inside an interval of the default book, and the interval's width, cash."""
        step = self.range / 3.0
        at = (int(self.draw.integers(-3, 3)) + float(self.draw.uniform(0.15, 0.85))) * step
        return 2_000.0 * (1.0 + at), 2_000.0 * step

    def butterfly(self) -> Legs:
        """Short wings and a long body (or the other way) within about one interval."""
        centre, width = self._between()
        expiry, sign = self._expiry(), -1.0 if self.draw.random() < 0.8 else 1.0
        left, right = width * self.draw.uniform(0.05, 1.2, 2)
        legs = ((centre - left, 1.0), (centre, -2.0), (centre + right, 1.0))
        return tuple(self._leg(expiry, k, sign * 100.0 * q) for k, q in legs)

    def condor(self) -> Legs:
        """Four strikes around one interval."""
        centre, width = self._between()
        expiry, sign = self._expiry(), -1.0 if self.draw.random() < 0.8 else 1.0
        inner, outer = width * self.draw.uniform(0.05, 0.5), width * self.draw.uniform(0.5, 1.5)
        legs = ((centre - outer, 1.0), (centre - inner, -1.0), (centre + inner, -1.0), (centre + outer, 1.0))
        return tuple(self._leg(expiry, k, sign * 100.0 * q) for k, q in legs)

    def calendar(self) -> Legs:
        """One strike, two expiries, sometimes two strikes."""
        strike, width = self._between()
        near, far = sorted((self._expiry(), self._expiry(False)))
        other = strike if self.draw.random() < 0.6 else strike + float(self.draw.normal(0.0, width / 3))
        sign = float(self.draw.choice((-100.0, 100.0)))
        return self._leg(near, strike, sign), self._leg(far, other, -sign * float(self.draw.uniform(0.3, 3.0)))

    def ratio(self) -> Legs:
        """One strike against a multiple of another."""
        strike, width = self._between()
        expiry, sign = self._expiry(), float(self.draw.choice((-100.0, 100.0)))
        other = strike + float(self.draw.normal(0.0, width / 2))
        return self._leg(expiry, strike, sign), self._leg(expiry, other, -sign * float(self.draw.uniform(1.0, 4.0)))

    def fence(self) -> Legs:
        """A long option in every interval against shorts at the nodes: gaps add up, node losses cancel."""
        expiry, step, legs = self._expiry(), 2_000.0 * self.range / 3.0, []
        for i in range(-3, 3):
            at = 2_000.0 + (i + float(self.draw.uniform(0.3, 0.7))) * step
            legs.append(self._leg(expiry, at, float(self.draw.uniform(20.0, 100.0))))
        for i in range(-3, 4, 2):
            legs.append(self._leg(expiry, 2_000.0 + i * step, -float(self.draw.uniform(50.0, 150.0))))
        return tuple(legs)

    def random(self) -> Legs:
        """Two to eight legs anywhere in and around the range."""
        return tuple(
            self._leg(
                self._expiry(False),
                2_000.0 * (1.0 + float(self.draw.uniform(-3.2, 3.2)) * self.range),
                float(self.draw.normal(0.0, 100.0)),
            )
            for _ in range(int(self.draw.integers(2, 9)))
        )


def merged(legs: Legs) -> Legs:
    """One position an instrument, as the ledger keeps them."""
    total: dict[tuple[Kind, int, float], float] = {}
    for p in legs:
        total[_instrument(p)] = total.get(_instrument(p), 0.0) + p.quantity
    return tuple(Position(SYMBOL, *key, round(q, 6)) for key, q in total.items() if round(q, 6) != 0.0)


def narrow_butterfly() -> tuple[Market, Portfolio]:
    """100 short butterflies, 0.4 day, F = 2000, vol 60 %, strikes 1555/1600/1645."""
    surface = flat_surface(0.4, 0.6)
    legs = ((1_555.0, -100.0), (1_600.0, 200.0), (1_645.0, -100.0))
    positions = tuple(Position(SYMBOL, Kind.CALL, surface.expiry_ts, k, q) for k, q in legs)
    return market_of([surface]), Portfolio(Mode.SINGLE, 0.0, {}, positions)
