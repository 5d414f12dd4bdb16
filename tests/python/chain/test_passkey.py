"""Signatures of passkeys, with the precompile of P-256 and without it: the same answers, at another price."""

from __future__ import annotations

import time

import pytest

from plimsoll.chain import anvil
from plimsoll.chain.abi import load_artifact
from plimsoll.chain.anvil import wallet
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract, create
from tests.chain.helpers.passkey import Authenticator

DEVICE, OTHER, DIGEST = Authenticator(0xA11CE), Authenticator(7), bytes(range(32))
ACCEPTED, REFUSED = bytes.fromhex("1626ba7e"), bytes.fromhex("ffffffff")
#: What a transaction costs before it does anything, and the words of a signature with it.
BASE_GAS = 45_000


@pytest.fixture(scope="module", params=["prague", "osaka"])
def chain(request):
    """Two chains: the rules of the second have the precompile at 0x100."""
    with anvil.running(int(time.time()), hard_fork=request.param) as running:
        yield request.param, Client(running.url)


@pytest.fixture(scope="module")
def passkey(chain):
    _, client = chain
    account = wallet("passkeys")
    client.rpc("anvil_setBalance", account.address, hex(10**20))
    factory, _ = create(client, account, "PasskeyFactory")
    factory.send(account, "create", DEVICE.x, DEVICE.y)
    return Contract(client, load_artifact("Passkey"), factory.call("addressOf", DEVICE.x, DEVICE.y))


def test_is_valid_signature__passkey_and_others__answers_alike_with_and_without_the_precompile(passkey):
    assert passkey.call("publicKey") == (DEVICE.x, DEVICE.y)
    signed = {
        "own": DEVICE.sign(DIGEST),
        "other": OTHER.sign(DIGEST),
        "digest": DEVICE.sign(DIGEST[::-1]),
        "twin": DEVICE.sign(DIGEST, is_high=True),
    }
    answers = {case: passkey.call("isValidSignature", DIGEST, signature) for case, signature in signed.items()}
    assert answers == {"own": ACCEPTED, "other": REFUSED, "digest": REFUSED, "twin": REFUSED}


def test_is_valid_signature__gas__is_that_of_the_precompile_where_there_is_one(chain, passkey):
    name, client = chain
    call = {"to": passkey.address, "data": "0x" + passkey.encode("isValidSignature", DIGEST, DEVICE.sign(DIGEST)).hex()}
    gas = int(client.rpc("eth_estimateGas", call), 16) - BASE_GAS
    assert gas < 20_000 if name == "osaka" else gas > 150_000, gas
