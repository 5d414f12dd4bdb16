"""What the dashboard shows of one account, computed at every look."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.stress.crossing import first_crossing
from plimsoll.analytics.stress.moved import Move, margins_after
from plimsoll.analytics.stress.shock import Shock
from plimsoll.errors import DomainError, InputError
from plimsoll.mirror.margin_engine import HEALTHY, MarginResult, evaluate
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params

Vector = npt.NDArray[np.float64]

#: Price moves at which the search for liquidation looks first.
GRID: Final = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75)


@dataclass(frozen=True, slots=True)
class AlertRules:
    """When the dashboard warns.

    Attributes
    ----------
    distance : float
        Smallest price move to liquidation, either way.
    use : float
        Largest share of equity that initial margin may take.
    round_age_sec : int
        Oldest round.
    """

    distance: float = 0.10
    use: float = 0.9
    round_age_sec: int = 600

    def __post_init__(self) -> None:
        """Check every number against its range."""
        ranges = {
            "alert-distance": (self.distance, 0.0, 1.0),
            "alert-use": (self.use, 0.0, 10.0),
            "alert-age": (self.round_age_sec, 1, 10**9),
        }
        for name, (value, low, high) in ranges.items():
            if not low <= value <= high:
                raise InputError(f"--{name}", f"{value:g} is outside [{low:g}, {high:g}]")


@dataclass(frozen=True, slots=True)
class WatchView:
    """One look.

    Attributes
    ----------
    account : int or None
        None for a portfolio file.
    block : int
    market : Market
    portfolio : Portfolio
    margin : MarginResult
    down, up : float or None
        Move of every price at once, to the nearest liquidation; None when there is none within 75 %. 0 when it is now.
    alerts : tuple of str
    """

    account: int | None
    block: int
    market: Market
    portfolio: Portfolio
    margin: MarginResult
    down: float | None
    up: float | None
    alerts: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Build the plimsoll.watch/1 document."""
        return {
            "schema": "plimsoll.watch/1",
            "account": self.account,
            "block": self.block,
            "timestamp": self.market.ts,
            "margin": self.margin.to_json(),
            "expiries": {
                name: [
                    {"expiry": e.expiry_ts, "delta": e.delta, "gamma": e.gamma, "vega": e.vega, "theta": e.theta}
                    for e in u.expiries
                ]
                for name, u in self.margin.underlyings.items()
            },
            "liquidationDown": self.down,
            "liquidationUp": self.up,
            "alerts": list(self.alerts),
        }


def liquidation_move(market: Market, portfolio: Portfolio, params: Params, sign: float) -> float | None:
    """Find the smallest move of every price, in one direction, at which the account falls below maintenance margin.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
    params : Params
    sign : float
        1 up, -1 down.

    Returns
    -------
    float or None
        Signed; None when no point of ``GRID`` is below.
    """

    def slack(sizes: Sequence[float]) -> Vector:
        """Equity less maintenance margin after each move of every price."""
        moves = [Move(dict.fromkeys(market.rounds, Shock(size))) for size in sizes]
        found = margins_after(market, portfolio, params, moves)
        return found.equity - found.maintenance_margin

    return first_crossing(slack, [sign * step for step in GRID])


def _alerts(
    market: Market,
    margin: MarginResult,
    moves: tuple[float | None, float | None],
    rules: AlertRules,
    now_ts: int,
    auction: bool,
) -> list[str]:
    found = []
    if auction:
        found.append("an auction of this account is running")
    if margin.state != HEALTHY:
        found.append(f"state: {margin.state}")
    elif margin.initial_margin > rules.use * margin.equity:
        found.append(f"initial margin takes {margin.initial_margin / margin.equity:.0%} of equity")
    near = [move for move in moves if move is not None and abs(move) < rules.distance]
    found += [f"liquidation at {move:+.1%}" for move in near]
    for name, round_ in market.rounds.items():
        age = now_ts - round_.ts
        if age > rules.round_age_sec:
            found.append(f"the round of {name} is {age} seconds old")
    return found


def watch_view(
    account: int | None,
    block: int,
    market: Market,
    portfolio: Portfolio,
    params: Params,
    rules: AlertRules,
    now_ts: int,
    auction: bool = False,
) -> WatchView:
    """Compute one look.

    Parameters
    ----------
    account : int or None
        None for a portfolio file.
    block : int
    market : Market
    portfolio : Portfolio
    params : Params
    rules : AlertRules
    now_ts : int
        Time against which rounds age.
    auction : bool
        Whether one is running.

    Returns
    -------
    WatchView

    Raises
    ------
    DomainError
        If a figure is not finite.
    """
    margin = evaluate(market, portfolio, params)
    if not all(math.isfinite(x) for x in (margin.equity, margin.initial_margin, margin.maintenance_margin)):
        raise DomainError("watch", "a figure is not a finite number")
    down = liquidation_move(market, portfolio, params, -1.0)
    up = liquidation_move(market, portfolio, params, 1.0)
    alerts = _alerts(market, margin, (down, up), rules, now_ts, auction)
    return WatchView(account, block, market, portfolio, margin, down, up, tuple(alerts))
