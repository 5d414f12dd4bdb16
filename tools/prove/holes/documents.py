"""Finds as the plain documents of the command line: the mirror, the exact reference and the contracts read them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from plimsoll.params import Params
from tools.prove.holes.sample import SPOTS
from tools.prove.holes.search import Find
from tools.prove.holes.units import Units

TIMESTAMP: Final = 1_770_326_940
#: Requirement of a written portfolio in cash: far above rounding, far below where size is charged.
SIZE: Final = 10_000.0
#: Names of the risk model for the parameters of an underlying.
_NAMES: Final = {
    "price_range": "priceRange", "vol_up": "volUp", "vol_down": "volDown", "vol_floor": "volFloor",
    "basis_min": "basisMin", "basis_rate": "basisRate", "perp_basis": "perpBasis", "vega_term_rate": "vegaTermRate",
    "skew_rate": "skewRate", "short_min_rate": "shortMinRate", "conc_rate": "concRate",
    "conc_vega_rate": "concVegaRate", "n0": "N0", "v0": "V0",
}  # fmt: skip


def market_document(find: Find) -> dict[str, Any]:
    """Market of a find: forwards at spot, rates of zero."""
    underlyings = {}
    for symbol, expiries in find.sample.underlyings.items():
        spot = SPOTS[symbol]
        slices = [{"expiry": TIMESTAMP + e.tau, "forward": spot, "rate": 0.0, "svi": e.svi} for e in expiries]
        underlyings[symbol] = {"spot": spot, "perp": spot, "confidence": 1.0, "expiries": slices}
    return {
        "schema": "plimsoll.market/1", "timestamp": TIMESTAMP, "tokens": {"USDC": {"price": 1.0}},
        "underlyings": underlyings,
    }  # fmt: skip


def _legs(units: Units, q: Any) -> list[dict[str, Any]]:
    spot, legs = SPOTS[units.symbol], []
    if abs(q[0]) > 1e-9:
        perp = {"underlying": units.symbol, "kind": "perp", "quantity": float(q[0]) * SIZE / spot, "entry": spot}
        legs.append(perp)
    for e, first in zip(units.expiries, units.starts[:-1], strict=True):
        held = q[first : first + e.delta.size] * SIZE / spot
        base = {"underlying": units.symbol, "expiry": TIMESTAMP + e.slice.expiry.tau}
        if abs(held[0]) > 1e-9 * SIZE / spot:
            legs.append(base | {"kind": "future", "quantity": float(held[0]), "entry": spot})
        for strike, quantity in zip(e.slice.strikes, held[1:], strict=True):
            if abs(quantity) > 1e-9 * SIZE / spot:
                option = {"kind": "option", "right": "call", "strike": round(float(strike) * spot, 8)}
                legs.append(base | option | {"quantity": float(quantity)})
    return legs


def portfolio_document(find: Find) -> dict[str, Any]:
    """Account of a find, without cash."""
    legs = [leg for u, q in zip(find.units, find.quantities, strict=True) for leg in _legs(u, np.asarray(q))]
    mode = "CROSS" if find.family == "cross" else "SINGLE"
    return {"schema": "plimsoll.portfolio/1", "mode": mode, "cash": 0.0, "positions": legs}


def params_document(params: Params) -> dict[str, Any]:
    """Parameter document of a book, and of what a book file may change besides its rows."""
    book = params.book
    changed = {_NAMES[key]: value for key, value in params.overrides_all.items()}
    own: dict[str, dict[str, float]] = {}
    for symbol, values in params.overrides.items():
        for key, value in values.items():
            own.setdefault(_NAMES[key], {})[symbol] = value
    return changed | own | {
        "schema": "plimsoll.params/1",
        "stressShare": params.account.stress_share,
        "book": {
            "grid": {"moves": list(book.grid_moves), "vols": list(book.grid_vols)},
            "tails": {"moves": list(book.tail_moves), "vols": list(book.tail_vols)},
            "skew": {"size": book.skew_size, "at": [{"move": m, "vol": vol} for m, vol in book.skew_at]},
        },
    }  # fmt: skip
