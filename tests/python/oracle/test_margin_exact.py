"""The 50-digit implementation against small cases that a reader can follow by hand."""

import math
from statistics import NormalDist

import pytest
from oracle.margin_exact import margin

TS = 1_770_326_940
DAY = 86_400
YEAR = 365 * DAY
RANGE = 0.285
PHI = NormalDist().cdf


def flat(tau, volatility, variance_seconds=None):
    """A flat surface: SVI of one number."""
    seconds = tau - 1_200 if variance_seconds is None else variance_seconds
    return {"a": volatility**2 * seconds / YEAR, "b": 0.0, "rho": 0.0, "m": 0.0, "sigma": 0.1}


def expiry(tau, forward=2_000.0, rate=0.0, volatility=0.6, variance_seconds=None):
    return {"expiry": TS + tau, "forward": forward, "rate": rate, "svi": flat(tau, volatility, variance_seconds)}


def market(*expiries, mean=None, others=None):
    eth = {"spot": 2_000.0, "perp": 2_000.0, "confidence": 1.0, "expiries": list(expiries)}
    if mean is not None:
        eth["settlementMean"] = mean
    tokens = {
        "USDC": {"price": 1.0},
        "WETH": {"haircut": 0.2, "linked": "ETH", "linkedHaircut": 0.02, "ratio": 1.0},
    }
    return {"timestamp": TS, "tokens": tokens, "underlyings": {"ETH": eth} | (others or {})}


def book(*positions, mode="SINGLE", cash=0.0, collateral=()):
    return {"mode": mode, "cash": cash, "positions": list(positions), "collateral": list(collateral)}


def option(right, strike, quantity, tau):
    return {
        "underlying": "ETH", "kind": "option", "right": right, "expiry": TS + tau, "strike": strike,
        "quantity": quantity,
    }  # fmt: skip


def perp(quantity, entry=2_000.0, underlying="ETH"):
    return {"underlying": underlying, "kind": "perp", "quantity": quantity, "entry": entry}


def future(quantity, tau, entry=2_000.0):
    return {"underlying": "ETH", "kind": "future", "expiry": TS + tau, "quantity": quantity, "entry": entry}


def black_call(forward, strike, deviation):
    d1 = math.log(forward / strike) / deviation + deviation / 2
    return forward * PHI(d1) - strike * PHI(d1 - deviation)


def close(seen, expected, tolerance=1e-9):
    assert float(seen) == pytest.approx(expected, rel=tolerance, abs=tolerance)


def test_margin__perpetual__range_and_premium():
    result = margin(market(), book(perp(-3.0, entry=1_990.0)))
    part = result["underlyings"]["ETH"]
    for name, expected in (("scan", 1_710.0), ("certifiedScan", 1_710.0), ("basis", 12.0), ("shortMin", 0.0)):
        close(part[name], expected)
    close(result["initialMargin"], 1_722.0)
    close(result["maintenanceMargin"], 0.8 * 1_722.0)
    close(result["equity"], -30.0)
    assert result["state"] == "insolvent"


def test_margin__book_with_default_rows__order_and_weights():
    rows = margin(market(), book(perp(1.0)))["underlyings"]["ETH"]["rows"]
    assert len(rows) == 15 + 6 + 14
    assert [row["vol"] for row in rows[:3]] == ["up", "flat", "down"]
    close(rows[0]["price"], -RANGE)
    close(rows[15]["price"], -3 * RANGE)
    close(rows[15]["weight"], 1 / 3)
    close(rows[15]["pnl"], -2_000.0 * RANGE)
    close(rows[20]["price"], 3 * RANGE)
    assert [float(row["skew"]) for row in rows[21:23]] == [0.25, -0.25]
    close(rows[21]["weight"], 0.0)
    close(rows[21]["pnl"], -2_000.0 * RANGE)


def test_margin__lone_short_call__worst_node_skew_and_floor():
    tau, strike = 30 * DAY, 2_200.0
    part = margin(market(expiry(tau)), book(option("call", strike, -1.0, tau)))["underlyings"]["ETH"]
    root = math.sqrt((tau - 1_200) / YEAR)
    at_mark = 0.6 * root
    mark, up = black_call(2_000.0, strike, at_mark), 0.6 * (1 + 0.5) * root
    # Weighted by 1 and 1/3: the more the price runs away, the more a short call loses per step.
    reached = max((black_call(2_000.0 * (1 + steps * RANGE), strike, up) - mark) / steps for steps in (1.0, 3.0))
    close(part["scan"], reached)
    close(part["certifiedScan"], reached)
    close(part["vegaTerm"], 0.0)
    close(part["shortMin"], 20.0)
    bent = 0.25 * min(1.0, math.log(strike / 2_000.0) / (0.6 * math.sqrt(tau / YEAR)))
    places = [(move, vol) for move in (1 - RANGE, 1.0, 1 + RANGE) for vol in (0.9, 0.6, 0.45)]
    losses = [
        black_call(2_000.0 * move, strike, vol * root * (1 + bent)) - black_call(2_000.0 * move, strike, vol * root)
        for move, vol in places
    ]
    close(part["skewTerm"], 0.85 * max(losses))
    d1 = math.log(2_000.0 / strike) / at_mark + at_mark / 2
    legs = max(2_000.0 * PHI(d1), strike * PHI(d1 - at_mark))
    close(part["basis"], legs * (math.exp(0.05 * tau / YEAR) - 1))
    close(part["requirement"], reached + part["basis"] + part["skewTerm"])


def test_margin__future_deep_in_profit__discounted_range_and_basis_of_the_cash_leg():
    tau, rate = 200 * DAY, 0.05
    at = expiry(tau, forward=2_050.0, rate=rate)
    part = margin(market(at), book(future(2.0, tau, entry=3_000.0)))["underlyings"]["ETH"]
    discount = math.exp(-rate * tau / YEAR)
    close(part["scan"], 2.0 * discount * 2_050.0 * RANGE)
    close(part["basis"], 2.0 * discount * 3_000.0 * (math.exp(0.05 * tau / YEAR) - 1))
    close(part["mark"], 2.0 * discount * (2_050.0 - 3_000.0))


def test_margin__pair_in_the_window__open_part_only():
    tau, mean = 900, 1_900.0
    found = margin(
        market(expiry(tau, variance_seconds=tau / 3), mean=mean),
        book(option("call", 1_900.0, 1.0, tau), option("put", 1_900.0, -1.0, tau)),
    )
    part = found["underlyings"]["ETH"]
    # Half of the mean is known: a call less a put is half a future at twice the rest of the strike.
    close(part["mark"], 0.5 * (2_000.0 - (1_900.0 - 0.5 * mean) / 0.5))
    close(part["scan"], 0.5 * 2_000.0 * RANGE)
    # At a cut-off this pair counts for nothing, so the requirement is that of the whole set: half a future's range.
    close(part["requirement"], part["certifiedScan"] + part["basis"] + part["skewTerm"])
    close(part["basis"], 0.5 * 2_000.0 * 0.003)
    assert part["cutoff"] == 0


def test_margin__strike_fixed_below_zero__call_is_a_forward_and_put_nothing():
    tau, mean = 180, 2_000.0
    found = margin(
        market(expiry(tau, variance_seconds=tau / 3), mean=mean),
        book(option("call", 1_500.0, 1.0, tau), option("put", 1_500.0, 1.0, tau)),
    )
    part = found["underlyings"]["ETH"]
    close(part["mark"], 0.1 * 2_000.0 + 0.9 * 2_000.0 - 1_500.0)
    close(part["scan"], 0.1 * 2_000.0 * RANGE)
    close(part["skewTerm"], 0.0)
    close(part["greeks"]["delta"], 0.1)


def test_margin__at_expiry__mean_settles_and_nothing_moves():
    found = margin(market(expiry(0, variance_seconds=1), mean=1_950.0), book(option("call", 1_900.0, -2.0, 0)))
    close(found["markToMarket"], -100.0)
    close(found["initialMargin"], 0.0)
    close(found["gross"], 4_000.0)


@pytest.mark.parametrize(("hours", "kept"), [(25, 1.0), (13, 0.5), (2, 0.0), (1, 0.0)])
def test_margin__hedge_about_to_expire__fades_over_a_day(hours, kept):
    tau = hours * 3_600
    part = margin(market(expiry(tau)), book(future(1.0, tau), perp(-1.0)))["underlyings"]["ETH"]
    close(part["scan"], 0.0)
    expected = (1 - kept) * 2_000.0 * RANGE + kept * 2_000.0 * 0.003 + 4.0
    close(part["requirement"], expected)
    assert part["cutoff"] == (0 if kept == 1.0 else TS + tau)


def test_margin__calendar__non_parallel_states_are_charged():
    near, far = 10 * DAY, 90 * DAY
    short, long = option("call", 2_000.0, -2.0, near), option("call", 2_000.0, 1.0, far)
    found = margin(market(expiry(near), expiry(far)), book(short, long))["underlyings"]["ETH"]
    alone = margin(market(expiry(near), expiry(far)), book(short))["underlyings"]["ETH"]
    assert found["vegaTerm"] > 0.02 * found["certifiedScan"]
    assert alone["vegaTerm"] == 0


def two(mode, btc_quantity, **parameters):
    btc = {"spot": 50_000.0, "perp": 50_000.0, "confidence": 1.0, "expiries": []}
    positions = (perp(10.0), perp(btc_quantity, 50_000.0, "BTC"))
    return margin(market(others={"BTC": btc}), book(*positions, mode=mode), parameters)


def test_margin__cross__same_direction_adds_and_opposite_offsets():
    eth, btc = 10.0 * 2_000.0, 50_000.0 * 0.2
    apart = eth * (RANGE + 0.002) + btc * (0.23 + 0.002)
    close(two("CROSS", 0.2)["initialMargin"], apart)
    close(two("SINGLE", -0.2)["initialMargin"], apart)
    together = eth * RANGE - btc * 0.23 + 0.002 * (eth + btc)
    close(two("CROSS", -0.2)["initialMargin"], 0.6 * apart + 0.4 * together)


def test_margin__cross_of_two_layouts__no_offset():
    # At 0.4 the outer tail is clamped: its multiple differs from the other underlying's.
    result = two("CROSS", -0.2, priceRange={"ETH": 0.4})
    close(result["initialMargin"], 20_000.0 * 0.402 + 10_000.0 * 0.232)


def test_margin__standard__no_offset_long_option_and_linked_token():
    tau = 30 * DAY
    positions = (option("call", 2_000.0, 1.0, tau), perp(1.0), perp(-1.0) | {"entry": 1_990.0})
    at = market(expiry(tau))
    result = margin(at, book(*positions, mode="STANDARD", collateral=[{"token": "WETH", "amount": 2.0}]))
    close(result["initialMargin"], 2 * 2_000.0 * (RANGE + 0.002))
    close(result["equity"], 4_000.0 * (1 - 0.305) - 10.0)
    close(result["marketEquity"], 4_000.0 - 10.0 + float(result["markToMarket"]) + 10.0)


def test_margin__debt__charged_once_after_the_mode():
    result = margin(market(), book(perp(1.0), cash=-1_000.0))
    close(result["debtCharge"], 3.0)
    close(result["initialMargin"], 2_000.0 * 0.287 + 3.0)
    close(result["maintenanceMargin"], 0.8 * (2_000.0 * 0.287 + 3.0))


def test_margin__size_beyond_threshold__charged_on_risk_as_well_as_delta():
    result = margin(market(), book(perp(50_000.0)))["underlyings"]["ETH"]
    close(result["concentration"], 0.1 * (100e6 - 50e6) ** 2 / 50e6)
    huge = margin(market(), book(perp(5_000_000.0)))["underlyings"]["ETH"]
    close(huge["concentration"], 1e10)


def test_margin__clamped_tail__counts_once_with_its_own_weight():
    params = {"priceRange": 0.5}
    rows = margin(market(), book(perp(1.0)), params)["underlyings"]["ETH"]["rows"]
    tails = [float(row["price"]) for row in rows[15:] if float(row["weight"]) > 0]
    assert tails == pytest.approx([-0.95] * 3 + [1.5] * 3)
    close(rows[15]["weight"], 0.5 / 0.95)
