"""What must this account hold, and how much of its equity is left to use?"""

from pathlib import Path

import plimsoll as pm

here = Path(__file__).parent
market, book = pm.load_market(here / "market.json"), pm.load_portfolio(here / "portfolio.json")

found = pm.margin(market, book)
print(found)

# One more leg: what would selling ten more calls need?
more = pm.margin(market, book.with_(pm.call("ETH", "27FEB26", 2_200, -10)))
print(f"\nten more short calls at 2,200 need {more.initial - found.initial:,.2f} more initial margin")
