"""What ``import plimsoll as pm`` offers, and that every example in it is true."""

import doctest
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import plimsoll as pm

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples"
NAMES = [
    *("DomainError", "Explanation", "InputError", "Kind", "Margin", "Market", "Mode", "Params", "PlimsollError"),
    *("Portfolio", "Position", "Round", "Surface", "Svi", "Token", "__version__", "call", "compare", "future"),
    *("load_market", "load_params", "load_portfolio", "margin", "perp", "put", "stress"),
]


def account():
    return pm.load_market(EXAMPLES / "market.json"), pm.load_portfolio(EXAMPLES / "portfolio.json")


def test_exports__are_the_documented_list():
    assert pm.__all__ == NAMES == sorted(NAMES)
    assert dir(pm) == NAMES
    assert all(getattr(pm, name) is not None for name in NAMES)


def test_exports__an_unknown_name__is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'marign'"):
        _ = pm.marign


def test_import__loads_nothing_heavy():
    code = "import sys, plimsoll; print(sorted({'numpy', 'numba', 'scipy', 'web3'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("module", ["legs", "margin"])
def test_examples_in_docstrings__hold(module, monkeypatch):
    monkeypatch.chdir(ROOT)
    failed, tried = doctest.testmod(importlib.import_module(f"plimsoll.front.{module}"))
    assert failed == 0
    assert tried > 0


def test_margin__printed__is_five_lines_with_the_figures_of_the_engine():
    market, book = account()
    found = pm.margin(market, book)
    lines = str(found).splitlines()
    assert len(lines) == 5
    assert f"{found.result.equity:,.2f}" in lines[0]
    assert found.state in lines[0]
    assert f"{found.result.initial_margin:,.2f}" in lines[1]
    assert f"{found.result.maintenance_margin:,.2f}" in lines[3]
    assert all(len(line) <= 80 for line in lines)


def test_margin__of_an_account_below_zero__says_that_all_is_in_use():
    market, _ = account()
    found = pm.margin(market, pm.Portfolio(pm.Mode.SINGLE, -1.0))
    assert found.state == "insolvent"
    assert "inf% of equity" not in str(found)


@pytest.mark.parametrize("kind", ["text", "path", "mapping"])
def test_load__a_file_by_name_by_path_or_its_content__is_the_same(kind):
    files = [EXAMPLES / "market.json", EXAMPLES / "portfolio.json"]
    sources = {"text": map(str, files), "path": files, "mapping": (json.loads(f.read_text()) for f in files)}[kind]
    market, book = sources
    assert (pm.load_market(market), pm.load_portfolio(book)) == account()


def test_load__a_mapping_with_an_unknown_key__is_refused_like_a_file():
    document = json.loads((EXAMPLES / "portfolio.json").read_text()) | {"cahs": 1}
    with pytest.raises(pm.InputError, match="document: unknown key 'cahs'"):
        pm.load_portfolio(document)


def test_margin__what_the_market_does_not_have__is_refused():
    market, book = account()
    with pytest.raises(pm.DomainError, match="'DOGE' is not an underlying of the market"):
        pm.margin(market, book.with_(pm.perp("DOGE", 0.1, -1_000)))
    with pytest.raises(pm.DomainError, match="1774684800"):
        pm.margin(market, book.with_(pm.call("ETH", "28MAR26", 2_000, -1)))


def test_to_frame__has_a_row_per_underlying_and_the_engine_s_components():
    found = pm.margin(*account())
    frame = found.to_frame()
    assert list(frame.index) == ["ETH", "BTC"]
    assert frame.loc["ETH", "certified_scan"] == found.result.underlyings["ETH"].certified_scan
    assert frame.loc["BTC", "delta"] == found.result.underlyings["BTC"].delta
