"""Sections 5 to 7: cut-offs, the three modes, margins, equity and state."""

from collections import defaultdict
from functools import partial

from mpmath import mp, mpf
from oracle.margin_exact.parameters import parameter
from oracle.margin_exact.requirement import (
    Holdings,
    Underlying,
    combine,
    components,
    linear_pnl,
    option_pnl,
    tokens_of_liquidity,
    worth_of_liquidity,
)

DAY_SECONDS = 86_400


def ends_of(document):
    """Prices between which a token's liquidity lies."""
    return document["range"]["lower"], document["range"]["upper"]


def fall_of_liquidity(underlying, lower, upper):
    """The most that it loses alone at a weighted node, as a share of what it is worth."""
    now = worth_of_liquidity(underlying.spot, lower, upper)
    after = [
        (n.weight, worth_of_liquidity(underlying.spot * (1 + n.move), lower, upper)) for n in underlying.book.nodes
    ]
    return max([mpf(0), *(weight * (now - worth) for weight, worth in after)]) / now


class Account:
    """The documents of one account, taken apart."""

    def __init__(self, market, portfolio, params):
        self.market, self.params, self.mode = market, params, portfolio["mode"]
        self.cash = mpf(portfolio["cash"])
        self.collateral = [(item["token"], mpf(item["amount"])) for item in portfolio.get("collateral", [])]
        self.underlyings = {symbol: Underlying(market, params, symbol) for symbol in market["underlyings"]}
        self.positions = {symbol: [] for symbol in self.underlyings}
        for position in portfolio["positions"]:
            self.positions[position["underlying"]].append(position)
        self._seen = {}

    def linked(self, symbol):
        """Units of an underlying that the collateral is."""
        held = [(self.market["tokens"][token], amount) for token, amount in self.collateral]
        plain = [(amount, t) for t, amount in held if t.get("linked") == symbol and "range" not in t]
        return sum((amount * mpf(t.get("ratio", 1)) for amount, t in plain), mpf(0))

    def liquidity(self, symbol):
        """(amount, (lower, upper)) of the collateral that is liquidity of an underlying."""
        held = [(self.market["tokens"][token], amount) for token, amount in self.collateral]
        return [(amount, ends_of(t)) for t, amount in held if t.get("linked") == symbol and "range" in t]

    def expiries(self, symbol):
        return {q["expiry"] for q in self.positions[symbol] if "expiry" in q}

    def scales(self, symbol, cutoff):
        """What each expiry keeps at a cut-off: ``1 - omega`` at or before it."""
        return {ts: 1 - self.underlyings[symbol].expiries[ts].omega for ts in self.expiries(symbol) if ts <= cutoff}

    def components(self, symbol, cutoff):
        """Components of the whole set of one underlying at a cut-off (0 is none)."""
        key = (symbol, cutoff)
        if key not in self._seen:
            self._seen[key] = components(
                self.underlyings[symbol], self.positions[symbol], self.linked(symbol), self.scales(*key),
                self.liquidity(symbol),
            )  # fmt: skip
        return self._seen[key]

    def cutoffs(self, symbols):
        """None (0), then each expiry nearer than 24 hours that the account holds in any of some underlyings."""
        near = {ts for s in symbols for ts in self.expiries(s) if self.underlyings[s].expiries[ts].tau < DAY_SECONDS}
        return [0, *sorted(near)]


def single(account, symbol):
    """(requirement, cut-off) of one underlying, the largest over its cut-offs, the first of equals."""
    found = [(account.components(symbol, t)["requirement"], t) for t in account.cutoffs([symbol])]
    return max(found, key=lambda pair: pair[0])


def joint(account, symbols, cutoff):
    """``R_joint`` of underlyings of one layout: rows added up node by node, charges summed."""
    parts = [account.components(symbol, cutoff) for symbol in symbols]

    def summed(name):
        return sum((part[name] for part in parts), mpf(0))

    def worst(name):
        return max([mpf(0), *(sum(row, mpf(0)) for row in zip(*(part[name] for part in parts), strict=True))])

    certified, non_parallel = worst("certifiedRows"), worst("nonParallelRows")
    rate = max(account.underlyings[symbol].p("vegaTermRate") for symbol in symbols)
    return combine(
        {
            "certifiedScan": certified, "vegaTerm": rate * (non_parallel - certified), "basis": summed("basis"),
            "skewTerm": summed("skewTerm"), "shortMin": summed("shortMin"), "concentration": summed("concentration"),
        }
    )  # fmt: skip


def cross(account):
    """CROSS: a share of the sum and the rest of the joint requirement, the largest over common cut-offs."""
    share, layouts = parameter(account.params, "stressShare"), defaultdict(list)
    for symbol, underlying in account.underlyings.items():
        # Only what is held is added up: another underlying's rate of the vega term means nothing here.
        if account.positions[symbol] or account.linked(symbol) or account.liquidity(symbol):
            layouts[underlying.book.layout].append(symbol)
    totals = []
    for cutoff in account.cutoffs(account.underlyings):
        plain = sum((account.components(s, cutoff)["requirement"] for s in account.underlyings), mpf(0))
        joined = sum((joint(account, symbols, cutoff) for symbols in layouts.values()), mpf(0))
        totals.append(share * plain + (1 - share) * joined)
    return max(totals)


def standard(account, symbol):
    """STANDARD (section 7): every short option, future and perpetual alone, concentration over all of them together."""
    underlying = account.underlyings[symbol]
    needy = [q for q in account.positions[symbol] if q["kind"] != "option" or q["quantity"] < 0]
    alone = [components(underlying, [position], mpf(0), {}) for position in needy]
    held = account.linked(symbol), account.liquidity(symbol)
    together = [
        components(underlying, needy, held[0], account.scales(symbol, t), held[1])["concentration"]
        for t in account.cutoffs([symbol])
    ]
    return sum((c["requirement"] - c["concentration"] for c in alone), mpf(0)) + max(together)


def total_requirement(account):
    """``R`` of the mode, without the debt."""
    if account.mode == "CROSS":
        return cross(account)
    if account.mode == "SINGLE":
        return sum((single(account, symbol)[0] for symbol in account.underlyings), mpf(0))
    return sum((standard(account, symbol) for symbol in account.underlyings), mpf(0))


def gross_notional(account, symbol):
    """Whole quantities at spot, the settlement window included."""
    return account.underlyings[symbol].spot * sum((abs(mpf(q["quantity"])) for q in account.positions[symbol]), mpf(0))


def confidence_charge(account):
    """What a round of low confidence adds to the initial margin."""
    total = mpf(0)
    for symbol, underlying in account.underlyings.items():
        if underlying.confidence < parameter(account.params, "confThreshold"):
            doubt = 1 - underlying.confidence
            total += doubt * parameter(account.params, "confRate") * gross_notional(account, symbol)
    return total


def margins(account, required):
    """(debt charge, IM, MM)."""
    p = partial(parameter, account.params)
    debt_charge = max(mpf(0), -account.cash) * p("debtRate")
    off_peg = max(mpf(0), p("pegThreshold") - mpf(account.market["tokens"]["USDC"]["price"]))
    initial = p("imFactor") * (required + debt_charge) * (1 + p("pegSlope") * off_peg) + confidence_charge(account)
    return debt_charge, initial, p("mmFactor") * (required + debt_charge)


def token_price(account, token):
    """A linked token is worth its share of the round's spot and has no price of its own."""
    document = account.market["tokens"][token]
    if "range" in document:
        return worth_of_liquidity(account.underlyings[document["linked"]].spot, *ends_of(document))
    if "linked" in document:
        return account.underlyings[document["linked"]].spot * mpf(document.get("ratio", 1))
    return mpf(document["price"])


def haircut(account, token):
    """Haircut of a token in the account's mode."""
    document = account.market["tokens"][token]
    plain = mpf(document.get("haircut", 0))
    if "linked" not in document:
        return plain
    linked = mpf(document.get("linkedHaircut", 0))
    if account.mode != "STANDARD":
        return linked
    underlying = account.underlyings[document["linked"]]
    fall = fall_of_liquidity(underlying, *ends_of(document)) if "range" in document else underlying.reach
    return min(mpf(1), max(plain, linked + fall))


def mark_of(account, symbol, counted):
    """Mark to market of one underlying; ``counted`` leaves out what STANDARD does not take as collateral."""
    total = mpf(0)
    for position in account.positions[symbol]:
        if counted and account.mode == "STANDARD" and position["kind"] == "option" and position["quantity"] > 0:
            continue
        total += mpf(position["quantity"]) * account.underlyings[symbol].value(position)
    return total


def equities(account):
    """(equity, market equity, mark to market)."""
    equity = market_equity = account.cash
    mark = sum((mark_of(account, s, counted=False) for s in account.underlyings), mpf(0))
    equity += sum((mark_of(account, s, counted=True) for s in account.underlyings), mpf(0))
    market_equity += mark
    for token, amount in account.collateral:
        worth = amount * token_price(account, token)
        equity += worth * (1 - haircut(account, token))
        market_equity += worth
    return equity, market_equity, mark


def state_of(equity, market_equity, initial, maintenance):
    """Section 6."""
    if market_equity < 0:
        return "insolvent"
    if equity < maintenance:
        return "liquidatable"
    return "margin call" if equity < initial else "healthy"


def greeks_of(account, symbol):
    """Greeks of the open quantities, per expiry (0: perpetual and linked collateral) and in total."""
    underlying = account.underlyings[symbol]
    by_expiry = defaultdict(lambda: dict.fromkeys(("delta", "gamma", "vega", "theta"), mpf(0)))
    by_expiry[0]["delta"] = account.linked(symbol)
    for amount, (lower, upper) in account.liquidity(symbol):
        by_expiry[0]["delta"] += amount * tokens_of_liquidity(underlying.spot, lower, upper)[0]
        if mpf(lower) < underlying.spot < mpf(upper):
            by_expiry[0]["gamma"] -= amount / (2 * mp.sqrt(underlying.spot) ** 3)
    for position in account.positions[symbol]:
        quantity, ts = mpf(position["quantity"]), position.get("expiry", 0)
        if "expiry" not in position:
            by_expiry[0]["delta"] += quantity
            continue
        expiry, found = underlying.expiries[ts], by_expiry[ts]
        if "right" not in position:
            found["delta"] += quantity * expiry.open * expiry.discount
        elif expiry.open > 0:
            for name in found:
                found[name] += quantity * expiry.open * getattr(underlying.unit(position), name)
    total = {name: sum((g[name] for g in by_expiry.values()), mpf(0)) for name in by_expiry[0]}
    return total, dict(by_expiry)


def row_documents(underlying, position_components, account, symbol):
    """Rows of the result: nodes with weighted P&L, then both sides of every skew pair at weight 0."""
    book = underlying.book
    rows = [
        {"price": n.move, "vol": n.vol, "skew": mpf(0), "weight": n.weight, "pnl": pnl}
        for n, pnl in zip(book.nodes, position_components["pnl"], strict=True)
    ]
    h = Holdings(underlying, account.positions[symbol], account.linked(symbol), {}, account.liquidity(symbol))
    for move, vol in book.places:
        for c in (book.size, -book.size):
            pnl = linear_pnl(h, move) + sum((option_pnl(h, ts, move, vol, c) for ts in h.dates), mpf(0))
            rows.append({"price": move, "vol": vol, "skew": c, "weight": mpf(0), "pnl": pnl})
    return rows


def underlying_document(account, symbol):
    """Everything about one underlying: components of the whole set, requirement and cut-off, rows and greeks."""
    whole = account.components(symbol, 0)
    required, cutoff = single(account, symbol)
    total, by_expiry = greeks_of(account, symbol)
    names = ("scan", "certifiedScan", "basis", "vegaTerm", "skewTerm", "shortMin", "concentration")
    return {name: whole[name] for name in names} | {
        "requirement": required, "cutoff": cutoff, "worstRow": whole["pnl"].index(min(whole["pnl"])),
        "rows": row_documents(account.underlyings[symbol], whole, account, symbol), "greeks": total,
        "byExpiry": by_expiry, "mark": mark_of(account, symbol, counted=False),
        "gross": gross_notional(account, symbol),
    }  # fmt: skip


def margin(market, portfolio, params=None):
    """Every number of the margin document of one account, as 50-digit numbers."""
    mp.dps = 50
    account = Account(market, portfolio, params or {})
    required = total_requirement(account)
    debt_charge, initial, maintenance = margins(account, required)
    equity, market_equity, mark = equities(account)
    return {
        "equity": equity, "marketEquity": market_equity, "markToMarket": mark, "initialMargin": initial,
        "maintenanceMargin": maintenance, "excessInitial": equity - initial, "excessMaintenance": equity - maintenance,
        "debtCharge": debt_charge, "requirement": required,
        "state": state_of(equity, market_equity, initial, maintenance),
        "gross": sum((gross_notional(account, s) for s in account.underlyings), mpf(0)),
        "underlyings": {symbol: underlying_document(account, symbol) for symbol in account.underlyings},
    }  # fmt: skip
