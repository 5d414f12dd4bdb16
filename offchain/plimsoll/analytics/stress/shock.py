"""A moved market, for everything that needs margin numbers and not only P&L."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from plimsoll.errors import InputError
from plimsoll.mirror.settlement_window import WINDOW_SEC, variance_time
from plimsoll.model import Market, Round, Surface, Svi

MAX_VOL_MOVE = 20.0


@dataclass(frozen=True, slots=True)
class Shock:
    """Relative move of every price of an underlying, and of every volatility at its strike."""

    price: float = 0.0
    vol: float = 0.0

    def __post_init__(self) -> None:
        """Keep prices and volatilities positive and finite."""
        if not -1.0 < self.price <= 100.0:
            raise InputError("scenario", f"price move {self.price:g} is outside (-1, 100]")
        if not -1.0 < self.vol <= MAX_VOL_MOVE:
            raise InputError("scenario", f"vol move {self.vol:g} is outside (-1, {MAX_VOL_MOVE:g}]")


def _surface(surface: Surface, shock: Shock, ts: int, elapsed_sec: int) -> Surface:
    """Slice with the same volatility at every strike, times ``1 + vol``, at the moved forward and the later time."""
    time, left = (variance_time(max(surface.expiry_ts - at, 0)) for at in (ts, ts + elapsed_sec))
    scale = (1.0 + shock.vol) ** 2 * (left / time if time > 0.0 else 0.0)
    svi = surface.svi
    # ln(K/F') = ln(K/F) - ln(1+x): shifting m by the same amount leaves the strike's volatility where it was.
    moved = Svi(svi.a * scale, svi.b * scale, svi.rho, svi.m - math.log1p(shock.price), svi.sigma)
    vols = tuple((strike, vol * (1.0 + shock.vol)) for strike, vol in surface.vols)
    return replace(surface, forward=surface.forward * (1.0 + shock.price), svi=moved, vols=vols)


def _mean(round_: Round, shock: Shock, elapsed_sec: int) -> float | None:
    """Mean of the settlement window that is open, or over, at the later time; since the shock the forward was paid."""
    later = [s for s in round_.surfaces if s.expiry_ts - round_.ts - elapsed_sec < WINDOW_SEC]
    if not later:
        return None
    surface = later[-1]
    left = surface.expiry_ts - round_.ts
    before, after = (max(WINDOW_SEC - max(at, 0), 0) for at in (left, left - elapsed_sec))
    known = before * round_.mean if round_.mean is not None else 0.0
    return (known + surface.forward * (1.0 + shock.price) * (after - before)) / after


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
        Spot, perpetual, forwards and linked tokens of an underlying move together (sticky strike, constant rate).

    Raises
    ------
    InputError
        If a shock names an underlying that the market does not have.
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
            perp=round_.perp * (1.0 + shock.price),
            surfaces=tuple(_surface(s, shock, round_.ts, elapsed_sec) for s in round_.surfaces),
            mean=_mean(round_, shock, elapsed_sec),
        )
    # A linked token is worth spot*ratio, so it moves with its round.
    return Market(market.ts + elapsed_sec, market.tokens, rounds)
