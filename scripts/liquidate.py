"""Liquidate an account, in one go or step by step.

    brownie run liquidate                                the three steps below, or nothing of them
    brownie run liquidate fall borrower 10 15            opens an account, buys 10 ETH-PERP, posts a fall of 15 %
    brownie run liquidate start borrower                 starts the auction of an account below maintenance
    brownie run liquidate bid borrower liquidator 1 300  bids for all that is offered after 300 seconds

`start` and `bid` take an account id in the place of a wallet. `bid` waits by moving the clock of a local chain.
"""

from __future__ import annotations

from plimsoll.session import custody, liquidation, story
from plimsoll.session.arguments import number, quantity
from plimsoll.session.report import look

from ._common import script, session, show


@script
def fall(who: str = "borrower", units: str = "10", percent: str = "15") -> None:
    """Open an account on little more than its initial margin, and let the price fall."""
    perpetuals, share = quantity(units), number("percent", percent, 0.0, 99.0) / 100.0
    there = session()
    fallen = story.fall(there, who, perpetuals, share)
    print(f"{who} traded {units} ETH-PERP at {fallen.price:,.2f}; spot then moved to {fallen.spot:,.2f}")
    show(there, fallen.holder.account_id, fallen.before)


@script
def start(who: str = "borrower", starter: str = "keeper") -> None:
    """Start the auction; any wallet may."""
    there = session()
    liquidation.start_auction(there, there.account_id(who), starter)
    print(f"auction of account {there.account_id(who)} started")


@script
def bid(who: str = "borrower", bidder: str = "liquidator", fraction: str = "1", seconds: str = "300") -> None:
    """Wait, bid, and show both accounts."""
    share, wait_sec = number("fraction", fraction, 0.0, 1.0), int(number("seconds", seconds, -1.0, 1_799.0))
    there = session()
    account_id = there.account_id(who)
    with there.all_or_nothing():
        by = custody.account_with(there, bidder, liquidation.BIDDER_CASH)
        before, bidder_before = look(there, account_id), look(there, by.account_id)
        taken = liquidation.bid(there, account_id, by, share, wait_sec)
    print(f"{bidder} {taken}")
    show(there, account_id, before)
    show(there, by.account_id, bidder_before)


@script
def main(who: str = "borrower", bidder: str = "liquidator") -> None:
    """Fall, start and bid."""
    with session().all_or_nothing():
        fall(who)
        start(who)
        bid(who, bidder)
