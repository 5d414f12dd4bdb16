"""At which price of one underlying an account can be liquidated, the others standing still.

Two prices are asked for each side: that of a move of the price alone, and that of the same move with volatility, which
rises by ``volUp`` for every price range that the price has moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.stress.crossing import first_crossing
from plimsoll.analytics.stress.moved import Move, margins_after
from plimsoll.analytics.stress.shock import MAX_VOL_MOVE, Shock
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params

Vector = npt.NDArray[np.float64]

#: How far is looked: to a twentieth of the price and to four times of it, in logs.
LOWEST: Final = -0.95
HIGHEST: Final = 3.0
STEPS: Final = 48


@dataclass(frozen=True, slots=True)
class LiquidationPrice:
    """Nearest price on one side at which equity falls below maintenance margin; None where none is in reach."""

    underlying: str
    side: str
    spot: float
    price_alone: float | None
    with_vol: float | None

    def to_json(self) -> dict[str, object]:
        """Build the entry of the document."""

        def side(price: float | None) -> dict[str, float] | None:
            return None if price is None else {"price": price, "move": price / self.spot - 1.0}

        return {
            "underlying": self.underlying,
            "side": self.side,
            "spot": self.spot,
            "priceAlone": side(self.price_alone),
            "withVol": side(self.with_vol),
        }


@dataclass(frozen=True, slots=True)
class _Path:
    """An account while the price of one underlying moves, and its volatilities by ``slope`` of the move's size."""

    market: Market
    portfolio: Portfolio
    params: Params
    underlying: str
    slope: float

    def distances(self, sizes: Sequence[float]) -> Vector:
        """Equity less maintenance margin after each move of the price."""
        shocks = [Shock(size, min(self.slope * abs(size), MAX_VOL_MOVE)) for size in sizes]
        moves = [Move({self.underlying: shock}) for shock in shocks]
        found = margins_after(self.market, self.portfolio, self.params, moves)
        return found.equity - found.maintenance_margin


def liquidation_prices(market: Market, portfolio: Portfolio, params: Params) -> list[LiquidationPrice]:
    """Find the prices at which an account becomes liquidatable.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
    params : Params
        Range and volatility move of every underlying.

    Returns
    -------
    list of LiquidationPrice
        Down and up for every underlying that is held. Between two of 48 steps a side, in logs, a crossing and its
        return are not seen. An account that is liquidatable now has the spot itself on both sides.

    Raises
    ------
    DomainError
        When the account holds what the market does not have.
    """
    held = [p.underlying for p in portfolio.positions]
    held += [str(market.tokens[s].linked) for s in portfolio.collateral if market.tokens[s].linked is not None]
    found = []
    for name in dict.fromkeys(held):
        spot, own = market.rounds[name].spot, params.for_underlying(name)
        for side, last in (("down", LOWEST), ("up", HIGHEST)):
            moves = np.expm1(np.linspace(0.0, np.log1p(last), STEPS + 1)).tolist()[1:]
            ends = []
            for slope in (0.0, own.vol_up / own.price_range):
                move = first_crossing(_Path(market, portfolio, params, name, slope).distances, moves)
                ends.append(None if move is None else spot * (1.0 + move))
            found.append(LiquidationPrice(name, side, spot, *ends))
    return found
