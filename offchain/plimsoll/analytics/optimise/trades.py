"""Suggested trades: rounded to lots, filled at their limits, and what the mirror says before and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.optimise.linear_program import Index, LinearProgram
from plimsoll.analytics.optimise.requirement import add_requirement, block_of
from plimsoll.analytics.optimise.universe import Candidate
from plimsoll.errors import InputError
from plimsoll.mirror.margin_engine import MarginResult, evaluate_many
from plimsoll.mirror.order_preview import OpenOrder, filled
from plimsoll.model import MAX_POSITIONS, Market, Mode, Portfolio
from plimsoll.params import Params

Vector = npt.NDArray[np.float64]
Terms = list[tuple[Index | int, Vector | float]]


@dataclass(frozen=True, slots=True)
class Trade:
    """One suggested trade: signed quantity, limit price in cash."""

    candidate: Candidate
    quantity: float
    limit: float

    @property
    def notional(self) -> float:
        """Notional at spot, cash."""
        return abs(self.quantity) * self.candidate.spot

    @property
    def cost(self) -> float:
        """Equity that the trade costs at its limit, cash; below 0 where it is filled better than the mark."""
        return self.quantity * (self.limit - self.candidate.price)

    @property
    def order(self) -> OpenOrder:
        """The trade as an open order of the mirror."""
        return OpenOrder(replace(self.candidate.position, quantity=self.quantity), self.limit)

    def to_json(self) -> dict[str, object]:
        """Entry of the plimsoll.optimise/1 document."""
        position = self.candidate.position
        return {
            "instrument": self.candidate.label,
            "underlying": position.underlying,
            "kind": position.kind.word,
            "expiry": position.expiry_ts or None,
            "strike": position.price if position.kind.is_option else None,
            "quantity": self.quantity,
            "limitPrice": self.limit,
            "mark": self.candidate.price,
            "cost": self.cost,
        }


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Trades, and the margin before and after they all fill at their limits, by the mirror.

    ``figures`` are what a method states beside margin, in cash.
    """

    method: str
    trades: tuple[Trade, ...]
    before: MarginResult
    after: MarginResult
    notes: tuple[str, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def released(self) -> float:
        """Rise of equity less initial margin, cash; costs are in it."""
        return excess(self.after) - excess(self.before)

    @property
    def freed(self) -> float:
        """Fall of initial margin, cash."""
        return self.before.initial_margin - self.after.initial_margin

    @property
    def cost(self) -> float:
        """Equity that the trades cost, cash."""
        return sum(trade.cost for trade in self.trades)

    @property
    def turnover(self) -> float:
        """Notional that the trades turn over, cash."""
        return sum(trade.notional for trade in self.trades)

    def to_json(self) -> dict[str, object]:
        """Build the plimsoll.optimise/1 document, without orders."""

        def side(result: MarginResult) -> dict[str, object]:
            return {
                "state": result.state,
                "equity": result.equity,
                "initialMargin": result.initial_margin,
                "maintenanceMargin": result.maintenance_margin,
                "excessInitial": excess(result),
                "greeks": {
                    name: {"delta": u.delta, "gamma": u.gamma, "vega": u.vega, "theta": u.theta}
                    for name, u in result.underlyings.items()
                },
            }

        return {
            "schema": "plimsoll.optimise/1",
            "method": self.method,
            "trades": [trade.to_json() for trade in self.trades],
            "cost": self.cost,
            "turnover": self.turnover,
            "released": self.released,
            "before": side(self.before),
            "after": side(self.after),
            **({"risk": dict(self.figures)} if self.figures else {}),
            "notes": list(self.notes),
        }


def excess(result: MarginResult) -> float:
    """Equity less initial margin, cash."""
    return result.equity - result.initial_margin


def rounded(quantity: float, lot: float, held: float) -> float:
    """Round towards zero to lots; a trade that closes a position to within a lot closes it."""
    if abs(quantity + held) < lot and held != 0.0:
        return -held
    return float(f"{np.trunc(quantity / lot + np.sign(quantity) * 1e-9) * lot:.12g}")


def trades_of(candidates: Sequence[Candidate], net: Vector, lot: float) -> tuple[Trade, ...]:
    """Turn net quantities into trades, leaving out what rounds to nothing."""
    found = []
    for candidate, wanted in zip(candidates, net, strict=True):
        quantity = rounded(float(wanted), lot, candidate.held)
        if quantity != 0.0:
            found.append(Trade(candidate, quantity, candidate.limit_price(quantity > 0.0)))
    return tuple(found)


def suggestion_of(
    method: str,
    market: Market,
    portfolio: Portfolio,
    params: Params,
    trades: Sequence[Trade],
    notes: Sequence[str] = (),
) -> Suggestion:
    """Margin before and after; raise when the account would hold more positions than it may."""
    after = filled(portfolio, [trade.order for trade in trades])
    if len(after.positions) > MAX_POSITIONS:
        raise InputError(
            "portfolio", f"{len(after.positions)} positions after the trades, the limit is {MAX_POSITIONS}"
        )
    both = evaluate_many(market, [portfolio, after], params)
    return Suggestion(method, tuple(trades), both[0], both[1], tuple(notes))


def entry_of(candidate: Candidate) -> float:
    """Entry of a linear instrument: its own where it is held, else the price it would be traded at."""
    return candidate.position.price if candidate.held != 0.0 else candidate.price


def refuse_liquidity(market: Market, portfolio: Portfolio) -> None:
    """Refuse an account with collateral whose worth bends."""
    for symbol, amount in portfolio.collateral.items():
        if market.tokens[symbol].span is not None and amount != 0.0:
            raise InputError("optimise", f"{symbol} is liquidity of a range, whose worth no linear program holds")


def linked_units(market: Market, portfolio: Portfolio, name: str) -> float:
    """Units of an underlying in collateral."""
    tokens = market.tokens
    refuse_liquidity(market, portfolio)
    return sum(a * tokens[s].ratio for s, a in portfolio.collateral.items() if tokens[s].linked == name)


def greeks_of(
    market: Market, params: Params, candidates: Sequence[Candidate], name: str
) -> Iterator[tuple[str, Index, Vector]]:
    """Yield underlying, numbers of its candidates and a greek of one unit of each."""
    for underlying in dict.fromkeys(c.position.underlying for c in candidates):
        of = np.array([i for i, c in enumerate(candidates) if c.position.underlying == underlying], dtype=np.int32)
        block = block_of(market.rounds[underlying], [candidates[i].position.instrument for i in of], params)
        yield underlying, of, np.asarray(getattr(block.unit, name))


@dataclass(frozen=True, slots=True)
class TradeProgram:
    """A program whose columns ``bought`` and ``sold`` are trades in the candidates, in their order.

    ``margin`` is the initial margin as a sum of columns.
    """

    lp: LinearProgram
    candidates: tuple[Candidate, ...]
    bought: Index
    sold: Index
    margin: Terms

    @property
    def spot(self) -> Vector:
        """Notional of a unit of each candidate, cash."""
        return np.array([c.spot for c in self.candidates])

    def net(self, values: Vector) -> Vector:
        """Signed quantity of every candidate."""
        return np.asarray(values[self.bought] - values[self.sold])

    def allow(self, number: int, on: bool) -> None:
        """Let one candidate trade up to its limit, or not at all."""
        one = self.candidates[number]
        most = np.array([one.most_bought, one.most_sold]) if on else np.zeros(2)
        self.lp.allow(np.array([self.bought[number], self.sold[number]]), most)

    @property
    def cost(self) -> Terms:
        """Equity that the trades cost."""
        return [
            (self.bought, np.array([c.buy_cost for c in self.candidates])),
            (self.sold, np.array([c.sell_cost for c in self.candidates])),
        ]

    @property
    def turnover(self) -> Terms:
        """Notional that the trades turn over."""
        return [(self.bought, self.spot), (self.sold, self.spot)]


def _add_debt(
    lp: LinearProgram, portfolio: Portfolio, candidates: Sequence[Candidate], trades: tuple[Index, Index]
) -> int:
    """Charge what is owed after premiums are paid and received; return the column of the debt."""
    option = np.array([c.position.kind.is_option for c in candidates])
    asked = np.array([c.ask for c in candidates]) * option
    offered = np.array([c.bid for c in candidates]) * option
    debt = lp.column("debt")
    lp.row("debt", [(debt, 1.0), (trades[0], -asked), (trades[1], offered)], lower=-portfolio.cash)
    return debt


def trade_program(
    market: Market,
    portfolio: Portfolio,
    params: Params,
    candidates: Sequence[Candidate],
    *,
    open_all: bool,
    weigh_margin: bool = True,
) -> TradeProgram:
    """Build the program that minimises what trades cost, and initial margin with it.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
    params : Params
    candidates : sequence of Candidate
        Grouped by underlying in the result; all positions of the account are among them.
    open_all : bool
        Whether every candidate may trade at once.
    weigh_margin : bool
        Whether the objective is initial margin plus cost, or the cost alone.

    Returns
    -------
    TradeProgram

    Raises
    ------
    InputError
        In mode STANDARD, where nothing nets.
    """
    if portfolio.mode == Mode.STANDARD:
        raise InputError("portfolio", "mode STANDARD nets nothing: only closing positions releases margin there")
    ordered = tuple(sorted(candidates, key=lambda c: c.position.underlying))
    lp, weight = LinearProgram(), 1.0 if weigh_margin else 0.0
    bought, sold = _trade_columns(lp, ordered, open_all)
    account = params.account
    rate = account.im_factor * (1.0 + account.peg_slope * max(0.0, account.peg_threshold - market.usdc_price))
    first, margin = 0, []
    for name, group in groupby(ordered, key=lambda c: c.position.underlying):
        members = list(group)
        round_ = market.rounds[name]
        doubt = 1.0 - round_.confidence if round_.confidence < account.conf_threshold else 0.0
        own = slice(first, first + len(members))
        first += len(members)
        margin += add_requirement(
            lp,
            block_of(round_, [c.position.instrument for c in members], params, [entry_of(c) for c in members]),
            np.array([c.held for c in members]),
            (bought[own], sold[own]),
            name,
            linked=(linked_units(market, portfolio, name), ()),
            rate=rate,
            gross_rate=doubt * account.conf_rate * round_.spot,
        )
    debt_rate = rate * account.debt_rate
    margin.append((_add_debt(lp, portfolio, ordered, (bought, sold)), debt_rate))
    lp.charge(margin, weight)
    return TradeProgram(lp, ordered, bought, sold, margin)


def _trade_columns(lp: LinearProgram, candidates: Sequence[Candidate], open_all: bool) -> tuple[Index, Index]:
    """Add what is bought and sold of every candidate, each at its cost."""
    found = []
    for buy, word in ((True, "buy"), (False, "sell")):
        cost = np.array([c.buy_cost if buy else c.sell_cost for c in candidates])
        most = np.array([c.most(buy) for c in candidates]) if open_all else 0.0
        found.append(lp.columns([f"{word} {c.label}" for c in candidates], cost=cost, upper=most))
    return found[0], found[1]
