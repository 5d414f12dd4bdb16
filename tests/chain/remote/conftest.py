"""Two chains: a whole deployment on the first, an escrow on the second, and signers who watch both."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from plimsoll.chain import anvil
from plimsoll.chain.anvil import wallet
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract, create
from plimsoll.demo.result import GasBook
from plimsoll.demo.world import World, build_world
from plimsoll.deployment.spec import spec_for_market
from plimsoll.model import Market, Round, Surface, Svi, Token
from plimsoll.params import Params
from plimsoll.protocol.margin_engine import own_prices
from plimsoll.protocol.rounds import RoundPoster
from plimsoll.remote.headers import Header, sign_final
from plimsoll.remote.relay import Way

NOW = 1_770_326_940
AWAY_CHAIN_ID = 10
EXPIRY = NOW + 20 * 86_400
WAD = 10**18
CAP = 1_000 * WAD
MONEY = hex(10**24)
EPOCH_BLOCKS = 2
#: Blocks behind its head that a chain calls final.
FINAL = 2 * EPOCH_BLOCKS
GOVERNOR = wallet("deployer")
SIGNERS = sorted((wallet(f"header signer {number}") for number in range(3)), key=lambda w: int(w.address, 16))
RELAYER = wallet("relayer")
THRESHOLD = 2


@dataclass
class Bridge:
    """Both chains and everything between them."""

    world: World
    home: Client
    away: Client
    home_feed: Contract
    away_feed: Contract
    claims: Contract
    escrow: Contract
    token: Contract
    claim_token: Contract
    claim_id: int
    signers: list = field(default_factory=lambda: SIGNERS[:THRESHOLD])
    tests: int = 0

    def sign(self, source, feed):
        """Signatures of those who sign, each on what it sees itself."""
        return lambda header: [sign_final(source, feed, signer, header) for signer in self.signers]

    @property
    def inward(self):
        """From the escrow to the claims."""
        return Way(self.away, self.escrow, self.home_feed, self.claims, self.sign(self.away, self.home_feed))

    @property
    def outward(self):
        """From the claims to the escrow."""
        return Way(self.home, self.claims, self.away_feed, self.escrow, self.sign(self.home, self.away_feed))

    def lock(self, owner, amount_raw, to=None):
        self.token.send(owner, "mint", owner.address, amount_raw)
        self.token.send(owner, "approve", self.escrow.address, amount_raw)
        return self.escrow.send(owner, "lock", self.token.address, amount_raw, to or owner.address)

    def deposit(self, owner, amount_raw, account_id):
        """Put claims of a wallet into its account."""
        vault = self.world.contract("Vault")
        self.claim_token.send(owner, "approve", vault.address, amount_raw)
        vault.send(owner, "deposit", account_id, self.claim_token.address, amount_raw)

    def wallet(self, name):
        """A wallet with money for gas on both chains."""
        account = wallet(f"{name} of test {self.tests}")
        for client in (self.home, self.away):
            client.rpc("anvil_setBalance", account.address, MONEY)
        return account


def finalise(client):
    """Let everything that is in a block become final."""
    client.rpc("anvil_mine", hex(FINAL), hex(1))


def signed(client, feed, header: Header, signers=SIGNERS[:THRESHOLD]):
    return [sign_final(client, feed, signer, header) for signer in signers]


def market():
    svi = Svi(0.01, 0.05, -0.2, 0.0, 0.1)
    rounds = {"ETH": Round("ETH", NOW, 1_900.0, 1_899.5, 1.0, (Surface(EXPIRY, 1_905.0, 0.04, svi),))}
    return Market(NOW, {"USDC": Token("USDC", 1.0, 0.0), "WETH": Token("WETH", None, 0.2, "ETH", 0.02)}, rounds)


@pytest.fixture(scope="module")
def chains():
    with (
        anvil.running(NOW, epoch_blocks=EPOCH_BLOCKS) as home,
        anvil.running(NOW, chain_id=AWAY_CHAIN_ID, epoch_blocks=EPOCH_BLOCKS) as away,
    ):
        yield Client(home.url), Client(away.url)


@pytest.fixture(scope="module")
def built(chains):
    home, away = chains
    found = market()
    world = build_world(home, spec_for_market(found, Params(), ()), GasBook())
    relayer = world.funded_wallet("relayer")
    poster = RoundPoster(home, world.deployment, list(world.signers))
    poster.send(relayer, poster.round_call(found.rounds["ETH"]))
    poster.send(relayer, poster.tokens_call(NOW, own_prices(found)))
    for person in (GOVERNOR, RELAYER):
        away.rpc("anvil_setBalance", person.address, MONEY)
    authority = world.contract("Authority").address
    home_feed, _ = create(home, GOVERNOR, "HeaderFeed", authority, AWAY_CHAIN_ID)
    # The other chain has a governor of its own; here it is the same key.
    away_authority, _ = create(away, GOVERNOR, "Authority", GOVERNOR.address)
    away_feed, _ = create(away, GOVERNOR, "HeaderFeed", away_authority.address, home.chain_id)
    for feed in (home_feed, away_feed):
        feed.send(GOVERNOR, "setSigners", [s.address for s in SIGNERS], THRESHOLD)
    escrow, _ = create(away, GOVERNOR, "RemoteEscrow", away_feed.address)
    token, _ = create(away, GOVERNOR, "LocalToken", "Wrapped Ether", "WETH", 18)
    vault, book = (world.contract(name) for name in ("Vault", "ScenarioBook"))
    claims, _ = create(home, GOVERNOR, "RemoteClaims", authority, home_feed.address, escrow.address)
    escrow.send(GOVERNOR, "setHome", claims.address)
    claims.send(GOVERNOR, "listClaim", token.address, "Ether on the other chain", "rETH", 18, CAP)
    claim_address, _ = claims.call("claimOf", token.address)
    claim_token = Contract(home, token.artifact, claim_address)
    claim_id = vault.call("tokenCount")
    vault.send(GOVERNOR, "listToken", claim_address, CAP)
    vault.send(GOVERNOR, "setOutflow", claim_id, 10**6, 10**6)
    terms = {
        "listed": True,
        "linkedUnderlying": 1,
        "haircutWad": 25 * WAD // 100,
        "linkedHaircutWad": 5 * WAD // 100,
        "ratioWad": WAD,
    }
    book.send(GOVERNOR, "setCollateral", claim_id, terms)
    return Bridge(world, home, away, home_feed, away_feed, claims, escrow, token, claim_token, claim_id)


@pytest.fixture
def bridge(built):
    """Both chains, with wallets of this test alone: a chain that is set back forgets the states of its blocks."""
    built.tests += 1
    return built
