"""Batches that fit one transaction: what needs too much gas, or fails because of one account, goes in halves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from offchain.decide import Settle
from offchain.transact import Outcome

#: With the sender's margin of a fifth it is below the 16,777,216 that one transaction may use (EIP-7825).
MAX_BATCH_GAS: Final = 13_500_000


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
