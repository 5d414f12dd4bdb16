"""How do I place, amend, cancel and follow orders at a venue? Address and key come from the command line.

`make venue` starts one: python examples/trade_at_a_venue.py http://127.0.0.1:8480 KEY, where KEY is the private key of
a wallet with an account.
"""

import os
import sys

from eth_account import Account

import plimsoll as pm

venue = pm.connect(sys.argv[1])
key = sys.argv[2] if len(sys.argv) > 2 else os.environ["VENUE_KEY"]
trader = venue.trade_as(Account.from_key(key))
perp = next(one for one in venue.instruments() if one.name == "ETH-PERP")
mark = perp.markWad / 1e18

with trader.stream("book:" + str(perp.instrument)) as stream:
    messages = stream.messages(wait_sec=2.0)
    print(f"account {trader.account_id}, ETH perpetual at {mark:,.2f}")

    # A bid far below the mark rests in the book until it is amended, then cancelled.
    placed = trader.place("ETH-PERP", 0.5, round(0.8 * mark, 2))
    print(f"placed   0.50 at {placed.order.order.priceWad / 1e18:,.2f}: {placed.order.state}")
    amended = trader.amend(placed.orderHash, "ETH-PERP", 0.25, round(0.81 * mark, 2))
    print(f"amended  0.25 at {amended.order.order.priceWad / 1e18:,.2f}: {trader.order(placed.orderHash).reason[:10]}")
    (cancelled,) = trader.cancel(amended.orderHash)
    print(f"cancelled {cancelled.cancelledWad / 1e18:.2f}")

    # The stream has told all of it, in order, without a gap.
    told = [order for message in messages if message.type == "ordersChange" for order in message.data.orders]
    print("told     " + ", ".join(f"{order.leavesWad / 1e18:.2f} {order.state}" for order in told))
    print(f"missed   {stream.gaps}")
