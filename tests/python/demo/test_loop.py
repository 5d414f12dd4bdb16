"""One pass of the demo's keeper: what is refused, unpriced or too large stops nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from plimsoll.decide import AccountView, PostRound, PostSettlement, Settle, StartAuction
from plimsoll.demo.keeper.loop import Keeper
from plimsoll.demo.keeper.snapshot import Snapshot
from plimsoll.keeper.sizing import MAX_BATCH_GAS
from plimsoll.transact import Outcome, Transaction

NOW = 1_770_000_000
SHORT = AccountView(4, 90.0, 95.0, 120.0, 100.0)


class Hand:
    """Encoder and sender in one: notes what is sent, and refuses the keys it is told to."""

    def __init__(self, refused: tuple[str, ...] = (), gas_each: int = 1) -> None:
        self.refused, self.gas_each = refused, gas_each
        self.intents: dict[str, Any] = {}
        self.sent: list[str] = []

    def encode(self, intent: Any, _required: Any) -> Transaction:
        self.intents[intent.key] = intent
        return Transaction(intent.key, "0x", b"")

    def simulate(self, transaction: Transaction) -> Outcome:
        intent = self.intents[transaction.key]
        count = len(intent.account_ids) if isinstance(intent, Settle) else 1
        fails = any(key in transaction.key for key in self.refused)
        return Outcome(transaction.key, not fails, gas_estimate=0 if fails else count * self.gas_each)

    def execute(self, transaction: Transaction) -> Outcome:
        self.sent.append(transaction.key)
        return self.simulate(transaction)


class Still(Keeper):
    """A keeper before a world that stands still."""

    def __init__(self, snapshot: Snapshot, hand: Any) -> None:
        self._snapshot, self._encoder, self._transactor, self._required = snapshot, hand, hand, {}

    def observe(self) -> Snapshot:
        return self._snapshot


def test_run_pass__round_refused__acts_on_the_prices_that_stand():
    world = Snapshot(NOW, {"BTC": 6, "ETH": 5}, {"BTC": 5, "ETH": 5}, heartbeat_sec=3_600, accounts=(SHORT,))
    hand = Hand(refused=("round:BTC",))
    done = Still(world, hand).run_pass()
    kinds = [type(item.intent) for item in done]
    assert kinds[0] is PostRound
    assert StartAuction in kinds
    assert hand.sent.count("round:BTC:6") == 1


def test_run_pass__round_taken__waits_for_the_new_prices():
    world = Snapshot(NOW, {"ETH": 6}, {"ETH": 5}, accounts=(SHORT,))
    assert [item.intent for item in Still(world, Hand()).run_pass()] == [PostRound("ETH", 6)]


def test_run_pass__series_that_does_not_settle__liquidations_go_on():
    world = Snapshot(NOW, expired={("ETH", 9): (7, 8)}, accounts=(SHORT,))
    done = Still(world, Hand(refused=("settlement:",))).run_pass()
    assert [type(item.intent) for item in done] == [PostSettlement, StartAuction]


@pytest.mark.parametrize("dry_run", [False, True])
def test_run_pass__batch_too_large__goes_in_parts(dry_run):
    holders = tuple(range(2, 22))
    world = Snapshot(NOW, expired={("ETH", 9): holders}, settled_prices=frozenset({("ETH", 9)}))
    hand = Hand(gas_each=MAX_BATCH_GAS // 10)
    done = Still(world, hand).run_pass(dry_run=dry_run)
    assert [len(item.intent.account_ids) for item in done if isinstance(item.intent, Settle)] == [10, 10]
    assert len(hand.sent) == (0 if dry_run else 2)
