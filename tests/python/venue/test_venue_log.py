"""The log: whole, in order, before the answer; a database that fails, and a process that is killed."""

import asyncio
import multiprocessing as mp
import os
import signal
import time

import pytest
from helpers.postgres import Server
from sqlalchemy import text

from plimsoll.constants import WAD
from plimsoll.errors import InputError
from plimsoll.storage import StorageError, open_database, upgrade, writing
from plimsoll.venue.book import events as ev
from plimsoll.venue.book.engine import NewOrder
from plimsoll.venue.journal.desk import Desk
from plimsoll.venue.journal.log import EventLog

INSTRUMENT = (1 << 248) | (3 << 240)
US = {"chain": "31337", "exchange": "0xabc"}


class Nothing:
    def held_wad(self, account_id, instrument):
        return 0

    def delta_vega_wad(self, instrument):
        return (0, 0)


def new_order(number, price=100, *, buy=True):
    message = {
        "accountId": number % 7,
        "instrument": INSTRUMENT,
        "isBuy": buy,
        "quantityWad": WAD,
        "priceWad": price * WAD,
        "nonce": 2**255 + number,
        "expiryTs": 2_000_000_000,
        "signer": f"0x{number % 7:040x}",
        "kind": 0,
        "reduceOnly": False,
        "maxFeeWad": 0,
        "transferCount": 0,
    }
    return NewOrder(f"0x{number:064x}", message, "0x00")


def opened(url):
    database = open_database(url)
    upgrade(database)
    return EventLog(database, US)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'venue.sqlite'}"
    server: Server = request.getfixturevalue("postgres")
    return server.new_database()


def test_desk__many_callers__share_transactions_and_replay_to_the_same_state(url):
    async def work():
        desk = Desk(opened(url), Nothing(), WAD)
        desk._log.start()
        await asyncio.gather(
            *(
                desk.run(lambda engine, n=n: engine.place(new_order(n, 90 + n % 20, buy=n % 3 > 0), n))
                for n in range(1, 200)
            )
        )
        await desk._log.stop()
        assert desk._log.commits < 100
        return desk.state

    state = asyncio.run(work())
    again = Desk(opened(url), Nothing(), WAD)
    again.load()
    assert (again.state.seq, again.state.orders, again.state.trades) == (state.seq, state.orders, state.trades)


def test_log__another_deployment__is_refused(url):
    opened(url)
    database = open_database(url)
    with pytest.raises(InputError, match="holds the log of exchange 0xabc"):
        EventLog(database, {**US, "exchange": "0xdef"})


def test_log__a_missing_event__is_told_and_not_skipped(url):
    log = opened(url)
    with writing(log._engine) as connection:
        connection.execute(text("INSERT INTO venue_event VALUES (2, 'finalised', '[1]')"))
    with pytest.raises(StorageError, match="event 1 of the venue's log is missing"):
        list(log.read())


def test_desk__database_fails__answers_nobody_and_goes_on_from_what_the_disk_has(tmp_path):
    async def work():
        desk = Desk(opened(f"sqlite:///{tmp_path / 'venue.sqlite'}"), Nothing(), WAD)
        sent, reloads = [], []
        desk.prepare = lambda changes: lambda: sent.append(changes)
        desk.on_reload = lambda: reloads.append(1)
        desk._log.start()
        await desk.run(lambda engine: engine.place(new_order(1), 1))
        write, desk._log._write = desk._log._write, failing
        with pytest.raises(StorageError, match="disk is full"):
            await desk.run(lambda engine: engine.place(new_order(2), 1))
        with pytest.raises(StorageError, match="nothing is accepted"):
            await desk.run(lambda engine: engine.place(new_order(3), 1))
        desk._log._write = write
        for _ in range(100):
            await asyncio.sleep(0.05)
            if reloads:
                break
        assert (list(desk.state.orders), len(sent)) == ([new_order(1).order_hash], 1)
        await desk.run(lambda engine: engine.place(new_order(4), 1))
        await desk._log.stop()

    asyncio.run(work())


def failing(_taken):
    raise StorageError("database", "disk is full")


def test_desk__message__shows_the_moment_of_its_command_and_waits_for_the_disk(tmp_path):
    async def work():
        desk = Desk(opened(f"sqlite:///{tmp_path / 'venue.sqlite'}"), Nothing(), WAD)
        seen = []

        def prepare(_changes):
            count = len(desk.state.orders)
            return lambda: seen.append((count, desk._log.last()))

        desk.prepare = prepare
        desk._log.start()
        await asyncio.gather(*(desk.run(lambda engine, n=n: engine.place(new_order(n), n)) for n in (1, 2, 3)))
        await desk._log.stop()
        assert [count for count, _ in seen] == [1, 2, 3]
        assert all(last >= count for count, last in seen)

    asyncio.run(work())


def place_until_killed(url, pipe):
    async def work():
        desk = Desk(opened(url), Nothing(), WAD)
        desk.load()
        desk._log.start()

        async def one(number):
            await desk.run(lambda engine: engine.place(new_order(number, 90 + number % 20, buy=number % 3 > 0), number))
            pipe.send(number)

        first = 1 + len(desk.state.orders) * 10
        await asyncio.gather(*(one(number) for number in range(first, first + 3_000)))

    asyncio.run(work())


def test_desk__killed_under_load__has_everything_that_was_answered(tmp_path):
    url = f"sqlite:///{tmp_path / 'venue.sqlite'}"
    answered = set()
    for pause_sec in (0.02, 0.07, 0.15):
        ours, theirs = mp.Pipe(duplex=False)
        child = mp.get_context("fork").Process(target=place_until_killed, args=(url, theirs))
        child.start()
        theirs.close()
        answered.add(ours.recv())
        time.sleep(pause_sec)
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        try:
            while True:
                answered.add(ours.recv())
        except (EOFError, OSError):
            pass
        desk = Desk(opened(url), Nothing(), WAD)
        desk.load()
        missing = {number for number in answered if new_order(number).order_hash not in desk.state.orders}
        assert not missing
        assert desk.state.seq == desk._log.last()
    assert isinstance(next(iter(desk._log.read()))[1], ev.Accepted)
