"""A loan at Morpho as collateral: at the edge of its venue, liquidated there, steered, and lent to for a moment."""

from __future__ import annotations

from plimsoll.model import Kind
from tests.chain.profit.crowd import OWNER
from tests.chain.profit.loans import BUFFER, SYMBOL
from tests.chain.profit.plays.registry import Scene, play
from tests.chain.profit.world import CROSS, HOUR, SINGLE, STANDARD, WAD


def _held(s: Scene, mode: int, coins: float, share: float) -> int:
    """An account of the attackers with all of a loan and nothing else."""
    s.crowd.build_loan(coins, share)
    account = s.crowd.open(0.0, mode)
    s.crowd.deposit(account, SYMBOL, 1.0)
    return account


def _liquidated(s: Scene) -> None:
    """The venue's price is worse than ours by the buffer, and the friend takes what he may, at once or in parts."""
    s.world.price_venue(s.world.paths["ETH"].spot * (1.0 - BUFFER * s.rng.choice([0.0, 0.5, 1.0])))
    for fraction in s.rng.choice([(1.0,), (0.3, 1.0), (0.5,), (0.1, 0.4)]):
        s.crowd.liquidate_loan(fraction)


@play(3)
def loan_at_the_edge_of_its_venue(s: Scene) -> None:
    """Borrowed to the edge, hedged flat, borrowed against here; then the price moves and the venue liquidates."""
    coins = s.rng.uniform(200.0, 2_000.0)
    account = _held(s, s.rng.choice([SINGLE, CROSS]), coins, s.rng.choice([0.5, 0.8, 0.9, 0.97, 0.999]))
    friend = s.crowd.open(5_000_000.0)
    s.crowd.trade_at_mark(friend, account, "ETH", Kind.PERP, s.rng.uniform(0.7, 1.1) * coins)
    s.crowd.borrow_most(account)
    s.crowd.take(account)
    s.covered_move(first=lambda: _liquidated(s), ETH=s.rng.choice([-1.0, -0.5, -0.1, -0.01, 1.0]))
    s.world.wait(s.rng.choice([0, HOUR, 12 * HOUR]))


@play(2)
def loan_without_netting(s: Scene) -> None:
    """In STANDARD nothing offsets: what it may lose, the venue's share included, has to be in its haircut."""
    account = _held(s, STANDARD, s.rng.uniform(200.0, 2_000.0), s.rng.uniform(0.2, 0.9))
    s.crowd.borrow_most(account)
    s.crowd.take(account)
    s.world.move(between=lambda: _liquidated(s), ETH=s.world.paths["ETH"].spot * (1.0 - s.price_range("ETH")))


@play(3)
def loan_steered_out_of_an_account(s: Scene) -> None:
    """Everything is borrowed here; then collateral and loans are taken out there, and what was lent for a moment."""
    world, token = s.world, s.world.tokens[SYMBOL]
    coins, mode = s.rng.uniform(200.0, 1_000.0), s.rng.choice([SINGLE, CROSS, STANDARD])
    account = _held(s, mode, coins, s.rng.uniform(0.1, 0.6))
    gift = round(coins * s.rng.uniform(0.0, 3.0) * WAD)
    world.try_send(OWNER, "Morpho", "supplyCollateral", world.base.venue.params, gift, token.address, b"")
    friend = s.crowd.open(5_000_000.0)
    s.crowd.trade_at_mark(account, friend, "ETH", Kind.PERP, s.rng.uniform(0.0, 1.0) * coins)
    s.crowd.borrow_most(account)
    for _ in range(8):
        part = s.rng.choice([0.9, 0.5, 0.1, 0.01])
        collateral, debt = token.call("amounts")
        words = (round(collateral * part), 0) if s.rng.random() < 0.6 else (0, round(debt * part))
        world.try_send(OWNER, SYMBOL, "take", account, *words, OWNER.address)
    s.crowd.take(account)
    share = s.rng.choice([-1.0, -0.5, 0.5])
    # In STANDARD what it may lose is off its worth, and no requirement.
    if mode == STANDARD:
        s.world.move(ETH=s.world.paths["ETH"].spot * (1.0 + share * s.price_range("ETH")))
    else:
        s.covered_move(ETH=share)
