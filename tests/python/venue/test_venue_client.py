"""The front door: ``plimsoll.connect`` of a venue, and the example that shows it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import plimsoll as pm
from plimsoll.errors import InputError, UnavailableError

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "trade_at_a_venue.py"


def test_connect__address_of_a_venue__opens_it(running, anna):
    venue = pm.connect(running.url)
    assert venue.config.chainId == 31_337
    assert venue.accounts_of(anna.wallet.address) == [anna.account_id]
    assert venue.trade_as(anna.wallet).account_id == anna.account_id


def test_connect__venue_with_a_node__is_refused(running):
    with pytest.raises(InputError, match="is a venue, which has a node of its own"):
        pm.connect(running.url, "http://127.0.0.1:1")


def test_connect__nobody_there__says_so():
    with pytest.raises(UnavailableError, match="no answer to GET /config"):
        pm.connect("http://127.0.0.1:9")


def test_trade_as__wallet_without_account__is_refused(running, chain):
    with pytest.raises(InputError, match="owns no account"):
        pm.connect(running.url).trade_as(chain.world.funded_wallet("nobody"))


def test_example__prints_what_became_of_its_order(running, anna):
    environment = {**os.environ, "VENUE_KEY": bytes(anna.wallet.key).hex()}
    command = [sys.executable, str(EXAMPLE), running.url]
    found = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert found.returncode == 0, found.stderr
    lines = found.stdout.splitlines()
    assert lines[0].startswith(f"account {anna.account_id}, ETH perpetual at ")
    assert lines[1].startswith("placed   0.50 at ")
    assert lines[1].endswith(": open")
    assert lines[3:] == [
        "cancelled 0.25",
        "told     0.50 open, 0.00 cancelled, 0.25 open, 0.00 cancelled",
        "missed   0",
    ]
