"""The fund beside the defaults it may have to bear: by hand on perpetuals, by other prices on options."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.desk import fails, printed
from scipy.stats import norm

from plimsoll.analytics.fund.shortfall import shortfalls
from plimsoll.analytics.fund.size import fund_size
from plimsoll.analytics.fund.standing import AT_ONCE, joined, standing_at, standing_of
from plimsoll.cli import run
from plimsoll.errors import InputError
from plimsoll.files.market import load_market
from plimsoll.mirror.margin_engine import evaluate_many
from plimsoll.model import Kind, Mode, Portfolio, Position
from plimsoll.params import Params

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
MARKET = load_market(EXAMPLES / "market.json")
PARAMS = Params()
ETH, BTC = (MARKET.rounds[name] for name in ("ETH", "BTC"))
R_ETH, R_BTC = 0.285, 0.23


def perp(name, quantity, cash):
    """Account with one perpetual, entered at its mark."""
    return Portfolio(Mode.SINGLE, cash, {}, (Position(name, Kind.PERP, 0, MARKET.rounds[name].perp, quantity),))


def sized(fund, *folios, params=PARAMS):
    names = [f"account {number}" for number in range(len(folios))]
    return fund_size(fund, standing_of(names, evaluate_many(MARKET, list(folios), params), params), params)


def left(loss, maintenance):
    """What one account leaves, with its auction: risk-model section 8, after an hour."""
    return loss + min(0.25 * maintenance, loss + 0.02 * maintenance) if loss > 0.0 else 0.0


def test_fund_size__perpetuals__is_what_the_formulas_of_the_auction_give():
    shorts = [perp("ETH", -quantity, cash) for quantity, cash in ((100.0, 60e3), (50.0, 30e3), (10.0, 3e3))]
    margins = evaluate_many(MARKET, shorts, PARAMS)
    up = [100.0, 50.0, 10.0]
    unpaid = [
        left(quantity * ETH.perp * 3 * R_ETH - folio.cash, margin.maintenance_margin)
        for quantity, folio, margin in zip(up, shorts, margins, strict=True)
    ]
    found = sized(200e3, *shorts)
    assert min(unpaid) > 0.0
    assert [cover.cost for cover in found.cover] == pytest.approx([unpaid[0], sum(unpaid[:2]), sum(unpaid)], rel=1e-12)
    assert found.cover_two.names == ("account 0", "account 1")
    assert found.cover_two.row.multiple == 3.0
    assert found.spare == pytest.approx(200e3 - sum(unpaid[:2]))
    assert found.per_hour == pytest.approx(0.2 * 200e3)


def test_fund_size__two_underlyings__fall_at_once():
    eth, btc = perp("ETH", 100.0, 60e3), perp("BTC", 3.0, 60e3)
    margins = evaluate_many(MARKET, [eth, btc], PARAMS)
    unpaid = [
        left(100.0 * ETH.perp * 3 * R_ETH - 60e3, margins[0].maintenance_margin),
        left(3.0 * BTC.perp * 3 * R_BTC - 60e3, margins[1].maintenance_margin),
    ]
    found = sized(0.0, eth, btc)
    assert min(unpaid) > 0.0
    assert found.cover_two.cost == pytest.approx(sum(unpaid), rel=1e-12)
    assert found.cover_two.row.underlyings == ("BTC", "ETH")


def test_fund_size__gain_in_one_hides_loss_in_the_other__the_row_of_one_alone_counts():
    both = Portfolio(
        Mode.SINGLE,
        60e3,
        {},
        (
            Position("ETH", Kind.PERP, 0, ETH.perp, 100.0),
            Position("BTC", Kind.PERP, 0, BTC.perp, -100.0 * ETH.perp * R_ETH / (BTC.perp * R_BTC)),
        ),
    )
    found = sized(0.0, both)
    assert len(found.cover_two.row.underlyings) == 1
    assert found.cover_two.cost > 0.0


def test_fund_size__within_the_range__leaves_the_tails_out():
    thin = perp("ETH", -100.0, 100.0 * ETH.perp * R_ETH * 0.99)
    thick = perp("ETH", -100.0, 100.0 * ETH.perp * R_ETH * 1.01)
    found = sized(1e6, thin, thick)
    assert [entry.name for entry in found.uncovered] == ["account 0"]
    assert found.covered_share == 0.5
    assert found.cover_two_within.names == ("account 0",)
    assert found.cover_two_within.row.multiple == 1.0
    assert found.cover_two.names == ("account 0", "account 1")


def test_shortfalls__short_options__equal_black_76_at_every_row():
    surface = ETH.surfaces[0]
    strike, quantity = round(surface.forward), -30.0
    folio = Portfolio(Mode.SINGLE, 1e3, {}, (Position("ETH", Kind.CALL, surface.expiry_ts, strike, quantity),))
    margin = evaluate_many(MARKET, [folio], PARAMS)[0]
    found = shortfalls(standing_of(["one"], [margin], PARAMS), PARAMS)
    years = (surface.expiry_ts - ETH.ts) / (365 * 86_400)
    k = math.log(strike / surface.forward)
    svi = surface.svi
    variance = svi.a + svi.b * (svi.rho * (k - svi.m) + math.hypot(k - svi.m, svi.sigma))
    sigma = math.sqrt(variance / years)
    power = 0.30 if years <= 30 / 365 else 0.13
    term = (30 / 365 / max(years, 1 / 365)) ** power
    vols = {"up": max(0.40, sigma * (1 + 0.5 * term)), "flat": sigma, "down": sigma * (1 - 0.25 * term)}

    def price(forward, vol):
        total = vol * math.sqrt(years)
        d1 = math.log(forward / strike) / total + total / 2
        return math.exp(-surface.rate * years) * (forward * norm.cdf(d1) - strike * norm.cdf(d1 - total))

    seen = 0
    for number, row in enumerate(found.rows):
        if row.underlyings != ("ETH",):
            continue
        moved = price(surface.forward * (1 + row.multiple * R_ETH), vols[row.vol])
        expected = left(-(folio.cash + quantity * moved), margin.maintenance_margin)
        assert found.unpaid[number, 0] == pytest.approx(expected, rel=1e-6, abs=1e-6 * strike)
        seen += expected > 0.0
    assert seen >= 6


def test_fund_size__nobody_can_lose__costs_nothing_and_names_nobody():
    found = sized(10.0, Portfolio(Mode.SINGLE, 5.0, {}, ()), Portfolio(Mode.SINGLE, 5.0, {}, ()))
    assert found.cover_two.cost == 0.0
    assert found.cover_two.row is None
    assert found.concentrations == ()
    assert found.covered_share == 1.0


def test_fund_size__more_accounts__never_cost_less():
    rng = np.random.default_rng(5)
    folios = [perp("ETH", float(q), float(abs(q) * 400)) for q in rng.normal(0.0, 50.0, 12)]
    costs = [sized(0.0, *folios[:count]).cover_two.cost for count in range(2, 13)]
    assert costs == sorted(costs)
    assert costs[0] < costs[-1]


@pytest.mark.parametrize("fund", [-1.0, math.nan, math.inf])
def test_fund_size__no_amount_of_cash__is_refused(fund):
    with pytest.raises(InputError, match=r"fund: .* is not an amount of cash"):
        sized(fund, perp("ETH", 1.0, 1e3))


def test_fund_size__no_account__is_refused():
    with pytest.raises(InputError, match="accounts: there is none"):
        fund_size(1.0, standing_of([], [], PARAMS), PARAMS)


def test_shortfalls__bonus_share_of_governance__is_the_one_used():
    params = replace(PARAMS, account=replace(PARAMS.account, bonus_share=0.0))
    folio = perp("ETH", -100.0, 60e3)
    assert sized(0.0, folio, params=params).cover_two.cost == pytest.approx(100.0 * ETH.perp * 3 * R_ETH - 60e3)


def test_fund_size__what_it_bears__is_counted_default_by_default():
    shorts = [perp("ETH", -quantity, cash) for quantity, cash in ((100.0, 60e3), (50.0, 30e3), (10.0, 3e3))]
    costs = [cover.cost for cover in sized(0.0, *shorts).cover]
    assert 0.0 < costs[0] < costs[1] < costs[2]
    for fund, bears in ((0.0, 0), (costs[0] - 1.0, 0), (costs[0] + 1.0, 1), (costs[1] + 1.0, 2), (costs[2] + 1.0, 3)):
        assert sized(fund, *shorts).bears == bears
    assert sized(0.0, *shorts).bears_within == sum(cover.cost == 0.0 for cover in sized(0.0, *shorts).cover_within)


def independent_cover_two(folios):
    """Cover-2 of perpetuals and cash without a line of ours: every row of the book by hand, losses sorted by hand."""
    costs = []
    moves = {0.0, *(sign * size for sign in (-1, 1) for size in (1 / 3, 2 / 3, 1.0, 2.0, 3.0))}
    for moved in (("ETH",), ("BTC",), ("ETH", "BTC")):
        for multiple in moves:
            left_by = []
            for folio, margin in zip(folios, evaluate_many(MARKET, folios, PARAMS), strict=True):
                rest = folio.cash
                for leg in folio.positions:
                    price, share = MARKET.rounds[leg.underlying].perp, {"ETH": R_ETH, "BTC": R_BTC}[leg.underlying]
                    now = price * (1.0 + multiple * share) if leg.underlying in moved else price
                    rest += leg.quantity * (now - leg.price)
                left_by.append(left(-rest, margin.maintenance_margin))
            costs.append(sum(sorted(left_by)[-2:]))
    return max(costs)


@pytest.mark.parametrize("seed", range(5))
def test_cover_two__random_books__equals_a_plain_computation(seed):
    draw = np.random.default_rng(seed)
    folios = []
    for _ in range(40):
        legs = []
        for name in draw.permutation(["ETH", "BTC"])[: draw.integers(0, 3)]:
            price = MARKET.rounds[name].perp
            size = float(draw.normal(0.0, 200e3)) / price
            legs.append(Position(str(name), Kind.PERP, 0, price * float(draw.uniform(0.9, 1.1)), size))
        folios.append(Portfolio(Mode.SINGLE, float(draw.uniform(0.0, 100e3)), {}, tuple(legs)))
    found = sized(0.0, *folios)
    assert found.cover_two.cost > 0.0
    assert found.cover_two.cost == pytest.approx(independent_cover_two(folios), rel=1e-12)


def test_standing_at__many_accounts__are_those_of_one_computation_in_their_order():
    draw = np.random.default_rng(2)
    folios = {f"{i}": perp(("ETH", "BTC")[i % 2], float(draw.normal()), 1e3) for i in range(2 * AT_ONCE + 7)}
    said = []
    found, unknown = standing_at(MARKET, folios, PARAMS, said.append)
    whole = standing_of(tuple(folios), evaluate_many(MARKET, list(folios.values()), PARAMS), PARAMS)
    assert (unknown, len(said)) == ((), 3)
    assert found.names == whole.names
    for name in ("market_equity", "initial", "maintenance"):
        np.testing.assert_array_equal(getattr(found, name), getattr(whole, name))
    for underlying, rows in whole.pnl.items():
        for key, values in rows.items():
            np.testing.assert_allclose(found.pnl[underlying][key], values, rtol=1e-12, atol=1e-9)


def test_standing_at__an_account_without_a_number__hides_nobody_else():
    odd = Portfolio(Mode.SINGLE, 1e3, {}, (Position("SOL", Kind.PERP, 0, 100.0, 1.0),))
    folios = {"a": perp("ETH", -100.0, 60e3), "odd": odd, "b": perp("ETH", -50.0, 30e3)}
    found, unknown = standing_at(MARKET, folios, PARAMS)
    assert found.names == ("a", "b")
    assert [(entry.name, entry.reason) for entry in unknown] == [("odd", "'SOL' is not an underlying of the market")]
    size = fund_size(0.0, found, PARAMS, unknown)
    assert size.cover_two.cost == sized(0.0, folios["a"], folios["b"]).cover_two.cost
    assert size.to_json()["unknown"] == [{"account": "odd", "reason": "'SOL' is not an underlying of the market"}]


def test_joined__a_part_that_does_not_hold_an_underlying__has_nothing_of_it():
    both, margin = perp("ETH", 2.0, 1e3), evaluate_many(MARKET, [perp("ETH", 2.0, 1e3)], PARAMS)[0]
    bare = replace(margin, underlyings={})
    found = joined([standing_of(["bare"], [bare], PARAMS), standing_of(["eth"], [margin], PARAMS)])
    assert found.delta["ETH"].tolist() == [0.0, pytest.approx(both.positions[0].quantity)]
    assert all(rows[0] == 0.0 for rows in found.pnl["ETH"].values())


def test_fund_size__insolvent_already_and_nothing_held__is_unpaid_without_a_move():
    margin = replace(evaluate_many(MARKET, [Portfolio(Mode.SINGLE, -500.0, {}, ())], PARAMS)[0], underlyings={})
    found = fund_size(0.0, standing_of(["poor"], [margin], PARAMS), PARAMS)
    assert found.cover[0].cost == pytest.approx(left(500.0, margin.maintenance_margin))
    assert str(found.cover[0].row) == "no move"
    assert found.covered_share == 0.0


FILES = ["--market", str(EXAMPLES / "market.json"), "--portfolio", str(EXAMPLES / "portfolio.json")]


def test_command__files__prints_one_document(capsys, tmp_path):
    copy = tmp_path / "other.json"
    copy.write_text((EXAMPLES / "portfolio.json").read_text())
    document = printed(capsys, ["fund", *FILES, "--portfolio", str(copy), "--fund", "5", "--json"])
    assert document["schema"] == "plimsoll.fund/1"
    assert document["accounts"] == 2
    assert document["fund"] == 5.0
    assert [cover["defaults"] for cover in document["cover"]] == [1, 2]


def test_command__table__fits_into_80_columns(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["fund", *FILES, "--fund", "5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("the fund holds 5.00, 5.00 more than cover-2") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "error: --market: missing; give files, a keeper by --config, or a chain by --rpc and --deployment"),
        (["--config", "k.toml", "--rpc", "x"], "error: --rpc: is named by the file of --config; give one of them"),
        (["--config", "k.toml", "--fund", "1"], "error: --fund: is read from the chain; give it only with files"),
        (["--config", "k.toml"], "error: k.toml: cannot be read"),
        (["--rpc", "http://localhost:1"], "error: --deployment: missing; a chain is read with both"),
        (["--rpc", "x", "--deployment", "y", "--fund", "1"], "error: --fund: is read from the chain"),
        ([*FILES, "--fund", "nan"], "error: fund: nan is not an amount of cash"),
    ],
)
def test_command__bad_arguments__is_one_line(capsys, arguments, line):
    assert fails(capsys, ["fund", *arguments]).startswith(line)


def test_fund_size__guarantee_lines__pay_a_loss_before_the_fund_does():
    folios = {str(n): perp("ETH", -quantity, cash) for n, quantity, cash in ((1, 100.0, 60e3), (2, 50.0, 30e3))}
    margins = evaluate_many(MARKET, list(folios.values()), PARAMS)
    losses = [n * ETH.perp * 3 * R_ETH - cash for n, cash in ((100.0, 60e3), (50.0, 30e3))]
    lines = {"1": losses[0] - 1_000.0}
    found = fund_size(500e3, standing_of(tuple(folios), margins, PARAMS, lines), PARAMS)
    bare = fund_size(500e3, standing_of(tuple(folios), margins, PARAMS), PARAMS)
    unpaid = [left(loss, m.maintenance_margin) for loss, m in zip((1_000.0, losses[1]), margins, strict=True)]
    assert found.cover_two.cost == pytest.approx(sum(unpaid), rel=1e-12)
    assert found.without_lines == bare.cover_two
    assert found.lines == pytest.approx(lines["1"])
    assert found.to_json()["lines"] == {"held": found.lines, "coverWithout": bare.cover_two.to_json()}


def test_fund_size__a_line_that_covers_a_loss__leaves_the_fund_nothing_to_pay():
    folio = perp("ETH", -10.0, 3e3)
    margins = evaluate_many(MARKET, [folio], PARAMS)
    found = fund_size(0.0, standing_of(["one"], margins, PARAMS, {"one": 1e6}), PARAMS)
    assert (found.cover_two.cost, found.covered_share, found.spare) == (0.0, 1.0, 0.0)
    assert found.without_lines.cost > 0.0


def test_standing_at__files__hold_what_their_credit_says():
    folio = replace(perp("ETH", -10.0, 3e3), credit=4_000.0)
    found, _ = standing_at(MARKET, {"one": folio, "two": perp("ETH", 1.0, 3e3)}, PARAMS)
    assert found.lines.tolist() == [4_000.0, 0.0]
    said, _ = standing_at(MARKET, {"one": folio, "two": perp("ETH", 1.0, 3e3)}, PARAMS, lines={"two": 5.0})
    assert said.lines.tolist() == [0.0, 5.0]
