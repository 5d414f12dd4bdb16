"""Suggested trades of ten books that are held on a chain: `preview` confirms them, and the exchange settles them.

A whole installation on a local chain holds the market of the crash of February 2026 (a made-up one where the data is
absent). Each book is opened leg by leg through signed orders, read back from the contracts, and given to the optimiser
with what the venue listed at that moment.
"""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from helpers.listed_books import COSTS, best_by_scan, book_of, crash_listing

import plimsoll as pm
from plimsoll.analytics.optimise.limits import Limits
from plimsoll.analytics.optimise.release import release
from plimsoll.chain import anvil
from plimsoll.chain.client import Client
from plimsoll.chain.signing import domain_of, sign, struct_types
from plimsoll.constants import AGREEMENT_BOUND
from plimsoll.demo.plan import PlannedTrade
from plimsoll.demo.result import GasBook
from plimsoll.demo.world import MAX_FEE, build_world
from plimsoll.deployment.spec import spec_for_market
from plimsoll.mirror.unit_risk import mark_of
from plimsoll.model import Mode
from plimsoll.params import Params
from plimsoll.protocol.margin_engine import own_prices
from plimsoll.protocol.orders import (
    OrderTerms,
    exchange_domain,
    order_document,
    order_messages,
    preview_changes,
)
from plimsoll.protocol.rounds import RoundPoster
from plimsoll.units import wad_to_float

CASH, MAKER_CASH = 2e6, 2e8
#: What the optimiser's best single trade may be worse than the best of a scan.
SHARE_OF_SCAN = 0.98


@pytest.fixture(scope="module")
def venue(tmp_path_factory):
    """The installation with the rounds of the crash, its maker, and a connection that reads it back."""
    market, listed = crash_listing()
    with anvil.running(market.ts) as node:
        world = build_world(Client(node.url), spec_for_market(market, Params(), ()), GasBook())
        poster, relayer = RoundPoster(world.client, world.deployment, world.signers), world.funded_wallet("relayer")
        for one in market.rounds.values():
            poster.send(relayer, poster.round_call(one))
        poster.send(relayer, poster.tokens_call(market.ts, own_prices(market)))
        path = tmp_path_factory.mktemp("deployment") / "D.json"
        world.deployment.save(path)
        maker = world.open("maker", Mode.SINGLE, MAKER_CASH, by_permit=False)
        chain = pm.connect(path, node.url)
        yield SimpleNamespace(world=world, maker=maker, chain=chain, market=market, listed=listed)


def opened(venue, seed):
    """A wallet whose account holds a book, every leg traded at its mark; longs first, which need the least."""
    holder = venue.world.open(f"book {seed}", Mode.SINGLE, CASH, by_permit=False)
    wanted = book_of(venue.market, venue.listed, seed).positions
    for position in sorted(wanted, key=lambda leg: (leg.kind.is_option, -leg.quantity)):
        price = round(mark_of(venue.market.rounds[position.underlying], position.instrument), 2)
        venue.world.trade(holder, venue.maker, PlannedTrade(position, max(price, 0.01)))
    return holder, {(leg.identity, leg.quantity) for leg in wanted}


def excess_of(side):
    """Equity less initial margin of a state as the contracts tell it, cash."""
    return wad_to_float(side.equityWad) - wad_to_float(side.initialWad)


def settle(venue, holder, found, nonce):
    """Sign the written templates as the wallet would, let the maker take the other side, and settle them."""
    exchange, ids = venue.world.contract("Exchange"), venue.world.deployment.underlyings
    primary, types = struct_types(exchange, "settle")
    domain, sides = domain_of(exchange), {}
    expiry_ts = venue.world.client.block_ts() + 3_600
    for who, sign_of, first in ((holder, 1.0, nonce), (venue.maker, -1.0, 10**6 + 1_000 * holder.account_id)):
        orders = [
            replace(t.order, position=replace(t.order.position, quantity=sign_of * t.quantity)) for t in found.trades
        ]
        terms = OrderTerms(who.account_id, who.wallet.address, first, expiry_ts, MAX_FEE)
        held = [t.candidate.held if who is holder else 0.0 for t in found.trades]
        sides[who.name] = order_messages(orders, held, ids, terms, types[primary])
    # What a wallet signs is the document: integers there are strings of digits.
    document = json.loads(json.dumps(order_document(sides[holder.name], exchange_domain(venue.world.deployment))))
    assert [{k: str(v) for k, v in m.items()} for m in document["orders"]] == [
        {k: str(v) for k, v in m.items()} for m in sides[holder.name]
    ]
    for taken, made in zip(sides[holder.name], sides[venue.maker.name], strict=True):
        signatures = [sign(who.wallet, domain, primary, types, m) for who, m in ((venue.maker, made), (holder, taken))]
        values = (made, signatures[0], taken, signatures[1], taken["quantityWad"])
        exchange.send(venue.maker.wallet, "settle", *values)


@pytest.mark.parametrize("seed", range(10))
def test_preview_confirms_what_is_suggested_and_the_exchange_settles_it(venue, seed):
    holder, wanted = opened(venue, seed)
    market, folio = venue.chain.market(), venue.chain.portfolio(holder.account_id)
    assert {(leg.identity, leg.quantity) for leg in folio.positions} == wanted
    engine, ids = venue.world.contract("MarginEngine"), venue.world.deployment.underlyings

    one = release(market, folio, Params(), COSTS, Limits(trades=1), (), venue.listed)
    assert one.released >= SHARE_OF_SCAN * best_by_scan(market, folio, venue.listed)

    three = release(market, folio, Params(), COSTS, Limits(trades=3), (), venue.listed)
    assert three.released >= one.released > 0.0
    for found in (one, three):
        for trade in found.trades:
            position = trade.candidate.position
            assert not position.kind.is_option or position.identity in venue.listed.quotes
        changes = preview_changes([trade.order for trade in found.trades], ids)
        before, after, *_ = engine.call("preview", holder.account_id, changes)
        bound = AGREEMENT_BOUND * (found.before.gross_notional + found.after.gross_notional)
        for ours, theirs in ((found.before, before), (found.after, after)):
            assert ours.equity == pytest.approx(wad_to_float(theirs.equityWad), abs=bound)
            assert ours.initial_margin == pytest.approx(wad_to_float(theirs.initialWad), abs=bound)
        assert found.released == pytest.approx(excess_of(after) - excess_of(before), abs=bound)

    settle(venue, holder, three, nonce=500)
    state = engine.call("marginOf", holder.account_id)
    assert excess_of(state) - excess_of(before) == pytest.approx(three.released, abs=bound)
    print(f"book {seed} of {venue.listed.source}: {three.released:,.0f} promised, preview and exchange agree")
