"""Sizes: settlements in parts that fit one transaction, bids in slices that the bidder's margin carries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from plimsoll.decide import Bid, Settle
from plimsoll.keeper.sizing import MAX_BATCH_GAS
from plimsoll.transact import Outcome

#: Less than a sixteenth of what was decided would not be worth what was decided on.
MAX_HALVINGS: Final = 4
TOO_LARGE: Final = "Auction__BidderBelowInitial"


def in_parts(intent: Settle, probe: Callable[[Settle], Outcome]) -> Iterator[Settle]:
    """Split a settlement until each part fits and runs.

    The first part is meant to be sent before the next is asked for: each probe sees what the earlier parts left.

    Parameters
    ----------
    intent : Settle
        Accounts to settle.
    probe : Callable[[Settle], Outcome]
        Runs a part without sending it.

    Yields
    ------
    Settle
        Parts in order. One account alone comes as it is: should it fail, it fails alone.
    """
    ids = intent.account_ids
    if len(ids) > 1:
        outcome = probe(intent)
        if not outcome.done or outcome.gas_estimate > MAX_BATCH_GAS:
            middle = len(ids) // 2
            for part in (ids[:middle], ids[middle:]):
                yield from in_parts(replace(intent, account_ids=part), probe)
            return
    yield intent


def carried(bid: Bid, probe: Callable[[Bid], Outcome]) -> Bid:
    """Halve a bid until the chain says that the bidder keeps its initial margin.

    The decision sizes a bid by the requirements of the two accounts, which add up to at least that of both together
    but for the charge for concentration. Price and payment are proportional to the slice, so the limit is halved too.

    Parameters
    ----------
    bid : Bid
        What was decided.
    probe : Callable[[Bid], Outcome]
        Runs a bid without sending it.

    Returns
    -------
    Bid
        The first slice that is not too large; as decided when another reason refuses it, or no slice passes.
    """
    smaller = bid
    for _ in range(MAX_HALVINGS + 1):
        outcome = probe(smaller)
        if outcome.done or TOO_LARGE not in outcome.reason:
            return smaller
        smaller = replace(smaller, fraction=smaller.fraction / 2.0, limit=smaller.limit / 2.0)
    return bid
