"""Section 4: every component of the requirement of one underlying, for a set of positions scaled by expiry."""

from collections import defaultdict

from mpmath import mp, mpf
from oracle.margin_exact.instruments import OptionUnit, linear_value, option_value
from oracle.margin_exact.parameters import parameter
from oracle.margin_exact.rounds import Expiry
from oracle.margin_exact.scenarios import book_of


class Underlying:
    """A round, the parameters and the book of one underlying; option units are made once."""

    def __init__(self, market, params, symbol):
        document = market["underlyings"][symbol]
        self.symbol, self.params = symbol, params
        self.spot, self.perp = mpf(document["spot"]), mpf(document["perp"])
        self.confidence = mpf(document["confidence"])
        mean = document.get("settlementMean")
        self.expiries = {e["expiry"]: Expiry(market["timestamp"], e, mean) for e in document["expiries"]}
        self.reach = self.p("priceRange")
        self.book = book_of(params, self.reach)
        self._units = {}

    def p(self, name):
        return parameter(self.params, name, self.symbol)

    def unit(self, position):
        key = (position["expiry"], position["right"], position["strike"])
        if key not in self._units:
            self._units[key] = OptionUnit(self.expiries[key[0]], key[1], key[2], self.p)
        return self._units[key]

    def value(self, position):
        """Mark of one whole unit."""
        if "right" not in position:
            return linear_value(self, position)
        expiry = self.expiries[position["expiry"]]
        unit = self.unit(position) if expiry.open > 0 else None
        return option_value(expiry, position["right"], position["strike"], unit)


class Holdings:
    """The open quantities of a set of positions, each expiry scaled: what every formula of section 4 reads."""

    def __init__(self, underlying, positions, linked_units, scales, liquidity=()):
        self.u, self.linked, self.liquidity = underlying, linked_units, liquidity
        self.perps = sum((mpf(q["quantity"]) for q in positions if "expiry" not in q), mpf(0))
        self.options, self.futures, self.values = defaultdict(mpf), defaultdict(mpf), defaultdict(mpf)
        for position in positions:
            if "expiry" not in position:
                continue
            ts = position["expiry"]
            expiry = underlying.expiries[ts]
            whole = mpf(position["quantity"]) * scales.get(ts, 1)
            self.values[ts] += whole * underlying.value(position)
            if expiry.open == 0:
                continue
            if "right" in position:
                self.options[ts, position["strike"], position["right"]] += whole * expiry.open
            else:
                self.futures[ts] += whole * expiry.open

    def units(self, ts):
        """(quantity, unit) of every option series of one expiry."""
        for (at, strike, right), quantity in self.options.items():
            if at == ts:
                yield quantity, self.u.unit({"expiry": ts, "right": right, "strike": strike})

    @property
    def dates(self):
        return sorted(self.values)


def tokens_of_liquidity(price, lower, upper):
    """(units of the underlying, cash) of one unit of liquidity between two prices."""
    root = mp.sqrt(min(max(price, mpf(lower)), mpf(upper)))
    return 1 / root - 1 / mp.sqrt(mpf(upper)), root - mp.sqrt(mpf(lower))


def worth_of_liquidity(price, lower, upper):
    units, cash = tokens_of_liquidity(price, lower, upper)
    return units * price + cash


def linear_pnl(h, move):
    """``lin(x)``: futures, perpetual and linked collateral; and what liquidity earns, whatever the volatility."""
    futures = sum((q * h.u.expiries[ts].discount * h.u.expiries[ts].forward for ts, q in h.futures.items()), mpf(0))
    straight = (futures + h.perps * h.u.perp + h.linked * h.u.spot) * move
    before, after = h.u.spot, h.u.spot * (1 + move)
    return straight + sum(
        (
            amount * (worth_of_liquidity(after, *ends) - worth_of_liquidity(before, *ends))
            for amount, ends in h.liquidity
        ),
        mpf(0),
    )


def option_pnl(h, ts, move, vol, c=0):
    """``P_e,v(x)``, with a skew where one is asked for."""
    return sum((q * (unit.under(move, vol, c)[0] - unit.value) for q, unit in h.units(ts)), mpf(0))


def gap_of_unit(unit, low, high, vol):
    """How far a long option may lie below its chord between two prices."""
    (v0, d0), (v1, d1) = unit.under(low, vol), unit.under(high, vol)
    if d1 == d0:
        return mpf(0)
    h = unit.forward * (high - low)
    chord = (v1 - v0) / h
    return h * (d1 - chord) * (chord - d0) / (d1 - d0)


def long_gap(h, ts, interval, vol):
    """``sum_long q*gap`` of one expiry, calls and puts of a strike netted first (their gap is the same)."""
    by_strike = defaultdict(mpf)
    units = {}
    for quantity, unit in h.units(ts):
        by_strike[unit.strike] += quantity
        units[unit.strike] = unit
    return sum(
        (q * gap_of_unit(units[k], interval.low, interval.high, vol) for k, q in by_strike.items() if q > 0), mpf(0)
    )


def ends(interval):
    return ((interval.low, interval.low_weight), (interval.high, interval.high_weight))


def node_pnl(h):
    """Weighted P&L of every node, in the order of the book."""
    return [
        node.weight
        * (linear_pnl(h, node.move) + sum((option_pnl(h, ts, node.move, node.vol) for ts in h.dates), mpf(0)))
        for node in h.u.book.nodes
    ]


def certified_rows(h):
    """Bound of the loss per interval, vol state and end: weighted loss of the end and the gaps of the interval."""
    rows = []
    for interval in h.u.book.intervals:
        widest = max(interval.low_weight, interval.high_weight)
        for vol in interval.states:
            gap = sum((long_gap(h, ts, interval, vol) for ts in h.dates), mpf(0))
            for move, weight in ends(interval):
                loss = -linear_pnl(h, move) - sum((option_pnl(h, ts, move, vol) for ts in h.dates), mpf(0))
                rows.append(weight * loss + widest * gap)
    return rows


def non_parallel_rows(h):
    """Bounds behind ``C_non``: every expiry in its own worst vol state, linear P&L once."""
    rows = []
    for interval in h.u.book.intervals:
        widest = max(interval.low_weight, interval.high_weight)
        for move, weight in ends(interval) if interval.states else ():
            loss = -weight * linear_pnl(h, move)
            for ts in h.dates:
                loss += max(
                    -weight * option_pnl(h, ts, move, vol) + widest * long_gap(h, ts, interval, vol)
                    for vol in interval.states
                )
            rows.append(loss)
    return rows


def skew_loss(h, ts, move, vol):
    """What the worse side of a pair costs one expiry beyond the pair's own node."""
    before, c = option_pnl(h, ts, move, vol), h.u.book.size
    return max(mpf(0), *(before - option_pnl(h, ts, move, vol, side) for side in (c, -c)))


def skew_term(h):
    """``skewTerm``: what the skew takes from each expiry, at the worst of the pairs' places."""
    places = [sum((skew_loss(h, ts, move, vol) for ts in h.dates), mpf(0)) for move, vol in h.u.book.places]
    return h.u.p("skewRate") * max(places, default=mpf(0))


def cash_delta(h, ts):
    """``N_e``: net cash delta of one expiry."""
    expiry = h.u.expiries[ts]
    options = sum((q * unit.delta * unit.forward for q, unit in h.units(ts)), mpf(0))
    return options + h.futures[ts] * expiry.discount * expiry.forward


def basis(h):
    """Moves of forward and discount of each expiry, and of the perpetual's premium."""
    total = abs(h.perps * h.u.perp) * h.u.p("perpBasis")
    for ts in h.dates:
        expiry, net = h.u.expiries[ts], cash_delta(h, ts)
        cash_leg = abs(net - h.values[ts]) * expiry.open
        total += max(abs(net), cash_leg) * max(h.u.p("basisMin"), mp.exp(h.u.p("basisRate") * expiry.T) - 1)
    return total


def short_min(h):
    """A floor per short option, netted per series."""
    return h.u.p("shortMinRate") * h.u.spot * sum((max(mpf(0), -q) for q in h.options.values()), mpf(0))


def concentration(h, certified):
    """What size costs beyond a threshold, in delta (or risk) and in vega."""
    p = h.u.p
    units = h.linked + sum((amount * tokens_of_liquidity(h.u.spot, *ends)[0] for amount, ends in h.liquidity), mpf(0))
    net = sum((cash_delta(h, ts) for ts in h.dates), mpf(0)) + h.perps * h.u.perp + units * h.u.spot
    vega = abs(sum((q * unit.vega for ts in h.dates for q, unit in h.units(ts)), mpf(0)))
    size = max(abs(net), certified / h.u.reach)
    return min(size, p("concRate") * max(mpf(0), size - p("N0")) ** 2 / p("N0")) + min(
        vega, p("concVegaRate") * max(mpf(0), vega - p("V0")) ** 2 / p("V0")
    )


def combine(c):
    """``R_u`` of the components of a set."""
    return max(c["certifiedScan"] + c["basis"] + c["vegaTerm"] + c["skewTerm"], c["shortMin"]) + c["concentration"]


def components(underlying, positions, linked_units, scales, liquidity=()):
    """Every component of section 4, with the rows that CROSS adds up."""
    h = Holdings(underlying, positions, linked_units, scales, liquidity)
    pnl, certified, non_parallel = node_pnl(h), certified_rows(h), non_parallel_rows(h)
    losses = [-x for x in pnl]
    c = {"pnl": pnl, "certifiedRows": losses + certified, "nonParallelRows": non_parallel}
    c["scan"] = max([mpf(0), *losses])
    c["certifiedScan"] = max([mpf(0), *c["certifiedRows"]])
    c["nonParallel"] = max([mpf(0), *non_parallel])
    c["vegaTerm"] = underlying.p("vegaTermRate") * (c["nonParallel"] - c["certifiedScan"])
    c["skewTerm"], c["basis"], c["shortMin"] = skew_term(h), basis(h), short_min(h)
    c["concentration"] = concentration(h, c["certifiedScan"])
    c["requirement"] = combine(c)
    return c
