"""The dashboard without a terminal: what a look holds, what the widgets show, and what keys do."""

import asyncio
import json
import math
from dataclasses import replace
from itertools import islice

import pytest
from helpers.documents import load
from helpers.examples import MARKET, PORTFOLIO
from textual.widgets import DataTable, Static

from plimsoll.analytics.stress.shock import Shock, shocked_market
from plimsoll.analytics.stress.watch import AlertRules, liquidation_move, watch_view
from plimsoll.cli import run
from plimsoll.cli.dashboard import Dashboard, alert_text, gauge
from plimsoll.errors import InputError, UnavailableError
from plimsoll.files.market import load_market
from plimsoll.market.replay.markets import Walk, replayed_markets
from plimsoll.market.replay.replay import _synthetic
from plimsoll.mirror.margin_engine import evaluate
from plimsoll.model import Kind, Mode, Portfolio, Position, Token
from plimsoll.params import Params

TS = MARKET["timestamp"]


def view_of(book, now_ts=TS, rules=None, auction=False, block=7):
    market, folio, params = book
    return watch_view(3, block, market, folio, params, rules or AlertRules(), now_ts, auction)


@pytest.fixture
def thin():
    """Two perpetuals that stand just above their maintenance margin."""
    folio = {**PORTFOLIO, "cash": 1_200.0, "collateral": []}
    folio["positions"] = [{"underlying": "ETH", "kind": "perp", "quantity": 2.0, "entry": 1_900.0}]
    return load(MARKET, folio)


def test_liquidation_moves_are_where_the_mirror_liquidates(thin):
    market, folio, _ = thin
    params = Params()
    down = liquidation_move(market, folio, params, -1.0)
    assert -0.2 < down < 0.0
    for move, fallen in ((down - 1e-4, True), (down + 1e-4, False)):
        found = evaluate(shocked_market(market, {"ETH": Shock(move), "BTC": Shock(move)}), folio, params)
        assert (found.equity < found.maintenance_margin) == fallen
    assert liquidation_move(market, folio, params, 1.0) is None
    assert liquidation_move(market, replace(folio, cash=-5_000.0), params, 1.0) == 0.0


def test_alerts_name_what_is_wrong(thin, book):
    assert view_of(book).alerts == ()
    found = view_of(thin, now_ts=TS + 601, auction=True, rules=AlertRules(use=0.5, distance=0.2)).alerts
    assert found[0] == "an auction of this account is running"
    assert any(a.startswith("initial margin takes") for a in found)
    assert any(a.startswith("liquidation at -") for a in found)
    assert "the round of ETH is 601 seconds old" in found
    market, folio, params = thin
    broke = watch_view(3, 7, market, replace(folio, cash=-9_000.0), params, AlertRules(), TS)
    assert broke.alerts[0] == "state: insolvent"
    for bad in ({"distance": 2.0}, {"use": -1.0}, {"round_age_sec": 0}):
        with pytest.raises(InputError, match="is outside"):
            AlertRules(**bad)


def test_a_look_as_json_is_finite(book):
    document = json.loads(json.dumps(view_of(book).to_json(), allow_nan=False))
    assert document["schema"] == "plimsoll.watch/1"
    assert document["expiries"]["ETH"][0]["expiry"] == 0
    assert document["liquidationDown"] is None or math.isfinite(document["liquidationDown"])


def shown(widget):
    return str(widget.render())


def drive(app, script, size=(140, 45)):
    """Run the application headless; ``script`` gets the pilot."""

    async def main():
        async with app.run_test(size=size) as pilot:
            await app.workers.wait_for_complete()
            await pilot.pause()
            await script(pilot)

    asyncio.run(main())


def test_dashboard_shows_equity_greeks_heat_and_alerts(book):
    view = view_of(book)
    app = Dashboard(lambda: view, 60.0)

    async def script(pilot):
        text = shown(app.query_one("#gauge", Static))
        for part in ("account 3", "healthy", "block 7", f"{view.margin.equity:,.2f}", "maintenance"):
            assert part in text
        assert "no alerts" in shown(app.query_one("#alerts", Static))
        greeks = app.query_one("#greeks", DataTable)
        labels = [str(greeks.get_row_at(i)[0]) for i in range(greeks.row_count)]
        assert "ETH no expiry" in labels
        assert "ETH 2026-02-13" in labels
        heat = app.query_one("#heat", DataTable)
        assert heat.border_title == "ETH"
        rows = view.margin.underlyings["ETH"].rows
        worst = rows[view.margin.underlyings["ETH"].worst_row].pnl
        cells = " ".join(str(cell) for i in range(heat.row_count) for cell in heat.get_row_at(i))
        assert f"{worst:,.0f}" in cells
        await pilot.press("u")
        assert heat.border_title == "BTC"
        await pilot.press("u")
        assert heat.border_title == "ETH"

    drive(app, script)


def test_nothing_is_cut_off_in_a_terminal_of_a_hundred_columns(thin, book):
    for view in (view_of(thin), view_of(book)):
        app = Dashboard(lambda view=view: view, 60.0)

        async def script(pilot, app=app):
            for name in ("#greeks", "#heat"):
                table = app.query_one(name, DataTable)
                assert table.virtual_size.width <= table.size.width
                assert table.virtual_size.height <= table.size.height
            assert app.query_one("#heat", DataTable).border_subtitle.startswith("worst: ")
            assert not app.query_one("#problem", Static).display

        drive(app, script, (100, 30))


def test_a_terminal_of_eighty_by_twenty_four_shows_margin_and_one_table(thin, book):
    """It showed headers only."""
    for view in (view_of(thin, rules=AlertRules(distance=0.5)), view_of(book)):
        app = Dashboard(lambda view=view: view, 60.0)

        async def script(pilot, app=app, view=view):
            box, greeks, heat = (
                app.query_one("#gauge", Static),
                *(app.query_one(n, DataTable) for n in ("#greeks", "#heat")),
            )
            assert f"{view.margin.equity:,.2f}" in shown(box)
            assert max(map(len, shown(box).splitlines())) <= box.size.width
            assert app.query_one("#alerts", Static).display == bool(view.alerts)
            assert greeks.display
            assert not heat.display
            # Lines of the table itself, below its header.
            assert greeks.size.height - 1 >= min(greeks.row_count, 5)
            assert greeks.virtual_size.width <= greeks.size.width
            await pilot.press("t")
            await pilot.pause()
            assert heat.display
            assert not greeks.display
            assert heat.size.height - 1 >= 5
            assert heat.virtual_size.width <= heat.size.width

        drive(app, script, (80, 24))


def test_a_portfolio_file_is_watched_without_a_network(tmp_path, capsys):
    paths = []
    for number, move in enumerate((1.0, 0.9)):
        document = json.loads(json.dumps(MARKET))
        document["underlyings"]["ETH"]["spot"] *= move
        paths.append(tmp_path / f"market{number}.json")
        paths[-1].write_text(json.dumps(document))
    folio = tmp_path / "p.json"
    folio.write_text(json.dumps(PORTFOLIO))
    assert run(["watch", "--portfolio", str(folio), "--market", str(paths[0]), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["account"] is None
    walk = Walk([load_market(path) for path in paths])
    assert [walk.next().rounds["ETH"].spot for _ in range(3)] == [1_900.0, 1_710.0, 1_710.0]
    for arguments, said in (
        (["watch"], "name an account with --rpc and --deployment, or a --portfolio with --market"),
        (["watch", "--portfolio", str(folio)], "--market: a portfolio file needs at least one market file"),
        (["watch", "3", "--portfolio", str(folio)], "--portfolio: an account on chain was named as well"),
    ):
        assert run(arguments) == 2
        assert said in capsys.readouterr().err


def test_recorded_chains_make_markets_one_after_another():
    replay = _synthetic()
    surface = replay.fit_at(0, "ETH").round.surfaces[-1]
    folio = Portfolio(Mode.SINGLE, 1e4, {}, (Position("ETH", Kind.CALL, surface.expiry_ts, surface.forward, -1.0),))
    tokens = {"USDC": Token("USDC", 1.0, 0.0), "WSOL": Token("WSOL", None, 0.1, "SOL", 0.1)}
    found = list(islice(replayed_markets(replay, tokens, folio), 3))
    assert [market.ts for market in found] == list(replay.timestamps[:3])
    assert set(found[0].tokens) == {"USDC"}
    assert all(surface.expiry_ts in {s.expiry_ts for s in m.rounds["ETH"].surfaces} for m in found)
    sol = Portfolio(Mode.SINGLE, 1e4, {}, (Position("SOL", Kind.PERP, 0, 80.0, 1.0),))
    with pytest.raises(InputError, match="has no chains of SOL"):
        next(replayed_markets(replay, tokens, sol))


def test_dashboard_keeps_the_last_view_when_a_look_fails(book):
    looks = [view_of(book, block=7), UnavailableError("rpc", "connection refused"), view_of(book, block=9)]

    def look():
        found = looks.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    app = Dashboard(look, 600.0)

    async def again(pilot):
        await pilot.press("r")
        await app.workers.wait_for_complete()
        await pilot.pause()

    async def script(pilot):
        assert "block 7" in shown(app.query_one("#gauge", Static))
        await again(pilot)
        assert "error: rpc: connection refused" in shown(app.query_one("#problem", Static))
        assert "block 7" in shown(app.query_one("#gauge", Static))
        await again(pilot)
        assert "block 9" in shown(app.query_one("#gauge", Static))
        assert "error" not in shown(app.query_one("#problem", Static))
        await pilot.press("q")

    drive(app, script)
    assert looks == []


def test_bars_and_alerts_as_text(thin):
    view = view_of(thin, now_ts=TS + 10_000)
    assert "(all prices at once)" in gauge(view).plain
    assert alert_text(view).plain.startswith("! ")
    poor = replace(view, margin=replace(view.margin, equity=-5.0))
    assert "-5.00" in gauge(poor).plain


@pytest.mark.parametrize(
    ("extra", "code", "message"),
    [
        (["--alert-distance", "2"], 2, "--alert-distance: 2 is outside"),
        (["--alert-age", "0"], 2, "--alert-age: 0 is outside"),
        ([], 2, "nope.json"),
    ],
)
def test_bad_input_of_watch_is_one_line(capsys, extra, code, message):
    assert run(["watch", "3", "--rpc", "http://127.0.0.1:1", "--deployment", "nope.json", *extra]) == code
    shown_ = capsys.readouterr()
    assert message in shown_.err
    assert shown_.err.count("\n") == 1
