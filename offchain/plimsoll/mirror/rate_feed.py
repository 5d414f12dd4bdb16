"""How the ratio of a share token follows its source, and what it counts for when its owner acts; pure, in floats.

A fall is settled at the higher of two observations a short gap apart, at once; a rise at the lower of two a long gap
apart, at a bounded speed. What an owner does of its own will goes by the lower of the ratio and what the source states.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from plimsoll.constants import DAY_SEC
from plimsoll.errors import DomainError
from plimsoll.model import Market, Portfolio


@dataclass(frozen=True, slots=True)
class RateTerms:
    """Bounds of one token's rate.

    Attributes
    ----------
    gap_sec, fall_gap_sec : int
        Least time between two observations of a rise, and of a fall.
    max_rise : float
        Largest rise in a day, pro rata.
    max_fall : float
        Largest fall in a day: at once, and what is used comes back evenly.
    """

    gap_sec: int
    fall_gap_sec: int
    max_rise: float
    max_fall: float


@dataclass(frozen=True, slots=True)
class RatePair:
    """What has been seen of a rate; ``ts`` is 0 before the first observation.

    Attributes
    ----------
    ts : int
    rate : float
        First observation of the pair under way.
    settled_ts : int
        When the ratio was last settled.
    fallen : float
        What of a day's fall was used then.
    """

    ts: int
    rate: float
    settled_ts: int
    fallen: float = 0.0


def observe(pair: RatePair, terms: RateTerms, ts: int, rate: float, ratio: float) -> tuple[RatePair, float]:
    """Show the feed a rate.

    Parameters
    ----------
    pair : RatePair
    terms : RateTerms
    ts : int
        Time of the observation.
    rate : float
        What the source states, units of the underlying in one token.
    ratio : float
        Ratio in the book.

    Returns
    -------
    tuple[RatePair, float]
        What has been seen from now on, and the ratio in the book.

    Raises
    ------
    DomainError
        Before the gap is over, where the observation would change nothing.

    References
    ----------
    .. [1] contracts/feeds/RateFeed.sol, ``update``.
    """
    is_fall = rate < ratio
    if not pair.ts or is_fall != (pair.rate < ratio):
        return replace(pair, ts=ts, rate=rate), ratio
    agreed = max(rate, pair.rate) if is_fall else min(rate, pair.rate)
    earliest_ts = pair.ts + (terms.fall_gap_sec if is_fall else terms.gap_sec)
    if ts < earliest_ts:
        if agreed == pair.rate:
            raise DomainError("rate", f"observed at {ts} and may be from {earliest_ts} on")
        return replace(pair, rate=agreed), ratio
    days = min(ts - pair.settled_ts, DAY_SEC) / DAY_SEC
    fallen = max(0.0, pair.fallen - terms.max_fall * days)
    if not is_fall:
        return RatePair(ts, rate, ts, fallen), min(agreed, ratio * (1.0 + terms.max_rise * days))
    settled = max(agreed, ratio * (1.0 - (terms.max_fall - fallen)))
    return RatePair(ts, rate, ts, fallen + 1.0 - settled / ratio), settled


def own_measure(market: Market, portfolio: Portfolio, stated: Mapping[str, float]) -> Portfolio:
    """Return a portfolio as it counts in the initial margin of an action of its owner.

    Only units of the underlying count, so that a token is worth less by holding less of it.

    Parameters
    ----------
    market : Market
        Ratios of the book.
    portfolio : Portfolio
    stated : Mapping[str, float]
        What sources state now, by token; 0 where one fails, and tokens without a source are missing.

    Returns
    -------
    Portfolio
        To be evaluated with the same market.

    References
    ----------
    .. [1] contracts/margin/MarginEngine.sol, ``evaluateOwn``.
    """
    held = {}
    for symbol, amount in portfolio.collateral.items():
        token = market.tokens[symbol]
        if token.linked is None or symbol not in stated:
            held[symbol] = amount
        elif stated[symbol] > 0.0:
            held[symbol] = amount * min(1.0, stated[symbol] / token.ratio)
    return replace(portfolio, collateral=held)
