"""Duty: prices that are newer than the chain's are posted. It waits for nothing and holds up nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from plimsoll.decide.intents import PostRound, PostTokenPrices


@dataclass(frozen=True, slots=True)
class PriceView:
    """What is offered, and what the chain has.

    Parameters
    ----------
    offered_round_ts : Mapping[str, int]
        Time of the newest valid round that the feeds offer, by underlying; one whose source failed is missing.
    posted_round_ts : Mapping[str, int]
        Time of the newest round on chain, by underlying; missing before the first.
    offered_token_ts, posted_token_ts : int
        The same for token prices; 0 when there are none.
    """

    offered_round_ts: Mapping[str, int] = field(default_factory=dict)
    posted_round_ts: Mapping[str, int] = field(default_factory=dict)
    offered_token_ts: int = 0
    posted_token_ts: int = 0


def decide_prices(view: PriceView) -> tuple[PostTokenPrices | PostRound, ...]:
    """Post what is newer than the chain.

    Parameters
    ----------
    view : PriceView

    Returns
    -------
    tuple of PostTokenPrices and PostRound
        Tokens first, then underlyings by name.
    """
    wanted: list[PostTokenPrices | PostRound] = []
    if view.offered_token_ts > view.posted_token_ts:
        wanted.append(PostTokenPrices(view.offered_token_ts))
    for underlying, ts in sorted(view.offered_round_ts.items()):
        if ts > view.posted_round_ts.get(underlying, 0):
            wanted.append(PostRound(underlying, ts))
    return tuple(wanted)
