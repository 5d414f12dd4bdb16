"""While an insolvent auction is open, cash that leaves pays its share of the expected loss into a pot."""

import pytest

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import WAD, stored_total

RAW = 10**6
FUND = 1
#: Two lenders with 50,000 each, and a loss of a tenth of that.
EACH, LOSS = 50_000, 10_000


@pytest.fixture
def pair(vault, ledger, usdc, auction, governor, trader, maker):
    ids = []
    for owner in (trader, maker):
        usdc.mint(owner, EACH * RAW, {"from": owner})
        usdc.approve(vault, 2**256 - 1, {"from": owner})
        ids.append(vault.openAndDeposit(0, usdc, EACH * RAW, {"from": owner}).return_value)
    auction.setLoss(LOSS * WAD, {"from": governor})
    return ids


def take(vault, usdc, account_id, owner, amount):
    return vault.withdraw(account_id, usdc, amount * RAW, owner, {"from": owner})


def test_loss_share__before_the_loss_and_back_after_it__pays_as_if_it_had_stayed(
    vault, ledger, usdc, auction, module, governor, pair, trader, maker
):
    """This was free: out before a loss that is spread over all cash, in again after it."""
    leaver, stayer = pair
    with reverts_with("Accounts__InsufficientCash", 45_000 * WAD, 50_000 * WAD):
        take(vault, usdc, leaver, trader, EACH)
    tx = take(vault, usdc, leaver, trader, 40_000)
    assert tx.events["ShareLeft"] == {"accountId": leaver, "takenWad": 40_000 * WAD, "shareWad": 4_000 * WAD}
    vault.withdraw(leaver, usdc, vault.limitOf(leaver, 0), trader, {"from": trader})
    assert ledger.cashOf(leaver) < WAD
    taken = usdc.balanceOf(trader) * 10**12
    ledger.socialise(stayer, LOSS * WAD, {"from": module})
    auction.setLoss(0, {"from": governor})
    vault.releaseShare(leaver, {"from": maker})
    lost = EACH * WAD - taken - ledger.cashOf(leaver)
    # About a tenth of 50,000. Who stayed bore more than that, and the fund has it.
    assert 4_800 * WAD < lost < 5_200 * WAD
    assert ledger.cashOf(FUND) > 3_900 * WAD
    assert stored_total(ledger) == vault.tokenOf(0)["heldRaw"] * 10**12


def test_loss_share__recovered__all_of_it_comes_back(vault, ledger, usdc, auction, governor, pair, trader):
    take(vault, usdc, pair[0], trader, 40_000)
    with reverts_with("Vault__LossOpen", LOSS * WAD, 0):
        vault.releaseShare(pair[0], {"from": trader})
    auction.setLoss(0, {"from": governor})
    vault.releaseShare(pair[0], {"from": trader})
    assert 0 <= 10_000 * WAD - ledger.cashOf(pair[0]) <= 2
    assert ledger.cashOf(FUND) <= 2
    with reverts_with("Vault__NothingLeft", 0, 1):
        vault.releaseShare(pair[0], {"from": trader})


def test_loss_share__in_small_steps__is_no_cheaper(vault, ledger, usdc, pair, trader, maker):
    for _ in range(5):
        take(vault, usdc, pair[0], trader, 2_000)
    take(vault, usdc, pair[1], maker, 10_000)
    many, once = (vault.leftOf(account_id)[1] for account_id in pair)
    assert many >= 1_000 * WAD
    assert 0 <= once - many < 100 * WAD


def test_loss_share__cash_of_its_own_that_is_borrowed_out__pays_too(vault, ledger, usdc, governor, pair, trader):
    vault.setOutflow(0, 10**6, 24 * 10**6, {"from": governor})
    vault.borrow(pair[0], EACH * RAW, trader, {"from": trader})
    assert vault.leftOf(pair[0])[1] == 5_000 * WAD
    assert ledger.cashOf(pair[0]) == -5_000 * WAD


def test_loss_share__collateral__leaves_freely(vault, weth, pair, trader):
    weth.mint(trader, 10, {"from": trader})
    weth.approve(vault, 10, {"from": trader})
    vault.deposit(pair[0], weth, 10, {"from": trader})
    assert "ShareLeft" not in vault.withdraw(pair[0], weth, 10, trader, {"from": trader}).events


def test_loss_share__no_open_loss__costs_nothing(vault, usdc, auction, governor, pair, trader):
    auction.setLoss(0, {"from": governor})
    assert vault.lossShareOf(WAD) == 0
    take(vault, usdc, pair[0], trader, EACH)


def test_loss_share__limit__is_the_largest_that_passes(vault, usdc, pair, trader):
    limit = vault.limitOf(pair[0], 0)
    with reverts_with("Accounts__InsufficientCash"):
        vault.withdraw(pair[0], usdc, limit + 1, trader, {"from": trader})
    vault.withdraw(pair[0], usdc, limit, trader, {"from": trader})


def test_release_share__account_closed__goes_to_the_fund(vault, ledger, usdc, auction, governor, pair, trader):
    vault.withdraw(pair[0], usdc, vault.limitOf(pair[0], 0), trader, {"from": trader})
    ledger.close(pair[0], {"from": trader})
    auction.setLoss(0, {"from": governor})
    held = ledger.cashOf(FUND)
    vault.releaseShare(pair[0], {"from": trader})
    assert ledger.cashOf(FUND) - held > 4_000 * WAD


def test_set_auction__twice__reverts_AuctionFixed(vault, auction, governor, stranger):
    with reverts_with("Vault__AuctionFixed"):
        vault.setAuction(stranger, {"from": governor})
