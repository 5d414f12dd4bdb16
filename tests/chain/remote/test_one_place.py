"""A unit is spendable in exactly one place, whatever happens on either chain and whatever a relayer does.

A machine draws what users, a relayer and the chains do: lock, claim, redeem and release, with newest and with old
proofs, in any order and twice; headers that are kept back; reorganisations of what is not final, on either chain.
After every step, on the blocks that are final: what was released is at most what was redeemed, claims and redemptions
together are exactly what was claimed, what was claimed is at most what was locked, and the escrow holds the rest.
"""

from __future__ import annotations

import random

import pytest

from plimsoll.chain.revert import RevertError
from plimsoll.remote.headers import header_at
from plimsoll.remote.proofs import locked_slot, prove, redeemed_slot
from tests.chain.remote.conftest import FINAL, RELAYER, WAD, finalise, signed

USERS = ("alice", "bob", "carol")
STEPS = 250
#: Proofs of the newest headers, which are drawn more often than those of all ages.
RECENT = 6
#: Nothing new, more than is held, a header posted in a block undone since, a proof that a word is still zero.
EXPECTED = (
    *("NothingNew", "ERC20InsufficientBalance", "HeaderFeed__Unknown"),
    *("TrieProofTraversalError", "RLPInvalidEncoding"),
)


class Machine:
    """Draws steps and keeps what it may use again: proofs and headers of every age."""

    def __init__(self, bridge, seed):
        self.bridge, self.rng = bridge, random.Random(seed)
        self.users = [bridge.wallet(name) for name in USERS]
        for client in (bridge.home, bridge.away):
            finalise(client)
        self.inward, self.outward = [], []
        # What other tests left in the escrow.
        self.others = bridge.token.call("balanceOf", bridge.escrow.address)
        self.seen = dict.fromkeys(("lock", "claim", "redeem", "release", "reorganise", "refused", "undone"), 0)

    def step(self):
        name = self.rng.choice(
            (
                "lock",
                "headers",
                "headers",
                "claim",
                "claim",
                "redeem",
                "redeem",
                "release",
                "release",
                "reorganise",
                "wait",
                "wait",
            )
        )
        try:
            getattr(self, name)()
        except RevertError as refused:
            if not any(word in str(refused) for word in EXPECTED):
                raise
            self.seen["refused"] += 1

    def lock(self):
        owner, to = self.rng.choice(self.users), self.rng.choice(self.users)
        self.bridge.lock(owner, self.rng.randint(1, 10) * WAD, to.address)
        self.seen["lock"] += 1

    def headers(self):
        """Post the newest final header of one chain, and keep proofs on it that may be used much later."""
        bridge = self.bridge
        way, kept, slot = self.rng.choice(
            ((bridge.inward, self.inward, locked_slot), (bridge.outward, self.outward, redeemed_slot))
        )
        header = header_at(way.source, "finalized")
        if header.number <= way.feed.call("newest"):
            return
        signatures = signed(way.source, way.feed, header)
        way.feed.send(RELAYER, "postHeader", header.encoded, header.block_hash, signatures)
        for user in self.users:
            proof = prove(way.source, way.kept.address, slot(bridge.token.address, user.address), header.number)
            kept.append((user.address, proof))

    def claim(self):
        if self.inward:
            to, proof = self.rng.choice(self.inward[-RECENT:] if self.rng.random() < 0.7 else self.inward)
            self.bridge.claims.send(
                RELAYER,
                "claim",
                self.bridge.token.address,
                to,
                (proof.number, list(proof.account), list(proof.storage)),
            )
            self.seen["claim"] += 1

    def redeem(self):
        owner, to = self.rng.choice(self.users), self.rng.choice(self.users)
        held = self.bridge.claim_token.call("balanceOf", owner.address)
        # Now and then more than there is.
        amount = self.rng.randint(1, max(held, 1) * 5 // 4)
        self.bridge.claims.send(owner, "redeem", self.bridge.token.address, amount, to.address)
        self.seen["redeem"] += 1

    def release(self):
        if self.outward:
            to, proof = self.rng.choice(self.outward[-RECENT:] if self.rng.random() < 0.7 else self.outward)
            self.bridge.escrow.send(
                RELAYER,
                "release",
                self.bridge.token.address,
                to,
                proof.number,
                list(proof.account),
                list(proof.storage),
            )
            self.seen["release"] += 1

    def reorganise(self):
        """Undo blocks that are not final: what happened in them has not."""
        client = self.rng.choice((self.bridge.home, self.bridge.away))
        before = self.figures()
        client.rpc("anvil_reorg", self.rng.randint(1, FINAL - 1), [])
        client.forget_nonces()
        self.seen["reorganise"] += 1
        self.seen["undone"] += before != self.figures()

    def wait(self):
        finalise(self.rng.choice((self.bridge.home, self.bridge.away)))

    def figures(self):
        bridge, token = self.bridge, self.bridge.token.address
        addresses = [user.address for user in self.users]
        return {
            "locked": sum(bridge.escrow.call("lockedRaw", token, to) for to in addresses),
            "released": sum(bridge.escrow.call("releasedRaw", token, to) for to in addresses),
            "held": bridge.token.call("balanceOf", bridge.escrow.address) - self.others,
            "claimed": sum(bridge.claims.call("claimedRaw", token, to) for to in addresses),
            "redeemed": sum(bridge.claims.call("redeemedRaw", token, to) for to in addresses),
            "supply": sum(bridge.claim_token.call("balanceOf", to) for to in addresses),
        }

    def check(self):
        found = self.figures()
        assert found["held"] == found["locked"] - found["released"], found
        assert found["supply"] == found["claimed"] - found["redeemed"], found
        assert found["claimed"] <= found["locked"], found
        assert found["released"] <= found["redeemed"], found
        # Nothing that can be spent here or taken out there is more than what waits for it.
        assert found["supply"] + found["redeemed"] - found["released"] <= found["held"], found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_unit__at_every_block_of_both_chains__is_in_one_place(bridge, seed):
    machine = Machine(bridge, seed)
    for _ in range(STEPS):
        machine.step()
        machine.check()
    assert min(machine.seen.values()) > 0, machine.seen
