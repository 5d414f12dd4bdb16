"""Equity handed to a friend while the risk stays, and bids on one's own ruin."""

from __future__ import annotations

from plimsoll.model import Kind
from tests.chain.profit.plays.registry import Scene, play
from tests.chain.profit.world import WAD


@play(3)
def equity_given_away_in_a_margin_call(s: Scene) -> None:
    """Below the initial margin, own risk is sold to an own account at a fifth of its worth; the rest goes under."""
    victim, friend = s.crowd.open(50_000.0), s.crowd.open(400_000.0)
    path = s.world.paths["ETH"]
    held = s.crowd.fill_up(victim, friend, "ETH", Kind.PERP)
    s.crowd.take(victim)
    down = s.rng.uniform(0.03, 0.15)

    fall = path.spot * (1 - down * s.price_range("ETH") * 3)
    s.world.move(between=lambda: _give(s, victim, friend, held), ETH=fall)
    s.world.move(between=lambda: _bid_on_oneself(s, victim), ETH=path.spot * 0.97)


def _give(s: Scene, seller: int, buyer: int, held: float) -> None:
    """Sell as cheaply and as much as the rules let through, by order or by quote."""
    path = s.world.paths["ETH"]
    for factor in (0.7, 0.76, 0.8, 0.83, 0.86, 0.9, 0.95):
        for share in (0.9, 0.6, 0.3):
            price = path.spot * factor
            if s.rng.random() < 0.3:
                leg = (s.world.word("ETH", Kind.PERP), False, round(share * held * WAD), round(price * 1e8) * 10**10)
                passed = s.crowd.quote(seller, buyer, [leg])
            else:
                passed = s.crowd.trade(buyer, seller, "ETH", Kind.PERP, share * held, price)
            held *= 1 - share if passed else 1.0


def _bid_on_oneself(s: Scene, victim: int) -> None:
    """Wait for the bonus and take one's own insolvency, which the fund pays for."""
    bidder = s.crowd.open(400_000.0)
    s.world.try_send(s.world.relayer, "Auction", "start", victim)
    with s.before_the_keeper():
        s.world.wait(s.rng.choice([60, 840]))
    for fraction in (WAD // 50, WAD // 2, WAD):
        s.crowd.bid(victim, bidder, fraction)


@play(2)
def small_bids_on_oneself(s: Scene) -> None:
    """An account of thin equity, taken by its owner in many small slices at the best moment for him."""
    victim, friend = s.crowd.open(50_000.0), s.crowd.open(400_000.0)
    path = s.world.paths["ETH"]
    s.crowd.fill_up(victim, friend, "ETH", Kind.PERP)

    def bid() -> None:
        s.world.try_send(s.world.relayer, "Auction", "start", victim)
        for _ in range(4):
            s.crowd.bid(victim, friend, WAD // 100)

    s.world.move(between=bid, ETH=path.spot * (1 - s.rng.uniform(0.3, 0.9) * s.price_range("ETH")))


@play(2)
def insolvency_opened_by_a_trade(s: Scene) -> None:
    """Risk is closed at a price that leaves less than nothing: margin set free must not pay for a hole."""
    victim, friend = s.crowd.open(50_000.0), s.crowd.open(400_000.0)
    path = s.world.paths["ETH"]
    held = s.crowd.fill_up(victim, friend, "ETH", Kind.PERP)

    def close() -> None:
        # An honest close costs less than a tenth of what it sets free; here it takes all there is, and more.
        for share in (0.0999, 0.09, 0.08, 0.06, 0.04):
            price = path.spot * (1 - share * s.price_range("ETH"))
            for part in (1.0, 0.97, 0.8):
                s.crowd.trade(friend, victim, "ETH", Kind.PERP, held * part, price)

    s.world.move(between=close, ETH=path.spot * (1 - s.rng.uniform(0.9, 1.0) * s.price_range("ETH")))
