"""Gamma shock over all accounts: forced hedging and liquidations move the price, which forces more of both.

A shock moves the price. Accounts that hedge trade back to the net delta they had; accounts below maintenance margin are
liquidated, and whoever takes them over sells their delta. The trades of one round move the price by a linear impact;
the next round starts there. Nothing reverts and no fresh liquidity comes in: an upper bound of what the
mechanics alone do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from plimsoll.analytics.stress.shock import Shock, shocked_market
from plimsoll.errors import InputError
from plimsoll.mirror.margin_engine import INSOLVENT, LIQUIDATABLE, MarginResult, evaluate_many
from plimsoll.mirror.order_preview import OpenOrder, filled
from plimsoll.model import Kind, Market, Portfolio, Position
from plimsoll.params import Params

MAX_ROUNDS: Final = 60
#: Impact of less than this ends the cascade.
STILL: Final = 1e-5
#: The price stops here; further down or up the linear impact says nothing.
FLOOR, CEILING = -0.9, 3.0
#: An account hedges when its net delta is below this share of the delta of its options.
HEDGED_SHARE: Final = 0.25


@dataclass(frozen=True, slots=True)
class CascadeSettings:
    """What happens first, and how deep the market is.

    Attributes
    ----------
    underlying : str
    shock, vol_shock : float
        Relative moves of the price and of all volatilities, from outside.
    depth : float
        Cash of one-sided trades that moves the price by 1 %.
    hedge_share : float
        Share of its delta change that a hedging account trades in one round.
    """

    underlying: str
    shock: float = -0.10
    vol_shock: float = 0.0
    depth: float = 10e6
    hedge_share: float = 1.0

    def __post_init__(self) -> None:
        """Check every number against its range."""
        ranges = {
            "shock": (self.shock, FLOOR, CEILING),
            "vol-shock": (self.vol_shock, -0.9, 5.0),
            "depth": (self.depth, 1.0, 1e15),
            "hedge-share": (self.hedge_share, 0.0, 1.0),
        }
        for name, (value, low, high) in ranges.items():
            if not low <= value <= high:
                raise InputError(f"--{name}", f"{value:g} is outside [{low:g}, {high:g}]")


@dataclass(frozen=True, slots=True)
class CascadeRound:
    """One round: move since the start, signed trades of hedgers and liquidators (cash), who is liquidated in it."""

    move: float
    hedging: float
    selling: float
    liquidated: tuple[str, ...]
    insolvent: tuple[str, ...]
    shortfall: float


@dataclass(frozen=True, slots=True)
class Cascade:
    """The rounds; ``amplification`` is the final move over the shock, ``settled`` whether the price came to rest."""

    rounds: tuple[CascadeRound, ...]
    hedgers: tuple[str, ...]
    amplification: float
    settled: bool

    def to_json(self) -> dict[str, object]:
        """Build the plimsoll.cascade/1 document."""
        return {
            "schema": "plimsoll.cascade/1",
            "hedgers": list(self.hedgers),
            "amplification": self.amplification,
            "settled": self.settled,
            "finalMove": self.rounds[-1].move,
            "shortfall": self.rounds[-1].shortfall,
            "rounds": [
                {
                    "move": r.move,
                    "hedging": r.hedging,
                    "liquidationTrades": r.selling,
                    "liquidated": list(r.liquidated),
                    "insolvent": list(r.insolvent),
                    "shortfall": r.shortfall,
                }
                for r in self.rounds
            ],
        }


def _option_delta(market: Market, portfolio: Portfolio, underlying: str, params: Params) -> float:
    options = tuple(p for p in portfolio.positions if p.kind.is_option and p.underlying == underlying)
    alone = Portfolio(portfolio.mode, 0.0, {}, options)
    return _delta(evaluate_many(market, [alone], params)[0], underlying)


def _delta(result: MarginResult, underlying: str) -> float:
    return result.underlyings[underlying].delta


def hedging_accounts(market: Market, portfolios: Sequence[Portfolio], underlying: str, params: Params) -> list[bool]:
    """Tell which accounts look delta hedged: options, linear positions, and little net delta.

    Returns
    -------
    list of bool
        True where the net delta is below ``HEDGED_SHARE`` of that of the options.
    """
    found = []
    for portfolio, result in zip(portfolios, evaluate_many(market, list(portfolios), params), strict=True):
        options = _option_delta(market, portfolio, underlying, params)
        linear = any(p.kind.is_linear and p.underlying == underlying for p in portfolio.positions)
        gamma = result.underlyings[underlying].gamma
        found.append(linear and gamma != 0.0 and abs(_delta(result, underlying)) < HEDGED_SHARE * abs(options))
    return found


class _State:
    """Accounts as they change from round to round."""

    def __init__(
        self, market: Market, portfolios: Sequence[Portfolio], names: Sequence[str], params: Params, hedgers: list[bool]
    ) -> None:
        self.portfolios, self.names, self.params, self.hedgers = list(portfolios), names, params, hedgers
        self.start = evaluate_many(market, self.portfolios, params)
        self.gone = [False] * len(self.portfolios)

    def liquidations(self, results: list[MarginResult]) -> list[int]:
        """Accounts that fall below maintenance margin now."""
        return [
            i
            for i, result in enumerate(results)
            if not self.gone[i] and self.portfolios[i].positions and result.state in (LIQUIDATABLE, INSOLVENT)
        ]

    def after(self, now: Market, move: float, settings: CascadeSettings) -> CascadeRound:
        """Let accounts that fall be sold, and hedgers trade, at one market; trades are in cash of its spot."""
        name, spot = settings.underlying, now.rounds[settings.underlying].spot
        results = evaluate_many(now, self.portfolios, self.params)
        fallen = self.liquidations(results)
        sold = -sum(_delta(results[i], name) for i in fallen)
        for i in fallen:
            self.gone[i] = True
        hedged = self.hedge(now, results, settings)
        return CascadeRound(
            move=move,
            hedging=hedged * spot,
            selling=sold * spot,
            liquidated=tuple(self.names[i] for i in fallen),
            insolvent=tuple(n for n, r in zip(self.names, results, strict=True) if r.market_equity < 0.0),
            shortfall=sum(max(0.0, -r.market_equity) for r in results),
        )

    def hedge(self, market: Market, results: list[MarginResult], settings: CascadeSettings) -> float:
        """Trade hedgers back to their first delta in the perpetual; return the units bought."""
        name, bought = settings.underlying, 0.0
        perp = market.rounds[name].perp
        for i, result in enumerate(results):
            if self.gone[i] or not self.hedgers[i]:
                continue
            units = settings.hedge_share * (_delta(self.start[i], name) - _delta(result, name))
            if units != 0.0:
                order = OpenOrder(Position(name, Kind.PERP, 0, perp, units), perp)
                self.portfolios[i] = filled(self.portfolios[i], [order])
                bought += units
        return bought


def cascade(
    market: Market,
    portfolios: Sequence[Portfolio],
    names: Sequence[str],
    params: Params,
    settings: CascadeSettings,
    hedgers: Sequence[bool] | None = None,
) -> Cascade:
    """Run a shock through all accounts until the price rests.

    Parameters
    ----------
    market : Market
    portfolios : sequence of Portfolio
    names : sequence of str
    params : Params
    settings : CascadeSettings
    hedgers : sequence of bool, optional
        Which accounts hedge; guessed by :func:`hedging_accounts` when missing.

    Returns
    -------
    Cascade
        ``shortfall`` is the sum of negative market equities.

    Raises
    ------
    InputError
        For an unknown underlying or no account.
    """
    if settings.underlying not in market.rounds:
        raise InputError("--underlying", f"{settings.underlying!r} is not an underlying of the market file")
    if not portfolios:
        raise InputError("--portfolio", "no account given")
    name = settings.underlying
    chosen = hedging_accounts(market, portfolios, name, params) if hedgers is None else list(hedgers)
    state = _State(market, portfolios, names, params, chosen)
    move, rounds, settled = settings.shock, [], False
    for _ in range(MAX_ROUNDS):
        now = shocked_market(market, {name: Shock(move, settings.vol_shock)})
        rounds.append(state.after(now, move, settings))
        impact = 0.01 * (rounds[-1].hedging + rounds[-1].selling) / settings.depth
        step = (1.0 + move) * math.exp(float(np.clip(impact, -20.0, 20.0))) - 1.0
        settled = abs(impact) < STILL
        move = min(max(step, FLOOR), CEILING)
        if settled or move in (FLOOR, CEILING):
            break
    if not settled:
        rounds.append(replace(rounds[-1], move=move, hedging=0.0, selling=0.0, liquidated=()))
    start = settings.shock if settings.shock != 0.0 else 1.0
    guessed = tuple(n for n, flag in zip(names, chosen, strict=True) if flag)
    return Cascade(tuple(rounds), guessed, rounds[-1].move / start, settled)
