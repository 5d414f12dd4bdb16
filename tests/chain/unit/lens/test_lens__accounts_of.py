"""Lens.accountsOf: pages of accounts, closed ones included."""

import pytest
from brownie import Auction, Lens

from tests.chain.helpers.errors import reverts_with
from tests.chain.unit.conftest import FUNDS_WAD

NOBODY = "0x" + "0" * 40


@pytest.fixture
def lens(governor, authority, ledger, margin, oracle):
    nothing = ledger.address
    auction = governor.deploy(Auction, authority, ledger, margin, nothing, nothing, nothing)
    return governor.deploy(Lens, ledger, oracle, auction)


def test_accounts_of__closed_account__leaves_the_page_readable(lens, ledger, trader, buyer, seller):
    closed = ledger.open(trader, 0, {"from": trader}).return_value
    last = ledger.open(trader, 1, {"from": trader}).return_value
    ledger.close(closed, {"from": trader})
    page = lens.accountsOf(0, 100)
    assert [entry[0] for entry in page] == list(range(last + 1))
    assert page[closed][1] == NOBODY
    assert (page[last][1], page[last][2][0]) == (trader.address, 1)
    assert page[buyer][2][1] == FUNDS_WAD


def test_accounts_of__behind_the_last__reverts_BadPage(lens, ledger):
    end = ledger.nextAccountId()
    with reverts_with("Lens__BadPage", end, end):
        lens.accountsOf(end, 1)
