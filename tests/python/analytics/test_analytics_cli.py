"""The commands from the outside: documents without NaN, one line of error, exit code 2."""

import json
import math

import pytest
from helpers.examples import MARKET, PORTFOLIO
from helpers.histories import walk

from offchain.cli import run
from offchain.files.params import load_params


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Market, portfolio and a synthetic history of 600 days."""
    monkeypatch.delenv("PLIMSOLL_MARKET_DATA", raising=False)
    close = walk(600, 0.03, k=2)
    stamps = [1_640_995_200 + 86_400 * i for i in range(600)]
    lines = ["ts,asset,close"]
    for j, asset in enumerate(("ETH", "BTC")):
        lines += [f"{ts},{asset},{price}" for ts, price in zip(stamps, close[:, j], strict=True)]
    (tmp_path / "H.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "M.json").write_text(json.dumps(MARKET))
    (tmp_path / "P.json").write_text(json.dumps(PORTFOLIO))
    return tmp_path


def account(files):
    return ["--market", str(files / "M.json"), "--portfolio", str(files / "P.json")]


def numbers(value):
    """Every number of a document."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [n for item in value for n in numbers(item)]
    return [value] if isinstance(value, float | int) else []


def document(capsys, arguments):
    assert run(arguments) == 0
    parsed = json.loads(capsys.readouterr().out)
    assert all(math.isfinite(n) for n in numbers(parsed))
    return parsed


def fails(capsys, arguments):
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    return shown.err


def test_risk_contrib_adds_up_in_the_document(files, capsys):
    report = document(capsys, ["risk", "contrib", *account(files), "--history", str(files / "H.csv"), "--json"])
    assert set(report["methods"]) == {"historical", "filtered", "garch", "parametric", "monte-carlo"}
    for found in report["methods"].values():
        assert sum(p["componentVar"] for p in found["positions"]) == pytest.approx(found["var"], abs=1e-9, rel=1e-9)
        assert sum(p["componentEs"] for p in found["positions"]) == pytest.approx(found["es"], abs=1e-9, rel=1e-9)


def test_risk_var_is_the_same_twice(files, capsys):
    arguments = ["risk", "var", *account(files), "--history", str(files / "H.csv"), "--json"]
    assert document(capsys, arguments) == document(capsys, arguments)


def test_stress_backtest_and_calibrate_give_documents(files, capsys):
    history = ["--history", str(files / "H.csv")]
    user = {"schema": "plimsoll.scenarios/1", "scenarios": [{"name": "drop", "moves": {"ETH": {"price": -0.3}}}]}
    (files / "S.json").write_text(json.dumps(user))
    arguments = ["stress", *account(files), "--scenarios", str(files / "S.json"), "--replay", *history]
    stressed = document(capsys, [*arguments, "--json"])
    assert stressed["scenarios"][0]["name"] == "drop"
    assert "2020-03-12" in stressed["notInHistory"]
    back = document(capsys, ["backtest", *history, "--json"])
    assert set(back["assets"]) == {"ETH", "BTC"}
    proposed = document(capsys, ["calibrate", *history, "--out", str(files / "R.json"), "--json"])
    params = load_params(files / "R.json")
    assert params.for_underlying("ETH").price_range == proposed["params"]["priceRange"]["ETH"]
    assert run(["backtest", *history, "--params", str(files / "R.json")]) == 0


def test_calibration_for_maintenance_is_wider(files, capsys):
    arguments = ["calibrate", "--history", str(files / "H.csv"), "--json"]
    first = document(capsys, arguments)["params"]["priceRange"]["ETH"]
    assert document(capsys, [*arguments, "--cover", "maintenance"])["params"]["priceRange"]["ETH"] > first


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--level", "1"], "--level: 1 is outside"),
        (["--level", "0.999"], "too little history"),
        (["--level", "nan"], "--level: nan is outside"),
        (["--horizon", "0"], "--horizon: 0 is outside"),
        (["--method", "magic"], "'magic' is not one of"),
        (["--paths", "1000"], "no power of two"),
        (["--days", "20"], "too little history"),
        (["--degrees", "2"], "--degrees: 2 is outside"),
        (["--horizon", "365"], "too little history"),
    ],
)
def test_bad_options_of_risk_are_one_line(files, capsys, extra, message):
    arguments = ["risk", "var", *account(files), "--history", str(files / "H.csv"), *extra]
    assert message in fails(capsys, arguments)


def test_bad_files_are_one_line(files, capsys):
    lines = (files / "H.csv").read_text().splitlines()
    (files / "gap.csv").write_text("\n".join(lines[:50] + lines[51:]))
    gap = fails(capsys, ["risk", "var", *account(files), "--history", str(files / "gap.csv")])
    assert "1 step(s) missing" in gap
    (files / "S.json").write_text(
        '{"schema": "plimsoll.scenarios/1", "scenarios": [{"name": "x", "moves": {"Z": {}}}]}'
    )
    assert "'Z' is not an underlying" in fails(
        capsys, ["stress", *account(files), "--scenarios", str(files / "S.json")]
    )
    assert "no day like" in fails(capsys, ["backtest", "--history", str(files / "H.csv"), "--since", "then"])
    assert "too little history" in fails(
        capsys, ["backtest", "--history", str(files / "H.csv"), "--until", "2022-03-01"]
    )
    empty = dict(PORTFOLIO, positions=[], collateral=[])
    (files / "P.json").write_text(json.dumps(empty))
    assert "nothing that a market move" in fails(
        capsys, ["risk", "var", *account(files), "--history", str(files / "H.csv")]
    )
