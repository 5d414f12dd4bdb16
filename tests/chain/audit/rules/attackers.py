"""What attackers try; nearly every call must be refused."""

from __future__ import annotations

from typing import Any

from plimsoll.chain.revert import RevertError
from plimsoll.model import Kind
from plimsoll.protocol.rounds import RoundPoster
from tests.chain.audit.machine import Machine
from tests.chain.audit.rules.market import bare_round, post
from tests.chain.audit.rules.orders import signed_fill
from tests.chain.audit.rules.registry import SHORT, any_amount, is_in_need, owner_of, rule
from tests.chain.helpers.delegation import terms
from tests.chain.invariants.world import ETH, FAR, MAKER, SIGNERS, STRANGER, WAD, WAD_PER_RAW


@rule("attacker", 5)
def rob_an_account(m: Machine) -> None:
    account, usdc = m.rng.choice(m.ids), m.at["USDC"].address
    m.call(STRANGER, "Vault", "withdraw", account, usdc, 1, STRANGER.address, must="Vault__NotAuthorised")
    m.call(STRANGER, "Accounts", "setMode", account, 1, must="Accounts__NotOwner")
    m.call(STRANGER, "Accounts", "isolate", account, 0, 1, 0, 0, must="Accounts__NotOwner")
    m.call(STRANGER, "Delegation", "grant", account, STRANGER.address, terms(FAR % 2**40), must="Delegation__NotOwner")
    owner = owner_of(m, account).address
    m.call(STRANGER, "Accounts", "transferFrom", owner, STRANGER.address, account, must="ERC721InsufficientApproval")


@rule("attacker", 5)
def play_module(m: Machine) -> None:
    """Everything that only a module may do."""
    account = m.rng.choice(m.ids)
    word = m.world.instrument(Kind.PERP, 0, 0)
    calls: dict[str, tuple[Any, ...]] = {
        "applyTrade": ((account, m.maker, word, WAD, 2_000 * WAD),),
        "creditToken": (account, 0, WAD),
        "debitToken": (account, 0, 1),
        "moveCash": (m.maker, account, WAD),
        "transferSlice": (m.maker, account, WAD, 0),
        "settlePositions": (account, ETH, m.world.expiries[0], WAD),
        "socialise": (account, WAD),
    }
    name = m.rng.choice(sorted(calls))
    m.call(STRANGER, "Accounts", name, *calls[name], must="Accounts__NotModule")
    m.call(STRANGER, "InsuranceFund", "draw", account, account, 1, must="InsuranceFund__NotAuction")


@rule("attacker", 5)
def play_governor(m: Machine) -> None:
    """Every setter behind the access manager."""
    here, params = STRANGER.address, m.at["ScenarioBook"].call("accountParams")
    calls: list[tuple[Any, ...]] = [
        *(("Accounts", "setModule", here, True), ("Accounts", "setMarginEngine", here)),
        *(("Vault", "listToken", here, 1), ("Vault", "setCap", 0, 1), ("Vault", "pause"), ("Vault", "unpause")),
        *(("Oracle", "setSigners", [here], 1), ("Oracle", "setLimits", 1, 1, 1), ("Oracle", "setSequencer", here, 0)),
        *(("Oracle", "setAggregator", 1, here, 1, 1), ("Oracle", "pause"), ("Oracle", "unpause")),
        *(("ScenarioBook", "setAccountParams", params), ("ScenarioBook", "setGrace", 0)),
        *(("Auction", "setPriorMargin", here), ("Auction", "pause"), ("Auction", "unpause")),
        *(("Exchange", "pause"), ("Exchange", "unpause")),
        *(("InsuranceFund", "setAuction", here), ("InsuranceFund", "withdraw", m.maker, 1)),
    ]
    for call in m.rng.sample(calls, 3):
        m.call(STRANGER, *call, must="AccessManagedUnauthorized")
    m.call(STRANGER, "Authority", "grantRole", 0, here, 0, must="AccessManagerUnauthorizedAccount")


@rule("attacker", 5)
def forge_an_order(m: Machine) -> None:
    pair = (m.rng.choice(m.traders), m.maker)
    found = signed_fill(m, pair, Kind.PERP, 0.05)
    assert found is not None
    buy, good, sell, other, quantity, *price = found
    settle = (STRANGER, "Exchange", "settle")
    m.call(*settle, buy, other, sell, good, quantity, *price, must="Exchange__BadSignature")
    m.call(*settle, buy, good, sell, other, quantity + 1, *price, must="Exchange__Overfilled")
    m.call(*settle, buy, good, sell, other, 0, *price, must="Exchange__ZeroQuantity")
    if m.call(*settle, *found, may=SHORT, own=pair, bystanders=True).passed:
        m.call(*settle, *found, must="Exchange__Overfilled")


@rule("attacker", 3)
def trade_with_oneself(m: Machine) -> None:
    account = m.rng.choice(m.traders)
    found = m.world.fill(account, account, m.world.instrument(Kind.PERP, 0, 0), WAD, int(m.world.spot) * WAD)
    m.call(STRANGER, "Exchange", "settle", *found, must="Exchange__SelfTrade")


@rule("attacker", 3)
def expired_order(m: Machine) -> None:
    found = signed_fill(m, (m.rng.choice(m.traders), m.maker), Kind.PERP, 0.05)
    assert found is not None
    m.world.pass_time(3_700)
    m.call(STRANGER, "Exchange", "settle", *found, must="Exchange__OrderExpired")
    post(m, m.world.spot)


@rule("attacker", 5)
def forge_a_round(m: Machine) -> None:
    world, oracle = m.world, m.at["Oracle"].address
    alone = RoundPoster(world.client, world.deployment, SIGNERS[:1])
    strangers = RoundPoster(world.client, world.deployment, [STRANGER, SIGNERS[0]])
    heartbeat = m.at["Oracle"].call("heartbeatSec")
    world.pass_time(2)
    now = world.now
    for data, error in (
        (alone.round_call(bare_round(m, now)), "Oracle__TooFewSignatures"),
        (strangers.round_call(bare_round(m, now)), "Oracle__BadSigner"),
        (world.poster.round_call(bare_round(m, now + 3_600)), "Oracle__FromFuture"),
        (world.poster.round_call(bare_round(m, now, world.spot * 1e8)), "Oracle__TooFast"),
    ):
        # After an outage the limit is wider.
        if error == "Oracle__TooFast" and now > world.round_ts + heartbeat:
            continue
        m.send(STRANGER, oracle, data, "Oracle.postRound", must=error)


@rule("attacker", 4)
def bid_without_right(m: Machine) -> None:
    account, maker = m.rng.choice(m.traders), m.maker
    m.call(STRANGER, "Auction", "bid", account, maker, WAD, True, FAR, must="Auction__NotBidder")
    if m.auction(account).isOpen or isinstance(m.margin(account), RevertError):
        return
    m.call(MAKER, "Auction", "bid", account, maker, WAD, True, FAR, must="Auction__NotOpen")
    m.call(STRANGER, "Auction", "end", account, must="Auction__NotOpen")
    m.call(STRANGER, "Auction", "touch", account, must="Auction__NotOpen")


@rule("attacker", 3)
def bid_for_oneself(m: Machine) -> None:
    open_ = [account for account in m.traders if m.auction(account).isOpen]
    if not open_:
        return
    account = m.rng.choice(open_)
    quote = m.at["Auction"].call_many("previewBid", [[account, WAD]])[0]
    must = quote.name if isinstance(quote, RevertError) else "Accounts__SelfTrade"
    solvent = isinstance(quote, RevertError) or quote.isSolvent
    m.call(owner_of(m, account), "Auction", "bid", account, account, WAD, solvent, FAR if solvent else 0, must=must)


@rule("attacker", 3)
def bad_amounts(m: Machine) -> None:
    account = m.rng.choice(m.traders)
    owner, vault, usdc = owner_of(m, account), m.at["Vault"].address, m.at["USDC"].address
    m.call(owner, "Vault", "deposit", account, usdc, 0, must="Vault__ZeroAmount")
    m.call(owner, "Vault", "deposit", account, owner.address, 1, must="Vault__UnknownToken")
    must = "Vault__AmountTooLarge" if is_in_need(m, account) else "Vault__CapExceeded"
    m.call(owner, "Vault", "deposit", account, usdc, 2**256 - 1, must=must)
    m.call(owner, "Vault", "deposit", 10**9, usdc, 1, must="Vault__NotAuthorised")
    m.call(owner, "Vault", "deposit", 0, usdc, 1, must="Vault__NotAuthorised")
    m.call(owner, "Vault", "withdraw", account, usdc, 0, owner.address, must="Vault__ZeroAmount")
    m.call(owner, "Vault", "withdraw", account, usdc, 1, vault, must="Vault__BadReceiver")


@rule("attacker", 3)
def send_tokens_past_the_vault(m: Machine) -> None:
    """They belong to nobody and count for nothing."""
    symbol = m.rng.choice(["USDC", "WETH"])
    record = m.base.deployment.tokens[symbol]
    amount = any_amount(m, 10**9)
    m.donated[record.token_id] += amount * 10 ** (18 - record.decimals)
    m.call(MAKER, symbol, "transfer", m.at["Vault"].address, amount, bystanders=True)


@rule("attacker", 4)
def live_on_a_stale_price(m: Machine) -> None:
    """Past the heartbeat nothing that needs a margin number goes on; cash without debt and deposits do."""
    world = m.world
    world.pass_time(int(m.at["Oracle"].call("heartbeatSec")) + 60)
    usdc = m.at["USDC"].address
    for account in m.rng.sample(m.traders, 2):
        owner, snapshot = owner_of(m, account), m.snapshot(account)
        m.call(owner, "Vault", "deposit", account, usdc, 1)
        if snapshot.cashWad >= WAD_PER_RAW:
            must = "Oracle__Stale" if snapshot.positions else ""
            m.call(owner, "Vault", "withdraw", account, usdc, 1, owner.address, must=must)
        if snapshot.positions:
            open_ = m.auction(account).isOpen
            error = "Auction__AlreadyOpen" if open_ else "Oracle__Stale"
            m.call(STRANGER, "Auction", "start", account, must=error)
            m.call(owner, "Accounts", "setMode", account, 0, must="Oracle__Stale")
    found = signed_fill(m, (m.rng.choice(m.traders), m.maker), Kind.PERP, 0.05)
    assert found is not None
    m.call(STRANGER, "Exchange", "settle", *found, must="Oracle__Stale")
    post(m, world.spot)
