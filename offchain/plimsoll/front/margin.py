"""The margin of one account, as an object that can be printed, explained and tabulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from plimsoll.analytics.report.figures import row_label, scenario_figure
from plimsoll.errors import InputError
from plimsoll.frames import Tabular
from plimsoll.front.explain import Explanation, explain
from plimsoll.mirror.margin_engine import MarginResult, UnderlyingMargin, evaluate
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


@dataclass(frozen=True, slots=True, repr=False)
class Margin(Tabular):
    """Margin of one account, with what it was computed from.

    Attributes
    ----------
    market : Market
    portfolio : Portfolio
    params : Params
    result : MarginResult
        Every figure of risk-model sections 4 to 6, cash.
    """

    market: Market
    portfolio: Portfolio
    params: Params
    result: MarginResult

    @property
    def state(self) -> str:
        """One of healthy, margin call, liquidatable, insolvent."""
        return self.result.state

    @property
    def equity(self) -> float:
        """Equity after haircuts, cash."""
        return self.result.equity

    @property
    def initial(self) -> float:
        """Initial margin: what opening or withdrawing must leave covered, cash."""
        return self.result.initial_margin

    @property
    def maintenance(self) -> float:
        """Maintenance margin: below it the account is liquidated, cash."""
        return self.result.maintenance_margin

    @property
    def left_to_use(self) -> float:
        """Equity less initial margin: what opening or withdrawing may still use, cash."""
        return self.equity - self.initial

    def explain(self) -> Explanation:
        """Divide the initial margin by term and by leg; see :mod:`plimsoll.front.explain`."""
        return explain(self.market, self.portfolio, self.params, self.result)

    def columns(self) -> Mapping[str, Sequence[object]]:
        """Return one row per underlying: components of the requirement in cash, and greeks."""
        parts = self.result.underlyings
        names = [item.name for item in fields(UnderlyingMargin) if item.type == "float"]
        return {"underlying": list(parts)} | {name: [getattr(p, name) for p in parts.values()] for name in names}

    def plot(self, underlying: str | None = None) -> Figure:
        """Draw what drives the requirement: the P&L of every scenario row of an underlying, over price and volatility.

        Parameters
        ----------
        underlying : str, optional
            Default: the one with the largest requirement.

        Returns
        -------
        plotly.graph_objects.Figure

        Raises
        ------
        InputError
            When the market does not have the underlying.
        """
        parts = self.result.underlyings
        chosen = max(parts, key=lambda name: parts[name].requirement) if underlying is None else underlying
        if chosen not in parts:
            raise InputError("underlying", f"{chosen!r} is not one of {', '.join(parts)}")
        worst = parts[chosen].rows[parts[chosen].worst_row]
        said = f"{chosen}: worst row {row_label(worst)}, vol {worst.vol}, P&L {worst.pnl:,.2f}"
        return scenario_figure(said, parts[chosen].rows)

    def __repr__(self) -> str:
        figures = f"equity {self.equity:,.2f}, initial {self.initial:,.2f}, maintenance {self.maintenance:,.2f}"
        return f"<Margin {self.state}: {figures}>"

    def __str__(self) -> str:
        used = f"{self.maintenance / self.equity:.0%}" if self.equity > 0.0 else "all"
        return "\n".join(
            (
                f"equity             {self.equity:>18,.2f}   after haircuts; {self.state}",
                f"initial margin     {self.initial:>18,.2f}   to open or withdraw",
                f"  left to use      {self.left_to_use:>18,.2f}",
                f"maintenance margin {self.maintenance:>18,.2f}   below it the account is liquidated",
                f"  cushion          {self.equity - self.maintenance:>18,.2f}   {used} of equity is in use",
            )
        )


def margin(market: Market, portfolio: Portfolio, params: Params | None = None) -> Margin:
    """Compute the margin of one account with the float mirror of the contracts.

    Parameters
    ----------
    market : Market
        See :func:`plimsoll.load_market`.
    portfolio : Portfolio
        See :func:`plimsoll.load_portfolio`.
    params : Params, optional
        Default: the parameters that are shipped.

    Returns
    -------
    Margin
        Within 1e-6 of gross notional of what the contracts compute.

    Raises
    ------
    DomainError
        When the account names an underlying, an expiry or a token that the market does not have.

    Examples
    --------
    >>> import plimsoll as pm
    >>> market, book = pm.load_market("examples/market.json"), pm.load_portfolio("examples/portfolio.json")
    >>> pm.margin(market, book).state
    'healthy'
    >>> covered = book.with_(pm.put("ETH", "27MAR26", 1_800, 5))
    >>> pm.margin(market, covered).initial < pm.margin(market, book).initial
    True
    """
    chosen = Params() if params is None else params
    return Margin(market, portfolio, chosen, evaluate(market, portfolio, chosen))
