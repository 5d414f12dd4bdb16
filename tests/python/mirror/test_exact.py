"""The float mirror against the 50-digit implementation, every field, all modes."""

from helpers.documents import cases, load
from hypothesis import given, settings
from oracle import margin_exact

from plimsoll.mirror.margin_engine import evaluate

ACCOUNT_FIELDS = (
    "equity", "marketEquity", "markToMarket", "initialMargin", "maintenanceMargin", "excessInitial",
    "excessMaintenance", "debtCharge",
)  # fmt: skip
PARTS = ("scan", "certifiedScan", "basis", "vegaTerm", "skewTerm", "shortMin", "concentration", "requirement")


def budget(market, portfolio, expected):
    """1e-11 of gross notional; cash, collateral and a quadratic charge beyond it get the rounding of a double."""
    held = abs(portfolio["cash"])
    for item in portfolio.get("collateral", []):
        token = market["tokens"][item["token"]]
        linked = market["underlyings"].get(token.get("linked"), {"spot": 0.0})["spot"]
        # A unit of liquidity stands for at most so many roots of the price; roots cost a few digits.
        worth = 20 * linked**0.5 if "range" in token else linked * token.get("ratio", 1.0)
        held += item["amount"] * (token.get("price", 0.0) + worth)
    required = float(sum(part["requirement"] for part in expected["underlyings"].values()))
    return 1e-11 * float(expected["gross"]) + 1e-14 * held + 2e-15 * required


def greek_units(spot):
    """Tolerance of each greek in units of the cash tolerance."""
    return (("delta", 1 / spot), ("vega", 1), ("theta", 365), ("gamma", 1e3 / spot**2))


def check_part(seen, expected, tolerance, spot):
    for name in PARTS:
        assert abs(seen[name] - expected[name]) <= tolerance, name
    for name, unit in greek_units(spot):
        assert abs(seen["greeks"][name] - expected["greeks"][name]) <= tolerance * unit, name
    assert len(seen["rows"]) == len(expected["rows"])
    for row, rule in zip(seen["rows"], expected["rows"], strict=True):
        assert row["vol"] == rule["vol"]
        assert row["skew"] == rule["skew"]
        for name, slack in (("price", 1e-14), ("weight", 1e-14), ("pnl", tolerance)):
            assert abs(row[name] - rule[name]) <= slack, name
    # The worst row itself, unless rows are equal to within the accuracy of a double.
    worst = expected["rows"][expected["worstRow"]]["pnl"]
    assert expected["rows"][seen["worstRow"]]["pnl"] - worst <= 2 * tolerance


def check_expiries(seen, expected, tolerance, spot):
    assert [found.expiry_ts for found in seen.expiries] == sorted(expected["byExpiry"])
    for found in seen.expiries:
        for name, unit in greek_units(spot):
            exact_value = expected["byExpiry"][found.expiry_ts][name]
            assert abs(getattr(found, name) - exact_value) <= tolerance * unit, (name, found)


def state_of(document):
    if document["marketEquity"] < 0:
        return "insolvent"
    if document["equity"] < document["maintenanceMargin"]:
        return "liquidatable"
    return "margin call" if document["equity"] < document["initialMargin"] else "healthy"


@settings(max_examples=250)
@given(cases(liquidity=True))
def test_evaluate__random_valid_files__every_field_equals_exact_arithmetic(case):
    market, portfolio, params = case
    result = evaluate(*load(market, portfolio, params))
    seen = result.to_json()
    expected = margin_exact.margin(market, portfolio, params)
    tolerance = budget(market, portfolio, expected)
    assert set(seen["underlyings"]) == set(market["underlyings"])
    for symbol, part in seen["underlyings"].items():
        spot = market["underlyings"][symbol]["spot"]
        check_part(part, expected["underlyings"][symbol], tolerance, spot)
        check_expiries(result.underlyings[symbol], expected["underlyings"][symbol], tolerance, spot)
    for name in ACCOUNT_FIELDS:
        assert abs(seen[name] - expected[name]) <= tolerance, name
    closest = min(abs(expected[name]) for name in ("marketEquity", "excessInitial", "excessMaintenance"))
    if closest > tolerance:
        assert seen["state"] == state_of(expected)
