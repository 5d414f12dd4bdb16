"""Every input that an import refuses: one line, exit code 2, nothing written."""

from __future__ import annotations

import json

import pytest
from helpers import venue_forms as forms
from helpers.venue_files import RECORDED, venue_files
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plimsoll.cli import run
from plimsoll.market.chain_file import SCHEMA

PERP = {
    "instrument_name": "ETH-PERPETUAL",
    "direction": "buy",
    "size": 100.0,
    "average_price": 2_000.0,
    "mark_price": 2_001.0,
}
LINEAR = {"symbol": "ETHUSDT", "side": "Buy", "size": "1", "avgPrice": "2000", "markPrice": "2001"}


@pytest.fixture
def refused(tmp_path, capsys):
    """Import files of these names and contents; one error line that says so, and no file more."""

    def command(venue, contents, says, *arguments):
        paths = []
        for name, content in contents.items():
            path = tmp_path / name
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
            paths.append(str(path))
        before = sorted(tmp_path.iterdir())
        targets = ["--portfolio", str(tmp_path / "P.json")]
        assert run(["import", venue, *paths, *targets, *arguments]) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.startswith("error: ")
        assert shown.err.count("\n") == 1
        assert says in shown.err
        assert sorted(tmp_path.iterdir()) == before

    return command


@pytest.mark.parametrize(
    ("venue", "content", "says"),
    [
        ("deribit", "{", "is not valid JSON"),
        ("deribit", b"\xff\xfe\x00", "is not UTF-8 text"),
        ("deribit", '{"a": NaN}', "holds NaN, which is no number"),
        ("deribit", '{"result": [], "result": []}', "appears twice in one object"),
        ("deribit", {"error": {"code": 13_004, "message": "invalid_credentials"}}, "is an error of the venue"),
        ("deribit", {"result": 5}, "result: expected a list of objects"),
        ("deribit", [{"moon": 1}], "is none of positions, balances"),
        ("deribit", {"result": {"index_price": 2_000.0}, "usOut": 5}, "is no time"),
        ("deribit", {"result": {"index_price": 2_000.0}}, "an index price does not name its index"),
        ("deribit", [PERP | {"instrument_name": "ETH_USDC"}], "row 1: 'ETH_USDC' is no future, perpetual or option"),
        ("deribit", [PERP | {"size": -5.0}], "row 1: the size -5 is negative and the side buy"),
        ("deribit", [PERP | {"direction": "up"}], "row 1 side: 'up' is not one of"),
        ("deribit", [PERP | {"size": "many"}], "row 1 size: 'many' is no number"),
        ("deribit", [PERP | {"size": None}], "row 1: has no size"),
        ("deribit", [PERP | {"average_price": None}], "ETH-PERPETUAL: has no mean price paid"),
        ("deribit", [{"currency": "BTC", "equity": "x"}], "row 1 equity: 'x' is no number"),
        ("deribit", [{"currency": "BTC", "equity": 1}, {"currency": "BTC", "equity": 1}], "two balances of BTC"),
        ("deribit", [{"currency": "USDT", "equity": 1}], "its price is not known; say it with --price USDT=PRICE"),
        ("deribit", [], "no positions and no balances among the files"),
        ("okx", {"code": "50111", "msg": "Invalid OK-ACCESS-KEY", "data": []}, "50111 Invalid OK-ACCESS-KEY"),
        ("okx", {"code": "0", "data": [{"instId": "BTC-USD-SWAP", "pos": "1", "posSide": "net", "avgPx": "60000"}]},
         "BTC-USD-SWAP: the size of a contract is not known; add the venue's list of instruments"),
        ("okx", {"code": "0", "data": [{"details": []}, {"details": []}]}, "holds several accounts"),
        ("bybit", {"retCode": 10_003, "retMsg": "API key is invalid.", "result": {}}, "10003 API key is invalid."),
        ("bybit", [LINEAR], "row 1: 'ETHUSDT' is no future, perpetual or option of bybit"),
        ("derive", {"result": {"tickers": []}}, "tickers: expected an object of objects"),
        ("derive", "[1, 2]", "result: expected a list of objects"),
        ("tardis", [], "tardis.dev delivers option chains as .csv"),
    ],
)  # fmt: skip
def test_answers__that_cannot_be_read__are_refused(refused, venue, content, says):
    refused(venue, {"answer.json": content}, says)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Instrument;Size;Average Price;Mark Price;Direction\nETH-PERPETUAL;1.234;1.999;2.000;buy\n",
         "'1.234' is a whole number or has three decimals; say which with --decimal point or --decimal comma"),
        ("Instrument;Size;Average Price;Direction\nETH-PERPETUAL;1,5;1999.5;buy\n", "a table has one of them"),
        ("Instrument,Size,Average Price,Direction\nETH-PERPETUAL,100 USD,2000,buy\n",
         "column Size row 1: '100 USD' is no number with a decimal point"),
        ("Instrument,Size,Average Price,Time\nETH-PERPETUAL,100,2000,2026-02-05 21:29:00\n",
         "names no time zone; say which with --timezone"),
        ("Instrument,Size,Average Price,Time\nETH-PERPETUAL,100,2000,05/02/2026\n", "day and month may be either"),
        ("Instrument,Size\nETH-PERPETUAL,100\n", "is none of positions, balances"),
    ],
)  # fmt: skip
def test_exports__that_leave_something_open__are_refused(refused, text, says):
    refused("deribit", {"positions.csv": text}, says)


def test_exports__once_the_user_says_it__are_read(tmp_path, capsys):
    path = tmp_path / "positions.csv"
    path.write_text(
        "Instrument;Size;Average Price;Mark Price;Direction;Time\n"
        "ETH-PERPETUAL;1.234;1.999;2.000;buy;2026-02-05 22:29:37\n",
        encoding="utf-8",
    )
    arguments = ["--decimal", "comma", "--timezone", "Europe/Berlin", "--portfolio", str(tmp_path / "P.json")]
    assert run(["import", "deribit", str(path), *arguments]) == 0
    assert "Time read as times without a zone, taken as Europe/Berlin (--timezone)" in " ".join(
        capsys.readouterr().out.split()
    )
    found = json.loads((tmp_path / "P.json").read_text())
    assert found["positions"] == [{"underlying": "ETH", "kind": "perp", "quantity": 1_234 / 1_999, "entry": 1_999.0}]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["deribit"], "give files, or --live"),
        (["deribit", "x.json", "--live"], "give files, or --live"),
        (["moon", "x.json"], "'moon' is not one of"),
        (["deribit", "x.json"], "x.json: cannot be read"),
        (["deribit", "x.csv"], "x.csv: no such file"),
        (["deribit", "x.json", "--timezone", "Mars"], "--timezone: 'Mars' is no time zone"),
        (["deribit", "x.json", "--price", "ETH"], "--price: 'ETH' is not like ETH=1900"),
        (["deribit", "x.json", "--price", "ETH=-1"], "--price: 'ETH=-1' is not like ETH=1900"),
        (["deribit", "x.json", "--price", "ETH=x"], "--price: ETH: 'x' is no number"),
        (["deribit", "x.json", "--at", "soon"], "--at: 'soon' is no time: unix seconds"),
        (["deribit", "x.json", "--mode", "WILD"], "'WILD' is not one of"),
        (["tardis", "--live"], "there is no account to ask"),
    ],
)
def test_options__that_are_wrong__are_refused(tmp_path, capsys, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    assert run(["import", *arguments, "--portfolio", "P.json"]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert says in shown.err
    assert list(tmp_path.iterdir()) == []


def test_targets__that_are_there_or_cannot_be__are_refused_before_anything_is_read(tmp_path, capsys):
    taken = tmp_path / "P.json"
    taken.write_text("mine", encoding="utf-8")
    for targets, says in (
        (["--portfolio", str(taken)], "is there already; --force replaces it"),
        (["--market", str(tmp_path / "none" / "M.json")], "none does not exist"),
        (
            ["--market", str(tmp_path / "X.json"), "--portfolio", str(tmp_path / "X.json")],
            "is the same file as --market",
        ),
    ):
        assert run(["import", "deribit", "none.json", *targets]) == 2
        shown = capsys.readouterr().err
        assert says in shown
        assert shown.count("\n") == 1
    assert taken.read_text(encoding="utf-8") == "mine"


def test_markets__that_lack_what_is_held__are_refused_and_nothing_is_written(tmp_path, capsys):
    targets = ["--portfolio", str(tmp_path / "P.json"), "--market", str(tmp_path / "M.json")]
    account = [str(RECORDED / "deribit_positions.json"), str(RECORDED / "deribit_summaries.json")]
    assert run(["import", "deribit", *account, *targets]) == 2
    assert "BTC: expiry 1774598400 is held and there is no option chain of BTC" in capsys.readouterr().err
    chains = forms.deribit_books(("BTC", "ETH"), "option")
    chains["result"] = [row for row in chains["result"] if "27MAR26" not in row["instrument_name"]]
    path = tmp_path / "chains.json"
    path.write_text(json.dumps(chains), encoding="utf-8")
    assert run(["import", "deribit", *account, str(path), *targets]) == 2
    assert "BTC: expiry 1774598400 is held and not in the option chain" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["chains.json"]


def test_collected_chains__of_another_exchange_or_without_prices_up_to_a_time__are_refused(tmp_path, capsys):
    path, out = tmp_path / "chain.csv", str(tmp_path / "M.json")
    path.write_text(forms.tardis_csv(("ETH",)), encoding="utf-8")
    assert run(["import", "tardis", str(path), "--market", out, "--at", "2026-01-01T00:00:00Z"]) == 2
    assert "holds no price up to" in capsys.readouterr().err
    path.write_text(forms.tardis_csv(("ETH",)).replace("deribit,", "okex-options,"), encoding="utf-8")
    assert run(["import", "tardis", str(path), "--market", out]) == 2
    assert "row 1: 'okex-options' is not 'deribit', of which alone the unit is settled" in capsys.readouterr().err


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(["deribit", "okx", "bybit", "derive"]), st.data())
def test_answers__spoilt_anywhere__are_read_or_refused_in_one_line(tmp_path_factory, capsys, venue, data):
    """One value of a recorded answer is replaced by anything; never a traceback, never half a file."""
    folder = tmp_path_factory.mktemp("spoilt")
    path = data.draw(st.sampled_from(sorted(RECORDED.glob(f"{venue}_*.json"))))
    document = json.loads(path.read_text(encoding="utf-8"))
    places = list(_places(document))
    holder, key = data.draw(st.sampled_from(places))
    holder[key] = data.draw(JSON)
    (folder / path.name).write_text(json.dumps(document), encoding="utf-8")
    others = [str(f) for f in venue_files(venue, folder) if f.name != path.name]
    targets = ["--portfolio", str(folder / "P.json")]
    code = run(["import", venue, str(folder / path.name), *others, *targets])
    shown = capsys.readouterr()
    assert code in (0, 2)
    if code == 2:
        assert (shown.out, shown.err.count("\n")) == ("", 1)
        assert not (folder / "P.json").exists()


def _places(value):
    """Yield (container, key) of every value of a document."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield value, key
        yield from _places(child)


def test_import__a_chain_file__names_the_command_that_reads_it(tmp_path, capsys):
    path = tmp_path / "chain.csv"
    cells = ["2026-02-05T21:29:37Z" if name in ("ts", "expiry") else "1" for name in SCHEMA.names]
    path.write_text(f"{','.join(SCHEMA.names)}\n{','.join(cells)}\n", encoding="utf-8")
    assert run(["import", "deribit", str(path)]) == 2
    assert "chain.csv: is a file of option chains, no account: 'plimsoll market fit' makes" in capsys.readouterr().err


def test_margin__an_empty_file__is_said_to_be_empty(tmp_path, capsys):
    path = tmp_path / "M.json"
    path.write_text(" \n", encoding="utf-8")
    assert run(["margin", "--market", str(path), "--portfolio", str(path)]) == 2
    assert capsys.readouterr().err == f"error: {path}: is empty\n"


def test_account__of_price_files_alone__is_no_empty_account_but_a_market(tmp_path, capsys):
    """A trader who forgets the positions must not margin an account that holds nothing."""
    files = [str(path) for path in venue_files("bybit", tmp_path) if path.parent == tmp_path]
    market = ["--market", str(tmp_path / "M.json")]
    assert run(["import", "bybit", *files, *market, "--portfolio", str(tmp_path / "P.json")]) == 2
    said = "bybit: no positions and no balances among the files; leave --portfolio out for a market alone"
    assert capsys.readouterr().err == f"error: {said}\n"
    assert not (tmp_path / "M.json").exists()
    assert run(["import", "bybit", *files, *market]) == 0
    assert (tmp_path / "M.json").exists()
