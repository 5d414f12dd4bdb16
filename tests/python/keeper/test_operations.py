"""A whole keeper around an empty loop: probes over HTTP, alerts to a webhook, and every way to end."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from helpers import restartable

from plimsoll.errors import InputError
from plimsoll.keeper.health import Verdict
from plimsoll.keeper.metrics import Metrics
from plimsoll.keeper.notify import tell_systemd
from plimsoll.keeper.web import Web

WORKER = Path(__file__).resolve().parents[1] / "helpers" / "keeper_worker.py"
STOP_SEC = 3.0


class Running:
    """A process and what it says."""

    def __init__(self, folder, behave="", extra="", name="keeper"):
        folder.mkdir(exist_ok=True)
        (folder / "keeper.toml").write_text(
            f'[keeper]\nname = "{name}"\ndeployment = "d.json"\nstop_sec = {STOP_SEC}\n[chain]\nendpoints = ["http://127.0.0.1:1"]\n'
            f'[web]\nbind = "127.0.0.1:0"\n[logging]\nformat = "json"\n[health]\nduty_sec = 1.5\n{extra}'
        )
        self.log = folder / "log"
        with self.log.open("w") as out:
            command = [sys.executable, str(WORKER), str(folder / "keeper.toml"), behave]
            self.process = subprocess.Popen(command, stderr=out)
        self.url = ""

    def lines(self):
        found = [line for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [json.loads(line) for line in found]

    def wait(self, condition, longest_sec=90.0):
        until = time.monotonic() + longest_sec
        while time.monotonic() < until:
            if condition():
                return
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())

    def start(self):
        self.wait(lambda: any(line["event"] == "keeper started" for line in self.lines()))
        self.url = "http://" + next(line["probes"] for line in self.lines() if line["event"] == "keeper started")
        return self

    def get(self, path):
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:  # noqa: S310 (our own server)
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read().decode()

    def end(self, *numbers):
        """Send signals; return the exit code. One that does not end within half a minute fails its test."""
        for number in numbers:
            self.process.send_signal(number)
            time.sleep(0.3)
        return self.process.wait(30)


@pytest.fixture
def keeper(tmp_path):
    started = []

    def start(behave="", extra="", name="keeper"):
        started.append(Running(tmp_path / name, behave, extra, name))
        return started[-1]

    yield start
    for running in started:
        running.process.kill()
        running.process.wait()


def test_keeper__well__answers_probes_stops_on_sigterm_and_gives_the_lease_back(keeper):
    running = keeper().start()
    running.wait(lambda: running.get("/ready")[0] == 200)
    assert running.get("/health")[0] == 200
    ready = json.loads(running.get("/ready")[1])
    assert (ready["role"], ready["lag_blocks"]) == ("leader", 0)
    metrics = running.get("/metrics")[1]
    assert re.search(r"^plimsoll_events_total \d", metrics, re.MULTILINE)
    assert running.get("/nothing")[0] == 404
    code = running.end(signal.SIGTERM)
    assert code == 0
    assert "ended before everything was done" not in running.log.read_text()
    events = [line["event"] for line in running.lines()]
    assert "lease released" in events
    assert events[-1] == "keeper stopped"


@pytest.mark.parametrize("behave", ["block", "hang"])
def test_keeper__step_that_never_ends__is_stalled_and_still_exits_with_0_in_time(keeper, behave):
    running = keeper(behave).start()
    if behave == "hang":
        running.wait(lambda: running.get("/health")[0] == 503)
        assert "prices: last pass" in running.get("/health")[1]
        running.wait(lambda: any(line.get("kind") == "stalled" for line in running.lines()))
    else:
        time.sleep(3)
        with pytest.raises((TimeoutError, urllib.error.URLError)):
            running.get("/health")
    code = running.end(signal.SIGINT)
    assert code == 0


def test_keeper__second_signal__ends_at_once(keeper):
    running = keeper("block").start()
    time.sleep(3)
    code = running.end(signal.SIGTERM, signal.SIGTERM)
    assert code == 128 + signal.SIGTERM


def test_keeper__defect_of_the_loop__ends_with_a_traceback_and_the_lease_given_back(keeper):
    running = keeper("fail")
    assert running.process.wait(90) == 1
    assert "a defect of the loop" in running.log.read_text()
    assert any(line["event"] == "keeper stopped" for line in running.lines())


def test_web__address_taken_or_of_another_machine__is_one_input_error():
    def start(bind):
        verdict = Verdict(True, ())
        asyncio.run(Web(bind, Metrics("0", "test"), lambda: verdict, lambda: verdict).start())

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match=r"^web\.bind: 127\.0\.0\.1:\d+ cannot be listened on \("):
            start(f"127.0.0.1:{taken.getsockname()[1]}")
    with pytest.raises(InputError, match=r"^web\.bind: 192\.0\.2\.1:0 cannot be listened on"):
        start("192.0.2.1:0")


@pytest.fixture
def webhook():
    """Address of a server, and what was posted to it."""
    bodies = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", bodies
    server.shutdown()
    server.server_close()


@pytest.mark.skipif(not restartable.is_installed(), reason="PostgreSQL is not installed")
def test_two_keepers__leader_killed__the_other_leads_counts_it_and_tells_it(keeper, webhook):
    address, bodies = webhook
    with restartable.running() as server:
        extra = (
            f'[database]\nurl = "{server.url}"\n[standby]\nlease_sec = 3\ndelay_sec = 0.5\nmargin_sec = 0.5\n'
            f'[alerts]\ngroup_sec = 0.2\n[[alerts.webhooks]]\nurl = "{address}"\n'
        )
        first, second = keeper("", extra, "first"), keeper("", extra, "second")
        first.start(), second.start()
        first.wait(lambda: {ready(first)["ok"], ready(second)["ok"]} == {True})
        first.wait(lambda: {ready(first)["role"], ready(second)["role"]} == {"leader", "standby"})
        leader, standby = (first, second) if ready(first)["role"] == "leader" else (second, first)
        leader.process.kill()
        standby.wait(lambda: ready(standby)["role"] == "leader")
        standby.wait(lambda: [body for body in bodies if body["kind"] == "standby-takeover"])
        assert re.search(r"^plimsoll_takeovers_total 1", standby.get("/metrics")[1], re.MULTILINE)
        assert standby.end(signal.SIGTERM) == 0


def ready(running):
    return json.loads(running.get("/ready")[1])


@pytest.mark.parametrize("abstract", [False, True])
def test_tell_systemd__states__arrive_and_a_manager_that_is_gone_is_no_error(tmp_path, monkeypatch, abstract):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not tell_systemd("READY=1")
    name = f"plimsoll-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}" if abstract else name)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name}" if abstract else name)
        assert tell_systemd("READY=1", "STATUS=leader")
        assert manager.recv(100) == b"READY=1\nSTATUS=leader"
    assert not tell_systemd("WATCHDOG=1")
