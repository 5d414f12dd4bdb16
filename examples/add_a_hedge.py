"""How much margin does a protective put set free, and is it worth its premium?"""

from dataclasses import replace
from pathlib import Path

import plimsoll as pm

here = Path(__file__).parent
market, book = pm.load_market(here / "market.json"), pm.load_portfolio(here / "portfolio.json")
before = pm.margin(market, book)

print(f"{'puts bought at 1,600':22}{'premium':>12}{'initial margin':>17}{'left to use':>15}")
for quantity in (0, 5, 10, 15, 20):
    put = pm.put("ETH", "27MAR26", 1_600, quantity)
    hedged = book if quantity == 0 else book.with_(put)
    # Worth of the put: what it adds to the marks. Buying it pays that in cash.
    premium = pm.margin(market, hedged).result.mark_to_market - before.result.mark_to_market
    after = pm.margin(market, replace(hedged, cash=book.cash - premium))
    print(f"{quantity:<22}{premium:>12,.2f}{after.initial:>17,.2f}{after.left_to_use:>15,.2f}")
