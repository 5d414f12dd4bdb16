"""``plimsoll import``: recorded accounts of four venues, one command each, margined under every model."""

from __future__ import annotations

import csv
import json

import pytest
from helpers import venue_forms as forms
from helpers.venue_files import RECORDED, VENUES, account_files, venue_files

from plimsoll.analytics.models.compare import MODELS
from plimsoll.cli import run
from plimsoll.files.market import load_market
from plimsoll.files.portfolio import load_portfolio
from plimsoll.model import Kind

MARCH = 1_774_598_400
#: What each venue says that the account is worth: equity times price, from the recorded answers.
WORTH = {
    "deribit": 0.83125 * 60_000 + 9.41 * 2_000 + 2_610.5,
    "okx": 12_520.2 + 10_448.094 + 9_124.57472 + 1_000,
    "bybit": 17_716.52817 + 2_151.14 + 10_058,
    "derive": 12_500.25 + 5_500 - 20.35 + 671.94 - 104.08,
}


@pytest.fixture
def bring(tmp_path, capsys):
    """Run one import into two files; returns exit code, output, error."""

    def command(venue, *arguments, files=None):
        found = venue_files(venue, tmp_path) if files is None else files
        targets = ["--portfolio", str(tmp_path / "P.json"), "--market", str(tmp_path / "M.json")]
        code = run(["import", venue, *map(str, found), *targets, *arguments])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return command


@pytest.mark.parametrize("venue", VENUES)
def test_import__a_recorded_account__is_worth_what_the_venue_says_and_margined_by_every_model(
    bring, tmp_path, capsys, venue
):
    code, out, err = bring(venue)
    assert (code, err) == (0, "")
    assert max(map(len, out.replace(str(tmp_path), ".").splitlines())) <= 80
    book = ["--market", str(tmp_path / "M.json"), "--portfolio", str(tmp_path / "P.json")]
    assert run(["compare", *book, "--json"]) == 0
    lines = json.loads(capsys.readouterr().out)["models"]
    assert {line["model"] for line in lines} >= set(MODELS)
    assert all(line["initialRequirement"] > 0.0 for line in lines)
    assert lines[0]["marketEquity"] == pytest.approx(WORTH[venue], rel=2e-4)
    assert run(["margin", *book, "--json"]) == 0


def test_import__deribit__has_every_leg_exactly(bring, tmp_path):
    assert bring("deribit")[0] == 0
    market = load_market(tmp_path / "M.json")
    found = {p.identity: p for p in load_portfolio(tmp_path / "P.json", market).positions}
    legs = {(p.underlying, p.kind, p.price if p.kind.is_option else 0.0): p for p in found.values()}
    assert legs["ETH", Kind.PERP, 0.0].quantity == -540 / 2_093.33
    assert legs["ETH", Kind.PERP, 0.0].price == 2_093.33
    assert legs["BTC", Kind.FUTURE, 0.0].quantity == 12_000 / 58_750.5
    assert legs["XRP", Kind.CALL, 0.65].quantity == -1_000.0
    assert legs["SOL", Kind.CALL, 150.0].quantity == 40.0
    assert {p.expiry_ts for p in found.values()} == {0, MARCH}
    assert len(found) == 6
    assert market.ts == forms.TS
    assert set(market.rounds) == {"BTC", "ETH", "SOL", "XRP"}
    assert market.rounds["SOL"].perp == pytest.approx(120.0 * 1.0005)
    assert {"WBTC", "WETH", "WSOL", "WXRP", "USDC"} == set(market.tokens)


def test_import__a_fitted_market__gives_back_the_volatilities_of_the_chain(bring, tmp_path):
    from plimsoll.mirror.svi import total_variance

    for venue in VENUES:
        assert bring(venue, "--force")[0] == 0
        market = load_market(tmp_path / "M.json")
        for name, round_ in market.rounds.items():
            assert {s.expiry_ts for s in round_.surfaces} == set(forms.EXPIRIES)
            for surface in round_.surfaces:
                for one in (o for o in forms.board(name) if o.expiry_ts == surface.expiry_ts):
                    years = (one.expiry_ts - forms.TS) / forms.YEAR_SEC
                    import math

                    variance = float(total_variance(surface.svi, math.log(float(one.strike) / surface.forward)))
                    assert math.sqrt(variance / years) == pytest.approx(one.vol, abs=0.004)
                assert surface.forward == pytest.approx(forms.forward_of(name, surface.expiry_ts), rel=1e-9)


@pytest.mark.parametrize(
    ("venue", "says"),
    [
        ("deribit", ("times read as microseconds since 1970, UTC", "volatilities of the chain in per cent")),
        (
            "okx",
            ("times read as milliseconds since 1970, UTC", "USDT taken at par", "volatilities of the chain in dec"),
        ),
        ("bybit", ("times read as milliseconds since 1970, UTC", "premiums paid in USD: divided by the forward")),
        ("derive", ("equity of USDC: its balance and what the venue values the positions at",)),
    ],
)
def test_import__says_how_it_read__and_that_expiries_are_at_eight(bring, venue, says):
    _, out, _ = bring(venue)
    flat = " ".join(out.split())
    for sentence in (*says, "expiries are the days of the names, each at 08:00 UTC, the venue's rule"):
        assert sentence in flat


def test_import__an_export_with_semicolons_and_decimal_commas__is_the_same_book(bring, tmp_path):
    assert bring("deribit")[0] == 0
    answers = load_portfolio(tmp_path / "P.json")
    files = [f for f in venue_files("deribit", tmp_path) if f.name != "deribit_positions.json"]
    code, out, err = bring("deribit", "--force", files=[RECORDED / "deribit_positions.csv", *files])
    assert (code, err) == (0, "")
    assert load_portfolio(tmp_path / "P.json") == answers
    assert "fields parted by semicolons, decimal comma, as in " in " ".join(out.split())


@pytest.mark.parametrize("venue", ["okx", "bybit", "derive"])
def test_import__exports_of_the_answers__are_the_same_book(bring, tmp_path, venue):
    """The same records as comma-separated text, whatever the venue calls its columns."""
    assert bring(venue)[0] == 0
    answers = load_portfolio(tmp_path / "P.json")
    exports = []
    for path in account_files(venue):
        for number, records in enumerate(_lists(json.loads(path.read_text()))):
            target = tmp_path / f"{path.stem}_{number}.csv"
            with target.open("w", encoding="utf-8-sig", newline="") as stream:
                writer = csv.DictWriter(stream, sorted({key for record in records for key in record}))
                writer.writeheader()
                writer.writerows(records)
            exports.append(target)
    chains = [f for f in venue_files(venue, tmp_path) if f not in account_files(venue)]
    assert bring(venue, "--force", files=[*exports, *chains])[0] == 0
    assert load_portfolio(tmp_path / "P.json") == answers


def _lists(answer):
    """Records of a recorded answer, with the category that a row of an export names itself."""
    if "data" in answer:
        return [answer["data"][0].get("details", answer["data"])]
    result = answer["result"]
    if "list" in result:
        rows = result["list"]
        return [rows[0]["coin"]] if "coin" in rows[0] else [[r | {"category": result["category"]} for r in rows]]
    return [result["positions"], result["collaterals"]]


def test_import__chains_of_a_collector__are_a_market_of_the_last_ticks(tmp_path, capsys):
    path, out = tmp_path / "chain.csv", tmp_path / "M.json"
    path.write_text(forms.tardis_csv(("BTC", "XRP"), ticks=3), encoding="utf-8")
    assert run(["import", "tardis", str(path), "--market", str(out)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "timestamp read as microseconds since 1970, UTC" in shown
    assert "index of XRP is not among the prices: its forwards carried back, 0.62" in shown
    market = load_market(out)
    assert market.ts == forms.TS
    assert market.rounds["BTC"].spot == pytest.approx(60_000.0, rel=1e-6)
    assert market.rounds["XRP"].spot == pytest.approx(0.62, rel=1e-6)
    earlier = tmp_path / "E.json"
    arguments = ["--market", str(earlier), "--at", "2026-02-05T21:29:36Z", "--price", "BTC=59990"]
    assert run(["import", "tardis", str(path), *arguments]) == 0
    assert load_market(earlier).ts == forms.TS - 1
    assert load_market(earlier).rounds["BTC"].spot == pytest.approx(59_990.0)


def test_import__odd_rows_of_a_chain__are_left_out_counted_and_named(bring, tmp_path):
    files = venue_files("bybit", tmp_path)
    path = tmp_path / "bybit_chain_ETH.json"
    answer = json.loads(path.read_text())
    rows = answer["result"]["list"]
    rows[0]["markIv"] = "12.5"
    rows[1]["markPrice"] = None
    rows[1]["markIv"] = None
    rows[2]["symbol"] = "ETH-27FEB26-MOON-C"
    rows[3]["underlyingPrice"] = ""
    rows[4]["markPrice"] = "nan"
    path.write_text(json.dumps(answer), encoding="utf-8")
    code, out, err = bring("bybit", files=files)
    shown = " ".join(out.split())
    assert (code, err) == (0, "")
    assert "warning: 5 rows are wrong and left out" in shown
    assert "mark_iv is 1250 %, outside 0 to 1000 %" in shown
    assert "left out: 2 more" in shown
    code, out, _ = bring("bybit", "--json", "--force", files=files)
    reasons = {item["instrument"]: item["reason"] for item in json.loads(out)["leftOut"]}
    assert len(reasons) == 5
    assert reasons["ETH-27FEB26-1500-P-USDT"] == "has neither a mark nor a volatility"
    assert reasons["ETH-27FEB26-MOON-C"] == "is no option that is known by its name"


def test_import__more_than_half_of_the_rows_odd__is_refused_with_the_limit(bring, tmp_path):
    files = venue_files("bybit", tmp_path)
    for coin in ("BTC", "ETH"):
        path = tmp_path / f"bybit_chain_{coin}.json"
        answer = json.loads(path.read_text())
        for row in answer["result"]["list"][: 24 if coin == "ETH" else 44]:
            row["markIv"] = "55.0"
        path.write_text(json.dumps(answer), encoding="utf-8")
    code, out, err = bring("bybit", files=files)
    assert (code, out) == (2, "")
    assert (
        "error: bybit: 68 of 92 rows are wrong, more than half; the first: BTC-27FEB26-46000-C-USDT mark_iv is" in err
    )


def test_import__perpetuals_and_coins_alone__need_no_chain(tmp_path, capsys):
    rows = [
        {"instrument_name": "SOL_USDC-PERPETUAL", "direction": "buy", "size": 12.5, "average_price": 118.0}
        | {"mark_price": 120.1, "index_price": 120.0}
    ]
    path = tmp_path / "positions.json"
    path.write_text(json.dumps(forms.deribit_envelope(rows)), encoding="utf-8")
    balances = tmp_path / "balances.csv"
    balances.write_text('Currency,Equity\nUSDC,"1,500.25"\nSOL,3\n', encoding="utf-8")
    targets = ["--portfolio", str(tmp_path / "P.json"), "--market", str(tmp_path / "M.json")]
    assert run(["import", "deribit", str(path), str(balances), *targets]) == 0
    shown = capsys.readouterr().out
    assert "SOL: no option chain, so a market of spot and perpetual alone" in shown
    market = load_market(tmp_path / "M.json")
    found = load_portfolio(tmp_path / "P.json", market)
    assert market.rounds["SOL"].perp == pytest.approx(120.1)
    assert found.cash == pytest.approx(1_500.25 - 12.5 * 2.1)
    assert dict(found.collateral) == {"WSOL": 3.0}
    assert run(["margin", "--market", str(tmp_path / "M.json"), "--portfolio", str(tmp_path / "P.json")]) == 0


def test_import__without_targets__shows_the_book_and_writes_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["import", "deribit", *map(str, account_files("deribit"))]) == 0
    shown = capsys.readouterr().out
    assert "ETH perp" in shown
    assert shown.endswith("nothing is written; --portfolio and --market name files\n")
    assert list(tmp_path.iterdir()) == []


def test_import__a_price_older_than_the_others__is_left_out(tmp_path, capsys):
    """From both sides of the limit: 300 s are taken, 301 s are not."""
    fresh = forms.tardis_csv(("ETH",), ticks=1)
    for age, dropped in ((300, 0), (301, 1)):
        lines = fresh.splitlines()
        us = f"{forms.TS * 10**6 + 413_000}"
        lines[1] = lines[1].replace(us, str(int(us) - age * 10**6))
        path = tmp_path / f"aged_{age}.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        assert run(["import", "tardis", str(path), "--market", str(tmp_path / f"M{age}.json"), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)["leftOut"]
        assert len(found) == dropped
    assert found[0]["reason"] == "is 301 s older than the newest price, the limit is 300"


def test_import__options_paid_in_two_currencies__are_taken_in_the_one_with_more_of_them(bring, tmp_path):
    files = venue_files("bybit", tmp_path)
    assert bring("bybit", files=files)[0] == 0
    alone = load_market(tmp_path / "M.json")
    path = tmp_path / "bybit_chain_ETH.json"
    answer = json.loads(path.read_text())
    rows = answer["result"]["list"]
    rows += [row | {"symbol": row["symbol"].removesuffix("-USDT"), "markIv": "2.0"} for row in rows[:6]]
    path.write_text(json.dumps(answer), encoding="utf-8")
    code, out, err = bring("bybit", "--force", files=files)
    assert (code, err) == (0, "")
    assert "options of ETH paid in USDC: left aside, of those paid in USDT there are more" in " ".join(out.split())
    assert "left out" not in out
    assert load_market(tmp_path / "M.json") == alone


def test_import__prices_of_what_is_not_held__neither_enter_nor_stop_the_market(bring, tmp_path):
    """A venue answers about all that it lists: indices of everything, and boards that nobody quotes."""
    files = venue_files("okx", tmp_path)
    path = tmp_path / "okx_indices.json"
    answer = json.loads(path.read_text())
    answer["data"] += [
        {"instId": f"{name}-USD", "idxPx": "1.0", "ts": str(forms.TS * 1_000)} for name in ("USDT", "DOGE")
    ]
    path.write_text(json.dumps(answer), encoding="utf-8")
    code, out, err = bring("okx", files=files)
    assert (code, err) == (0, "")
    assert set(load_market(tmp_path / "M.json").rounds) == {"BTC", "ETH"}
    assert "USDT" in load_portfolio(tmp_path / "P.json").collateral

    files = venue_files("deribit", tmp_path)
    thin = forms.deribit_books(("SOL",), "option")
    thin["result"] = [
        row | {"instrument_name": row["instrument_name"].replace("SOL_", "AVAX_"), "bid_price": 0, "ask_price": 0}
        for row in thin["result"][:1]
    ]
    (tmp_path / "avax.json").write_text(json.dumps(thin), encoding="utf-8")
    code, out, err = bring("deribit", "--force", files=[*files, tmp_path / "avax.json"])
    assert (code, err) == (0, "")
    assert "warning: AVAX is not held and left out of the market" in " ".join(out.split())
    assert "AVAX" not in load_market(tmp_path / "M.json").rounds


def test_import__positions_without_balances__warns_in_text_and_document(capsys):
    files = [str(RECORDED / "deribit_positions.json"), "--at", str(forms.TS)]
    assert run(["import", "deribit", *files, "--json"]) == 0
    (warning,) = json.loads(capsys.readouterr().out)["warnings"]
    assert "no balances among the files: cash is 0 and there is no collateral" in warning
    assert run(["import", "deribit", *files]) == 0
    assert f"warning: {warning}" in " ".join(capsys.readouterr().out.split())
    assert run(["import", "deribit", *map(str, account_files("deribit")), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["warnings"] == []
