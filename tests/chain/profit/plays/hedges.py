"""Hedges that are none any more, or a price that is known before it is the mark."""

from __future__ import annotations

from plimsoll.model import Kind
from tests.chain.profit.plays.registry import Scene, play
from tests.chain.profit.world import DAY


def _basis_pair(s: Scene, cash: float, expiry: int) -> tuple[int, int]:
    """Two accounts, each hedged by itself, each other's mirror: a future against the perpetual, as large as allowed."""
    first, second = s.crowd.open(cash), s.crowd.open(cash)
    path = s.world.paths["ETH"]
    quantity = 4e6 / path.spot
    for _ in range(12):
        ts = s.world.now
        legs = [
            (s.world.word("ETH", Kind.FUTURE, expiry), True, quantity, path.mark(Kind.FUTURE, expiry, 1.0, ts)),
            (s.world.word("ETH", Kind.PERP), False, quantity, path.mark(Kind.PERP, 0, 1.0, ts)),
        ]
        wad = [(word, buys, round(size * 1e18), round(price * 1e8) * 10**10) for word, buys, size, price in legs]
        if not s.crowd.quote(first, second, wad):
            quantity /= 2
    return first, second


def _expire(s: Scene, expiry: int) -> None:
    """Let the expiry pass; the keeper comes a few minutes after the settlement."""
    s.world.wait(max(expiry - s.world.now - 60, 0))
    with s.before_the_keeper():
        s.world.wait(max(expiry - s.world.now, 0) + 1)


@play(2)
def hedge_that_expires(s: Scene) -> None:
    """A future about to expire hedges a perpetual until the last second; its mirror is in another account."""
    path = s.world.paths["ETH"]
    expiry = path.expiries[0]
    s.world.wait(expiry - s.world.now - s.rng.randint(900, 5_400))
    _basis_pair(s, 30_000.0, expiry)
    _expire(s, expiry)
    s.covered_move(ETH=s.rng.choice([-1, 1]) * s.rng.uniform(0.4, 0.9))


@play(2)
def mean_known_in_advance(s: Scene) -> None:
    """Most of the settlement mean is fixed when spot has left it: who buys at spot then gives cash away."""
    path = s.world.paths["ETH"]
    expiry = path.expiries[0]
    s.world.wait(expiry - s.world.now - s.rng.randint(240, 600))
    s.covered_move(ETH=s.rng.choice([-1, 1]) * s.rng.uniform(0.2, 0.4))
    _basis_pair(s, 30_000.0, expiry)
    _expire(s, expiry)


@play()
def hedge_of_tomorrow(s: Scene) -> None:
    """The same a day before, across two near expiries that hedge each other."""
    path = s.world.paths["ETH"]
    expiry = path.expiries[1]
    s.world.wait(expiry - s.world.now - s.rng.randint(3_600, DAY // 2))
    _basis_pair(s, 30_000.0, expiry)
    _expire(s, expiry)
    s.covered_move(ETH=s.rng.choice([-1, 1]) * s.rng.uniform(0.4, 0.9))
