"""Files and paths that a user may well get wrong: one line, exit code 2, nothing on standard output."""

from __future__ import annotations

import json

import pytest

from plimsoll.analytics.models.parameters import as_file, files
from plimsoll.cli import run

MARKET = {
    "schema": "plimsoll.market/1",
    "timestamp": 1_770_326_940,
    "tokens": {"USDC": {"price": 1.0}},
    "underlyings": {"ETH": {"spot": 1900.0, "perp": 1899.5, "confidence": 1.0, "expiries": []}},
}
PERP = {"underlying": "ETH", "kind": "perp", "quantity": 1.5, "entry": 1910.0}
PORTFOLIO = {"schema": "plimsoll.portfolio/1", "mode": "SINGLE", "cash": 25_000.0, "positions": [PERP]}


@pytest.fixture
def book(tmp_path):
    """Options that name a market without expiries and a portfolio of one perpetual."""
    for name, document in (("M", MARKET), ("P", PORTFOLIO)):
        (tmp_path / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    return ["--market", str(tmp_path / "M.json"), "--portfolio", str(tmp_path / "P.json")]


def refused(capsys, arguments, message):
    capsys.readouterr()
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    assert message in shown.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "ts,asset,close\n1700000000000,ETH,1\n1700086400000,ETH,2\n",
            "line 2: time 1700000000000 is in millis",
        ),
        ("date,asset,close,close\n2024-01-01,ETH,1,1\n", "a column appears twice: close"),
        ("date,asset,close\n2024-01-01,ETH,1\n,ETH,2\n", "line 3 has no time"),
        ("ts,asset,close\nnan,ETH,5\n,ETH,5\n", "line 2 has no time"),
        ("date,asset,close\n2024-01-01,ETH,1e300\n2024-01-02,ETH,1\n", "close 1e+300 of line 2 is outside"),
    ],
)
def test_history__wrong_times_columns_and_prices__are_named(book, tmp_path, capsys, text, message):
    path = tmp_path / "history.csv"
    path.write_text(text, encoding="utf-8")
    refused(capsys, ["risk", "var", *book, "--history", str(path)], message)


def test_page__name_too_long_or_no_page__is_refused_before_the_work(book, tmp_path, capsys):
    refused(capsys, ["compare", *book, "--html", str(tmp_path / f"{'a' * 260}.html")], "--html: cannot be written")
    refused(capsys, ["demo", "--rounds", "1", "--report", str(tmp_path)], "does not end in .html")


def test_compare__without_files_or_with_a_move_of_nothing__is_refused(book, tmp_path, capsys):
    refused(capsys, ["compare"], "--market: missing")
    with as_file(files("plimsoll.analytics.models") / "params" / "deribit.json") as shipped:
        document = json.loads(shipped.read_text(encoding="utf-8"))
    document["default"]["extendedMoves"][0] = 0
    (tmp_path / "D.json").write_text(json.dumps(document), encoding="utf-8")
    refused(capsys, ["compare", *book, "--model-params", str(tmp_path / "D.json")], "default.extendedMoves[0]: is 0")


def test_compare__examples_as_json__are_one_document(capsys):
    assert run(["compare", "--examples", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "plimsoll.examples/1"
    assert {"expected", "got", "tolerance"} <= set(found["examples"][0])


def test_release__one_candidate__is_no_more_than_one_trade(book, capsys):
    assert run(["optimise", "release", *book, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["trades"]) <= 1


def test_data_folder__that_is_a_file__is_refused(tmp_path):
    from plimsoll.errors import InputError
    from plimsoll.files.folder import make_folder

    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be written"):
        make_folder(tmp_path / "file", "--data")
    make_folder(tmp_path / "a" / "b", "--data")
    assert (tmp_path / "a" / "b").is_dir()


@pytest.mark.parametrize("group", ["risk", "market", "optimise", "keeper", "account"])
def test_group__without_a_command__is_one_line(capsys, group):
    refused(capsys, [group], "Missing command")


@pytest.mark.parametrize("symbol", ["[/x]", "a b", "", "x" * 32, "\u00c9TH"])
def test_market__symbol_that_cannot_be_shown__is_refused(book, tmp_path, capsys, symbol):
    market = {**MARKET, "underlyings": {symbol: MARKET["underlyings"]["ETH"]}}
    (tmp_path / "M.json").write_text(json.dumps(market), encoding="utf-8")
    refused(capsys, ["margin", *book], "a symbol is 1 to 31 printable ASCII characters")
