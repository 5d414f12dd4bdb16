"""Reader of ``plimsoll.portfolio/1`` files."""

from __future__ import annotations

from decimal import Decimal

from plimsoll.files.reader import Node, Source, read_document
from plimsoll.model import (
    MAX_CASH,
    MAX_POSITIONS,
    MAX_QUANTITY,
    MAX_STORED_PRICE,
    MIN_QUANTITY,
    Kind,
    Market,
    Mode,
    Portfolio,
    Position,
)

_KEYS = {
    "option": {"underlying", "kind", "right", "expiry", "strike", "quantity"},
    "future": {"underlying", "kind", "expiry", "quantity", "entry"},
    "perp": {"underlying", "kind", "quantity", "entry"},
}


def _expiry(node: Node, market: Market | None, underlying: str) -> int:
    expiry = node.timestamp(1)
    if market is None:
        return expiry
    if expiry < market.ts:
        node.fail(f"{expiry} is before the market's timestamp {market.ts}: expired")
    if expiry not in {surface.expiry_ts for surface in market.rounds[underlying].surfaces}:
        node.fail(f"{expiry} is not an expiry of {underlying} in the market file")
    return expiry


def _strike(node: Node) -> float:
    """Strike: it names the instrument, so the 72-bit field of a position word must hold it exactly."""
    strike = node.number(0.0, MAX_STORED_PRICE, open_low=True)
    exponent = Decimal(repr(strike)).normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < -8:
        node.fail(f"{strike!r} has more than 8 decimals")
    return strike


def _position(node: Node, market: Market | None) -> Position:
    if not isinstance(node.value, dict):
        node.object(set())
    if "kind" not in node.value:
        node.fail("missing key 'kind'")
    kind = node.key("kind").text(("option", "future", "perp"))
    node.object(_KEYS[kind])
    underlying = node.key("underlying").text()
    if market is not None and underlying not in market.rounds:
        node.key("underlying").fail(f"{underlying!r} is not an underlying of the market file")
    quantity = node.key("quantity").number(-MAX_QUANTITY, MAX_QUANTITY)
    if abs(quantity) < MIN_QUANTITY:
        node.key("quantity").fail(f"{quantity:g} is no position; the smallest quantity is {MIN_QUANTITY:g}")
    if kind == "option":
        right = node.key("right").text(("call", "put"))
        expiry = _expiry(node.key("expiry"), market, underlying)
        strike = _strike(node.key("strike"))
        return Position(underlying, Kind.CALL if right == "call" else Kind.PUT, expiry, strike, quantity)
    # An average, so any number of decimals.
    entry = node.key("entry").number(0.0, MAX_STORED_PRICE)
    if kind == "future":
        return Position(underlying, Kind.FUTURE, _expiry(node.key("expiry"), market, underlying), entry, quantity)
    return Position(underlying, Kind.PERP, 0, entry, quantity)


def _positions(node: Node, market: Market | None) -> tuple[Position, ...]:
    positions: list[Position] = []
    seen: dict[tuple[object, ...], str] = {}
    for item in node.items(MAX_POSITIONS):
        position = _position(item, market)
        if position.identity in seen:
            item.fail(f"is the same instrument as {seen[position.identity]}")
        seen[position.identity] = item.path
        positions.append(position)
    return tuple(positions)


def _collateral(node: Node, market: Market | None) -> dict[str, float]:
    amounts: dict[str, float] = {}
    for item in node.items(64):
        item.object({"token", "amount"})
        symbol = item.key("token").text()
        if market is not None and symbol not in market.tokens:
            item.key("token").fail(f"{symbol!r} is not a token of the market file")
        if symbol in amounts:
            item.key("token").fail(f"{symbol!r} appears twice")
        amounts[symbol] = item.key("amount").number(0.0, MAX_QUANTITY)
    return amounts


def load_portfolio(source: Source, market: Market | None = None) -> Portfolio:
    """Read and check a portfolio file, against a market where there is one.

    Parameters
    ----------
    source : str or Path or mapping
        File, or its content.
    market : Market, optional
        Gives the known underlyings, expiries and tokens; without it the engine refuses what a market does not have.

    Returns
    -------
    Portfolio

    Raises
    ------
    InputError
        Naming the file, the key, what is wrong and the limit.
    """
    root = read_document(source, "plimsoll.portfolio/1")
    root.object({"schema", "mode", "cash", "positions"}, {"collateral"})
    return Portfolio(
        mode=Mode[root.key("mode").text(("SINGLE", "STANDARD", "CROSS"))],
        cash=root.key("cash").number(-MAX_CASH, MAX_CASH),
        collateral=_collateral(root.key("collateral"), market) if root.has("collateral") else {},
        positions=_positions(root.key("positions"), market),
    )
