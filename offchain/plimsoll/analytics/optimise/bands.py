"""Rebalancing bands: how far delta may drift before a hedge is worth its gas and slippage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.var.legs import legs_of
from plimsoll.errors import InputError
from plimsoll.mirror import black76, svi
from plimsoll.mirror.settlement_window import time_to_expiry
from plimsoll.model import Market, Portfolio, Position

Vector = npt.NDArray[np.float64]
WIDTHS: Final = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class BandSettings:
    """What is simulated.

    Attributes
    ----------
    volatility : float
        Of the price, per year.
    days : float
    steps_per_day : int
        Times a day at which the band is looked at.
    gas : float
        Cash per rebalancing trade.
    slippage : float
        Of the traded notional.
    aversion : float
        Cash of expected cost one gives up per cash of standard deviation.
    paths, seed : int
    """

    volatility: float
    days: float = 7.0
    steps_per_day: int = 24
    gas: float = 0.5
    slippage: float = 0.0005
    aversion: float = 0.5
    paths: int = 1_000
    seed: int = 20_260_206

    def __post_init__(self) -> None:
        """Check every number against its range."""
        ranges = {
            "volatility": (self.volatility, 0.01, 10.0),
            "days": (self.days, 0.1, 365.0),
            "steps": (self.steps_per_day, 1, 288),
            "gas": (self.gas, 0.0, 1e6),
            "slippage": (self.slippage, 0.0, 0.5),
            "aversion": (self.aversion, 0.0, 100.0),
            "paths": (self.paths, 16, 100_000),
            "seed": (self.seed, 0, 2**32 - 1),
        }
        for name, (value, low, high) in ranges.items():
            if not low <= value <= high:
                raise InputError(f"--{name}", f"{value:g} is outside [{low:g}, {high:g}]")


@dataclass(frozen=True, slots=True)
class Band:
    """One band: width in units of delta; figures are means over the paths, cash.

    ``hedged`` is the P&L of options and hedge before costs: the gamma drag (or gain). ``risk`` is the standard
    deviation after costs.
    """

    width: float
    trades: float
    gas: float
    slippage: float
    hedged: float
    risk: float
    objective: float


def _values(position: Position, market: Market, growth: Vector, elapsed: float) -> tuple[Vector, Vector]:
    """Value and delta of one unit per path after ``elapsed`` years."""
    round_ = market.rounds[position.underlying]
    surface = round_.surface(position.expiry_ts)
    time = time_to_expiry(surface.expiry_ts, round_.ts)
    left = max(time - elapsed, 0.0)
    sigma = svi.volatility(surface.svi, np.array(np.log(position.price / surface.forward)), time)
    return black76.price_and_delta(
        np.array(position.kind.is_call),
        surface.forward * growth,
        np.array(position.price),
        np.asarray(sigma * np.sqrt(left)),
        np.array(np.exp(-surface.rate * left)),
    )


def _simulate(
    market: Market, options: list[Position], spot: float, settings: BandSettings
) -> tuple[Vector, Vector, Vector]:
    """Spot, option value and option delta, each of shape (steps + 1, paths)."""
    steps = max(1, round(settings.days * settings.steps_per_day))
    dt = settings.days / 365.0 / steps
    rng = np.random.default_rng(settings.seed)
    half = rng.standard_normal((steps, (settings.paths + 1) // 2))
    normal = np.hstack((half, -half))[:, : settings.paths]
    log_growth = np.cumsum(settings.volatility * np.sqrt(dt) * normal - 0.5 * settings.volatility**2 * dt, axis=0)
    growth = np.vstack((np.ones(settings.paths), np.exp(log_growth)))
    value, delta = np.zeros_like(growth), np.zeros_like(growth)
    for k in range(steps + 1):
        for position in options:
            unit, slope = _values(position, market, growth[k], k * dt)
            value[k] += position.quantity * unit
            delta[k] += position.quantity * slope
    return spot * growth, value, delta


def _run(spot: Vector, value: Vector, delta: Vector, width: float, settings: BandSettings) -> Band:
    """Hedge whenever net delta leaves the band, back to its edge."""
    paths = spot.shape[1]
    hedge = -delta[0]
    pnl, traded, count = np.zeros(paths), np.zeros(paths), np.zeros(paths)
    for k in range(1, spot.shape[0]):
        pnl += hedge * (spot[k] - spot[k - 1]) + value[k] - value[k - 1]
        if k == spot.shape[0] - 1:
            break
        net = delta[k] + hedge
        change = -np.sign(net) * np.maximum(np.abs(net) - width, 0.0)
        hedge = hedge + change
        traded += np.abs(change) * spot[k]
        count += change != 0.0
    gas, slip = count * settings.gas, traded * settings.slippage
    total = pnl - gas - slip
    risk = float(total.std())
    cost = float((gas + slip).mean())
    return Band(
        width, float(count.mean()), float(gas.mean()), float(slip.mean()), float(pnl.mean()), risk,
        cost + settings.aversion * risk,
    )  # fmt: skip


def rebalancing_bands(
    market: Market, portfolio: Portfolio, underlying: str, settings: BandSettings
) -> tuple[tuple[Band, ...], Band]:
    """Simulate delta hedging of the options of one underlying under several band widths.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
    underlying : str
    settings : BandSettings

    Returns
    -------
    tuple of Band, Band
        Every width (``WIDTHS`` in units of the total option quantity), and the one with the least cost plus
        ``aversion`` times risk. All widths see the same paths; volatilities stay with their strike.

    Raises
    ------
    InputError
        When there are no options.
    """
    options = [p for p in portfolio.positions if p.underlying == underlying and p.kind.is_option]
    if not options:
        raise InputError("portfolio", f"holds no option of {underlying}: there is no delta that drifts")
    legs_of(market, portfolio)
    simulated = _simulate(market, options, market.rounds[underlying].spot, settings)
    size = sum(abs(p.quantity) for p in options)
    bands = tuple(_run(*simulated, width * size, settings) for width in WIDTHS)
    return bands, min(bands, key=lambda band: band.objective)
