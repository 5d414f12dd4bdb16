"""Equity handed to a friend while the risk stays, and bids on one's own ruin."""

from __future__ import annotations

from offchain.model import Kind
from tests.chain.profit.plays.registry import Scene, play
from tests.chain.profit.world import HOUR, WAD


@play(3)
def equity_given_away_in_a_margin_call(s: Scene) -> None:
    """Below the initial margin, own risk is sold to an own account at a fifth of its worth; the rest goes under."""
    victim, friend = s.crowd.open(50_000.0), s.crowd.open(400_000.0)
    path = s.world.paths["ETH"]
    held = s.crowd.fill_up(victim, friend, "ETH", Kind.PERP)
    s.crowd.take(victim)
    down = s.rng.uniform(0.03, 0.15)

    def give() -> None:
        price = path.spot * s.rng.uniform(0.6, 0.97)
        _sell(s, victim, friend, held * s.rng.uniform(0.5, 0.9), price)

    s.world.move(between=give, ETH=path.spot * (1 - down * s.price_range("ETH") * 3))
    _bid_on_oneself(s, victim)
    s.covered_move(ETH=-0.1)
    _bid_on_oneself(s, victim)


def _sell(s: Scene, seller: int, buyer: int, quantity: float, price: float) -> None:
    """Sell as much as the rules let through, alone and by quote."""
    for n in range(8):
        if n % 2:
            word = s.world.word("ETH", Kind.PERP)
            leg = (word, False, round(quantity * WAD), round(price * 1e8) * 10**10)
            passed = s.crowd.quote(seller, buyer, [leg])
        else:
            passed = s.crowd.trade(buyer, seller, "ETH", Kind.PERP, quantity, price)
        quantity *= 0.9 if passed else 0.6


def _bid_on_oneself(s: Scene, victim: int) -> None:
    """Wait for the bonus and take one's own insolvency, which the fund pays for."""
    bidder = s.crowd.open(400_000.0)
    s.world.try_send(s.world.relayer, "Auction", "start", victim)
    keeper, s.world.keeper = s.world.keeper, lambda: None
    s.world.wait(s.rng.choice([60, HOUR // 4]))
    for fraction in (WAD // 50, WAD // 50, WAD // 2, WAD):
        s.crowd.bid(victim, bidder, fraction)
    s.world.keeper = keeper


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
        for price in (0.5, 0.7, 0.8, 0.9):
            s.crowd.trade(friend, victim, "ETH", Kind.PERP, held * s.rng.uniform(0.9, 1.0), path.spot * price)

    s.world.move(between=close, ETH=path.spot * (1 - s.rng.uniform(0.2, 0.8) * s.price_range("ETH")))
