"""Open an account with a first deposit.

    brownie run open_account                             25,000 USDC by the wallet "alice"
    brownie run open_account main bob 12 WETH

On a local chain a wallet is the public seed of its name and tokens are made for it; elsewhere it is the Brownie
account of that name.
"""

from __future__ import annotations

from plimsoll.session import custody
from plimsoll.session.arguments import number

from ._common import script, session, show


@script
def main(who: str = "alice", amount: str = "25000", symbol: str = "USDC") -> None:
    """Open one more account of a wallet."""
    tokens, there = number("amount", amount), session()
    holder = custody.open_account(there, who, tokens, symbol)
    print(f"account {holder.account_id} of {who}: deposited {custody.plain(tokens)} {symbol}")
    print(f"wallet {holder.wallet.address}")
    show(there, holder.account_id)
