"""A liquidation with a full book on both sides fits one transaction."""

from __future__ import annotations

from tests.chain.helpers.signed import DAY, WAD, surface
from tests.chain.helpers.stack import SINGLE

LIMIT_GAS = 15_000_000
MAX_POSITIONS, EXPIRIES = 128, 4


def option(n, expiries):
    """Strikes from 1,270 to 2,540 in steps of 40, calls and puts in turn."""
    kind, expiry, strike = n % 2, expiries[n % EXPIRIES], 1_270 + 40 * (n // EXPIRIES)
    return 1 << 248 | kind << 240 | expiry << 200 | strike * 10**8 << 128


def test_bid__128_positions_on_both_sides__below_the_gas_limit(stack, trader, bidder):
    expiries = [stack.chain[-1].timestamp + days * DAY for days in (3, 10, 30, 90)]
    surfaces = [surface(expiry, forwardWad=1_900 * WAD) for expiry in expiries]
    writer, maker, buyer = (stack.open(owner, cash) for owner, cash in ((trader, 0), (bidder, 10**7), (trader, 10**7)))
    for n in range(MAX_POSITIONS):
        for seller in (writer, maker):
            stack.trade(buyer, seller, 1, 0, option(n, expiries))
    stack.price(1_900, surfaces=surfaces)
    debt = stack.engine.evaluate((SINGLE, 0, *stack.accounts.snapshotOf(writer)[2:]))
    stack.accounts.creditToken(writer, 0, debt[5] // 2 - debt[1], {"from": stack.admin})
    stack.auction.start(writer, {"from": trader})
    tx = stack.auction.bid(writer, maker, WAD, True, 2**255, {"from": bidder})
    assert len(stack.accounts.snapshotOf(maker)[4]) == MAX_POSITIONS
    assert 0 < tx.events["BidFilled"]["fractionWad"] < WAD
    assert tx.gas_used < LIMIT_GAS, tx.gas_used
    print("gas of a bid with 128 positions on both sides:", tx.gas_used)
