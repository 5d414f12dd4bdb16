"""Which volatility surface do the quotes of an option chain imply, and how well does it fit?"""

import plimsoll as pm

# Real quotes where the market data folder is there, else made up: the first line says which.
chain = [one for one in pm.sample_chain() if one.currency == "ETH"]
found = pm.fit(chain)
print(found)

print()
print(pm.smile(found.market, "ETH"))

# The fitted market is a market like any other.
expiry = found.market.rounds["ETH"].surfaces[-1].expiry_ts
spot = found.market.rounds["ETH"].spot
straddle = (pm.call("ETH", expiry, round(spot, -2), -10), pm.put("ETH", expiry, round(spot, -2), -10))
book = pm.Portfolio(pm.Mode.SINGLE, 50_000.0, {}, straddle)
print(f"\nten short straddles at {round(spot, -2):,.0f} of the last expiry, and 50,000 in cash")
print(pm.margin(found.market, book))
