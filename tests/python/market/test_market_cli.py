"""``plimsoll market``: tables, documents, the market file, exit codes."""

from __future__ import annotations

import json

import pytest
from helpers.venue_server import DeribitDouble, serving

from plimsoll.cli import run
from plimsoll.cli.slow import Slow
from plimsoll.files.market import load_market
from plimsoll.market.chain_file import split_table, write_chain
from plimsoll.market.fit.rounds import fit_snapshot


@pytest.fixture
def chain_file(made_up, tmp_path):
    path = tmp_path / "chain.parquet"
    write_chain(made_up.table, path)
    return path


def test_the_written_market_is_the_fitted_round(chain_file, made_up, tmp_path, capsys):
    out = tmp_path / "market.json"
    assert run(["market", "fit", str(chain_file), "--out", str(out)]) == 0
    market = load_market(out)
    last = split_table(made_up.table, "test")[-2:]
    assert market.ts == last[0].ts
    assert dict(market.rounds) == {s.currency: fit_snapshot(s).round for s in last}
    assert set(market.tokens) == {"USDC", "WETH", "WBTC"}
    assert market.price_of("WETH") == market.rounds["ETH"].spot
    assert market.tokens["WETH"].linked == "ETH"
    shown = capsys.readouterr().out
    assert "39 snapshots in the file, the last is taken" in shown
    assert "confidence" in shown


def test_tables_of_a_fit_go_into_a_pipe_within_a_hundred_columns(chain_file, monkeypatch, capsys):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert run(["market", "fit", str(chain_file)]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 100
    assert "…" not in shown
    for heading in ("arbitrage checks", "SVI slices"):
        assert heading in shown


def test_the_market_file_carries_the_given_perpetual(chain_file, tmp_path):
    out = tmp_path / "market.json"
    assert run(["market", "fit", str(chain_file), "--currency", "BTC", "--perp", "67000", "--out", str(out)]) == 0
    market = load_market(out)
    assert market.rounds["BTC"].perp == pytest.approx(67_000.0)
    assert market.rounds["BTC"].perp != market.rounds["BTC"].spot
    assert set(market.tokens) == {"USDC", "WBTC"}


def test_one_snapshot_of_one_underlying_as_json(chain_file, first, capsys):
    for ts in (str(first.ts), "2026-01-30T04:30:00Z", "2026-01-30T04:30:00"):
        assert (
            run(["market", "fit", str(chain_file), "--currency", "ETH", "--ts", ts, "--perp", "2751.5", "--json"]) == 0
        )
        document = json.loads(capsys.readouterr().out)
        assert document["timestamp"] == first.ts
        (part,) = document["underlyings"].values()
        assert part["perp"] == pytest.approx(2_751.5)
        assert part["perpSource"] == "--perp"
        assert part["rows"]["read"] == first.strike.size
        expiry = part["expiries"][4]
        assert 0.0 < expiry["rmsVolPoints"] <= expiry["maxErrorVolPoints"] < 1.0
        assert expiry["shape"] == "five"
        assert set(expiry["svi"]) == {"a", "b", "rho", "m", "sigma"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--ts", "5"], "error: --ts: "),
        (["--ts", "soon"], "is no time: unix seconds"),
        (["--perp", "2700"], "error: --perp: one price needs one underlying"),
        (["--perp", "nan", "--currency", "ETH"], "error: --perp: "),
        (["--perp", "27000", "--currency", "ETH"], "error: perp: premium over spot is"),
        (["--currency", "DOGE"], "DOGE"),
        (["--out", "/nowhere/market.json"], "error: /nowhere/market.json: cannot be written"),
    ],
)
def test_bad_options_exit_2_with_one_line(chain_file, options, says, capsys):
    assert run(["market", "fit", str(chain_file), *options]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert says in captured.err
    assert captured.err.count("\n") == 1


def test_a_bad_file_writes_nothing(tmp_path, capsys):
    bad = tmp_path / "bad.csv"
    bad.write_text("ts,currency\n2026-01-30T04:30:00Z,ETH\n")
    out = tmp_path / "market.json"
    assert run(["market", "fit", str(bad), "--out", str(out)]) == 2
    assert "missing column" in capsys.readouterr().err
    assert not out.exists()


def test_a_feed_out_of_reach_exits_3_and_writes_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("plimsoll.market.venues.deribit.PAUSE_SEC", 0.0)
    monkeypatch.setattr("plimsoll.market.venues.patience.ATTEMPTS", 1)
    out = tmp_path / "chain.parquet"
    assert run(["market", "fetch", "--currency", "BTC", "--out", str(out), "--url", "http://127.0.0.1:9"]) == 3
    assert capsys.readouterr().err.startswith("error: http://127.0.0.1:9: ")
    assert list(tmp_path.iterdir()) == []


def test_fetch_warns_of_rows_that_it_leaves_out(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("plimsoll.market.venues.deribit.PAUSE_SEC", 0.0)
    double = DeribitDouble(1_770_326_977)

    def spoil(currency, rows):
        for row in rows[:5]:
            row["mark_iv"] = 1_200.0

    double.spoil = spoil
    out = tmp_path / "chain.parquet"
    with serving(double) as root:
        assert run(["market", "fetch", "--currency", "ETH", "--out", str(out), "--url", root]) == 0
        shown = capsys.readouterr().out
        assert run(["market", "fetch", "--currency", "ETH", "--out", str(out), "--url", root, "--json"]) == 0
    assert "warning: 5 rows are wrong and left out" in shown
    assert "mark_iv is 1200 %, outside 0 to 1000 %" in shown
    assert "left out: 2 more" in shown
    assert len(json.loads(capsys.readouterr().out)["leftOut"]) == 5


def test_fetch_checks_its_target_before_it_asks(tmp_path, capsys):
    for out, url in (
        (tmp_path / "chain.xlsx", "http://127.0.0.1:9"),
        (tmp_path / "none" / "chain.csv", "http://127.0.0.1:9"),
        (tmp_path / "chain.csv", "ftp://x"),
    ):
        assert run(["market", "fetch", "--currency", "BTC", "--out", str(out), "--url", url]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_errors_of_all_marks_as_json_and_table(chain_file, capsys):
    assert run(["market", "errors", str(chain_file), "--currency", "BTC", "--json"]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    (found,) = document["underlyings"].values()
    assert document["schema"] == "plimsoll.markErrors/1"
    assert found["snapshots"] == 39
    slices = found["slices"]
    assert slices["total"] == sum(slices[shape] for shape in ("five", "level", "three", "flat", "held")) > 400
    for groups in (found["byVega"], found["byPrice"]):
        assert sum(group["instruments"] for group in groups) == found["instruments"]
        # Far wings are counted too: every mark inside its quotes, give or take half a thousandth of a coin and a point.
        assert max(group["outsideQuotes"]["worstCoin"] for group in groups) < 0.002
        assert max(group["coin"]["worst"] for group in groups) == pytest.approx(
            abs(found["worstByPrice"][0]["errorCoin"])
        )
    assert run(["market", "errors", str(chain_file), "--currency", "BTC"]) == 0
    shown = capsys.readouterr().out
    assert "0 not offered" in shown
    assert "worst by price" in shown
    # What a row is of stands before its figures, in eighty columns too.
    rows = [line.split() for line in shown.splitlines()]
    for group in (*found["byVega"], *found["byPrice"]):
        assert [f"{group['from']:g}", str(group["instruments"])] in [row[:2] for row in rows]
    assert max(map(len, shown.splitlines())) <= 80


def test_errors_of_a_currency_that_is_not_there_exit_2(tmp_path, first_table, capsys):
    path = tmp_path / "eth.parquet"
    write_chain(first_table, path)
    assert run(["market", "errors", str(path), "--currency", "BTC"]) == 2
    assert "holds no rows of BTC" in capsys.readouterr().err


def test_progress_is_silent_for_two_seconds(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("plimsoll.cli.slow.time.monotonic", lambda: now[0])
    slow = Slow()
    for second in (1.0, 1.9, 2.0, 3.0, 4.5):
        now[0] = second
        slow.tell(f"at {second:g}")
    assert capsys.readouterr().err == "at 2\nat 4.5\n"
