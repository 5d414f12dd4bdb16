"""Sizes: settlements in parts that fit one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from plimsoll.decide import Settle

#: With the sender's margin of a fifth it is below the 16,777,216 that one transaction may use (EIP-7825).
MAX_BATCH_GAS: Final = 13_500_000


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
