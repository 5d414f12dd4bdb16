"""Auctions whose clock ran unseen."""

from __future__ import annotations

from plimsoll.model import Kind
from tests.chain.profit.plays.registry import Scene, play
from tests.chain.profit.world import DAY, RELAYER, WAD, is_error


@play(2)
def auction_of_last_week(s: Scene) -> None:
    """An auction that nobody ended goes on counting; days later a dip makes the account a bargain."""
    victim, friend = s.crowd.open(50_000.0), s.crowd.open(900_000.0)
    path = s.world.paths["ETH"]
    keeper, s.world.keeper = s.world.keeper, lambda: None
    s.crowd.fill_up(victim, friend, "ETH", Kind.PERP)
    start = path.spot
    s.world.move(ETH=start * (1 - 0.35 * s.price_range("ETH")))
    s.world.try_send(RELAYER, "Auction", "start", victim)
    s.world.move(ETH=start)
    s.world.wait(s.rng.randint(DAY // 2, DAY))
    s.world.move(ETH=start * (1 - 0.35 * s.price_range("ETH")))
    before = s.crowd.margin(victim)
    s.crowd.bid(victim, friend, WAD)
    after = s.crowd.margin(victim)
    s.world.keeper = keeper
    if before is None or after is None or before.equityWad <= 0:
        return
    s.world.keeper()
    lost = (before.equityWad - after.equityWad) / WAD
    # A path that starts when the fall is seen costs two hundredths, and the fee comes out of them.
    value = max(before.marketEquityWad, int(before.maintenanceWad) // 4) / WAD
    s.judge.require(lost <= 0.021 * value + 1.0, "P-05", f"{lost:,.2f} lost by one bid on {value:,.2f}")
    assert not is_error(after)
