"""Trade with another account: both sides sign an order, the exchange settles them.

    brownie run trade                                    "alice" buys 2 ETH-PERP at the mark
    brownie run trade main alice -5 ETH-27MAR26-1800-P   she sells puts; a day that the rounds hold
    brownie run trade main alice 2 ETH-PERP 1890 bob     at a price, with bob

On a local chain the other side, "market maker", opens an account of its own when it has none.
"""

from __future__ import annotations

from plimsoll.session import custody, trades
from plimsoll.session.arguments import number, quantity
from plimsoll.session.report import look

from ._common import script, session, show

MAKER_CASH = 1_000_000.0


@script
def main(
    who: str = "alice", units: str = "2", instrument: str = "ETH-PERP", price: str = "", maker: str = "market maker"
) -> None:
    """Trade; a positive quantity buys, a negative one sells."""
    wanted, limit = quantity(units), number("price", price) if price else None
    there = session()
    found = trades.instrument(there, instrument, wanted)
    paid = trades.mark(there, found) if limit is None else limit
    taker = there.holder(who)
    with there.all_or_nothing():
        other = custody.account_with(there, maker, MAKER_CASH)
        before = look(there, taker.account_id)
        trades.trade(there, taker, other, found, paid)
    did = "bought" if wanted > 0 else "sold"
    print(f"{who} {did} {abs(wanted):,g} {instrument} at {paid:,.2f}")
    print(f"the other side is account {other.account_id} of {maker}")
    show(there, taker.account_id, before)
