"""What a venue listed in the crash of February 2026, books of it, and the best single trade that a scan of it finds."""

import random
from dataclasses import replace

import numpy as np
from helpers.chains import snapshot_of

from plimsoll.analytics.optimise.limits import Limits
from plimsoll.analytics.optimise.listed import listed_of
from plimsoll.analytics.optimise.trades import excess
from plimsoll.analytics.optimise.universe import TradingCosts, universe_of
from plimsoll.market.chain_file import load_chain
from plimsoll.market.fit.rounds import fit_snapshot
from plimsoll.market.replay.data_folder import find_data
from plimsoll.mirror.margin_engine import evaluate, evaluate_many
from plimsoll.mirror.order_preview import OpenOrder, filled
from plimsoll.model import Kind, Market, Mode, Portfolio, Position, Token
from plimsoll.params import Params

CRASH = "deribit_snapshot_2026-02-05T2129Z_crash.csv.gz"
#: Every so many strikes of the chain: a brute scan of all of them would take minutes.
EVERY = 15
COSTS = TradingCosts(lot=0.1)


def crash_listing():
    """Market and listing of the crash, thinned; a chain that the tests make up where the data is absent.

    The source of the listing says which of the two it is.
    """
    folder = find_data()
    if folder is None or not (folder / CRASH).is_file():
        snapshots, source = [snapshot_of("ETH"), snapshot_of("BTC")], "a made-up chain"
    else:
        snapshots, source = load_chain(folder / CRASH), "the crash"
    rounds = {s.currency: fit_snapshot(s).round for s in snapshots}
    market = Market(snapshots[0].ts, {"USDC": Token("USDC", 1.0, 0.0)}, rounds)
    whole = listed_of(snapshots, market, source)
    thin = {key: quote for n, (key, quote) in enumerate(whole.quotes.items()) if n % EVERY == 0}
    return market, replace(whole, quotes=thin)


def book_of(market, listed, seed):
    """Options that are listed, and perpetuals, of both underlyings."""
    draw = random.Random(seed)
    positions = []
    for name in sorted(market.rounds):
        round_ = market.rounds[name]
        unit = 100_000.0 / round_.spot
        fitted = {surface.expiry_ts for surface in round_.surfaces}
        near = [
            i for u, i in listed.quotes if u == name and i.expiry_ts in fitted and 0.6 < i.strike / round_.spot < 1.6
        ]
        for i in draw.sample(near, min(4, len(near))):
            quantity = round(unit * draw.choice((-4, -2, -1, 1, 2, 4)), 1)
            positions.append(Position(name, i.kind, i.expiry_ts, i.strike, quantity))
        positions.append(Position(name, Kind.PERP, 0, round_.spot, round(unit * draw.choice((-3.0, 3.0)), 1)))
    return Portfolio(Mode.SINGLE, 2e6, {}, tuple(positions))


def best_by_scan(market, folio, listed):
    """Excess that the best trade in one instrument adds: every instrument, and a fine grid of every quantity."""
    base, best = excess(evaluate(market, folio, Params())), 0.0
    before = evaluate(market, folio, Params()).initial_margin
    for candidate in universe_of(market, folio, COSTS, listed):
        tried = []
        for sign, most in ((1.0, candidate.most_bought), (-1.0, candidate.most_sold)):
            sizes = np.unique(np.round(most * np.geomspace(2e-3, 1.0, 24), 1))
            tried += [sign * size for size in sizes if size > 0.0]
        orders = [
            OpenOrder(replace(candidate.position, quantity=float(q)), candidate.limit_price(q > 0.0)) for q in tried
        ]
        if not orders:
            continue
        for quantity, result in zip(
            tried, evaluate_many(market, [filled(folio, [order]) for order in orders], Params()), strict=True
        ):
            cost = quantity * (candidate.limit_price(quantity > 0.0) - candidate.price)
            if before - result.initial_margin >= Limits().worth * cost:
                best = max(best, excess(result) - base)
    return best
