"""How does all of this look? Writes one page per figure into a folder, by default `pictures`."""

import sys
from pathlib import Path

import plimsoll as pm

here = Path(__file__).parent
folder = Path(sys.argv[1] if len(sys.argv) > 1 else "pictures")
market, book = pm.load_market(here / "market.json"), pm.load_portfolio(here / "portfolio.json")
history = pm.sample_history(("ETH", "BTC"))

figures = {
    "margin": pm.margin(market, book).plot(),
    "explanation": pm.margin(market, book).explain().plot(),
    "stress": pm.stress(market, book).plot(),
    "value-at-risk": pm.var(market, book, history).plot(),
    "smile": pm.smile(market, "ETH").plot(),
    "liquidation": pm.liquidation_surface(market, book).plot(),
    "venues": pm.compare(market, book).plot(),
    "frontier": pm.frontier(history).plot(),
}
folder.mkdir(parents=True, exist_ok=True)
for name, figure in figures.items():
    # The library beside the pages, once: each page is a few kilobytes.
    figure.write_html(folder / f"{name}.html", include_plotlyjs="directory")
print(f"{len(figures)} pages in {folder}; prices: {history.source}")
