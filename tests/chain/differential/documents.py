"""Markets, portfolios and parameters as the documents that the 50-digit implementation reads."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from plimsoll.model import Market, Portfolio, Position, Round, Surface
from plimsoll.params import BookSpec, Params

#: Fields whose name in a document is not their own in camel case.
NAMES = {"n0": "N0", "v0": "V0", "buffer": "b"}


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return NAMES.get(name, head + "".join(part.capitalize() for part in rest))


def _expiry(surface: Surface) -> dict[str, Any]:
    return {
        "expiry": surface.expiry_ts,
        "forward": surface.forward,
        "rate": surface.rate,
        "svi": asdict(surface.svi),
    }


def _underlying(held: Round) -> dict[str, Any]:
    found: dict[str, Any] = {
        "spot": held.spot,
        "perp": held.perp,
        "confidence": held.confidence,
        "expiries": [_expiry(surface) for surface in held.surfaces],
    }
    return found if held.mean is None else found | {"settlementMean": held.mean}


def market_document(market: Market) -> dict[str, Any]:
    """plimsoll.market/1."""
    tokens: dict[str, Any] = {}
    for symbol, token in market.tokens.items():
        tokens[symbol] = {"haircut": token.haircut}
        if token.linked is None:
            tokens[symbol]["price"] = token.price
        else:
            tokens[symbol] |= {"linked": token.linked, "linkedHaircut": token.linked_haircut}
            tokens[symbol] |= {"ratio": token.ratio} if token.span is None else {"range": asdict(token.span)}
    underlyings = {symbol: _underlying(held) for symbol, held in market.rounds.items()}
    return {"schema": "plimsoll.market/1", "timestamp": market.ts, "tokens": tokens, "underlyings": underlyings}


def _position(position: Position) -> dict[str, Any]:
    found = {"underlying": position.underlying, "quantity": position.quantity}
    if position.kind.has_expiry:
        found["expiry"] = position.expiry_ts
    if position.kind.is_option:
        return found | {"kind": "option", "right": position.kind.word, "strike": position.price}
    return found | {"kind": position.kind.word, "entry": position.price}


def portfolio_document(portfolio: Portfolio) -> dict[str, Any]:
    """plimsoll.portfolio/1."""
    return {
        "schema": "plimsoll.portfolio/1",
        "mode": portfolio.mode.name,
        "cash": portfolio.cash,
        "collateral": [{"token": symbol, "amount": amount} for symbol, amount in portfolio.collateral.items()],
        "positions": [_position(position) for position in portfolio.positions],
    }


def book_document(book: BookSpec) -> dict[str, Any]:
    """The ``book`` of plimsoll.params/1."""
    return {
        "grid": {"moves": list(book.grid_moves), "vols": list(book.grid_vols)},
        "tails": {"moves": list(book.tail_moves), "vols": list(book.tail_vols)},
        "skew": {"size": book.skew_size, "at": [{"move": move, "vol": vol} for move, vol in book.skew_at]},
    }


def params_document(params: Params, symbols: list[str]) -> dict[str, Any]:
    """plimsoll.params/1 with every parameter named for every underlying."""
    found: dict[str, Any] = {_camel(name): value for name, value in asdict(params.account).items()}
    for symbol in symbols:
        for name, value in asdict(params.for_underlying(symbol)).items():
            found.setdefault(_camel(name), {})[symbol] = value
    return found | {"schema": "plimsoll.params/1", "book": book_document(params.book)}
