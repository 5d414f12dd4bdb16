"""What drives an account: parts that add up, prices at which it breaks, and trades in words."""

import json
from dataclasses import fields, replace

import numpy as np
import pytest
from helpers.documents import load
from helpers.examples import EXPIRY, MARKET, PORTFOLIO

from plimsoll.analytics.explain.liquidation import liquidation_prices
from plimsoll.analytics.explain.payoff import payoff, payoff_dates
from plimsoll.analytics.explain.pnl import PnlParts, explain_pnl
from plimsoll.analytics.explain.vega import vega_map
from plimsoll.analytics.stress.shock import Shock, shocked_market
from plimsoll.cli import run
from plimsoll.errors import InputError
from plimsoll.files.trade_text import read_trade
from plimsoll.mirror.margin_engine import evaluate
from plimsoll.mirror.unit_risk import mark_of
from plimsoll.model import Instrument, Kind, Market, Mode, Portfolio, Position
from plimsoll.params import Params

DAY_SEC = 86_400
WITHIN = 5 * DAY_SEC


@pytest.fixture
def book():
    market, folio, _ = load(MARKET, PORTFOLIO)
    return market, folio


def options(market):
    legs = [Position("ETH", k, EXPIRY, s, q) for k, s, q in (
        (Kind.CALL, 2_000.0, -5.0), (Kind.PUT, 1_700.0, 3.0), (Kind.CALL, 1_900.0, 2.0),
    )]  # fmt: skip
    legs += [Position("ETH", Kind.PERP, 0, 1_890.0, 1.5), Position("ETH", Kind.FUTURE, EXPIRY, 1_880.0, -2.0)]
    return Portfolio(Mode.SINGLE, 10_000.0, {"WETH": 2.0}, tuple(legs))


def moved(market, price=0.0, vol=0.0, sec=0):
    return shocked_market(market, {"ETH": Shock(price, vol)}, sec)


def test_parts_add_up_to_what_the_marks_say(book):
    market, _ = book
    folio = options(market)
    after = moved(market, -0.07, 0.2, 3 * DAY_SEC)
    found = explain_pnl(market, after, folio)
    values = [evaluate(one, folio, Params()).market_equity for one in (market, after)]
    assert found.total.total == pytest.approx(values[1] - values[0], abs=1e-8)
    assert found.of("ETH") == found.total
    assert len(found.legs) == len(folio.positions) + 1


@pytest.mark.parametrize(
    ("move", "part"),
    [({"price": 1e-4}, "delta"), ({"vol": 1e-4}, "vega"), ({"sec": WITHIN}, "theta")],
)
def test_a_small_move_of_one_thing_is_the_part_of_its_name(book, move, part):
    market, _ = book
    folio = options(market)
    found = explain_pnl(market, moved(market, **move), folio).total
    named = getattr(found, part)
    # Discounts unwind with time, which is carry.
    others = sum(abs(getattr(found, f.name)) for f in fields(PnlParts) if f.name not in (part, "carry"))
    assert abs(named) > 1e-3
    assert others < 0.01 * abs(named)
    assert abs(found.carry) < 0.3 * abs(named)


def test_what_the_parts_leave_is_of_third_order(book):
    market, _ = book
    folio = options(market)
    left = [abs(explain_pnl(market, moved(market, x, 2.0 * x), folio).total.residual) for x in (0.02, 0.01, 0.005)]
    assert left[0] > left[1] > left[2] > 0.0
    assert 6.0 < left[0] / left[1] < 10.5
    assert 6.0 < left[1] / left[2] < 10.5


def test_a_basis_and_a_rate_that_move_alone_are_carry(book):
    market, _ = book
    folio = options(market)
    round_ = market.rounds["ETH"]
    surfaces = tuple(replace(s, rate=s.rate + 1e-4) for s in round_.surfaces)
    wider = replace(round_, perp=round_.perp * 1.001, surfaces=surfaces)
    found = explain_pnl(market, Market(market.ts, market.tokens, {**market.rounds, "ETH": wider}), folio).total
    assert found.delta == found.gamma == found.vega == found.theta == 0.0
    assert found.carry == pytest.approx(1.5 * round_.perp * 0.001, rel=0.05)
    assert abs(found.residual) < 1e-3 * abs(found.carry)


def test_what_has_expired_settles_at_the_price_that_is_said(book):
    market, _ = book
    folio = options(market)
    later = moved(market, -0.1, 0.0, EXPIRY - market.ts + 60)
    rest = Market(
        later.ts, later.tokens, {"ETH": replace(later.rounds["ETH"], surfaces=()), "BTC": later.rounds["BTC"]}
    )
    with pytest.raises(InputError, match=r"has expired by then: say at which price it settled \(--settled\)"):
        explain_pnl(market, rest, folio)
    found = explain_pnl(market, rest, folio, {("ETH", EXPIRY): 1_650.0})
    put = next(leg for leg in found.legs if "put" in leg.label)
    instrument = Instrument(Kind.PUT, EXPIRY, 1_700.0)
    assert put.parts.total == pytest.approx(3.0 * (50.0 - mark_of(market.rounds["ETH"], instrument)))
    future = next(leg for leg in found.legs if "future" in leg.label)
    before = market.rounds["ETH"].surface(EXPIRY)
    discount = np.exp(-before.rate * (EXPIRY - market.ts) / (365 * DAY_SEC))
    assert future.parts.total == pytest.approx(-2.0 * ((1_650.0 - 1_880.0) - discount * (before.forward - 1_880.0)))


def test_markets_out_of_order_and_without_what_is_held_are_refused(book):
    market, _ = book
    folio = options(market)
    with pytest.raises(InputError, match="is before that of the first"):
        explain_pnl(moved(market, sec=60), market, folio)
    with pytest.raises(InputError, match="'ETH' is not among its underlyings"):
        explain_pnl(market, Market(market.ts, {"USDC": market.tokens["USDC"]}, {"BTC": market.rounds["BTC"]}), folio)


def test_a_liquidation_price_is_where_equity_meets_maintenance(book):
    market, _ = book
    folio = Portfolio(Mode.SINGLE, 3_000.0, {}, (Position("ETH", Kind.CALL, EXPIRY, 2_000.0, -5.0),))
    down, up = liquidation_prices(market, folio, Params())
    assert (down.side, down.price_alone, up.side) == ("down", None, "up")
    move = up.price_alone / up.spot - 1.0
    at = evaluate(moved(market, move), folio, Params())
    assert at.equity == pytest.approx(at.maintenance_margin, abs=1e-2)
    assert evaluate(moved(market, move - 1e-3), folio, Params()).equity > at.maintenance_margin
    # Volatility that rises with the price takes a short option there sooner.
    assert up.with_vol < up.price_alone


def test_an_account_that_breaks_at_once_says_the_spot(book):
    market, _ = book
    folio = Portfolio(Mode.SINGLE, 100.0, {}, (Position("ETH", Kind.CALL, EXPIRY, 2_000.0, -5.0),))
    assert evaluate(market, folio, Params()).state == "liquidatable"
    for side in liquidation_prices(market, folio, Params()):
        assert side.price_alone == side.with_vol == side.spot


def test_payoff_is_the_equity_after_the_move(book):
    market, folio = book
    found = payoff(market, folio, Params(), "ETH", (-0.1, 0.0, 0.1))
    assert found.dates == payoff_dates(market, folio, "ETH")
    assert found.pnl[1, 0] == 0.0
    now = evaluate(market, folio, Params()).market_equity
    after = evaluate(moved(market, 0.1, 0.0, found.dates[1] - market.ts), folio, Params()).market_equity
    assert found.pnl[2, 1] == pytest.approx(after - now)
    with pytest.raises(InputError, match="before the market's time"):
        payoff(market, folio, Params(), "ETH", dates=[market.ts - 1])
    with pytest.raises(InputError, match="'XYZ' is not an underlying"):
        payoff(market, folio, Params(), "XYZ")


def test_vega_by_bucket_adds_up_to_the_accounts_vega(book):
    market, _ = book
    folio = options(market)
    found = vega_map(market, folio, Params(), "ETH")
    assert found.vega.sum() == pytest.approx(evaluate(market, folio, Params()).underlyings["ETH"].vega)
    assert len(found.buckets) == found.vega.shape[1]
    forward = market.rounds["ETH"].surface(EXPIRY).forward
    assert 0.85 <= 1_700.0 / forward < 0.95
    assert found.vega[0, 2] > 0.0  # the put that is held long
    with pytest.raises(InputError, match="holds no option of 'BTC'"):
        vega_map(market, folio, Params(), "BTC")


def test_trades_in_words(book):
    market, _ = book
    day = "13FEB26"
    bought = read_trade(f"Buy 5 eth-{day}-1800-P", market)
    assert bought.position == Position("ETH", Kind.PUT, EXPIRY, 1_800.0, 5.0)
    assert bought.limit == mark_of(market.rounds["ETH"], bought.position.instrument)
    sold = read_trade("sell 0.1 ETH-PERPETUAL @ 1950", market)
    assert (sold.position, sold.limit) == (Position("ETH", Kind.PERP, 0, 0.0, -0.1), 1_950.0)
    future = read_trade(f"sell 2 ETH-{day}", market)
    assert future.limit == market.rounds["ETH"].surface(EXPIRY).forward


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("buy ETH", "is no trade; say it like"),
        ("buy -1 ETH-PERP", "is no trade"),
        ("buy 1 XRP-PERP", "'XRP' is not an underlying of the market; it has"),
        ("buy 1 ETH-14FEB26", "14FEB26 is no expiry of ETH in the market; it has 13FEB26"),
        ("buy 1 ETH-13FEB26-1800", "is no instrument"),
        ("buy 1 ETH-13FEB26-1800-X", "is no instrument"),
        ("buy 1 ETH-13FEB26-0-C", r"the strike 0 is outside \(0,"),
        ("buy 0 ETH-PERP", r"the size 0 is outside \(0,"),
        ("buy 1 ETH-PERP @ nan", "is no trade"),
    ],
)
def test_a_trade_that_cannot_be_read_is_named(book, text, message):
    with pytest.raises(InputError, match=message):
        read_trade(text, book[0])


def written(tmp_path, name, document):
    path = tmp_path / name
    path.write_text(json.dumps(document))
    return str(path)


def test_commands_print_tables_and_documents(tmp_path, capsys):
    market, folio = written(tmp_path, "m.json", MARKET), written(tmp_path, "p.json", PORTFOLIO)
    files = ["--market", market, "--portfolio", folio]
    later = {**MARKET, "timestamp": MARKET["timestamp"] + 3_600}
    for arguments, said, schema in (
        (["explain", "pnl", *files, "--to", written(tmp_path, "l.json", later)], "residual", "plimsoll.pnl/1"),
        (["explain", "liquidation", *files], "Liquidation prices", "plimsoll.liquidation/1"),
        (["explain", "payoff", *files, "--underlying", "ETH"], "P&L over the price", "plimsoll.payoff/1"),
        (["explain", "vega", *files, "--underlying", "ETH"], "per point of volatility", "plimsoll.vega/1"),
        (["margin", *files, "--with", "buy 5 ETH-13FEB26-1800-P"], "left to use", "plimsoll.whatif/1"),
    ):
        assert run(arguments) == 0
        out = capsys.readouterr().out
        assert said in out
        assert max(map(len, out.splitlines())) <= 80
        assert run([*arguments, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["schema"] == schema
    assert run(["margin", *files, "--with", "buy 5 ETH-13FEB26-1800-P", "--engine", "both"]) == 2
    assert "--with: goes with --engine float" in capsys.readouterr().err
    assert run(["explain", "pnl", *files, "--to", market, "--settled", "ETH=5"]) == 2
    assert "is not of the form" in capsys.readouterr().err


def test_liquidation__nothing_held__is_said_and_shows_no_table(capsys, tmp_path):
    files = {"market": MARKET, "portfolio": {**PORTFOLIO, "positions": [], "collateral": []}}
    options = []
    for name, document in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
        options += [f"--{name}", str(tmp_path / f"{name}.json")]
    assert run(["explain", "liquidation", *options]) == 0
    assert capsys.readouterr().out == "nothing is held whose price moves, so no price liquidates the account\n"
