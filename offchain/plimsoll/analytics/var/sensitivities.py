"""Second-order sensitivities of every leg to log moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.var.legs import Leg
from plimsoll.constants import YEAR_SEC
from plimsoll.mirror.scenario_book import scenario_book
from plimsoll.mirror.unit_risk import open_volatility, price_instruments
from plimsoll.model import Market
from plimsoll.params import BookSpec, UnderlyingParams

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sensitivities:
    """P&L of leg ``i`` is about ``drift_i + first_i . x + x' second_i x / 2``.

    Attributes
    ----------
    drift : ndarray, shape (m,)
        Theta over the horizon, cash.
    first : ndarray, shape (m, 2k)
        To the log price, then to the log volatility, of every underlying.
    second : ndarray, shape (m, 2k, 2k)
        Only the price diagonal is filled.
    """

    drift: Vector
    first: Vector
    second: Vector


def sensitivities(market: Market, legs: Sequence[Leg], underlyings: Sequence[str], horizon_sec: int) -> Sensitivities:
    """Delta, gamma, vega and theta of the mirror as sensitivities to log moves.

    Parameters
    ----------
    market : Market
    legs : sequence of Leg, length m
    underlyings : sequence of str, length k
    horizon_sec : int

    Returns
    -------
    Sensitivities

    Notes
    -----
    For a price ``F*exp(x)``: first derivative ``delta*F``, second ``gamma*F^2 + delta*F``. For a volatility
    ``sigma*exp(y)``: ``vega*sigma``. Volga and vanna are left out.
    """
    k = len(underlyings)
    drift, first = np.zeros(len(legs)), np.zeros((len(legs), 2 * k))
    second = np.zeros((len(legs), 2 * k, 2 * k))
    year = horizon_sec / YEAR_SEC
    plain = UnderlyingParams()
    for j, leg in enumerate(legs):
        u = underlyings.index(leg.underlying)
        if leg.position is None:
            spot = market.rounds[leg.underlying].spot
            first[j, u] = leg.quantity * leg.units(spot) * spot
            second[j, u, u] = first[j, u] + leg.quantity * leg.gamma(spot) * spot**2
            continue
        round_ = market.rounds[leg.underlying]
        option = leg.position.kind.is_option
        instrument = leg.position.instrument
        unit = price_instruments(round_, [instrument], plain, scenario_book(BookSpec(), plain.price_range))
        cash_delta = float(unit.cash_delta[0])
        first[j, u] = leg.quantity * cash_delta
        second[j, u, u] = leg.quantity * cash_delta
        if option:
            surface = round_.surface(leg.position.expiry_ts)
            second[j, u, u] += leg.quantity * float(unit.gamma[0]) * surface.forward**2
            first[j, k + u] = leg.quantity * float(unit.vega[0]) * open_volatility(round_, instrument)
            drift[j] = leg.quantity * float(unit.theta[0]) * year
    return Sensitivities(drift, first, second)
