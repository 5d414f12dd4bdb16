"""Which trades make the account neutral in delta, and which set the most margin free?"""

from pathlib import Path

import plimsoll as pm

here = Path(__file__).parent
market, book = pm.load_market(here / "market.json"), pm.load_portfolio(here / "portfolio.json")

plan = pm.optimise(market, book, pm.Hedge("ETH", target="delta-gamma"))
print(plan)
for name in ("delta", "gamma"):
    before, after = (getattr(side.result.underlyings["ETH"], name) for side in (plan.before, plan.after))
    print(f"{name} of ETH {before:+.4f} before, {after:+.4f} after")

print()
plan = pm.optimise(market, book, pm.Release(trades=2))
print(plan)
print(f"{plan.released:,.2f} set free for a cost of {plan.cost:,.2f}")
