"""P&L of an account over the price of one underlying and the date, volatility staying with its strike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.stress.moved import Move, margins_after
from plimsoll.analytics.stress.shock import Shock
from plimsoll.errors import InputError
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params

Vector = npt.NDArray[np.float64]
MOVES: Final = (-0.5, -0.3, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2, 0.3, 0.5)


@dataclass(frozen=True, slots=True)
class Payoff:
    """P&L against now, cash, shape (n_moves, n_dates); ``dates`` are unix seconds, the first is the market's."""

    underlying: str
    spot: float
    moves: tuple[float, ...]
    dates: tuple[int, ...]
    pnl: Vector

    def to_json(self) -> dict[str, object]:
        """Build the plimsoll.payoff/1 document."""
        return {
            "schema": "plimsoll.payoff/1",
            "underlying": self.underlying,
            "spot": self.spot,
            "dates": list(self.dates),
            "moves": [
                {"move": move, "price": self.spot * (1.0 + move), "pnl": row.tolist()}
                for move, row in zip(self.moves, self.pnl, strict=True)
            ],
        }


def payoff_dates(market: Market, portfolio: Portfolio, underlying: str) -> tuple[int, ...]:
    """Return the market's time and the expiries that the account holds, each a second after it has settled."""
    held = {p.expiry_ts for p in portfolio.positions if p.underlying == underlying and p.kind.has_expiry}
    return (market.ts, *sorted(expiry for expiry in held if expiry > market.ts))


def payoff(
    market: Market,
    portfolio: Portfolio,
    params: Params,
    underlying: str,
    moves: Sequence[float] = MOVES,
    dates: Sequence[int] | None = None,
) -> Payoff:
    """Compute what an account would earn.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
    params : Params
    underlying : str
        Whose price moves; the others stand still, and time passes for all.
    moves : sequence of float
        Relative moves of the price.
    dates : sequence of int, optional
        Unix seconds, none before the market's; default ``payoff_dates``. What has expired by a date is worth what it
        settles at if the price stands there.

    Returns
    -------
    Payoff

    Raises
    ------
    InputError
        For an unknown underlying or a date before the market's.
    """
    if underlying not in market.rounds:
        raise InputError("--underlying", f"{underlying!r} is not an underlying of the market file")
    chosen = payoff_dates(market, portfolio, underlying) if dates is None else tuple(dates)
    early = [date for date in chosen if date < market.ts]
    if early:
        raise InputError("--date", f"{early[0]} is before the market's time {market.ts}")
    grid = [Move({underlying: Shock(move)}, date - market.ts) for move in moves for date in chosen]
    found = margins_after(market, portfolio, params, [Move({}), *grid]).market_equity
    pnl = (found[1:] - found[0]).reshape(len(moves), len(chosen))
    return Payoff(underlying, market.rounds[underlying].spot, tuple(moves), chosen, pnl)
