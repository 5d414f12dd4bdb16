"""The desk's commands from the outside: files to run on, and what their documents and errors must look like."""

import json
import math

from helpers.examples import MARKET, PORTFOLIO
from helpers.histories import walk

from plimsoll.cli import run

DAYS = 600


def history_lines():
    """Lines of a synthetic price file: header, then one row a day of ETH, then of BTC."""
    close = walk(DAYS, 0.03, k=2)
    stamps = [1_640_995_200 + 86_400 * i for i in range(DAYS)]
    lines = ["ts,asset,close"]
    for j, asset in enumerate(("ETH", "BTC")):
        lines += [f"{ts},{asset},{price}" for ts, price in zip(stamps, close[:, j], strict=True)]
    return lines


def write_desk(folder, *more):
    """Write market, portfolio (with ``more`` positions) and history; return the folder."""
    folio = json.loads(json.dumps(PORTFOLIO))
    folio["positions"] += more
    (folder / "H.csv").write_text("\n".join(history_lines()) + "\n")
    (folder / "M.json").write_text(json.dumps(MARKET))
    (folder / "P.json").write_text(json.dumps(folio))
    return folder


def account(files):
    """Arguments that name market and portfolio."""
    return ["--market", str(files / "M.json"), "--portfolio", str(files / "P.json")]


def numbers(value):
    """Every number of a document."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [n for item in value for n in numbers(item)]
    return [value] if isinstance(value, float | int) else []


def printed(capsys, arguments):
    """Run a command and return its document; no figure of it may be infinite or none."""
    assert run(arguments) == 0
    parsed = json.loads(capsys.readouterr().out)
    assert all(math.isfinite(n) for n in numbers(parsed))
    return parsed


def fails(capsys, arguments):
    """Run a command that must fail with one line; return the line."""
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    return shown.err
