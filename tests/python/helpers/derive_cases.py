"""Cases that Derive publishes for its portfolio margin, as accounts of the model.

The venue keeps one JSON file a case beside the tests of its contracts (v2-core, ``PMRM_2/portfolio_cases``);
``derive_cases.json`` holds their figures in fewer words.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

from plimsoll.analytics.models import derive
from plimsoll.analytics.models.account import ModelAccount, account_of
from plimsoll.analytics.models.examples import FLAT, case_params
from plimsoll.analytics.models.parameters import ModelParams, shipped_params
from plimsoll.model import Kind, Market, Mode, Portfolio, Position, Round, Surface, Token

SHORT = Path(__file__).parent / "derive_cases.json"
#: Any moment later than the longest time that an option has been expired for.
TS = 1_740_000_000
NAME = "BASE"


@dataclass(frozen=True)
class Case:
    """One account under one set of parameters, and the net margins that the venue publishes for it."""

    name: str
    account: ModelAccount
    params: ModelParams
    initial: float
    maintenance: float

    def computed(self):
        """Initial and maintenance margin by the model, net as the venue states them."""
        found = derive.margin(self.account, self.params)
        equity = self.account.market_equity
        return equity - found.initial, equity - found.maintenance


def case_of(short):
    """Make the account of a short case.

    ``collateral``: name, amount, price, confidence, whether it cancels risk, maintenance and initial haircut.
    ``options``: seconds to expiry, strike, 1 for a call, volatility, quantity. ``feeds``: seconds to expiry, forward,
    confidence of it, rate, confidence of it, confidence of volatilities. ``perp``: quantity, price, confidence,
    unrealised profit and funding.
    """
    spot, sure = short["spot"], short.get("confidence", 1.0)
    perps, perp_price, perp_sure, profit = short.get("perp", (0.0, 0.0, 1.0, 0.0))
    vols = {}
    for seconds, strike, _, vol, _ in short.get("options", ()):
        vols.setdefault(seconds, {})[strike] = vol
    surfaces = tuple(
        Surface(TS + t, forward, rate, FLAT, tuple(vols.get(t, {}).items()), min(a, b, c))
        for t, forward, a, rate, b, c in sorted(short.get("feeds", ()))
    )
    tokens = {"USDC": Token("USDC", short.get("stable", 1.0), 0.0)}
    haircuts, collateral = {}, {}
    for name, amount, price, confidence, cancels, maintenance, initial in short.get("collateral", ()):
        linked = (None, 0.0, NAME, 0.0, price / spot) if cancels else (price, 0.0)
        tokens[name] = Token(name, *linked, confidence=confidence)
        haircuts[name], collateral[name] = (maintenance, initial), amount
    positions = [
        Position(NAME, Kind.CALL if call else Kind.PUT, TS + seconds, strike, quantity)
        for seconds, strike, call, _, quantity in short.get("options", ())
    ]
    if perps:
        positions.append(Position(NAME, Kind.PERP, 0, perp_price - profit / perps, perps))
    round_ = Round(NAME, TS, spot, perp_price or spot, sure, surfaces, perp_confidence=perp_sure)
    market = Market(TS, tokens, {NAME: round_})
    shipped = shipped_params("derive", derive.DeriveParams)
    own = replace(case_params(), **(short.get("params", {}) | {"haircuts": haircuts}))
    book = Portfolio(Mode.SINGLE, short["cash"] + (0.0 if perps else profit), collateral, tuple(positions))
    return Case(
        short["name"],
        account_of(market, book),
        replace(shipped, default=own, underlyings={}),
        short["initial"],
        short["maintenance"],
    )


def documents():
    """Cases as they are written down, in the order of their numbers."""
    return json.loads(SHORT.read_text(encoding="utf-8"))["cases"]


def short_cases():
    """Every case, as an account."""
    return [case_of(short) for short in documents()]
