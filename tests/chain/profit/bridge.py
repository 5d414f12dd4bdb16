"""The other chain of an episode: an escrow, a token that may be minted there, and a relayer between both chains.

Whoever deploys it has a new chain each time, so that its addresses are known before it is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from eth_account.signers.local import LocalAccount

from plimsoll.chain import anvil
from plimsoll.chain.anvil import wallet
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract, create, creation_address
from plimsoll.chain.revert import RevertError
from plimsoll.deployment.escrow import deploy_escrow, set_home
from plimsoll.deployment.remote_spec import RemoteSpec, RemoteTokenSpec
from plimsoll.deployment.spec import Spec
from plimsoll.remote.headers import header_at, sign_final
from plimsoll.remote.proofs import StorageProof, locked_slot, prove, redeemed_slot

AWAY_ID = 10
EPOCH_BLOCKS = 2
#: Blocks behind its head that a chain calls final.
FINAL = 2 * EPOCH_BLOCKS
THRESHOLD = 2
CARRIER, ISSUER = wallet("carrier"), wallet("issuer of the other chain")
HEADER_SIGNERS = sorted((wallet(f"header signer {n}") for n in range(3)), key=lambda signer: int(signer.address, 16))
#: What a sequence of creations gives: authority, feed, escrow; and the token, which another wallet deploys.
TOKEN = creation_address(ISSUER.address, 0)
CLAIM = "rETH"


def remote_spec(deployer: LocalAccount) -> RemoteSpec:
    """Ether of the other chain as collateral here, without a bound on what leaves in a day."""
    token = RemoteTokenSpec(
        CLAIM, "Ether elsewhere", TOKEN, 18, 1e9, 0.8, 0.2, "ETH", 0.02, outflow_share=1.0, outflow_daily=1.0
    )
    signers = tuple(signer.address for signer in HEADER_SIGNERS)
    return RemoteSpec(AWAY_ID, THRESHOLD, 12, signers, (token,), escrow=creation_address(deployer.address, 2))


@dataclass(slots=True)
class Bridge:
    """Both ends, and proofs of every age that anybody may use again."""

    home: Client
    away: Client
    claims: Contract
    claim_token: Contract
    home_feed: Contract
    escrow: Contract
    away_feed: Contract
    token: Contract
    proofs: dict[str, list[tuple[str, StorageProof]]] = field(default_factory=lambda: {"claims": [], "releases": []})

    # --- users

    def lock(self, owner: LocalAccount, amount_raw: int, to: LocalAccount) -> None:
        self.away.rpc("anvil_setBalance", owner.address, hex(10**24))
        self.token.send(owner, "mint", owner.address, amount_raw)
        self.token.send(owner, "approve", self.escrow.address, amount_raw)
        self.escrow.send(owner, "lock", self.token.address, amount_raw, to.address)

    def redeem(self, owner: LocalAccount, amount_raw: int, to: LocalAccount) -> bool:
        return self._tried(self.claims, owner, "redeem", self.token.address, amount_raw, to.address)

    def held(self, owner: LocalAccount) -> int:
        """Claims in a wallet."""
        return int(self.claim_token.call("balanceOf", owner.address))

    def owned(self, owner: LocalAccount) -> int:
        """Tokens of a wallet on the other chain."""
        return int(self.token.call("balanceOf", owner.address))

    # --- whoever relays

    def show(self, people: Sequence[LocalAccount]) -> None:
        """Post a final header of each chain, and keep the proofs on it of everybody."""
        token = self.token.address
        for name, source, kept, feed, slot in (
            ("claims", self.away, self.escrow, self.home_feed, locked_slot),
            ("releases", self.home, self.claims, self.away_feed, redeemed_slot),
        ):
            source.rpc("anvil_mine", hex(FINAL), hex(1))
            header = header_at(source, "finalized")
            signatures = [sign_final(source, feed, signer, header) for signer in HEADER_SIGNERS[:THRESHOLD]]
            self._tried(feed, CARRIER, "postHeader", header.encoded, header.block_hash, signatures)
            for person in people:
                proof = prove(source, kept.address, slot(token, person.address), header.number)
                self.proofs[name].append((person.address, proof))

    def carry(self, name: str, to: str, proof: StorageProof) -> bool:
        """Send one proof, of whatever age."""
        parts: tuple[Any, ...] = (proof.number, list(proof.account), list(proof.storage))
        if name == "claims":
            return self._tried(self.claims, CARRIER, "claim", self.token.address, to, parts)
        return self._tried(self.escrow, CARRIER, "release", self.token.address, to, *parts)

    def settle(self, people: Sequence[LocalAccount]) -> None:
        """Carry everything that waits."""
        self.show(people)
        for name, proofs in self.proofs.items():
            for to, proof in proofs[-len(people) :]:
                self.carry(name, to, proof)

    def reorganise(self, depth: int) -> None:
        """Undo blocks of the other chain that are not final."""
        self.away.rpc("anvil_reorg", depth, [])
        self.away.forget_nonces()

    # --- both books

    def figures(self, people: Sequence[LocalAccount]) -> dict[str, int]:
        """What both chains say of every unit."""
        token = self.token.address
        return {
            "locked": sum(int(self.escrow.call("lockedRaw", token, p.address)) for p in people),
            "released": sum(int(self.escrow.call("releasedRaw", token, p.address)) for p in people),
            "waits": int(self.token.call("balanceOf", self.escrow.address)),
            "claimed": sum(int(self.claims.call("claimedRaw", token, p.address)) for p in people),
            "redeemed": sum(int(self.claims.call("redeemedRaw", token, p.address)) for p in people),
            "supply": int(self.claim_token.call("totalSupply")),
        }

    def _tried(self, contract: Contract, sender: LocalAccount, function: str, *values: Any) -> bool:
        """Send a call that may be refused; others send for the same wallets by another way."""
        contract.client.forget_nonces()
        try:
            contract.send(sender, function, *values)
        except RevertError:
            return False
        return True


@contextmanager
def bridge_of(home: Client, deployment: Any, spec: Spec, deployer: LocalAccount) -> Iterator[Bridge]:
    """Start the other chain of an episode, and connect it with the installation of the first one."""
    with anvil.running(home.block_ts(), chain_id=AWAY_ID, epoch_blocks=EPOCH_BLOCKS) as chain:
        away = Client(chain.url)
        for person in (deployer, ISSUER, CARRIER):
            away.rpc("anvil_setBalance", person.address, hex(10**24))
        home.rpc("anvil_setBalance", CARRIER.address, hex(10**24))
        away.rpc("anvil_setBlockTimestampInterval", 1)
        token, _ = create(away, ISSUER, "LocalToken", "Wrapped Ether", "WETH", 18)
        record = deploy_escrow(away, deployer, spec)
        set_home(away, deployer, record, deployment, is_local=True)
        claims, claim_token = deployment.contract(home, "RemoteClaims"), deployment.token_contract(home, CLAIM)
        feeds = deployment.contract(home, "HeaderFeed"), record.contract(away, "HeaderFeed")
        escrow = record.contract(away, "RemoteEscrow")
        yield Bridge(home, away, claims, claim_token, feeds[0], escrow, feeds[1], token)
