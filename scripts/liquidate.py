"""Liquidate an account, in one go or step by step.

    brownie run liquidate                                a whole story on a local chain: the three steps below
    brownie run liquidate fall borrower 10 15            opens an account, buys 10 ETH-PERP, posts a fall of 15 %
    brownie run liquidate start borrower                 starts the auction of an account below maintenance
    brownie run liquidate bid borrower liquidator 1 300  bids for all that is offered after 300 seconds

`start` and `bid` take an account id in the place of a wallet. `bid` waits by moving the clock of a local chain;
elsewhere time passes by itself.
"""

from __future__ import annotations

from plimsoll.session import custody, liquidation, story
from plimsoll.session.arguments import number, quantity
from plimsoll.session.report import look

from ._common import script, session, show

BIDDER_CASH = 100_000.0


@script
def fall(who: str = "borrower", units: str = "10", percent: str = "15") -> None:
    """Open an account on little more than its initial margin, and let the price fall."""
    there = session()
    fallen = story.fall(there, who, quantity(units), number("percent", percent, 0.0, 99.0) / 100.0)
    print(f"{who} bought {units} ETH-PERP at {fallen.price:,.2f}; spot then fell to {fallen.spot:,.2f}")
    show(there, fallen.holder.account_id, fallen.before)


@script
def start(who: str = "borrower") -> None:
    """Start the auction."""
    there = session()
    account_id = there.account_id(who)
    liquidation.start_auction(there, account_id)
    print(f"auction of account {account_id} started")


@script
def bid(who: str = "borrower", bidder: str = "liquidator", fraction: str = "1", seconds: str = "300") -> None:
    """Wait, bid, and show both accounts."""
    there, share = session(), number("fraction", fraction, 0.0, 1.0)
    wait_sec = int(number("seconds", seconds, -1.0, 1_799.0))
    account_id = there.account_id(who)
    with there.all_or_nothing():
        by = custody.account_with(there, bidder, BIDDER_CASH)
        before, bidder_before = look(there, account_id), look(there, by.account_id)
        taken = liquidation.bid(there, account_id, by, share, wait_sec)
    paid = "paid" if taken.is_solvent else "was paid"
    print(f"{bidder} took {taken.fraction:.2%} and {paid} {taken.cash:,.2f}, fee {taken.fee:,.2f}")
    print(f"worth to the bidder above that: {taken.profit:,.2f}")
    show(there, account_id, before)
    show(there, by.account_id, bidder_before)


@script
def main(who: str = "borrower", bidder: str = "liquidator") -> None:
    """Fall, start and bid; when one of them fails, nothing is left of the others."""
    with session().all_or_nothing():
        fall(who)
        start(who)
        bid(who, bidder)
