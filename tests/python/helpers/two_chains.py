"""Two chains that hold collateral for each other: a whole deployment at home, its escrow away, and relayers of both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from helpers.local_chain import MARKET, shifted

from plimsoll.chain import anvil
from plimsoll.chain.anvil import wallet
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract, create
from plimsoll.chain.endpoints import Endpoints
from plimsoll.chain.node import Node
from plimsoll.demo.result import GasBook
from plimsoll.demo.world import World, build_world
from plimsoll.deployment.escrow import EscrowRecord, deploy_escrow, set_home
from plimsoll.deployment.remote_spec import RemoteSpec, RemoteTokenSpec
from plimsoll.deployment.spec import spec_for_market
from plimsoll.files.market import load_market
from plimsoll.keeper.performer import Performer
from plimsoll.keeper.relay.attesting import Attester
from plimsoll.keeper.relay.opening import claims_way, releases_way
from plimsoll.keeper.relay.relayer import Found, Relayer, Rule
from plimsoll.keeper.relay.source import Source
from plimsoll.keeper.relay.tokens import Claims
from plimsoll.params import Params
from plimsoll.protocol.margin_engine import own_prices
from plimsoll.protocol.rounds import RoundPoster
from plimsoll.storage import open_database, upgrade
from plimsoll.transact.policy import Policy
from plimsoll.transact.transactor import Transactor

AWAY_ID = 10
WAD = 10**18
CAP = 1_000.0
EPOCH_BLOCKS = 2
#: Blocks behind its head that a chain calls final.
FINAL = 2 * EPOCH_BLOCKS
MONEY = hex(10**24)
DEPLOYER = wallet("deployer")
RELAYER, HOSTILE = wallet("relayer of both chains"), wallet("hostile relayer")
SIGNERS = sorted((wallet(f"header signer {n}") for n in range(3)), key=lambda signer: int(signer.address, 16))
THRESHOLD = 2
#: Everything at once, and as often as asked.
RULE = Rule(interval_sec=0.0, header_sec=0.0, quiet_sec=3_600.0, least=0.0, most=20)


@dataclass
class Pair:
    """Both chains, and everything between them."""

    world: World
    home: Client
    away: Client
    record: EscrowRecord
    token: Contract
    wallets: int = 0
    clock: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(sec=0.0))

    def __post_init__(self) -> None:
        self.deployment = self.world.deployment
        self.claims = self.deployment.contract(self.home, "RemoteClaims")
        self.home_feed = self.deployment.contract(self.home, "HeaderFeed")
        self.escrow = self.record.contract(self.away, "RemoteEscrow")
        self.away_feed = self.record.contract(self.away, "HeaderFeed")
        self.claim = self.deployment.token_contract(self.home, "rETH")

    def wallet(self, name: str = "user") -> Any:
        """A wallet of its own, with money for gas on both chains."""
        self.wallets += 1
        account = wallet(f"{name} {self.wallets} of two chains")
        for client in (self.home, self.away):
            client.rpc("anvil_setBalance", account.address, MONEY)
        return account

    def lock(self, owner: Any, amount_raw: int, to: Any = None) -> None:
        self.token.send(owner, "mint", owner.address, amount_raw)
        self.token.send(owner, "approve", self.escrow.address, amount_raw)
        self.escrow.send(owner, "lock", self.token.address, amount_raw, (to or owner).address)

    def redeem(self, owner: Any, amount_raw: int, to: Any = None) -> None:
        self.claims.send(owner, "redeem", self.token.address, amount_raw, (to or owner).address)

    def held(self, owner: Any) -> int:
        """Claims of a wallet."""
        return int(self.claim.call("balanceOf", owner.address))

    def owned(self, owner: Any) -> int:
        """Tokens of a wallet on the other chain."""
        return int(self.token.call("balanceOf", owner.address))

    def sent(self, account: Any = RELAYER) -> tuple[int, int]:
        """Transactions of a wallet on both chains."""
        return tuple(
            int(client.rpc("eth_getTransactionCount", account.address, "latest"), 16)
            for client in (self.home, self.away)
        )

    def bridge(self) -> dict[str, int]:
        """Both sides of the books; what is claimable here must wait there."""
        return {
            "held": int(self.token.call("balanceOf", self.escrow.address)),
            "supply": int(self.claim.call("totalSupply")),
        }

    def cap(self, amount_raw: int) -> None:
        self.claims.send(DEPLOYER, "setCap", self.token.address, amount_raw)


def finalise(*clients: Client) -> None:
    """Let everything that is in a block become final."""
    for client in clients:
        client.rpc("anvil_mine", hex(FINAL), hex(1))


def reorganise(client: Client, depth: int) -> None:
    """Undo the last blocks: what happened in them has not, and other blocks take their place."""
    client.rpc("anvil_reorg", depth, [])
    client.forget_nonces()


@contextmanager
def two_chains(start_ts: int | None = None) -> Iterator[Pair]:
    """Deploy both ends on fresh chains, and post the first rounds."""
    market = load_market(MARKET)
    if start_ts is not None:
        market = shifted(market, start_ts)
    with (
        anvil.running(market.ts, epoch_blocks=EPOCH_BLOCKS) as here,
        anvil.running(market.ts, chain_id=AWAY_ID, epoch_blocks=EPOCH_BLOCKS) as there,
    ):
        home, away = Client(here.url), Client(there.url)
        for client in (home, away):
            for person in (DEPLOYER, RELAYER, HOSTILE):
                client.rpc("anvil_setBalance", person.address, MONEY)
        away.rpc("anvil_setBlockTimestampInterval", 1)
        token, _ = create(away, DEPLOYER, "LocalToken", "Wrapped Ether", "WETH", 18)
        collateral = RemoteTokenSpec("rETH", "Ether elsewhere", token.address, 18, CAP, 0.8, 0.2, "ETH", 0.02)
        remote = RemoteSpec(AWAY_ID, THRESHOLD, 12, tuple(s.address for s in SIGNERS), (collateral,))
        spec = replace(spec_for_market(market, Params(), ()), remote=remote)
        record = deploy_escrow(away, DEPLOYER, spec)
        spec = replace(spec, remote=replace(remote, escrow=record.contracts["RemoteEscrow"]))
        world = build_world(home, spec, GasBook())
        set_home(away, DEPLOYER, record, world.deployment, is_local=True)
        poster = RoundPoster(home, world.deployment, world.signers)
        relayer, ts = world.funded_wallet("relayer"), home.block_ts()
        for shape in market.rounds.values():
            poster.send(relayer, poster.round_call(replace(shape, ts=ts)))
        poster.send(relayer, poster.tokens_call(ts, own_prices(market)))
        yield Pair(world, home, away, record, token)


class Relay:
    """A relayer with a database, started anew for every run, as after a kill."""

    def __init__(
        self,
        pair: Pair,
        folder: Path,
        *,
        keys: Sequence[Any] = tuple(SIGNERS[:THRESHOLD]),
        urls: Sequence[str] = (),
        home_urls: Sequence[str] = (),
        quorum: int = 1,
        rule: Rule = RULE,
        log_blocks: int = 50,
        services: Sequence[str] = (),
        attest: str = "",
    ) -> None:
        self.services, self.attest = tuple(services), attest
        self.pair, self.rule, self.keys, self.quorum, self.log_blocks = pair, rule, tuple(keys), quorum, log_blocks
        self.urls, self.home_urls = list(urls or [pair.away.url]), list(home_urls or [pair.home.url])
        self.database = f"sqlite:///{folder / 'relay.sqlite'}"

    def run(self, passes: int = 1, between: Callable[[Open], None] = lambda opened: None) -> Found:
        """Start, make passes, stop; return what the last one found."""

        async def whole() -> Found:
            async with Open(self) as opened:
                for _ in range(passes):
                    found = await opened.step()
                    between(opened)
                return found

        return asyncio.run(whole())

    def settle(self, most: int = 12) -> list[str]:
        """Run until nothing waits on either chain and nothing is under way; return the keys of what was done."""
        done: list[str] = []
        for _ in range(most):
            finalise(self.pair.home, self.pair.away)
            found = self.run(2)
            done += [deed.key for deed in found.deeds]
            if not any(found.waiting.values()) and not found.deeds:
                return done
        raise AssertionError(f"still at it: {found}")


class Open:
    """A relayer that runs."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay

    async def __aenter__(self) -> Open:
        relay, pair = self.relay, self.relay.pair
        self.engine = open_database(relay.database)
        upgrade(self.engine)
        nodes = [Node(url, timeout_sec=5.0) for url in relay.home_urls]
        self.home = Endpoints(nodes, relay.quorum if len(nodes) > 1 else 1, wait_sec=0.0)
        self.away = Endpoints([Node(url, timeout_sec=5.0) for url in relay.urls], relay.quorum, wait_sec=0.0)
        policy = Policy(min_tip_wei=0)
        self.here = Transactor(self.home, RELAYER, self.engine, pair.deployment.chain_id, policy)
        self.there = Transactor(self.away, RELAYER, self.engine, AWAY_ID, policy)
        locked = Source(
            self.away, AWAY_ID, "RemoteEscrow", pair.escrow.address, "Locked", pair.record.block, relay.log_blocks
        )
        redeemed = Source(
            *(self.home, pair.deployment.chain_id, "RemoteClaims", pair.claims.address, "Redeemed"),
            *(pair.deployment.block, relay.log_blocks),
        )
        self.relayer = Relayer(
            claims_way(locked, pair.deployment, relay.keys),
            releases_way(redeemed, pair.record.as_deployment(), relay.keys),
            Claims(pair.deployment),
            Performer(pair.deployment, self.here, is_dry=False),
            Performer(pair.deployment, self.there, is_dry=False),
            self.away,
            relay.rule,
            services=relay.services,
            clock=lambda: pair.clock.sec,
        )
        if relay.attest:
            self.relayer.attester = Attester(relay.attest, (self.relayer.claims, self.relayer.releases))
            await self.relayer.attester.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.relayer.close()
        await self.here.close()
        await self.home.close()
        self.engine.dispose()

    async def step(self, patience_sec: float = 30.0) -> Found:
        """Look at the home chain and let the relayer make a pass."""
        head = await self.home.head()
        await self.here.advance(head)
        found = await self.relayer.step(SimpleNamespace(head=head, node=self.home.node_at(head)), patience_sec)
        return Found() if found is None else found
