"""Which leg, and which term of the formula, does the initial margin come from?"""

from pathlib import Path

import plimsoll as pm

here = Path(__file__).parent
market, book = pm.load_market(here / "market.json"), pm.load_portfolio(here / "portfolio.json")

explained = pm.margin(market, book).explain()
print(explained)

largest = max(explained.legs, key=lambda share: share.amount)
hedges = [share.name for share in explained.legs if share.amount < 0.0]
print(f"\nthe largest share is that of {largest.name}")
print(f"legs that lower the margin: {'; '.join(hedges) or 'none'}")
