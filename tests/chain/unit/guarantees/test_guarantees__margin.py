"""What a guarantee line does to the margin of its beneficiary, and what no sponsor can do about it."""

from __future__ import annotations

import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.lines import DAY, EMPTY
from tests.chain.helpers.signed import WAD
from tests.chain.helpers.stack import CROSS, FUND, SINGLE, STANDARD

MODES = [SINGLE, STANDARD, CROSS]
HEALTHY, MARGIN_CALL, LIQUIDATABLE, INSOLVENT = range(4)
KEEP = 255
NO_CHANGE = (KEEP, 0, [], [], [])


def own(stack, account_id):
    """Equity and initial margin without any line: those of the account's snapshot."""
    state = stack.engine.evaluate(stack.accounts.snapshotOf(account_id))
    return state[1], state[4]


@pytest.mark.parametrize("mode", MODES)
def test_margin__line__fills_up_the_initial_margin_and_no_further(stack, lines, long_id, sponsor_id, trader, mode):
    stack.accounts.setMode(long_id, mode, {"from": trader})
    stack.price(1_850)
    short, initial = own(stack, long_id)
    assert short < initial
    lines.give(sponsor_id, long_id, 100)
    assert stack.margin(long_id).equity == min(short + 100 * WAD, initial)
    lines.give(sponsor_id, long_id, 5_000)
    now = stack.margin(long_id)
    assert (now.equity, now.initial) == (initial, initial)
    assert stack.engine.marginOf(long_id)[0] == HEALTHY
    for view in (stack.engine.ownMarginOf, stack.engine.auctionMarginOf, stack.engine.bidderMarginOf):
        assert view(long_id)[1] == initial


def test_margin__own_equity_is_enough__is_what_it_was(stack, lines, long_id, sponsor_id):
    was = stack.margin(long_id)
    lines.give(sponsor_id, long_id, 5_000)
    assert stack.margin(long_id) == was


def test_margin__worth_less_than_nothing_without_the_line__is_no_insolvency(stack, lines, long_id, sponsor_id, bidder):
    stack.price(1_450)
    assert stack.engine.marginOf(long_id)[0] == INSOLVENT
    lines.give(sponsor_id, long_id, 10_000)
    state = stack.engine.marginOf(long_id)
    assert (state[0], state[1]) == (HEALTHY, state[4])
    assert state[2] == -500 * WAD
    with reverts_with("Auction__NotLiquidatable", state[1], state[5]):
        stack.auction.start(long_id, {"from": bidder})


def test_enforce__with_and_without_the_credit__to_the_wei(stack, lines, long_id, sponsor_id, trader):
    """What an action of the owner is held to: the last wei of the credit decides."""
    stack.price(1_850)
    short, initial = own(stack, long_id)
    friend = stack.open(trader, 1_000)
    line = lines.give(sponsor_id, long_id, 1)
    stack.accounts.moveCash(sponsor_id, line, initial - short - WAD - 1, {"from": stack.admin})
    with reverts_with("MarginEngine__BelowInitial", initial - 1, initial):
        stack.engine.enforce(long_id, EMPTY)
    stack.accounts.moveCash(friend, line, 1, {"from": stack.admin})
    stack.engine.enforce(long_id, EMPTY)


def test_enforce__reducing_below_the_initial_margin__counts_the_credit_before_and_after(
    stack, lines, long_id, sponsor_id
):
    lines.give(sponsor_id, long_id, 500)
    stack.price(1_750)
    before = stack.accounts.snapshotOf(long_id)
    assert stack.margin(long_id).maintenance < stack.margin(long_id).equity < stack.margin(long_id).initial
    other = stack.open(stack.admin, 100_000)
    stack.trade(other, long_id, 1, 1_750)
    stack.engine.enforce(long_id, before)
    stack.trade(long_id, other, 2, 1_750)
    with reverts_with("MarginEngine__BelowInitial"):
        stack.engine.enforce(long_id, before)


def test_preview__no_change__is_the_margin_with_the_line_twice(stack, lines, long_id, sponsor_id):
    lines.give(sponsor_id, long_id, 3_000)
    stack.price(1_700)
    before, after, *_ = stack.engine.preview(long_id, NO_CHANGE)
    now = stack.margin(long_id)
    for state in (before, after):
        assert (state[0], state[1], state[4]) == (HEALTHY, now.equity, now.initial)


def test_order_preview__account_that_its_line_holds_up__is_healthy(stack, lines, long_id, sponsor_id):
    lines.give(sponsor_id, long_id, 3_000)
    stack.price(1_700)
    found = stack.preview.previewOrders(long_id, [])
    now = stack.margin(long_id)
    assert found[0][1] == now.equity == now.initial


@pytest.mark.parametrize("left", [DAY, 1])
def test_margin__two_lines_of_one_sponsor__count_once_each(stack, lines, long_id, sponsor_id, at, left):
    """The sum of what counts is never more than what was taken out of the sponsor."""
    stack.price(1_600)
    given = [lines.give(sponsor_id, long_id, cash) for cash in (200, 300)]
    at(max(lines.end(line) for line in given) - left)
    assert lines.credit(long_id) <= 500 * WAD * left // DAY
    assert 20_000 * WAD - stack.accounts.cashOf(sponsor_id) == 500 * WAD


def leave_by_trading(stack, sponsor_id, sponsor, friend):
    stack.trade(sponsor_id, friend, 1, 18_900)


def leave_by_moving(stack, sponsor_id, sponsor, friend):
    stack.accounts.moveCash(sponsor_id, friend, stack.accounts.cashOf(sponsor_id), {"from": stack.admin})


def leave_by_selling_the_account(stack, sponsor_id, sponsor, friend):
    stack.accounts.transferFrom(sponsor, stack.admin, sponsor_id, {"from": sponsor})


def leave_by_isolating(stack, sponsor_id, sponsor, friend):
    stack.trade(sponsor_id, friend, 1, 1_900)
    word = stack.accounts.snapshotOf(sponsor_id)[4][0]
    stack.accounts.isolate(sponsor_id, word >> 128 << 128, 0, 0, 5_000 * WAD, {"from": sponsor})


def leave_by_mode(stack, sponsor_id, sponsor, friend):
    stack.accounts.setMode(sponsor_id, CROSS, {"from": sponsor})


def leave_by_debt(stack, sponsor_id, sponsor, friend):
    stack.accounts.creditToken(sponsor_id, 1, 100 * WAD, {"from": stack.admin})
    stack.accounts.borrowCash(sponsor_id, 18_000 * WAD, {"from": stack.admin})


@pytest.mark.parametrize(
    "leave",
    [
        *(leave_by_trading, leave_by_moving, leave_by_selling_the_account),
        *(leave_by_isolating, leave_by_mode, leave_by_debt),
    ],
)
def test_line__whatever_the_sponsor_does_next__holds_and_counts_the_same(
    stack, lines, long_id, sponsor_id, sponsor, bidder, leave
):
    line, friend = lines.give(sponsor_id, long_id, 3_000), stack.open(bidder, 1_000_000)
    stack.price(1_700)
    was = stack.margin(long_id)
    leave(stack, sponsor_id, sponsor, friend)
    assert (lines.held(line), lines.credit(long_id)) == (3_000 * WAD, 3_000 * WAD)
    assert stack.margin(long_id) == was


def test_line__sponsor_liquidated_to_the_end__is_no_part_of_a_slice(
    stack, lines, long_id, sponsor_id, trader, bidder, bidder_id
):
    line = lines.give(sponsor_id, long_id, 3_000)
    stack.trade(stack.open(trader, 10**6), sponsor_id, 45, 1_900)
    stack.accounts.creditToken(FUND, 0, 10**6 * WAD, {"from": stack.admin})
    stack.price(2_400)
    stack.auction.start(sponsor_id, {"from": bidder})
    stack.auction.bid(sponsor_id, bidder_id, WAD, False, 0, {"from": bidder})
    assert stack.accounts.snapshotOf(sponsor_id)[4] == ()
    assert lines.held(line) == lines.credit(long_id) == 3_000 * WAD


def test_line__loss_that_all_share__counts_for_what_is_left_of_it(stack, lines, long_id, sponsor_id, trader, bidder):
    line = lines.give(sponsor_id, long_id, 3_000)
    debtor = stack.open(trader, 0)
    stack.accounts.moveCash(debtor, stack.open(bidder, 0), 30_000 * WAD, {"from": stack.admin})
    stack.auction.writeOff(debtor, {"from": bidder})
    assert lines.held(line) < 2_900 * WAD
    assert lines.credit(long_id) == lines.held(line)


def test_line__owner_of_the_beneficiary__has_no_say_over_its_cash(stack, lines, long_id, sponsor_id, trader, sponsor):
    line = lines.give(sponsor_id, long_id, 3_000)
    for person in (trader, sponsor):
        assert not stack.accounts.isAuthorised(line, person)
        with reverts_with("Accounts__NotOwner", person, line):
            stack.accounts.close(line, {"from": person})
        with reverts_with("Auction__NotBidder", person, line):
            stack.auction.bid(long_id, line, WAD, True, 2**255, {"from": person})
