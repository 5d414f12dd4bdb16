"""Tables that go into a pipe or a file: at most a hundred columns, nothing cut off."""

import json

import pytest
from helpers.desk import account, write_desk

from plimsoll.cli import run

WIDEST = 100
LEG = "buy 5 ETH-27MAR26-1800-P"


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A desk without a terminal that would say how wide it is."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.chdir(tmp_path)
    return write_desk(tmp_path, {"underlying": "BTC", "kind": "perp", "quantity": -0.2, "entry": 65_000.0})


@pytest.mark.parametrize(
    "command",
    [
        ["margin"],
        ["compare"],
        ["stress", "--replay", "--reverse", "--surface", "--history", "H.csv"],
        ["risk", "contrib", "--method", "historical", "--history", "H.csv"],
        ["cascade", "--underlying", "ETH"],
        ["explain", "liquidation"],
        ["explain", "payoff", "--underlying", "ETH"],
        ["explain", "vega", "--underlying", "ETH"],
        ["optimise", "release"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_tables_of_an_account(files, capsys, command):
    assert run([*command, *account(files)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert max(map(len, lines)) <= WIDEST
    assert not any("…" in line for line in lines)


@pytest.mark.parametrize("command", ["backtest", "calibrate"])
def test_tables_of_prices(files, capsys, command):
    assert run([command, "--history", "H.csv", "--coverage", "0.99"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= WIDEST
    assert not any("…" in line for line in lines)


def test_greeks_have_the_units_of_the_page(files, capsys):
    assert run(["margin", *account(files), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert run(["margin", *account(files)]) == 0
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert run(["report", "x", *account(files), "--history", "H.csv", "--out", "r.html"]) == 0
    page = (files / "r.html").read_text()
    for label, name, share in (("vega (per vol point)", "vega", 100.0), ("theta (per day)", "theta", 365.0)):
        (row,) = (line for line in shown if label in " ".join(line))
        values = [u["greeks"][name] / share for u in document["underlyings"].values()]
        assert [text for text in row if text.replace(",", "").lstrip("-").replace(".", "").isdigit()] == [
            f"{value:,.2f}" for value in values
        ]
        assert label.replace("(", "").replace(")", "") in page
    capsys.readouterr()


def test_moves_are_shares_of_a_hundred_in_table_and_page(files, capsys):
    assert run(["backtest", "--history", "H.csv", "--coverage", "0.99", "--html", "b.html"]) == 0
    assert " 28.5% " in capsys.readouterr().out
    assert "<td>28.5%</td>" in (files / "b.html").read_text()
