"""What broke elsewhere, tried here: stale prices, trusted callers, health eroded by many small liquidations."""

from __future__ import annotations

import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import DAY, WAD, market_round, post, surface
from tests.chain.helpers.stack import FUND

KEEP_MODE, MOST = 255, 2**255
NOBODY = "0x" + "00" * 20


@pytest.fixture
def long_id(stack, trader):
    """Ten perpetuals at 1,900 on 3,000 of cash and a linked token: liquidatable at 1,600."""
    account_id = stack.open(trader, 3_000)
    stack.accounts.creditToken(account_id, 1, WAD, {"from": stack.admin})
    stack.trade(account_id, stack.open(trader, 100_000), 10, 1_900)
    return account_id


@pytest.fixture
def bidder_id(stack, bidder):
    return stack.open(bidder, 500_000)


def reads(stack, account):
    """Every margin number of an account: function and arguments by name."""
    snapshot = stack.accounts.snapshotOf(account)
    words = snapshot[4]
    return {
        "marginOf": (stack.engine.marginOf, account),
        "evaluate": (stack.engine.evaluate, snapshot),
        "evaluateDetailed": (stack.engine.evaluateDetailed, snapshot),
        "preview": (stack.engine.preview, account, (KEEP_MODE, 0, [], [], [])),
        "enforce": (stack.engine.enforce, account, snapshot),
        "riskOf": (stack.risk.riskOf, 1, words, 0),
        "detailOf": (stack.risk.detailOf, 1, words, 0, 0, []),
        "standardOf": (stack.risk.standardOf, 1, words, 0, []),
        "crossOf": (stack.risk.crossOf, [1], [words], [0], [], WAD // 2),
    }


@pytest.mark.parametrize(
    "name",
    [
        *("marginOf", "evaluate", "evaluateDetailed", "preview", "enforce"),
        *("riskOf", "detailOf", "standardOf", "crossOf"),
    ],
)
def test_stale_round__any_margin_number__reverts_Stale(stack, long_id, chain, name):
    read, *arguments = reads(stack, long_id)[name]
    read(*arguments)
    chain.sleep(7 * DAY + 10)
    chain.mine()
    with reverts_with("Oracle__Stale"):
        read(*arguments)


def test_stale_round__auction__neither_starts_nor_sells_nor_ends(stack, long_id, bidder, bidder_id, chain):
    stack.price(1_600)
    stack.auction.start(long_id, {"from": bidder})
    chain.sleep(7 * DAY + 10)
    chain.mine()
    for call in (
        lambda: stack.auction.bid(long_id, bidder_id, WAD, True, MOST, {"from": bidder}),
        lambda: stack.auction.previewBid(long_id, WAD),
        lambda: stack.auction.touch(long_id, {"from": bidder}),
        lambda: stack.auction.end(long_id, {"from": bidder}),
    ):
        with reverts_with("Oracle__Stale"):
            call()
    # A deposit needs no price.
    stack.accounts.creditToken(long_id, 0, WAD, {"from": stack.admin})


def test_fresh_round_but_stale_tokens__collateral_and_peg__revert_Stale(stack, long_id, chain):
    chain.sleep(7 * DAY + 10)
    chain.mine()
    post(stack.oracle, "postRound", market_round(chain[-1].timestamp, spotWad=1_900 * WAD), stack.admin)
    assert stack.risk.riskOf(1, stack.accounts.snapshotOf(long_id)[4], 0)["requirementWad"] > 0
    with reverts_with("Oracle__Stale"):
        stack.engine.marginOf(long_id)
    # Without the token, the cash token's peg is still asked for.
    with reverts_with("Oracle__Stale"):
        stack.engine.evaluate((0, 10**21, [], [], stack.accounts.snapshotOf(long_id)[4]))


@pytest.mark.parametrize("state", ["healthy", "below initial"])
def test_callers__trusted_or_not__get_the_same_answer_from_every_scenario(stack, long_id, bidder, state):
    if state == "below initial":
        stack.price(1_700)
    before = (0, 10**24, [], [], [])
    contracts = (stack.auction, stack.fund, stack.accounts, stack.engine, stack.oracle)
    callers = [stack.admin.address, bidder.address, NOBODY, *(c.address for c in contracts)]
    for name, (read, *arguments) in reads(stack, long_id).items():
        if name != "enforce":
            assert len({str(read(*arguments, {"from": who})) for who in callers}) == 1, name
    for who in callers:
        if state == "healthy":
            stack.engine.enforce(long_id, before, {"from": who})
        else:
            with reverts_with("MarginEngine__BelowInitial"):
                stack.engine.enforce(long_id, before, {"from": who})


def test_reserved_accounts__the_fund_and_the_clearing__pass_the_same_check(stack, bidder_id):
    """No account number is let through: the fund is held to its margin like anybody, the clearing takes no position."""
    stack.trade(FUND, bidder_id, 50, 1_900)
    with reverts_with("MarginEngine__BelowInitial"):
        stack.engine.enforce(FUND, (0, 0, [], [], []))
    with reverts_with("Accounts__Reserved", 0, 1):
        stack.trade(0, bidder_id, 50, 1_900)


@pytest.mark.parametrize("fraction", [1, 10**3, 10**9, 10**12, 10**15])
def test_small_bids__again_and_again__never_lower_the_health(stack, long_id, bidder, bidder_id, chain, fraction):
    """Rounding must not let a bidder take more value than requirement, however small the slice."""
    expiry = chain[-1].timestamp + 10 * DAY
    option = 1 << 248 | expiry << 200 | 1_950 * 10**8 << 128
    stack.price(1_900, surfaces=[surface(expiry)])
    stack.accounts.applyTrade((bidder_id, long_id, option, WAD // 3 + 1, WAD // 7), {"from": stack.admin})
    stack.price(1_600, surfaces=[surface(expiry)])
    stack.auction.start(long_id, {"from": bidder})
    begun, cash = stack.margin(long_id), stack.cash_sum()
    last = begun
    for _ in range(6):
        stack.auction.bid(long_id, bidder_id, fraction, True, MOST, {"from": bidder})
        now = stack.margin(long_id)
        assert now.equity - now.maintenance >= last.equity - last.maintenance
        # Health as a ratio falls no more than the wei that rounding up the requirement takes.
        assert now.equity * last.maintenance >= last.equity * now.maintenance - 10**4 * last.maintenance
        last = now
    # All that the account gave up is the discount on the slices: 2 % and a little for the seconds that passed.
    assert last.market >= begun.market - 6 * fraction * abs(begun.market) * 3 // (100 * WAD) - 10**4
    assert stack.cash_sum() == cash
