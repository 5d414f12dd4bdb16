"""Withdraw tokens from an account to its wallet; no more than its margin leaves free.

brownie run withdraw                                 1,000 USDC from the newest account of "alice"
brownie run withdraw main alice:3 0.5 WETH

More than that is refused, with the most that may leave now.
"""

from __future__ import annotations

from plimsoll.session import custody
from plimsoll.session.arguments import number
from plimsoll.session.report import look

from ._common import script, session, show


@script
def main(who: str = "alice", amount: str = "1000", symbol: str = "USDC") -> None:
    """Withdraw from an account of the wallet."""
    tokens, there = number("amount", amount), session()
    holder = there.holder(who)
    before = look(there, holder.account_id)
    custody.withdraw(there, holder, tokens, symbol)
    held = custody.plain(custody.balance(there, holder, symbol))
    print(f"withdrew {custody.plain(tokens)} {symbol}; the wallet now holds {held}")
    show(there, holder.account_id, before)
