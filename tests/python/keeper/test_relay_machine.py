"""Users, a hostile relayer, reorganisations and kills in any order: whatever is drawn, every unit is in one place.

The keeper's relayer is killed at random points and started anew; the other one carries old and new proofs before it.
After every step both books agree, and at the end nothing waits.
"""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest
from helpers.kills import die_at, killed
from helpers.two_chains import FINAL, HOSTILE, SIGNERS, THRESHOLD, WAD, Open, Relay, finalise, reorganise, two_chains

from plimsoll.chain.revert import RevertError
from plimsoll.remote.headers import header_at, sign_final
from plimsoll.remote.proofs import locked_slot, prove, redeemed_slot

STEPS = 100
KINDS = ("before write", "after write", "before send", "after send")


@pytest.fixture(scope="module")
def pair():
    with two_chains() as found:
        yield found


class Machine:
    """Draws steps, and keeps proofs of every age."""

    def __init__(self, pair, folder, seed):
        self.pair, self.rng, self.relay = pair, random.Random(seed), Relay(pair, folder)
        self.users = [pair.wallet() for _ in range(3)]
        # What they have for gas is in no transaction, and must not be undone.
        finalise(pair.home, pair.away)
        self.proofs = {"claims": [], "releases": []}
        self.seen = dict.fromkeys((*self.steps, "killed", "undone"), 0)

    @property
    def steps(self):
        return {
            "lock": self.lock,
            "redeem": self.redeem,
            "relay": self.run,
            "kill": self.kill,
            "show": self.show,
            "carry": self.carry,
            "undo": self.undo,
            "wait": self.wait,
        }

    def step(self):
        name = self.rng.choices(list(self.steps), (4, 3, 6, 2, 2, 3, 4, 4))[0]
        self.seen[name] += 1
        try:
            self.steps[name]()
        except RevertError:
            # Of users and of the hostile relayer; the keeper's simulates first.
            assert name in ("redeem", "show", "carry")

    def lock(self):
        owner, to = self.rng.choice(self.users), self.rng.choice(self.users)
        self.pair.lock(owner, self.rng.randint(1, 9) * WAD, to)

    def redeem(self):
        owner, to = self.rng.choice(self.users), self.rng.choice(self.users)
        self.pair.redeem(owner, self.rng.randint(1, max(1, self.pair.held(owner) * 5 // 4)), to)

    def run(self):
        found = self.relay.run(self.rng.randint(1, 2))
        assert found.problems == [], found.problems

    def kill(self):
        point = self.rng.choice(KINDS), self.rng.randint(1, 2)
        side = self.rng.choice(("here", "there"))

        async def whole():
            async with Open(self.relay) as opened:
                die_at(SimpleNamespace(transactor=getattr(opened, side)), point)
                for _ in range(3):
                    await opened.step()

        self.seen["killed"] += killed(whole)
        for client in (self.pair.home, self.pair.away):
            client.forget_nonces()

    def show(self):
        """The hostile relayer posts a header, and keeps proofs on it."""
        pair, token = self.pair, self.pair.token.address
        name, source, kept, feed, slot = self.rng.choice(
            (
                ("claims", pair.away, pair.escrow, pair.home_feed, locked_slot),
                ("releases", pair.home, pair.claims, pair.away_feed, redeemed_slot),
            )
        )
        header = header_at(source, "finalized")
        for user in self.users:
            proof = prove(source, kept.address, slot(token, user.address), header.number)
            self.proofs[name].append((user.address, proof))
        signatures = [sign_final(source, feed, signer, header) for signer in SIGNERS[:THRESHOLD]]
        feed.send(HOSTILE, "postHeader", header.encoded, header.block_hash, signatures)

    def carry(self):
        name = self.rng.choice([name for name, proofs in self.proofs.items() if proofs] or ["none"])
        if name == "none":
            return
        to, proof = self.rng.choice(self.proofs[name])
        parts, token = (proof.number, list(proof.account), list(proof.storage)), self.pair.token.address
        if name == "claims":
            self.pair.claims.send(HOSTILE, "claim", token, to, parts)
        else:
            self.pair.escrow.send(HOSTILE, "release", token, to, *parts)

    def undo(self):
        before = self.figures()
        reorganise(self.rng.choice((self.pair.home, self.pair.away)), self.rng.randint(1, FINAL - 1))
        self.seen["undone"] += before != self.figures()

    def wait(self):
        finalise(self.rng.choice((self.pair.home, self.pair.away)))

    def figures(self):
        pair, token, users = self.pair, self.pair.token.address, [user.address for user in self.users]
        return {
            "locked": sum(pair.escrow.call("lockedRaw", token, to) for to in users),
            "released": sum(pair.escrow.call("releasedRaw", token, to) for to in users),
            "claimed": sum(pair.claims.call("claimedRaw", token, to) for to in users),
            "redeemed": sum(pair.claims.call("redeemedRaw", token, to) for to in users),
            "supply": sum(pair.claim.call("balanceOf", to) for to in users),
        }

    def check(self):
        found = self.figures()
        assert found["supply"] == found["claimed"] - found["redeemed"], found
        assert found["claimed"] <= found["locked"], found
        assert found["released"] <= found["redeemed"], found


@pytest.mark.parametrize("seed", [1, 2])
def test_relayer__whatever_is_drawn__keeps_every_unit_in_one_place_and_carries_all(pair, tmp_path, seed):

    machine = Machine(pair, tmp_path, seed)
    for _ in range(STEPS):
        machine.step()
        machine.check()
    machine.relay.settle()
    found = machine.figures()
    assert (found["claimed"], found["released"]) == (found["locked"], found["redeemed"])
    assert found["locked"] > 0
    assert min(machine.seen.values()) > 0, machine.seen
