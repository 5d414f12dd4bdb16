"""When an epoch is settled, at what price, and how far redemptions are paid."""

from __future__ import annotations

from brownie import accounts

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.strategy import (
    AHEAD_SEC,
    DAY,
    HALF_SPREAD,
    HALF_VOL,
    PENDING,
    RAW,
    RETURNED,
    SETTLED,
    VIRTUAL,
    WAD_PER_RAW,
    call,
)

WAD = 10**18
MAX_EPOCHS = 32


def _ceil(n, d):
    return -(-n // d)


def test_settle__nothing_asked__refused(house):
    with reverts_with("StrategyVault__NothingToSettle", 1):
        house.strategy.settle({"from": house.stranger})


def test_settle__round_signed_before_the_request__closes_the_epoch_and_waits(running):
    house = running
    house.trade(10, 1_900.0)
    signed_ts = house.round()
    house.ask_in(house.bert, 500)
    house.strategy.settle({"from": house.stranger})
    assert house.strategy.pendingDepositRequest(0, house.bert) == 500 * RAW
    assert (house.queue().open, house.queue().next) == (3, 2)
    with reverts_with("StrategyVault__NoNewRound", signed_ts, house.epoch(2).after_ts):
        house.strategy.settle({"from": house.stranger})
    house.settle()
    assert house.strategy.claimableDepositRequest(0, house.bert) == 500 * RAW


def test_settle__requests_keep_coming__the_closed_epoch_is_not_delayed(running):
    house = running
    house.trade(10, 1_900.0)
    house.round()
    house.ask_in(house.bert, 500)
    house.strategy.settle({"from": house.stranger})
    house.ask_in(house.carl, 1)
    house.round()
    house.ask_in(house.stranger, 1)
    house.strategy.settle({"from": house.stranger})
    assert house.epoch(2).status == house.epoch(3).status == SETTLED
    assert house.strategy.pendingDepositRequest(0, house.stranger) == RAW


def test_settle__round_of_the_very_second_of_the_later_epoch__settles_the_earlier_alone(running):
    house = running
    house.trade(10, 1_900.0)
    house.ask_in(house.bert, 500)
    house.round()
    house.ask_in(house.carl, 500)
    house.round(ts=house.epoch(3).after_ts)
    house.strategy.settle({"from": house.stranger})
    assert (house.epoch(2).status, house.epoch(3).status) == (SETTLED, PENDING)


def test_settle__round_of_one_of_two_underlyings__waits_for_the_other(running):
    house = running
    house.stack.list_second(60_000)
    house.trade(10, 1_900.0)
    house.stack.trade(house.id, house.friend_id, 1, 60_000, instrument=2 << 248 | 3 << 240)
    house.ask_in(house.bert, 500)
    house.round()
    house.strategy.settle({"from": house.stranger})
    assert house.strategy.pendingDepositRequest(0, house.bert) == 500 * RAW


def test_settle__cash_alone__takes_a_later_block_and_no_round(house):
    house.ask_in(house.anna, 10)
    house.stack.chain.sleep(AHEAD_SEC + 1)
    house.strategy.settle({"from": house.stranger})
    assert house.strategy.maxDeposit(house.anna) == 10 * RAW


def test_value__positions__half_spreads_and_vega_are_the_cost(running):
    house = running
    instrument = call(house.expiry, 2_000)
    house.trade(50, 1_900.0)
    house.trade(-20, 60.0, instrument)
    house.round()
    v = house.value()
    state, details = house.stack.engine.evaluateDetailed(house.stack.accounts.snapshotOf(house.id))
    gross = state[7][0][12]
    vega = sum(abs(entry[3]) for entry in details[0][5])
    assert gross == 70 * 1_900 * WAD
    assert vega > 0
    exact = gross * HALF_SPREAD + vega * HALF_VOL
    assert 0 <= v.cost - _ceil(exact, WAD) <= 4
    assert v.value == state[2]
    assert v.entry == _ceil(v.value + v.cost, WAD_PER_RAW)
    assert v.exit == (v.value - v.cost) // WAD_PER_RAW
    assert v.free == (state[1] - state[4]) // WAD_PER_RAW
    assert house.strategy.totalAssets() == v.value // WAD_PER_RAW


def test_value__more_than_is_free_of_concentration__it_is_part_of_the_cost(running):
    house = running
    house.stack.trade(house.id, house.friend_id, 40_000, 1_900)
    house.round()
    state, _ = house.stack.engine.evaluateDetailed(house.stack.accounts.snapshotOf(house.id))
    concentration, gross = state[7][0][7], state[7][0][12]
    assert concentration > 0
    assert house.value().cost == _ceil(gross * HALF_SPREAD, WAD) + concentration


def test_settle__entry_and_exit_together__each_at_its_own_price_of_the_same_round(running):
    house = running
    house.enter(house.bert, 100_000)
    house.trade(-30, 70.0, call(house.expiry, 2_000))
    shares = house.ask_out(house.bert)
    house.ask_in(house.carl, 40_000)
    house.round(1_920)
    v, supply = house.value(), house.strategy.totalSupply()
    house.strategy.settle({"from": house.stranger})
    minted = 40_000 * RAW * (supply + VIRTUAL) // (v.entry + 1)
    paid = shares * (v.exit + 1) // (supply + VIRTUAL)
    assert house.strategy.maxMint(house.carl) == minted
    assert house.strategy.maxWithdraw(house.bert) == paid
    assert house.strategy.totalSupply() == supply + minted - shares
    after = house.value()
    assert after.value == v.value + (40_000 * RAW - paid) * WAD_PER_RAW
    assert after.cost == v.cost


def test_settle__price_per_share__never_falls_by_entry_or_exit(running):
    house = running
    house.trade(-30, 70.0, call(house.expiry, 2_000))
    for step, spot in enumerate((1_905, 1_880, 1_950)):
        house.round(spot)
        house.ask_in(house.bert, 12_345.678901 + step)
        house.round(spot)
        before = house.value()
        price = (before.value + WAD_PER_RAW) / (house.strategy.totalSupply() + VIRTUAL)
        house.strategy.settle({"from": house.stranger})
        assert (house.value().value + WAD_PER_RAW) / (house.strategy.totalSupply() + VIRTUAL) >= price
        house.strategy.deposit(house.strategy.maxDeposit(house.bert), house.bert, {"from": house.bert})
        house.ask_out(house.bert)
        house.round(spot)
        price = (house.value().value + WAD_PER_RAW) / (house.strategy.totalSupply() + VIRTUAL)
        house.strategy.settle({"from": house.stranger})
        assert (house.value().value + WAD_PER_RAW) / (house.strategy.totalSupply() + VIRTUAL) >= price


def test_settle__initial_margin_in_use__pays_a_part_pro_rata_and_the_rest_later(running):
    house = running
    house.enter(house.bert, 1_000_000)
    house.strategy.renew({"from": house.stranger})
    house.trade(-2_000, 1_900.0)
    house.ask_out(house.anna)
    bert = house.ask_out(house.bert, house.strategy.balanceOf(house.bert) // 2)
    house.round()
    v = house.value()
    assert 0 < v.free < v.exit * 3 // 4
    house.strategy.settle({"from": house.stranger})
    paid = house.epoch(3).paid
    assert paid == v.free
    first, second = house.strategy.maxWithdraw(house.anna), house.strategy.maxWithdraw(house.bert)
    assert 0 <= paid - first - second <= 2
    assert abs(first - 2 * second) <= 2
    assert (
        0 <= house.epoch(3).left - sum(house.strategy.pendingRedeemRequest(0, x) for x in (house.anna, house.bert)) <= 2
    )
    margin = house.stack.margin(house.id)
    assert 0 <= margin.equity - margin.initial < 2 * WAD_PER_RAW
    with reverts_with("StrategyVault__NoNewRound"):
        house.strategy.settle({"from": house.stranger})
    assert house.claim_out(house.anna) == first
    house.trade(2_000, 1_900.0)
    house.settle()
    assert house.epoch(3).left == 0
    house.claim_out(house.anna)
    house.claim_out(house.bert)
    assert house.strategy.pendingRedeemRequest(0, house.anna) == 0
    assert house.strategy.totalSupply() == bert


def test_settle__earlier_epoch__is_paid_before_a_later_one(running):
    house = running
    house.enter(house.bert, 10_000)
    house.strategy.renew({"from": house.stranger})
    house.trade(-1_000, 1_900.0)
    house.ask_out(house.anna)
    house.settle()
    assert house.epoch(3).left > 0
    house.ask_out(house.bert)
    house.trade(500, 1_900.0)
    house.settle()
    assert house.epoch(3).left > 0
    assert house.epoch(4).paid == 0
    assert house.queue().unpaid == 3
    house.trade(500, 1_900.0)
    house.settle()
    assert house.epoch(3).left == house.epoch(4).left == 0
    assert house.queue().unpaid == house.queue().open


def test_settle__deposits__pay_redemptions_before_the_account_does(running):
    house = running
    house.trade(-1_000, 1_900.0)
    house.ask_out(house.anna)
    house.ask_in(house.bert, 900_000)
    house.round()
    v = house.value()
    house.strategy.settle({"from": house.stranger})
    assert house.epoch(2).paid == min(v.free + 900_000 * RAW, v.exit)


def test_cancel_redeem__paid_in_part__keeps_what_is_paid(running):
    house = running
    house.enter(house.bert, 1_000_000)
    house.strategy.renew({"from": house.stranger})
    house.trade(-2_000, 1_900.0)
    house.ask_out(house.anna)
    house.ask_out(house.bert)
    house.settle()
    paid, left = house.strategy.maxWithdraw(house.anna), house.strategy.pendingRedeemRequest(0, house.anna)
    others = house.strategy.maxWithdraw(house.bert)
    assert paid > 0
    assert left > 0
    house.stack.chain.sleep(DAY + AHEAD_SEC)
    house.strategy.cancelRedeem(house.anna, house.anna, {"from": house.anna})
    assert house.strategy.balanceOf(house.anna) == left
    assert house.strategy.maxWithdraw(house.anna) == paid
    assert 0 <= house.strategy.maxWithdraw(house.bert) - others <= 1
    house.round()
    house.strategy.renew({"from": house.stranger})
    house.trade(2_000, 1_900.0)
    house.settle()
    assert house.claim_out(house.anna) == paid
    assert house.claim_out(house.bert) > others


def test_settle__less_than_initial_margin__returns_deposits(running):
    house = running
    house.trade(1_050, 1_900.0)
    house.stack.book.setRange(1, WAD // 2, {"from": house.stack.admin})
    house.ask_in(house.bert, 500)
    house.round()
    assert not house.value().is_sound
    assert house.value().free == 0
    house.strategy.settle({"from": house.stranger})
    assert not house.strategy.isStopped()
    assert house.epoch(2).status == RETURNED
    house.strategy.cancelDeposit(house.bert, house.bert, {"from": house.bert})


def test_settle__account_insolvent__shares_are_worth_nothing_and_nobody_is_stuck(running):
    house = running
    house.trade(1_000, 1_900.0)
    house.ask_out(house.anna)
    house.settle(700)
    assert house.value().value < 0
    assert house.value().exit == 0
    assert house.strategy.totalAssets() == 0
    assert house.epoch(2).left == house.epoch(2).redeem
    # What the auction does to an account that nobody saves: all of it goes, and the loss with it.
    house.stack.trade(house.friend_id, house.id, 1_000, 700)
    loss = -house.stack.accounts.cashOf(house.id)
    house.stack.accounts.moveCash(house.friend_id, house.id, loss, {"from": house.stack.admin})
    house.settle()
    assert house.epoch(2).left == 0
    assert house.epoch(2).paid == 0
    assert house.claim_out(house.anna) == 0
    assert house.strategy.totalSupply() == 0
    house.strategy.resume({"from": house.stack.admin})
    assert house.enter(house.bert, 1_000) > 0
    assert house.leave(house.bert) >= 1_000 * RAW - 2


def test_settle__vault_of_the_protocol_full__deposits_count_beside_the_account(house):
    house.stack.vault.setCap(0, 0, {"from": house.stack.admin})
    house.ask_in(house.anna, 1_000)
    house.round()
    assert house.strategy.settle({"from": house.stranger}).events["CashKept"]["idleRaw"] == 1_000 * RAW
    house.strategy.deposit(1_000 * RAW, house.anna, {"from": house.anna})
    assert house.strategy.idleRaw() == 1_000 * RAW
    assert house.stack.accounts.cashOf(house.id) == 0
    assert house.strategy.totalAssets() == 1_000 * RAW
    assert house.leave(house.anna, house.strategy.balanceOf(house.anna) // 2) == 500 * RAW
    with reverts_with("Vault__CapExceeded"):
        house.strategy.invest({"from": house.stranger})
    house.stack.vault.setCap(0, 10**15, {"from": house.stack.admin})
    house.strategy.invest({"from": house.stranger})
    assert house.strategy.idleRaw() == 0
    assert house.stack.accounts.cashOf(house.id) == 500 * WAD
    with reverts_with("StrategyVault__ZeroAmount", 0, 1):
        house.strategy.invest({"from": house.stranger})


def test_settle__vault_of_the_protocol_paused__positions_keep_the_cash(running):
    house = running
    house.trade(-10, 1_900.0)
    house.ask_out(house.anna)
    house.stack.vault.pause({"from": house.stack.admin})
    house.settle()
    assert house.value().free == 0
    assert house.epoch(2).paid == 0
    house.stack.vault.unpause({"from": house.stack.admin})
    house.settle()
    assert house.epoch(2).paid > 0


def test_settle__bucket_of_the_protocol__pays_what_it_lets_go(running):
    house = running
    house.trade(-10, 1_900.0)
    house.stack.vault.setOutflow(0, 10_000, 10_000, {"from": house.stack.admin})
    house.ask_out(house.anna)
    house.settle()
    assert house.epoch(2).paid == 51_000_000 * RAW // 100
    assert house.epoch(2).left > 0


def test_settle__more_epochs_than_one_call_takes__goes_on_with_the_next(house):
    people = [accounts.add() for _ in range(MAX_EPOCHS + 2)]
    for who in people:
        house.fund(who, 1)
        house.ask_in(who, 1)
        house.round()
    assert house.queue().open == MAX_EPOCHS + 2
    house.strategy.settle({"from": house.stranger})
    assert house.queue().next == MAX_EPOCHS + 1
    house.strategy.settle({"from": house.stranger})
    assert house.queue().next == MAX_EPOCHS + 3 == house.queue().open
    assert [house.strategy.maxDeposit(who) for who in people] == [RAW] * len(people)


def test_settle__open_loss_of_the_protocol__who_leaves_takes_its_share_along(running):
    house = running
    house.enter(house.bert, 1_000_000)
    broke = house.stack.open(house.carl, 1_000)
    house.stack.trade(broke, house.friend_id, 1_000, 1_900)
    house.round(1_700)
    house.stack.auction.start(broke, {"from": house.stranger})
    cash = house.stack.accounts.cashOf(house.id)
    share = house.stack.vault.lossShareOf(cash)
    assert share > 0
    assert house.value().cost == share
    shares, price = house.ask_out(house.bert), house.mark_price()
    house.round()
    v, supply = house.value(), house.strategy.totalSupply()
    house.strategy.settle({"from": house.stranger})
    assert house.epoch(3).paid == shares * (v.exit + 1) // (supply + VIRTUAL) < 1_000_000 * RAW
    assert house.mark_price() >= price


def test_settle__open_loss_and_margin_in_use__the_share_that_leaves_along_fits_as_well(running):
    house = running
    house.trade(-1_000, 1_900.0)
    broke = house.stack.open(house.carl, 1_000)
    house.stack.trade(broke, house.friend_id, 1_000, 1_900)
    house.round(1_700)
    house.stack.auction.start(broke, {"from": house.stranger})
    house.ask_out(house.anna)
    house.round()
    margin, free = house.stack.margin(house.id), house.value().free
    excess = margin.equity - margin.initial
    assert free * WAD_PER_RAW + house.stack.vault.lossShareOf(free * WAD_PER_RAW) <= excess < house.value().value
    house.strategy.settle({"from": house.stranger})
    assert house.epoch(2).paid == free
    assert house.epoch(2).left > 0


def test_settle__nothing_beyond_the_cost_of_closing__redemptions_wait_and_are_found_again(running):
    house = running
    house.trade(1_000, 1_900.0)
    house.ask_in(house.bert, 5)
    house.round(900.5)
    house.ask_out(house.anna)
    house.round(900.5)
    assert 0 < house.value().value < house.value().cost
    house.strategy.settle({"from": house.stranger})
    assert house.epoch(2).status == house.epoch(3).status == RETURNED
    assert house.epoch(3).left > 0
    assert house.queue().unpaid == 2
    house.settle(1_300)
    assert house.epoch(3).paid > 0


def test_settle__share_that_lost_nearly_all__is_not_sold(running):
    house = running
    house.stack.accounts.moveCash(house.id, house.friend_id, 10**6 * WAD - 9 * 10**17, {"from": house.stack.admin})
    house.strategy.stop({"from": house.stranger})
    house.strategy.resume({"from": house.stack.admin})
    house.ask_in(house.bert, 5)
    house.settle()
    assert house.value().exit > 0
    assert house.epoch(2).status == RETURNED
