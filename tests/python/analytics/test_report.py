"""Pages: self-contained, escaped, with the same figures as JSON beside them; nothing is written on bad input."""

import json
import math
import re
from html import unescape

import pytest
from helpers.desk import account, fails, numbers, write_desk

from plimsoll.analytics.report.documents import PAGES, document_page
from plimsoll.analytics.report.drawing.colours import COLOURS
from plimsoll.analytics.report.drawing.texts import figure_text
from plimsoll.analytics.report.figures import bars_figure
from plimsoll.analytics.report.page import Section, Table, Tile, money, page_of, write_pair
from plimsoll.analytics.report.smile import smile_of, smile_page
from plimsoll.analytics.stress.surface import HOURS, PRICES, VOLS
from plimsoll.cli import run
from plimsoll.errors import InputError
from plimsoll.market.chain_file import load_chain


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Market, portfolio in two underlyings, a synthetic history of 600 days."""
    monkeypatch.delenv("PLIMSOLL_MARKET_DATA", raising=False)
    return write_desk(tmp_path, {"underlying": "BTC", "kind": "perp", "quantity": -0.2, "entry": 65_000.0})


#: A page is sent as a letter is: no larger than this, bytes.
LARGEST_PAGE = 500_000


def self_contained(path):
    """The page is small, runs nothing and loads nothing; no figure of its document is infinite or none."""
    html = path.read_text()
    assert len(html.encode()) < LARGEST_PAGE
    assert "<script" not in html
    assert "content=\"default-src 'none'; style-src 'unsafe-inline'\"" in html
    assert not re.search(r"(src|href)\s*=|url\(|@import", html)
    assert not re.search(r"\b(nan|inf)\b|NaN|Infinity", html)
    document = json.loads(path.with_suffix(".json").read_text())
    assert all(math.isfinite(n) for n in numbers(document))
    return html, document


def said(html):
    """What the marks of the pictures say to whoever hovers over them."""
    return [unescape(text) for text in re.findall(r"<title>([^<]*)</title>", html)]


def cells(html):
    """Texts of all table cells, tiles and pictures."""
    return {unescape(text) for text in re.findall(r"<(?:td|b|text)[^>]*>([^<]*)</", html)}


def test_report_from_files(files, capsys):
    out = files / "r.html"
    arguments = ["report", "a <b> & c", *account(files), "--history", str(files / "H.csv"), "--out", str(out)]
    assert run(arguments) == 0
    html, document = self_contained(out)
    assert "a &lt;b&gt; &amp; c" in html
    assert "a <b>" not in html
    assert "The account is healthy: equity" in html
    assert "The smallest joint move that liquidates it: " in html
    assert "Market equity needed initially: " in html
    assert "price range 0.285, vol up 0.5" in html
    assert document["params"]["underlyings"]["ETH"]["price_range"] == 0.285
    for title in (
        "In short",
        "Positions and greeks",
        "Risk parameters",
        "Scenario rows",
        "Stress",
        "Margin models side by side",
        "correlations break",
    ):
        assert title in html
    assert document["schema"] == "plimsoll.report/1"
    assert set(document["risk"]["methods"]) == {"historical", "filtered", "garch", "parametric", "monte-carlo"}
    total = sum(leg["delta"] for leg in document["positions"])
    greeks = [u["greeks"]["delta"] for u in document["margin"]["underlyings"].values()]
    assert total == pytest.approx(sum(greeks))
    capsys.readouterr()


def test_pages_show_the_numbers_of_their_documents(files, capsys, monkeypatch):
    monkeypatch.chdir(files)
    history = ["--history", "H.csv"]
    assert run(["report", "x", *account(files), *history, "--out", "r.html"]) == 0
    html, document = self_contained(files / "r.html")
    hovered, shown = said(html), cells(html)
    margin = document["margin"]
    assert {money(margin[key]) for key in ("equity", "initialMargin", "maintenanceMargin")} <= shown
    for underlying in margin["underlyings"].values():
        for row in underlying["rows"]:
            assert f"{row['pnl']:,.0f}" in shown
            assert any(text.endswith(f", vol {row['vol']}: {figure_text(row['pnl'])}") for text in hovered)
    for point in document["surface"]:
        assert f"price {point['price']:+.0%}, vol {point['vol']:+.0%}: {point['distance']:,.0f}" in hovered
    for found in document["crashes"]:
        assert f"{found['name']}: {figure_text(found['pnl'])}" in hovered
        assert money(found["equity"]) in shown
    for name, method in document["risk"]["methods"].items():
        assert {money(method["var"]), money(method["es"])} <= shown
        assert any(text.startswith(f"VaR, {name}: {figure_text(method['var'])}") for text in hovered)
    for model in document["models"]:
        assert f"initial, {model['model']}: {figure_text(model['initialRequirement'])}" in hovered
    capsys.readouterr()


def test_report_without_history_says_so(files, capsys, monkeypatch):
    monkeypatch.setattr("plimsoll.cli.report.find_data", lambda: None)
    assert run(["report", "x", *account(files), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["risk"] is None
    assert any("no price history" in note for note in document["notes"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--market", "M.json"], "files come in pairs"),
        ([], "needs --rpc and --deployment"),
        (["--rpc", "http://127.0.0.1:1", "--deployment", "nope.json"], "'x' is no account id"),
        (["--market", "M.json", "--portfolio", "P.json", "--rpc", "http://127.0.0.1:1"], "not from both"),
        (["--market", "M.json", "--portfolio", "P.json", "--out", "r.pdf"], "does not end in .html"),
        (["--market", "M.json", "--portfolio", "P.json", "--level", "1"], "--level: 1 is outside"),
        (["--params", "R.json"], "has its own parameters"),
    ],
)
def test_bad_input_of_report_is_one_line(files, capsys, monkeypatch, arguments, message):
    monkeypatch.setattr("plimsoll.cli.report.find_data", lambda: None)
    monkeypatch.chdir(files)
    before = sorted(p.name for p in files.iterdir())
    assert run(["report", "x", *arguments]) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.err.count("\n") == 1
    assert sorted(p.name for p in files.iterdir()) == before


@pytest.mark.parametrize(
    "command",
    [
        ["compare"],
        ["risk", "contrib", "--history", "H.csv"],
        ["stress", "--reverse", "--surface", "--correlations", "--replay", "--history", "H.csv"],
        ["cascade", "--underlying", "ETH"],
        ["optimise", "release"],
    ],
)
def test_other_commands_write_page_and_document(files, capsys, monkeypatch, command):
    monkeypatch.chdir(files)
    assert run([*command, *account(files), "--html", "o.html", "--json"]) == 0
    _, document = self_contained(files / "o.html")
    assert document == json.loads(capsys.readouterr().out)
    assert document["schema"] in PAGES


def test_backtest_and_calibration_write_pages(files, capsys, monkeypatch):
    monkeypatch.chdir(files)
    for command in ("backtest", "calibrate"):
        assert run([command, "--coverage", "0.99", "--history", "H.csv", "--html", f"{command}.html"]) == 0
        self_contained(files / f"{command}.html")
    capsys.readouterr()


def test_backtest_page_names_every_failure_and_every_day(files, capsys, monkeypatch):
    monkeypatch.chdir(files)
    monkeypatch.setenv("COLUMNS", "80")
    (files / "R.json").write_text(json.dumps({"schema": "plimsoll.params/1", "priceRange": {"ETH": 0.05, "BTC": 0.3}}))
    assert run(["backtest", "--coverage", "0.99", "--history", "H.csv", "--params", "R.json", "--html", "b.html"]) == 0
    html, document = self_contained(files / "b.html")
    for asset, found in document["assets"].items():
        for name, test in found["limits"].items():
            said = re.search(rf"{asset} {name.replace('Worst', ', worst').replace('Close', ', close')}: [^<]*", html)
            assert said is not None
            assert ("FAILS" in said[0]) == (not test["passes"])
            assert f"exceeded on {test['count']} of {test['observations']}" in said[0]
            for day in test["exceedances"]:
                assert day["date"] in html
    assert html.index("FAILS") < html.index("passes.")
    # ETH is given a range that cannot hold, BTC one that does.
    assert not document["assets"]["ETH"]["limits"]["initialWorst"]["passes"]
    assert document["assets"]["BTC"]["limits"]["initialWorst"]["passes"]
    shown = capsys.readouterr().out
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "…" not in shown


@pytest.mark.parametrize(
    "command",
    [
        ["risk", "contrib", "--history", "H.csv"],
        ["stress", "--replay", "--correlations", "--history", "H.csv"],
        ["compare"],
        ["optimise", "release"],
    ],
)
def test_tables_fit_into_eighty_columns(files, capsys, monkeypatch, command):
    monkeypatch.chdir(files)
    monkeypatch.setenv("COLUMNS", "80")
    assert run([*command, *account(files)]) == 0
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert max(len(line) for line in shown.splitlines()) <= 80


def test_surface_has_a_line_for_every_time_and_volatility_at_eighty_columns(files, capsys, monkeypatch):
    monkeypatch.chdir(files)
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["stress", "--surface", *account(files)]) == 0
    lines = capsys.readouterr().out.splitlines()
    surface = lines[-len(HOURS) * len(VOLS) :]
    assert [line.split()[0] for line in surface] == [f"{hours:.0f}h" for hours in HOURS for _ in VOLS]
    assert {len(line.split()) for line in surface} == {2 + len(PRICES)}


def test_bars_show_in_red_what_hurts():
    red, blue = COLOURS[4], COLOURS[0]
    assert bars_figure(["a", "b", "c"], [-1.0, 1.0, 0.0], "P&L").data[0].marker.color == (red, blue, blue)
    assert bars_figure(["a", "b", "c"], [-1.0, 1.0, 0.0], "loss", losses=True).data[0].marker.color == (blue, red, blue)


def test_a_page_that_cannot_be_written_stops_before_orders_are(files, capsys, monkeypatch):
    monkeypatch.chdir(files)
    for name in ("o.htm", "missing/o.html"):
        assert run(["optimise", "release", *account(files), "--orders", "O.json", "--html", name]) == 2
        assert "--html: " in capsys.readouterr().err
        assert not (files / "O.json").exists()


def test_a_page_never_overwrites_another_file_of_the_command(files, capsys, monkeypatch):
    monkeypatch.chdir(files)
    arguments = ["calibrate", "--history", "H.csv", "--html", "c.html"]
    assert "is also what --html writes" in fails(capsys, [*arguments, "--out", "c.json"])
    arguments = ["optimise", "release", *account(files), "--html", "c.html"]
    assert "is also what --html writes" in fails(capsys, [*arguments, "--orders", str(files / "c.json")])
    assert not list(files.glob("c.*"))


@pytest.mark.parametrize("folder", ["o.html", "o.json"])
def test_a_folder_in_the_place_of_a_file_writes_nothing(files, capsys, folder):
    (files / folder).mkdir()
    before = sorted(files.iterdir())
    assert "is a folder" in fails(capsys, ["compare", *account(files), "--html", str(files / "o.html")])
    assert "is a folder" in fails(capsys, ["report", "x", *account(files), "--out", str(files / "o.html")])
    assert sorted(files.iterdir()) == before


def test_a_figure_that_is_not_finite_writes_nothing(tmp_path):
    with pytest.raises(InputError, match="not a finite number"):
        write_pair(tmp_path / "x.html", "<p>", {"a": float("nan")})
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="no page for"):
        document_page({"schema": "other"})


def test_text_is_escaped_everywhere():
    evil = "<script>alert(1)</script>"
    table = Table((evil,), ((evil,),))
    html = page_of(evil, evil, [Tile(evil, evil)], [evil], [Section(evil, evil, tables=(table,), notes=(evil,))])
    assert "<script>" not in html
    assert money(-0.001) == "0.00"


def test_smile_of_a_real_chain(real_prices, tmp_path, capsys):
    chain = real_prices.parent / "deribit_snapshot_2026-01-14T1534Z_peak.csv.gz"
    smile = smile_of(load_chain(chain)[0])
    for one in smile.slices:
        assert (one.strike[1:] > one.strike[:-1]).all()
        assert abs(one.error).max() < 0.2
    assert smile.slices[0].to_json()["calendarMin"] is None
    # Total variance that falls is named.
    falling = [one.to_json()["calendarFree"] for one in smile.slices]
    assert falling[0] is True
    assert "Volatility surface" in smile_page([smile])
    assert run(["market", "smile", str(chain), "--html", str(tmp_path / "s.html"), "--json"]) == 0
    _, document = self_contained(tmp_path / "s.html")
    assert document == json.loads(capsys.readouterr().out)
    assert run(["market", "smile", str(chain), "--html", str(tmp_path / "s.txt")]) == 2
    assert "does not end in .html" in capsys.readouterr().err
