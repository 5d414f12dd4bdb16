"""Shares of a vault: what they are worth falls, or is made to look as if, and the attackers know it first."""

from __future__ import annotations

from plimsoll.model import Kind
from tests.chain.profit.crowd import OWNER
from tests.chain.profit.plays.registry import Scene, play
from tests.chain.profit.world import ADMIN, BIDDER, FAR, LENDER, RELAYER, SINGLE, WAD

SYMBOL = "SHARE"


def _slash(s: Scene, share: float) -> None:
    """Take a part of the vault's assets away for good."""
    s.crowd.suffer(share)
    held = int(s.world.at["LossyVault"].call("totalAssets"))
    s.world.send(ADMIN, "LossyVault", "slash", round(held * share))


def _observe(s: Scene, wait_sec: int) -> None:
    s.world.tick(wait_sec)
    s.world.post()
    s.world.keeper()


@play(3)
def loan_against_a_slashed_share(s: Scene) -> None:
    """The vault is slashed, and nobody has told the book: shares bought at the new rate are lent against at the old."""
    size = s.rng.uniform(100.0, 500.0)
    account, friend = s.crowd.open(0.0, SINGLE), s.crowd.open(1_000_000.0)
    _slash(s, s.rng.uniform(0.15, 0.6))
    if s.crowd.deposit(account, SYMBOL, 0.999 * s.crowd.buy_shares(size)):
        # Hedged by a perpetual as far as the book takes the shares for whole.
        held = s.world.ask("Accounts", "snapshotOf", account).amountsWad[0] / WAD
        for part in (0.98, 0.7, 0.4):
            s.crowd.trade_at_mark(friend, account, "ETH", Kind.PERP, part * held)
        s.crowd.borrow_most(account)
        s.crowd.take(account)
    for wait_sec in (12, 30, 3_600):
        _observe(s, wait_sec)


@play(2)
def slash_that_the_owner_runs_from(s: Scene) -> None:
    """Margin of shares carries a book; in the block of the slash all cash is taken out, and the book is left behind."""
    account, friend = s.crowd.open(150_000.0), s.crowd.open(1_000_000.0)
    s.crowd.deposit(account, SYMBOL, 0.999 * s.crowd.buy_shares(200.0))
    s.crowd.trade_at_mark(account, friend, "ETH", Kind.PERP, s.rng.uniform(20.0, 100.0))
    _observe(s, 30)
    _slash(s, s.rng.uniform(0.5, 0.95))
    s.crowd.take(account)
    for wait_sec in (12, 30, 86_400):
        _observe(s, wait_sec)


@play(3)
def rate_low_around_an_auction(s: Scene) -> None:
    """In one transaction the assets leave a vault, its rate is seen, an honest account is sold, and they come back."""
    world = s.world
    saver = _saver(s, s.rng.uniform(500.0, 800.0))
    bidder = s.crowd.open(3_000_000.0)
    world.send(OWNER, "Accounts", "approve", world.base.beside["RateDropper"], bidder)
    token = world.deployment.tokens[SYMBOL].token_id
    look = ("RateFeed", "update", token)
    start = ("Auction", "start", saver)
    share = s.rng.uniform(0.3, 0.95)
    _while_low(s, share, look)
    with s.before_the_keeper():
        world.tick(s.rng.choice([2, 12, 30]))
    for looks in ((), (look,), (look, look)):
        for is_solvent, limit in ((True, FAR), (False, 0)):
            _while_low(s, share, *looks, start, ("Auction", "bid", saver, bidder, WAD, is_solvent, limit))
    # What the honest account lost is in the attackers' accounts now. It has what a fall within the bound may take.
    world.keeper()


def _saver(s: Scene, perps: float) -> int:
    """An honest account that holds shares and is long perpetuals, with half as much again as it needs or more."""
    world = s.world
    account = int(world.at["Accounts"].call("nextAccountId"))
    world.send(LENDER, "Accounts", "open", LENDER.address, SINGLE)
    world.send(ADMIN, "SHARE", "transfer", LENDER.address, 400 * WAD)
    world.send(LENDER, "SHARE", "approve", world.deployment.contracts["Vault"], 2**256 - 1)
    world.send(LENDER, "Vault", "deposit", account, world.tokens[SYMBOL].address, 400 * WAD)
    path = world.paths["ETH"]
    price_wad, size = round(path.spot * 10**8) * 10**10, round(perps * WAD)
    word = world.word("ETH", Kind.PERP)
    theirs = world.signed_order(BIDDER, world.base.bidder, word, False, size, price_wad)
    mine = world.signed_order(LENDER, account, word, True, size, price_wad)
    world.send(RELAYER, "Exchange", "settle", *theirs, *mine, size)
    return account


def _while_low(s: Scene, share: float, *calls: tuple[object, ...]) -> bool:
    """Call while a share of the vault's assets is out, in one transaction of the attackers."""
    world = s.world
    out = round(int(world.at["LossyVault"].call("totalAssets")) * share)
    targets = [world.at[str(contract)] for contract, *_ in calls]
    data = [target.encode(str(call[1]), *call[2:]) for target, call in zip(targets, calls, strict=True)]
    addresses = [target.address for target in targets]
    return world.try_send(OWNER, "RateDropper", "drop", world.base.beside["LossyVault"], out, addresses, data)
