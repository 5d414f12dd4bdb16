"""The whole demo on real contracts, in the synthetic market and, where recorded data exist, in the real crash."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from rich.console import Console

from plimsoll.cli import run as cli
from plimsoll.constants import AGREEMENT_BOUND
from plimsoll.demo.books import BACKSTOP, BORROWED_CASH, BORROWER, DIP_BUYER, FUND_CASH
from plimsoll.demo.html import write_html
from plimsoll.demo.replay import run_demo
from plimsoll.demo.report import print_opening, print_rest
from plimsoll.demo.sections import sections_of
from plimsoll.market.replay.data_folder import find_data

WIDTH = 100
#: Every field of the fixed interface, with the fields of one entry where it is a list.
FIXED = {
    "schema": str,
    "dataSource": str,
    "rounds": dict,
    "seconds": float,
    "accounts": ["id", "name", "mode", "positions", "state", "start", "end"],
    "liquidations": ["account", "round", "kind", "fraction", "price", "paid"],
    "conservation": bool,
    "insuranceFund": float,
    "socialisedLoss": float,
    "maxMirrorChainDifference": float,
    "gas": ["round", "trade", "startAuction", "bid"],
}
FIGURES = {"equity", "initialMargin", "maintenanceMargin", "standardInitialMargin"}


@pytest.fixture(scope="module", params=["synthetic", "real"])
def run(request):
    """Result of a whole run."""
    if request.param == "real":
        if find_data() is None:
            pytest.skip("no recorded market data here")
        yield run_demo(None, None, lambda *_: None)
        return
    patch = pytest.MonkeyPatch()
    patch.setattr("plimsoll.market.replay.replay.find_data", lambda _=None: None)
    try:
        yield run_demo(None, None, lambda *_: None)
    finally:
        patch.undo()


@pytest.fixture
def shown(run):
    """The same, as one JSON document."""
    return json.loads(json.dumps(run.as_json(), allow_nan=False))


def account_of(shown, name):
    return next(account for account in shown["accounts"] if account["name"] == name)


def test_json__keeps_every_fixed_field(shown):
    for name, kind in FIXED.items():
        if isinstance(kind, type):
            assert isinstance(shown[name], kind), name
        else:
            entries = shown[name] if isinstance(shown[name], list) else [shown[name]]
            assert entries, name
            assert all(set(kind) <= set(entry) for entry in entries), name
    assert all(set(account[when]) == FIGURES for account in shown["accounts"] for when in ("start", "end"))


def test_money_and_margins__agree_with_everything_on(run, shown):
    assert shown["problems"] == []
    assert shown["conservation"]
    assert shown["indexMatchesChain"]
    assert 0.0 < shown["maxMirrorChainDifference"] <= AGREEMENT_BOUND
    assert run.margins_compared > 700


def test_quote__fills_four_legs_and_margins_both_sides_once(shown):
    (quote,) = shown["rfq"]
    assert len(quote["legs"]) == 4
    premium = sum(leg["quantity"] * leg["price"] for leg in quote["legs"])
    taker, maker = quote["takerMargin"], quote["makerMargin"]
    for side in (taker, maker):
        assert side["equityAfter"] >= side["initialMarginAfter"] > 0.0
    # A condor sold at the mark: nothing is won or lost but the fee, and its margin is below that of the naked wings.
    assert premium < 0.0 < quote["fee"]
    assert taker["equityBefore"] - taker["equityAfter"] == pytest.approx(quote["fee"], abs=0.01)
    alone = account_of(shown, "iron condor")["start"]["standardInitialMargin"]
    assert taker["initialMarginAfter"] < 0.2 * alone


def test_borrowing__interest_is_paid_by_one_and_earned_by_the_rest(shown):
    loans = shown["borrowing"]
    (mine,) = (b for b in loans["borrowers"] if b["account"] == account_of(shown, BORROWER)["id"])
    assert mine["borrowed"] == pytest.approx(BORROWED_CASH)
    assert mine["repaid"] == pytest.approx(BORROWED_CASH + mine["interest"], abs=1e-6)
    assert mine["interest"] > 10.0
    earned = sum(lender["earned"] for lender in loans["lenders"])
    assert loans["interestPaid"] == pytest.approx(earned + loans["reserve"], abs=1e-9)
    assert loans["reserve"] == pytest.approx(0.1 * loans["interestPaid"], rel=1e-6)
    assert 0 <= loans["keptByRoundingWei"] < 10**9


def test_funding__is_paid_by_some_to_others_and_sums_to_zero(shown):
    funding = shown["funding"]
    net = [entry["paid"] for entry in funding["accounts"]]
    assert min(net) < -1.0 < 1.0 < max(net)
    assert funding["sumWithClearingWei"] == 0
    assert 0 <= funding["keptByRoundingWei"] <= sum(shown["rounds"].values()) * len(net)


def test_expiry__pays_holders_what_writers_owe(shown):
    assert len(shown["expiries"]) == shown["settledSeries"] >= 5
    first = shown["expiries"][0]
    holder = account_of(shown, "one-day straddle")["id"]
    payout = next(entry["cash"] for entry in first["accounts"] if entry["account"] == holder)
    # Ten calls and ten puts of one strike: worth the distance of the price from the strike.
    assert payout > 0.0
    for expiry in shown["expiries"]:
        assert expiry["paidOut"] == pytest.approx(expiry["collected"], abs=1e-9)


def test_liquidation__takes_a_part_and_leaves_the_account_better(shown):
    solvent = [item for item in shown["liquidations"] if item["kind"] == "solvent"]
    assert len(solvent) >= 8
    assert all(0.0 < item["fraction"] < 1.0 for item in solvent)
    assert all(item["excessBefore"] < 0.0 < item["excessAfter"] for item in solvent)


def test_insolvency__is_paid_by_the_fund_alone(shown):
    (failed,) = shown["insolvencies"]
    assert failed["name"] == DIP_BUYER.name
    assert failed["marketEquityBefore"] < 0.0
    assert failed["bidder"] == account_of(shown, BACKSTOP)["id"]
    # Debt and the pay for taking the risk come from the fund; nobody else loses anything.
    assert failed["fromFund"] == pytest.approx(failed["paid"])
    assert failed["paid"] > -failed["marketEquityBefore"]
    assert failed["socialised"] == shown["socialisedLoss"] == 0.0
    ended = account_of(shown, DIP_BUYER.name)
    assert ended["endPositions"] == 0
    assert ended["end"]["equity"] == pytest.approx(0.0, abs=1e-9)


def test_fund__is_explained_by_events(shown):
    fund = shown["fund"]
    assert fund["deposited"] == pytest.approx(FUND_CASH)
    assert min(fund["tradeFees"], fund["liquidationFees"], fund["interestReserve"]) > 0.0
    assert fund["other"] == 0.0
    assert fund["drawn"] == pytest.approx(sum(item["fromFund"] for item in shown["insolvencies"]))
    assert fund["balance"] == pytest.approx(shown["insuranceFund"])


def test_command__one_round__prints_one_document_and_says_what_did_not_happen(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("plimsoll.market.replay.replay.find_data", lambda _=None: None)
    page = ["--report", str(tmp_path / "demo.html")]
    assert cli(["demo", "--rounds", "1", "--json", *page]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["rounds"], shown["liquidations"], shown["expiries"]) == ({"BTC": 1, "ETH": 1}, [], [])
    assert cli(["demo", "--rounds", "1", *page]) == 0
    text = capsys.readouterr().out
    for words in ("No series that anybody held expired", "No account fell below", "No account became insolvent"):
        assert words in text
    assert cli(["demo", "--rounds", "0", *page]) == 2


def test_opening__can_be_shown_after_the_first_round():
    """The first table is there while the market still runs, and is the one that the report has in the end."""
    early = StringIO()
    run = run_demo(2, None, lambda *_: None, lambda found: print_opening(found, Console(width=WIDTH, file=early)))
    late = StringIO()
    print_opening(run, Console(width=WIDTH, file=late))
    assert early.getvalue() == late.getvalue()
    shown = {account.name: account.name in early.getvalue() for account in run.accounts}
    assert shown == {name: name != DIP_BUYER.name for name in shown}


def test_report_and_page__show_every_section_in_the_width(run, tmp_path):
    text = StringIO()
    print_opening(run, Console(width=WIDTH, file=text))
    print_rest(run, Console(width=WIDTH, file=text))
    lines = text.getvalue().splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert "…" not in text.getvalue()
    write_html(run, tmp_path / "demo.html")
    page = (tmp_path / "demo.html").read_text(encoding="utf-8")
    for number, section in enumerate(sections_of(run), 1):
        assert f"{number}. {section.title}" in lines
        assert f"<section id='{section.key}'>" in page
    assert "<script" not in page
    assert len(page.encode()) < 500_000
