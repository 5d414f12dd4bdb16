"""Random valid market, portfolio and parameter documents, and a way to load them through the real readers."""

import json
import math
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import strategies as st

from plimsoll.files.market import load_market
from plimsoll.files.params import load_params
from plimsoll.files.portfolio import load_portfolio
from plimsoll.model import OPTIONS, Kind

TS = 1_770_326_940
DAY = 86_400
#: Expiry times inside the settlement window, of which a round may list one.
WINDOW = [0, 1, 60, 900, 1_799]
#: Times that matter: the edge of the window, fading between a day and two hours, knees at 1 and 30 days, years.
OFFSETS = [
    1_800, 3_600, 7_200, 7_201, 12 * 3_600, 20 * 3_600, DAY - 1, DAY, 4 * DAY, 29 * DAY, 30 * DAY, 30 * DAY + 1,
    91 * DAY, 365 * DAY, 3 * 365 * DAY,
]  # fmt: skip
SPOTS = {"ETH": 1_900.0, "BTC": 64_000.0, "SOL": 0.85}
PARAMETERS = {
    "priceRange": (0.02, 0.5), "volUp": (0.0, 2.0), "volDown": (0.0, 1.0), "volFloor": (0.0, 1.0),
    "basisMin": (0.0, 0.05), "basisRate": (0.0, 0.3), "perpBasis": (0.0, 0.05), "vegaTermRate": (0.0, 1.0),
    "skewRate": (0.0, 2.0), "shortMinRate": (0.0, 0.1), "concRate": (0.0, 1.0), "concVegaRate": (0.0, 1.0),
    "N0": (1e4, 1e8), "V0": (1e3, 1e7),
}  # fmt: skip
ACCOUNT = {
    "pegThreshold": (0.9, 1.0), "pegSlope": (0.0, 10.0), "confThreshold": (0.0, 1.0), "confRate": (0.0, 2.0),
    "stressShare": (0.0, 1.0), "mmFactor": (0.1, 0.9), "imFactor": (0.9, 2.0), "debtRate": (0.0, 0.05),
}  # fmt: skip
VOLS = ["up", "flat", "down"]


@st.composite
def slices(draw, time):
    """Arbitrage-free SVI around a chosen volatility."""
    level = draw(st.floats(0.05, 3.0)) ** 2 * max(time, 1e-4)
    rho, sigma = draw(st.floats(-0.95, 0.95)), draw(st.floats(0.005, 1.0))
    b = draw(st.floats(0.0, min(1.9 / (1 + abs(rho)), 2 * level)))
    dip = draw(st.floats(0.0, 0.99)) * b * sigma * math.sqrt(1 - rho * rho)
    return {"a": level - dip, "b": b, "rho": rho, "m": draw(st.floats(-0.3, 0.3)), "sigma": sigma}


@st.composite
def markets(draw, liquidity=False):
    underlyings = {}
    for symbol in draw(st.lists(st.sampled_from(sorted(SPOTS)), min_size=1, max_size=3, unique=True)):
        spot = round(SPOTS[symbol] * draw(st.floats(0.4, 2.5)), 4)
        expiries = []
        offsets = draw(st.lists(st.sampled_from(OFFSETS), min_size=0, max_size=3, unique=True))
        near = draw(st.lists(st.sampled_from(WINDOW), max_size=1))
        for offset in sorted(offsets + near):
            expiries.append(
                {
                    "expiry": TS + offset,
                    "forward": round(spot * draw(st.floats(0.9, 1.1)), 6),
                    "rate": round(draw(st.floats(-0.1, 0.3)), 6),
                    "svi": draw(slices(offset / (365 * DAY))),
                }
            )
        confidence = draw(st.one_of(st.just(1.0), st.floats(0.0, 1.0)))
        perp = round(spot * draw(st.floats(0.98, 1.02)), 4)
        underlyings[symbol] = {"spot": spot, "perp": perp, "confidence": confidence, "expiries": expiries}
        if near:
            underlyings[symbol]["settlementMean"] = round(spot * draw(st.floats(0.7, 1.4)), 4)
    tokens = {
        "USDC": {"price": round(draw(st.floats(0.85, 1.05)), 4)},
        "DAI": {"price": 1.0, "haircut": round(draw(st.floats(0.0, 1.0)), 3)},
    }
    linked = sorted(underlyings)[0]
    token = {"haircut": 0.2, "linked": linked, "linkedHaircut": 0.02}
    tokens["LINKED"] = token | draw(st.sampled_from([{}, {"ratio": 1.1}]))
    if not liquidity:
        return {"schema": "plimsoll.market/1", "timestamp": TS, "tokens": tokens, "underlyings": underlyings}
    # Around the spot, beside it, almost nothing wide, and over all prices there are.
    lower = underlyings[linked]["spot"] * draw(st.sampled_from([1e-6, 0.3, 0.8, 0.999, 1.0, 1.5]))
    upper = lower * draw(st.sampled_from([1.0005, 1.2, 3.0, 1e12]))
    tokens["LIQUIDITY"] = token | {"range": {"lower": lower, "upper": upper}}
    return {"schema": "plimsoll.market/1", "timestamp": TS, "tokens": tokens, "underlyings": underlyings}


@st.composite
def positions(draw, market):
    symbol = draw(st.sampled_from(sorted(market["underlyings"])))
    underlying = market["underlyings"][symbol]
    quantity = draw(st.sampled_from([-1.0, 1.0])) * round(10 ** draw(st.floats(-2, 4)), 6)
    kinds = [*OPTIONS * 3, *(kind for kind in Kind if kind.is_linear)]
    kind = draw(st.sampled_from([kind for kind in kinds if underlying["expiries"] or not kind.has_expiry]))
    base = {"underlying": symbol, "kind": "option" if kind.is_option else kind.word, "quantity": quantity}
    if not kind.has_expiry:
        return base | {"entry": round(underlying["perp"] * draw(st.floats(0.8, 1.2)), 4)}
    slice_ = draw(st.sampled_from(underlying["expiries"]))
    base["expiry"] = slice_["expiry"]
    if kind.is_linear:
        return base | {"entry": round(slice_["forward"] * draw(st.floats(0.8, 1.2)), 4)}
    # Below a known mean the open strike is zero or less, and a call is a forward.
    moneyness = draw(st.one_of(st.just(1.0), st.floats(0.7, 1.4), st.floats(0.1, 8.0)))
    return base | {"right": kind.word, "strike": round(slice_["forward"] * moneyness, 6)}


def identity(position):
    return tuple(position.get(key) for key in ("underlying", "kind", "right", "expiry", "strike"))


@st.composite
def portfolios(draw, market, max_positions=6):
    folio = {
        "schema": "plimsoll.portfolio/1",
        "mode": draw(st.sampled_from(["SINGLE", "STANDARD", "CROSS"])),
        "cash": round(draw(st.floats(-1e5, 1e6)), 2),
        "positions": draw(st.lists(positions(market), max_size=max_positions, unique_by=identity)),
    }
    held = draw(st.lists(st.sampled_from(sorted(market["tokens"])), max_size=3, unique=True))
    if held:
        folio["collateral"] = [{"token": t, "amount": round(draw(st.floats(0.0, 1e4)), 3)} for t in held]
    return folio


@st.composite
def books(draw):
    """Rows of any shape that governance can store: few and many prices, tails or none, skew at any row of the grid."""
    vols = draw(st.lists(st.sampled_from(VOLS), min_size=1, max_size=3, unique=True))
    inner = draw(st.lists(st.sampled_from([0.2, 0.25, 1 / 3, 0.5, 2 / 3, 0.9]), max_size=2, unique=True))
    # At least one move beside 0: a grid of one price has no interval to certify and is refused.
    edges = [(1.0, -1.0), (1.0,), *([()] if inner else [])]
    moves = sorted({0.0, *inner, *(-x for x in inner), *draw(st.sampled_from(edges))})
    outermost = max(1.0, max(map(abs, moves)))
    tails = draw(st.lists(st.sampled_from([1.5, 2.0, 2.5, 3.0, 4.0, 6.0]), max_size=2, unique=True))
    tail_vols = draw(st.lists(st.sampled_from(vols), min_size=1, max_size=2, unique=True)) if tails else []
    spots = st.tuples(st.sampled_from(moves), st.sampled_from(vols))
    places = draw(st.lists(spots, max_size=3, unique=True))
    return {
        "grid": {"moves": moves, "vols": vols},
        "tails": {"moves": sorted(t for t in tails if t > outermost), "vols": tail_vols},
        "skew": {"size": draw(st.sampled_from([0.1, 0.25])), "at": [{"move": m, "vol": v} for m, v in places]},
    }


@st.composite
def parameters(draw, market):
    """None in half of the cases, else a few parameters for all or for one underlying."""
    if draw(st.booleans()):
        return None
    document = {"schema": "plimsoll.params/1"}
    if draw(st.booleans()):
        document["book"] = draw(books())
    for name in draw(st.lists(st.sampled_from(sorted(PARAMETERS)), max_size=6, unique=True)):
        value = draw(st.floats(*PARAMETERS[name]))
        one = draw(st.booleans())
        document[name] = {draw(st.sampled_from(sorted(market["underlyings"]))): value} if one else value
    for name in draw(st.lists(st.sampled_from(sorted(ACCOUNT)), max_size=4, unique=True)):
        document[name] = draw(st.floats(*ACCOUNT[name]))
    return document


@st.composite
def cases(draw, max_positions=6, liquidity=False):
    """Market, portfolio and parameters; with ``liquidity`` a token of the market may be that of a range."""
    market = draw(markets(liquidity))
    return market, draw(portfolios(market, max_positions)), draw(parameters(market))


def load(market, portfolio, params=None):
    """Write the documents and read them back through the strict readers."""
    with TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("M.json", "P.json", "R.json")]
        for path, document in zip(paths, (market, portfolio, params or {}), strict=True):
            path.write_text(json.dumps(document))
        loaded = load_market(paths[0])
        return loaded, load_portfolio(paths[1], loaded), load_params(paths[2])
