"""The log: whole, in order, before the answer; a database that fails, and a process that is killed."""

import asyncio
import multiprocessing as mp
import os
import signal
import time
from contextlib import suppress

import pytest
from helpers.postgres import Server
from sqlalchemy import text

from plimsoll.constants import WAD
from plimsoll.errors import InputError
from plimsoll.protocol.orders import UNCONDITIONAL
from plimsoll.storage import StorageError, open_database, reading, upgrade, writing
from plimsoll.venue.book import events as ev
from plimsoll.venue.book.engine import NewOrder
from plimsoll.venue.book.snapshot import Snapshot
from plimsoll.venue.journal.archive import Archive
from plimsoll.venue.journal.desk import Desk
from plimsoll.venue.journal.log import EventLog

INSTRUMENT = (1 << 248) | (3 << 240)
#: Few, so that the tests meet many snapshots.
MAX_EVENTS = 200
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
        **UNCONDITIONAL,
    }
    return NewOrder(f"0x{number:064x}", message, "0x00")


def opened(url):
    database = open_database(url)
    upgrade(database)
    return EventLog(database, US)


def archive_of(desk):
    return Archive(desk._log._engine)


def everything(desk):
    """Return all orders that a desk has ever accepted, wherever they are now."""
    kept = archive_of(desk).orders_of(3, None, 10**6)
    for account_id in (0, 1, 2, 4, 5, 6):
        kept += archive_of(desk).orders_of(account_id, None, 10**6)
    return {order.order_hash: order for order in kept} | desk.state.orders


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
        desk = Desk(opened(url), Nothing(), WAD, max_events=MAX_EVENTS)
        desk.load()
        desk._log.start()

        async def one(number):
            await desk.run(lambda engine: engine.place(new_order(number, 90 + number % 20, buy=number % 3 > 0), number))
            pipe.send(number)
            await desk.run(lambda engine: engine.cancel(new_order(number).order_hash, "by hand") if number % 3 else 0)

        first = 1 + len(everything(desk)) * 10
        await asyncio.gather(*(one(number) for number in range(first, first + 3_000)))

    asyncio.run(work())


def test_desk__killed_under_load__has_everything_that_was_answered(url):
    answered, snapshots = set(), set()
    for pause_sec in (0.02, 0.1, 0.3):
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
        found = everything(desk)
        assert {number for number in answered if new_order(number).order_hash not in found} == set()
        assert desk.state.seq == desk._log.last()
        assert desk.state.orders.keys().isdisjoint(archive_of(desk).orders(list(desk.state.orders)))
        snapshots.add(desk._log.snapshot()[0])
    assert len(snapshots) > 1


def count_of(desk, table):
    with reading(desk._log._engine) as connection:
        return connection.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608


def test_log__long_history__is_bounded_and_a_start_reads_what_is_alive(url):
    async def work():
        desk = Desk(opened(url), Nothing(), WAD, max_events=MAX_EVENTS)
        desk._log.start()
        for number in range(1, 1_001):
            # One in fifty stays; of the others some trade and some are cancelled.
            price, buy = (50, True) if number % 50 == 0 else (100, number % 2 == 0)
            await desk.run(lambda engine, n=number, p=price, b=buy: engine.place(new_order(n, p, buy=b), n))
            if number % 7 == 0:
                await desk.run(lambda engine, n=number: engine.cancel(new_order(n).order_hash, "by hand"))
            for trade in list(desk.state.unsettled.values()):
                await desk.run(lambda engine, t=trade: engine.settled(ev.Settled(t.trade_id, "0x", 1, 0, 0)))
                await desk.run(lambda engine, t=trade: engine.finalised(t.trade_id))
        await desk._log.stop()
        return desk

    desk = asyncio.run(work())
    assert desk.state.seq > 8 * MAX_EVENTS
    assert count_of(desk, "venue_event") < 3 * MAX_EVENTS
    # Those that stay, and what was over since the last snapshot.
    assert count_of(desk, "venue_snapshot") < 100
    assert len(desk.state.orders) < 100 + MAX_EVENTS
    again = Desk(opened(url), Nothing(), WAD)
    again.load()
    assert (again.state.seq, again.state.orders, again.state.trades) == (
        desk.state.seq,
        desk.state.orders,
        desk.state.trades,
    )
    assert len(everything(again)) == 1_000
    trades = archive_of(again).trades(10**6)
    assert [trade.trade_id for trade in trades] == sorted((t.trade_id for t in trades), reverse=True)
    kept = archive_of(again)
    newest = trades[0]
    assert kept.trades(1) == [newest] == kept.trades(1, account_id=newest.maker_id, instrument=INSTRUMENT)
    assert kept.trades(2, before=newest.trade_id) == trades[1:3]
    assert kept.trades(1, instrument=INSTRUMENT + 1) == []
    assert {order.state for order in kept.orders_of(0, "cancelled", 10)} == {"cancelled"}


def test_desk__snapshot_fails__reads_the_disk_anew_and_loses_nothing(tmp_path):
    async def work():
        desk = Desk(opened(f"sqlite:///{tmp_path / 'venue.sqlite'}"), Nothing(), WAD, max_events=10)
        reloads = []
        desk.on_reload = lambda: reloads.append(1)
        desk._log.start()
        write = desk._log._write

        def refusing(taken):
            if any(isinstance(item, Snapshot) for _, item, _ in taken):
                raise StorageError("database", "disk is full")
            write(taken)

        desk._log._write = refusing
        for number in range(1, 6):
            await desk.run(lambda engine, n=number: engine.place(new_order(n), n))
            with suppress(StorageError):
                await desk.run(lambda engine, n=number: engine.cancel(new_order(n).order_hash, "by hand"))
        desk._log._write = write
        for _ in range(100):
            await asyncio.sleep(0.05)
            if reloads:
                break
        assert sorted(everything(desk)) == [new_order(number).order_hash for number in range(1, 6)]
        assert desk.state.seq == desk._log.last()
        await desk.run(lambda engine: engine.place(new_order(6), 6))
        await desk._log.stop()

    asyncio.run(work())
