"""Margin of one account after many moves of the market: every search and every map of stress asks here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np

from plimsoll.analytics.stress.shock import Shock, shocked_market
from plimsoll.mirror.market_sheaf import SheafMargins, market_sheaf, sheaf_margins
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params

#: Markets that are priced at once: more would not fit the caches of a processor.
AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True)
class Move:
    """Shocks by underlying that happen at once, ``elapsed_sec`` from now."""

    shocks: Mapping[str, Shock]
    elapsed_sec: int = 0


def held_of(market: Market, portfolio: Portfolio) -> Market:
    """Return the market with the expiries of an account alone: no move of another one is of any interest to it.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio

    Returns
    -------
    Market
    """
    held = {(position.underlying, position.expiry_ts) for position in portfolio.positions}
    rounds = {
        name: replace(round_, surfaces=tuple(s for s in round_.surfaces if (name, s.expiry_ts) in held))
        for name, round_ in market.rounds.items()
    }
    return replace(market, rounds=rounds)


def margins_after(market: Market, portfolio: Portfolio, params: Params, moves: Sequence[Move]) -> SheafMargins:
    """Evaluate an account after every move alone.

    Parameters
    ----------
    market : Market
    portfolio : Portfolio
    params : Params
    moves : sequence of Move

    Returns
    -------
    SheafMargins
        In the order of the moves.

    Raises
    ------
    InputError
        If a shock names an underlying that the market does not have.
    DomainError
        When the account names what the market does not have, or a result is not finite.
    """
    names = [item.name for item in fields(SheafMargins)]
    held = held_of(market, portfolio)
    out = {name: np.empty(len(moves)) for name in names}
    for elapsed_sec in dict.fromkeys(move.elapsed_sec for move in moves):
        places = [place for place, move in enumerate(moves) if move.elapsed_sec == elapsed_sec]
        for start in range(0, len(places), AT_ONCE):
            some = places[start : start + AT_ONCE]
            moved = [shocked_market(held, moves[place].shocks, elapsed_sec) for place in some]
            found = sheaf_margins(market_sheaf(moved), portfolio, params)
            for name in names:
                out[name][some] = getattr(found, name)
    return SheafMargins(**out)
