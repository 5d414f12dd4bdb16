"""Vault.depositWithPermit2: the holder signs once, the vault takes exactly that, nobody else can use it."""

import pytest
from brownie import MockPermit2, chain, web3
from eth_account import Account

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import WAD, shown, stored_total

PERMIT2 = "0x000000000022D473030F116dDEE9F6B43aC78BA3"
RAW = 10**6
TYPES = {
    "TokenPermissions": [{"name": "token", "type": "address"}, {"name": "amount", "type": "uint256"}],
    "PermitTransferFrom": [
        {"name": "permitted", "type": "TokenPermissions"},
        {"name": "spender", "type": "address"},
        {"name": "nonce", "type": "uint256"},
        {"name": "deadline", "type": "uint256"},
    ],
}


@pytest.fixture
def account_id(ledger, trader):
    return ledger.open(trader, 0, {"from": trader}).return_value


@pytest.fixture
def permit2(governor, usdc, trader):
    """Permit2 at its own address, and the approval that a wallet gives it once."""
    code = web3.eth.get_code(governor.deploy(MockPermit2).address).hex()
    web3.provider.make_request("anvil_setCode", [PERMIT2, "0x" + code.removeprefix("0x")])
    usdc.mint(trader, 100 * RAW, {"from": trader})
    usdc.approve(PERMIT2, 2**256 - 1, {"from": trader})


@pytest.fixture
def deposit(vault, usdc, trader, account_id):
    """Deposit with a signature over the given values; what is sent may differ."""

    def send(amount=10 * RAW, nonce=1, life=600, signed=None, by=trader, key=trader, spender=None, chain_id=None):
        deadline = chain[-1].timestamp + life
        message = {
            "permitted": {"token": usdc.address, "amount": signed or amount},
            "spender": (spender or vault).address,
            "nonce": nonce,
            "deadline": deadline,
        }
        domain = {"name": "Permit2", "chainId": chain_id or chain.id, "verifyingContract": PERMIT2}
        signature = Account.sign_typed_data(key.private_key, domain, TYPES, message).signature
        return vault.depositWithPermit2(account_id, usdc, amount, nonce, deadline, signature, {"from": by})

    return send


def test_deposit_with_permit2__signed__arrives_without_an_approval(
    permit2, deposit, vault, usdc, ledger, trader, account_id
):
    tx = deposit()
    assert usdc.allowance(trader, vault) == 0
    assert ledger.cashOf(account_id) == stored_total(ledger) == 10 * WAD
    assert usdc.balanceOf(vault) == vault.tokenOf(0)["heldRaw"] == 10 * RAW
    assert tx.events["Deposited"]["amountRaw"] == 10 * RAW


def test_deposit_with_permit2__again__is_refused(permit2, deposit, trader):
    deposit()
    with reverts_with("MockPermit2__Used", shown(trader), 1):
        deposit()
    deposit(nonce=2)


def test_deposit_with_permit2__out_of_date__is_refused(permit2, deposit):
    with reverts_with("MockPermit2__Expired"):
        deposit(life=-1)


def test_deposit_with_permit2__by_another__is_refused(permit2, deposit, ledger, trader, stranger, account_id):
    with reverts_with("Vault__NotAuthorised", shown(stranger), account_id):
        deposit(by=stranger)
    ledger.approve(stranger, account_id, {"from": trader})
    with reverts_with("MockPermit2__BadSignature", shown(stranger)):
        deposit(by=stranger)


def test_deposit_with_permit2__signed_for_something_else__is_refused(permit2, deposit, ledger, trader, maker):
    bad = ({"signed": 11 * RAW}, {"key": maker}, {"spender": ledger}, {"chain_id": 5})
    for change in bad:
        with reverts_with("MockPermit2__BadSignature", shown(trader)):
            deposit(**change)
    deposit()


def test_deposit_with_permit2__no_permit2_on_this_chain__reverts_NoPermit2(deposit):
    with reverts_with("Vault__NoPermit2", PERMIT2.lower()):
        deposit()


def test_deposit_with_permit2__zero_or_paused__reverts(permit2, deposit, vault, governor):
    with reverts_with("Vault__ZeroAmount", 0, 1):
        deposit(amount=0)
    vault.pause({"from": governor})
    with reverts_with("ExpiringPause__Paused"):
        deposit()
