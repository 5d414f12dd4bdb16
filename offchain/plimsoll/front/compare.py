"""One account under the margin models of other venues, as an object that can be printed, tabulated and drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plimsoll.analytics.models.compare import Line
from plimsoll.analytics.models.compare import compare as all_models
from plimsoll.analytics.report.figures import models_figure
from plimsoll.errors import InputError
from plimsoll.frames import Tabular
from plimsoll.front.text import aligned, cash
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


@dataclass(frozen=True, slots=True, repr=False)
class Comparison(Tabular):
    """What each margin model asks for: market equity (no haircuts, options at their marks) that must be there.

    Attributes
    ----------
    lines : tuple of Line
        This protocol's three modes first, then the other venues.
    """

    lines: tuple[Line, ...]

    def __getitem__(self, model: str) -> Line:
        """Return the line of one model; InputError lists the models when there is none of that name."""
        for line in self.lines:
            if line.margin.model == model:
                return line
        raise InputError("model", f"{model!r} is not one of {', '.join(line.margin.model for line in self.lines)}")

    def columns(self) -> Mapping[str, Sequence[object]]:
        """Return one row per model: requirements, market equity and what is left of it, cash; source of the rule."""
        margins = [line.margin for line in self.lines]
        return {
            "model": [m.model for m in margins],
            "initial": [m.initial for m in margins],
            "maintenance": [m.maintenance for m in margins],
            "market_equity": [line.market_equity for line in self.lines],
            "left_initial": [line.market_equity - line.margin.initial for line in self.lines],
            "left_maintenance": [line.market_equity - line.margin.maintenance for line in self.lines],
            "evidence": [line.evidence for line in self.lines],
        }

    def plot(self) -> Figure:
        """Draw initial and maintenance requirement of every model side by side."""
        margins = [line.margin for line in self.lines]
        return models_figure([m.model for m in margins], [m.initial for m in margins], [m.maintenance for m in margins])

    def __repr__(self) -> str:
        low, high = (pick(self.lines, key=lambda line: line.margin.initial).margin for pick in (min, max))
        ends = f"initial {cash(low.initial)} ({low.model}) to {cash(high.initial)} ({high.model})"
        return f"<Comparison of {len(self.lines)} models: {ends}>"

    def __str__(self) -> str:
        rows = [
            (line.margin.model, *(cash(x) for x in (line.margin.initial, line.margin.maintenance, line.market_equity)))
            for line in self.lines
        ]
        return "\n".join(aligned(("market equity needed, cash", "initial", "maintenance", "there is"), rows))


def compare(market: Market, portfolio: Portfolio, params: Params | None = None) -> Comparison:
    """Compute the margin of one account by this protocol and by the public rules of other venues.

    Parameters
    ----------
    market : Market
        Explicit volatilities per strike go before the SVI slices, for the other models only.
    portfolio : Portfolio
    params : Params, optional
        Of this protocol; default: those that are shipped.

    Returns
    -------
    Comparison

    Raises
    ------
    DomainError
        When a figure is not finite, or the account names what the market does not have.

    Examples
    --------
    >>> import plimsoll as pm
    >>> market, book = pm.load_market("examples/market.json"), pm.load_portfolio("examples/portfolio.json")
    >>> found = pm.compare(market, book)
    >>> found["plimsoll cross"].margin.initial < found["plimsoll standard"].margin.initial
    True
    """
    return Comparison(tuple(all_models(market, portfolio, Params() if params is None else params)))
