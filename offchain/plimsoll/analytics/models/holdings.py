"""What an account holds in one underlying, as arrays that every margin model reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plimsoll.mirror import black76, svi
from plimsoll.mirror.linear import linear_unit
from plimsoll.mirror.settlement_window import time_to_expiry
from plimsoll.model import Market, Portfolio, Position, Surface

Vector = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LinkedToken:
    """Collateral linked to an underlying: what it is, its value in cash, and the confidence of its price."""

    symbol: str
    value: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Holdings:
    """Positions of one underlying, one array element each, and the collateral linked to it.

    Attributes
    ----------
    name : str
    spot, perp_price, confidence, perp_confidence : float
        Index and perpetual price, cash; confidence of the round, and of the perpetual's price.
    is_option, is_call : ndarray of bool
    expiry_ts : ndarray of int64
        0 for the perpetual.
    quantity, strike, forward, time, rate, sigma : ndarray
        ``strike`` is 0 for linear instruments; ``forward`` the price of the perpetual for the perpetual; ``sigma`` the
        explicit volatility of the strike where the market file has one, else that of the SVI slice.
    discount : ndarray
        1 for the perpetual.
    unit_mark : ndarray
        Value of one unit, cash: of options the mark, of linear instruments what is not yet realised.
    delta : ndarray
        Discounted delta of one unit.
    expiry_confidence : ndarray
        Confidence of the expiry that a position belongs to; 1 for the perpetual.
    linked : tuple of LinkedToken
        Collateral linked to this underlying.
    """

    name: str
    spot: float
    perp_price: float
    confidence: float
    perp_confidence: float
    is_option: Flags
    is_call: Flags
    expiry_ts: npt.NDArray[np.int64]
    quantity: Vector
    strike: Vector
    forward: Vector
    time: Vector
    rate: Vector
    sigma: Vector
    discount: Vector
    unit_mark: Vector
    delta: Vector
    expiry_confidence: Vector
    linked: tuple[LinkedToken, ...]

    @property
    def linked_value(self) -> float:
        """Cash value of the collateral linked to this underlying."""
        return sum(token.value for token in self.linked)

    @property
    def mark(self) -> Vector:
        """Value of the positions, cash."""
        return self.quantity * self.unit_mark

    @property
    def is_linear(self) -> Flags:
        """Futures and perpetuals."""
        return ~self.is_option

    def option_values(self, forward: Vector, sigma: Vector) -> Vector:
        """Discounted value of one unit of every option at other forwards and volatilities; 0 for linear instruments."""
        strike = np.where(self.is_option, self.strike, 1.0)
        std = np.where(self.is_option, sigma * np.sqrt(self.time), 0.0)
        value, _ = black76.price_and_delta(self.is_call, forward, strike, std, self.discount)
        return np.where(self.is_option, value, 0.0)

    def unit_pnl(self, move: float, sigma: Vector) -> Vector:
        """P&L of one unit of every position when all prices move by ``move`` and volatilities become ``sigma``."""
        options = self.option_values(self.forward * (1.0 + move), sigma) - self.unit_mark
        return np.where(self.is_option, options, self.discount * self.forward * move)

    def pnl(self, move: float, sigma: Vector) -> float:
        """P&L of all positions, cash; without collateral."""
        return float(self.quantity @ self.unit_pnl(move, sigma))

    def vega(self) -> Vector:
        """Vega of one unit, cash per 1.00 of volatility; 0 for linear instruments."""
        strike = np.where(self.is_option, self.strike, 1.0)
        greeks = black76.greeks(self.is_call, self.forward, strike, self.sigma, self.time, self.rate)
        return np.where(self.is_option, greeks.vega, 0.0)

    def by_expiry(self, values: Vector) -> Vector:
        """Sum of ``values`` over each expiry (the perpetual is one of its own)."""
        return np.array([values[self.expiry_ts == expiry].sum() for expiry in np.unique(self.expiry_ts)])

    def bucket_times(self) -> Vector:
        """Years to each expiry in the order of :meth:`by_expiry`."""
        return np.array([self.time[self.expiry_ts == expiry].max() for expiry in np.unique(self.expiry_ts)])


def volatility_of(surface: Surface, strike: float, time: float) -> float:
    """Explicit volatility of the strike where the file has one, else that of the SVI slice."""
    for known, vol in surface.vols:
        if known == strike:
            return vol
    return float(svi.volatility(surface.svi, np.array(np.log(strike / surface.forward)), time))


def _row(market: Market, position: Position) -> tuple[float, ...]:
    """Forward, time, rate, sigma, discount, value and delta of one unit."""
    round_ = market.rounds[position.underlying]
    if position.kind.is_linear:
        unit = linear_unit(round_, position.kind, position.expiry_ts)
        # No venue's published rule knows our settlement window.
        value = unit.discount * (unit.price - position.price)
        return float(unit.price), unit.time, unit.rate, 0.0, unit.discount, float(value), unit.discount
    surface = round_.surface(position.expiry_ts)
    time = time_to_expiry(surface.expiry_ts, round_.ts)
    discount = float(np.exp(-surface.rate * time))
    sigma = volatility_of(surface, position.price, time)
    mark, delta = black76.price_and_delta(
        np.array(position.kind.is_call),
        np.array(surface.forward),
        np.array(position.price),
        np.array(sigma * np.sqrt(time)),
        np.array(discount),
    )
    return surface.forward, time, surface.rate, sigma, discount, float(mark), float(delta)


def holdings_of(market: Market, portfolio: Portfolio) -> tuple[Holdings, ...]:
    """Arrays of every underlying that the account has positions or linked collateral in.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio

    Returns
    -------
    tuple of Holdings
        In the order of the market file.
    """
    found = []
    for name, round_ in market.rounds.items():
        own = [position for position in portfolio.positions if position.underlying == name]
        linked = tuple(
            LinkedToken(symbol, amount * market.price_of(symbol), market.tokens[symbol].confidence)
            for symbol, amount in portfolio.collateral.items()
            if market.tokens[symbol].linked == name and amount != 0.0
        )
        if not own and not linked:
            continue
        table = np.array([_row(market, position) for position in own]).reshape(len(own), 7)
        option = np.array([p.kind.is_option for p in own], dtype=bool)
        found.append(
            Holdings(
                name=name,
                spot=round_.spot,
                perp_price=round_.perp,
                confidence=round_.confidence,
                perp_confidence=round_.perp_confidence,
                is_option=option,
                is_call=np.array([p.kind.is_call for p in own], dtype=bool),
                expiry_ts=np.array([p.expiry_ts for p in own], dtype=np.int64),
                quantity=np.array([p.quantity for p in own], dtype=np.float64),
                strike=np.array([p.price if o else 0.0 for p, o in zip(own, option, strict=True)], dtype=np.float64),
                forward=table[:, 0],
                time=table[:, 1],
                rate=table[:, 2],
                sigma=table[:, 3],
                discount=table[:, 4],
                unit_mark=table[:, 5],
                delta=table[:, 6],
                expiry_confidence=np.array(
                    [round_.surface(p.expiry_ts).confidence if p.kind.has_expiry else 1.0 for p in own],
                    dtype=np.float64,
                ),
                linked=linked,
            )
        )
    return tuple(found)
