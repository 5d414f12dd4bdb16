"""A liquidation is always possible and never lowers equity less maintenance, whatever account, fall and part.

Random accounts in every mode fall by a random step, are sold in random parts at random times, fall again with the
reserve of earlier parts, and are sold to the end.
"""

from __future__ import annotations

import random

import pytest

from plimsoll.model import Kind
from tests.chain.helpers.ledger import option
from tests.chain.helpers.signed import WAD, surface
from tests.chain.helpers.stack import FUND

MOST = 2**255
#: A wei a position and token, at prices up to 1e4 and with the requirement's own rounding.
DUST = 10**9


def price(stack, expiry, spot):
    stack.price(spot, surfaces=[surface(expiry, forwardWad=spot * WAD)])


@pytest.fixture
def expiry(stack):
    at = stack.chain[-1].timestamp + 20 * 86_400
    stack.accounts.creditToken(FUND, 0, 10**6 * WAD, {"from": stack.admin})
    price(stack, at, 1_900)
    return at


def falling(stack, draw, owner, house, expiry, mode):
    """An account that suffers when spot falls: perpetuals, short puts, calls of either sign, some linked collateral."""
    account_id = stack.open(owner, 0, mode)
    stack.trade(account_id, house, draw.randint(5, 20), 1_900)
    stack.trade(house, account_id, draw.randint(1, 20), draw.randint(20, 80), option(expiry, 1_800, Kind.PUT))
    sides = (account_id, house) if draw.random() < 0.5 else (house, account_id)
    stack.trade(*sides, draw.randint(1, 9), draw.randint(20, 80), option(expiry, 2_000))
    if draw.random() < 0.7:
        stack.accounts.creditToken(account_id, 1, draw.randint(1, 10**4) * WAD // 10**4, {"from": stack.admin})
    margin = stack.margin(account_id)
    stack.accounts.creditToken(account_id, 0, max(1, margin.initial - margin.equity) + WAD, {"from": stack.admin})
    return account_id


def sell_part(stack, account_id, bidder_id, bidder, draw, fraction):
    """One bid; whether there was anything to sell."""
    stack.chain.sleep(draw.choice([0, 60, 900, 1_700]))
    stack.chain.mine()
    was = stack.margin(account_id)
    if was.equity >= was.maintenance:
        return False
    quote = stack.auction.previewBid(account_id, fraction)
    fund = stack.fund.availableWad()
    tx = stack.auction.bid(account_id, bidder_id, fraction, quote[0], MOST if quote[0] else 0, {"from": bidder})
    now = stack.margin(account_id)
    assert now.equity - now.maintenance >= was.equity - was.maintenance - DUST
    if quote[0]:
        assert tx.events["BidFilled"]["cashWad"] + tx.events["BidFilled"]["feeWad"] <= max(0, was.market) + DUST
    else:
        assert tx.events["LossCovered"]["fromFundWad"] <= fund
    return True


@pytest.mark.parametrize("seed", range(6))
def test_bid__any_account_and_any_part__is_possible_and_never_lowers_the_excess(stack, trader, bidder, expiry, seed):
    draw = random.Random(seed)
    house, bidder_id = stack.open(trader, 10**6), stack.open(bidder, 10**6, seed % 3)
    account_id = falling(stack, draw, trader, house, expiry, seed % 3)
    spot, cash = 1_900, stack.cash_sum()
    for fall in (0.9, 0.93, 0.8):
        spot = int(spot * draw.uniform(fall - 0.06, fall))
        price(stack, expiry, spot)
        margin = stack.margin(account_id)
        if margin.equity >= margin.maintenance:
            continue
        if not stack.auction.isUnderAuction(account_id):
            stack.auction.start(account_id, {"from": bidder})
        for _ in range(2):
            sell_part(stack, account_id, bidder_id, bidder, draw, draw.choice([WAD // 50, draw.randint(1, WAD)]))
            if not stack.auction.isUnderAuction(account_id):
                break
    for fraction in (WAD // 3, draw.randint(1, WAD), WAD):
        if stack.auction.isUnderAuction(account_id):
            sell_part(stack, account_id, bidder_id, bidder, draw, fraction)
    margin = stack.margin(account_id)
    assert margin.equity >= margin.maintenance
    assert stack.cash_sum() == cash
