"""Deposit tokens into an account.

brownie run deposit                                  5,000 USDC into the newest account of "alice"
brownie run deposit main alice:3 2 WETH              into her account 3

On a local chain the tokens are made for the wallet first.
"""

from __future__ import annotations

from plimsoll.session import custody
from plimsoll.session.arguments import number
from plimsoll.session.report import look

from ._common import script, session, show


@script
def main(who: str = "alice", amount: str = "5000", symbol: str = "USDC") -> None:
    """Deposit into an account of the wallet."""
    tokens, there = number("amount", amount), session()
    holder = there.holder(who)
    before = look(there, holder.account_id)
    custody.deposit(there, holder, tokens, symbol)
    print(f"deposited {custody.plain(tokens)} {symbol}")
    show(there, holder.account_id, before)
