"""The ledger and its modules on stubs of margin engine and oracle, so that each unit stands alone."""

from __future__ import annotations

import pytest
from brownie import (
    Accounts,
    AuctionStub,
    Authority,
    Delegation,
    Exchange,
    LocalToken,
    MarginStub,
    Operators,
    Settlement,
    SettlementStub,
    Vault,
    accounts,
    chain,
)

from tests.chain.helpers.ledger import WAD
from tests.chain.helpers.orders import ANY_INSTRUMENT

CAP_RAW = 10**15
FUNDS_WAD = 100_000 * WAD


@pytest.fixture(scope="module")
def governor():
    return accounts[0]


@pytest.fixture(scope="module")
def module():
    """An account that is registered as a module, to call the ledger directly."""
    return accounts[1]


@pytest.fixture(scope="module")
def stranger():
    return accounts[2]


@pytest.fixture(scope="module")
def trader():
    return accounts.add()


@pytest.fixture(scope="module")
def maker():
    return accounts.add()


@pytest.fixture(scope="module")
def authority(governor):
    return governor.deploy(Authority, governor)


@pytest.fixture(scope="module")
def margin(governor):
    return governor.deploy(MarginStub)


@pytest.fixture(scope="module")
def oracle(governor):
    return governor.deploy(SettlementStub)


@pytest.fixture(scope="module")
def ledger(authority, governor, module, margin):
    deployed = governor.deploy(Accounts, authority, governor)
    deployed.setMarginEngine(margin, {"from": governor})
    deployed.setModule(module, True, {"from": governor})
    return deployed


@pytest.fixture(scope="module")
def usdc(governor):
    return governor.deploy(LocalToken, "Mock USD Coin", "USDC", 6)


@pytest.fixture(scope="module")
def wbtc(governor):
    return governor.deploy(LocalToken, "Mock Wrapped Bitcoin", "WBTC", 8)


@pytest.fixture(scope="module")
def weth(governor):
    return governor.deploy(LocalToken, "Mock Wrapped Ether", "WETH", 18)


@pytest.fixture(scope="module")
def auction(governor):
    return governor.deploy(AuctionStub)


@pytest.fixture(scope="module")
def vault(authority, governor, ledger, margin, auction, usdc, wbtc, weth):
    deployed = governor.deploy(Vault, authority, ledger, margin)
    deployed.setAuction(auction, {"from": governor})
    ledger.setModule(deployed, True, {"from": governor})
    deployed.listToken(usdc, CAP_RAW, {"from": governor})
    deployed.listToken(wbtc, CAP_RAW, {"from": governor})
    deployed.listToken(weth, 10**24, {"from": governor})
    return deployed


@pytest.fixture(scope="module")
def delegation(governor, ledger, margin):
    return governor.deploy(Delegation, ledger, margin)


@pytest.fixture(scope="module")
def operators(governor, ledger, vault):
    return governor.deploy(Operators, ledger, vault)


@pytest.fixture(scope="module")
def exchange(authority, governor, ledger, margin, delegation, oracle):
    deployed = governor.deploy(Exchange, authority, ledger, margin, delegation, oracle)
    deployed.setRules(1, ANY_INSTRUMENT, {"from": governor})
    ledger.setModule(deployed, True, {"from": governor})
    return deployed


@pytest.fixture(scope="module")
def settlement(governor, ledger, oracle):
    deployed = governor.deploy(Settlement, ledger, oracle)
    ledger.setModule(deployed, True, {"from": governor})
    return deployed


@pytest.fixture(scope="module")
def buyer(ledger, trader, module):
    """Id of an account with cash."""
    return _funded(ledger, trader, module)


@pytest.fixture(scope="module")
def seller(ledger, maker, module):
    """Id of another one."""
    return _funded(ledger, maker, module)


@pytest.fixture
def expiry():
    return chain[-1].timestamp + 7 * 86_400


def _funded(ledger, owner, module):
    account_id = ledger.open(owner, 0, {"from": owner}).return_value
    ledger.creditToken(account_id, 0, FUNDS_WAD, {"from": module})
    return account_id
