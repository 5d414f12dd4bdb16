"""The whole market of ``make venue``: it lives, and one signal ends all of it."""

import signal
import subprocess
import sys

from helpers.keeper_runs import until

import plimsoll as pm
from plimsoll.chain.client import Client
from plimsoll.errors import UnavailableError


def is_gone(url):
    try:
        Client(url).rpc("eth_chainId")
    except UnavailableError:
        return True
    return False


def test_local__makers_quote_and_trade__and_a_signal_ends_everything(tmp_path):
    command = [sys.executable, "-m", "plimsoll", "venue", "local", "--speed", "30", "--bind", "127.0.0.1:0"]
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
    finally:
        if town.poll() is None:
            town.kill()
