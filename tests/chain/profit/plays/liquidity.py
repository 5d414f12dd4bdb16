"""Liquidity of a pool as collateral: hedged at the spot alone, counted at a pushed price, and fees of others."""

from __future__ import annotations

from plimsoll.model import Kind
from tests.chain.profit.crowd import OWNER
from tests.chain.profit.plays.registry import Scene, play
from tests.chain.profit.pool import SYMBOL
from tests.chain.profit.world import ADMIN, CROSS, LENDER, SINGLE, STANDARD, WAD


def _held(s: Scene, mode: int, units: float) -> int:
    """An account of the attackers with liquidity and nothing else."""
    account = s.crowd.open(0.0, mode)
    s.crowd.deposit(account, SYMBOL, s.crowd.buy_liquidity(units))
    return account


def _units(s: Scene, amount: float) -> float:
    """Coins that liquidity is at the spot."""
    source, spot = s.world.tokens[SYMBOL], round(s.world.paths["ETH"].spot * WAD)
    return int(source.call("valuesAt", round(amount * WAD), [spot])[0]) / WAD


@play(3)
def liquidity_hedged_at_the_spot_alone(s: Scene) -> None:
    """Perpetuals take its delta away; everything that is left is borrowed, and the price leaves the range."""
    amount = s.rng.uniform(20_000.0, 80_000.0)
    account, friend = _held(s, s.rng.choice([SINGLE, CROSS]), amount), s.crowd.open(5_000_000.0)
    s.crowd.trade_at_mark(friend, account, "ETH", Kind.PERP, s.rng.uniform(0.8, 1.2) * _units(s, amount))
    s.crowd.borrow_most(account)
    s.crowd.take(account)
    s.covered_move(ETH=s.rng.choice([-3.0, -1.0, 1.0, 3.0]))


@play(2)
def liquidity_without_netting(s: Scene) -> None:
    """In STANDARD nothing offsets: what it may lose has to be in its haircut."""
    account = _held(s, STANDARD, s.rng.uniform(20_000.0, 80_000.0))
    s.crowd.borrow_most(account)
    s.crowd.take(account)
    s.world.move(ETH=s.world.paths["ETH"].spot * (1.0 - s.price_range("ETH")))


@play(3)
def liquidity_counted_at_a_pushed_price(s: Scene) -> None:
    """The pool is pushed far away and back in between: before the deposit, the loan, the way out, in any order."""
    world, spot = s.world, s.world.paths["ETH"].spot
    amount = s.rng.uniform(5_000.0, 20_000.0)
    steps = [s.rng.choice([0.6, 0.8, 1.25, 1.6]), 1.0, s.rng.choice([0.6, 1.6]), 1.0]
    world.push(OWNER, spot * steps[0])
    account = _held(s, s.rng.choice([SINGLE, CROSS, STANDARD]), amount)
    world.push(OWNER, spot * steps[1])
    s.crowd.borrow_most(account)
    world.push(OWNER, spot * steps[2])
    s.crowd.borrow_most(account)
    s.crowd.take(account)
    world.push(OWNER, spot * steps[3])


@play(2)
def fees_of_others(s: Scene) -> None:
    """Honest liquidity has earned fees that nobody has collected; somebody joins, and leaves with a part of them."""
    world, spot = s.world, s.world.paths["ETH"].spot
    s.crowd.provide(LENDER, 20_000.0)
    for step in (1.1, 0.9, 1.0):
        world.push(ADMIN, spot * step)
    s.crowd.buy_liquidity(s.rng.uniform(20_000.0, 200_000.0))
    s.crowd.sell_liquidity()
    assert abs(world.pool_price / spot - 1.0) < 1e-3
