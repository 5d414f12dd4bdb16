"""What is done to others: losses left to them, orders of accounts that were sold."""

from __future__ import annotations

from plimsoll.model import Kind
from tests.chain.profit.crowd import FRIEND, OWNER
from tests.chain.profit.plays.registry import Scene, play
from tests.chain.profit.world import ADMIN, LENDER, RELAYER, WAD, is_error


@play(2)
def loss_left_to_the_others(s: Scene) -> None:
    """A loss is about to be spread over all cash: leave before, come back after."""
    world = s.world
    rich, victim, friend = s.crowd.open(2_000_000.0), s.crowd.open(600_000.0), s.crowd.open(6_000_000.0)
    path = world.paths["ETH"]
    s.crowd.fill_up(victim, friend, "ETH", Kind.PERP)
    fund = int(world.at["InsuranceFund"].call("balanceWad"))
    world.send(ADMIN, "InsuranceFund", "withdraw", world.base.bidder, fund * 9 // 10)
    keeper, world.keeper = world.keeper, lambda: None
    # Beyond the range on purpose: a gap that no margin covers, more than the fund may pay at once.
    s.has_gap = True
    world.move(ETH=path.spot * (1 - 0.95 * s.price_range("ETH")))
    world.wait(1_800)
    world.move(ETH=path.spot * (1 - 0.95 * s.price_range("ETH")))
    if not world.try_send(RELAYER, "Auction", "start", victim):
        world.keeper = keeper
        return
    cash = world.at["Accounts"]
    lender, mine, purse = (
        int(cash.call("cashOf", world.base.lender)) / WAD,
        int(cash.call("cashOf", rich)) / WAD,
        s.crowd.gain(),
    )
    s.crowd.take(rich)
    world.keeper = keeper
    world.keeper()
    world.wait(3_600)
    world.try_send(OWNER, "Vault", "releaseShare", rich)
    s.crowd.take(rich)
    paid = lender - int(cash.call("cashOf", world.base.lender)) / WAD
    kept = s.crowd.gain() - purse + int(cash.call("cashOf", rich)) / WAD
    if paid > 100.0:
        seen = f"of {lender:,.0f} the lender lost {paid:,.2f}, of {mine:,.0f} the attacker {mine - kept:,.2f}"
        s.judge.require((mine - kept) / mine >= 0.9 * paid / lender, "P-08", seen)
    assert LENDER is not OWNER


@play(2)
def order_of_a_former_owner(s: Scene) -> None:
    """An order signed before a sale of the account must not fill after the account has come back."""
    world = s.world
    account, other = s.crowd.open(20_000.0), s.crowd.open(20_000.0)
    price = round(world.paths["ETH"].spot * 10**8) * 10**10
    word = world.word("ETH", Kind.PERP)
    buy = world.signed_order(OWNER, account, word, True, WAD, price)
    world.try_send(OWNER, "Accounts", "transferFrom", OWNER.address, FRIEND.address, account)
    world.try_send(FRIEND, "Accounts", "transferFrom", FRIEND.address, OWNER.address, account)
    sell = world.signed_order(OWNER, other, word, False, WAD, price)
    passed = world.try_send(OWNER, "Exchange", "settle", *buy, *sell, WAD)
    s.judge.require(not passed, "P-07", f"account {account} bought by an order of before its sale")
    assert not is_error(passed)
