"""The integers that the chain sees as documents of the 50-digit implementation, and its answers by short names."""

from __future__ import annotations

from typing import Any

import mpmath as mp
from oracle.margin_exact.account import Account, cross, standard
from oracle.margin_exact.account import margin as margin_of

from plimsoll.model import Kind
from plimsoll.params import VOL_NAMES

mp.mp.dps = 50
WAD = mp.mpf(10) ** 18
UP, FLAT, DOWN = 0, 1, 2
#: Name of a parameter in a document where it is not that of the contract without its unit.
NAMES = {"n0": "N0", "v0": "V0"}
Leg = tuple[int, int, int, int]


def wad(x: int) -> Any:
    """Exact value of a wad integer."""
    return mp.mpf(x) / WAD


def _expiry(surface: tuple[int, ...]) -> dict[str, Any]:
    expiry, forward, rate, *svi = surface
    slice_ = dict(zip(("a", "b", "rho", "m", "sigma"), map(wad, svi), strict=True))
    return {"expiry": expiry, "forward": wad(forward), "rate": wad(rate), "svi": slice_}


def _position(symbol: str, leg: Leg) -> dict[str, Any]:
    kind, expiry, price_e8, quantity = leg
    found: dict[str, Any] = {"underlying": symbol, "quantity": wad(quantity)}
    price, word = mp.mpf(price_e8) / 10**8, Kind(kind).word
    if Kind(kind).has_expiry:
        found["expiry"] = expiry
    if Kind(kind).is_option:
        return found | {"kind": "option", "right": word, "strike": price}
    return found | {"kind": word, "entry": price}


def _book(rows: dict[str, Any]) -> dict[str, Any]:
    """Rows as the contracts take them, by field, as the book of a document."""
    moves = {part: [wad(move) for move in rows[f"{part}MovesWad"]] for part in ("grid", "tail")}
    vols = {part: [VOL_NAMES[vol] for vol in rows[f"{part}Vols"]] for part in ("grid", "tail")}
    places = [tuple(place.values()) if isinstance(place, dict) else place for place in rows["skewAt"]]
    return {
        "grid": {"moves": moves["grid"], "vols": vols["grid"]},
        "tails": {"moves": moves["tail"], "vols": vols["tail"]},
        "skew": {"size": wad(rows["skewWad"]), "at": [{"move": wad(m), "vol": VOL_NAMES[v]} for m, v in places]},
    }


class Book:
    """One underlying: its round, parameters and rows, exact; everything that one answer of the engine depends on."""

    def __init__(
        self,
        header: tuple[int, int, int, int, int],
        surfaces: list[tuple[int, ...]],
        params: dict[str, int],
        rows: dict[str, Any],
        symbol: str = "U",
    ) -> None:
        self.ts, spot, perp, confidence, mean = header
        self.symbol = symbol
        self.spot, self.perp = wad(spot), wad(perp)
        self.document: dict[str, Any] = {
            "spot": self.spot,
            "perp": self.perp,
            "confidence": wad(confidence),
            "expiries": [_expiry(surface) for surface in surfaces],
        }
        if mean:
            self.document["settlementMean"] = wad(mean)
        short = {name.removesuffix("Wad"): wad(value) for name, value in params.items()}
        self.params = {NAMES.get(name, name): {symbol: value} for name, value in short.items()}
        self.book = _book(rows)

    def evaluate(self, legs: list[Leg], linked_wad: int = 0) -> dict[str, Any]:
        """Components, rows, mark and greeks of legs (kind, expiry, priceE8, quantityWad)."""
        documents = documents_of([self], [legs], [linked_wad], "SINGLE")
        found: dict[str, Any] = margin_of(*documents)["underlyings"][self.symbol]
        return found

    def standard(self, legs: list[Leg], linked_wad: int = 0) -> Any:
        """Requirement position by position (section 7)."""
        return standard(Account(*documents_of([self], [legs], [linked_wad], "STANDARD")), self.symbol)


def documents_of(books: list[Book], legs: list[list[Leg]], linked_wad: list[int], mode: str) -> tuple[Any, Any, Any]:
    """Market, portfolio and parameters of an account in several underlyings whose rows are the same."""
    tokens: dict[str, Any] = {"USDC": {"price": 1}}
    for book in books:
        tokens[f"W{book.symbol}"] = {"linked": book.symbol, "haircut": 0, "linkedHaircut": 0, "ratio": 1}
    market = {
        "timestamp": books[0].ts,
        "tokens": tokens,
        "underlyings": {book.symbol: book.document for book in books},
    }
    portfolio = {
        "mode": mode,
        "cash": 0,
        "collateral": [
            {"token": f"W{book.symbol}", "amount": wad(units)} for book, units in zip(books, linked_wad, strict=True)
        ],
        "positions": [_position(book.symbol, leg) for book, part in zip(books, legs, strict=True) for leg in part],
    }
    params: dict[str, Any] = {"book": books[0].book}
    for book in books:
        for name, values in book.params.items():
            params[name] = params.get(name, {}) | values
    return market, portfolio, params


def cross_of(books: list[Book], legs: list[list[Leg]], linked_wad: list[int], stress_share_wad: int) -> Any:
    """Requirement of several underlyings together (section 5)."""
    market, portfolio, params = documents_of(books, legs, linked_wad, "CROSS")
    return cross(Account(market, portfolio, params | {"stressShare": wad(stress_share_wad)}))
