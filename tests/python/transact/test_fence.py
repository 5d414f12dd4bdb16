"""A keeper that lost its lease without knowing it: its transactions write nothing, and send nothing."""

import asyncio
from dataclasses import dataclass, field

import pytest
from helpers.lab import CHAIN_ID, KEEPER, QUICK, Bench, chain, effect

from plimsoll.keeper.lease_table import LeaseTable
from plimsoll.storage import open_database, upgrade
from plimsoll.transact.budget import Budget, Failure
from plimsoll.transact.entry import Entry, State
from plimsoll.transact.fees import Fees
from plimsoll.transact.fence import DeposedError
from plimsoll.transact.intent import Result
from plimsoll.transact.ledger import Ledger


@pytest.fixture
def fresh():
    with chain() as running:
        yield running


@dataclass
class Believer:
    """A keeper whose own clock stands still: it goes on believing that the lease is its own."""

    table: LeaseTable
    name: str
    token: int = field(init=False)

    def __post_init__(self):
        self.token = self.table.acquire(self.name, 60.0, 0.0, None)

    def fence(self, connection):
        self.table.fence(connection, self.token)


def handed_over(engine):
    """A keeper that has acted, and its successor."""
    table = LeaseTable(engine, "one deployment")
    before = Believer(table, "before")
    table.release("before", before.token)
    after = Believer(table, "after")
    assert after.token > before.token
    return before, after


def planned(nonce):
    fees = Fees(2, 1)
    return Entry(0, 0, nonce, effect(nonce), 21_000, fees, ("0xaa",), b"", State.PLANNED)


def test_write__lease_changed_hands__nothing_is_written(url):
    engine = open_database(url)
    upgrade(engine)
    before, after = handed_over(engine)
    mine = Ledger(engine, CHAIN_ID, KEEPER.address, before.fence)
    with pytest.raises(DeposedError, match="was not written: lease: token 1 is not the current one, 2"):
        mine.write([], [planned(0)])
    with pytest.raises(DeposedError):
        mine.forget(10**10)
    with pytest.raises(DeposedError):
        Budget(engine, CHAIN_ID, KEEPER.address, QUICK, before.fence).note(effect(1), Failure.MINED, "x", 1)
    assert mine.open_entries() == []
    assert Ledger(engine, CHAIN_ID, KEEPER.address, after.fence).write([], [planned(0)])
    engine.dispose()


def test_submit_and_advance__lease_changed_hands_unnoticed__nothing_is_journalled_or_sent(tmp_path, fresh):
    """The fault: a keeper that hung for longer than its lease was stopped by its own clock alone."""

    async def work():
        engine = open_database(f"sqlite:///{tmp_path / 'keeper.sqlite'}")
        upgrade(engine)
        table = LeaseTable(engine, "one deployment")
        before = Believer(table, "before")
        async with Bench(tmp_path, [fresh.url], fence=before.fence) as bench:
            assert (await bench.submit(effect(1))).is_sent
            journalled = bench.entries()
            table.release("before", before.token)
            after = Believer(table, "after")
            ticket = await bench.submit(effect(2))
            assert ticket.outcome.result is Result.STANDBY
            assert "is not the current one" in ticket.outcome.reason
            fresh.mine()
            assert await bench.advance() == {}
            assert bench.entries() == journalled
            assert fresh.used() == 1
            async with Bench(tmp_path, [fresh.url], fence=after.fence) as successor:
                assert (await successor.settle(fresh))["effect:1"] == "done"
                assert (await successor.submit(effect(2))).is_sent
        engine.dispose()

    asyncio.run(work())
