"""Every example runs by itself, with and without real prices, and prints what it says."""

import ast
import os
import re
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

import plimsoll as pm
from plimsoll.market.replay.data_folder import DATA_VARIABLE, find_data

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples"
MARKET, BOOK = pm.load_market(EXAMPLES / "market.json"), pm.load_portfolio(EXAMPLES / "portfolio.json")
#: Needs built contracts and a local chain: tests/chain/differential/test_connect.py runs it.
ON_CHAIN = "on_chain"
#: Needs a venue: tests/python/venue/test_venue_client.py runs it.
AT_A_VENUE = "trade_at_a_venue"
SCRIPTS = sorted(path.stem for path in EXAMPLES.glob("*.py") if path.stem not in (ON_CHAIN, AT_A_VENUE))
#: Those that read prices or quotes: made-up ones where there are none.
OF_PRICES = ("crash", "smile", "value_at_risk")
#: Puts the folder of the data out of reach before the script starts.
WITHOUT_DATA = """
import runpy, sys
from pathlib import Path
from plimsoll.market.replay import data_folder
data_folder.DATA_BESIDE = Path("/nowhere")
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run(name, folder, *, synthetic=True):
    """Run an example in a folder outside the repository; return what it prints."""
    environment = {key: value for key, value in os.environ.items() if key != DATA_VARIABLE}
    before = [sys.executable, "-c", WITHOUT_DATA] if synthetic else [sys.executable]
    command = [*before, str(EXAMPLES / f"{name}.py")]
    found = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=120)
    assert found.returncode == 0, found.stderr
    return found.stdout


@cache
def printed(name):
    """Return what an example prints without real prices; several tests look at it."""
    with tempfile.TemporaryDirectory() as folder:
        return run(name, folder)


def number_after(text, words):
    """Return the first number of the line that starts with some words."""
    line = next(line for line in text.splitlines() if line.strip().startswith(words))
    return float(re.search(r"-?[\d,]+\.\d+", line.strip()[len(words) :])[0].replace(",", ""))


@pytest.mark.parametrize("name", [*SCRIPTS, ON_CHAIN, AT_A_VENUE])
def test_examples__are_short_and_begin_with_their_question(name):
    source = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    assert len(source.splitlines()) < 40
    assert "?" in ast.get_docstring(ast.parse(source))


def test_margin__prints_the_margin():
    text = printed("margin")
    assert number_after(text, "initial margin") == round(pm.margin(MARKET, BOOK).initial, 2)
    assert number_after(text, "ten more short calls at 2,200 need") > 0.0


def test_explain__prints_shares_that_add_up():
    terms, legs = printed("explain").split("by term\n")[1].split("\n\n")[0].split("by leg\n")
    for shares in (terms, legs):
        total = sum(float(line.split()[-1].replace(",", "")) for line in shares.splitlines())
        assert total == pytest.approx(pm.margin(MARKET, BOOK).initial, abs=0.05)


def test_add_a_hedge__prints_margins_that_fall():
    rows = [line.split() for line in printed("add_a_hedge").splitlines()[1:]]
    margins = [float(row[2].replace(",", "")) for row in rows]
    assert margins == sorted(margins, reverse=True)
    assert margins[0] == round(pm.margin(MARKET, BOOK).initial, 2)


def test_venues__prints_every_model():
    text = printed("venues")
    for line in pm.compare(MARKET, BOOK).lines:
        assert number_after(text, f"{line.margin.model} ") == round(line.margin.initial, 2)


def test_optimal_hedge__prints_a_neutral_account():
    text = printed("optimal_hedge")
    assert abs(float(re.search(r"delta of ETH .* before, ([+-][\d.]+) after", text)[1])) < 0.01
    assert float(re.search(r"([\d,.]+) set free for a cost", text)[1].replace(",", "")) > 1_000.0


def test_table__prints_what_netting_saves():
    found = re.search(r"alone ([\d,.]+), together ([\d,.]+): netting saves ([\d,.]+)", printed("table"))
    alone, together, saved = (float(number.replace(",", "")) for number in found.groups())
    assert saved == pytest.approx(alone - together, abs=0.02)
    assert saved > 0.0


def test_crash__without_data__says_that_crashes_are_left_out():
    text = printed("crash")
    assert "no market data here: past crashes are left out" in text
    assert number_after(text, "ETH -40 %, BTC -30 %") < -5_000.0
    assert {"L", "X"} <= set(text.split("and no collateral,")[1])


def test_value_at_risk__without_data__is_labelled_synthetic_and_adds_up():
    text = printed("value_at_risk")
    assert text.startswith("prices: synthetic prices, ")
    figures = [float(line.split()[2].replace(",", "")) for line in text.splitlines() if line.startswith("historical ")]
    assert number_after(text, "all legs") == figures[0]


def test_smile__without_data__is_labelled_synthetic():
    text = printed("smile")
    assert text.startswith("fitted to synthetic market\n")
    assert number_after(text, "initial margin") > 1_000.0


@pytest.mark.parametrize("name", OF_PRICES)
def test_of_prices__with_data__names_their_file(name, tmp_path):
    if find_data() is None:
        pytest.skip("no market data on this machine")
    assert re.search(r"(price|deribit)\S+\.(csv\.gz|parquet)", run(name, tmp_path, synthetic=False))


def test_pictures__writes_figures_that_are_small(tmp_path):
    text = run("pictures", tmp_path)
    pages = sorted((tmp_path / "pictures").glob("*.html"))
    assert text == "8 pages in pictures; prices: synthetic prices\n"
    assert len(pages) == 8
    assert all(b"Plotly.newPlot" in page.read_bytes() for page in pages)
    assert max(page.stat().st_size for page in pages) < 200_000


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name != "pictures"])
def test_examples__print_within_80_columns(name):
    assert max(map(len, printed(name).splitlines())) <= 80
