"""What drives a requirement: by term of the formula, and by leg. Both lists add up to the initial margin.

Terms are those of risk-model sections 4 to 6. A leg's share is its Shapley value: what it adds to the initial margin,
in the mean over every order in which the legs could have been put on. That is the one division that adds up, treats
equal legs equally and gives nothing to a leg that changes nothing; a hedge has a negative share.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np

from plimsoll.analytics.report.figures import bars_figure
from plimsoll.analytics.var.legs import label_of
from plimsoll.frames import Tabular
from plimsoll.mirror.margin_engine import MarginResult, UnderlyingMargin, evaluate_many
from plimsoll.model import Market, Mode, Portfolio, Position
from plimsoll.params import Params

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

#: Up to here every subset of the legs is evaluated and shares are exact.
EXACT_LEGS: Final = 8
#: Beyond, shares are the mean over so many orders, each taken forwards and backwards.
ORDERS: Final = 128
_SEED: Final = 1


@dataclass(frozen=True, slots=True)
class Share:
    """One line: what it is, and its part of the initial margin, cash."""

    name: str
    amount: float


@dataclass(frozen=True, slots=True, repr=False)
class Explanation(Tabular):
    """Initial margin by term and by leg; each list adds up to ``initial_margin`` but for the rounding of a float.

    ``is_exact`` says whether the shares of legs are means over all orders, or over ``2*ORDERS`` of them.
    """

    initial_margin: float
    terms: tuple[Share, ...]
    legs: tuple[Share, ...]
    is_exact: bool

    def columns(self) -> Mapping[str, Sequence[object]]:
        """Return one row per share: whether it is one of the terms or of the legs, its name and its amount, cash."""
        return {
            "of": ["term"] * len(self.terms) + ["leg"] * len(self.legs),
            "name": [share.name for share in (*self.terms, *self.legs)],
            "amount": [share.amount for share in (*self.terms, *self.legs)],
        }

    def plot(self) -> Figure:
        """Draw what each leg adds to the initial margin; a hedge is blue."""
        names, amounts = [share.name for share in self.legs], [share.amount for share in self.legs]
        return bars_figure(names, amounts, "share of the initial margin, cash", losses=True)

    def __repr__(self) -> str:
        parts = f"{len(self.terms)} terms, {len(self.legs)} legs"
        return f"<Explanation of an initial margin of {self.initial_margin:,.2f}: {parts}>"

    def __str__(self) -> str:
        width = max(len(share.name) for share in (*self.terms, *self.legs))
        lines = [f"initial margin {self.initial_margin:,.2f}"]
        for title, shares in (("by term", self.terms), ("by leg", self.legs)):
            lines += [title, *(f"  {share.name:<{width}} {share.amount:>16,.2f}" for share in shares)]
        return "\n".join(lines)


def _terms_of(name: str, part: UnderlyingMargin) -> list[Share]:
    """Terms of one underlying alone; the last two make up what a maximum takes beyond the sum."""
    covered = part.certified_scan + part.basis + part.vega_term + part.skew_term
    found = {
        "worst node of the book": part.scan,
        "between the nodes": part.certified_scan - part.scan,
        "basis": part.basis,
        "vega term": part.vega_term,
        "skew term": part.skew_term,
        "short option minimum": max(0.0, part.short_min - covered),
        "concentration": part.concentration,
    }
    return [
        *(Share(f"{name} {term}", amount) for term, amount in found.items()),
        Share(f"{name} hedges that expire first", part.requirement - sum(found.values())),
    ]


def _terms(result: MarginResult, mode: Mode, market: Market, params: Params) -> tuple[Share, ...]:
    account = params.account
    required = result.maintenance_margin / account.mm_factor if account.mm_factor else 0.0
    terms = [share for name, part in result.underlyings.items() for share in _terms_of(name, part)]
    whole = required - result.debt_charge
    if mode is Mode.CROSS:
        terms.append(Share("offset between underlyings", whole - sum(share.amount for share in terms)))
    elif mode is Mode.STANDARD:
        terms = [Share("positions one by one", whole)]
    terms.append(Share("debt", result.debt_charge))
    # What is left beyond the factor and the peg is the doubt about the rounds.
    peg = 1.0 + account.peg_slope * max(0.0, account.peg_threshold - market.usdc_price)
    terms.append(Share("initial factor", (account.im_factor - 1.0) * required))
    terms.append(Share("peg of the cash token", account.im_factor * required * (peg - 1.0)))
    terms.append(Share("confidence of the rounds", result.initial_margin - account.im_factor * required * peg))
    return tuple(share for share in terms if share.amount != 0.0)


def _initial(market: Market, portfolio: Portfolio, params: Params, sets: Sequence[tuple[int, ...]]) -> list[float]:
    """Return the initial margin with only some of the legs, for every set of their numbers."""
    folios = [replace(portfolio, positions=tuple(portfolio.positions[i] for i in chosen)) for chosen in sets]
    return [result.initial_margin for result in evaluate_many(market, folios, params)]


def _exact(market: Market, portfolio: Portfolio, params: Params) -> list[float]:
    """Shapley values over every subset."""
    count = len(portfolio.positions)
    sets = [chosen for size in range(count + 1) for chosen in combinations(range(count), size)]
    value = dict(zip(sets, _initial(market, portfolio, params, sets), strict=True))
    shares = [0.0] * count
    for chosen in sets:
        if len(chosen) == count:
            continue
        weight = math.factorial(len(chosen)) * math.factorial(count - 1 - len(chosen)) / math.factorial(count)
        for i in sorted(set(range(count)) - set(chosen)):
            shares[i] += weight * (value[tuple(sorted((*chosen, i)))] - value[chosen])
    return shares


def _sampled(market: Market, portfolio: Portfolio, params: Params) -> list[float]:
    """Mean over a seeded draw of orders, each with its reverse; every order adds up by itself."""
    count, draw = len(portfolio.positions), np.random.default_rng(_SEED)
    orders = []
    for _ in range(ORDERS):
        order = draw.permutation(count).tolist()
        orders += [order, order[::-1]]
    sets = sorted({tuple(sorted(order[:size])) for order in orders for size in range(count + 1)})
    value = dict(zip(sets, _initial(market, portfolio, params, sets), strict=True))
    shares = [0.0] * count
    for order in orders:
        for at, i in enumerate(order):
            gained = value[tuple(sorted(order[: at + 1]))] - value[tuple(sorted(order[:at]))]
            shares[i] += gained / len(orders)
    return shares


def _leg_name(position: Position) -> str:
    return f"{position.quantity:+g} {label_of(position)}"


def explain(market: Market, portfolio: Portfolio, params: Params, result: MarginResult) -> Explanation:
    """Divide the initial margin among the terms of the formula and among the legs.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
    params : Params
    result : MarginResult
        Margin of the three.

    Returns
    -------
    Explanation
        Terms without those that are 0. Legs in the order of the account, after what it needs without them, which
        is not 0 when it owes cash or holds linked collateral.

    Raises
    ------
    DomainError
        As the engine does.
    """
    is_exact = len(portfolio.positions) <= EXACT_LEGS
    shares = (_exact if is_exact else _sampled)(market, portfolio, params)
    base = _initial(market, portfolio, params, [()])[0]
    legs = [Share(_leg_name(p), amount) for p, amount in zip(portfolio.positions, shares, strict=True)]
    if base != 0.0:
        legs.insert(0, Share("cash and collateral", base))
    return Explanation(result.initial_margin, _terms(result, portfolio.mode, market, params), tuple(legs), is_exact)
