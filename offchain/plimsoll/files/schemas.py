"""JSON schemas of the files that commands read, made from the limits that the readers check.

A schema says less than its reader: that an expiry is listed, or that a slice has no arbitrage, is checked by the
reader alone. Whatever a schema refuses, the reader refuses too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from plimsoll.files.params import ACCOUNT_LIMITS, UNDERLYING_LIMITS
from plimsoll.model import (
    MAX_CASH,
    MAX_EXPIRIES,
    MAX_POSITIONS,
    MAX_PRICE,
    MAX_QUANTITY,
    MAX_RANGE_PRICE,
    MAX_RATE,
    MAX_RATIO,
    MAX_STORED_PRICE,
    MAX_TS,
    MIN_PRICE,
    OPTIONS,
    Kind,
)
from plimsoll.params import MAX_NODES, VOL_NAMES

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def number(low: float, high: float, *, open_low: bool = False, about: str = "") -> Schema:
    """Return the schema of a number.

    Parameters
    ----------
    low, high : float
    open_low : bool
        Whether ``low`` itself is outside.
    about : str
        Meaning and unit.

    Returns
    -------
    dict
    """
    found: Schema = {"type": "number", "exclusiveMinimum" if open_low else "minimum": low, "maximum": high}
    return found | ({"description": about} if about else {})


def thing(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None, about: str = "") -> Schema:
    """Return the schema of an object without other keys.

    Parameters
    ----------
    required, optional : mapping of str to dict
    about : str

    Returns
    -------
    dict
    """
    found: Schema = {
        "type": "object",
        "required": sorted(required),
        "properties": {**required, **(optional or {})},
        "additionalProperties": False,
    }
    return found | ({"description": about} if about else {})


def document(name: str, about: str, body: Schema) -> Schema:
    """Return the schema of a whole file.

    Parameters
    ----------
    name : str
        Value of the key ``schema``.
    about : str
    body : dict

    Returns
    -------
    dict
    """
    return {"$schema": DIALECT, "title": name, "description": about, **body}


def _stamp(about: str) -> Schema:
    return {"type": "integer", "minimum": 1, "maximum": MAX_TS, "description": f"{about}, unix seconds"}


def _named(item: Schema, about: str) -> Schema:
    return {"type": "object", "additionalProperties": item, "description": about}


def _price(about: str) -> Schema:
    return number(MIN_PRICE, MAX_PRICE, about=f"{about}, cash")


def market_schema() -> Schema:
    """Return the schema of a market file."""
    svi = thing(
        {
            "a": number(-1e3, 1e3),
            "b": number(0.0, 2.0),
            "rho": {"type": "number", "exclusiveMinimum": -1.0, "exclusiveMaximum": 1.0},
            "m": number(-9.0, 9.0),
            "sigma": number(0.0, 9.0, open_low=True),
        },
        about="total variance a + b*(rho*(k - m) + sqrt((k - m)^2 + sigma^2)) at k = ln(strike/forward)",
    )
    sure = number(0.0, 1.0, about="confidence, which only margin models of other venues read; 1 when left out")
    vol = thing({"strike": number(0.0, MAX_PRICE, open_low=True), "vol": number(0.0, 10.0, open_low=True)})
    expiry = thing(
        {
            "expiry": _stamp("expiry, after the one before"),
            "forward": _price("forward"),
            "rate": number(-MAX_RATE, MAX_RATE, about="continuously compounded, per year"),
            "svi": svi,
        },
        {"vols": {"type": "array", "maxItems": 1_000, "items": vol}, "confidence": sure},
    )
    underlying = thing(
        {
            "spot": _price("index"),
            "perp": _price("perpetual"),
            "confidence": number(0.0, 1.0),
            "expiries": {"type": "array", "maxItems": MAX_EXPIRIES, "items": expiry},
        },
        {"settlementMean": _price("mean of spot since the settlement window opened"), "perpConfidence": sure},
    )
    token = thing(
        {},
        {
            "price": _price("price; a linked token has none"),
            "haircut": number(0.0, 1.0, about="share of the value that does not count"),
            "linked": {"type": "string", "description": "underlying that it is worth ratio coins of"},
            "linkedHaircut": number(0.0, 1.0),
            "ratio": number(0.0, MAX_RATIO, open_low=True),
            "range": thing(
                {
                    "lower": number(0.0, MAX_RANGE_PRICE, open_low=True, about="price, cash"),
                    "upper": number(0.0, MAX_RANGE_PRICE, open_low=True, about="price, above the lower one"),
                }
            )
            | {"description": "the token is a unit of liquidity between two prices of what it is linked to"},
            "confidence": sure,
        },
    )
    keys: dict[str, Schema] = {
        "schema": {"const": "plimsoll.market/1"},
        "timestamp": _stamp("time of the prices"),
        "tokens": _named(token, "by symbol; USDC is required") | {"required": ["USDC"]},
        "underlyings": _named(underlying, "by symbol") | {"minProperties": 1, "maxProperties": 255},
    }
    return document("plimsoll.market/1", "Prices, volatilities and tokens at one time.", thing(keys))


def portfolio_schema() -> Schema:
    """Return the schema of a portfolio file."""
    quantity = number(-MAX_QUANTITY, MAX_QUANTITY, about="coins; bought is positive")
    underlying = {"type": "string"}
    entry = number(0.0, MAX_STORED_PRICE, about="mean price paid, cash")
    option = thing(
        {
            "underlying": underlying,
            "kind": {"const": "option"},
            "right": {"enum": [kind.word for kind in OPTIONS]},
            "expiry": _stamp("expiry"),
            "strike": number(0.0, MAX_STORED_PRICE, open_low=True, about="cash, at most 8 decimals"),
            "quantity": quantity,
        }
    )
    linear = [
        thing(
            {
                "underlying": underlying,
                "kind": {"const": kind.word},
                **({"expiry": _stamp("expiry")} if kind.has_expiry else {}),
                "quantity": quantity,
                "entry": entry,
            }
        )
        for kind in Kind
        if kind.is_linear
    ]
    held = thing({"token": {"type": "string"}, "amount": number(0.0, MAX_QUANTITY)})
    keys: dict[str, Schema] = {
        "schema": {"const": "plimsoll.portfolio/1"},
        "mode": {"enum": ["SINGLE", "STANDARD", "CROSS"]},
        "cash": number(-MAX_CASH, MAX_CASH, about="negative is owed"),
        "positions": {"type": "array", "maxItems": MAX_POSITIONS, "items": {"oneOf": [option, *linear]}},
    }
    optional: dict[str, Schema] = {
        "collateral": {"type": "array", "maxItems": 64, "items": held},
        "credit": number(0.0, MAX_CASH, about="what guarantee lines can add where it lacks initial margin, cash"),
    }
    return document("plimsoll.portfolio/1", "One account.", thing(keys, optional))


def params_schema() -> Schema:
    """Return the schema of a parameter file."""
    moves = {"type": "array", "maxItems": MAX_NODES, "items": {"type": "number"}}
    vols = {"type": "array", "uniqueItems": True, "items": {"enum": list(VOL_NAMES)}}
    ladder = thing({"moves": moves, "vols": vols}, about="moves are multiples of priceRange")
    place = thing({"move": {"type": "number"}, "vol": {"enum": list(VOL_NAMES)}})
    skew = thing({"size": {"type": "number"}, "at": {"type": "array", "maxItems": MAX_NODES, "items": place}})
    book = {"oneOf": [{"const": "default"}, thing({}, {"grid": ladder, "tails": ladder, "skew": skew})]}
    plain = {key: number(low, high, open_low=o) for key, (_, low, high, o) in ACCOUNT_LIMITS.items()}
    own = {
        key: {"oneOf": [number(low, high, open_low=o), _named(number(low, high, open_low=o), "by underlying")]}
        for key, (_, low, high, o) in UNDERLYING_LIMITS.items()
    }
    keys: dict[str, Schema] = {"schema": {"const": "plimsoll.params/1"}, "book": book, **own, **plain}
    return document("plimsoll.params/1", "Risk parameters; what is missing takes its default.", thing({}, keys))
