"""The lease on one database: who may have it, whose clock counts, and what a deposed leader can still do."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from plimsoll.keeper.config.sections import StandbySection
from plimsoll.keeper.holder import Holder, is_gone, myself
from plimsoll.keeper.lease import Lease, Role
from plimsoll.keeper.lease_table import LeaseLostError, LeaseTable, clock_of
from plimsoll.storage import StorageError, open_database, upgrade, writing

SECTION = StandbySection(lease_sec=15.0, delay_sec=5.0, margin_sec=3.0)
OTHER = Holder("other", "another machine", 1, "1")


@pytest.fixture
def engine(tmp_path):
    opened = open_database(f"sqlite:///{tmp_path / 'keeper.sqlite'}")
    upgrade(opened)
    yield opened
    opened.dispose()


class Clock:
    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


class Skewed(LeaseTable):
    """The same row, read while the database's clock is off."""

    def __init__(self, engine, name, offset_sec):
        super().__init__(engine, name)
        self._now = clock_of("sqlite") + offset_sec


def lease_of(table, holder="one", clock=None, **callbacks):
    me = myself(holder) if isinstance(holder, str) else holder
    return Lease(table, me, SECTION, clock=clock or Clock(), **callbacks)


def step(lease):
    """One round of the lease's own loop."""

    async def once():
        task = asyncio.create_task(lease.run())
        for _ in range(500):
            await asyncio.sleep(0.002)
            if lease.written_sec == 0.0 or lease.trouble:
                break
        task.cancel()

    lease.trouble = []
    lease._on_trouble = lambda reason: lease.trouble.append(reason) if reason else None
    lease._written = None
    asyncio.run(once())


def test_acquire__free_held_expired_given_back__as_the_database_says(engine):
    table = LeaseTable(engine, "a")
    assert table.acquire("one", 15, 5) == 1
    assert table.acquire("two", 15, 5) is None
    assert LeaseTable(engine, "b").acquire("two", 15, 5) == 1
    assert Skewed(engine, "a", 16).acquire("two", 15, 5) is None
    assert Skewed(engine, "a", 21).acquire("two", 15, 5) == 2
    table.release("two", 2)
    assert table.acquire("three", 15, 5) == 3


def test_release__by_an_older_token__changes_nothing(engine):
    table = LeaseTable(engine, "a")
    table.acquire("one", 15, 5)
    table.release("one", 7)
    table.release("two", 1)
    assert table.acquire("two", 15, 5) is None


def test_renew__after_expiry_or_takeover__is_refused(engine):
    table = LeaseTable(engine, "a")
    table.acquire("one", 15, 5)
    assert table.renew("one", 1, 15)
    assert not Skewed(engine, "a", 16).renew("one", 1, 15)
    assert not table.renew("two", 1, 15)
    assert not table.renew("one", 2, 15)


def test_fence__old_token_or_expired__refuses_the_transaction_and_keeps_nothing_of_it(engine):
    table = LeaseTable(engine, "a")
    table.acquire("one", 15, 5)
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE sends (token integer)"))

    def send(by, token):
        with writing(engine) as connection:
            connection.execute(text("INSERT INTO sends VALUES (:token)"), {"token": token})
            by.fence(connection, token)

    send(table, 1)
    with pytest.raises(LeaseLostError, match="has expired"):
        send(Skewed(engine, "a", 16), 1)
    Skewed(engine, "a", 60).acquire("two", 15, 5)
    with pytest.raises(LeaseLostError, match="token 1 is not the current one, 2"):
        send(table, 1)
    with writing(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM sends")).scalar() == 1


def test_leader__own_clock_reaches_the_margin__may_not_send_although_nobody_took_over(engine):
    clock = Clock()
    lease = lease_of(LeaseTable(engine, "a"), clock=clock)
    assert lease.role is Role.STARTING
    step(lease)
    assert lease.role is Role.LEADER
    clock.now += SECTION.lease_sec - SECTION.margin_sec - 0.01
    assert lease.may_send()
    clock.now += 0.02
    assert not lease.may_send()
    with pytest.raises(LeaseLostError):
        _ = lease.token
    with writing(engine) as connection, pytest.raises(LeaseLostError):
        lease.fence(connection)


def test_leader__database_clock_jumps_forward_and_another_takes_over__is_fenced(engine):
    lost = []
    lease = lease_of(LeaseTable(engine, "a"), on_loss=lost.append)
    step(lease)
    assert Skewed(engine, "a", 3_600).acquire(str(OTHER), 15, 5) == 2
    assert lease.may_send()
    with writing(engine) as connection, pytest.raises(LeaseLostError, match="not the current one"):
        lease.fence(connection)
    step(lease)
    assert lost
    assert lease.role is Role.STANDBY


def test_standby__database_clock_set_back__takes_over_from_a_silent_leader_by_its_own(engine):
    LeaseTable(engine, "a").acquire(str(OTHER), 15, 5)
    clock, taken = Clock(), []
    lease = lease_of(Skewed(engine, "a", -3_600), clock=clock, on_leader=taken.append)
    step(lease)
    clock.now += SECTION.lease_sec + SECTION.delay_sec - 0.1
    step(lease)
    assert lease.role is Role.STANDBY
    clock.now += 0.2
    step(lease)
    assert lease.role is Role.LEADER
    assert [(takeover.token, takeover.before) for takeover in taken] == [(2, "other")]


def test_standby__leader_renews_on_a_clock_that_was_set_back__never_takes_over(engine):
    table, clock = LeaseTable(engine, "a"), Clock()
    table.acquire(str(OTHER), 15, 5)
    lease = lease_of(Skewed(engine, "a", -3_600), clock=clock)
    for _ in range(4):
        step(lease)
        assert table.renew(str(OTHER), 1, 15)
        clock.now += 10
    assert lease.role is Role.STANDBY


def test_standby__read_only_database__keeps_trying_and_says_so(tmp_path, engine):
    engine.dispose()
    path = tmp_path / "keeper.sqlite"
    read_only = open_database(f"sqlite:///file:{path}?mode=ro&uri=true")
    lease = lease_of(LeaseTable(read_only, "a"))
    step(lease)
    assert lease.trouble
    assert lease.role is Role.STARTING
    assert lease.written_sec == float("inf")
    read_only.dispose()


def test_release__while_the_loop_runs__is_for_good(engine):
    table = LeaseTable(engine, "a")

    async def run():
        lease = lease_of(table)
        task = asyncio.create_task(lease.run())
        await asyncio.wait_for(lease.wait_leader(), 20)
        await lease.release()
        lease._thread.submit(lambda: None).result()
        await asyncio.wait_for(task, 20)

    asyncio.run(run())
    assert table.read().holder == ""


def test_members__after_a_look__are_listed_with_their_role(engine):
    table = LeaseTable(engine, "a")
    table.see("one", "leader", is_well=True)
    table.see("two", "standby", is_well=False)
    table.see("one", "standby", is_well=True)
    LeaseTable(engine, "b").see("three", "leader", is_well=True)
    seen = {(member.holder, member.role, member.is_well) for member in table.members()}
    assert seen == {("one", "standby", True), ("two", "standby", False)}
    assert all(0 <= member.age_sec < 60 for member in table.members())
    table.leave("one")
    assert [member.holder for member in table.members()] == ["two"]


def test_leader__makes_no_progress__yields_to_a_well_standby_and_to_nobody_else(engine):
    table, lost, well = LeaseTable(engine, "a"), [], [True]
    lease = lease_of(table, on_loss=lost.append, is_well=lambda: well[0])
    step(lease)
    well[0] = False
    table.see(str(OTHER), "standby", is_well=False)
    step(lease)
    assert lease.role is Role.LEADER
    table.see(str(OTHER), "standby", is_well=True)
    step(lease)
    step(lease)
    assert lost == ["this keeper makes no progress and another one does"]
    assert lease.role is Role.STANDBY
    assert table.acquire(str(OTHER), 15, 5) == 2
    Skewed(engine, "a", 0).release(str(OTHER), 2)
    table.leave(str(OTHER))
    step(lease)
    assert lease.role is Role.LEADER


def test_is_gone__process_that_ended__only_of_the_same_name_and_machine():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    me = myself("one")
    dead = Holder("one", me.machine, ended.pid, "1")
    assert is_gone(str(dead), me)
    assert not is_gone(str(Holder("two", me.machine, ended.pid, "1")), me)
    assert not is_gone(str(Holder("one", "another", ended.pid, "1")), me)
    assert not is_gone(str(Holder("one", "", ended.pid, "1")), Holder("one", "", 1, ""))


def test_is_gone__living_process_reused_id_and_zombie__as_they_are():
    me = myself("one")
    assert not is_gone(str(me), me)
    assert is_gone(str(Holder("one", me.machine, os.getpid(), "12345")), me)
    zombie = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    started = Path(f"/proc/{zombie.pid}/stat").read_text().rpartition(")")[2].split()[19]
    assert is_gone(str(Holder("one", me.machine, zombie.pid, started)), me)
    zombie.wait()


@pytest.mark.parametrize("text_", ["", "one", "one|two|x|4", "a|b|c|d|e"])
def test_is_gone__holder_that_cannot_be_read__is_no(text_):
    assert not is_gone(text_, myself("one"))


def test_acquire__broken_database__is_a_storage_error(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    with pytest.raises(StorageError):
        LeaseTable(engine, "a").acquire("one", 15, 5)
    engine.dispose()
