"""Every default of the risk model, and the value that a parameter document gives instead."""

from mpmath import mpf

DEFAULTS = {
    "priceRange": 0.25, "volUp": 0.5, "volDown": 0.25, "volFloor": 0.4, "basisMin": 0.003, "basisRate": 0.05,
    "perpBasis": 0.002, "vegaTermRate": 0.7, "skewRate": 0.85, "shortMinRate": 0.01, "concRate": 0.1,
    "concVegaRate": 0.1, "N0": 50e6, "V0": 5e6, "mmFactor": 0.8, "imFactor": 1.0, "pegThreshold": 0.99,
    "pegSlope": 4.0, "confThreshold": 0.55, "confRate": 1.0, "stressShare": 0.6, "debtRate": 0.003,
}  # fmt: skip
BY_SYMBOL = {"ETH": {"priceRange": 0.285}, "BTC": {"priceRange": 0.23, "N0": 100e6}}
DEFAULT_BOOK = {
    "grid": {"moves": [-1.0, -0.4, 0.0, 0.4, 1.0], "vols": ["up", "flat", "down"]},
    "tails": {"moves": [3.0], "vols": ["up", "flat", "down"]},
    "skew": {
        "size": 0.25,
        "at": [
            {"move": move, "vol": vol}
            for move, vols in ((-1.0, ("up", "down")), (0.0, ("up", "flat", "down")), (1.0, ("up", "down")))
            for vol in vols
        ],
    },
}


def parameter(params, name, symbol=None):
    """One parameter: the underlying's own value, then the general one, then the default."""
    given = params.get(name)
    if isinstance(given, dict):
        given = given.get(symbol)
    if given is not None:
        return mpf(given)
    return mpf(BY_SYMBOL.get(symbol, {}).get(name, DEFAULTS[name]))


def book_document(params):
    """The book's document; a part that a file leaves out is the default's."""
    given = params.get("book", {})
    return DEFAULT_BOOK | (given if isinstance(given, dict) else {})
