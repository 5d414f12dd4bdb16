"""Which part of a history a command may use: what was known at the time of the market, unless more is asked for.

The histories are synthetic: daily prices round the time of the test market, 2026-02-05 21:29 UTC.
"""

import json

import numpy as np
import pytest
from helpers.desk import account, fails, printed, write_desk
from helpers.examples import TS
from helpers.histories import walk

import plimsoll as pm
from plimsoll.analytics.series.as_of import history_known_at, moment_of_text
from plimsoll.analytics.series.history import load_history
from plimsoll.cli import run
from plimsoll.constants import DAY_SEC
from plimsoll.errors import InputError

#: First second of the market's day; the close of that day is not known yet.
TODAY = TS - TS % DAY_SEC


def write_history(folder, before, after, *, loud=1.0):
    """Write ``before`` days known at the market's time and ``after`` later ones, whose moves are ``loud`` times."""
    close = walk(before, 0.03, k=2)
    later = close[-1] * np.exp(np.cumsum(loud * np.random.default_rng(9).normal(0.0, 0.03, (after, 2)), axis=0))
    close = np.vstack((close, later))
    stamps = TODAY + DAY_SEC * np.arange(-before, after)
    lines = ["ts,asset,close"]
    for j, asset in enumerate(("ETH", "BTC")):
        lines += [f"{ts},{asset},{price}" for ts, price in zip(stamps, close[:, j], strict=True)]
    (folder / "H.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture
def files(tmp_path):
    write_desk(tmp_path, {"underlying": "BTC", "kind": "perp", "quantity": -0.2, "entry": 65_000.0})
    write_history(tmp_path, 400, 0)
    return tmp_path


def history(files):
    return ["--history", str(files / "H.csv")]


#: Every command that reads a history, with what it needs beside files.
COMMANDS = {
    "risk var": ["risk", "var"],
    "risk contrib": ["risk", "contrib"],
    "report": ["report", "desk"],
    "optimise risk": ["optimise", "risk"],
    "stress": ["stress", "--correlations"],
    "stress replay": ["stress", "--replay"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_later_prices_change_no_figure_and_the_document_says_how_many_were_left_out(files, capsys, name):
    arguments = [*COMMANDS[name], *account(files), *history(files), "--json"]
    before = printed(capsys, arguments)
    write_history(files, 400, 50, loud=5.0)
    after = printed(capsys, arguments)
    assert before["history"]["leftOut"] == 0
    assert after["history"]["leftOut"] == 50
    assert after["history"] == before["history"] | {"leftOut": 50}
    assert after["history"]["asOf"] == after["history"]["market"] == "2026-02-05T21:29Z"
    assert after["history"]["last"] == "2026-02-05T00:00Z"
    said = json.dumps(after).replace("; 50 later left out", "").replace('"leftOut": 50', '"leftOut": 0')
    assert said == json.dumps(before)


def test_a_later_moment_is_look_ahead_that_was_asked_for(files, capsys):
    write_history(files, 400, 50, loud=5.0)
    arguments = ["risk", "var", *account(files), *history(files), "--json"]
    known = printed(capsys, arguments)["methods"]
    assert run([*arguments, "--as-of", "2026-03-20"]) == 0
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    assert document["methods"]["filtered"]["var"] > 1.5 * known["filtered"]["var"]
    assert document["history"]["last"] == "2026-03-20T00:00Z"
    assert any("look-ahead" in warning for warning in document["history"]["warnings"])
    assert "warning: look-ahead: prices up to 2026-03-20T00:00Z are used" in shown.err


def test_an_old_history_is_warned_of_after_a_week(files, capsys):
    arguments = ["risk", "var", *account(files), *history(files)]
    assert run([*arguments, "--as-of", "2026-02-05T21:29Z"]) == 0
    assert capsys.readouterr().err == ""
    write_history(files, 400, 0)
    lines = (files / "H.csv").read_text().splitlines()
    stale = [line for line in lines if not line[:1].isdigit() or int(line.split(",")[0]) < TODAY - 8 * DAY_SEC]
    (files / "H.csv").write_text("\n".join(stale) + "\n")
    assert run(arguments) == 0
    shown = capsys.readouterr()
    assert "the last price is 9 days older than 2026-02-05T21:29Z: the history is stale" in shown.err
    assert "2026-01-28T00:00Z, as of 2026-02-05T21:29Z" in " ".join(shown.out.split())


def test_a_history_that_begins_later_is_refused(files, capsys):
    arguments = ["risk", "var", *account(files), *history(files), "--as-of", "2024-06-01"]
    assert "0 price(s) were known as of 2024-06-01T00:00Z, 2 are needed" in fails(capsys, arguments)


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "", "12", "99999999999999"])
def test_a_bad_moment_is_one_line(files, capsys, text):
    for command in (["risk", "var"], ["report", "x"], ["optimise", "risk"], ["stress", "--correlations"]):
        line = fails(capsys, [*command, *account(files), *history(files), "--as-of", text])
        assert line.startswith("error: --as-of: ")
    for command in (["backtest"], ["calibrate"]):
        assert fails(capsys, [*command, *history(files), "--as-of", text]).startswith("error: --as-of: ")


def test_commands_without_a_market_use_all_unless_told(files, capsys):
    arguments = [*history(files), "--coverage", "0.99", "--json"]
    for command in (["backtest"], ["calibrate"], ["optimise", "frontier", "--asset", "ETH", "--asset", "BTC"]):
        own = [a for a in arguments if command[0] != "optimise" or a not in ("--coverage", "0.99")]
        whole = printed(capsys, [*command, *own])["history"]
        assert (whole["rows"], whole["asOf"], whole["leftOut"]) == (400, None, 0)
        cut = printed(capsys, [*command, *own, "--as-of", "2026-01-06"])["history"]
        assert (cut["rows"], cut["asOf"], cut["leftOut"]) == (370, "2026-01-06T00:00Z", 30)


def test_moments_are_read_in_utc_and_with_zones():
    assert moment_of_text("2026-02-05T21:29Z") == moment_of_text("2026-02-05T22:29+01:00") == TS
    assert moment_of_text("2026-02-05T21:29") == TS
    assert moment_of_text("2026-02-05") == TODAY
    assert moment_of_text(str(TS)) == TS


def test_the_close_of_a_step_is_known_when_the_step_ends(files):
    loaded = load_history(files / "H.csv", ["ETH"])
    end = int(loaded.ts[-1]) + DAY_SEC
    assert history_known_at(loaded, end)[1].rows == 400
    assert history_known_at(loaded, end - 1)[1].rows == 399


def test_python_and_command_give_the_same_figure(files, capsys):
    write_history(files, 400, 50, loud=5.0)
    market, book = pm.load_market(files / "M.json"), pm.load_portfolio(files / "P.json")
    prices = pm.load_history(files / "H.csv")
    document = printed(capsys, ["risk", "var", *account(files), *history(files), "--json"])["methods"]
    assert pm.var(market, book, prices).var == pytest.approx(document["historical"]["var"], rel=1e-12)
    ahead = pm.var(market, book, prices, as_of="2026-03-20")
    assert "look-ahead" in str(ahead)
    assert ahead.var > pm.var(market, book, prices).var
    with pytest.raises(InputError, match="as_of: 'soon' is no time"):
        pm.var(market, book, prices, as_of="soon")
