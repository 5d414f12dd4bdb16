"""Accounts.transferSlice finds what the receiver holds of each instrument: drawn holdings against a dictionary.

Instruments are neighbours: of two of them a strike, a kind or an expiry alone differs, mostly in one bit.
"""

from __future__ import annotations

import random

import pytest

from plimsoll.model import Kind
from tests.chain.helpers.ledger import WAD, future, option, perp, stored_total, words
from tests.chain.proof import integers as exact

FRACTIONS = (WAD, WAD // 2, WAD // 3, 1, WAD - 1, 7 * WAD // 10)


def instruments(expiry):
    strikes = (2_000, 2_000 + 1e-8, 2_001)
    found = [option(e, k, kind) for e in (expiry, expiry + 1) for k in strikes for kind in (Kind.CALL, Kind.PUT)]
    return [*found, future(expiry), future(expiry + 1), perp()]


def held(ledger, account):
    """Words of an account by instrument, none of which may be there twice."""
    found = {exact.unpack(word)[-1]: word for word in words(ledger, account)}
    assert len(found) == len(words(ledger, account))
    return found


def sliced(source, target, fraction):
    """Both accounts after a slice, by instrument; no word where nothing is left."""
    left, grown = {}, dict(target)
    for instrument, word in source.items():
        *_, price, quantity, _, _ = exact.unpack(word)
        part = abs(quantity) * fraction // WAD * (1 if quantity > 0 else -1)
        left[instrument] = word - word % 2**128 + (quantity - part) % 2**128
        grown[instrument] = exact.merge(grown.get(instrument, word - word % 2**128), part, price, {})[0]
    return [{i: w for i, w in side.items() if w % 2**128} for side in (left, grown)]


def trade(ledger, module, account, other, instrument, draw):
    quantity = draw.randrange(1, 50) * WAD // 7
    pair = draw.sample((account, other), 2)
    price = draw.randrange(1, 3_000) * WAD
    ledger.applyTrade((*pair, instrument, quantity, price), {"from": module})


@pytest.mark.parametrize("seed", range(8))
def test_transfer_slice__drawn_holdings__are_those_of_a_dictionary(ledger, module, buyer, seller, expiry, seed):
    draw = random.Random(seed)
    bidder = ledger.open(module, 0, {"from": module}).return_value
    pool = instruments(expiry)
    for account in (buyer, bidder):
        for instrument in draw.sample(pool, draw.randrange(4, len(pool))):
            trade(ledger, module, account, seller, instrument, draw)
    met = 0
    for fraction in draw.sample(FRACTIONS, 3):
        source, target = held(ledger, buyer), held(ledger, bidder)
        met += len(source.keys() & target.keys())
        total = stored_total(ledger)
        ledger.transferSlice(buyer, bidder, fraction, 0, {"from": module})
        assert [held(ledger, account) for account in (buyer, bidder)] == sliced(source, target, fraction)
        assert stored_total(ledger) == total
    assert met


@pytest.mark.parametrize("seed", range(3))
def test_transfer_slice__bidder_holds_the_opposite_of_some__removes_them_and_keeps_the_rest(
    ledger, module, buyer, seller, expiry, seed
):
    draw = random.Random(seed)
    bidder = ledger.open(module, 0, {"from": module}).return_value
    pool = draw.sample(instruments(expiry), 10)
    # The first six close what the bidder holds, wherever in its array; the last four are new to it.
    for instrument in draw.sample(pool[:6], 6):
        ledger.applyTrade((buyer, seller, instrument, 3 * WAD, WAD), {"from": module})
        ledger.applyTrade((seller, bidder, instrument, 3 * WAD, WAD), {"from": module})
    for instrument in draw.sample(pool[6:], 4):
        ledger.applyTrade((buyer, seller, instrument, 5 * WAD, WAD), {"from": module})
    ledger.transferSlice(buyer, bidder, WAD, 0, {"from": module})
    assert held(ledger, buyer) == {}
    assert held(ledger, bidder).keys() == {exact.unpack(instrument)[-1] for instrument in pool[6:]}
    assert {exact.unpack(word)[4] for word in words(ledger, bidder)} == {5 * WAD}
