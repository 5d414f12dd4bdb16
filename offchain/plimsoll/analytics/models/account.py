"""What a margin model is given, and what it answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from plimsoll.analytics.models.holdings import Holdings, holdings_of
from plimsoll.errors import DomainError
from plimsoll.model import Market, Portfolio


@dataclass(frozen=True, slots=True)
class ModelAccount:
    """One account in one market, with its holdings by underlying."""

    market: Market
    portfolio: Portfolio
    holdings: tuple[Holdings, ...]

    @property
    def market_equity(self) -> float:
        """Cash, marks and collateral without haircuts, with the volatilities the models use."""
        collateral = sum(a * self.market.price_of(s) for s, a in self.portfolio.collateral.items())
        return self.portfolio.cash + sum(float(h.mark.sum()) for h in self.holdings) + collateral

    def haircuts(self, netted: float | None = None) -> float:
        """Cash that haircuts take off the collateral; linked collateral takes ``netted`` in place of its own."""
        total = 0.0
        for symbol, amount in self.portfolio.collateral.items():
            token = self.market.tokens[symbol]
            rate = token.haircut if netted is None or token.linked is None else netted
            total += amount * self.market.price_of(symbol) * rate
        return total


@dataclass(frozen=True, slots=True)
class ModelMargin:
    """What a model asks for.

    Attributes
    ----------
    model : str
    initial, maintenance : float
        Cash of market equity (no haircuts, options at their marks) that must be there: haircuts, and option values
        that a venue does not count, are part of it. The account passes when its market equity is at least that.
    components : mapping of str to float
        Parts in the model's own words, cash.
    notes : tuple of str
        What was assumed.
    """

    model: str
    initial: float
    maintenance: float
    components: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def check(self) -> ModelMargin:
        """Return itself; raise DomainError when a figure is not finite."""
        if not all(math.isfinite(x) for x in (self.initial, self.maintenance, *self.components.values())):
            raise DomainError(self.model, "a figure is not a finite number")
        return self


def account_of(market: Market, portfolio: Portfolio) -> ModelAccount:
    """Build what the models read."""
    return ModelAccount(market, portfolio, holdings_of(market, portfolio))
