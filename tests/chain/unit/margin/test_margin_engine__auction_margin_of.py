"""MarginEngine.auctionMarginOf: a stale token neither shields an account nor ends it by an outage of minutes."""

from __future__ import annotations

import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import WAD, market_round, post

GOLD, PRICE, HAIRCUT = 3, 50, 10**17
HEARTBEAT = 7 * 86_400
FADE = 86_400
HELD = 100


@pytest.fixture
def account(stack, trader):
    """Debt of 1,000 against a token of 5,000 that is linked to nothing, and two perpetuals."""
    stack.book.setCollateral(GOLD, (True, 0, HAIRCUT, 0, 0), {"from": stack.admin})
    stamp(stack)
    account_id = stack.open(trader)
    stack.accounts.creditToken(account_id, GOLD, HELD * WAD, {"from": stack.admin})
    stack.trade(account_id, stack.open(trader, 100_000), 2, 1_900)
    return account_id


def stamp(stack):
    """Price the token now."""
    message = {"ts": stack.chain[-1].timestamp, "tokenIds": [GOLD], "pricesWad": [PRICE * WAD]}
    post(stack.oracle, "postTokenPrices", message, stack.admin)
    return message["ts"]


def later(stack, ts):
    """Mine a block at a time, with a fresh round and a fresh price of cash."""
    stack.chain.sleep(ts - stack.chain[-1].timestamp)
    stack.chain.mine()
    now = stack.chain[-1].timestamp
    post(stack.oracle, "postRound", market_round(now, spotWad=1_900 * WAD, perpWad=1_900 * WAD), stack.admin)
    post(stack.oracle, "postTokenPrices", {"ts": now, "tokenIds": [0], "pricesWad": [WAD]}, stack.admin)


def figures(margin):
    return [int(margin[i]) for i in range(7)]


def test_auction_margin_of__everything_fresh__is_marginOf(stack, account):
    assert figures(stack.engine.auctionMarginOf(account)) == figures(stack.engine.marginOf(account))


@pytest.mark.parametrize(("after", "faded"), [(FADE // 4, 0.25), (FADE // 2, 0.5), (FADE, 1.0), (3 * FADE, 1.0)])
def test_auction_margin_of__stale_token__counts_less_by_the_hour(stack, account, after, faded):
    fresh = stack.engine.marginOf(account)
    ts = stamp(stack)
    later(stack, ts + HEARTBEAT + after)
    with reverts_with("Oracle__Stale"):
        stack.engine.marginOf(account)
    margin = stack.engine.auctionMarginOf(account)
    full, taken = HELD * PRICE, faded * HELD * PRICE
    assert int(fresh[1] - margin[1]) / WAD == pytest.approx(taken * (1 - HAIRCUT / WAD), abs=full / FADE * 10)
    assert margin[4] == fresh[4]


def test_auction_margin_of__token_stale_for_minutes__is_nearly_its_last_price(stack, account):
    fresh = stack.engine.marginOf(account)
    ts = stamp(stack)
    later(stack, ts + HEARTBEAT + 300)
    lost = int(fresh[1] - stack.engine.auctionMarginOf(account)[1]) / WAD
    assert 0 < lost < HELD * PRICE * 0.01


def test_auction_margin_of__stale_round_of_what_is_held__reverts_Stale(stack, account, chain):
    """Positions are never valued at an old round."""
    chain.sleep(HEARTBEAT + 10)
    chain.mine()
    with reverts_with("Oracle__Stale"):
        stack.engine.auctionMarginOf(account)


def test_auction_margin_of__linked_token_of_a_stale_round_without_positions__counts_less_by_the_hour(stack, trader):
    account_id = stack.open(trader)
    stack.accounts.creditToken(account_id, 1, WAD, {"from": stack.admin})
    stack.accounts.moveCash(account_id, stack.open(trader, 5), WAD, {"from": stack.admin})
    ts = int(stack.oracle.roundFor(1, [])[0][0])
    fresh = stack.engine.marginOf(account_id)
    chain = stack.chain
    chain.sleep(ts + HEARTBEAT + FADE // 2 - chain[-1].timestamp)
    chain.mine()
    message = {"ts": chain[-1].timestamp, "tokenIds": [0], "pricesWad": [WAD]}
    post(stack.oracle, "postTokenPrices", message, stack.admin)
    with reverts_with("Oracle__Stale"):
        stack.engine.marginOf(account_id)
    margin = stack.engine.auctionMarginOf(account_id)
    assert int(margin[2] + WAD) / int(fresh[2] + WAD) == pytest.approx(0.5, abs=1e-3)
