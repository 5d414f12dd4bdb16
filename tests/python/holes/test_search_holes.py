"""The search for holes: its prices, its program, what it finds when a part of the requirement is taken out."""

import json
from dataclasses import replace

import numpy as np
import pytest
from oracle.margin_exact import margin

from plimsoll.params import BookSpec, Params
from tools.prove import search_holes
from tools.prove.holes.cost import capital_cost, costs
from tools.prove.holes.documents import SIZE, market_document, params_document, portfolio_document
from tools.prove.holes.families import COVER
from tools.prove.holes.layout import layout_of
from tools.prove.holes.program import Program
from tools.prove.holes.requirement import cross, single
from tools.prove.holes.sample import Expiry, Sample
from tools.prove.holes.search import FAMILIES, Find, Hunt, scene_of
from tools.prove.holes.units import units_of
from tools.prove.holes.verify import verified

NEAR = Expiry(20 * 3_600, 0.7)
MIDDLE = Expiry(30 * 86_400, 0.6, 0.8, -0.3)
FAR = Expiry(150 * 86_400, 1.1)


def units(*expiries, params=None, symbol="ETH", strikes=9):
    params = params or Params()
    p = params.for_underlying(symbol)
    grid = np.linspace(0.6, 1.6, strikes)
    return units_of(symbol, expiries, [grid] * len(expiries), p, params.book_of(symbol))


def quantities(parts, seed=3):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=part.starts[-1]) for part in parts]


def find(family, parts, held):
    sample = Sample({part.symbol: tuple(e.slice.expiry for e in part.expiries) for part in parts})
    return Find(1.0, sample, parts, held, "", family, 1.0)


@pytest.mark.parametrize("expiry", [NEAR, MIDDLE, FAR])
def test_moved__own_prices_at_every_node__those_of_the_mirror(expiry):
    (e,) = units(expiry).expiries
    layout = units(expiry).layout
    for i, (move, states) in enumerate(zip(layout.moves, layout.states, strict=True)):
        for state in states:
            own = e.slice.moved(np.array([move]), state)[0][0]
            assert own == pytest.approx(e.pnl[state][i, 1:], abs=1e-13)


def test_layout_of__clamped_tails__kept_once_with_their_own_weight():
    layout = layout_of(BookSpec(), 0.5)
    assert layout.moves[0] == -0.95
    assert layout.moves.size == 5 + 1 + 1
    assert layout.weights[0] == pytest.approx(0.5 / 0.95)
    assert layout.weights[-1] == pytest.approx(1 / 3)


@pytest.mark.parametrize("expiries", [(MIDDLE,), (NEAR, FAR), (NEAR, MIDDLE, FAR)])
def test_single__random_quantities__the_exact_requirement(expiries):
    part = units(*expiries)
    (q,) = quantities([part])
    one = find("vol", [part], [q])
    exact = margin(market_document(one), portfolio_document(one), params_document(Params()))
    assert single(part, q) * SIZE == pytest.approx(float(exact["requirement"]), rel=1e-9)


def test_cross__random_quantities__the_exact_requirement():
    parts = [units(NEAR, FAR), units(MIDDLE, symbol="BTC")]
    held = quantities(parts)
    one = find("cross", parts, held)
    exact = margin(market_document(one), portfolio_document(one), params_document(Params()))
    assert cross(parts, held, 0.6) * SIZE == pytest.approx(float(exact["requirement"]), rel=1e-9)


@pytest.mark.parametrize("expiries", [(MIDDLE,), (NEAR, FAR)])
def test_worst__single_underlying__requirement_of_one_and_no_random_portfolio_is_worse(expiries):
    part = units(*expiries)
    scene = scene_of("vol", [part], 0.6)
    choice = scene.random(np.random.default_rng(5))
    pnl = scene.pnl(choice)
    (q,) = Program([part], None).worst(pnl)
    assert single(part, q) == pytest.approx(1.0, abs=1e-6)
    loss = -float(pnl[0] @ q)
    for seed in range(50):
        (other,) = quantities([part], seed)
        assert -float(pnl[0] @ other) <= loss * single(part, other) * (1.0 + 1e-6)


def test_worst__two_underlyings_in_cross__requirement_of_one():
    parts = [units(MIDDLE), units(FAR, symbol="BTC")]
    scene = scene_of("cross", parts, 0.6)
    held = Program(parts, 0.6).worst(scene.pnl(scene.random(np.random.default_rng(5))))
    assert cross(parts, held, 0.6) == pytest.approx(1.0, abs=1e-6)


FLAT = Params(book=BookSpec(grid_vols=("flat",), tail_vols=("flat",), skew_at=()))
FAULTS = {
    "price": Params(book=BookSpec(grid_moves=(-0.5, 0.0, 0.5), tail_moves=(), tail_vols=(), skew_at=())),
    "vol": FLAT,
    "skew": Params(overrides_all={"skew_rate": 0.0}),
    "tail": Params(book=replace(BookSpec(), tail_moves=(), tail_vols=())),
    "expiries": Params(overrides_all={"vega_term_rate": 0.0}),
    "cross": FLAT,
}


@pytest.mark.parametrize("family", FAMILIES)
def test_hunt__a_part_of_the_requirement_taken_out__hole_found(family):
    hunt = Hunt(family, FAULTS[family], seed=1, starts=3)
    symbols = ("ETH", "BTC") if family == "cross" else ("ETH",)
    expiries = (MIDDLE, FAR) if family == "expiries" else (FAR,)
    hunt.judge(Sample(dict.fromkeys(symbols, expiries)))
    assert hunt.best.ratio > 1.05


@pytest.mark.parametrize("family", FAMILIES)
def test_hunt__default_book_in_two_markets__promise_kept_as_the_mirror_counts(family):
    found = Hunt(family, Params(), seed=4, starts=2)
    for _ in range(2):
        found.judge(found.sample())
    assert 0.5 / COVER[family] < verified(found.best, Params(), on_chain=False).mirror <= 1.0 + 1e-6


def test_capital_cost__twenty_books__every_requirement_above_what_is_promised():
    found = costs(Params())
    assert len(found) == 20
    assert all(cost.ratio >= 1.0 for cost in found)
    assert capital_cost(found) < capital_cost(costs(Params(overrides_all={"skew_rate": 2.0})))


def test_main__json_without_chain__one_document_with_every_family(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["search_holes", "--json", "--no-chain", "--markets", "1", "--jobs", "1"])
    monkeypatch.setattr(search_holes, "search", lambda params, markets, seed, jobs: [_quick(f) for f in FAMILIES])
    assert search_holes.main() == 0
    document = json.loads(capsys.readouterr().out)
    assert list(document) == ["schema", "families", "gasPerOption", "capitalCost"]
    assert (document["schema"], tuple(document["families"])) == ("plimsoll.holes/1", FAMILIES)
    assert all(0.0 < ratio <= 1.0 for ratio in document["families"].values())


def _quick(family):
    hunt = Hunt(family, Params(), seed=1, starts=1)
    parts = ("ETH", "BTC") if family == "cross" else ("ETH",)
    hunt.judge(Sample({symbol: (MIDDLE,) for symbol in parts}))
    return hunt.best


@pytest.mark.parametrize(("markets", "message"), [("0", "error: --markets: 0 is below 1")])
def test_main__bad_option__one_line_and_code_2(monkeypatch, capsys, markets, message):
    monkeypatch.setattr("sys.argv", ["search_holes", "--no-chain", "--markets", markets])
    assert search_holes.main() == 2
    assert capsys.readouterr().err.strip() == message
