"""The honest keeper: after every round it starts, bids, touches and ends whatever the contracts allow."""

from __future__ import annotations

from typing import Any

from plimsoll.mirror.auction import RISK_SHARE, VOUCH_SEC, price_factor
from tests.chain.profit.judge import Judge
from tests.chain.profit.world import BIDDER, FAR, RELAYER, WAD, World, is_error

LIQUIDATABLE = 2
#: What a bidder tries in turn: an account larger than its margin is taken in parts.
FRACTIONS_WAD = (WAD, WAD // 4, WAD // 20)
#: Slices of one account after one round; each restores the buffer or is followed by another.
MOST_SLICES = 4
#: Fee on what is sold, a little rounded up.
FEE_SHARE = 0.0102
#: Between two observations of the share's rate, and of a fall of it.
GAP_SEC, FALL_GAP_SEC = 3_600, 24


def act(world: World, judge: Judge) -> None:
    """One pass over rates and all accounts."""
    _observe(world)
    accounts = list(range(2, int(world.at["Accounts"].call("nextAccountId"))))
    margins = world.at["MarginEngine"].call_many("marginOf", [[account] for account in accounts])
    auctions = world.at["Auction"].call_many("auctionOf", [[account] for account in accounts])
    for account, margin, auction in zip(accounts, margins, auctions, strict=True):
        if account in (world.base.lender, world.base.bidder):
            continue
        needs = is_error(margin) or int(margin.state) >= LIQUIDATABLE
        if auction.isOpen or needs:
            _liquidate(world, judge, account, is_open=auction.isOpen)


def _observe(world: World) -> None:
    """Look at the rate of the share, and again after the gap of a fall, as the duty of rates does."""
    token = world.deployment.tokens["SHARE"].token_id
    ratio = int(world.at["ScenarioBook"].call("collateralOf", token).ratioWad)
    seen = world.at["RateFeed"].call("observationOf", token)
    stated, now = int(world.at["RateFeed"].call("ceilingOf", token)), world.now
    is_fall = 0 < int(seen.rateWad) < ratio
    is_due = now >= int(seen.ts) + (FALL_GAP_SEC if is_fall else GAP_SEC)
    if is_due or (stated > int(seen.rateWad) if is_fall else 0 < stated < ratio):
        world.try_send(RELAYER, "RateFeed", "update", token)


def _liquidate(world: World, judge: Judge, account: int, *, is_open: bool) -> None:
    if not is_open and not world.try_send(RELAYER, "Auction", "start", account):
        return
    for _ in range(MOST_SLICES):
        if not any(_bid(world, judge, account, fraction) for fraction in FRACTIONS_WAD):
            break
    world.try_send(RELAYER, "Auction", "end", account)
    snapshot = world.ask("Accounts", "snapshotOf", account)
    if not is_error(snapshot) and not snapshot.positions and not snapshot.tokenIds and snapshot.cashWad < 0:
        world.try_send(RELAYER, "Auction", "writeOff", account)


def _bid(world: World, judge: Judge, account: int, fraction_wad: int) -> bool:
    quote = world.ask("Auction", "previewBid", account, fraction_wad)
    if is_error(quote):
        return False
    before, auction = world.ask("MarginEngine", "marginOf", account), world.ask("Auction", "auctionOf", account)
    limit = FAR if quote.isSolvent else 0
    bidder = world.base.bidder
    if not world.try_send(BIDDER, "Auction", "bid", account, bidder, fraction_wad, quote.isSolvent, limit):
        return False
    if quote.isSolvent and not is_error(before):
        _judge_slice(world, judge, account, before, (auction, int(quote.fractionWad) / WAD))
    return True


def _judge_slice(world: World, judge: Judge, account: int, before: Any, sold: tuple[Any, float]) -> None:
    """A slice costs the account the discount of the path on what is sold, and the fee out of a hundredth of it."""
    auction, fraction = sold
    after = world.ask("MarginEngine", "marginOf", account)
    if is_error(after):
        return
    elapsed_sec = world.now - int(auction.solventTs)
    if not auction.solventTs or world.now - int(auction.vouchedTs) >= VOUCH_SEC:
        elapsed_sec = 0
    lost = (before.equityWad - after.equityWad) / WAD
    value = max((before.marketEquityWad - int(auction.reserveWad)) / WAD, RISK_SHARE * int(before.maintenanceWad) / WAD)
    most = fraction * (1.0 - price_factor(elapsed_sec) + FEE_SHARE) * value
    judge.require(lost <= most + 1.0, "P-05", f"account {account} lost {lost:,.2f} of {most:,.2f} by a bid")
