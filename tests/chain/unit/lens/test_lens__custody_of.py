"""Lens.custodyOf and conservation: the ledger against the vault, token by token."""

from __future__ import annotations

import pytest
from brownie import (
    Auction,
    Guarantees,
    InsuranceFund,
    Lens,
    MarginEngine,
    NormalTable,
    Oracle,
    RateFeed,
    RiskEngine,
    ScenarioBook,
    SourceBook,
    accounts,
)

from tests.chain.helpers.ledger import WAD
from tests.chain.helpers.signed import numbers
from tests.chain.helpers.stack import ACCOUNT

USDC, WBTC, WETH = range(3)


@pytest.fixture(scope="module")
def lens(authority, governor, ledger):
    oracle = governor.deploy(Oracle, authority, 3_600, WAD, WAD)
    book, table = governor.deploy(ScenarioBook, authority, ACCOUNT), governor.deploy(NormalTable)
    risk, rates = governor.deploy(RiskEngine, book, oracle, table), governor.deploy(RateFeed, governor, book)
    sources = governor.deploy(SourceBook, governor)
    guarantees = governor.deploy(Guarantees, authority, ledger)
    engine = governor.deploy(MarginEngine, ledger, oracle, book, risk, rates, sources, guarantees)
    fund = governor.deploy(InsuranceFund, authority, ledger, book)
    auction = governor.deploy(Auction, authority, ledger, engine, book, fund, guarantees)
    return governor.deploy(Lens, ledger, oracle, auction)


@pytest.fixture
def funded(ledger, vault, usdc, weth, trader, stranger):
    """Two accounts with cash, one of them with a token as well."""
    for owner, token, amount in ((trader, usdc, 700), (stranger, usdc, 11), (trader, weth, 5)):
        token.mint(owner, amount, {"from": owner})
        token.approve(vault, amount, {"from": owner})
    account_id = vault.openAndDeposit(0, usdc, 700, {"from": trader}).return_value
    vault.openAndDeposit(0, usdc, 11, {"from": stranger})
    vault.deposit(account_id, weth, 5, {"from": trader})
    return account_id


def rows(lens, vault):
    return [numbers(entry) for entry in lens.custodyOf(vault, 0, 2**256 - 1)]


def test_custody__every_token__sum_over_accounts_booked_and_held(lens, vault, funded):
    assert rows(lens, vault) == [
        [USDC, 711 * 10**12, 711 * 10**12, 711 * 10**12],
        [WBTC, 0, 0, 0],
        [WETH, 5, 5, 5],
    ]
    assert lens.conservation(vault)[5]


def test_custody__sent_past_the_vault__is_held_but_not_booked(lens, vault, weth, trader, funded):
    weth.mint(vault, 3, {"from": trader})
    assert rows(lens, vault)[WETH] == [WETH, 5, 5, 8]


def test_custody__booked_by_no_deposit__shows(lens, vault, ledger, module, funded):
    ledger.creditToken(funded, USDC, 1, {"from": module})
    ledger.creditToken(funded, 2, 1, {"from": module})
    assert rows(lens, vault)[USDC][1:3] == [711 * 10**12 + 1, 711 * 10**12]
    assert rows(lens, vault)[WETH][1:3] == [6, 5]
    assert not lens.conservation(vault)[5]


def test_accounts_of__page__is_cut_at_the_last(lens, ledger, funded):
    page = lens.accountsOf(funded, 10)
    assert [entry[0] for entry in page] == list(range(funded, ledger.nextAccountId()))
    assert page[0][1] == ledger.ownerOf(funded) != accounts[0]
