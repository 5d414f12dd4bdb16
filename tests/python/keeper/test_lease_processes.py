"""Two real processes on a real PostgreSQL: one acts at a time, whatever happens to the other or to the server."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from itertools import pairwise
from multiprocessing import forkserver
from pathlib import Path

import pytest
from helpers import lease_worker, restartable
from sqlalchemy import text

from plimsoll.keeper.lease import boot_clock
from plimsoll.keeper.lease_table import LeaseTable
from plimsoll.storage import open_database, upgrade, writing

#: Processes that have imported everything already when they begin.
FORKS = multiprocessing.get_context("forkserver")
LEASE_SEC, DELAY_SEC, MARGIN_SEC = 1.6, 0.4, 0.4
#: Poll of the standby and the start of a statement on a loaded machine.
SLACK_SEC = 2.0
pytestmark = pytest.mark.skipif(not restartable.is_installed(), reason="PostgreSQL is not installed")


@pytest.fixture(scope="module")
def server():
    # The server of forks finds the module by the search path of its environment alone.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        FORKS.set_forkserver_preload(["helpers.lease_worker"])
        forkserver.ensure_running()
    with restartable.running() as running:
        engine = open_database(running.url)
        upgrade(engine)
        engine.dispose()
        yield running


def test_fence__journal_still_open__holds_up_whoever_takes_over_until_it_is_written(server):
    engine = open_database(server.url)
    table = LeaseTable(engine, "fence")
    token = table.acquire("one", 30, 0)
    taken = threading.Thread(target=table.acquire, args=("two", 30, 0, table.read()))
    with writing(engine) as connection:
        table.fence(connection, token)
        taken.start()
        taken.join(1.0)
        assert taken.is_alive()
    taken.join(20)
    assert table.read().holder == "two"
    engine.dispose()


class Pair:
    """Two workers and what they sent."""

    def __init__(self, url, file):
        self.url, self.file, self.processes = url, file, {}
        self.leader = self.standby = ""
        self.engine = open_database(url)
        with writing(self.engine) as connection:
            connection.execute(text("DROP TABLE IF EXISTS sends"))
            connection.execute(text("CREATE TABLE sends (id serial, token bigint, name text)"))
            connection.execute(text("DELETE FROM lease"))

    def start(self, name):
        arguments = [self.url, name, str(self.file), str(LEASE_SEC), str(DELAY_SEC), str(MARGIN_SEC)]
        self.processes[name] = FORKS.Process(target=lease_worker.start, args=arguments)
        self.processes[name].start()

    def lines(self, what="sent"):
        """(token, name, time) of every line of a kind."""
        found = self.file.read_text().splitlines() if self.file.exists() else []
        parts = [line.split() for line in found if line.startswith(what)]
        return [(int(token), name, float(moment)) for _, token, name, moment in parts]

    def wait(self, condition, longest_sec=40.0):
        until = time.monotonic() + longest_sec
        while time.monotonic() < until:
            if condition():
                return
            time.sleep(0.02)
        raise AssertionError(f"not within {longest_sec} s; last lines {self.lines()[-3:]}")

    def sends_of(self, name, after=0.0):
        return [line for line in self.lines() if line[1] == name and line[2] > after]

    def check(self):
        """Nobody sent under an older token once a newer one was in use: neither in the journal nor on the wire."""
        with writing(self.engine) as connection:
            rows = connection.execute(text("SELECT token, name FROM sends ORDER BY id")).all()
        assert rows
        assert all(earlier.token <= later.token for earlier, later in pairwise(rows))
        assert len({row.token for row in rows}) == len({(row.token, row.name) for row in rows})
        sent = sorted(self.lines(), key=lambda line: line[2])
        assert all(earlier[0] <= later[0] for earlier, later in pairwise(sent))

    def end(self):
        for process in self.processes.values():
            process.kill()
            process.join()
        self.engine.dispose()


@pytest.fixture
def pair(server, tmp_path):
    workers = Pair(server.url, tmp_path / "sent")
    workers.start("one")
    workers.start("two")
    try:
        workers.wait(lambda: len(workers.lines("started")) == 2 and workers.lines())
        workers.leader = workers.lines()[0][1]
        workers.standby = "two" if workers.leader == "one" else "one"
        yield workers
    finally:
        workers.end()


def test_standby__leader_killed__takes_over_after_expiry_and_delay(pair):
    time.sleep(0.5)
    assert not pair.sends_of(pair.standby)
    pair.processes[pair.leader].kill()
    killed = boot_clock()
    pair.wait(lambda: pair.sends_of(pair.standby))
    waited = pair.sends_of(pair.standby)[0][2] - killed
    # The last renewal is at most a quarter of the lease, and what a loaded machine takes, before the kill.
    assert LEASE_SEC / 2 + DELAY_SEC < waited < LEASE_SEC + DELAY_SEC + SLACK_SEC
    pair.check()


def test_restart__killed_leader_of_the_same_name__acts_at_once(pair):
    pair.processes[pair.standby].kill()
    pair.processes[pair.leader].kill()
    pair.processes[pair.leader].join()
    killed = boot_clock()
    pair.start(pair.leader)
    pair.wait(lambda: pair.sends_of(pair.leader, killed))
    assert pair.sends_of(pair.leader, killed)[0][0] > pair.sends_of(pair.leader)[0][0]
    pair.check()


def test_leader__stopped_past_its_lease_and_continued__sends_nothing_under_the_old_token(pair):
    os.kill(pair.processes[pair.leader].pid, signal.SIGSTOP)
    pair.wait(lambda: pair.sends_of(pair.standby))
    continued = boot_clock()
    os.kill(pair.processes[pair.leader].pid, signal.SIGCONT)
    time.sleep(1.0)
    assert not pair.sends_of(pair.leader, continued)
    assert pair.processes[pair.leader].is_alive()
    pair.check()


def test_leader__stopped_while_it_holds_the_row__the_standby_takes_over(pair):
    """The fault: the row stayed locked for as long as the leader's process stood still, and nobody acted."""
    Path(f"{pair.file}.hold").touch()
    pair.wait(lambda: pair.lines("held"))
    pair.wait(lambda: pair.sends_of(pair.standby))
    os.kill(pair.processes[pair.leader].pid, signal.SIGCONT)
    pair.wait(lambda: len(pair.lines("resumed")) == 1)
    pair.check()


def test_leader__stopped_between_question_and_journal__is_refused_by_its_token(pair):
    Path(f"{pair.file}.freeze").touch()
    pair.wait(lambda: pair.lines("frozen"))
    frozen_token, frozen_name, _ = pair.lines("frozen")[0]
    assert frozen_name == pair.leader
    pair.wait(lambda: pair.sends_of(pair.standby))
    os.kill(pair.processes[pair.leader].pid, signal.SIGCONT)
    pair.wait(lambda: pair.lines("refused"))
    assert pair.lines("refused")[0][:2] == (frozen_token, pair.leader)
    pair.check()


def test_database__restarted__leader_stops_in_time_and_one_goes_on(pair, server):
    server.stop()
    stopped = boot_clock()
    time.sleep(LEASE_SEC + 0.5)
    sent = [moment for _, _, moment in pair.lines() if moment > stopped + LEASE_SEC - MARGIN_SEC]
    assert not sent
    server.start()
    started = boot_clock()
    pair.wait(lambda: any(moment > started for _, _, moment in pair.lines()))
    assert all(process.is_alive() for process in pair.processes.values())
    pair.check()


def test_leader__asked_to_stop__gives_the_lease_back_and_exits_with_0(pair):
    pair.processes[pair.leader].terminate()
    asked = boot_clock()
    pair.processes[pair.leader].join(20)
    assert pair.processes[pair.leader].exitcode == 0
    pair.wait(lambda: pair.sends_of(pair.standby))
    assert pair.sends_of(pair.standby)[0][2] - asked < LEASE_SEC + DELAY_SEC
    pair.check()
