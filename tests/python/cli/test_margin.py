"""``plimsoll margin`` from the outside: exit codes, one line of error, the document."""

import contextlib
import io
import json
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from helpers.examples import MARKET, PARAMS, PORTFOLIO, changed
from hypothesis import given, settings
from hypothesis import strategies as st

import plimsoll
from plimsoll.cli import run
from plimsoll.cli.margin import largest_difference

UNDERLYING_KEYS = {
    "scan", "certifiedScan", "basis", "vegaTerm", "skewTerm", "shortMin", "concentration", "requirement", "cutoff",
    "worstRow", "rows", "greeks",
}  # fmt: skip
ACCOUNT_KEYS = {
    "schema", "engine", "state", "equity", "marketEquity", "markToMarket", "initialMargin", "maintenanceMargin",
    "debtCharge", "excessInitial", "excessMaintenance", "guaranteed", "underlyings",
}  # fmt: skip


def call(*arguments):
    """Exit code, stdout, stderr of one command line, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([str(a) for a in arguments])
    return code, out.getvalue(), err.getvalue()


def margin(market, portfolio, params=None, *options):
    with TemporaryDirectory() as folder:
        arguments = ["margin"]
        for name, document in (("market", market), ("portfolio", portfolio), ("params", params)):
            if document is None:
                continue
            path = Path(folder, f"{name}.json")
            path.write_text(document if isinstance(document, str) else json.dumps(document))
            arguments += [f"--{name}", path]
        return call(*arguments, *options)


def test_margin__json__is_exactly_the_document():
    code, out, err = margin(MARKET, PORTFOLIO, None, "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert set(document) == ACCOUNT_KEYS
    assert (document["schema"], document["engine"]) == ("plimsoll.margin/1", "float")
    assert set(document["underlyings"]) == {"ETH", "BTC"}
    for part in document["underlyings"].values():
        assert set(part) == UNDERLYING_KEYS
        assert set(part["greeks"]) == {"delta", "gamma", "vega", "theta"}
        assert len(part["rows"]) == 35
        assert set(part["rows"][0]) == {"price", "vol", "skew", "weight", "pnl"}
    btc = document["underlyings"]["BTC"]
    assert all(btc[key] == 0 for key in UNDERLYING_KEYS - {"rows", "greeks"})
    assert document["excessInitial"] == document["equity"] - document["initialMargin"]


def test_margin__book_of_the_file__gives_its_rows_in_order():
    rows = json.loads(margin(MARKET, PORTFOLIO, PARAMS, "--json")[1])["underlyings"]["ETH"]["rows"]
    assert [round(row["price"] / 0.2, 9) for row in rows[:15:3]] == [-1.0, -0.5, 0.0, 0.5, 1.0]
    assert [row["vol"] for row in rows[:3]] == ["up", "flat", "down"]
    assert [round(row["price"] / 0.2, 9) for row in rows[15:23:2]] == [-3.0, -2.0, 2.0, 3.0]
    assert [round(row["weight"], 9) for row in rows[15:23:2]] == [0.333333333, 0.5, 0.5, 0.333333333]
    assert [(row["vol"], row["skew"], row["weight"]) for row in rows[23:]] == [
        ("up", 0.25, 0.0), ("up", -0.25, 0.0), ("flat", 0.25, 0.0), ("flat", -0.25, 0.0)
    ]  # fmt: skip


def test_margin__hedge_that_expires_today__names_its_cutoff_and_the_debt_its_charge():
    near = MARKET["timestamp"] + 3_600
    market = changed(MARKET, ("underlyings", "ETH", "expiries", 0, "expiry"), near)
    folio = {"schema": "plimsoll.portfolio/1", "mode": "SINGLE", "cash": -1_000.0, "positions": [
        {"underlying": "ETH", "kind": "future", "expiry": near, "quantity": 5.0, "entry": 1_900.0},
        {"underlying": "ETH", "kind": "perp", "quantity": -5.0, "entry": 1_900.0},
    ]}  # fmt: skip
    document = json.loads(margin(market, folio, None, "--json")[1])
    part = document["underlyings"]["ETH"]
    assert part["cutoff"] == near
    assert part["requirement"] > 0.28 * 9_500.0 > part["certifiedScan"]
    assert document["debtCharge"] == 3.0
    assert document["initialMargin"] == part["requirement"] + 3.0
    assert "as if expired" in margin(market, folio)[1]


def test_margin__tables__name_every_component():
    code, out, _ = margin(MARKET, PORTFOLIO)
    assert code == 0
    for word in (
        "equity",
        "certified scan",
        "concentration",
        "worst of the scan",
        "skew -0.25",
        "weight 0.33",
        "skew term",
        "debt charge",
        "theta",
    ):
        assert word in out


@pytest.mark.parametrize(
    ("arguments", "start"),
    [
        (["margin"], "error: plimsoll margin: Missing option '--market'"),
        (["margin", "--nonsense"], "error: plimsoll margin: No such option: --nonsense"),
        ([], "error: plimsoll: Missing command"),
        (["nonsense"], "error: plimsoll: No such command 'nonsense'"),
        (["margin", "--engine", "abacus"], "error: plimsoll margin: Invalid value for '--engine': "),
        (["margin", "--market", "no.json", "--portfolio", "no.json"], "error: no.json: cannot be read"),
        (["margin", "--market"], "error: plimsoll: Option '--market' requires an argument"),
    ],
    ids=["missing", "option", "nothing", "command", "value", "file", "argument"],
)
def test_run__bad_command_line__one_line_and_exit_2(arguments, start):
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(start)
    assert err.count("\n") == 1


def test_margin__too_large_for_a_float__is_bad_input():
    folio = changed(PORTFOLIO, ("positions", 0, "quantity"), 1e15)
    # Each number is inside its own range; their product is not a float.
    market = changed(MARKET, ("underlyings", "ETH", "expiries", 0, "rate"), -9)
    market = changed(market, ("underlyings", "ETH", "expiries", 0, "expiry"), MARKET["timestamp"] + 315_000_000)
    market = changed(market, ("underlyings", "ETH", "expiries", 0, "forward"), 1e12)
    for position in folio["positions"]:
        if "expiry" in position:
            position["expiry"] = MARKET["timestamp"] + 315_000_000
    params = {"basisRate": 1.0, "N0": 1e-6, "concRate": 10}
    code, out, err = margin(market, folio, params, "--json")
    assert code in (0, 2)
    assert (out == "") == (code == 2)
    assert sum(line.startswith("error: ") for line in err.splitlines()) == (1 if code else 0)
    assert all(line.startswith(("error: ", "warning: ")) for line in err.splitlines())


def test_help__answers_without_the_heavy_imports():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "from plimsoll.cli import run; raise SystemExit(run(['--help']))"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    for heavy in ("numpy", "scipy", "numba", "web3", "plotly", "pyarrow"):
        assert f"| {heavy}\n" not in done.stderr


def test_largest_difference__sees_nested_numbers_but_not_the_row_number():
    left = {"equity": 1.0, "underlyings": {"ETH": {"worstRow": 3, "rows": [{"pnl": 5.0}]}}}
    right = {"equity": 1.5, "underlyings": {"ETH": {"worstRow": 9, "rows": [{"pnl": 3.0}]}}}
    assert largest_difference(left, right) == 2.0


JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**80), 2**80), st.floats(allow_nan=True), st.text(max_size=5),
    st.sampled_from([[], {}, 0, -1, 1e-300, 1e300, 1e12, "ETH", "call", "perp", 1770968000, [1], {"ETH": 1}]),
)  # fmt: skip


def places(node, path=()):
    """Every path inside a document."""
    found = [path] if path else []
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        found += places(child, (*path, key))
    return found


@st.composite
def broken(draw, document):
    """The document after one to three changes: replace, remove, rename, repeat, cut the text."""
    copy = deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        spots = places(copy)
        if not spots:
            break
        path = draw(st.sampled_from(spots))
        parent = copy
        for key in path[:-1]:
            parent = parent[key]
        how = draw(st.sampled_from(["replace", "replace", "remove", "extra", "repeat"]))
        if how == "replace":
            parent[path[-1]] = draw(JUNK)
        elif how == "remove":
            del parent[path[-1]]
        elif isinstance(parent, list):
            parent.append(deepcopy(parent[path[-1]]) if how == "repeat" else draw(JUNK))
        else:
            parent[draw(st.text(max_size=4))] = draw(JUNK)
    text = json.dumps(copy)
    return text[: draw(st.integers(0, len(text)))] if draw(st.integers(0, 9)) == 0 else text


@settings(max_examples=400)
@given(st.data())
def test_margin__damaged_files__never_a_traceback(data):
    which = data.draw(st.integers(0, 2))
    documents = [MARKET, PORTFOLIO, PARAMS]
    documents[which] = data.draw(broken(documents[which]))
    code, out, err = margin(*documents, "--json")
    assert code in (0, 2)
    if code == 0:
        assert err == ""
        assert set(json.loads(out)) == ACCOUNT_KEYS
    else:
        assert out == ""
        assert err.startswith("error: ")
        assert err.count("\n") == 1


def test_version__is_the_installed_one(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"plimsoll {plimsoll.__version__}\n"


def test_margin__standard__shows_what_positions_need_alone():
    """Not what they need together, which the account is not asked for."""
    alone = {**PORTFOLIO, "mode": "STANDARD"}
    document = json.loads(margin(MARKET, alone, None, "--json")[1])
    _, out, _ = margin(MARKET, alone)
    assert "scan (grid)" not in out
    (row,) = (line for line in out.splitlines() if "requirement, each position alone" in line)
    needed = sum(float(cell.replace(",", "")) for cell in row.split("│")[2:-1])
    assert needed == pytest.approx(document["initialMargin"], abs=0.02)
    assert "mode STANDARD" in out


def test_margin__standard__tells_of_a_trade_what_changes_in_its_own_requirement():
    """A long put needs nothing alone, whatever it would offset."""
    alone = {**PORTFOLIO, "mode": "STANDARD"}
    code, out, _ = margin(MARKET, alone, None, "--with", "sell 2 ETH-PERP")
    assert code == 0
    rows = {line.split("  ")[0].strip(): line.split() for line in out.splitlines()}
    assert rows["requirement, each position alone"][-1] == rows["initial margin"][-1] != "+0.00"
    assert "certified scan" not in out


def test_margin__the_worst_row_of_the_scan_has_a_sign():
    document = json.loads(margin(MARKET, PORTFOLIO, None, "--json")[1])
    _, out, _ = margin(MARKET, PORTFOLIO)
    part = document["underlyings"]["ETH"]
    assert f"* {part['rows'][part['worstRow']]['pnl']:,.2f}" in out
