"""The whole risk model in 50-digit arithmetic, read straight from the JSON documents.

Written from the text of the model, without the package: two implementations that agree are evidence,
one that is compared with itself is not. Numbers of the documents are the doubles that they denote.
"""

from collections import defaultdict
from itertools import pairwise

from mpmath import mp, mpf

DAY = mpf(86_400)
YEAR = 365 * DAY
HALF = mpf(1) / 2

DEFAULTS = {
    "priceRange": "0.25", "volUp": "0.5", "volDown": "0.25", "volFloor": "0.4", "basisMin": "0.003",
    "basisRate": "0.05", "perpBasis": "0.002", "vegaTermRate": "0.5", "shortMinRate": "0.01",
    "concRate": "0.1", "concVegaRate": "0.1", "N0": "50e6", "V0": "5e6", "mmFactor": "0.8", "imFactor": "1",
    "pegThreshold": "0.99", "pegSlope": "4", "confThreshold": "0.55", "confRate": "1", "rhoHigh": "0.9",
    "rhoLow": "0.4", "stressShare": "0.6",
}  # fmt: skip
BY_SYMBOL = {"ETH": {"priceRange": "0.18"}, "BTC": {"priceRange": "0.16", "N0": "100e6"}}


def parameter(params, name, symbol=None):
    given = params.get(name)
    if isinstance(given, dict):
        given = given.get(symbol)
    if given is not None:
        return mpf(given)
    # A default is the double nearest to its decimals, as in any program that reads the documents.
    return mpf(float(BY_SYMBOL.get(symbol, {}).get(name, DEFAULTS[name])))


def book_rows(params, symbol):
    """Rows (price move, vol state, skew, weight) in the order of the book."""
    reach = parameter(params, "priceRange", symbol)
    rows = []
    if params.get("book", "default") == "span":
        for numerator in (0, 1, -1, 2, -2, 3, -3):
            rows += [(reach * numerator / 3, vol, mpf(0), mpf(1)) for vol in ("up", "down")]
        return [*rows, (2 * reach, "flat", mpf(0), mpf(0.35)), (-2 * reach, "flat", mpf(0), mpf(0.35))]
    for numerator in (0, 1, -1, 2, -2, 3, -3, 4, -4):
        rows += [(reach * numerator / 4, vol, mpf(0), mpf(1)) for vol in ("up", "flat", "down")]
    rows += [(mpf(0), "flat", mpf("0.25"), mpf(1)), (mpf(0), "flat", mpf("-0.25"), mpf(1))]
    return [*rows, (3 * reach, "up", mpf(0), mpf(0.35)), (-3 * reach, "up", mpf(0), mpf(0.35))]


def black(right, discount, forward, strike, std):
    """Discounted (price, delta)."""
    sign = 1 if right == "call" else -1
    if std == 0:
        inside = sign * (forward - strike)
        delta = HALF if inside == 0 else mpf(inside > 0)
        return discount * max(inside, mpf(0)), discount * sign * delta
    d1 = mp.log(forward / strike) / std + std / 2
    delta = mp.ncdf(sign * d1)
    return discount * sign * (forward * delta - strike * mp.ncdf(sign * (d1 - std))), discount * sign * delta


def horizon_factor(seconds):
    power = mpf(0.30) if seconds <= 30 * DAY else mpf(0.13)
    return (30 * DAY / max(mpf(seconds), DAY)) ** power


class OptionUnit:
    """One option: value, greeks, and its value under any row."""

    def __init__(self, market, params, position):
        symbol = position["underlying"]
        (slice_,) = [e for e in market["underlyings"][symbol]["expiries"] if e["expiry"] == position["expiry"]]
        self.right, self.strike, self.forward = position["right"], mpf(position["strike"]), mpf(slice_["forward"])
        self.time = mpf(position["expiry"] - market["timestamp"]) / YEAR
        rate = mpf(slice_["rate"])
        self.discount = mp.exp(-rate * self.time)
        self.k = mp.log(self.strike / self.forward)
        svi = {key: mpf(value) for key, value in slice_["svi"].items()}
        x = self.k - svi["m"]
        variance = max(svi["a"] + svi["b"] * (svi["rho"] * x + mp.sqrt(x**2 + svi["sigma"] ** 2)), mpf(0))
        self.sigma = mp.sqrt(variance / self.time) if self.time else mpf(0)
        self.g = horizon_factor(position["expiry"] - market["timestamp"])
        self.vol_up, self.vol_down, self.vol_floor = (
            parameter(params, key, symbol) for key in ("volUp", "volDown", "volFloor")
        )
        self.value, self.delta = self.at(self.forward, self.sigma)
        std = self.sigma * mp.sqrt(self.time)
        self.gamma = self.vega = self.theta = mpf(0)
        if std > 0:
            density = mp.npdf(mp.log(self.forward / self.strike) / std + std / 2)
            self.gamma = self.discount * density / (self.forward * std)
            self.vega = self.discount * self.forward * density * mp.sqrt(self.time)
            decay = -self.discount * self.forward * density * self.sigma / (2 * mp.sqrt(self.time))
            self.theta = decay + rate * self.value

    def at(self, forward, sigma):
        return black(self.right, self.discount, forward, self.strike, sigma * mp.sqrt(self.time))

    def under(self, row):
        move, vol, skew, _ = row
        sigma = self.sigma
        if vol == "up":
            sigma = max(self.vol_floor, sigma * (1 + self.vol_up * self.g))
        elif vol == "down":
            sigma *= max(mpf(0), 1 - self.vol_down * self.g)
        reach = mpf(0.6) * mp.sqrt(max(self.time, DAY / YEAR))
        sigma *= 1 + skew * max(mpf(-1), min(mpf(1), self.k / reach))
        return self.at(self.forward * (1 + move), sigma)


def intervals(rows):
    """Pairs of row numbers: neighbouring prices of one vol state, skew 0 and weight 1."""
    found = []
    for state in ("up", "flat", "down"):
        nodes = sorted((r[0], j) for j, r in enumerate(rows) if r[1] == state and r[2] == 0 and r[3] == 1)
        found += [(low[1], high[1]) for low, high in pairwise(nodes)]
    return found


def linear_terms(market, position):
    """(discount, reference price) of a future or the perpetual."""
    underlying = market["underlyings"][position["underlying"]]
    if position["kind"] == "perp":
        return mpf(1), mpf(underlying["perp"])
    (slice_,) = [e for e in underlying["expiries"] if e["expiry"] == position["expiry"]]
    time = mpf(position["expiry"] - market["timestamp"]) / YEAR
    return mp.exp(-mpf(slice_["rate"]) * time), mpf(slice_["forward"])


def linked_units(market, portfolio, symbol):
    total = mpf(0)
    for item in portfolio.get("collateral", []):
        token = market["tokens"][item["token"]]
        if token.get("linked") == symbol:
            total += mpf(item["amount"]) * mpf(token.get("ratio", 1))
    return total


def underlying_margin(market, portfolio, params, symbol):  # noqa: C901 - one formula after the other, as in the text
    def p(name):
        return parameter(params, name, symbol)

    rows, spot = book_rows(params, symbol), mpf(market["underlyings"][symbol]["spot"])
    units = linked_units(market, portfolio, symbol)
    pnl = [row[3] * units * spot * row[0] for row in rows]
    gaps = defaultdict(mpf)
    net_by_expiry, w_by_expiry = defaultdict(mpf), defaultdict(mpf)
    perp_cash, short, gross, mark, vega = mpf(0), mpf(0), mpf(0), mpf(0), mpf(0)
    greeks = {"delta": units, "gamma": mpf(0), "vega": mpf(0), "theta": mpf(0)}
    by_expiry = defaultdict(lambda: dict.fromkeys(greeks, mpf(0)))
    by_expiry[0]["delta"] = units
    for position in portfolio["positions"]:
        if position["underlying"] != symbol:
            continue
        quantity = mpf(position["quantity"])
        gross += spot * abs(quantity)
        if position["kind"] != "option":
            discount, price = linear_terms(market, position)
            pnl = [old + row[3] * quantity * discount * price * row[0] for old, row in zip(pnl, rows, strict=True)]
            greeks["delta"] += quantity * discount
            by_expiry[position.get("expiry", 0)]["delta"] += quantity * discount
            mark += quantity * discount * (price - mpf(position["entry"]))
            if position["kind"] == "perp":
                perp_cash += quantity * price
            else:
                net_by_expiry[position["expiry"]] += quantity * discount * price
            continue
        option = OptionUnit(market, params, position)
        nodes = [option.under(row) for row in rows]
        pnl = [
            old + row[3] * quantity * (node[0] - option.value) for old, row, node in zip(pnl, rows, nodes, strict=True)
        ]
        for low, high in intervals(rows):
            (v0, d0), (v1, d1) = nodes[low], nodes[high]
            if quantity > 0 and d1 != d0:
                step = option.forward * (rows[high][0] - rows[low][0])
                chord = (v1 - v0) / step
                gaps[low, high] += quantity * step * (d1 - chord) * (chord - d0) / (d1 - d0)
        for name in greeks:
            greeks[name] += quantity * getattr(option, name)
            by_expiry[position["expiry"]][name] += quantity * getattr(option, name)
        net_by_expiry[position["expiry"]] += quantity * option.delta * option.forward
        w_by_expiry[position["expiry"]] += quantity * option.vega * option.sigma * option.vol_up * option.g
        vega += quantity * option.vega
        mark += quantity * option.value
        short += max(mpf(0), -quantity)
    scan = max(mpf(0), -min(pnl))
    certified = scan
    for low, high in intervals(rows):
        certified = max(certified, max(-pnl[low], -pnl[high]) + gaps[low, high])
    basis = abs(perp_cash) * p("perpBasis")
    for expiry, net in net_by_expiry.items():
        time = mpf(expiry - market["timestamp"]) / YEAR
        basis += abs(net) * max(p("basisMin"), mp.exp(p("basisRate") * time) - 1)
    vega_term = p("vegaTermRate") * (sum(map(abs, w_by_expiry.values())) - abs(sum(w_by_expiry.values())))
    short_min = p("shortMinRate") * spot * short
    net = sum(net_by_expiry.values()) + perp_cash + units * spot
    concentration = p("concRate") * max(mpf(0), abs(net) - p("N0")) ** 2 / p("N0")
    concentration += p("concVegaRate") * max(mpf(0), abs(vega) - p("V0")) ** 2 / p("V0")
    return {
        "scan": scan, "certifiedScan": certified, "basis": basis, "vegaTerm": vega_term, "shortMin": short_min,
        "concentration": concentration, "requirement": max(certified + basis + vega_term, short_min) + concentration,
        "worstRow": pnl.index(min(pnl)), "pnl": pnl, "rows": rows, "greeks": greeks, "mark": mark, "gross": gross,
        "byExpiry": by_expiry,
    }  # fmt: skip


def standard_position(market, params, position):
    """(IM, MM, value that counts in equity) of one position on its own."""
    spot, quantity = mpf(market["underlyings"][position["underlying"]]["spot"]), mpf(position["quantity"])
    if position["kind"] != "option":
        discount, price = linear_terms(market, position)
        value = quantity * discount * (price - mpf(position["entry"]))
        return mpf(0.10) * price * abs(quantity), mpf(0.065) * price * abs(quantity), value
    option = OptionUnit(market, params, position)
    if quantity > 0:
        return mpf(0), mpf(0), mpf(0)
    size, strike = -quantity, option.strike
    if option.right == "call":
        otm = max(mpf(0), strike - spot) / spot
        initial, maintenance = max(mpf(0.15) - otm, mpf(0.13)) * spot, mpf(0.09) * spot
    else:
        otm = max(mpf(0), spot - strike) / spot
        maintenance = mpf(0.09) * max(spot, option.value)
        initial = max(max(mpf(0.15) - otm, mpf(0.13)) * spot, mpf(1.05) * maintenance)
    return initial * size, maintenance * size, quantity * option.value


def total_requirement(parts, params, mode, worst_rows):
    required = {symbol: part["requirement"] for symbol, part in parts.items()}
    plain = sum(required.values())
    if mode == "SINGLE":
        return plain
    square = mpf(0)
    for u in parts:
        for v in parts:
            if u == v:
                rho = mpf(1)
            else:
                direction = mp.sign(parts[u]["rows"][worst_rows[u]][0]) * mp.sign(parts[v]["rows"][worst_rows[v]][0])
                rho = -parameter(params, "rhoLow") if direction < 0 else parameter(params, "rhoHigh")
            square += rho * required[u] * required[v]
    return max(mp.sqrt(max(square, mpf(0))), parameter(params, "stressShare") * plain)


def margin(market, portfolio, params=None, worst_rows=None):
    """Every number of the margin document; ``worst_rows`` settles ties of CROSS by another's choice."""
    mp.dps = 50
    params, mode = params or {}, portfolio["mode"]
    parts = {symbol: underlying_margin(market, portfolio, params, symbol) for symbol in market["underlyings"]}
    conf_charge = mpf(0)
    for symbol, part in parts.items():
        confidence = mpf(market["underlyings"][symbol]["confidence"])
        if confidence < parameter(params, "confThreshold"):
            conf_charge += (1 - confidence) * parameter(params, "confRate") * part["gross"]
    mark = sum(part["mark"] for part in parts.values())
    if mode == "STANDARD":
        singles = [standard_position(market, params, position) for position in portfolio["positions"]]
        initial, maintenance, counted = (sum(s[i] for s in singles) for i in range(3))
    else:
        rows = worst_rows or {symbol: part["worstRow"] for symbol, part in parts.items()}
        total = total_requirement(parts, params, mode, rows)
        initial, maintenance = parameter(params, "imFactor") * total, parameter(params, "mmFactor") * total
        counted = mark
    off_peg = max(mpf(0), parameter(params, "pegThreshold") - mpf(market["tokens"]["USDC"]["price"]))
    initial = initial * (1 + parameter(params, "pegSlope") * off_peg) + conf_charge
    equity, market_equity = mpf(portfolio["cash"]) + counted, mpf(portfolio["cash"]) + mark
    for item in portfolio.get("collateral", []):
        token, amount = market["tokens"][item["token"]], mpf(item["amount"])
        name = "linkedHaircut" if "linked" in token and mode != "STANDARD" else "haircut"
        equity += amount * mpf(token["price"]) * (1 - mpf(token.get(name, 0)))
        market_equity += amount * mpf(token["price"])
    return {
        "equity": equity, "marketEquity": market_equity, "markToMarket": mark, "initialMargin": initial,
        "maintenanceMargin": maintenance, "excessInitial": equity - initial, "excessMaintenance": equity - maintenance,
        "gross": sum(part["gross"] for part in parts.values()), "underlyings": parts,
    }  # fmt: skip
