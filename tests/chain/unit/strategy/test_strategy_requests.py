"""Requests, the epochs that gather them, what may be claimed, and who may act for whom."""

from __future__ import annotations

from eth_utils import keccak

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.strategy import AHEAD_SEC, DAY, NOBODY, PENDING, RAW, RETURNED, SETTLED, VIRTUAL

ANY = 10**30
OPERATOR_PARTS = ("setOperator(address,bool)", "isOperator(address,address)")
DEPOSIT_PARTS = (
    "requestDeposit(uint256,address,address)",
    "pendingDepositRequest(uint256,address)",
    "claimableDepositRequest(uint256,address)",
    "deposit(uint256,address,address)",
    "mint(uint256,address,address)",
)
REDEEM_PARTS = (
    "requestRedeem(uint256,address,address)",
    "pendingRedeemRequest(uint256,address)",
    "claimableRedeemRequest(uint256,address)",
)


def shown(who):
    """An address as Brownie prints one that is no contract."""
    return who.address.lower()


def _id(parts):
    selectors = [int.from_bytes(keccak(text=part)[:4], "big") for part in parts]
    whole = 0
    for selector in selectors:
        whole ^= selector
    return f"0x{whole:08x}"


def test_supports_interface__parts_of_the_standard__yes(house):
    for parts in (OPERATOR_PARTS, DEPOSIT_PARTS, REDEEM_PARTS):
        assert house.strategy.supportsInterface(_id(parts))
    assert house.strategy.supportsInterface("0x2f0a18c5")
    assert house.strategy.supportsInterface("0x01ffc9a7")
    assert not house.strategy.supportsInterface("0xffffffff")


def test_share__vault__is_the_token_with_six_more_decimals(house):
    assert house.strategy.share() == house.strategy.address
    assert house.strategy.asset() == house.usdc.address
    assert house.strategy.decimals() == 12
    assert house.stack.accounts.ownerOf(house.id) == house.strategy.address


def test_request_deposit__owner__pends_until_a_round_signed_later_is_settled(house):
    before = house.usdc.balanceOf(house.anna)
    house.ask_in(house.anna, 1_000)
    assert house.usdc.balanceOf(house.anna) == before - 1_000 * RAW
    assert house.strategy.pendingDepositRequest(0, house.anna) == 1_000 * RAW
    assert house.strategy.pendingDepositRequest(1, house.anna) == 0
    assert house.strategy.totalAssets() == 0
    assert house.strategy.totalSupply() == 0
    house.settle()
    assert house.strategy.pendingDepositRequest(0, house.anna) == 0
    assert house.strategy.claimableDepositRequest(0, house.anna) == 1_000 * RAW == house.strategy.maxDeposit(house.anna)
    assert house.strategy.maxMint(house.anna) == 1_000 * RAW * VIRTUAL == house.strategy.totalSupply()
    assert house.stack.accounts.cashOf(house.id) == 1_000 * 10**18


def test_request_deposit__event__names_all_four(house):
    receipt = house.strategy.requestDeposit(5, house.anna, house.anna, {"from": house.anna})
    event = receipt.events["DepositRequest"]
    assert (event["controller"], event["owner"], event["requestId"]) == (house.anna, house.anna, 0)
    assert (event["sender"], event["assets"]) == (house.anna, 5)


def test_request_deposit__stranger__refused_for_another_owner_and_another_controller(house):
    with reverts_with("StrategyVault__NotOperator", shown(house.bert), shown(house.anna)):
        house.strategy.requestDeposit(RAW, house.bert, house.anna, {"from": house.bert})
    with reverts_with("StrategyVault__NotOperator", shown(house.bert), shown(house.anna)):
        house.strategy.requestDeposit(RAW, house.anna, house.bert, {"from": house.bert})


def test_request_deposit__operator__acts_until_it_is_none(house):
    house.strategy.setOperator(house.bert, True, {"from": house.anna})
    house.strategy.requestDeposit(7 * RAW, house.anna, house.anna, {"from": house.bert})
    assert house.strategy.pendingDepositRequest(0, house.anna) == 7 * RAW
    house.settle()
    house.strategy.deposit(7 * RAW, house.bert, house.anna, {"from": house.bert})
    assert house.strategy.balanceOf(house.bert) == 7 * RAW * VIRTUAL
    house.strategy.setOperator(house.bert, False, {"from": house.anna})
    with reverts_with("StrategyVault__NotOperator", shown(house.bert), shown(house.anna)):
        house.strategy.requestDeposit(RAW, house.anna, house.anna, {"from": house.bert})


def test_request_deposit__nothing__refused(house):
    with reverts_with("StrategyVault__ZeroAmount", 0, 1):
        house.strategy.requestDeposit(0, house.anna, house.anna, {"from": house.anna})


def test_request_deposit__twice_in_an_epoch__adds(house):
    house.ask_in(house.anna, 1)
    house.ask_in(house.anna, 2)
    assert house.strategy.pendingDepositRequest(0, house.anna) == 3 * RAW
    assert house.epoch(1).deposit == 3 * RAW


def test_request_deposit__once_a_round_is_there__enters_the_next_epoch(house):
    house.ask_in(house.anna, 1)
    house.round()
    house.ask_in(house.bert, 2)
    assert (house.epoch(1).deposit, house.epoch(2).deposit) == (RAW, 2 * RAW)
    with reverts_with("StrategyVault__RequestPending", 1, 2):
        house.ask_in(house.anna, 1)
    house.settle()
    assert (house.epoch(1).status, house.epoch(2).status) == (SETTLED, SETTLED)
    house.ask_in(house.anna, 1)
    assert house.strategy.pendingDepositRequest(0, house.anna) == RAW


def test_claim__deposit_in_parts__mints_all_and_no_more(house):
    house.ask_in(house.anna, 10)
    house.settle()
    house.strategy.deposit(3 * RAW, house.anna, {"from": house.anna})
    house.strategy.mint(4 * RAW * VIRTUAL, house.bert, {"from": house.anna})
    assert house.strategy.balanceOf(house.anna) == 3 * RAW * VIRTUAL
    assert house.strategy.balanceOf(house.bert) == 4 * RAW * VIRTUAL
    assert house.strategy.maxDeposit(house.anna) == 3 * RAW
    with reverts_with("StrategyVault__AboveClaimable", 3 * RAW + 1, 3 * RAW):
        house.strategy.deposit(3 * RAW + 1, house.anna, {"from": house.anna})
    with reverts_with("StrategyVault__AboveClaimable", ANY, 3 * RAW * VIRTUAL):
        house.strategy.mint(ANY, house.anna, {"from": house.anna})
    with reverts_with("StrategyVault__ZeroAmount", 0, 1):
        house.strategy.deposit(0, house.anna, {"from": house.anna})
    with reverts_with("StrategyVault__NotOperator", shown(house.bert), shown(house.anna)):
        house.strategy.deposit(RAW, house.bert, house.anna, {"from": house.bert})


def test_claim__one_unit_of_an_uneven_price__rounds_against_the_claimer(running):
    house = running
    house.trade(100, 1_900.0)
    house.ask_in(house.bert, 1_000)
    house.settle(1_907.77)
    assets, shares = house.strategy.maxDeposit(house.bert), house.strategy.maxMint(house.bert)
    house.strategy.mint(1, house.bert, {"from": house.bert})
    assert house.strategy.maxDeposit(house.bert) == assets - 1
    house.strategy.deposit(1, house.bert, {"from": house.bert})
    assert house.strategy.balanceOf(house.bert) == 1 + (shares - 1) // (assets - 1)


def test_request_redeem__owner__pends_then_pays(house):
    shares = house.enter(house.anna, 1_000)
    house.ask_out(house.anna, shares // 4)
    assert house.strategy.balanceOf(house.anna) == shares - shares // 4
    assert house.strategy.pendingRedeemRequest(0, house.anna) == shares // 4
    assert house.strategy.pendingRedeemRequest(9, house.anna) == 0
    house.settle()
    assert house.strategy.pendingRedeemRequest(0, house.anna) == 0
    assert house.strategy.claimableRedeemRequest(0, house.anna) == shares // 4 == house.strategy.maxRedeem(house.anna)
    assert house.strategy.maxWithdraw(house.anna) == 250 * RAW
    before = house.usdc.balanceOf(house.bert)
    house.strategy.withdraw(100 * RAW, house.bert, house.anna, {"from": house.anna})
    house.strategy.redeem(house.strategy.maxRedeem(house.anna), house.bert, house.anna, {"from": house.anna})
    assert house.usdc.balanceOf(house.bert) - before == 250 * RAW
    assert house.strategy.totalSupply() == shares - shares // 4
    with reverts_with("StrategyVault__AboveClaimable", 1, 0):
        house.strategy.withdraw(1, house.bert, house.anna, {"from": house.anna})
    with reverts_with("StrategyVault__AboveClaimable", 1, 0):
        house.strategy.redeem(1, house.bert, house.anna, {"from": house.anna})


def test_request_redeem__allowance__is_spent_and_others_are_refused(house):
    shares = house.enter(house.anna, 1_000)
    with reverts_with("ERC20InsufficientAllowance"):
        house.strategy.requestRedeem(shares, house.bert, house.anna, {"from": house.bert})
    house.strategy.approve(house.bert, shares, {"from": house.anna})
    house.strategy.requestRedeem(shares, house.bert, house.anna, {"from": house.bert})
    assert house.strategy.allowance(house.anna, house.bert) == 0
    assert house.strategy.pendingRedeemRequest(0, house.bert) == shares
    with reverts_with("StrategyVault__NotOperator", shown(house.anna), shown(house.bert)):
        house.strategy.redeem(shares, house.anna, house.bert, {"from": house.anna})


def test_preview__any__refused_because_no_price_is_known(house):
    for preview in ("previewDeposit", "previewMint", "previewWithdraw", "previewRedeem"):
        with reverts_with("StrategyVault__Asynchronous", 5):
            getattr(house.strategy, preview)(5)


def test_cancel_deposit__within_a_day__refused_then_given_back(house):
    house.ask_in(house.anna, 1_000)
    asked_ts = house.epoch(1).after_ts
    with reverts_with("StrategyVault__CancelTooEarly"):
        house.strategy.cancelDeposit(house.anna, house.anna, {"from": house.anna})
    house.stack.chain.sleep(asked_ts + DAY - house.stack.chain.time())
    with reverts_with("StrategyVault__NotOperator", shown(house.bert), shown(house.anna)):
        house.strategy.cancelDeposit(house.anna, house.bert, {"from": house.bert})
    before = house.usdc.balanceOf(house.bert)
    house.strategy.cancelDeposit(house.anna, house.bert, {"from": house.anna})
    assert house.usdc.balanceOf(house.bert) - before == 1_000 * RAW
    assert house.epoch(1).deposit == 0
    with reverts_with("StrategyVault__NoRequest", shown(house.anna)):
        house.strategy.cancelDeposit(house.anna, house.anna, {"from": house.anna})


def test_cancel_deposit__settled__refused(house):
    house.ask_in(house.anna, 1_000)
    house.settle()
    with reverts_with("StrategyVault__NoRequest", shown(house.anna)):
        house.strategy.cancelDeposit(house.anna, house.anna, {"from": house.anna})


def test_cancel_deposit__returned__given_back_at_once(house):
    house.strategy.halt({"from": house.stack.admin})
    house.ask_in(house.anna, 1_000)
    house.settle()
    assert house.epoch(1).status == RETURNED
    assert house.strategy.totalSupply() == 0
    assert house.strategy.maxDeposit(house.anna) == 0
    before = house.usdc.balanceOf(house.anna)
    house.strategy.cancelDeposit(house.anna, house.anna, {"from": house.anna})
    assert house.usdc.balanceOf(house.anna) - before == 1_000 * RAW


def test_cancel_redeem__within_a_day__refused_then_given_back(house):
    shares = house.enter(house.anna, 1_000)
    house.ask_out(house.anna, shares)
    with reverts_with("StrategyVault__CancelTooEarly"):
        house.strategy.cancelRedeem(house.anna, house.anna, {"from": house.anna})
    house.stack.chain.sleep(DAY + AHEAD_SEC)
    house.strategy.cancelRedeem(house.anna, house.bert, {"from": house.anna})
    assert house.strategy.balanceOf(house.bert) == shares
    assert (house.epoch(2).redeem, house.epoch(2).left) == (0, 0)
    with reverts_with("StrategyVault__NoRequest", shown(house.anna)):
        house.strategy.cancelRedeem(house.anna, house.anna, {"from": house.anna})


def test_epoch__unknown__is_empty(house):
    assert house.epoch(99).status == PENDING
    assert house.epoch(99).after_ts == 0
    assert house.strategy.isOperator(house.anna, NOBODY) is False
