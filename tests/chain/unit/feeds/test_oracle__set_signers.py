"""Oracle.setSigners: governance only, no set without meaning."""

from __future__ import annotations

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import SIGNERS, STRANGER, market_round, post

ALL = [signer.address for signer in SIGNERS]


def test_set_signers__rotation__old_signers_lose_their_vote(oracle, relayer, accounts, chain):
    tx = oracle.setSigners([STRANGER.address], 1, {"from": accounts[0]})
    assert tx.events["SignersSet"]["threshold"] == 1
    with reverts_with("Oracle__BadSigner"):
        post(oracle, "postRound", market_round(chain.time()), relayer)
    post(oracle, "postRound", market_round(chain.time()), relayer, signers=[STRANGER])


def test_set_signers__stranger__reverts(oracle, relayer):
    with reverts_with("AccessManagedUnauthorized"):
        oracle.setSigners(ALL, 2, {"from": relayer})


def test_set_signers__threshold_out_of_range__reverts_BadSignerSet(oracle, accounts):
    with reverts_with("Oracle__BadSignerSet", 4, 3):
        oracle.setSigners(ALL, 4, {"from": accounts[0]})
    with reverts_with("Oracle__BadSignerSet", 0, 3):
        oracle.setSigners(ALL, 0, {"from": accounts[0]})


def test_set_signers__repeated__reverts_BadSigner(oracle, accounts):
    with reverts_with("Oracle__BadSigner", ALL[0].lower(), ALL[0].lower()):
        oracle.setSigners([ALL[0], ALL[0]], 1, {"from": accounts[0]})
