"""What var, stress, compare, optimise, fit and smile return: printed within 80 columns, tabulated, drawn, adding up."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import plimsoll as pm
from plimsoll.analytics.models.compare import compare as all_models
from plimsoll.analytics.var.risk_report import METHODS
from plimsoll.mirror.margin_engine import evaluate

ROOT = Path(__file__).resolve().parents[3]
HISTORY = pm.sample_history(synthetic=True)
CRASH = pm.Scenario("crash", {"ETH": pm.Shock(-0.4, 1.0), "BTC": pm.Shock(-0.3, 0.8)})
MARKET = pm.load_market(ROOT / "examples" / "market.json")
BOOK = pm.load_portfolio(ROOT / "examples" / "portfolio.json")
LONG = pm.Portfolio(pm.Mode.SINGLE, 1_000.0, {"WETH": 10.0})
SHORT = pm.Portfolio(pm.Mode.SINGLE, 2_000.0, {}, (pm.perp("ETH", 1_900.0, -5.0),))
RESULTS = {
    "Margin": lambda: pm.margin(MARKET, BOOK),
    "Explanation": lambda: pm.margin(MARKET, BOOK).explain(),
    "ValueAtRisk": lambda: pm.var(MARKET, BOOK, HISTORY),
    "Stress": lambda: pm.stress(MARKET, BOOK),
    "Comparison": lambda: pm.compare(MARKET, BOOK),
    "LiquidationSurface": lambda: pm.liquidation_surface(MARKET, BOOK),
    "Plan": lambda: pm.optimise(MARKET, BOOK, pm.Hedge("ETH")),
    "Allocation": lambda: pm.optimise(MARKET, {"long": LONG, "short": SHORT}, pm.Allocate()),
    "Frontier": lambda: pm.frontier(HISTORY, 3),
    "Fit": lambda: pm.fit(pm.sample_chain(synthetic=True)[:1]),
    "SmileLines": lambda: pm.smile(MARKET, "ETH"),
}


@pytest.mark.parametrize("name", RESULTS)
def test_results__print_tabulate_and_draw(name):
    found = RESULTS[name]()
    assert repr(found).startswith(f"<{name}")
    assert "\n" not in repr(found)
    text = str(found)
    assert text != repr(found)
    assert max(map(len, text.splitlines())) <= 80
    plain, fast = found.to_frame(), found.to_frame("polars")
    assert len(plain) == len(fast) > 0
    assert list(plain.columns) == fast.columns
    figure = found.plot("BTC", found.smiles["BTC"].slices[0].expiry_ts) if name == "Fit" else found.plot()
    assert figure.data
    titles = [figure.layout[axis].title.text for axis in figure.layout if axis.startswith(("xaxis", "yaxis"))]
    assert any(titles)
    assert figure.layout.height > 100


def test_var__contributions__add_up_for_every_method():
    for method in METHODS:
        risk = pm.var(MARKET, BOOK, HISTORY, method, level=0.975)
        assert sum(share.amount for share in risk.contributions) == pytest.approx(risk.es)
        assert sum(risk.to_frame()["component_var"]) == pytest.approx(risk.var)
        assert (risk.result.pnl.size == 0) == (method == "parametric")


def test_var__plotted__has_the_scenarios_and_both_figures():
    risk = pm.var(MARKET, BOOK, HISTORY)
    figure = risk.plot()
    assert np.sort(figure.data[0].x).tolist() == np.sort(risk.result.pnl).tolist()
    assert [line.x0 for line in figure.layout.shapes] == [-risk.var, -risk.es]
    assert figure.layout.xaxis.title.text == "P&L over 1 day, cash"
    # Without scenarios: what each leg adds.
    bars = pm.var(MARKET, BOOK, HISTORY, "parametric").plot().data[0]
    assert next(iter(bars.y)) == "-20 ETH put 2026-03-27T08:00Z 1700"


def test_var__the_tail_of_its_scenarios__is_the_shortfall():
    risk = pm.var(MARKET, BOOK, HISTORY, level=0.9)
    beyond = np.sort(risk.result.pnl)[: risk.result.pnl.size // 10]
    assert risk.es == pytest.approx(-beyond.mean(), rel=0.01)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"method": "all"}, "method: 'all' is not one of historical, filtered"),
        ({"level": 1.0}, r"level: 1 is outside \[0.5, 0.99999\]"),
        ({"horizon": 0}, r"horizon: 0 is outside \[1, 365\]"),
        ({"history": HISTORY.select(["ETH"])}, "synthetic prices: holds no rows of 'BTC', only ETH"),
    ],
)
def test_var__bad_arguments__are_named_as_python_names_them(given, message):
    with pytest.raises(pm.InputError, match=f"^{message}"):
        pm.var(MARKET, BOOK, **({"history": HISTORY} | given))


def test_stress__a_scenario__is_the_margin_of_the_moved_market():
    found = pm.stress(MARKET, BOOK, [CRASH])
    assert found.worst is found.results[0]
    naked = replace(BOOK, positions=BOOK.positions[:1], cash=3_000.0)
    assert pm.stress(MARKET, naked, [CRASH]).worst.state == "insolvent"
    assert "crash: insolvent" in pm.stress(MARKET, naked, [CRASH]).plot().data[0].y


def test_stress__a_file__is_read(tmp_path):
    path = tmp_path / "S.json"
    moves = {"ETH": {"price": -0.4, "vol": 1.0}, "BTC": {"price": -0.3, "vol": 0.8}}
    document = {"schema": "plimsoll.scenarios/1", "scenarios": [{"name": "crash", "moves": moves}]}
    path.write_text(json.dumps(document))
    assert pm.stress(MARKET, BOOK, path).worst.pnl == pm.stress(MARKET, BOOK, [CRASH]).worst.pnl
    with pytest.raises(pm.InputError, match="scenarios: none given"):
        pm.stress(MARKET, BOOK, [])


def test_past_crashes__synthetic_prices__hold_none():
    with pytest.raises(pm.InputError, match="synthetic prices: holds none of the crashes of 2018-01-16"):
        pm.past_crashes(HISTORY)


def test_liquidation_surface__drawn__is_its_points():
    naked = replace(BOOK, positions=BOOK.positions[:1], cash=3_000.0)
    surface = pm.liquidation_surface(MARKET, naked)
    states = {point.state for point in surface.points}
    assert len(states) > 2
    drawn = sorted(cell for panel in surface.plot().data for line in panel.z for cell in line)
    assert drawn == sorted(point.distance for point in surface.points)
    # The corner of the last panel: the largest rise of price and volatility, a week later.
    corner = next(p for p in surface.points if (p.hours, p.vol, p.price) == (168.0, 1.0, 0.6))
    assert surface.plot().data[-1].z[-1][-1] == corner.distance
    assert str(surface).count("X") == sum(point.state == "insolvent" for point in surface.points) + 1


def test_compare__is_every_model():
    found, lines = pm.compare(MARKET, BOOK), all_models(MARKET, BOOK, pm.Params())
    assert list(found.to_frame()["initial"]) == [line.margin.initial for line in lines]
    assert list(found.plot().data[0].y) == [line.margin.initial for line in lines]
    with pytest.raises(pm.InputError, match="model: 'cme' is not one of plimsoll single"):
        found["cme"]


@pytest.mark.parametrize("goal", [pm.Hedge("ETH"), pm.Release(trades=2), pm.LessRisk(HISTORY, level=0.95)])
def test_optimise__a_plan__is_the_margin_of_the_account_it_leads_to(goal):
    plan = pm.optimise(MARKET, BOOK, goal)
    after = evaluate(MARKET, plan.portfolio, pm.Params())
    assert plan.after.equity == pytest.approx(after.equity)
    assert plan.after.initial == pytest.approx(after.initial_margin)
    assert plan.before.initial == pm.margin(MARKET, BOOK).initial
    assert plan.released == pytest.approx(plan.after.left_to_use - plan.before.left_to_use)
    assert plan.released > 0.0
    assert sum(plan.to_frame()["cost"]) == pytest.approx(plan.cost)


def test_optimise__a_collar__floors_a_long_account():
    plan = pm.optimise(MARKET, LONG, pm.Collar("ETH", floor=0.9))
    crash = [CRASH]
    assert [trade.quantity for trade in plan.trades] == [10.0, -10.0]
    assert pm.stress(MARKET, plan.portfolio, crash).worst.pnl > 0.5 * pm.stress(MARKET, LONG, crash).worst.pnl


def test_optimise__an_allocation__makes_the_poorest_account_richer():
    found = pm.optimise(MARKET, {"long": LONG, "short": SHORT}, pm.Allocate())
    frame = found.to_frame()
    assert min(frame["excess_after"]) > max(0.0, min(frame["excess_before"]))
    assert sum(frame["gets_cash"]) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("book", "goal", "message"),
    [
        (BOOK, pm.Release(trades=0), r"trades: 0 is outside \[1, 20\]"),
        (BOOK, pm.Hedge("ETH", target="collar"), "target: 'collar' is not one of delta, .* goal of its own"),
        (BOOK, pm.Hedge("DOGE"), "underlying: the account holds nothing of 'DOGE'"),
        (BOOK, pm.Collar("DOGE"), "underlying: 'DOGE' is not an underlying of the market"),
        (BOOK, pm.Allocate(), "portfolio: one account, Allocate is about several"),
        ({"a": BOOK}, pm.Release(), "portfolio: 1 accounts, Release is about one"),
        (BOOK, pm.LessRisk(HISTORY.select(["ETH"])), "synthetic prices: holds no rows of 'BTC'"),
    ],
)
def test_optimise__bad_arguments__are_named(book, goal, message):
    with pytest.raises(pm.InputError, match=f"^{message}"):
        pm.optimise(MARKET, book, goal)


@pytest.mark.parametrize(
    ("package", "asked"),
    [("highspy", lambda: pm.optimise(MARKET, BOOK, pm.Hedge("ETH"))), ("cvxpy", lambda: pm.frontier(HISTORY, 3))],
)
def test_optimise__without_its_solver__says_what_to_install(package, asked, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(pm.UnavailableError, match=rf"^{package}: is not installed; pip install .*\[desk\]"):
        asked()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_to_frame__without_its_library__says_what_to_install(library):
    # In a process of its own: narwhals remembers what it has imported.
    code = (
        f"import sys; sys.modules[{library!r}] = None; from plimsoll.frames import frame_of; "
        f"frame_of({{'a': [1.0]}}, {library!r})"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.returncode == 1
    last = found.stderr.splitlines()[-1]
    assert last.endswith(f"UnavailableError: {library}: is not installed; pip install 'plimsoll-margin[frames]'")


def test_frontier__drawn__is_its_points():
    found = pm.frontier(HISTORY, 4)
    drawn = found.plot().data[0]
    assert [x / 100.0 for x in drawn.x] == pytest.approx([point.volatility for point in found.points])
    assert list(found.to_frame()["weight_ETH"]) == [point.weights[0] for point in found.points]
    with pytest.raises(pm.InputError, match=r"^points: 1 is outside \[2, 200\]"):
        pm.frontier(HISTORY, 1)


def test_smile__is_the_volatility_of_the_slice():
    found = pm.smile(MARKET, "ETH")
    frame = found.to_frame()
    surface = MARKET.rounds["ETH"].surfaces[0]
    own = frame[frame["expiry_ts"] == surface.expiry_ts]
    middle = own.iloc[len(own) // 2]
    assert middle["strike"] == pytest.approx(surface.forward)
    years = (surface.expiry_ts - MARKET.ts) / (365 * 86_400)
    svi = surface.svi
    variance = svi.a + svi.b * (svi.rho * -svi.m + (svi.m**2 + svi.sigma**2) ** 0.5)
    assert middle["vol"] == pytest.approx((variance / years) ** 0.5, rel=1e-3)
    assert len(found.plot().data) == 2
    with pytest.raises(pm.InputError, match="underlying: 'DOGE' is not one of ETH, BTC"):
        pm.smile(MARKET, "DOGE")


def test_fit__a_market_of_a_chain__prices_its_quotes():
    found = pm.fit(pm.sample_chain(synthetic=True)[:1])
    assert pm.margin(found.market, pm.Portfolio(pm.Mode.SINGLE, 1.0, {"WBTC": 1.0})).equity > 50_000.0
    frame = found.to_frame()
    assert frame["largest_points"].max() < 1.0
    assert frame["is_free"].all()
    with pytest.raises(pm.InputError, match="underlying: 'ETH' is not one of BTC"):
        found.plot("ETH", "27MAR26")
    with pytest.raises(pm.InputError, match="expiry: 2026-03-28 is not one of 2026-01-31, "):
        found.plot("BTC", "28MAR26")
    with pytest.raises(pm.InputError, match="source: holds no snapshot"):
        pm.fit([])
