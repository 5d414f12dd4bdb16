"""Scenarios that every book should be looked at in, where nobody names others: sizes are round numbers, not forecasts.

The ladder moves prices, and volatilities with them. The standard scenarios add what a ladder cannot see: a tilt of the
smile, short against long volatilities, the basis of forwards, the premium of the perpetual and the rate of cash, each
alone and those that make hedges fail together with a fall of the price.
"""

from __future__ import annotations

from typing import Final

from plimsoll.analytics.stress.scenarios import Scenario
from plimsoll.analytics.stress.shock import Shock
from plimsoll.model import Market

#: Moves of every price, and of every volatility with it.
LADDER: Final = ((-0.5, 1.0), (-0.3, 0.6), (-0.2, 0.4), (-0.1, 0.2), (0.1, 0.0), (0.2, 0.1), (0.3, 0.2), (0.5, 0.4))
#: What moves the shape of a market, alone.
SHAPES: Final = {
    "skew to puts": Shock(skew=-0.25),
    "skew to calls": Shock(skew=0.25),
    "front vol up": Shock(front=0.5),
    "front vol down": Shock(front=-0.3),
    "back vol up": Shock(back=0.3),
    "back vol down": Shock(back=-0.2),
    "term inverts": Shock(front=0.5, back=-0.1),
    "basis up": Shock(basis=0.1),
    "basis down": Shock(basis=-0.1),
    "perp premium": Shock(perp=0.01),
    "perp discount": Shock(perp=-0.01),
    "rate up": Shock(rate=0.03),
    "rate down": Shock(rate=-0.03),
}
#: The same together with a move of the price.
JOINT: Final = {
    "fall, skew to puts": Shock(-0.2, 0.4, skew=-0.25),
    "fall, term inverts": Shock(-0.2, 0.2, front=0.5, back=-0.1),
    "fall, basis down": Shock(-0.2, 0.4, basis=-0.2, perp=-0.01),
    "fall, rate up": Shock(-0.2, 0.4, rate=0.03),
    "rise, skew to calls": Shock(0.2, 0.1, skew=0.25),
    "rise, basis up": Shock(0.2, 0.1, basis=0.2, perp=0.01),
}


def ladder(market: Market) -> list[Scenario]:
    """Move every price at once, volatilities up with it."""
    return [
        Scenario(f"{price:+.0%}, vol {vol:+.0%}", dict.fromkeys(market.rounds, Shock(price, vol)), 0.0, "ladder")
        for price, vol in LADDER
    ]


def standard_scenarios(market: Market) -> list[Scenario]:
    """Return the ladder, and scenarios of skew, term, basis, perpetual and rate.

    Parameters
    ----------
    market : Market
        All of its underlyings move alike.

    Returns
    -------
    list of Scenario
        For :func:`plimsoll.stress`.

    Examples
    --------
    >>> import plimsoll as pm
    >>> market = pm.load_market("examples/market.json")
    >>> [scenario.name for scenario in pm.standard_scenarios(market)][8:11]
    ['skew to puts', 'skew to calls', 'front vol up']
    """
    shapes = [
        Scenario(name, dict.fromkeys(market.rounds, shock), 0.0, "standard")
        for name, shock in {**SHAPES, **JOINT}.items()
    ]
    return [*ladder(market), *shapes]
