"""What may this account lose in a day, by which method, and which leg does the loss come from?"""

from pathlib import Path

import plimsoll as pm

here = Path(__file__).parent
market, book = pm.load_market(here / "market.json"), pm.load_portfolio(here / "portfolio.json")
history = pm.sample_history(("ETH", "BTC"))
print(f"prices: {history.source}, {history.date(0)} to {history.date(-1)}\n")

print(f"{'99 % over a day':16}{'VaR':>12}{'shortfall':>12}")
for method in ("historical", "filtered", "parametric", "monte-carlo"):
    risk = pm.var(market, book, history, method)
    print(f"{method:16}{risk.var:>12,.2f}{risk.es:>12,.2f}")

risk = pm.var(market, book, history)
print("\nwhat each leg adds to the shortfall, historical")
for share in risk.contributions:
    print(f"  {share.name:38}{share.amount:>12,.2f}")
print(f"  {'all legs':38}{sum(share.amount for share in risk.contributions):>12,.2f}")
