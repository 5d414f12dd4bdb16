"""Bad bids, each refused by its one named error with all storage as it was (docs/proof/bad-input.md has the table)."""

from __future__ import annotations

import pytest

from tests.chain.helpers.signed import WAD
from tests.chain.helpers.stack import FUND
from tests.chain.helpers.untouched import refused

MOST = 2**255


@pytest.fixture
def open_id(stack, long_id, bidder):
    stack.price(1_700)
    stack.auction.start(long_id, {"from": bidder})
    return long_id


@pytest.fixture
def contracts(stack):
    return [stack.accounts, stack.auction, stack.fund]


def zero(stack, open_id, bidder_id, sender):
    stack.auction.bid(open_id, bidder_id, 0, True, MOST, sender)


def self_(stack, open_id, bidder_id, sender):
    stack.auction.bid(open_id, open_id, WAD, True, MOST, sender)


def whole(stack, open_id, bidder_id, sender):
    stack.auction.bid(open_id, bidder_id, WAD, True, MOST, sender)


@pytest.mark.parametrize(
    ("act", "error", "args"),
    [
        (zero, "Auction__NothingToTake", (0, 1)),
        (self_, "Accounts__SelfTrade", None),
        (whole, "ExpiringPause__Paused", ()),
    ],
    ids=["zero", "self", "paused"],
)
def test_bid__bad__reverts_by_name_and_changes_nothing(
    stack, open_id, bidder_id, trader, bidder, contracts, act, error, args
):
    if act is whole:
        stack.auction.pause({"from": stack.admin})
    who = trader if act is self_ else bidder
    with refused(contracts, error, *((open_id,) if args is None else args)):
        act(stack, open_id, bidder_id, {"from": who})


def test_bid__bidder_at_the_position_limit__reverts_TooManyPositions(stack, open_id, bidder_id, bidder, contracts):
    expiry = stack.chain[-1].timestamp + 864_000
    for i in range(128):
        word = 1 << 248 | expiry << 200 | (2_000 + i) * 10**8 << 128
        stack.trade(bidder_id, FUND, 1, 1, word)
    with refused(contracts, "Accounts__TooManyPositions", 129, 128):
        whole(stack, open_id, bidder_id, {"from": bidder})
