"""PasskeyFactory and Passkey: an address for a public key, and what its holder has signed with a device."""

import pytest
from brownie import Delegation, Passkey, PasskeyFactory, accounts, chain, project
from brownie import web3 as w3

from tests.chain.helpers.delegation import terms
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import WAD, perp, words
from tests.chain.helpers.orders import PLAIN, sign_order
from tests.chain.helpers.passkey import PRESENT, VERIFIED, Authenticator
from tests.chain.helpers.stack import deploy_stack

DIGEST = bytes(range(32))
ACCEPTED, REFUSED = "0x1626ba7e", "0xffffffff"
DEVICE = Authenticator(0xA11CE)


@pytest.fixture(scope="module")
def factory():
    return accounts[0].deploy(PasskeyFactory)


@pytest.fixture(scope="module")
def passkey(factory):
    return Passkey.at(factory.create(DEVICE.x, DEVICE.y, {"from": accounts[5]}).return_value)


def test_create__public_key__makes_its_contract_once(factory):
    other = Authenticator(7)
    predicted = factory.addressOf(other.x, other.y)
    tx = factory.create(other.x, other.y, {"from": accounts[5]})
    assert tx.return_value == predicted
    assert tx.events["PasskeyCreated"] == {"key": predicted, "x": "0x" + other.x.hex(), "y": "0x" + other.y.hex()}
    again = factory.create(other.x, other.y, {"from": accounts[6]})
    assert again.return_value == predicted
    assert not again.events
    assert [bytes(value) for value in Passkey.at(predicted).publicKey()] == [other.x, other.y]


def test_create__no_point_of_the_curve__reverts_NotOnCurve(factory):
    with reverts_with("PasskeyFactory__NotOnCurve"):
        factory.create(DEVICE.x, DEVICE.x, {"from": accounts[5]})


def test_is_valid_signature__of_the_passkey__is_accepted(passkey):
    assert passkey.isValidSignature(DIGEST, DEVICE.sign(DIGEST)) == ACCEPTED


@pytest.mark.parametrize(
    ("case", "signature"),
    [
        ("another digest", DEVICE.sign(DIGEST[::-1])),
        ("another passkey", Authenticator(7).sign(DIGEST)),
        ("user not verified", DEVICE.sign(DIGEST, flags=PRESENT)),
        ("user not present", DEVICE.sign(DIGEST, flags=VERIFIED)),
        ("a registration", DEVICE.sign(DIGEST, ceremony="webauthn.creat")),
        ("the twin of a signature", DEVICE.sign(DIGEST, is_high=True)),
        ("cut short", DEVICE.sign(DIGEST)[:-40]),
        ("nothing", b""),
        ("no assertion", b"\xff" * 300),
    ],
)
def test_is_valid_signature__of_anything_else__is_refused(passkey, case, signature):
    assert passkey.isValidSignature(DIGEST, signature) == REFUSED, case


def test_settle__order_of_a_passkey__fills_within_its_grant(factory, passkey):
    stack = deploy_stack(project.get_loaded_projects()[0], accounts[0], chain)
    owner, maker = accounts.add(), accounts.add()
    mine, theirs = stack.open(owner, 100_000), stack.open(maker, 100_000)
    end, key = chain[-1].timestamp + 600, passkey.address

    def fill(nonce):
        buy = (mine, perp(), True, WAD, 1_900 * WAD, nonce, end, key, *PLAIN)
        sell = (theirs, perp(), False, WAD, 1_900 * WAD, nonce, end, maker.address, *PLAIN)
        signature = DEVICE.sign(bytes(stack.exchange.hashOf(buy)))
        sides = (sell, sign_order(stack.exchange, maker, sell), buy, signature)
        return stack.exchange.settle(*sides, WAD, {"from": accounts[5]})

    with reverts_with("Delegation__NotDelegate"):
        fill(1)
    grant = Delegation.at(stack.delegation.address)
    grant.grant(mine, key, terms(end, max_loss_wad=10_000 * WAD), {"from": owner})
    fill(1)
    assert len(words(stack.accounts, mine)) == 1
    grant.revoke(mine, key, {"from": owner})
    with reverts_with("Delegation__NotDelegate"):
        fill(2)
    assert w3.eth.get_balance(key) == 0
