"""Collateral on another chain, from the deposit there to its sale here and back: a scene on two chains of its own.

A trader locks tokens on one chain and trades on the other; the price falls, the account is sold, and whoever bought it
takes the tokens out of the escrow. Every step is a transaction of a wallet, and both books are compared after each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from eth_account.signers.local import LocalAccount

from plimsoll.chain import anvil
from plimsoll.chain.anvil import wallet
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract, create
from plimsoll.constants import DAY_SEC, WAD
from plimsoll.demo.plan import PlannedTrade
from plimsoll.demo.result import GasBook, RemoteStory
from plimsoll.demo.world import Holder, World, build_world
from plimsoll.deployment.escrow import deploy_escrow, set_home
from plimsoll.deployment.remote_spec import RemoteSpec, RemoteTokenSpec
from plimsoll.deployment.spec import Spec, spec_for_market
from plimsoll.model import Kind, Market, Mode, Position, Round, Surface, Svi, Token
from plimsoll.params import Params
from plimsoll.protocol.margin_engine import own_prices
from plimsoll.protocol.rounds import RoundPoster
from plimsoll.remote.headers import Header, sign_final
from plimsoll.remote.relay import Signing, Way, claim, release
from plimsoll.units import wad_to_float

AWAY_ID: Final = 10
CLAIM: Final = "rETH"
EPOCH_BLOCKS: Final = 2
#: Blocks behind its head that a chain calls final.
FINAL_BLOCKS: Final = 2 * EPOCH_BLOCKS
THRESHOLD: Final = 2
MONEY_WEI: Final = hex(10**24)
SPOT, FALL = 1_900.0, 0.24
LOCKED, BOUGHT = 60, 100.0
#: What the trader keeps on this chain for fees, and what the other two bring.
POCKET, MAKER_CASH, BIDDER_CASH = 5_000.0, 5_000_000.0, 400_000.0
#: After this long the price of a slice is low enough for the bidder.
AUCTION_SEC: Final = 600
FAR: Final = 2**127 - 1


@dataclass(slots=True)
class _Stage:
    """Both chains, and what connects them."""

    world: World
    away: Client
    escrow: Contract
    away_feed: Contract
    token: Contract
    carrier: LocalAccount
    signers: Sequence[LocalAccount]
    poster: RoundPoster
    market: Market

    @property
    def claims(self) -> Contract:
        return self.world.contract("RemoteClaims")

    @property
    def claim_token(self) -> Contract:
        return self.world.deployment.token_contract(self.world.client, CLAIM)

    @property
    def inward(self) -> Way:
        feed = self.world.contract("HeaderFeed")
        return Way(self.away, self.escrow, feed, self.claims, self._signing(self.away, feed))

    @property
    def outward(self) -> Way:
        home = self.world.client
        return Way(home, self.claims, self.away_feed, self.escrow, self._signing(home, self.away_feed))

    def _signing(self, source: Client, feed: Contract) -> Signing:
        """Each signer attests what its own node calls final."""

        def sign(header: Header) -> Sequence[bytes]:
            return [sign_final(source, feed, signer, header) for signer in self.signers[:THRESHOLD]]

        return sign

    def finalise(self) -> None:
        """Let everything that is in a block become final, on both chains."""
        for client in (self.world.client, self.away):
            client.rpc("anvil_mine", hex(FINAL_BLOCKS), hex(1))

    def post(self, spot: float) -> None:
        """Post a round at a spot."""
        ts = self.world.client.block_ts()
        shape = self.market.rounds["ETH"]
        surfaces = tuple(replace(surface, forward=spot) for surface in shape.surfaces)
        fresh = replace(shape, ts=ts, spot=spot, perp=spot, surfaces=surfaces)
        self.poster.send(self.carrier, self.poster.round_call(fresh))
        self.poster.send(self.carrier, self.poster.tokens_call(ts, own_prices(self.market)))

    def problem(self) -> str:
        """Say what does not add up between the books of both chains; nothing when all does."""
        waits = self.token.call("balanceOf", self.escrow.address)
        supply = self.claim_token.call("totalSupply")
        return "" if supply <= waits else f"{supply} claims on {waits} tokens in the escrow"


def play_two_chains(start_ts: int) -> RemoteStory:
    """Play the scene.

    Parameters
    ----------
    start_ts : int
        Time of both chains, unix seconds.

    Returns
    -------
    RemoteStory
        What happened, in numbers; its problems are empty when both books agreed after every step.

    Raises
    ------
    UnavailableError
        When anvil or the built contracts are missing.
    """
    with (
        anvil.running(start_ts, epoch_blocks=EPOCH_BLOCKS) as home,
        anvil.running(start_ts, chain_id=AWAY_ID, epoch_blocks=EPOCH_BLOCKS) as away,
    ):
        return _play(_build(Client(home.url), Client(away.url), start_ts))


def _market(start_ts: int) -> Market:
    """One underlying with one expiry: the scene trades a perpetual."""
    svi = Svi(0.01, 0.05, -0.2, 0.0, 0.1)
    surface = Surface(start_ts + 30 * DAY_SEC, SPOT, 0.04, svi)
    return Market(
        start_ts, {"USDC": Token("USDC", 1.0, 0.0)}, {"ETH": Round("ETH", start_ts, SPOT, SPOT, 1.0, (surface,))}
    )


def _spec(market: Market, token: str, signers: Sequence[LocalAccount]) -> Spec:
    """Ether of the other chain as collateral, final in one slot."""
    collateral = RemoteTokenSpec(
        CLAIM, "Ether on the other chain", token, 18, 1e6, 0.8, 0.2, "ETH", 0.02, outflow_share=1.0
    )
    remote = RemoteSpec(AWAY_ID, THRESHOLD, 12, tuple(signer.address for signer in signers), (collateral,))
    return replace(spec_for_market(market, Params(), ()), remote=remote)


def _build(home: Client, away: Client, start_ts: int) -> _Stage:
    """Deploy the escrow, everything on the home chain, and tell the escrow its home."""
    deployer, carrier, issuer = wallet("deployer"), wallet("carrier"), wallet("issuer of the other chain")
    for person in (deployer, carrier, issuer):
        for client in (home, away):
            client.rpc("anvil_setBalance", person.address, MONEY_WEI)
    away.rpc("anvil_setBlockTimestampInterval", 1)
    signers = sorted((wallet(f"header signer {n}") for n in range(3)), key=lambda signer: int(signer.address, 16))
    token, _ = create(away, issuer, "LocalToken", "Wrapped Ether", "WETH", 18)
    market = _market(start_ts)
    spec = _spec(market, token.address, signers)
    record = deploy_escrow(away, deployer, spec)
    if spec.remote is not None:
        spec = replace(spec, remote=replace(spec.remote, escrow=record.contracts["RemoteEscrow"]))
    world = build_world(home, spec, GasBook())
    set_home(away, deployer, record, world.deployment, is_local=True)
    poster = RoundPoster(home, world.deployment, list(world.signers))
    escrow, feed = (record.contract(away, name) for name in ("RemoteEscrow", "HeaderFeed"))
    stage = _Stage(world, away, escrow, feed, token, carrier, signers, poster, market)
    stage.post(SPOT)
    return stage


def _play(stage: _Stage) -> RemoteStory:
    """Deposit there, trade here, fall, be sold, take out there."""
    world, problems = stage.world, []
    maker = world.open("market maker", Mode.SINGLE, MAKER_CASH, by_permit=False)
    bidder = world.open("bidder", Mode.SINGLE, BIDDER_CASH, by_permit=False)
    trader = world.open("trader of two chains", Mode.SINGLE, POCKET, by_permit=False)
    steps = (
        lambda: _lock(stage, trader),
        lambda: _deposit(stage, trader),
        lambda: world.trade(trader, maker, PlannedTrade(Position("ETH", Kind.PERP, 0, 0.0, BOUGHT), SPOT)),
    )
    for step in steps:
        step()
        problems.append(stage.problem())
    engine = world.contract("MarginEngine")
    before = engine.call("marginOf", trader.account_id)
    fallen = SPOT * (1.0 - FALL)
    stage.post(fallen)
    after = engine.call("marginOf", trader.account_id)
    fraction = _sell(stage, trader, bidder, fallen)
    problems.append(stage.problem())
    seized_raw, released_raw = _take_out(stage, bidder)
    problems.append(stage.problem())
    terms = world.contract("ScenarioBook").call("collateralOf", world.deployment.tokens[CLAIM].token_id)
    return RemoteStory(
        locked=float(LOCKED),
        haircut=wad_to_float(terms.linkedHaircutWad),
        bought=BOUGHT,
        spot_before=SPOT,
        spot_after=fallen,
        equity_before=wad_to_float(before.equityWad),
        initial_before=wad_to_float(before.initialWad),
        equity_after=wad_to_float(after.equityWad),
        maintenance_after=wad_to_float(after.maintenanceWad),
        sold_share=fraction,
        seized=wad_to_float(seized_raw),
        released=wad_to_float(released_raw),
        waits=wad_to_float(stage.token.call("balanceOf", stage.escrow.address)),
        problems=tuple(problem for problem in problems if problem),
    )


def _lock(stage: _Stage, trader: Holder) -> None:
    """Put tokens into the escrow; once that is final a relayer makes the claim of it."""
    stage.away.rpc("anvil_setBalance", trader.wallet.address, MONEY_WEI)
    stage.token.send(trader.wallet, "mint", trader.wallet.address, LOCKED * WAD)
    stage.token.send(trader.wallet, "approve", stage.escrow.address, LOCKED * WAD)
    stage.escrow.send(trader.wallet, "lock", stage.token.address, LOCKED * WAD, trader.wallet.address)
    stage.finalise()
    claim(stage.inward, stage.carrier)


def _deposit(stage: _Stage, trader: Holder) -> None:
    """Put the claim into the account, like any token."""
    vault, amount_raw = stage.world.contract("Vault"), stage.claim_token.call("balanceOf", trader.wallet.address)
    stage.claim_token.send(trader.wallet, "approve", vault.address, amount_raw)
    vault.send(trader.wallet, "deposit", trader.account_id, stage.claim_token.address, amount_raw)


def _sell(stage: _Stage, trader: Holder, bidder: Holder, spot: float) -> float:
    """Start the auction, wait for the price, and let the bidder take what restores the account; return the share."""
    world, auction = stage.world, stage.world.contract("Auction")
    auction.send(bidder.wallet, "start", trader.account_id)
    world.set_time(world.client.block_ts() + AUCTION_SEC)
    stage.post(spot)
    quote: Any = auction.call("previewBid", trader.account_id, WAD)
    values = (trader.account_id, bidder.account_id, WAD, quote.isSolvent, FAR if quote.isSolvent else 0)
    emitted = dict(auction.events(auction.send(bidder.wallet, "bid", *values)))
    return wad_to_float(emitted["BidFilled"].fractionWad)


def _take_out(stage: _Stage, bidder: Holder) -> tuple[int, int]:
    """Let the bidder withdraw the claims that it bought and redeem them; return these, and what came out there."""
    world, token = stage.world, stage.claim_token
    most_raw = world.contract("ActionPreview").call("maxWithdraw", bidder.account_id, token.address)
    vault = world.contract("Vault")
    vault.send(bidder.wallet, "withdraw", bidder.account_id, token.address, most_raw, bidder.wallet.address)
    stage.claims.send(bidder.wallet, "redeem", stage.token.address, most_raw, bidder.wallet.address)
    stage.finalise()
    release(stage.outward, stage.carrier)
    return most_raw, int(stage.token.call("balanceOf", bidder.wallet.address))
