"""A moved market, for everything that needs margin numbers and not only P&L."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Final

import numpy as np

from plimsoll.constants import DAY_SEC, YEAR_SEC
from plimsoll.errors import DomainError, InputError
from plimsoll.mirror.settlement_window import WINDOW_SEC, variance_time
from plimsoll.mirror.svi import total_variance
from plimsoll.model import Market, Round, Surface, Svi

MAX_VOL_MOVE = 20.0
#: What each number of a shock must be above, and at most.
LIMITS: Final = {
    "price": (-1.0, 100.0),
    "vol": (-1.0, MAX_VOL_MOVE),
    "skew": (-1.0, 1.0),
    "front": (-1.0, MAX_VOL_MOVE),
    "back": (-1.0, MAX_VOL_MOVE),
    "basis": (-5.0, 5.0),
    "perp": (-1.0, 1.0),
    "rate": (-1.0, 1.0),
}
#: Times to expiry up to which a move of the front counts whole, and from which that of the back does.
FRONT_SEC: Final = 7 * DAY_SEC
BACK_SEC: Final = 180 * DAY_SEC
#: What a tilt leaves of the smallest variance of a smile, at least.
LEAST_SHARE: Final = 0.25


@dataclass(frozen=True, slots=True)
class Shock:
    """What happens to one underlying at once.

    Attributes
    ----------
    price : float
        Relative move of spot, perpetual and forwards.
    vol : float
        Relative move of every volatility at its strike.
    skew : float
        Tilt of every smile about its moved forward, whose volatility stays: the slope of total variance far up takes
        the factor ``1 + skew``, that far down ``1 - skew``. Negative makes puts dearer against calls. A smile whose
        smallest variance would fall below a quarter of what it was is raised as a whole until it has that quarter: a
        forward that moved far into a wing would else take the other side below zero.
    front, back : float
        Relative moves of short and of long volatilities: whole up to 7 days and from 180 days on, in between by the
        logarithm of the time to expiry.
    basis : float
        Added to ``ln(F/S)/T`` of every expiry, per year.
    perp : float
        Relative move of the perpetual against spot.
    rate : float
        Added to the rate of every expiry, per year; forwards stay.
    """

    price: float = 0.0
    vol: float = 0.0
    skew: float = 0.0
    front: float = 0.0
    back: float = 0.0
    basis: float = 0.0
    perp: float = 0.0
    rate: float = 0.0

    def __post_init__(self) -> None:
        """Keep prices and volatilities positive and finite."""
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if not low < value <= high:
                raise InputError("scenario", f"{name} move {value:g} is outside ({low:g}, {high:g}]")

    def to_json(self) -> dict[str, float]:
        """Return its numbers: price and volatility always, the others where they are not 0."""
        numbers = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: value for name, value in numbers.items() if value != 0.0 or name in ("price", "vol")}

    @property
    def words(self) -> str:
        """Say it in few words, as in a table."""
        others = (f" {name} {value:+.0%}" for name, value in self.to_json().items() if name not in ("price", "vol"))
        return f"{self.price:+.1%} vol {self.vol:+.0%}" + "".join(others)

    def vol_factor(self, left_sec: int) -> float:
        """Return the factor of the volatilities that expire after ``left_sec``."""
        held = min(max(left_sec, FRONT_SEC), BACK_SEC)
        long = math.log(held / FRONT_SEC) / math.log(BACK_SEC / FRONT_SEC)
        return (1.0 + self.vol) * (1.0 + self.front * (1.0 - long) + self.back * long)

    def growth(self, left_sec: int) -> float:
        """Return the log move of the forward that is paid after ``left_sec``."""
        return math.log1p(self.price) + self.basis * left_sec / YEAR_SEC

    def forward_factor(self, left_sec: int) -> float:
        """Return the factor of that forward."""
        return (1.0 + self.price) * math.exp(self.basis * left_sec / YEAR_SEC)


def _tilted(svi: Svi, skew: float) -> Svi:
    """Slice with other wings and the same variance at the forward, or raised to a share of its smallest variance."""
    if skew == 0.0:
        return svi
    b, rho = svi.b * (1.0 + skew * svi.rho), (svi.rho + skew) / (1.0 + skew * svi.rho)
    # At the forward k is 0, so what stands behind a is that of -m.
    at_forward = math.hypot(svi.m, svi.sigma)
    before, after = (slope * at_forward - slope * r * svi.m for slope, r in ((svi.b, svi.rho), (b, rho)))
    tilted = Svi(svi.a + before - after, b, rho, svi.m, svi.sigma)
    lack = LEAST_SHARE * svi.least_variance - tilted.least_variance
    return replace(tilted, a=tilted.a + lack) if lack > 0.0 else tilted


def _vols(surface: Surface, factor: float, forward: float, before: Svi, after: Svi) -> tuple[tuple[float, float], ...]:
    """Move explicit volatilities: each by the factor, and as the slice is tilted at its strike."""
    if before is after or not surface.vols:
        return tuple((strike, vol * factor) for strike, vol in surface.vols)
    k = np.log(np.array([strike for strike, _ in surface.vols]) / forward)
    variances = (total_variance(before, k), total_variance(after, k))
    tilt = np.sqrt(np.divide(variances[1], variances[0], out=np.ones_like(k), where=variances[0] > 0.0))
    return tuple((strike, vol * factor * float(t)) for (strike, vol), t in zip(surface.vols, tilt, strict=True))


def _surface(surface: Surface, shock: Shock, ts: int, elapsed_sec: int) -> Surface:
    """Move a slice: every strike's volatility by one factor, then a tilt, at the moved forward and the later time."""
    left_sec = max(surface.expiry_ts - ts - elapsed_sec, 0)
    time, left = variance_time(max(surface.expiry_ts - ts, 0)), variance_time(left_sec)
    factor, growth = shock.vol_factor(left_sec), shock.growth(left_sec)
    scale = factor**2 * (left / time if time > 0.0 else 0.0)
    svi = surface.svi
    # ln(K/F') = ln(K/F) - growth: shifting m by the same amount leaves the strike's volatility where it was.
    moved = Svi(svi.a * scale, svi.b * scale, svi.rho, svi.m - growth, svi.sigma)
    tilted = _tilted(moved, shock.skew)
    forward = surface.forward * shock.forward_factor(left_sec)
    return Surface(
        expiry_ts=surface.expiry_ts,
        forward=forward,
        rate=surface.rate + shock.rate,
        svi=tilted,
        vols=_vols(surface, factor, forward, moved, tilted),
        confidence=surface.confidence,
    )


def _moved(name: str, surface: Surface, shock: Shock, ts: int, elapsed_sec: int) -> Surface:
    """Move a slice; one that no market could hold is refused by the name that people know it by."""
    try:
        return _surface(surface, shock, ts, elapsed_sec)
    except DomainError as error:
        date = datetime.fromtimestamp(surface.expiry_ts, UTC).strftime("%Y-%m-%d %H:%MZ")
        raise DomainError(f"{name}, expiry {date}", error.message) from None


def _mean(round_: Round, shock: Shock, elapsed_sec: int) -> float | None:
    """Mean of the settlement window that is open, or over, at the later time; since the shock the forward was paid."""
    later = [s for s in round_.surfaces if s.expiry_ts - round_.ts - elapsed_sec < WINDOW_SEC]
    if not later:
        return None
    surface = later[-1]
    left = surface.expiry_ts - round_.ts
    before, after = (max(WINDOW_SEC - max(at, 0), 0) for at in (left, left - elapsed_sec))
    known = before * round_.mean if round_.mean is not None else 0.0
    paid = surface.forward * shock.forward_factor(max(left - elapsed_sec, 0))
    return (known + paid * (after - before)) / after


def shocked_market(market: Market, shocks: Mapping[str, Shock], elapsed_sec: int = 0) -> Market:
    """Move a market.

    Parameters
    ----------
    market : Market
    shocks : mapping of str to Shock
        By underlying; one that is missing does not move.
    elapsed_sec : int
        Time that passes. An option that expires meanwhile stays in the book at its intrinsic value.

    Returns
    -------
    Market
        Spot, perpetual, forwards and linked tokens of an underlying move together, and volatilities stay with their
        strikes, but for what the shock says else.

    Raises
    ------
    InputError
        If a shock names an underlying that the market does not have.
    DomainError
        If what comes out is no market, as with a rate beyond the limit.
    """
    unknown = set(shocks) - set(market.rounds)
    if unknown:
        raise InputError("scenario", f"{sorted(unknown)[0]!r} is not an underlying of the market")
    rounds: dict[str, Round] = {}
    for name, round_ in market.rounds.items():
        shock = shocks.get(name, Shock())
        rounds[name] = replace(
            round_,
            ts=round_.ts + elapsed_sec,
            spot=round_.spot * (1.0 + shock.price),
            perp=round_.perp * (1.0 + shock.price) * (1.0 + shock.perp),
            surfaces=tuple(_moved(name, s, shock, round_.ts, elapsed_sec) for s in round_.surfaces),
            mean=_mean(round_, shock, elapsed_sec),
        )
    # A linked token is worth spot*ratio, so it moves with its round.
    return Market(market.ts + elapsed_sec, market.tokens, rounds)
