"""The board page: one sheet, the numbers of its document, and where everything comes from."""

import json
import re
import sys
from html import unescape

import pytest
from helpers.desk import account, fails, numbers, write_desk
from helpers.histories import walk

from plimsoll import __version__
from plimsoll.analytics.report.page import money, percent
from plimsoll.analytics.report.pdf import write_pdf
from plimsoll.cli import run
from plimsoll.errors import InputError
from plimsoll.files.market import load_market
from plimsoll.files.params import load_params
from plimsoll.files.portfolio import load_portfolio
from plimsoll.mirror.margin_engine import evaluate

#: A calibration at the coverage of the shipped ranges needs two days beyond them.
DAYS = 900


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A board page of an account in two underlyings, and its document."""
    files = write_desk(
        tmp_path_factory.mktemp("board"), {"underlying": "BTC", "kind": "perp", "quantity": -0.2, "entry": 65_000.0}
    )
    close = walk(DAYS, 0.03, k=2)
    lines = ["ts,asset,close"]
    for j, asset in enumerate(("ETH", "BTC")):
        lines += [f"{1_640_995_200 + 86_400 * i},{asset},{close[i, j]}" for i in range(DAYS)]
    (files / "L.csv").write_text("\n".join(lines) + "\n")
    options = ["--history", str(files / "L.csv"), "--out", str(files / "B.html")]
    assert run(["report", "desk <4>", "--board", *account(files), *options]) == 0
    return files, (files / "B.html").read_text(), json.loads((files / "B.json").read_text())


def test_the_page_shows_the_numbers_of_its_document(made):
    _, html, document = made
    assert document["schema"] == "plimsoll.board/1"
    assert numbers(document)
    shown = [unescape(text) for text in re.findall(r"<(?:td|b)[^>]*>([^<]*)</", html)]
    for side in ("before", "after"):
        margin = document["margin"][side]
        assert {money(margin["initialMargin"]), money(margin["maintenanceMargin"])} <= set(shown)
        for line in document["ranges"]:
            found = line[side]
            row = shown[shown.index(line["underlying"]) :]
            assert percent(found["priceRange"]) in row[:8]
            assert money(found["requirement"]) in row[:8]
            assert f"{found['daysBeyond']}, {'passes' if found['passes'] else 'FAILS'}" in row[:8]
    for name, method in document["risk"]["methods"].items():
        row = shown[shown.index(name) :][:6]
        judged = document["varBacktest"]["methods"][name]
        assert row[1:4] == [money(method["var"]), money(method["es"]), str(judged["count"])]
        assert row[5].startswith("passes" if judged["passes"] else "FAILS")
    losses = [found["pnl"] for found in document["crashes"]]
    assert losses == sorted(losses)
    for found in document["liquidation"]:
        for price in (found["priceAlone"], found["withVol"]):
            if price is not None:
                assert f"{price['price']:,.2f} ({price['move']:+.1%})" in shown


def test_the_account_is_margined_under_both_ranges(made):
    files, _, document = made
    market = load_market(files / "M.json")
    portfolio = load_portfolio(files / "P.json", market)
    for side in ("before", "after"):
        ranges = {line["underlying"]: line[side]["priceRange"] for line in document["ranges"]}
        params = load_params({"schema": "plimsoll.params/1", "priceRange": ranges})
        found = evaluate(market, portfolio, params)
        assert document["margin"][side]["initialMargin"] == pytest.approx(found.initial_margin)
    assert [line["before"]["priceRange"] for line in document["ranges"]] == [0.285, 0.23]


def test_the_page_says_where_it_comes_from(made):
    _, html, document = made
    assert "Board page: desk &lt;4&gt;" in html
    text = unescape(html)
    for words in (
        "mode SINGLE",
        "portfolio P.json",
        "market M.json",
        "prices from L.csv",
        f"by plimsoll {__version__}",
        "parameters in force shipped",
    ):
        assert words in text
    assert document["sources"]["runTimestamp"] > document["timestamp"]


def test_another_parameter_file_takes_the_place_of_the_calibration(made, capsys):
    files, _, first = made
    (files / "R.json").write_text(json.dumps({"schema": "plimsoll.params/1", "priceRange": {"ETH": 0.5}}))
    options = ["--history", str(files / "L.csv"), "--proposed", str(files / "R.json"), "--json"]
    assert run(["report", "x", "--board", *account(files), *options]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [line["after"]["priceRange"] for line in document["ranges"]] == [0.5, 0.23]
    assert document["margin"]["before"] == first["margin"]["before"]
    assert document["margin"]["after"]["initialMargin"] > document["margin"]["before"]["initialMargin"]
    assert document["sources"]["proposed"] == "R.json"


def test_bad_input_is_one_line_and_writes_nothing(made, capsys, monkeypatch):
    files, _, _ = made
    monkeypatch.chdir(files)
    before = sorted(p.name for p in files.iterdir())
    assert "--proposed: belongs to --board" in fails(capsys, ["report", "x", *account(files), "--proposed", "R.json"])
    assert "--pdf: belongs to --board" in fails(capsys, ["report", "x", *account(files), "--pdf"])
    assert "--json writes no file" in fails(capsys, ["report", "x", "--board", *account(files), "--pdf", "--json"])
    assert "too little history" in fails(capsys, ["report", "x", "--board", *account(files), "--history", "H.csv"])
    assert sorted(p.name for p in files.iterdir()) == before


def test_a_pdf_is_one_sheet_of_a4_or_refused_where_it_cannot_be_made(made, tmp_path):
    _, html, _ = made
    try:
        from weasyprint import HTML
    except (ImportError, OSError):
        # Without the extra, or without Pango on this machine.
        with pytest.raises(InputError, match="any browser prints the page"):
            write_pdf(tmp_path / "B.pdf", html)
        assert list(tmp_path.iterdir()) == []
        return
    assert write_pdf(tmp_path / "B.pdf", html).read_bytes().startswith(b"%PDF-")
    pages = HTML(string=html).render().pages
    assert len(pages) == 1
    assert [round(side * 25.4 / 96.0) for side in (pages[0].width, pages[0].height)] == [210, 297]


def test_without_weasyprint_a_pdf_is_refused_before_anything_is_computed(made, capsys, monkeypatch):
    files, _, _ = made
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    options = ["--history", str(files / "L.csv"), "--out", str(files / "N.html"), "--pdf"]
    assert "--pdf: needs WeasyPrint" in fails(capsys, ["report", "x", "--board", *account(files), *options])
    assert not list(files.glob("N.*"))
