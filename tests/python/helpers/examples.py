"""One small valid set of documents that the negative tests change in one place."""

from copy import deepcopy

TS = 1_770_326_940
EXPIRY = 1_770_968_000

MARKET = {
    "schema": "plimsoll.market/1",
    "timestamp": TS,
    "tokens": {
        "USDC": {"price": 1.0},
        "WETH": {"haircut": 0.2, "linked": "ETH", "linkedHaircut": 0.02, "ratio": 1.0},
        "DAI": {"price": 1.0, "haircut": 0.1},
    },
    "underlyings": {
        "ETH": {
            "spot": 1900.0,
            "perp": 1899.5,
            "confidence": 1.0,
            "expiries": [
                {
                    "expiry": EXPIRY,
                    "forward": 1901.2,
                    "rate": 0.04,
                    "svi": {"a": 0.002, "b": 0.03, "rho": -0.2, "m": 0.0, "sigma": 0.1},
                }
            ],
        },
        "BTC": {"spot": 64000.0, "perp": 64010.0, "confidence": 0.9, "expiries": []},
    },
}
PORTFOLIO = {
    "schema": "plimsoll.portfolio/1",
    "mode": "SINGLE",
    "cash": 25000.0,
    "collateral": [{"token": "WETH", "amount": 2.0}],
    "positions": [
        {"underlying": "ETH", "kind": "option", "right": "call", "expiry": EXPIRY, "strike": 2000.0, "quantity": -5.0},
        {"underlying": "ETH", "kind": "perp", "quantity": 1.5, "entry": 1910.0},
        {"underlying": "ETH", "kind": "future", "expiry": EXPIRY, "quantity": -1.0, "entry": 1905.0},
    ],
}
BOOK = {
    "grid": {"moves": [-1, -0.5, 0, 0.5, 1], "vols": ["down", "flat", "up"]},
    "tails": {"moves": [2, 3], "vols": ["flat", "up"]},
    "skew": {"size": 0.25, "at": [{"move": -1, "vol": "up"}, {"move": 0, "vol": "flat"}]},
}
PARAMS = {"schema": "plimsoll.params/1", "volUp": 0.6, "priceRange": {"ETH": 0.2}, "book": BOOK, "stressShare": 0.8}

DELETE = object()


def changed(document, path, value):
    """Copy of ``document`` with the value at ``path`` replaced, removed (``DELETE``) or added."""
    copy = deepcopy(document)
    node = copy
    for key in path[:-1]:
        node = node[key]
    if value is DELETE:
        del node[path[-1]]
    elif isinstance(node, list) and path[-1] == len(node):
        node.append(value)
    else:
        node[path[-1]] = value
    return copy
