"""Collateral that waits on another chain: spent here while it leaves there, proven twice, seized and redeemed."""

from __future__ import annotations

from plimsoll.model import Kind
from tests.chain.profit.bridge import CLAIM, FINAL, Bridge, bridge_of
from tests.chain.profit.crowd import FRIEND, OWNER
from tests.chain.profit.plays.registry import Scene, play
from tests.chain.profit.world import ADMIN, BIDDER, WAD

PEOPLE = (OWNER, FRIEND, BIDDER)
STEPS = 24


class _Attack:
    """What one owner does with units that are on two chains, step by step."""

    def __init__(self, s: Scene, bridge: Bridge) -> None:
        self.s, self.bridge, self.rng = s, bridge, s.rng
        self.account = s.crowd.open(20_000.0)
        self.brought_raw = self.sold_raw = 0
        s.world.send(OWNER, CLAIM, "approve", s.world.deployment.contracts["Vault"], 2**256 - 1)
        s.world.send(BIDDER, CLAIM, "approve", s.world.deployment.contracts["Vault"], 2**256 - 1)

    def check(self) -> None:
        """Every unit is in one place, whoever holds it, and what the vault counts as collateral is there."""
        seen = self.bridge.figures(PEOPLE)
        here = seen["supply"] == seen["claimed"] - seen["redeemed"]
        there = seen["waits"] == seen["locked"] - seen["released"]
        covered = seen["claimed"] <= seen["locked"] and seen["released"] <= seen["redeemed"]
        self.s.judge.require(here and there and covered, "P-09", str(seen))
        vault, token = self.s.world.at["Vault"], self.s.world.deployment.tokens[CLAIM]
        counted = int(vault.call("tokenOf", token.token_id).heldRaw)
        held = int(self.bridge.claim_token.call("balanceOf", vault.address))
        self.s.judge.require(counted <= held, "P-09", f"the vault counts {counted} claims and holds {held}")

    def bring(self) -> None:
        amount_raw = self.rng.randint(1, 40) * WAD
        self.bridge.lock(OWNER, amount_raw, self.rng.choice((OWNER, FRIEND)))
        self.brought_raw += amount_raw

    def bring_and_undo(self) -> None:
        """A lock that is gone before it is final: nothing was brought."""
        self.bridge.away.rpc("anvil_mine", hex(FINAL), hex(1))
        self.bridge.lock(OWNER, 40 * WAD, OWNER)
        self.bridge.reorganise(FINAL - 1)

    def show(self) -> None:
        self.bridge.show(PEOPLE)

    def carry(self) -> None:
        """Proofs of every age, newest ones more often, on either side and again and again."""
        name = self.rng.choice(("claims", "releases"))
        kept = self.bridge.proofs[name]
        for to, proof in self.rng.sample(kept[-6:] if self.rng.random() < 0.7 else kept, min(3, len(kept))):
            self.bridge.carry(name, to, proof)
            self.bridge.carry(name, to, proof)

    def deposit(self) -> None:
        held = self.bridge.held(OWNER)
        if held:
            self.s.crowd.deposit(self.account, CLAIM, held / WAD)

    def borrow(self) -> None:
        self.s.crowd.borrow_most(self.account)

    def withdraw(self) -> None:
        """Take claims out of the account, as many as there were and more, and let them leave."""
        self.s.crowd.withdraw_raw(self.account, CLAIM, self.rng.randint(1, 30) * WAD)
        self.redeem()

    def redeem(self) -> None:
        """What is in the wallet, twice."""
        held = self.bridge.held(OWNER)
        for _ in range(2):
            self.bridge.redeem(OWNER, max(held, 1), self.rng.choice((OWNER, FRIEND)))

    def fall(self) -> None:
        """A covered fall of the price, after which the keeper liquidates whoever is short."""
        self.s.covered_move(ETH=-self.rng.uniform(0.1, 0.5))

    def home_in(self) -> float:
        """Let the bidder redeem what it was sold, take everything, and say what tokens there are worth by now."""
        world, token = self.s.world, self.s.world.tokens[CLAIM].address
        most = world.ask("ActionPreview", "maxWithdraw", world.base.bidder, token)
        if isinstance(most, int) and most:
            world.send(BIDDER, "Vault", "withdraw", world.base.bidder, token, most, BIDDER.address)
            self.s.judge.require(self.bridge.redeem(BIDDER, most, BIDDER), "P-09", "the bidder cannot redeem")
        self.bridge.settle(PEOPLE)
        self.bridge.settle(PEOPLE)
        self.check()
        owned = self.bridge.owned(BIDDER)
        self.sold_raw = owned
        self.s.judge.require(not isinstance(most, int) or owned == most, "P-09", f"{most} sold, {owned} came home")
        mine = self.bridge.owned(OWNER) + self.bridge.owned(FRIEND) - self.brought_raw
        return mine / WAD * world.paths["ETH"].spot


@play(2)
def units_in_two_places(s: Scene) -> None:
    """Units are locked there, borrowed against here, redeemed and proven again in any order, and seized in between."""
    with bridge_of(s.world.client, s.world.deployment, s.world.base.spec, ADMIN) as bridge:
        attack = _Attack(s, bridge)
        steps = (attack.bring, attack.show, attack.carry, attack.deposit, attack.borrow, attack.withdraw)
        for step in (*steps[:5], *s.rng.choices((*steps, attack.bring_and_undo, attack.redeem), k=STEPS)):
            step()
            attack.check()
        _finish(s, attack)


@play(2)
def seized_while_it_leaves(s: Scene) -> None:
    """Borrow all that claims allow, let the price fall, and prove everything again while the account is sold."""
    with bridge_of(s.world.client, s.world.deployment, s.world.base.spec, ADMIN) as bridge:
        attack = _Attack(s, bridge)
        for step in (attack.bring, attack.show, attack.carry, attack.carry, attack.deposit, attack.borrow):
            step()
        friend = s.crowd.open(500_000.0)
        s.crowd.fill_up(attack.account, friend, "ETH", Kind.PERP)
        for _ in range(3):
            attack.fall()
            attack.withdraw()
            attack.carry()
            attack.check()
        _finish(s, attack)
        sales = s.world.refused.get("bid passed", 0)
        s.judge.require(bool(sales) == bool(attack.sold_raw), "P-09", f"{sales} sales, {attack.sold_raw} came home")


def _finish(s: Scene, attack: _Attack) -> None:
    s.crowd.take(attack.account)
    attack.redeem()
    s.crowd.abroad = attack.home_in()
