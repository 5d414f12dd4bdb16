"""In which order a loss is paid where guarantee lines stand: the account's own, its sponsors, the fund, everybody."""

from __future__ import annotations

import brownie
import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.lines import DAY
from tests.chain.helpers.signed import WAD
from tests.chain.helpers.stack import BONUS_SHARE, FUND

WHOLE, MOST = WAD, 2**255
HOUR = 3_600
#: Of no common part: what each line counts is cut off at another fraction of a wei.
RAMPS = (DAY, DAY - 1, 80_000, 70_001)


@pytest.fixture
def fund(stack):
    stack.accounts.creditToken(FUND, 0, 100_000 * WAD, {"from": stack.admin})


def fall(stack, account_id, caller, price):
    """Start the auction at a price; when."""
    stack.price(price)
    return stack.auction.start(account_id, {"from": caller}).timestamp


def wait(stack, account_id, caller, sec):
    """Let time pass that somebody vouches for."""
    while sec > 0:
        stack.chain.sleep(min(sec, 1_500))
        stack.auction.touch(account_id, {"from": caller})
        sec -= 1_500


def drawn(tx):
    """What every line paid."""
    if "LineDrawn" not in tx.events:
        return {}
    return {event["lineId"]: event["paidWad"] for event in tx.events["LineDrawn"]}


def covered(tx):
    event = tx.events["LossCovered"]
    return event["fromReserveWad"], event["fromFundWad"], event["socialisedWad"]


def test_bid__line_covers_the_debt__pays_it_and_the_bonus_and_nobody_else(
    stack, lines, long_id, sponsor_id, bidder, bidder_id, fund
):
    line = lines.give(sponsor_id, long_id, 1_000)
    begun = fall(stack, long_id, bidder, 1_450)
    was, cash = stack.margin(long_id), stack.cash_sum()
    assert was.market == -500 * WAD
    assert stack.auction.openInsolventLossWad() == 0
    tx = stack.auction.bid(long_id, bidder_id, WHOLE, False, 0, {"from": bidder})
    bonus = was.maintenance * BONUS_SHARE // WAD * (tx.timestamp - begun) // HOUR
    assert drawn(tx) == {line: 500 * WAD + bonus}
    assert covered(tx) == (0, 0, 0)
    assert stack.accounts.cashOf(FUND) == 100_000 * WAD
    assert lines.held(line) == 500 * WAD - bonus
    assert stack.cash_sum() == cash
    assert not stack.auction.isUnderAuction(long_id)


def test_bid__line_covers_the_debt__bonus_ends_with_what_the_line_holds(
    stack, lines, long_id, sponsor_id, bidder, bidder_id, fund
):
    """A bidder who waits gets up to a quarter of M out of the line, and nothing of the fund's."""
    line = lines.give(sponsor_id, long_id, 600)
    fall(stack, long_id, bidder, 1_450)
    wait(stack, long_id, bidder, 3 * HOUR)
    tx = stack.auction.bid(long_id, bidder_id, WHOLE, False, 0, {"from": bidder})
    assert drawn(tx) == {line: 600 * WAD}
    assert covered(tx) == (0, 0, 0)


def test_bid__line_is_not_enough__fund_pays_the_rest_and_the_bonus(
    stack, lines, long_id, sponsor_id, bidder, bidder_id, fund
):
    line = lines.give(sponsor_id, long_id, 300)
    begun = fall(stack, long_id, bidder, 1_400)
    wait(stack, long_id, bidder, 1_800)
    was = stack.margin(long_id)
    tx = stack.auction.bid(long_id, bidder_id, WHOLE, False, 0, {"from": bidder})
    risen = was.maintenance * BONUS_SHARE // WAD * (tx.timestamp - begun) // HOUR
    # The bonus is measured on what the line leaves open.
    bonus = min(risen, 700 * WAD + was.maintenance * 2 // 100)
    assert drawn(tx) == {line: 300 * WAD}
    assert covered(tx) == (0, 700 * WAD + bonus, 0)


def test_bid__lines_then_fund_then_everybody(stack, lines, long_id, sponsor_id, bidder, bidder_id):
    stack.accounts.creditToken(FUND, 0, 1_000 * WAD, {"from": stack.admin})
    line = lines.give(sponsor_id, long_id, 300)
    fall(stack, long_id, bidder, 1_400)
    assert stack.auction.openInsolventLossWad() == (1_000 - 300 - 200) * WAD
    tx = stack.auction.bid(long_id, bidder_id, WHOLE, False, 0, {"from": bidder})
    assert drawn(tx) == {line: 300 * WAD}
    assert covered(tx) == (0, 200 * WAD, 500 * WAD)


def test_bid__two_sponsors__pay_in_proportion_to_the_wei(stack, lines, long_id, sponsor_id, bidder, bidder_id, fund):
    other = stack.open(bidder, 10_000)
    first, second = lines.give(sponsor_id, long_id, 100), lines.give(other, long_id, 599)
    fall(stack, long_id, bidder, 1_450)
    tx = stack.auction.bid(long_id, bidder_id, WHOLE, False, 0, {"from": bidder})
    paid = drawn(tx)
    total = sum(paid.values())
    assert paid[first] == total * 100 // 699
    assert tx.events["BidFilled"]["cashWad"] == total
    assert lines.held(first) + lines.held(second) == 699 * WAD - total


def test_bid__two_parts__draw_no_more_than_the_whole_and_raise_no_bonus(
    stack, lines, long_id, sponsor_id, bidder, bidder_id, fund, chain
):
    """The first part uses the line up: the bonus of the second is measured as if it had taken its share alone."""
    lines.give(sponsor_id, long_id, 500)
    fall(stack, long_id, bidder, 1_400)
    wait(stack, long_id, bidder, 6 * HOUR)
    chain.snapshot()
    fund_was = stack.accounts.cashOf(FUND)
    stack.auction.bid(long_id, bidder_id, WHOLE, False, 0, {"from": bidder})
    whole = fund_was - stack.accounts.cashOf(FUND)
    chain.revert()
    first = stack.auction.bid(long_id, bidder_id, WHOLE // 2, False, 0, {"from": bidder})
    assert sum(drawn(first).values()) == 500 * WAD
    second = stack.auction.bid(long_id, bidder_id, WHOLE, False, 0, {"from": bidder})
    assert drawn(second) == {}
    parts = fund_was - stack.accounts.cashOf(FUND)
    assert parts <= whole + WAD


def test_bid__solvent_without_the_line__sells_at_its_own_worth_and_leaves_the_line_alone(
    stack, lines, long_id, sponsor_id, bidder, bidder_id
):
    line = lines.give(sponsor_id, long_id, 200)
    fall(stack, long_id, bidder, 1_650)
    was = stack.margin(long_id)
    assert (was.market, was.equity) == (1_500 * WAD, 1_700 * WAD)
    tx = stack.auction.bid(long_id, bidder_id, WHOLE, True, MOST, {"from": bidder})
    filled = tx.events["BidFilled"]
    paid = filled["cashWad"] + filled["feeWad"]
    assert paid <= was.market * filled["fractionWad"] // WAD
    assert drawn(tx) == {}
    assert lines.held(line) == 200 * WAD
    now = stack.margin(long_id)
    # With the line the buffer is restored: what was sold is what was needed, and no more.
    assert now.equity >= now.maintenance
    assert filled["fractionWad"] < WAD


def test_bid__solvent__a_line_makes_the_slice_smaller(stack, lines, long_id, sponsor_id, bidder, chain):
    fall(stack, long_id, bidder, 1_700)
    alone = stack.auction.previewBid(long_id, WHOLE)[1]
    lines.give(sponsor_id, long_id, 300)
    assert stack.auction.previewBid(long_id, WHOLE)[1] < alone


def test_bid__ramp_begins_in_the_auction__whole_reserve_pays_however_little_counts(
    stack, lines, long_id, sponsor_id, bidder, bidder_id, fund, at
):
    line = lines.give(sponsor_id, long_id, 800)
    at(lines.end(line) - DAY // 4)
    fall(stack, long_id, bidder, 1_440)
    assert lines.credit(long_id) < 201 * WAD
    tx = stack.auction.bid(long_id, bidder_id, WHOLE, False, 0, {"from": bidder})
    assert 600 * WAD <= drawn(tx)[line] <= 800 * WAD
    assert covered(tx) == (0, 0, 0)


def test_bid__half_of_an_account_with_a_line__does_not_lower_the_excess(
    stack, lines, long_id, sponsor_id, bidder, bidder_id, fund
):
    lines.give(sponsor_id, long_id, 2_000)
    fall(stack, long_id, bidder, 1_350)
    wait(stack, long_id, bidder, 2 * HOUR)
    was = stack.margin(long_id)
    stack.auction.bid(long_id, bidder_id, WHOLE // 2, False, 0, {"from": bidder})
    now = stack.margin(long_id)
    assert now.equity - now.maintenance >= was.equity - was.maintenance


@pytest.mark.parametrize(
    ("cash", "price", "fraction"), [(200, 1_650, WHOLE), (800, 1_450, WHOLE // 3), (300, 1_400, WHOLE)]
)
def test_preview_liquidation__with_a_line__is_what_the_bid_does(
    stack, lines, long_id, sponsor_id, bidder, bidder_id, fund, cash, price, fraction
):
    lines.give(sponsor_id, long_id, cash)
    fall(stack, long_id, bidder, price)
    quote, _, after, _, bidder_after, *_ = stack.actions.previewLiquidation(long_id, bidder_id, fraction)
    limit = MOST if quote[0] else 0
    tx = stack.auction.bid(long_id, bidder_id, fraction, quote[0], limit, {"from": bidder})
    # The bid is a second later: its price and bonus are too.
    near = WAD
    assert abs(tx.events["BidFilled"]["cashWad"] - quote[3]) < near
    assert abs(sum(drawn(tx).values()) - quote[8]) < near
    assert abs(stack.margin(long_id).equity - after[1]) < near
    assert abs(stack.margin(bidder_id).equity - bidder_after[1]) < near


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_preview_liquidation__lines_that_run_out__is_what_the_bid_leaves_but_for_their_rounding(
    stack, lines, long_id, sponsor_id, bidder, bidder_id, fund, at, count
):
    """A first bid leaves every line an odd sum; the second is foreseen for its own second, in which each counts another
    part of what it holds."""
    given = [lines.give(sponsor_id, long_id, 2_400 // count, DAY, ramp) for ramp in RAMPS[:count]]
    at(lines.end(given[0]) - 2 * DAY // 3)
    fall(stack, long_id, bidder, 1_450)
    stack.auction.bid(long_id, bidder_id, WHOLE // 7, False, 0, {"from": bidder})
    ts = stack.chain[-1].timestamp + 5
    brownie.web3.provider.make_request("evm_setNextBlockTimestamp", [ts])
    raw = stack.actions.previewLiquidation.call(long_id, bidder_id, WHOLE // 3, block_identifier="pending")
    brownie.web3.provider.make_request("evm_setNextBlockTimestamp", [ts])
    quote, _, after, _, bidder_after, *_ = raw
    tx = stack.auction.bid(long_id, bidder_id, WHOLE // 3, False, 0, {"from": bidder})
    now, bidder_now = stack.margin(long_id), stack.margin(bidder_id)
    assert tx.timestamp == ts
    assert sum(drawn(tx).values()) == quote[8]
    # The lines fill nothing up here, so that all they count is in the equity, and it falls while they run out.
    assert now.equity == now.market + lines.credit(long_id)
    assert 0 < lines.credit(long_id) < sum(lines.held(line) for line in given)
    assert abs(now.equity - after[1]) <= 2 * count - 1
    assert (now.market, bidder_now.market, bidder_now.equity) == (after[2], bidder_after[2], bidder_after[1])


def test_write_off__debt_that_the_line_holds_up__reverts_NotLiquidatable(
    stack, lines, sponsor_id, trader, bidder, bidder_id
):
    debtor = stack.open(trader, 0)
    stack.accounts.moveCash(debtor, bidder_id, 300 * WAD, {"from": stack.admin})
    line = lines.give(sponsor_id, debtor, 400)
    with reverts_with("Auction__NotLiquidatable"):
        stack.auction.writeOff(debtor, {"from": bidder})
    assert lines.held(line) == 400 * WAD


def test_write_off__debt_beyond_the_credit__is_paid_by_the_line_then_the_fund(
    stack, lines, sponsor_id, trader, bidder, bidder_id, fund
):
    debtor = stack.open(trader, 0)
    stack.accounts.moveCash(debtor, bidder_id, 450 * WAD, {"from": stack.admin})
    line = lines.give(sponsor_id, debtor, 400)
    tx = stack.auction.writeOff(debtor, {"from": bidder})
    assert drawn(tx) == {line: 400 * WAD}
    assert covered(tx) == (0, 50 * WAD, 0)
    assert (stack.accounts.cashOf(debtor), lines.held(line)) == (0, 0)
    lines.contract.settle(line, {"from": bidder})
    assert lines.contract.linesOf(debtor) == ()


@pytest.mark.parametrize("left", [2, 0, -1])
def test_default__around_the_end__line_pays_whatever_the_second(
    stack, lines, long_id, sponsor_id, sponsor, bidder, bidder_id, fund, at, left
):
    """The sponsor cannot slip away between the loss and its booking."""
    line = lines.give(sponsor_id, long_id, 1_000)
    at(lines.end(line) - left - 8)
    stack.price(1_450)
    at(lines.end(line) - left)
    with reverts_with("Guarantees__NotEnded" if left > 0 else "Guarantees__BeneficiaryShort"):
        lines.contract.settle(line, {"from": sponsor})
    stack.auction.start(long_id, {"from": bidder})
    tx = stack.auction.bid(long_id, bidder_id, WHOLE, False, 0, {"from": bidder})
    assert drawn(tx)[line] >= 500 * WAD
    assert covered(tx) == (0, 0, 0)


def test_default__one_owner_on_both_sides__takes_out_what_it_put_in_less_the_loss(
    stack, lines, trader, bidder, bidder_id, fund, at
):
    """Two accounts of one owner and a bidder of its own lose what the position lost: no wei of the fund is theirs."""
    first, second, third = (stack.open(trader, cash) for cash in (4_000, 1_000, 50_000))
    house = stack.open(bidder, 10**6)
    stack.trade(first, house, 10, 1_900)
    line = lines.give(second, first, 1_000)
    fall(stack, first, bidder, 1_450)
    wait(stack, first, bidder, 5 * HOUR)
    stack.auction.bid(first, third, WHOLE, False, 0, {"from": trader})
    at(lines.end(line))
    stack.price(1_450)
    if lines.contract.linesOf(first):
        lines.contract.settle(line, {"from": bidder})
    theirs = sum(stack.margin(account_id).market for account_id in (first, second, third))
    assert theirs <= (55_000 - 10 * 450) * WAD
    assert stack.accounts.cashOf(FUND) == 100_000 * WAD
