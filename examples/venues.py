"""What would the same account have to hold at other venues?"""

from pathlib import Path

import plimsoll as pm

here = Path(__file__).parent
market, book = pm.load_market(here / "market.json"), pm.load_portfolio(here / "portfolio.json")

found = pm.compare(market, book)
print(found)

own = found["plimsoll cross"].margin.initial
frame = found.to_frame()
dearer = frame[~frame["model"].str.startswith("plimsoll") & (frame["initial"] > own)]
print(f"\ndearer than here: {', '.join(dearer['model']) or 'none'}")
