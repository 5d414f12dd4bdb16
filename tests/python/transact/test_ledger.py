"""The journal on both databases: what two writers can and cannot do, and what is kept to the last wei."""

import asyncio
from dataclasses import replace

import pytest
from helpers.lab import CHAIN_ID, KEEPER, QUICK, Bench, chain, effect

from plimsoll.storage import StorageError, open_database, upgrade
from plimsoll.transact.budget import Budget, Failure
from plimsoll.transact.entry import Entry, State
from plimsoll.transact.fees import Fees
from plimsoll.transact.fence import OvertakenError
from plimsoll.transact.ledger import Ledger

HUGE = 2**200 + 1


@pytest.fixture
def engine(url):
    engine = open_database(url)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(engine):
    return Ledger(engine, CHAIN_ID, KEEPER.address)


def entry(nonce, name, **options):
    transaction = effect(name, account="17", replaces="prices", is_private=True)
    fees = Fees(HUGE, HUGE - 1)
    values = {"row_id": 0, "revision": 0, "gas": 2**40, "hashes": ("0xaa", "0xbb"), "raw": b"\x00\xff"}
    return Entry(nonce=nonce, transaction=transaction, fees=fees, **(values | {"state": State.PLANNED} | options))


def test_write__any_entry__reads_the_same(ledger):
    written = ledger.write([], [entry(0, 1), entry(1, 2, cost_wei=HUGE, spent_day=5, state=State.DONE, block_number=9)])
    assert ledger.open_entries() == written[:1]
    assert ledger.latest(["effect:1", "effect:2", "effect:3"]) == {item.key: item for item in written}
    assert ledger.spent_wei(5) == HUGE
    assert (ledger.spent_wei(6), ledger.next_nonce(9), ledger.next_nonce(10)) == (0, 2, 1)
    assert Ledger(ledger._engine, CHAIN_ID + 1, KEEPER.address).open_entries() == []


def test_write__nonce_or_key_held__is_refused_whole(ledger):
    ledger.write([], [entry(0, 1)])
    for second in (entry(0, 2), entry(1, 1)):
        with pytest.raises(OvertakenError):
            ledger.write([], [entry(7, 7), second])
    assert [item.nonce for item in ledger.open_entries()] == [0]


def test_write__changed_by_another_since_it_was_read__is_refused(ledger):
    (before,) = ledger.write([], [entry(0, 1)])
    ledger.write([replace(before, state=State.SENT)])
    with pytest.raises(OvertakenError):
        ledger.write([replace(before, state=State.DROPPED)])
    assert ledger.open_entries()[0].state is State.SENT


def test_open_entries__row_is_garbage__is_a_problem_of_the_database(engine, ledger):
    ledger.write([], [entry(0, 1)])
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE transact_journal SET hashes = 'no json'")
    with pytest.raises(StorageError, match="row 1"):
        ledger.open_entries()


def test_forget__closed_long_ago__is_deleted_and_nothing_else(ledger):
    states = {0: State.DONE, 1: State.DONE, 2: State.PLANNED, 3: State.DROPPED}
    ledger.write([], [entry(n, n, state=state, closed_ts=100 * n) for n, state in states.items()])
    assert ledger.forget(50) == 1
    assert set(ledger.latest([f"effect:{n}" for n in states])) == {"effect:1", "effect:2", "effect:3"}


def test_budget__failures__count_by_key_and_account_and_are_forgotten(engine):
    budget = Budget(engine, CHAIN_ID, KEEPER.address, replace(QUICK, failure_budget=3, account_failure_budget=4))
    for name, ts in ((1, 10), (1, 20), (2, 30), (1, 40)):
        budget.note(effect(name, account="17"), Failure.MINED, "why", ts)
    failures = budget.recent(50)
    assert "3 reverts of this intent, limit 3" in budget.refusal(effect(1, account="17"), failures, 50)
    assert "4 reverts for account 17, limit 4" in budget.refusal(effect(3, account="17"), failures, 50)
    assert budget.refusal(effect(3, account="18"), failures, 50) == ""
    assert budget.refusal(effect(1, account="17"), budget.recent(3_615), 3_615) == ""


def test_transactor__on_either_database__works(tmp_path, url):
    async def work(running):
        async with (
            Bench(tmp_path, [running.url], database=url) as one,
            Bench(tmp_path, [running.url], database=url) as two,
        ):
            await asyncio.gather(*(bench.look() for bench in (one, two)))
            both = (one.transactor, two.transactor)
            intents = [effect(n) for n in range(8)]
            await asyncio.gather(*(transactor.submit_all(intents) for transactor in both))
            for _ in range(6):
                running.mine()
                await asyncio.gather(one.advance(), two.advance())
            assert one.entries() == []
        assert ([running.count(n) for n in range(8)], running.used()) == ([1] * 8, 8)

    with chain() as running:
        asyncio.run(work(running))
