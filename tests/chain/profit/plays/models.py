"""Portfolios that look safer to the margin model than they are."""

from __future__ import annotations

from math import exp

from plimsoll.model import Kind
from tests.chain.profit.plays.registry import Scene, play
from tests.chain.profit.world import CROSS, SINGLE, STANDARD, WAD, is_error


def _pair(s: Scene, cash: float, mode: int = SINGLE) -> tuple[int, int]:
    return s.crowd.open(cash, mode), s.crowd.open(cash, mode)


@play(2)
def deep_strike_as_a_bond(s: Scene) -> None:
    """A put far above the forward is a loan; a basis point of its discount is worth more than its margin."""
    long, short = _pair(s, 2_000.0)
    path = s.world.paths["ETH"]
    expiry = path.expiries[s.rng.choice([3, 4])]
    strike = path.spot * 10 ** s.rng.uniform(0.8, 4.0)
    s.crowd.fill_up(long, short, "ETH", Kind.PUT, expiry, strike, start=1e6 * path.spot / strike)
    for account in (long, short):
        s.crowd.take(account)
    path.rates[expiry] = path.rate(expiry) + s.rng.choice([-1, 1]) * s.rng.uniform(0.001, 0.002)
    s.covered_move(ETH=0.0)


@play(2)
def box_of_two_strikes(s: Scene) -> None:
    """Calls and puts of two strikes are cash at expiry: nothing moves it but the rate."""
    long, short = _pair(s, 2_000.0)
    path = s.world.paths["ETH"]
    expiry = path.expiries[4]
    low, high = path.spot / s.rng.uniform(2.0, 7.8), path.spot * s.rng.uniform(6.0, 7.8)
    quantity = 1_000.0
    for _ in range(14):
        legs = [
            (s.world.word("ETH", kind, expiry, round(strike, 2)), buys, round(quantity * WAD),
             round(path.mark(kind, expiry, round(strike, 2), s.world.now) * WAD))
            for kind, strike, buys in (
                (Kind.CALL, low, True), (Kind.CALL, high, False), (Kind.PUT, low, False), (Kind.PUT, high, True),
            )
        ]  # fmt: skip
        if not s.crowd.quote(long, short, legs):
            quantity /= 2
    for account in (long, short):
        s.crowd.take(account)
    # Cash legs are charged for five hundredths.
    path.rates[expiry] = path.rate(expiry) + s.rng.choice([-1, 1]) * 0.045
    s.covered_move(ETH=0.0)


def _condor(s: Scene, short: int, long: int, name: str, cash: float) -> bool:
    """Sell one, a little heavier on one side, so that the worst rows of two underlyings have other signs."""
    path, reach = s.world.paths[name], s.price_range(name)
    expiry, heavy = path.expiries[1], Kind.CALL if name == "ETH" else Kind.PUT
    legs = []
    for kind, share, buys in (
        (Kind.CALL, 0.3, False), (Kind.CALL, 0.9, True), (Kind.PUT, -0.3, False), (Kind.PUT, -0.9, True),
    ):  # fmt: skip
        strike = round(path.spot * (1 + share * reach), 1)
        size = cash / path.spot * (1.05 if kind is heavy else 1.0)
        price = path.mark(kind, expiry, strike, s.world.now)
        legs.append((s.world.word(name, kind, expiry, strike), buys, round(size * WAD), round(price * WAD)))
    return s.crowd.quote(short, long, legs)


@play(2)
def condors_in_two_underlyings(s: Scene) -> None:
    """Two short condors lose together in a crash that stays inside both ranges."""
    short, long = s.crowd.open(30_000.0, CROSS), s.crowd.open(2_000_000.0, SINGLE)
    cash = 100_000.0
    for _ in range(8):
        passed = [_condor(s, short, long, name, cash) for name in ("ETH", "BTC")]
        cash *= 1.0 if all(passed) else 0.5
    side = s.rng.choice([-1, 1])
    s.covered_move(ETH=side * 0.95, BTC=side * 0.95)


@play(2)
def loss_beyond_the_range(s: Scene) -> None:
    """A few legs that lose only between one and three ranges."""
    taker, maker = s.crowd.open(20_000.0), s.crowd.open(3_000_000.0)
    path, reach = s.world.paths["ETH"], s.price_range("ETH")
    expiry = path.expiries[2]
    at = s.rng.uniform(1.5, 2.7)
    wing = s.rng.uniform(0.25, 0.5)
    quantity = 2_000.0
    for _ in range(12):
        legs = [
            (s.world.word("ETH", Kind.PUT, expiry, round(path.spot * (1 - share * reach), 1)), buys,
             round(size * quantity * WAD),
             round(path.mark(Kind.PUT, expiry, round(path.spot * (1 - share * reach), 1), s.world.now) * WAD))
            for share, buys, size in ((at, False, 2.0), (at - wing, True, 1.0), (min(at + wing, 3.2), True, 1.0))
        ]  # fmt: skip
        # Long the wings, short the body: a butterfly sold the other way round loses in the middle of it.
        legs = [(word, not buys, size, price) for word, buys, size, price in legs]
        if not s.crowd.quote(taker, maker, legs):
            quantity /= 2
    s.covered_move(ETH=-at)


@play(2)
def calendar_neutral_at_the_spot(s: Scene) -> None:
    """A near straddle against a far one, vega for vega at the money: elsewhere and at other volatilities it is not."""
    short, long = s.crowd.open(20_000.0), s.crowd.open(2_000_000.0)
    path = s.world.paths["ETH"]
    near, far = path.expiries[3], path.expiries[4]
    sign = s.rng.choice([True, False])
    quantity = 500.0
    for _ in range(10):
        legs = []
        for kind in (Kind.CALL, Kind.PUT):
            for expiry, ratio, buys in ((near, 2.6, sign), (far, 1.0, not sign)):
                strike = round(path.spot, 0)
                price = path.mark(kind, expiry, strike, s.world.now)
                legs.append(
                    (s.world.word("ETH", kind, expiry, strike), buys, round(ratio * quantity * WAD), round(price * WAD))
                )
        if not s.crowd.quote(short, long, legs):
            quantity /= 2
    up, down = (near, far) if s.rng.random() < 0.5 else (far, near)
    s.vols_apart("ETH", up, down, s.rng.choice([-1, 0, 1]) * s.rng.uniform(0.3, 1.0))


@play()
def size_in_standard(s: Scene) -> None:
    """The same book may not need less in STANDARD than in SINGLE, whatever its size or its coin."""
    name = s.rng.choice(["ETH", "BTC"])
    path, quantity = s.world.paths[name], 10 ** s.rng.uniform(1, 6)
    kind = s.rng.choice([Kind.PERP, Kind.FUTURE, Kind.CALL, Kind.PUT])
    expiry = 0 if kind is Kind.PERP else path.expiries[s.rng.randint(0, 4)]
    strike = path.spot * exp(s.rng.uniform(-0.3, 0.3)) if kind in (Kind.CALL, Kind.PUT) else 0.0
    size = round(quantity * WAD) * (-1 if strike else s.rng.choice([-1, 1]))
    base = s.world.word(name, kind, expiry, strike)
    entry = round(path.spot * 10**8) << 128 if not strike else 0
    word = (base | entry) | (size % 2**128)
    found = {}
    for mode in (STANDARD, SINGLE):
        margin = s.world.ask("MarginEngine", "evaluate", (mode, 10**12 * WAD, [], [], [word]))
        if is_error(margin):
            return
        found[mode] = int(margin.initialWad)
    seen = f"{name} {kind.name} {size / WAD:,.3f}: {found[STANDARD]} against {found[SINGLE]}"
    s.judge.require(found[STANDARD] >= found[SINGLE] * (1 - 1e-9), "P-06", seen)
