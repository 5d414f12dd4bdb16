"""Settlements in parts that fit one transaction."""

from __future__ import annotations

import pytest

from plimsoll.decide import Settle
from plimsoll.keeper.sizing import MAX_BATCH_GAS, Parts, cut
from plimsoll.transact import Outcome

PER_ACCOUNT = 1_125_000


class Chain:
    """Accounts of one cost each, some of which revert whatever holds them."""

    def __init__(self, *bad: int, per_account: int = PER_ACCOUNT) -> None:
        self.bad, self.per_account, self.probed = set(bad), per_account, 0

    def probe(self, part: Settle) -> Outcome:
        self.probed += 1
        if self.bad & set(part.account_ids):
            return Outcome(part.key, False, reason="Accounts__Overflow")
        return Outcome(part.key, True, gas_estimate=self.per_account * len(part.account_ids))


def cut_on(chain: Chain, *batches: Settle) -> tuple[Parts, int]:
    """Cut until nothing is left to ask; the chain is asked in batches, whose number comes back too."""
    parts, rounds = Parts(ask=batches), 0
    while parts.ask:
        outcomes = [chain.probe(part) for part in parts.ask]
        parts = cut(parts, [outcome.gas_estimate if outcome.done else None for outcome in outcomes])
        rounds += 1
    return parts, rounds


def ids_of(parts: tuple[Settle, ...]) -> list[int]:
    return sorted(account for part in parts for account in part.account_ids)


@pytest.mark.parametrize("count", [1, 11, 12, 13, 20, 40, 200])
def test_cut__batch_of_full_accounts__no_part_needs_more_than_a_transaction_may(count):
    """The fault: twenty full accounts in one batch, which no chain with EIP-7825 mines."""
    parts, rounds = cut_on(Chain(), Settle("ETH", 9, tuple(range(2, 2 + count))))
    assert ids_of(parts.ready) == list(range(2, 2 + count))
    assert all(len(part.account_ids) * PER_ACCOUNT <= MAX_BATCH_GAS for part in parts.ready)
    assert parts.refused == ()
    assert rounds <= 3


@pytest.mark.parametrize("bad", [(2,), (41,), (7, 8), (5, 14, 33)])
def test_cut__bad_accounts__are_left_out_alone(bad):
    parts, rounds = cut_on(Chain(*bad, per_account=1), Settle("ETH", 9, tuple(range(2, 42))), Settle("BTC", 9, (50,)))
    assert ids_of(parts.refused) == sorted(bad)
    assert ids_of(parts.ready) == [account for account in (*range(2, 42), 50) if account not in bad]
    assert rounds <= 8


def test_cut__account_larger_than_a_transaction__is_left_to_the_sender():
    parts, _ = cut_on(Chain(per_account=2 * MAX_BATCH_GAS), Settle("ETH", 9, (2, 3)))
    assert [part.account_ids for part in parts.ready] == [(2,), (3,)]
