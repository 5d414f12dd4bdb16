"""What ``import plimsoll as pm`` offers, and that every example in it is true."""

import doctest
import importlib
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import plimsoll as pm

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples"
NAMES = [
    *("Allocate", "Allocation", "Chain", "Collar", "Comparison", "DomainError", "Explanation", "Fit", "Frontier"),
    *("Hedge", "History", "InputError", "Kind", "LessRisk", "LiquidationSurface", "Margin", "Market", "Mode", "Params"),
    *(
        "Plan",
        "PlimsollError",
        "Portfolio",
        "Position",
        "Release",
        "Round",
        "Scenario",
        "Shock",
        "SmileLines",
        "Stress",
    ),
    *("Surface", "Svi", "Token", "TradingCosts", "UnavailableError", "ValueAtRisk", "__version__", "call", "compare"),
    *(
        "connect",
        "fit",
        "frontier",
        "future",
        "leg",
        "liquidation_surface",
        "load_history",
        "load_market",
        "load_params",
    ),
    *("load_portfolio", "margin", "optimise", "past_crashes", "perp", "put", "sample_chain", "sample_history", "smile"),
    *("standard_scenarios", "stress", "var"),
]
FUNCTIONS = [name for name in NAMES if name.islower() and not name.startswith("__")]


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


def test_import__takes_no_time():
    """Of the package itself, beside what Python needs to start: the fastest of a few, since machines are shared."""
    code = (
        "import importlib.metadata, time; start = time.perf_counter(); import plimsoll; "
        "print(time.perf_counter() - start)"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(3)]
    assert min(float(run.stdout) for run in runs) < 0.1


@pytest.mark.parametrize("module", sorted({getattr(pm, name).__module__ for name in FUNCTIONS}))
def test_examples_in_docstrings__hold(module, monkeypatch):
    monkeypatch.chdir(ROOT)
    failed, tried = doctest.testmod(importlib.import_module(module))
    assert failed == 0
    assert tried > 0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions__say_what_they_take_and_return__with_an_example(name):
    function = getattr(pm, name)
    document = inspect.getdoc(function)
    for section in ("Returns", "Examples"):
        assert f"{section}\n{'-' * len(section)}\n" in document
    assert ">>> " in document
    signature = inspect.signature(function)
    assert signature.return_annotation is not inspect.Signature.empty
    for parameter in signature.parameters.values():
        assert parameter.annotation is not inspect.Parameter.empty
        assert re.search(rf"^(\w+, )*{parameter.name}(, \w+)* :", document, re.MULTILINE), parameter.name


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


def test_margin__shown_by_an_interpreter__is_one_short_line():
    found = pm.margin(*account())
    assert repr(found) == "<Margin healthy: equity 26,375.67, initial 8,322.71, maintenance 6,658.17>"


def test_margin__plotted__is_the_rows_of_the_underlying_that_needs_most():
    found = pm.margin(*account())
    figure = found.plot()
    rows = found.result.underlyings["ETH"].rows
    drawn = [cell for line in figure.data[0].z for cell in line if cell is not None]
    assert sorted(drawn) == sorted(row.pnl for row in rows)
    assert f"{min(row.pnl for row in rows):,.2f}" in figure.layout.title.text
    assert figure.layout.title.text.startswith("ETH: worst row")
    assert found.plot("BTC").layout.title.text.startswith("BTC")
    with pytest.raises(pm.InputError, match="underlying: 'DOGE' is not one of ETH, BTC"):
        found.plot("DOGE")


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_to_frame__has_a_row_per_underlying_and_the_engine_s_components(library):
    found = pm.margin(*account())
    frame = found.to_frame(library)
    assert type(frame).__module__.split(".")[0] == library
    assert list(frame["underlying"]) == ["ETH", "BTC"]
    assert frame["certified_scan"][0] == found.result.underlyings["ETH"].certified_scan
    assert frame["delta"][1] == found.result.underlyings["BTC"].delta


def test_to_frame__of_an_unknown_library__is_refused():
    with pytest.raises(pm.InputError, match="library: 'dask' is not one of pandas, polars"):
        pm.margin(*account()).to_frame("dask")
