"""Synthetic books, and the real history where it is present."""

import json

import pytest
from helpers.documents import load
from helpers.examples import MARKET, PORTFOLIO

from plimsoll.market.replay.data_folder import find_data


@pytest.fixture
def book():
    """Options, future, perpetuals and linked collateral in two underlyings."""
    folio = json.loads(json.dumps(PORTFOLIO))
    folio["positions"].append({"underlying": "BTC", "kind": "perp", "quantity": -0.2, "entry": 65_000.0})
    return load(MARKET, folio)


@pytest.fixture
def linear():
    """Three perpetuals of ETH, and nothing else."""
    folio = {
        "schema": "plimsoll.portfolio/1",
        "mode": "SINGLE",
        "cash": 1e5,
        "positions": [{"underlying": "ETH", "kind": "perp", "quantity": 3.0, "entry": 1_800.0}],
    }
    return load(MARKET, folio)


@pytest.fixture(scope="session")
def real_prices():
    folder = find_data()
    if folder is None:
        pytest.skip("no market data on this machine")
    return folder / "price_1d_binance_spot.csv.gz"
