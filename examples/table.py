"""My positions are in a pandas or polars table: what margin do they need, each alone and together?"""

from pathlib import Path

import pandas as pd
import polars as pl

import plimsoll as pm

market = pm.load_market(Path(__file__).parent / "market.json")
expiry = pd.Timestamp("2026-03-27 08:00", tz="UTC")
legs = pd.DataFrame(
    {
        "underlying": ["ETH", "ETH", "BTC"],
        "kind": ["option", "perp", "future"],
        "right": ["put", None, None],
        "expiry": [expiry, None, expiry],
        "strike": [1_700.0, None, None],
        "entry": [None, 1_950.0, 65_000.0],
        "quantity": [-20.0, -3.0, 0.1],
    }
)
together = pm.margin(market, pm.load_portfolio(legs, market, cash=25_000.0, mode="CROSS"))
alone = [pm.margin(market, pm.load_portfolio(legs.iloc[[row]], market)).initial for row in range(len(legs))]

with pl.Config(tbl_width_chars=79, float_precision=2):
    print(pl.from_pandas(legs[["underlying", "kind", "quantity"]]).with_columns(alone=pl.Series(alone)))
    print(together.to_frame("polars").select("underlying", "requirement", "delta", "vega"))
print(f"alone {sum(alone):,.2f}, together {together.initial:,.2f}: netting saves {sum(alone) - together.initial:,.2f}")
