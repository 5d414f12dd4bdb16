"""Duty: every expired series gets its price once, and its holders become cash. No series waits for another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from plimsoll.decide.intents import PostSettlement, Settle

#: Before this age of an expiry only signed samples give a price; then rounds of its window may (``SettlementPrices``).
ROUNDS_AFTER_SEC: Final = 2 * 3_600
#: Accounts in one batch before its gas is known; the estimate cuts it to what one transaction may use.
MAX_ACCOUNTS: Final = 40

Series = tuple[str, int]


@dataclass(frozen=True, slots=True)
class SettlementView:
    """Series that have expired.

    Parameters
    ----------
    block_ts : int
        Time of the block, unix seconds.
    expired : Mapping[tuple[str, int], tuple[int, ...]]
        Accounts that still hold an expired series, by (underlying, expiry).
    priced : frozenset[tuple[str, int]]
        Series whose settlement price is on chain, and final: a price that a reorganisation takes back settles nobody.
    unpriced : frozenset[tuple[str, int]]
        Series of ``expired`` without any price on chain; the rest of them has one that is not final.
    sampled : frozenset[tuple[str, int]]
        Series whose signed samples this keeper can post.
    """

    block_ts: int
    expired: Mapping[Series, tuple[int, ...]] = field(default_factory=dict)
    priced: frozenset[Series] = frozenset()
    unpriced: frozenset[Series] = frozenset()
    sampled: frozenset[Series] = frozenset()


def _order(series: Series) -> tuple[int, str]:
    return series[1], series[0]


def decide_settlements(view: SettlementView) -> tuple[PostSettlement | Settle, ...]:
    """Price each expired series once, then settle its holders in batches.

    Parameters
    ----------
    view : SettlementView

    Returns
    -------
    tuple of PostSettlement and Settle
        The oldest series first; a series without samples is asked for only once its rounds may give a price.
    """
    wanted: list[PostSettlement | Settle] = []
    for series in sorted(view.expired, key=_order):
        holders = sorted(set(view.expired[series]))
        if series in view.priced:
            parts = range(0, len(holders), MAX_ACCOUNTS)
            wanted += [Settle(*series, tuple(holders[first : first + MAX_ACCOUNTS])) for first in parts]
        elif series in view.unpriced and _may_be_priced(view, series):
            wanted.append(PostSettlement(*series))
    return tuple(wanted)


def _may_be_priced(view: SettlementView, series: Series) -> bool:
    return series in view.sampled or view.block_ts >= series[1] + ROUNDS_AFTER_SEC
