"""Guarantees: who may give a line to whom, on which terms, and who gets back what is left of it."""

from __future__ import annotations

import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.lines import DAY
from tests.chain.helpers.signed import WAD
from tests.chain.helpers.stack import FUND

MINUTE = 60


def terms(stack, cash=1_000 * WAD, sec=10 * DAY, ramp=DAY):
    return cash, stack.chain[-1].timestamp + sec, ramp


@pytest.fixture
def invited(stack, lines, long_id, sponsor_id, trader):
    lines.contract.invite(long_id, sponsor_id, {"from": trader})


def test_give__invited__moves_the_cash_into_an_account_of_the_line(stack, lines, long_id, sponsor_id, sponsor, invited):
    total, own = stack.cash_sum(), stack.margin(sponsor_id).equity
    cash, end, ramp = terms(stack, 3_000 * WAD)
    tx = lines.contract.give(sponsor_id, long_id, cash, end, ramp, {"from": sponsor})
    line = tx.return_value
    assert dict(tx.events["LineGiven"]) == {
        **{"lineId": line, "sponsorId": sponsor_id, "beneficiaryId": long_id},
        **{"amountWad": cash, "endTs": end, "rampSec": ramp},
    }
    assert stack.margin(sponsor_id).equity == own - cash
    assert (lines.held(line), lines.credit(long_id)) == (cash, cash)
    assert lines.contract.linesOf(long_id) == (line,)
    assert tuple(lines.contract.lineOf(line)) == (sponsor_id, long_id, end, ramp)
    assert stack.accounts.ownerOf(line) == lines.contract
    assert stack.cash_sum() == total
    assert lines.contract.invitedOf(long_id) == 0


def test_give__by_a_stranger_of_the_sponsor__reverts_NotAuthorised(stack, lines, long_id, sponsor_id, trader, invited):
    with reverts_with("Guarantees__NotAuthorised", trader, sponsor_id):
        lines.contract.give(sponsor_id, long_id, *terms(stack), {"from": trader})


def test_invite__by_a_stranger_of_the_beneficiary__reverts_NotAuthorised(lines, long_id, sponsor_id, sponsor):
    with reverts_with("Guarantees__NotAuthorised", sponsor, long_id):
        lines.contract.invite(long_id, sponsor_id, {"from": sponsor})


def test_give__second_line_on_one_invitation__reverts_NotInvited(stack, lines, long_id, sponsor_id, sponsor, invited):
    lines.contract.give(sponsor_id, long_id, *terms(stack), {"from": sponsor})
    with reverts_with("Guarantees__NotInvited", sponsor_id, 0):
        lines.contract.give(sponsor_id, long_id, *terms(stack), {"from": sponsor})


def test_give__to_itself_or_an_account_of_the_protocol__is_refused(stack, lines, sponsor_id, sponsor):
    with reverts_with("Guarantees__SelfLine", sponsor_id):
        lines.contract.give(sponsor_id, sponsor_id, *terms(stack), {"from": sponsor})
    with reverts_with("Guarantees__Reserved", FUND, FUND + 1):
        lines.contract.give(sponsor_id, FUND, *terms(stack), {"from": sponsor})
    with reverts_with("Guarantees__Reserved", FUND, FUND + 1):
        lines.contract.give(FUND, sponsor_id, *terms(stack), {"from": stack.admin})


@pytest.mark.parametrize("ramp", [15 * MINUTE - 1, 90 * DAY + 1])
def test_give__ramp_outside_its_interval__reverts_BadRamp(stack, lines, long_id, sponsor_id, sponsor, invited, ramp):
    with reverts_with("Guarantees__BadRamp", ramp, 15 * MINUTE, 90 * DAY):
        lines.contract.give(sponsor_id, long_id, *terms(stack, sec=200 * DAY, ramp=ramp), {"from": sponsor})


@pytest.mark.parametrize("sec", [DAY - 5, 731 * DAY])
def test_give__end_too_near_or_too_far__reverts_BadEnd(stack, lines, long_id, sponsor_id, sponsor, invited, sec):
    with reverts_with("Guarantees__BadEnd"):
        lines.contract.give(sponsor_id, long_id, *terms(stack, sec=sec), {"from": sponsor})


def test_give__nothing_or_more_than_the_cash__is_refused(stack, lines, long_id, sponsor_id, sponsor, invited):
    with reverts_with("Guarantees__ZeroAmount", 0, 1):
        lines.contract.give(sponsor_id, long_id, *terms(stack, 0), {"from": sponsor})
    with reverts_with("Guarantees__InsufficientCash", 20_000 * WAD, 20_000 * WAD + 1):
        lines.contract.give(sponsor_id, long_id, *terms(stack, 20_000 * WAD + 1), {"from": sponsor})


def test_give__out_of_debt__reverts_InsufficientCash(stack, lines, long_id, sponsor, trader):
    """A sponsor with tokens and a debt would lend at par what counts with a haircut."""
    debtor = stack.open(sponsor, 0)
    stack.accounts.creditToken(debtor, 1, 100 * WAD, {"from": stack.admin})
    stack.accounts.moveCash(debtor, long_id, WAD, {"from": stack.admin})
    lines.contract.invite(long_id, debtor, {"from": trader})
    with reverts_with("Guarantees__InsufficientCash", -WAD, WAD):
        lines.contract.give(debtor, long_id, *terms(stack, WAD), {"from": sponsor})


def test_give__that_costs_the_sponsor_its_initial_margin__reverts(stack, lines, long_id, sponsor_id, sponsor, trader):
    stack.trade(sponsor_id, stack.open(trader, 100_000), 10, 1_900)
    lines.contract.invite(long_id, sponsor_id, {"from": trader})
    room = stack.margin(sponsor_id).equity - stack.margin(sponsor_id).initial
    with reverts_with("MarginEngine__BelowInitial"):
        lines.contract.give(sponsor_id, long_id, *terms(stack, room + 1), {"from": sponsor})
    lines.contract.give(sponsor_id, long_id, *terms(stack, room), {"from": sponsor})


def test_give__fifth_line__reverts_TooManyLines(stack, lines, long_id, sponsor_id):
    given = [lines.give(sponsor_id, long_id, 100) for _ in range(4)]
    with reverts_with("Guarantees__TooManyLines", 5, 4):
        lines.give(sponsor_id, long_id, 100)
    assert lines.contract.linesOf(long_id) == tuple(given)
    assert lines.credit(long_id) == 400 * WAD


def test_release__one_of_three__leaves_the_others(stack, lines, long_id, sponsor_id, trader):
    first, second, third = (lines.give(sponsor_id, long_id, cash) for cash in (1, 2, 4))
    lines.contract.release(second, {"from": trader})
    assert lines.contract.linesOf(long_id) == (first, third)
    assert lines.credit(long_id) == 5 * WAD
    assert tuple(lines.contract.lineOf(second)) == (0, 0, 0, 0)
    assert stack.accounts.cashOf(sponsor_id) == (20_000 - 5) * WAD


def test_release__needed_for_the_initial_margin__reverts(stack, lines, long_id, sponsor_id, trader, sponsor):
    line = lines.give(sponsor_id, long_id, 3_000)
    stack.price(1_700)
    with reverts_with("MarginEngine__BelowInitial"):
        lines.contract.release(line, {"from": trader})
    with reverts_with("Guarantees__NotAuthorised", sponsor, long_id):
        lines.contract.release(line, {"from": sponsor})


def test_extend__later__counts_again_and_never_ends_sooner(stack, lines, long_id, sponsor_id, sponsor, trader, at):
    line = lines.give(sponsor_id, long_id, 1_000)
    end = lines.end(line)
    with reverts_with("Guarantees__BadEnd"):
        lines.contract.extend(line, end, {"from": sponsor})
    with reverts_with("Guarantees__NotAuthorised", trader, sponsor_id):
        lines.contract.extend(line, end + 1, {"from": trader})
    at(end - DAY // 2)
    assert lines.credit(long_id) == 500 * WAD
    lines.contract.extend(line, end + DAY, {"from": sponsor})
    assert lines.credit(long_id) == 1_000 * WAD


@pytest.mark.parametrize("left", [DAY, DAY - 1, 1, 0, -1])
def test_credit__around_ramp_and_end__falls_in_a_straight_line_to_nothing(lines, long_id, sponsor_id, at, left):
    line = lines.give(sponsor_id, long_id, 1_000)
    at(lines.end(line) - left)
    assert lines.credit(long_id) == 1_000 * WAD * max(left, 0) // DAY
    assert lines.contract.backingOf(long_id)[1] == 1_000 * WAD


def test_settle__before_the_end__reverts_NotEnded(lines, long_id, sponsor_id, sponsor, at):
    line = lines.give(sponsor_id, long_id, 1_000)
    at(lines.end(line) - 5)
    with reverts_with("Guarantees__NotEnded"):
        lines.contract.settle(line, {"from": sponsor})


def test_settle__ended__anybody_returns_the_cash_and_the_account_is_closed(
    stack, lines, long_id, sponsor_id, bidder, at
):
    line = lines.give(sponsor_id, long_id, 1_000)
    at(lines.end(line))
    stack.price(1_900)
    tx = lines.contract.settle(line, {"from": bidder})
    assert dict(tx.events["LineEnded"]) == {"lineId": line, "toId": sponsor_id, "returnedWad": 1_000 * WAD}
    assert stack.accounts.cashOf(sponsor_id) == 20_000 * WAD
    assert lines.contract.linesOf(long_id) == ()
    with reverts_with("Guarantees__UnknownLine", line):
        lines.contract.settle(line, {"from": bidder})
    with reverts_with("Accounts__UnknownAccount"):
        stack.accounts.cashOf(line)


def test_settle__beneficiary_below_maintenance_at_the_end__waits_for_the_liquidation(
    stack, lines, long_id, sponsor_id, sponsor, bidder, bidder_id, at
):
    line = lines.give(sponsor_id, long_id, 3_000)
    at(lines.end(line))
    stack.price(1_450)
    with reverts_with("Guarantees__BeneficiaryShort"):
        lines.contract.settle(line, {"from": sponsor})
    stack.auction.start(long_id, {"from": sponsor})
    tx = stack.auction.bid(long_id, bidder_id, WAD, False, 0, {"from": bidder})
    paid = tx.events["LineDrawn"]["paidWad"]
    assert paid >= 500 * WAD
    lines.contract.settle(line, {"from": sponsor})
    assert stack.accounts.cashOf(sponsor_id) == 20_000 * WAD - paid


def test_settle__beneficiary_closed__returns_at_once(stack, lines, sponsor_id, sponsor, trader):
    idle = stack.open(trader, 0)
    line = lines.give(sponsor_id, idle, 1_000)
    stack.accounts.close(idle, {"from": trader})
    lines.contract.settle(line, {"from": sponsor})
    assert stack.accounts.cashOf(sponsor_id) == 20_000 * WAD


def test_settle__sponsor_closed__pays_the_fund(stack, lines, long_id, sponsor_id, sponsor, trader):
    line = lines.give(sponsor_id, long_id, 20_000)
    stack.accounts.close(sponsor_id, {"from": sponsor})
    tx = lines.contract.release(line, {"from": trader})
    assert tx.events["LineEnded"]["toId"] == FUND
    assert stack.accounts.cashOf(FUND) == 20_000 * WAD


def test_settle__sponsor_sold__pays_the_account(stack, lines, long_id, sponsor_id, sponsor, bidder, trader):
    line = lines.give(sponsor_id, long_id, 1_000)
    stack.accounts.transferFrom(sponsor, bidder, sponsor_id, {"from": sponsor})
    with reverts_with("Guarantees__NotAuthorised", sponsor, sponsor_id):
        lines.contract.extend(line, lines.end(line) + 1, {"from": sponsor})
    lines.contract.release(line, {"from": trader})
    assert stack.accounts.cashOf(sponsor_id) == 20_000 * WAD


def test_draw__by_anyone_but_the_auction__reverts_NotAuction(stack, lines, long_id, sponsor_id, sponsor):
    lines.give(sponsor_id, long_id, 1_000)
    with reverts_with("Guarantees__NotAuction", sponsor, stack.auction):
        lines.contract.draw(long_id, sponsor_id, WAD, {"from": sponsor})


def test_draw__more_than_the_lines_hold__reverts_DrawTooLarge(stack, long_id):
    own = stack.admin.deploy(stack.project.Guarantees, stack.authority, stack.accounts)
    own.connect(stack.engine, stack.admin, {"from": stack.admin})
    with reverts_with("Guarantees__DrawTooLarge", 1, 0):
        own.draw(long_id, long_id, 1, {"from": stack.admin})


def test_connect__twice_or_by_a_stranger__is_refused(stack, lines, trader):
    with reverts_with("Guarantees__Connected", stack.auction):
        lines.contract.connect(stack.engine, trader, {"from": stack.admin})
    with reverts_with("AccessManagedUnauthorized", trader):
        lines.contract.connect(stack.engine, trader, {"from": trader})
