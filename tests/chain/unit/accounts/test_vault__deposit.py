"""Vault.deposit and its one-transaction forms: exact amounts of any decimals, caps, permits, bad tokens."""

import brownie
import pytest
from brownie import FalseToken, FeeToken, LocalToken, chain
from eth_account import Account

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import WAD, empty, shown, snapshot, stored_total
from tests.chain.unit.conftest import CAP_RAW

PERMIT_FIELDS = ("owner", "spender", "value", "nonce", "deadline")


@pytest.fixture
def account_id(ledger, trader):
    return ledger.open(trader, 0, {"from": trader}).return_value


def fund(token, vault, holder, amount_raw):
    token.mint(holder, amount_raw, {"from": holder})
    token.approve(vault, amount_raw, {"from": holder})


def permit(token, vault, holder, amount_raw):
    """Deadline and signature of an EIP-2612 permit."""
    _, name, version, chain_id, verifying, _, _ = token.eip712Domain()
    deadline = chain[-1].timestamp + 3600
    values = (holder.address, vault.address, amount_raw, token.nonces(holder), deadline)
    signed = Account.sign_typed_data(
        holder.private_key,
        {"name": name, "version": version, "chainId": chain_id, "verifyingContract": verifying},
        {
            "Permit": [
                {"name": field, "type": "address" if field in PERMIT_FIELDS[:2] else "uint256"}
                for field in PERMIT_FIELDS
            ]
        },
        dict(zip(PERMIT_FIELDS, values, strict=True)),
    )
    return deadline, signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")


@pytest.mark.parametrize(("name", "decimals"), [("usdc", 6), ("wbtc", 8), ("weth", 18)])
def test_deposit__any_decimals__credits_exact_wad(request, ledger, vault, trader, account_id, name, decimals):
    token = request.getfixturevalue(name)
    fund(token, vault, trader, 1234567)
    tx = vault.deposit(account_id, token, 1234567, {"from": trader})
    wad = 1234567 * 10 ** (18 - decimals)
    seen = snapshot(ledger, account_id)
    assert (seen["cashWad"], *seen["amountsWad"]) == ((wad,) if name == "usdc" else (0, wad))
    assert token.balanceOf(vault) == vault.tokenOf(vault.tokenIdOf(token))["heldRaw"] == 1234567
    assert tx.events["Deposited"]["amountRaw"] == 1234567


@pytest.mark.parametrize("name", ["usdc", "weth"])
def test_deposit__into_an_account_of_another__reverts_NotAuthorised(
    request, ledger, vault, trader, stranger, account_id, name
):
    """One unit before the owner's `close` would make it fail."""
    token = request.getfixturevalue(name)
    fund(token, vault, stranger, 10**6)
    with reverts_with("Vault__NotAuthorised", shown(stranger), account_id):
        vault.deposit(account_id, token, 1, {"from": stranger})
    ledger.close(account_id, {"from": trader})
    with reverts_with("Vault__NotAuthorised", shown(trader), account_id):
        vault.deposit(account_id, token, 1, {"from": trader})


def test_deposit__by_an_operator__is_allowed(ledger, vault, usdc, trader, stranger, account_id):
    fund(usdc, vault, stranger, 10**6)
    ledger.approve(stranger, account_id, {"from": trader})
    vault.deposit(account_id, usdc, 10**6, {"from": stranger})
    assert ledger.cashOf(account_id) == stored_total(ledger) == WAD


def test_deposit__cash_for_the_fund__is_welcome_from_anybody(ledger, vault, usdc, weth, stranger):
    fund(usdc, vault, stranger, 10**6)
    vault.deposit(1, usdc, 10**6, {"from": stranger})
    assert ledger.cashOf(1) == WAD
    with reverts_with("Vault__NotAuthorised", shown(stranger), 1):
        vault.deposit(1, weth, 1, {"from": stranger})


def test_deposit__up_to_the_cap__and_not_beyond(vault, usdc, trader, account_id):
    fund(usdc, vault, trader, CAP_RAW + 1)
    vault.deposit(account_id, usdc, CAP_RAW, {"from": trader})
    with reverts_with("Vault__CapExceeded", 1, 0):
        vault.deposit(account_id, usdc, 1, {"from": trader})


def test_deposit__no_such_account__reverts_NotAuthorised(vault, usdc, trader):
    fund(usdc, vault, trader, 1)
    with reverts_with("Vault__NotAuthorised", shown(trader), 99):
        vault.deposit(99, usdc, 1, {"from": trader})


def test_deposit__nothing__reverts_ZeroAmount(vault, usdc, trader, account_id):
    with reverts_with("Vault__ZeroAmount", 0, 1):
        vault.deposit(account_id, usdc, 0, {"from": trader})


def test_deposit__unlisted__reverts_UnknownToken(governor, vault, trader, account_id):
    token = governor.deploy(LocalToken, "Other", "OTHER", 18)
    with reverts_with("Vault__UnknownToken", shown(token), 3):
        vault.deposit(account_id, token, 1, {"from": trader})


def test_deposit__fee_on_transfer__reverts_InexactTransfer(governor, vault, trader, account_id):
    token = governor.deploy(FeeToken)
    vault.listToken(token, CAP_RAW, {"from": governor})
    fund(token, vault, trader, 1000)
    with reverts_with("Vault__InexactTransfer", 990, 1000):
        vault.deposit(account_id, token, 1000, {"from": trader})


def test_deposit__token_that_returns_false__reverts_SafeERC20FailedOperation(governor, vault, trader, account_id):
    token = governor.deploy(FalseToken)
    vault.listToken(token, CAP_RAW, {"from": governor})
    with reverts_with("SafeERC20FailedOperation", shown(token)):
        vault.deposit(account_id, token, 1000, {"from": trader})


def test_deposit__token_that_joins_a_filled_vault__counts_in_over_a_week(governor, vault, usdc, trader, account_id):
    fund(usdc, vault, trader, 1)
    vault.deposit(account_id, usdc, 1, {"from": trader})
    token = governor.deploy(LocalToken, "Late", "LATE", 18)
    listed = vault.listToken(token, 7_000, {"from": governor}).timestamp
    assert vault.tokenOf(3)["rampEndTs"] == listed + 7 * 86_400
    assert vault.tokenOf(1)["rampEndTs"] == 0
    fund(token, vault, trader, 7_001)
    with reverts_with("Vault__CapExceeded", 100, 0):
        vault.deposit(account_id, token, 100, {"from": trader})
    chain.sleep(86_400)
    vault.deposit(account_id, token, 1_000, {"from": trader})
    with reverts_with("Vault__CapExceeded", 100, 0):
        vault.deposit(account_id, token, 100, {"from": trader})
    chain.sleep(6 * 86_400)
    vault.deposit(account_id, token, 6_000, {"from": trader})
    with reverts_with("Vault__CapExceeded", 1, 0):
        vault.deposit(account_id, token, 1, {"from": trader})


def test_deposit__ramp__no_margin_call_opens_it(governor, vault, margin, usdc, trader, account_id):
    fund(usdc, vault, trader, 1)
    vault.deposit(account_id, usdc, 1, {"from": trader})
    token = governor.deploy(LocalToken, "Late", "LATE", 18)
    vault.listToken(token, 7_000, {"from": governor})
    fund(token, vault, trader, 1_000)
    margin.setInitial(account_id, 5, {"from": governor})
    with reverts_with("Vault__CapExceeded", 1_000, 0):
        vault.deposit(account_id, token, 1_000, {"from": trader})


@pytest.mark.parametrize("name", ["usdc", "weth"])
@pytest.mark.parametrize("closed_by", ["pause", "cap"])
def test_deposit__margin_call__saves_the_account_in_spite_of_pause_and_cap(
    request, governor, vault, margin, trader, account_id, name, closed_by
):
    token = request.getfixturevalue(name)
    fund(token, vault, trader, 2)
    if closed_by == "pause":
        vault.pause({"from": governor})
    else:
        vault.setCap(vault.tokenIdOf(token), 0, {"from": governor})
    with reverts_with("ExpiringPause__Paused" if closed_by == "pause" else "Vault__CapExceeded"):
        vault.deposit(account_id, token, 1, {"from": trader})
    margin.setInitial(account_id, 5, {"from": governor})
    vault.deposit(account_id, token, 1, {"from": trader})
    margin.setInitial(account_id, 0, {"from": governor})
    with reverts_with("ExpiringPause__Paused" if closed_by == "pause" else "Vault__CapExceeded"):
        vault.deposit(account_id, token, 1, {"from": trader})


def test_deposit__under_auction__is_bounded_by_twice_the_initial_margin(
    governor, vault, margin, auction, usdc, trader, account_id
):
    fund(usdc, vault, trader, 2)
    vault.pause({"from": governor})
    auction.setUnderAuction(account_id, True, {"from": governor})
    margin.setEquity(account_id, 11, {"from": governor})
    margin.setInitial(account_id, 5, {"from": governor})
    with reverts_with("Vault__RescueTooLarge", 11, 10):
        vault.deposit(account_id, usdc, 1, {"from": trader})
    margin.setEquity(account_id, 10, {"from": governor})
    vault.deposit(account_id, usdc, 1, {"from": trader})


def test_deposit__paused__reverts_and_resumes(governor, vault, usdc, trader, account_id):
    fund(usdc, vault, trader, 2)
    vault.pause({"from": governor})
    with reverts_with("ExpiringPause__Paused"):
        vault.deposit(account_id, usdc, 1, {"from": trader})
    vault.unpause({"from": governor})
    vault.deposit(account_id, usdc, 1, {"from": trader})


def test_deposit_with_permit__needs_no_approval(ledger, vault, usdc, trader, account_id):
    usdc.mint(trader, 10**6, {"from": trader})
    signed = permit(usdc, vault, trader, 10**6)
    vault.depositWithPermit(account_id, usdc, 10**6, *signed, {"from": trader})
    assert ledger.cashOf(account_id) == WAD


def test_deposit_with_permit__used_by_somebody_else__still_deposits(ledger, vault, usdc, trader, stranger, account_id):
    usdc.mint(trader, 10**6, {"from": trader})
    signed = permit(usdc, vault, trader, 10**6)
    usdc.permit(trader, vault, 10**6, *signed, {"from": stranger})
    vault.depositWithPermit(account_id, usdc, 10**6, *signed, {"from": trader})
    assert ledger.cashOf(account_id) == WAD


def test_deposit_with_permit__of_another__reverts_InvalidSigner(vault, usdc, trader, stranger, account_id):
    usdc.mint(trader, 10**6, {"from": trader})
    signed = permit(usdc, vault, trader, 10**6)
    with brownie.reverts(revert_pattern="ERC2612InvalidSigner: 0x[0-9a-f]{40}, .*"):
        vault.depositWithPermit(account_id, usdc, 10**6, *signed, {"from": stranger})


def test_open_and_deposit__one_transaction(ledger, vault, usdc, trader):
    fund(usdc, vault, trader, 10**6)
    account_id = vault.openAndDeposit(1, usdc, 10**6, {"from": trader}).return_value
    assert ledger.ownerOf(account_id) == trader
    assert snapshot(ledger, account_id) == empty(1, WAD)


def test_open_and_deposit_with_permit__one_transaction(ledger, vault, usdc, trader):
    usdc.mint(trader, 10**6, {"from": trader})
    signed = permit(usdc, vault, trader, 10**6)
    account_id = vault.openAndDepositWithPermit(0, usdc, 10**6, *signed, {"from": trader}).return_value
    assert ledger.cashOf(account_id) == WAD
