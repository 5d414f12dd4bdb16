"""Who would take what belongs to the holders: a first depositor, who sees a round, who gives, and above all the key."""

from __future__ import annotations

import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.stack import PERP
from tests.chain.helpers.strategy import AHEAD_SEC, RAW, TERM, VIRTUAL, WAD_PER_RAW, call
from tests.chain.helpers.swift import rpc

WAD = 10**18
MILLION = 10**12


def holders(house):
    """What all shares are worth at the mark, raw."""
    return house.value().value // WAD_PER_RAW


def test_donation__tokens_sent_to_the_vault__move_no_price(running):
    house = running
    before = house.strategy.priceNow()
    house.usdc.transfer(house.strategy, 5_000 * RAW, {"from": house.bert})
    assert house.strategy.priceNow() == before
    assert house.strategy.totalAssets() == MILLION


def test_donation__cash_into_the_account__refused(running):
    house = running
    house.usdc.approve(house.stack.vault, RAW, {"from": house.bert})
    with reverts_with("Vault__NotAuthorised"):
        house.stack.vault.deposit(house.id, house.usdc, RAW, {"from": house.bert})


@pytest.mark.parametrize("gift", [1, 1_000, 100_000])
def test_first_depositor__gift_through_the_key__costs_the_giver_and_not_who_comes_next(house, gift):
    house.enter(house.anna, 0.000001)
    # A fill of the key in favour of the vault is the one way to give to the account; here the ledger does it.
    house.stack.accounts.moveCash(house.friend_id, house.id, gift * WAD, {"from": house.stack.admin})
    shares = house.enter(house.bert, 1_000)
    got = house.leave(house.bert)
    assert shares > 0
    assert got >= 1_000 * RAW * (1 - 1 / shares) - 2
    # Half of what is given goes to shares that nobody has.
    assert house.leave(house.anna) <= gift * RAW * 51 // 100 + 2


def test_sandwich__round_that_was_signed_before_the_request__is_not_its_price(running):
    house = running
    house.trade(1_000, 1_900.0)
    house.stack.chain.sleep(5)
    house.stack.chain.mine()
    signed_ts = house.stack.chain[-1].timestamp
    house.ask_in(house.bert, 500_000)
    # Everybody who sees the round knows that shares rise by a tenth.
    house.round(2_000, ts=signed_ts)
    house.strategy.settle({"from": house.bert})
    assert house.strategy.pendingDepositRequest(0, house.bert) == 500_000 * RAW
    house.settle()
    house.strategy.deposit(house.strategy.maxDeposit(house.bert), house.bert, {"from": house.bert})
    assert house.leave(house.bert) < 500_000 * RAW


def test_sandwich__round_that_bears_a_later_time_than_the_request__is_not_its_price(running):
    house = running
    house.trade(1_000, 1_900.0)
    house.round(2_000, ts=house.stack.chain.time() + AHEAD_SEC + 16)
    house.ask_in(house.bert, 500_000)
    _, signed_ts = house.stack.oracle.lastSpotOf(1)
    assert house.stack.chain[-1].timestamp < signed_ts <= house.epoch(2).after_ts
    house.strategy.settle({"from": house.bert})
    assert house.strategy.pendingDepositRequest(0, house.bert) == 500_000 * RAW
    # One that was signed before and is posted later bears no time beyond what clocks may be ahead.
    house.round(2_000, ts=house.epoch(2).after_ts)
    with reverts_with("StrategyVault__NoNewRound"):
        house.strategy.settle({"from": house.bert})
    house.settle(2_000)
    assert house.strategy.maxDeposit(house.bert) == 500_000 * RAW


def test_sandwich__request_and_settlement_in_one_block__waits_for_cash_too(house):
    house.enter(house.anna, 1_000)
    strategy = house.strategy
    rpc("evm_setAutomine", False)
    for data in (strategy.requestDeposit.encode_input(RAW, house.bert, house.bert), strategy.settle.encode_input()):
        request = {"from": house.bert.address, "to": strategy.address, "data": str(data), "gas": hex(10**7)}
        rpc("eth_sendTransaction", request | {"gasPrice": "0x0"})
    rpc("evm_mine")
    rpc("evm_setAutomine", True)
    assert strategy.pendingDepositRequest(0, house.bert) == RAW
    assert (house.queue().open, house.queue().next) == (3, 2)


@pytest.mark.parametrize("spot", [1_800, 1_900, 2_030])
def test_round_trip__any_round__brings_no_profit(running, spot):
    house = running
    house.trade(700, 1_900.0)
    house.trade(-50, 60.0, call(house.expiry, 2_000))
    house.ask_in(house.bert, 250_000)
    house.settle(spot)
    before = holders(house)
    house.strategy.deposit(house.strategy.maxDeposit(house.bert), house.bert, {"from": house.bert})
    got = house.leave(house.bert)
    assert got < 250_000 * RAW
    # Options lose a little in the seconds between.
    assert holders(house) - (before - 250_000 * RAW) >= 250_000 * RAW - got - RAW // 1_000


def test_key__sells_to_its_own_account_at_bad_prices__takes_the_share_of_the_term_and_no_more(running):
    house = running
    limit = holders(house) // 100
    for _ in range(3):
        house.trade(100, 1_900 + 33.0)
        house.trade(-100, 1_900.0)
    with reverts_with("Delegation__LossLimit"):
        house.trade(100, 1_902.0)
    # What loses and gains in turn is counted by its losses.
    house.trade(-1, 1_920.0)
    with reverts_with("Delegation__LossLimit"):
        house.trade(100, 1_902.0)
    house.strategy.renew({"from": house.key})
    with reverts_with("Delegation__LossLimit"):
        house.trade(100, 1_902.0)
    assert MILLION - holders(house) <= limit


def test_key__bad_prices_in_every_term__ends_at_the_floor(running):
    house = running
    for _ in range(40):
        if house.price() < house.strategy.priceNow()[2]:
            break
        most = house.value().exit * WAD_PER_RAW // 100 // WAD
        house.trade(100, 1_900 + most / 100 - 0.01)
        house.trade(-100, 1_900.0)
        house.stack.chain.sleep(TERM + 1)
        house.round()
        house.strategy.renew({"from": house.stranger})
    lost = 1 - house.mark_price()
    assert 0.199 < lost < 0.21
    house.strategy.stop({"from": house.stranger})
    with reverts_with("Delegation__NotDelegate"):
        house.trade(1, 1_900.0)


def test_key__mark_behind_the_market__loses_a_round_beyond_the_floor_at_most(running):
    """The market moves by 1 % between rounds and the key knows where to: it trades with its friend at the old mark."""
    house = running
    worst = 0.0
    for step in range(40):
        if house.price() < house.strategy.priceNow()[2]:
            break
        up = step % 2 == 0
        units = house.stack.delegation.limitsOf(house.id, house.key, 1)[1] / WAD // 1.01
        before = house.mark_price()
        house.trade(-units if up else units, house.spot)
        house.round(house.spot * (1.01 if up else 1 / 1.01))
        house.trade(units if up else -units, house.spot)
        worst = max(worst, before - house.mark_price())
        house.strategy.renew({"from": house.stranger})
    assert house.price() < house.strategy.priceNow()[2]
    # Twice the value in delta and a move of 1 %: 2 % a round, until the floor.
    assert worst < 0.0201
    assert 1 - house.mark_price() < 0.2 + worst
    house.strategy.stop({"from": house.stranger})


def test_key__pushes_the_price_down_for_its_own_entry__gains_no_more_than_its_share_of_the_loss(running):
    house = running
    limit = holders(house) // 100
    house.ask_in(house.bert, 1_000_000)
    house.round()
    house.trade(100, 1_900 + 99.0)
    house.trade(-100, 1_900.0)
    house.strategy.settle({"from": house.bert})
    house.trade(-100, 1_900 + 99.0)
    house.trade(100, 1_900.0)
    house.strategy.deposit(house.strategy.maxDeposit(house.bert), house.bert, {"from": house.bert})
    got = house.leave(house.bert)
    assert 0 < got - 1_000_000 * RAW <= limit


def test_key__positions_up_to_the_limit_before_an_exit__leavers_pay_for_closing(running):
    house = running
    house.enter(house.bert, 1_000_000)
    house.ask_out(house.bert)
    house.round()
    house.trade(1_000, 1_900.0)
    cost = house.value().cost
    house.strategy.settle({"from": house.stranger})
    got = house.claim_out(house.bert)
    assert cost == 1_900 * WAD
    assert got == 1_000_000 * RAW - 950 * RAW


def test_liquidation__of_the_account__pays_who_leaves_only_what_is_left(running):
    house = running
    house.trade(1_050, 1_900.0)
    house.round(1_090)
    assert house.stack.margin(house.id).equity < house.stack.margin(house.id).maintenance
    house.ask_out(house.anna)
    house.round()
    house.stack.auction.start(house.id, {"from": house.stranger})
    house.strategy.settle({"from": house.stranger})
    assert house.epoch(2).paid == 0
    house.stack.auction.bid(house.id, house.friend_id, WAD, True, 10**30, {"from": house.friend})
    house.round()
    v, supply = house.value(), house.strategy.totalSupply()
    house.strategy.settle({"from": house.stranger})
    assert house.epoch(2).paid == min(v.free, house.epoch(2).redeem * (v.exit + 1) // (supply + VIRTUAL))
    held = house.stack.accounts.snapshotOf(house.id)[4][0] % 2**128
    trade = (house.friend_id, house.id, PERP, held, 1_090 * WAD)
    house.stack.accounts.applyTrade(trade, {"from": house.stack.admin})
    house.round()
    house.strategy.settle({"from": house.stranger})
    assert house.epoch(2).left == 0
    assert 0 < house.epoch(2).paid < MILLION // 4


def test_quote__off_the_mark_in_two_legs__counts_as_one_loss(running):
    house = running
    legs = [
        (PERP, False, 100 * WAD, 2_100 * WAD),
        (call(house.expiry, 1_900), True, 10 * WAD, 10 * WAD),
    ]
    quote, signature = house.offer(legs)
    with reverts_with("Delegation__LossLimit"):
        house.stack.exchange.fillQuote(quote, signature, house.id, 0, {"from": house.key})
