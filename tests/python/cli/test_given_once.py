"""What is given twice where one was meant, and outputs that take nothing: one line each, no figure."""

import json
import os
import subprocess
import sys

import pytest
from helpers.desk import account, fails, write_desk

from plimsoll.cli import run


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["margin", "--market", "M.json", "--market", "N.json", "--portfolio", "P.json"], "plimsoll margin: --market"),
        (["margin", "--market=M.json", "--portfolio=P.json", "--portfolio=P.json"], "plimsoll margin: --portfolio"),
        (["explain", "vega", "--underlying", "ETH", "--underlying", "BTC"], "plimsoll explain vega: --underlying"),
        (["risk", "var", "--level", "0.9", "--level", "0.99"], "plimsoll risk var: --level"),
    ],
)
def test_an_option_that_is_no_list_is_given_once(capsys, command, said):
    assert fails(capsys, command) == f"error: {said} is given twice, it takes one value\n"


def test_lists_and_values_that_look_like_options_are_taken(tmp_path, capsys):
    files = write_desk(tmp_path)
    trades = ["--with", "sell 1 ETH-PERP", "--with", "buy 1 BTC-PERP"]
    assert run(["margin", *account(files), *trades]) == 0
    capsys.readouterr()
    error = fails(capsys, ["stress", *account(files), "--scenarios", "--market"])
    assert "given twice" not in error


@pytest.mark.parametrize(
    "command", [["fund", "--fund", "1"], ["cascade", "--underlying", "ETH"], ["optimise", "allocate"]]
)
def test_one_file_is_one_account(tmp_path, capsys, command):
    files = write_desk(tmp_path)
    again = ["--portfolio", str(files / "." / "P.json")]
    assert "P.json is given twice; each file is one account" in fails(capsys, [*command, *account(files), *again])


def test_fund_names_the_unit_of_a_risk(tmp_path, capsys):
    files = write_desk(tmp_path)
    command = ["fund", "--fund", "1", *account(files)]
    assert run([*command, "--json"]) == 0
    amounts = {one["risk"]: one["amount"] for one in json.loads(capsys.readouterr().out)["concentrations"]}
    assert run(command) == 0
    out = capsys.readouterr().out
    assert "vega per vol point" in out
    rows = {line[: line.index(" 1 P.json")].strip(): line for line in out.splitlines() if " 1 P.json " in line}
    assert f" {amounts['ETH vega'] / 100.0:,.2f} " in rows["ETH vega"]
    assert f" {amounts['ETH delta']:,.4f} " in rows["ETH delta"]


def test_watch_without_a_terminal_ends_at_once(tmp_path, capsys):
    error = fails(capsys, ["watch", *account(write_desk(tmp_path))])
    assert error == "error: watch: needs a terminal; --json prints one look\n"


@pytest.mark.parametrize("more", [[], ["--json"]])
@pytest.mark.parametrize("output", ["full", "closed"])
def test_an_output_that_takes_nothing_is_one_line(tmp_path, more, output):
    files = write_desk(tmp_path)
    code = "import sys; from plimsoll.cli import main; sys.argv[0] = 'plimsoll'; main()"
    command = [sys.executable, "-c", code, "margin", *account(files), *more]
    into = {"stdout": os.open("/dev/full", os.O_WRONLY)} if output == "full" else {}
    shell = command if output == "full" else ["bash", "-c", '"$@" >&-', "bash", *command]
    done = subprocess.run(shell, stderr=subprocess.PIPE, text=True, check=False, **into)
    assert done.returncode == 5
    assert done.stderr.startswith("error: standard output: cannot be written (")
    assert done.stderr.count("\n") == 1
