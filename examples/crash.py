"""Does the account survive a crash: one that was, one of your own, and how far may prices fall?"""

from pathlib import Path

import plimsoll as pm

here = Path(__file__).parent
market, book = pm.load_market(here / "market.json"), pm.load_portfolio(here / "portfolio.json")

own = pm.Scenario("ETH -40 %, BTC -30 %", {"ETH": pm.Shock(-0.4, 1.0), "BTC": pm.Shock(-0.3, 0.8)})
print(pm.stress(market, book, [own]))

# Crashes that really were, where prices are at hand; made-up prices hold none.
history = pm.sample_history(("ETH", "BTC"))
if history.source.startswith("synthetic"):
    print("\nno market data here: past crashes are left out")
else:
    print(f"\npast crashes, by {history.source}")
    print(pm.stress(market, book, pm.past_crashes(history)))

# The same book with a tenth of the cash.
poor = pm.load_portfolio(here / "portfolio.json")
poor = pm.Portfolio(poor.mode, poor.cash / 10.0, {}, poor.positions)
print("\nwith a tenth of the cash and no collateral,")
print(pm.liquidation_surface(market, poor))
