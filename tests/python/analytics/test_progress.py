"""What a slow command says on standard error while it runs; a quick one says nothing."""

import json

import pytest
from helpers.desk import account, write_desk

from plimsoll.cli import run


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Market, portfolio in two underlyings, a synthetic history; every word of progress is said at once."""
    monkeypatch.setattr("plimsoll.cli.slow.EVERY_SEC", 0.0)
    monkeypatch.chdir(tmp_path)
    return write_desk(tmp_path, {"underlying": "BTC", "kind": "perp", "quantity": -0.2, "entry": 65_000.0})


@pytest.mark.parametrize(
    ("command", "lines"),
    [
        (
            ["stress", "--reverse", "--surface", "--correlations", "--replay"],
            ("reverse stress: maintenance, 2 of 3", "correlations: 7 of 7"),
        ),
        (
            ["report", "x"],
            ("value at risk: garch, 3 of 5", "correlations: 7 of 7", "reverse stress: zero, 3 of 3"),
        ),
        (["risk", "var"], ("value at risk: historical, 1 of 5", "value at risk: monte-carlo, 5 of 5")),
        (
            ["risk", "backtest", "--method", "historical", "--days", "300", "--window", "200"],
            ("back-test of value at risk: historical, day 300 of 300",),
        ),
    ],
    ids=["stress", "report", "risk var", "risk backtest"],
)
def test_a_slow_command_says_how_far_it_is(files, capsys, command, lines):
    assert run([*command, *account(files), "--history", "H.csv", "--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["schema"].startswith("plimsoll.")
    assert set(lines) <= set(shown.err.splitlines())


def test_a_quick_command_says_nothing(files, capsys, monkeypatch):
    monkeypatch.setattr("plimsoll.cli.slow.EVERY_SEC", 600.0)
    assert run(["stress", "--reverse", *account(files), "--json"]) == 0
    assert capsys.readouterr().err == ""
