"""The best split of one owner's cash and collateral over several accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.optimise.linear_program import Index, LinearProgram
from plimsoll.analytics.optimise.requirement import LinkedColumn, add_requirement, block_of
from plimsoll.analytics.optimise.trades import excess, refuse_liquidity
from plimsoll.analytics.report.figures import columns_figure
from plimsoll.errors import InputError
from plimsoll.frames import Tabular
from plimsoll.mirror.margin_engine import MarginResult, evaluate_many, haircut_of
from plimsoll.model import Instrument, Market, Mode, Portfolio
from plimsoll.params import Params

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Vector = npt.NDArray[np.float64]
#: Smallest transfer.
DUST: Final = 1e-6
#: Cost of moving one unit of cash, against the worst excess.
STILL: Final = 1e-6


@dataclass(frozen=True, slots=True, repr=False)
class Allocation(Tabular):
    """Accounts before and after the transfers, by the mirror; ``transfers`` are (token, change per account)."""

    names: tuple[str, ...]
    transfers: tuple[tuple[str, tuple[float, ...]], ...]
    before: tuple[MarginResult, ...]
    after: tuple[MarginResult, ...]

    def columns(self) -> Mapping[str, Sequence[object]]:
        """Return one row per account: what it gets of every token, negative when it gives; its excess, cash, and state.

        Excess is equity less initial margin.
        """
        return {
            "account": list(self.names),
            **{f"gets_{token}": list(changes) for token, changes in self.transfers},
            "excess_before": [excess(found) for found in self.before],
            "excess_after": [excess(found) for found in self.after],
            "state_after": [found.state for found in self.after],
        }

    def plot(self) -> Figure:
        """Draw equity less initial margin of every account before and after."""
        sides = {"before": [excess(b) for b in self.before], "after": [excess(a) for a in self.after]}
        return columns_figure(self.names, sides, "equity less initial margin, cash")

    def __repr__(self) -> str:
        before, after = (min(excess(found) for found in side) for side in (self.before, self.after))
        return f"<Allocation over {len(self.names)} accounts: smallest excess {before:,.2f}, then {after:,.2f}>"

    def __str__(self) -> str:
        lines = [
            f"{name}: excess over initial margin {excess(before):,.2f}, then {excess(after):,.2f}; {after.state}"
            for name, before, after in zip(self.names, self.before, self.after, strict=True)
        ]
        for token, changes in self.transfers:
            moved = zip(self.names, changes, strict=True)
            lines += [f"{name}: {token} {change:+,.6g}" for name, change in moved if change != 0.0]
        return "\n".join(lines)

    def to_json(self) -> dict[str, object]:
        """Build the plimsoll.allocation/1 document."""
        return {
            "schema": "plimsoll.allocation/1",
            "accounts": [
                {
                    "account": name,
                    "before": {"state": b.state, "excessInitial": b.equity - b.initial_margin},
                    "after": {"state": a.state, "excessInitial": a.equity - a.initial_margin},
                }
                for name, b, a in zip(self.names, self.before, self.after, strict=True)
            ],
            "transfers": [
                {"token": token, "changes": dict(zip(self.names, changes, strict=True))}
                for token, changes in self.transfers
            ],
        }


def _instruments(portfolio: Portfolio, name: str) -> tuple[list[Instrument], np.ndarray, list[float]]:
    """Instruments of one underlying, their quantities and entries."""
    own = [p for p in portfolio.positions if p.underlying == name]
    return [p.instrument for p in own], np.array([p.quantity for p in own]), [p.price for p in own]


def _check(portfolios: Sequence[Portfolio], names: Sequence[str]) -> None:
    if len(portfolios) < 2:
        raise InputError("--portfolio", f"{len(portfolios)} account, an allocation needs at least 2")
    for name, portfolio in zip(names, portfolios, strict=True):
        if portfolio.mode != Mode.SINGLE:
            raise InputError(name, f"mode {portfolio.mode.name}: allocation is for mode SINGLE")


class _Program:
    """Columns of every account: its cash, its tokens, its requirement per underlying."""

    def __init__(self, market: Market, portfolios: Sequence[Portfolio], params: Params) -> None:
        self.market, self.portfolios, self.params = market, portfolios, params
        self.lp = LinearProgram()
        self.tokens = sorted({s for p in portfolios for s, amount in p.collateral.items() if amount > 0.0})
        self.cash = [self.lp.column(f"cash {i}", lower=-float("inf")) for i in range(len(portfolios))]
        self.amounts = {s: self.lp.columns([f"{s} {i}" for i in range(len(portfolios))]) for s in self.tokens}
        self._keep_still()
        # The objective: first the worst excess, then, a little, the sum of all.
        self.worst = self.lp.column("worst excess", cost=-1.0, lower=-float("inf"))
        self._totals()
        base = evaluate_many(market, list(portfolios), params)
        for i, result in enumerate(base):
            self._account(i, result)

    def _totals(self) -> None:
        total = sum(p.cash for p in self.portfolios)
        self.lp.row("total cash", [(c, 1.0) for c in self.cash], lower=total, upper=total)
        for column, portfolio in zip(self.cash, self.portfolios, strict=True):
            self.lp.row("cash is not borrowed further", [(column, 1.0)], lower=min(portfolio.cash, 0.0))
        for symbol, columns in self.amounts.items():
            held = sum(p.collateral.get(symbol, 0.0) for p in self.portfolios)
            self.lp.row(f"total {symbol}", [(columns, 1.0)], lower=held, upper=held)

    def _keep_still(self) -> None:
        """Make a transfer that gains nothing cost a little, so that there is none."""
        for i, portfolio in enumerate(self.portfolios):
            held = [(self.cash[i], portfolio.cash, 1.0)]
            held += [
                (int(self.amounts[s][i]), portfolio.collateral.get(s, 0.0), self.market.price_of(s))
                for s in self.tokens
            ]
            for column, amount, price in held:
                moved = self.lp.columns(["out", "in"], cost=STILL * price)
                terms = [(column, 1.0), (int(moved[0]), 1.0), (int(moved[1]), -1.0)]
                self.lp.row("transfer", terms, lower=amount, upper=amount)

    def _account(self, i: int, result: MarginResult) -> None:
        market, portfolio, account = self.market, self.portfolios[i], self.params.account
        peg = 1.0 + account.peg_slope * max(0.0, account.peg_threshold - market.usdc_price)
        needed: list[tuple[Index | int, Vector | float]] = []
        counted: list[tuple[int, float]] = []
        for symbol in self.tokens:
            token = market.tokens[symbol]
            haircut = haircut_of(token, portfolio.mode, self.params, market.spot_of(token))
            counted.append((int(self.amounts[symbol][i]), market.price_of(symbol) * (1.0 - haircut)))
        charges = result.initial_margin - account.im_factor * peg * sum(
            u.requirement for u in result.underlyings.values()
        )
        for name in market.rounds:
            linked = [
                LinkedColumn(int(self.amounts[s][i]), market.tokens[s].ratio)
                for s in self.tokens
                if market.tokens[s].linked == name
            ]
            instruments, held, entry = _instruments(portfolio, name)
            if not instruments and not linked:
                continue
            none = self.lp.columns([f"fixed {i} {name} {k}" for k in range(len(instruments))], upper=0.0)
            block = block_of(market.rounds[name], instruments, self.params, entry)
            margin = add_requirement(
                self.lp,
                block,
                held,
                (none, none),
                f"{name} of account {i}",
                linked=(0.0, linked),
                rate=account.im_factor * peg,
            )
            self.lp.charge(margin, STILL)
            needed += [(column, -np.asarray(rate)) for column, rate in margin]
        # What is owed is a column of its own, because it moves with the cash.
        debt = self.lp.column(f"debt {i}", cost=1e-6)
        self.lp.row("debt", [(debt, 1.0), (self.cash[i], 1.0)], lower=0.0)
        needed.append((debt, -account.im_factor * peg * account.debt_rate))
        fixed = charges - account.im_factor * peg * result.debt_charge - result.mark_to_market
        self.lp.row(f"excess of account {i}", [(self.cash[i], 1.0), *counted, *needed, (self.worst, -1.0)], lower=fixed)


def _changes(wanted: Vector, held: Vector) -> tuple[float, ...]:
    """Round what every account gives towards zero; what is given in all goes to the others in proportion."""
    change = np.where(np.abs(wanted - held) < DUST, 0.0, wanted - held)
    given = np.trunc(np.maximum(-change, 0.0) / DUST) * DUST
    taken = np.maximum(change, 0.0)
    if given.sum() <= 0.0 or taken.sum() <= 0.0:
        return (0.0,) * held.size
    return tuple(float(x) for x in taken * (given.sum() / taken.sum()) - given)


def allocate(market: Market, portfolios: Sequence[Portfolio], names: Sequence[str], params: Params) -> Allocation:
    """Move cash and collateral so that the smallest excess over initial margin is as large as it can be.

    Parameters
    ----------
    market : Market
    portfolios : sequence of Portfolio
        Mode SINGLE, one owner.
    names : sequence of str
    params : Params

    Returns
    -------
    Allocation
        Linked collateral also hedges the account that gets it. Nobody borrows more than before.

    Raises
    ------
    InputError
        For fewer than two accounts or another mode.
    """
    _check(portfolios, names)
    for portfolio in portfolios:
        refuse_liquidity(market, portfolio)
    program = _Program(market, portfolios, params)
    values = program.lp.solve("optimise")[1]
    cash = np.array([p.cash for p in portfolios])
    transfers = [("cash", _changes(values[program.cash], cash))]
    for symbol, columns in program.amounts.items():
        held = np.array([p.collateral.get(symbol, 0.0) for p in portfolios])
        transfers.append((symbol, _changes(values[columns], held)))
    after = [
        replace(
            p,
            cash=p.cash + transfers[0][1][i],
            collateral={**p.collateral, **{s: p.collateral.get(s, 0.0) + c[i] for s, c in transfers[1:]}},
        )
        for i, p in enumerate(portfolios)
    ]
    results = evaluate_many(market, [*portfolios, *after], params)
    n = len(portfolios)
    return Allocation(tuple(names), tuple(transfers), tuple(results[:n]), tuple(results[n:]))
