"""Bad rounds, each refused by its one named error, all storage as it was."""

from __future__ import annotations

import pytest
from brownie import Oracle, chain

from tests.chain.helpers.bad_input import HOUR, flipped
from tests.chain.helpers.ledger import WAD
from tests.chain.helpers.signed import SIGNERS, market_round, plain, post, sign
from tests.chain.helpers.untouched import refused, roots


@pytest.fixture
def oracle(authority, governor):
    made = governor.deploy(Oracle, authority, HOUR, WAD // 4, WAD)
    made.setSigners([signer.address for signer in SIGNERS], 2, {"from": governor})
    chain.mine()
    return made


@pytest.mark.parametrize(
    ("error", "how", "when"),
    [
        ("Oracle__BadSigner", {"chainId": 5}, 0),
        ("Oracle__BadSigner", {"signers": (SIGNERS[0], SIGNERS[0])}, 0),
        ("Oracle__FromFuture", {}, HOUR),
        ("Oracle__Stale", {}, -HOUR - 100),
    ],
    ids=["other chain", "one signer twice", "from the future", "expired"],
)
def test_round__bad__reverts_by_name_and_changes_nothing(oracle, stranger, error, how, when):
    with refused([oracle], error):
        post(oracle, "postRound", market_round(chain[-1].timestamp + when), stranger, **how)


def test_round__malleable__reverts_by_name_and_changes_nothing(oracle, stranger):
    message = market_round(chain[-1].timestamp)
    first, second = sign(oracle, "Round", message)
    with refused([oracle], "ECDSAInvalidSignatureS"):
        oracle.postRound(plain(message), [flipped(first), second], {"from": stranger})


def test_round__replayed__changes_nothing(oracle, stranger):
    """Relayers race: the second of them is no attacker, and his transaction does nothing."""
    message = market_round(chain[-1].timestamp)
    post(oracle, "postRound", message, stranger)
    before = roots([oracle])
    assert len(post(oracle, "postRound", message, stranger).events) == 0
    assert roots([oracle]) == before
