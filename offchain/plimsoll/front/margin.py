"""The margin of one account, as an object that can be printed, explained and tabulated."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from plimsoll.errors import UnavailableError
from plimsoll.front.explain import Explanation, explain
from plimsoll.mirror.margin_engine import MarginResult, evaluate
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Margin:
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

    def explain(self) -> Explanation:
        """Divide the initial margin by term and by leg; see :mod:`plimsoll.front.explain`."""
        return explain(self.market, self.portfolio, self.params, self.result)

    def to_frame(self) -> pd.DataFrame:
        """Return the components as a pandas frame: one row per underlying, components in cash and greeks in columns.

        Raises
        ------
        UnavailableError
            When pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise UnavailableError("pandas", "is not installed; pip install pandas") from None
        rows = {
            name: {item.name: value for item in fields(part) if isinstance(value := getattr(part, item.name), float)}
            for name, part in self.result.underlyings.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("underlying")

    def __str__(self) -> str:
        used = f"{self.maintenance / self.equity:.0%}" if self.equity > 0.0 else "all"
        return "\n".join(
            (
                f"equity             {self.equity:>18,.2f}   after haircuts; {self.state}",
                f"initial margin     {self.initial:>18,.2f}   to open or withdraw",
                f"  left to use      {self.equity - self.initial:>18,.2f}",
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
