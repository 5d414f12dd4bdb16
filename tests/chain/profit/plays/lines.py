"""Guarantee lines between accounts of one owner: cash that stands for another account, and is wanted back."""

from __future__ import annotations

from plimsoll.model import Kind
from tests.chain.profit.crowd import OWNER
from tests.chain.profit.plays.registry import Scene, play
from tests.chain.profit.world import HOUR, WAD

RAMP_SEC = 900


def _give(s: Scene, sponsor: int, beneficiary: int, cash: int, sec: int = HOUR) -> int:
    """Invite and give; the line's id, which is the next account's."""
    line = int(s.world.at["Accounts"].call("nextAccountId"))
    s.world.try_send(OWNER, "Guarantees", "invite", beneficiary, sponsor)
    terms = (cash * WAD, s.world.now + sec, RAMP_SEC)
    s.world.try_send(OWNER, "Guarantees", "give", sponsor, beneficiary, *terms)
    return line


def _borrow_against(s: Scene, debtor: int, credit: int) -> None:
    """Borrow about what lines count: they fill margins up, so that nothing of them is to be seen as excess."""
    amount_raw = credit * 10**6
    for _ in range(6):
        if s.world.try_send(OWNER, "Vault", "borrow", debtor, amount_raw, OWNER.address):
            return
        amount_raw = amount_raw * 99 // 100


def _settle_when_over(s: Scene, *lines: int) -> None:
    """Let the lines end under the eyes of the keeper, and take back what is left of them."""
    s.world.wait(2 * HOUR)
    for line in lines:
        s.world.try_send(OWNER, "Guarantees", "settle", line)


@play(2)
def a_line_borrowed_against_and_taken_back(s: Scene) -> None:
    """An account of nothing borrows against a line; then the line is released, or settled at its very end."""
    cash = s.rng.randrange(20_000, 200_000)
    sponsor, debtor = s.crowd.open(cash), s.crowd.open(0.0)
    line = _give(s, sponsor, debtor, cash)
    _borrow_against(s, debtor, cash)
    s.world.try_send(OWNER, "Guarantees", "release", line)
    s.crowd.take(sponsor)
    with s.before_the_keeper():
        s.world.wait(HOUR + s.rng.choice([0, 1, RAMP_SEC]))
        s.world.try_send(OWNER, "Guarantees", "settle", line)
        s.crowd.take(sponsor)
    _settle_when_over(s, line)


@play(2)
def lines_that_count_for_more_than_they_hold(s: Scene) -> None:
    """Four lines of one purse stand for one account, which takes out what they count."""
    cash = s.rng.randrange(20_000, 200_000, 10)
    sponsor, debtor = s.crowd.open(cash), s.crowd.open(0.0)
    lines = [_give(s, sponsor, debtor, cash // 10 * part) for part in (4, 3, 2, 1)]
    for credit in (2 * cash, cash, cash // 10, cash // 100):
        _borrow_against(s, debtor, credit)
    _settle_when_over(s, *lines)


@play(3)
def a_margin_that_goes_into_a_line(s: Scene) -> None:
    """Whose cash margins its own risk gives it to a friend who borrows against it; then the price moves."""
    sponsor, friend, debtor = s.crowd.open(100_000.0), s.crowd.open(5_000_000.0), s.crowd.open(0.0)
    s.crowd.fill_up(sponsor, friend, "ETH", Kind.PERP)
    for cash in (100_000, 70_000, 40_000, 20_000):
        _give(s, sponsor, debtor, cash)
        _borrow_against(s, debtor, cash)
    s.crowd.take(sponsor)
    s.covered_move(ETH=-s.rng.uniform(0.7, 1.0))
    s.world.wait(2 * HOUR)


@play(3)
def a_loss_that_a_line_pays_to_oneself(s: Scene) -> None:
    """An account lives on a line alone and loses; its owner bids, at once or after the bonus has grown, in parts."""
    friend, victim, bidder = s.crowd.open(5_000_000.0), s.crowd.open(0.0), s.crowd.open(2_000_000.0)
    cash = s.rng.randrange(50_000, 200_000)
    line = _give(s, friend, victim, cash, 12 * HOUR)
    s.crowd.fill_up(victim, friend, "ETH", Kind.PERP)
    s.crowd.take(victim)
    fall = s.world.paths["ETH"].spot * (1.0 - s.rng.uniform(0.3, 0.95) * s.price_range("ETH"))
    with s.before_the_keeper():
        s.world.move(ETH=fall)
        s.world.try_send(s.world.relayer, "Auction", "start", victim)
        s.world.wait(s.rng.choice([1, 300, 840]))
        for fraction in (WAD // 50, WAD // 2, WAD):
            s.crowd.bid(victim, bidder, fraction)
    s.world.wait(12 * HOUR)
    s.world.try_send(OWNER, "Guarantees", "settle", line)
