"""The commands from the outside: documents without NaN, one line of error, exit code 2."""

import json

import pytest
from helpers.desk import account, fails, history_lines, printed, write_desk
from helpers.examples import PORTFOLIO

from plimsoll.cli import run
from plimsoll.files.params import load_params


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Market, portfolio and a synthetic history of 600 days."""
    monkeypatch.delenv("PLIMSOLL_MARKET_DATA", raising=False)
    return write_desk(tmp_path)


def test_risk_contrib_adds_up_in_the_document(files, capsys):
    report = printed(capsys, ["risk", "contrib", *account(files), "--history", str(files / "H.csv"), "--json"])
    assert set(report["methods"]) == {"historical", "filtered", "garch", "parametric", "monte-carlo"}
    for found in report["methods"].values():
        assert sum(p["componentVar"] for p in found["positions"]) == pytest.approx(found["var"], abs=1e-9, rel=1e-9)
        assert sum(p["componentEs"] for p in found["positions"]) == pytest.approx(found["es"], abs=1e-9, rel=1e-9)


def test_risk_var_is_the_same_twice(files, capsys):
    arguments = ["risk", "var", *account(files), "--history", str(files / "H.csv"), "--json"]
    assert printed(capsys, arguments) == printed(capsys, arguments)


def test_stress_backtest_and_calibrate_give_documents(files, capsys):
    history = ["--history", str(files / "H.csv")]
    user = {"schema": "plimsoll.scenarios/1", "scenarios": [{"name": "drop", "moves": {"ETH": {"price": -0.3}}}]}
    (files / "S.json").write_text(json.dumps(user))
    arguments = ["stress", *account(files), "--scenarios", str(files / "S.json"), "--replay", *history]
    stressed = printed(capsys, [*arguments, "--json"])
    assert stressed["scenarios"][0]["name"] == "drop"
    assert "2020-03-12" in stressed["notInHistory"]
    history += ["--coverage", "0.99"]
    back = printed(capsys, ["backtest", *history, "--json"])
    assert set(back["assets"]) == {"ETH", "BTC"}
    proposed = printed(capsys, ["calibrate", *history, "--out", str(files / "R.json"), "--json"])
    params = load_params(files / "R.json")
    assert params.for_underlying("ETH").price_range == proposed["params"]["priceRange"]["ETH"]
    assert run(["backtest", *history, "--params", str(files / "R.json")]) == 0


def test_calibration_for_maintenance_is_wider(files, capsys):
    arguments = ["calibrate", "--history", str(files / "H.csv"), "--json"]
    first = printed(capsys, arguments)["params"]["priceRange"]["ETH"]
    assert printed(capsys, [*arguments, "--cover", "maintenance"])["params"]["priceRange"]["ETH"] > first


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--level", "1"], "--level: 1 is outside"),
        (["--level", "0.999", "--method", "historical"], "too little history"),
        (["--level", "nan"], "--level: nan is outside"),
        (["--horizon", "0"], "--horizon: 0 is outside"),
        (["--method", "magic"], "'magic' is not one of"),
        (["--paths", "1000"], "no power of two"),
        (["--days", "20"], "too little history"),
        (["--degrees", "2"], "--degrees: 2 is outside"),
        (["--horizon", "365", "--method", "historical"], "too little history"),
    ],
)
def test_bad_options_of_risk_are_one_line(files, capsys, extra, message):
    arguments = ["risk", "var", *account(files), "--history", str(files / "H.csv"), *extra]
    assert message in fails(capsys, arguments)


@pytest.mark.parametrize(("extra", "missing"), [(["--days", "200"], {"garch"}), (["--horizon", "100"], {"historical"})])
def test_a_method_that_cannot_run_is_named_and_the_others_go_on(files, capsys, extra, missing):
    arguments = ["risk", "var", *account(files), "--history", str(files / "H.csv"), "--json", *extra]
    assert run(arguments) == 4
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    assert set(document["failed"]) == missing
    assert set(document["methods"]) == {"historical", "filtered", "garch", "parametric", "monte-carlo"} - missing
    for name in missing:
        assert "too little history" in document["failed"][name]
        assert f"{name} is missing" in shown.err


def test_a_page_says_which_method_is_missing_and_which_prices_it_rests_on(files, capsys):
    page = files / "o.html"
    history = ["--history", str(files / "H.csv"), "--days", "200"]
    assert run(["risk", "var", *account(files), *history, "--html", str(page)]) == 4
    text = page.read_text()
    assert "garch is missing" in text
    assert "Prices behind the figures" in text
    assert "H.csv" in text
    capsys.readouterr()


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


HEADER, ROW = 1, 51


def _constant(lines):
    return [lines[0], *(line if "BTC" in line else line.rsplit(",", 1)[0] + ",2000" for line in lines[1:])]


def _with_price(text):
    def change(lines):
        return [*lines[:ROW], lines[ROW].rsplit(",", 1)[0] + "," + text, *lines[ROW + 1 :]]

    return change


#: What is wrong with a price file, how it comes about, and what the error says.
BAD_HISTORY = {
    "short": (lambda lines: [lines[0], *lines[1:31], *lines[601:631]], "too little history"),
    "gap": (lambda lines: lines[:ROW] + lines[ROW + 3 :], "ETH: 3 step(s) missing, the first is 2022-02-20"),
    "unsorted": (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "ETH: line 3 (2022-01-01T00:00Z) is before"),
    "doubled": (lambda lines: [*lines[:ROW], lines[ROW], *lines[ROW:]], "ETH: line 53 repeats the time 2022-02-20"),
    "constant": (_constant, "ETH: the price is constant at 2000 in all 600 rows"),
    "text": (_with_price("abc"), "line 52: close 'abc' is text where a number belongs"),
    "infinite": (_with_price("inf"), "ETH: close of line 52 (2022-02-20T00:00Z) is no positive number"),
    "negative": (_with_price("-5"), "ETH: close of line 52 (2022-02-20T00:00Z) is no positive number"),
    "absent": (_with_price(""), "ETH: close of line 52 (2022-02-20T00:00Z) is no positive number"),
    "empty": (lambda lines: [], "holds no rows"),
    "header": (lambda lines: lines[:HEADER], "holds no rows"),
}


@pytest.mark.parametrize("kind", BAD_HISTORY)
def test_bad_history_is_one_line_in_every_command_and_writes_nothing(files, capsys, kind):
    change, message = BAD_HISTORY[kind]
    write_desk(files, {"underlying": "BTC", "kind": "perp", "quantity": -0.2, "entry": 65_000.0})
    path = files / "bad.csv"
    path.write_text("".join(line + "\n" for line in change(history_lines())))
    history = ["--history", str(path)]
    page = ["--html", str(files / "o.html")]
    before = sorted(files.iterdir())
    commands = [
        ["risk", "var", *account(files), *history, *page],
        ["risk", "contrib", *account(files), *history, *page],
        ["report", "x", *account(files), *history, "--out", str(files / "o.html")],
        ["optimise", "risk", *account(files), *history, "--orders", str(files / "O.json"), *page],
        ["optimise", "frontier", "--asset", "ETH", "--asset", "BTC", *history],
        ["backtest", *history, *page],
        ["calibrate", *history, "--out", str(files / "R.json"), *page],
        ["stress", *account(files), "--correlations", *history, *page],
    ]
    for arguments in commands:
        assert message in fails(capsys, arguments), arguments
    assert sorted(files.iterdir()) == before


def test_an_impossible_correlation_matrix_is_repaired_with_a_warning(files, capsys):
    # Two prices can be no further apart than -1; with three of them at -0.9 to each other no matrix is left.
    market = json.loads((files / "M.json").read_text())
    market["underlyings"]["SOL"] = {**market["underlyings"]["BTC"], "spot": 150.0, "perp": 150.0}
    (files / "M.json").write_text(json.dumps(market))
    folio = json.loads((files / "P.json").read_text())
    folio["positions"] += [{"underlying": u, "kind": "perp", "quantity": 1.0, "entry": 100.0} for u in ("BTC", "SOL")]
    (files / "P.json").write_text(json.dumps(folio))
    lines = history_lines()
    lines += [line.replace("BTC", "SOL") for line in lines if "BTC" in line]
    (files / "H.csv").write_text("\n".join(lines) + "\n")
    arguments = ["risk", "var", *account(files), "--history", str(files / "H.csv"), "--method", "monte-carlo"]
    found = printed(capsys, [*arguments, "--correlation", "-0.9", "--json"])
    (said,) = (w for w in found["methods"]["monte-carlo"]["warnings"] if "correlation" in w)
    assert "positive semi-definite" in said
    assert "0.4" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["backtest", "--since", "2030-01-01"],
            "fewer than two rows in the time asked for; the history goes",
        ),
        (["backtest", "--coverage", "1"], "--coverage: 1 is outside"),
        (["backtest", "--horizon", "0"], "--horizon: 0 is outside"),
        (["backtest", "--asset", "DOGE"], "holds no rows of 'DOGE', only BTC, ETH"),
        (["calibrate", "--floor", "inf"], "--floor: inf is outside"),
        (["calibrate", "--out", "/nonexistent/R.json"], "cannot be written"),
        (["optimise", "frontier", "--asset", "ETH"], "--asset: 1 asset, a frontier needs at least 2"),
    ],
)
def test_bad_options_of_history_commands_are_one_line(files, capsys, arguments, message):
    assert message in fails(capsys, [*arguments, "--history", str(files / "H.csv")])


def test_an_expired_option_is_named(files, capsys):
    folio = json.loads((files / "P.json").read_text())
    folio["positions"][0]["expiry"] = 1_700_000_000
    (files / "P.json").write_text(json.dumps(folio))
    for command in (["risk", "var", "--history", str(files / "H.csv")], ["stress"], ["compare"], ["report", "x"]):
        assert "positions[0].expiry: 1700000000 is before" in fails(capsys, [*command, *account(files)])


def test_a_full_book_of_128_legs_goes_through(files, capsys):
    folio = json.loads((files / "P.json").read_text())
    option = folio["positions"][0]
    folio["positions"] = [
        {**option, "strike": 1_000.0 + 10.0 * i, "right": ("call", "put")[i % 2], "quantity": (-1.0) ** (i // 2)}
        for i in range(128)
    ]
    (files / "P.json").write_text(json.dumps(folio))
    history = ["--history", str(files / "H.csv")]
    risk = printed(capsys, ["risk", "contrib", *account(files), *history, "--method", "filtered", "--json"])
    found = risk["methods"]["filtered"]
    assert len([p for p in found["positions"] if "collateral" not in p["position"]]) == 128
    assert sum(p["componentEs"] for p in found["positions"]) == pytest.approx(found["es"], rel=1e-9)
    printed(capsys, ["compare", *account(files), "--json"])
    folio["positions"].append(option)
    (files / "P.json").write_text(json.dumps(folio))
    assert "129" in fails(capsys, ["compare", *account(files)])


def test_a_scenario_that_cannot_be_is_named_and_the_rest_is_printed(files, capsys):
    moves = {"near": {"ETH": {"price": -0.1}}, "far": {"ETH": {"rate": 0.5}}}
    scenarios = [{"name": name, "moves": moved} for name, moved in moves.items()]
    (files / "S.json").write_text(json.dumps({"schema": "plimsoll.scenarios/1", "scenarios": scenarios}))
    market = json.loads((files / "M.json").read_text())
    market["underlyings"]["ETH"]["expiries"][0]["rate"] = 8.9
    (files / "M.json").write_text(json.dumps(market))
    assert run(["stress", *account(files), "--scenarios", str(files / "S.json"), "--json"]) == 4
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    assert [found["name"] for found in document["scenarios"]] == ["near"]
    assert document["failed"] == {"far": "ETH, expiry 2026-02-13 07:33Z: rate is 9.4, outside [-9, 9]"}
    assert "'far' is missing (ETH, expiry 2026-02-13 07:33Z: rate is 9.4" in shown.err


def test_underlyings_that_move_alike_are_named_together(files, capsys):
    assert run(["stress", *account(files), "--standard"]) == 0
    assert "ETH BTC -50.0%" in " ".join(capsys.readouterr().out.split())


def test_trades_that_leave_a_worse_state_say_so(files, capsys):
    folio = json.loads((files / "P.json").read_text())
    folio |= {"cash": 4_000.0, "collateral": [], "positions": [{**folio["positions"][1], "quantity": 1.0}]}
    (files / "P.json").write_text(json.dumps(folio))
    command = ["optimise", "hedge", *account(files), "--underlying", "ETH", "--delta", "30"]
    document = printed(capsys, [*command, "--json"])
    assert document["before"]["state"] == "healthy"
    said = f"the trades leave the account {document['after']['state']}; it is healthy now"
    assert document["notes"][-1] == said
    assert run(command) == 0
    out = capsys.readouterr().out
    assert said in out
    assert "equity less initial margin falls by " in out
    assert not [note for note in printed(capsys, [*command[:-1], "0.5", "--json"])["notes"] if "leave" in note]


def test_an_account_that_is_liquidatable_is_so_now(files, capsys):
    folio = json.loads((files / "P.json").read_text()) | {"cash": -40_000.0}
    (files / "P.json").write_text(json.dumps(folio))
    assert run(["explain", "liquidation", *account(files)]) == 0
    out = capsys.readouterr().out
    assert "+0.0%" not in out
    assert " now " in out.split("─")[-1]


def test_published_examples_take_no_files(files, capsys):
    assert "--market: goes without --examples" in fails(capsys, ["compare", "--examples", *account(files)])


def test_what_a_goal_out_of_reach_can_reach_does_not_depend_on_how_far_it_is(files, capsys):
    """A penalty below the solver's tolerance was no reason to trade, so that nothing was said to be in reach."""
    command = ["optimise", "hedge", *account(files), "--underlying", "ETH", "--delta"]
    far, further = (fails(capsys, [*command, asked]) for asked in ("1e5", "1e9"))
    reached = [float(error.partition("can only reach ")[2].partition(" ")[0]) for error in (far, further)]
    assert reached[0] > 1_000.0
    assert reached[1] == pytest.approx(reached[0], rel=1e-3)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["risk", "var", "--method", "guess"], "--method: 'guess' is not one of all"),
        (["risk", "backtest", "--method", "guess"], "--method: 'guess' is not one of all"),
        (["optimise", "risk", "--objective", "luck"], "--objective: 'luck' is not one of cvar, variance"),
    ],
)
def test_options_are_checked_before_prices_are_read(files, capsys, command, said):
    assert said in fails(capsys, [*command, *account(files), "--history", "nothing.csv"])


def test_a_threshold_that_is_reached_has_no_size(files, capsys):
    folio = json.loads((files / "P.json").read_text()) | {"cash": -40_000.0}
    (files / "P.json").write_text(json.dumps(folio))
    assert run(["stress", "--reverse", *account(files)]) == 0
    out = capsys.readouterr().out
    assert "reached already, without any move" in out
    assert " 0.000 ranges" not in out
