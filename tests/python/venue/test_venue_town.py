"""The whole market of ``make venue``: it lives, and one signal ends all of it."""

import signal
import socket
import subprocess
import sys

from helpers.keeper_runs import until

import plimsoll as pm
from plimsoll.chain.client import Client
from plimsoll.errors import UnavailableError

LOCAL = [sys.executable, "-m", "plimsoll", "venue", "local", "--bind", "127.0.0.1:0"]


def is_gone(url):
    try:
        Client(url).rpc("eth_chainId")
    except UnavailableError:
        return True
    return False


def test_local__makers_quote_and_trade__and_a_signal_ends_everything(tmp_path):
    command = [*LOCAL, "--speed", "30", "--node-port", "0"]
    with (tmp_path / "errors").open("w", encoding="utf-8") as errors:
        town = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=tmp_path)
    try:
        told = {}
        while "stop" not in told:
            line = town.stdout.readline()
            assert line, (tmp_path / "errors").read_text(encoding="utf-8")
            told[line.split()[0]] = line
        url, node = told["venue"].split()[1], told["chain"].split()[-1]
        venue = pm.connect(url)
        until(lambda: any(one.state != "pending" for one in venue.trades().trades), lambda: venue.health())
        assert venue.health().openOrders > 50
        first = venue.rounds()[0].ts
        until(lambda: venue.rounds()[0].ts > first + 60, lambda: venue.rounds()[0].ts)
        town.send_signal(signal.SIGINT)
        assert town.wait(timeout=60) == 0
        assert is_gone(node)
        assert "test test test" in told["phrase"]
    finally:
        if town.poll() is None:
            town.kill()


def test_local__port_of_node_is_taken__one_line_that_names_it(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        command = [*LOCAL, "--node-port", str(port)]
        ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert ended.returncode == 3
    assert f"port {port} of 127.0.0.1 cannot be used" in ended.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []
