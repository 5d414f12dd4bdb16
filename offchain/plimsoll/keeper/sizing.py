"""Sizes: settlements in parts that fit one transaction, bids in slices that the bidder's margin carries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from plimsoll.decide import Bid, Settle
from plimsoll.transact import Outcome

#: With the sender's margin of a fifth it is below the 16,777,216 that one transaction may use (EIP-7825).
MAX_BATCH_GAS: Final = 13_500_000
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


@dataclass(frozen=True, slots=True)
class Parts:
    """A settlement in the middle of being cut.

    Parameters
    ----------
    ready : tuple of Settle
        Parts that fit.
    ask : tuple of Settle
        Parts whose gas has to be estimated, in the next batch.
    refused : tuple of Settle
        Single accounts that the chain refuses: they alone are left out.
    """

    ready: tuple[Settle, ...] = ()
    ask: tuple[Settle, ...] = ()
    refused: tuple[Settle, ...] = ()


def cut(parts: Parts, estimates: Sequence[int | None]) -> Parts:
    """Cut settlements by what their gas was estimated at, until nothing is left to ask.

    All parts are estimated on the same state in one batch: they concern different accounts, so none changes another's
    gas by more than the sender's margin.

    Parameters
    ----------
    parts : Parts
        At first every settlement in ``ask``.
    estimates : sequence of int or None
        Gas of each part of ``ask``; ``None`` where the chain refuses it.

    Returns
    -------
    Parts
        Of a batch too large, as many equal parts as its gas asks for; of one that is refused, halves.
    """
    ready, ask, refused = list(parts.ready), list[Settle](), list(parts.refused)
    for part, gas in zip(parts.ask, estimates, strict=True):
        if gas is not None and gas <= MAX_BATCH_GAS:
            ready.append(part)
        elif len(part.account_ids) > 1:
            ask += _pieces(part, 2 if gas is None else -(-gas // MAX_BATCH_GAS))
        elif gas is None:
            refused.append(part)
        else:
            # One account alone cannot be cut; the sender's own limit decides.
            ready.append(part)
    return Parts(tuple(ready), tuple(ask), tuple(refused))


def _pieces(part: Settle, count: int) -> list[Settle]:
    """Cut into so many pieces of nearly equal size, at least two and none empty."""
    ids = part.account_ids
    size = max(1, len(ids) // max(2, count))
    return [replace(part, account_ids=ids[first : first + size]) for first in range(0, len(ids), size)]
