"""Prices that do not fit together, or come too fast."""

from __future__ import annotations

from plimsoll.chain.revert import RevertError
from plimsoll.model import Kind
from tests.chain.profit.crowd import OWNER
from tests.chain.profit.plays.registry import Scene, play
from tests.chain.profit.world import RELAYER, SINGLE


@play(2)
def loan_against_a_price_behind_the_round(s: Scene) -> None:
    """Spot has fallen, the price of the wrapped coin is still the old one: borrow in between."""
    path = s.world.paths["ETH"]
    s.world.try_price("WETH", path.spot)
    account, friend = s.crowd.open(0.0, SINGLE), s.crowd.open(500_000.0)
    s.crowd.deposit(account, "WETH", 500.0)
    # Hedged by a perpetual, whose gain is in the round already.
    s.crowd.trade_at_mark(friend, account, "ETH", Kind.PERP, 495.0)
    fall = s.rng.uniform(0.3, 0.7) * s.price_range("ETH")
    s.world.move(between=lambda: s.crowd.borrow_most(account), ETH=path.spot * (1 - fall))
    s.world.tick(60)
    s.world.post()
    s.world.try_price("WETH", path.spot)
    s.world.keeper()
    s.world.wait(120)
    # What stays behind is a debt that the coins no longer cover: the wallets are compared at the new price.


@play(2)
def captured_quorum_in_one_second(s: Scene) -> None:
    """Signers walk the price away, a little less than any limit of a message allows, again and again."""
    long, short = s.crowd.open(50_000.0), s.crowd.open(50_000.0)
    path = s.world.paths["ETH"]
    s.crowd.fill_up(long, short, "ETH", Kind.PERP)
    s.world.lift_limits(False)
    for _ in range(12):
        before = path.spot
        path.spot *= 1.24
        s.world.tick(2)
        try:
            s.world.post()
        except RevertError:
            path.spot = before
    s.crowd.take(long)
    s.world.keeper()


@play(2)
def token_price_out_of_nowhere(s: Scene) -> None:
    """One message sets a token to whatever its owner likes; the vault is lent against it."""
    account = s.crowd.open(0.0)
    s.crowd.deposit(account, "PLAIN", 1_000.0)
    s.world.lift_limits(False)
    s.world.tick(2)
    before = s.world.plain_price
    s.world.plain_price = 1e6
    try:
        s.world.post()
    except RevertError:
        s.world.plain_price = before
    s.crowd.borrow_most(account)
    s.crowd.take(account)
    s.world.plain_price = before


@play(2)
def stale_token_as_a_shield(s: Scene) -> None:
    """A token without a fresh price in the account: nobody can margin it, nobody can liquidate it."""
    victim, friend = s.crowd.open(50_000.0), s.crowd.open(50_000.0)
    path = s.world.paths["ETH"]
    s.crowd.deposit(victim, "PLAIN", 1e-6)
    s.crowd.fill_up(victim, friend, "ETH", Kind.PERP)
    s.world.stop_plain()
    s.world.wait(9_000)
    s.crowd.deposit(victim, "PLAIN", 1e-6)
    for _ in range(s.rng.randint(5, 8)):
        s.world.move(ETH=path.spot * 0.95)
        s.world.wait(600)
    s.world.try_send(OWNER, "Auction", "start", victim)
    assert RELAYER is not OWNER
