"""Tables of pandas, polars and Arrow go in like files, and are refused like files."""

import datetime as dt
import json
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow.compute as pc
import pytest
from helpers.histories import walk

import plimsoll as pm
from plimsoll.market.replay.synthetic import synthetic_market

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples"
MAKERS = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "arrow": lambda rows: pl.DataFrame(rows).to_arrow()}


def positions():
    return json.loads((EXAMPLES / "portfolio.json").read_text())["positions"]


def expiries():
    document = json.loads((EXAMPLES / "market.json").read_text())
    rows = []
    for name, found in document["underlyings"].items():
        head = {"timestamp": document["timestamp"], "underlying": name}
        head |= {key: found[key] for key in ("spot", "perp", "confidence")}
        for expiry in found["expiries"]:
            plain = {key: expiry[key] for key in ("expiry", "forward", "rate")}
            rows.append(head | plain | expiry["svi"])
    return rows, document["tokens"]


@pytest.mark.parametrize("library", MAKERS)
def test_load_portfolio__a_table__is_the_file(library):
    table = MAKERS[library](positions())
    found = pm.load_portfolio(table, mode="CROSS", cash=20_000.0, collateral={"WETH": 4.0})
    assert found == pm.load_portfolio(EXAMPLES / "portfolio.json")


@pytest.mark.parametrize("library", MAKERS)
def test_load_portfolio__times_in_place_of_seconds__are_taken_as_utc(library):
    row = {"underlying": "ETH", "kind": "future", "quantity": 1.0, "entry": 1.0, "expiry": dt.datetime(2026, 3, 27, 8)}
    assert pm.load_portfolio(MAKERS[library]([row])).positions[0].expiry_ts == 1_774_598_400


@pytest.mark.parametrize("library", MAKERS)
def test_load_portfolio__days_in_place_of_times__are_at_eight_utc(library):
    """A day was taken for its midnight once, eight hours before the option expires."""
    row = {"underlying": "ETH", "kind": "future", "quantity": 1.0, "entry": 1.0, "expiry": dt.date(2026, 3, 27)}
    perp = {"underlying": "ETH", "kind": "perp", "quantity": 1.0, "entry": 1.0, "expiry": None}
    found = pm.load_portfolio(MAKERS[library]([row, perp])).positions
    assert [p.expiry_ts for p in found] == [1_774_598_400, 0]


@pytest.mark.parametrize("library", MAKERS)
def test_load_market__a_day_in_place_of_its_time__is_refused(library):
    rows, tokens = expiries()
    rows = [row | {"timestamp": dt.date(2026, 2, 5)} for row in rows]
    with pytest.raises(pm.InputError, match="table: column timestamp row 1: 2026-02-05 is a day without a time"):
        pm.load_market(MAKERS[library](rows), tokens=tokens)


@pytest.mark.parametrize("library", MAKERS)
@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("quantity", 1e16, r"table: positions\[1\].quantity: 1e\+16 is outside"),
        ("kind", "swap", r"table: positions\[1\].kind: 'swap' is not one of option, future, perp"),
        ("strike", None, r"table: positions\[1\]: missing key 'strike'"),
    ],
)
def test_load_portfolio__a_bad_cell__is_named_by_its_row(library, key, value, message):
    rows = positions()[:2]
    rows[1][key] = value
    with pytest.raises(pm.InputError, match=message):
        pm.load_portfolio(MAKERS[library](rows))


def test_load_portfolio__an_unknown_column__is_refused():
    with pytest.raises(pm.InputError, match=r"table: positions\[0\]: unknown key 'size'"):
        pm.load_portfolio(pd.DataFrame([positions()[3] | {"size": 3.0}]))


@pytest.mark.parametrize("given", [{"cash": 1.0}, {"mode": "CROSS"}, {"collateral": {"WETH": 1.0}}])
def test_load_portfolio__a_file_and_what_it_says_itself__is_refused(given):
    with pytest.raises(pm.InputError, match=f"{next(iter(given))}: goes with a table only"):
        pm.load_portfolio(EXAMPLES / "portfolio.json", **given)


def test_load__what_is_no_table__is_named():
    for load in (pm.load_portfolio, pm.load_market, pm.load_history, pm.fit):
        with pytest.raises(pm.InputError, match="source: of type int, expected a file"):
            load(3)


@pytest.mark.parametrize("library", MAKERS)
def test_load_market__a_table__is_the_file(library):
    rows, tokens = expiries()
    assert pm.load_market(MAKERS[library](rows), tokens=tokens) == pm.load_market(EXAMPLES / "market.json")


def test_load_market__rows_that_disagree__are_refused():
    rows, _ = expiries()
    rows[1]["spot"] = 1_901.0
    with pytest.raises(pm.InputError, match=r"table: ETH: spot is 1900.0 in one row and 1901.0 in another"):
        pm.load_market(pd.DataFrame(rows))
    rows[1] |= {"spot": 1_900.0, "timestamp": rows[0]["timestamp"] + 1}
    with pytest.raises(pm.InputError, match="table: holds 2 different times"):
        pm.load_market(pl.DataFrame(rows))
    with pytest.raises(pm.InputError, match="table: unknown column 'volatility'"):
        pm.load_market(pl.DataFrame([rows[0] | {"volatility": 0.5}]))


@pytest.mark.parametrize("library", MAKERS)
def test_load_history__a_table__is_the_csv_file(library, tmp_path):
    close = walk(30, 0.03, k=2)
    rows = [
        {"ts": 86_400 * day, "asset": asset, "close": float(close[day, number])}
        for day in range(30)
        for number, asset in enumerate(("ETH", "BTC"))
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "H.csv", index=False)
    table, file = pm.load_history(MAKERS[library](rows)), pm.load_history(str(tmp_path / "H.csv"))
    assert table.source == "table"
    assert table.assets == file.assets == ("ETH", "BTC")
    assert (table.close == file.close).all()
    assert (table.close == close).all()
    assert pm.load_history(MAKERS[library](rows), ["BTC"]).close[:, 0].tolist() == close[:, 1].tolist()
    rows[5]["close"] = -1.0
    with pytest.raises(pm.InputError, match=r"table: BTC: close of row 6 .* is no positive number"):
        pm.load_history(MAKERS[library](rows))


def test_fit__a_table__is_the_chain():
    table = synthetic_market().table
    whole = table.filter(pc.and_(pc.equal(table["ts"], table["ts"][0]), pc.equal(table["currency"], "BTC")))
    assert pm.fit(pl.from_arrow(whole)).market == pm.fit(pm.sample_chain(synthetic=True)[:1]).market
    assert pm.fit(whole.to_pandas()).source == "table"
