"""Vega of an account by expiry and strike: where on the surface it is long and short volatility."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.errors import InputError
from plimsoll.mirror.scenario_book import scenario_book
from plimsoll.mirror.unit_risk import price_instruments
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params

Vector = npt.NDArray[np.float64]
#: Borders of the buckets, in units of the forward.
BORDERS: Final = (0.7, 0.85, 0.95, 1.05, 1.15, 1.3)


@dataclass(frozen=True, slots=True)
class VegaMap:
    """Vega per 1.00 of volatility, cash, shape (n_expiries, n_buckets); a bucket holds its lower border."""

    underlying: str
    expiries: tuple[int, ...]
    vega: Vector

    @property
    def buckets(self) -> tuple[str, ...]:
        """Names of the buckets, strikes in units of the forward."""
        middle = [f"{low:.0%}-{high:.0%}" for low, high in pairwise(BORDERS)]
        return (f"<{BORDERS[0]:.0%}", *middle, f">{BORDERS[-1]:.0%}")

    def to_json(self) -> dict[str, object]:
        """Build the plimsoll.vega/1 document."""
        return {
            "schema": "plimsoll.vega/1",
            "underlying": self.underlying,
            "strikesOfForward": list(self.buckets),
            "expiries": [
                {"expiry": expiry, "vega": row.tolist(), "total": float(row.sum())}
                for expiry, row in zip(self.expiries, self.vega, strict=True)
            ],
            "total": float(self.vega.sum()),
        }


def vega_map(market: Market, portfolio: Portfolio, params: Params, underlying: str) -> VegaMap:
    """Sort the vega of an account.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
    params : Params
    underlying : str

    Returns
    -------
    VegaMap
        Its sum is the vega that ``plimsoll margin`` states.

    Raises
    ------
    InputError
        When the account holds no option of the underlying.
    """
    held = [p for p in portfolio.positions if p.underlying == underlying and p.kind.is_option]
    if not held:
        raise InputError("--underlying", f"the account holds no option of {underlying!r}")
    round_, own = market.rounds[underlying], params.for_underlying(underlying)
    book = scenario_book(params.book_of(underlying), own.price_range)
    unit = price_instruments(round_, [p.instrument for p in held], own, book)
    expiries = tuple(sorted({p.expiry_ts for p in held}))
    vega = np.zeros((len(expiries), len(BORDERS) + 1))
    for position, one in zip(held, unit.vega, strict=True):
        share = position.price / round_.surface(position.expiry_ts).forward
        vega[expiries.index(position.expiry_ts), int(np.searchsorted(BORDERS, share, side="right"))] += (
            position.quantity * float(one)
        )
    return VegaMap(underlying, expiries, vega)
