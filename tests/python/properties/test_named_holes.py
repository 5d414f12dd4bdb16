"""Portfolios with which the first edition of the risk model was robbed, each against the losses that it hid.

Requirements are the mirror's; losses come from the 50-digit implementation, which shares no code with it. What a test
promises is section 10.1: the whole loss within the range, a 1.35th with skew, ``R/|x|`` of it beyond, a 1.45th with
expiries in different states of volatility.
"""

from math import exp, sqrt

import pytest
from helpers.documents import load
from oracle.margin_exact.requirement import Holdings, Underlying, linear_pnl, option_pnl

from plimsoll.mirror.margin_engine import evaluate
from plimsoll.params import UNDERLYING_DEFAULTS, Params

NOW = 1_770_000_000
DAY = 86_400
SPOTS = {"ETH": 2_000.0, "BTC": 80_000.0}
REACH = {name: UNDERLYING_DEFAULTS[name].price_range for name in SPOTS}
NEAR, FAR = NOW + 7 * DAY, NOW + 60 * DAY
VOLS = {"ETH": 0.7, "BTC": 0.55}


def slice_of(symbol, expiry, rate=0.03):
    """A flat smile."""
    years = (expiry - NOW) / (365 * DAY)
    variance = VOLS[symbol] ** 2 * years
    return {
        "expiry": expiry,
        "forward": SPOTS[symbol] * exp(rate * years),
        "rate": rate,
        "svi": {"a": variance, "b": 0.0, "rho": 0.0, "m": 0.0, "sigma": 0.1},
    }


def market():
    underlyings = {
        name: {
            "spot": spot,
            "perp": spot,
            "confidence": 1.0,
            "expiries": [slice_of(name, expiry) for expiry in (NEAR, FAR)],
        }
        for name, spot in SPOTS.items()
    }
    return {
        "schema": "plimsoll.market/1",
        "timestamp": NOW,
        "tokens": {"USDC": {"price": 1.0}},
        "underlyings": underlyings,
    }


def option(right, strike, quantity, expiry=FAR, symbol="ETH"):
    return {
        "underlying": symbol,
        "kind": "option",
        "right": right,
        "strike": strike,
        "expiry": expiry,
        "quantity": quantity,
    }


def perp(quantity, symbol="ETH"):
    return {"underlying": symbol, "kind": "perp", "entry": SPOTS[symbol], "quantity": quantity}


def required(positions, mode="SINGLE", underlying=None):
    """Initial margin, or the requirement of one underlying without its charge for concentration."""
    folio = {"schema": "plimsoll.portfolio/1", "mode": mode, "cash": 0.0, "collateral": [], "positions": positions}
    loaded, portfolio, _ = load(market(), folio)
    found = evaluate(loaded, portfolio, Params())
    return found.underlyings[underlying].requirement if underlying else found.initial_margin


def loss(positions, moves, states="flat", skew=0.0):
    """Loss when every underlying moves by its share of ``moves``; ``states`` by expiry, or one for all."""
    total = 0.0
    for symbol in {p["underlying"] for p in positions}:
        holdings = Holdings(
            Underlying(market(), {}, symbol), [p for p in positions if p["underlying"] == symbol], 0, {}
        )
        move = moves[symbol] if isinstance(moves, dict) else moves
        total -= float(linear_pnl(holdings, move))
        for expiry in holdings.dates:
            state = states if isinstance(states, str) else states[expiry]
            total -= float(option_pnl(holdings, expiry, move, state, skew))
    return total


def between(low, high, count=40):
    return [low + (high - low) * i / count for i in range(count + 1)]


def test_box__cash_of_a_month__covers_two_hundredths_of_rate():
    """A box is cash at its expiry: 38 of margin for 36,000 lost 52 to a rate that moved as one did within six hours."""
    low, high, days = 300.0, 15_000.0, 26
    expiry = NOW + days * DAY
    legs = [
        option("call", low, 2.45, expiry),
        option("call", high, -2.45, expiry),
        option("put", low, -2.45, expiry),
        option("put", high, 2.45, expiry),
    ]
    document = market()
    document["underlyings"]["ETH"]["expiries"] = [slice_of("ETH", expiry)]
    folio = {"schema": "plimsoll.portfolio/1", "mode": "SINGLE", "cash": 0.0, "collateral": [], "positions": legs}
    marks = []
    for rate in (0.03, 0.05):
        document["underlyings"]["ETH"]["expiries"] = [slice_of("ETH", expiry, rate)]
        loaded, portfolio, _ = load(document, folio)
        found = evaluate(loaded, portfolio, Params())
        marks.append(found.mark_to_market)
        if rate == 0.03:
            margin = found.initial_margin
    moved = marks[0] - marks[1]
    assert marks[0] > 35_000.0
    assert 50.0 < moved < 60.0
    assert margin >= moved


def condor(symbol, size):
    spot, reach = SPOTS[symbol], REACH[symbol]
    return [
        option(right, round(spot * (1 + share * reach)), quantity * size / spot, NEAR, symbol)
        for right, share, quantity in (("call", 0.3, -1), ("call", 0.9, 1), ("put", -0.3, -1), ("put", -0.9, 1))
    ]


@pytest.mark.parametrize("sides", [(-1, -1), (1, 1), (-1, 1), (1, -1)])
def test_cross__condors_in_two_underlyings__cover_what_both_lose_at_once(sides):
    """One of them heavier above, the other below: the signs of their worst rows differ, a crash hits both."""
    legs = condor("ETH", 200_000.0) + condor("BTC", 200_000.0)
    legs[0]["quantity"] *= 1.05
    legs[6]["quantity"] *= 1.05
    margin = required(legs, "CROSS")
    for share in between(0.0, 1.0, 20):
        moves = {name: side * share * REACH[name] for name, side in zip(("ETH", "BTC"), sides, strict=True)}
        lost = loss(legs, moves)
        covered = 1.0 if sides[0] == sides[1] else 1 / 0.6
        assert lost <= margin * covered
    assert loss(legs, {n: -0.9 * REACH[n] for n in REACH}) > 0.3 * margin


def test_cross__short_straddles_beside_a_perpetual__lower_no_requirement():
    alone = required([perp(100.0)], "CROSS")
    straddles = [option(right, SPOTS[s], -100_000.0 / SPOTS[s], NEAR, s) for s in SPOTS for right in ("call", "put")]
    assert required([perp(100.0), *straddles], "CROSS") > alone
    assert required([perp(100.0), *straddles[:2]], "CROSS") > alone
    assert required([perp(100.0), *straddles[2:]], "CROSS") > alone


@pytest.mark.parametrize("centre", [1.3, 1.6, 2.0, 2.4, 2.8])
def test_tail__loss_hidden_between_the_range_and_three_of_it__is_covered(centre):
    """A butterfly whose body lies beyond the range: 669 of margin stood against 10,000 at -36 %."""
    reach = REACH["ETH"]
    low, body, high = (round(2_000.0 * (1 - share * reach)) for share in (centre + 0.3, centre, centre - 0.3))
    legs = [
        option("put", low, -30.0, NEAR),
        option("put", body, 60.0, NEAR),
        option("put", high, -30.0, NEAR),
    ]
    for sign in (1.0, -1.0):
        held = [{**leg, "quantity": sign * leg["quantity"]} for leg in legs]
        margin = required(held, underlying="ETH")
        for move in between(-min(3 * reach, 0.95), -reach, 60):
            assert loss(held, move, "flat") * reach / -move <= margin
            assert loss(held, move, "up") * reach / -move <= margin
            assert loss(held, move, "down") * reach / -move <= 1.15 * margin


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_calendar__neutral_at_the_spot__is_covered_elsewhere_and_apart(sign):
    """Vega against vega at the money; at +18 % it lost 5.2 times its requirement, with skew 3.8 times."""
    ratio = sqrt(60 / 7)
    legs = [
        option(right, 2_000.0, sign * quantity, expiry)
        for right in ("call", "put")
        for expiry, quantity in ((NEAR, ratio * 10.0), (FAR, -10.0))
    ]
    margin = required(legs, underlying="ETH")
    reach, worst = REACH["ETH"], 0.0
    for move in (*between(-reach, reach, 24), 0.18, -0.18):
        for near in ("up", "flat", "down"):
            for far in ("up", "flat", "down"):
                lost = loss(legs, move, {NEAR: near, FAR: far})
                assert lost <= (1.0 if near == far else 1.45) * margin
                worst = max(worst, lost)
            for skew in (0.25, -0.25):
                assert loss(legs, move, near, skew) <= 1.35 * margin
    assert worst > 0.5 * margin


@pytest.mark.parametrize("quantity", [10.0, 1e4, 1e6])
@pytest.mark.parametrize("symbol", ["ETH", "BTC"])
def test_standard__any_size_and_coin__needs_what_single_needs(symbol, quantity):
    """A million ETH of perpetuals needed 2.0e8 here and 7.99e9 there."""
    for leg in (perp(quantity, symbol), option("put", SPOTS[symbol], -quantity, NEAR, symbol)):
        assert required([leg], "STANDARD") >= required([leg], "SINGLE") * (1 - 1e-9)
    assert required([perp(1e6)], "STANDARD") > 2e9
