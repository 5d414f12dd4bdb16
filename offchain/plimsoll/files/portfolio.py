"""Reader of ``plimsoll.portfolio/1`` files, and of tables of positions."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from plimsoll.files.reader import Node, Source, read_document
from plimsoll.files.tables import NAME, portfolio_document, refuse_beside_file
from plimsoll.frames import Table
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

_OPTIONS = {kind.word: kind for kind in Kind if kind.is_option}
_LINEAR = {kind.word: kind for kind in Kind if kind.is_linear}
_KEYS = {
    "option": {"underlying", "kind", "right", "expiry", "strike", "quantity"},
    **{
        word: {"underlying", "kind", "quantity", "entry"} | ({"expiry"} if kind.has_expiry else set())
        for word, kind in _LINEAR.items()
    },
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
    kind = node.key("kind").text(tuple(_KEYS))
    node.object(_KEYS[kind])
    underlying = node.key("underlying").text()
    if market is not None and underlying not in market.rounds:
        node.key("underlying").fail(f"{underlying!r} is not an underlying of the market file")
    quantity = node.key("quantity").number(-MAX_QUANTITY, MAX_QUANTITY)
    if abs(quantity) < MIN_QUANTITY:
        node.key("quantity").fail(f"{quantity:g} is no position; the smallest quantity is {MIN_QUANTITY:g}")
    if kind == "option":
        right = _OPTIONS[node.key("right").text(tuple(_OPTIONS))]
        expiry = _expiry(node.key("expiry"), market, underlying)
        return Position(underlying, right, expiry, _strike(node.key("strike")), quantity)
    # An average, so any number of decimals.
    entry = node.key("entry").number(0.0, MAX_STORED_PRICE)
    expiry = _expiry(node.key("expiry"), market, underlying) if _LINEAR[kind].has_expiry else 0
    return Position(underlying, _LINEAR[kind], expiry, entry, quantity)


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


def load_portfolio(
    source: Source | Table,
    market: Market | None = None,
    *,
    mode: str | None = None,
    cash: float | None = None,
    collateral: Mapping[str, float] | None = None,
) -> Portfolio:
    """Read and check a portfolio: a file, its content or a table of positions; against a market where there is one.

    Parameters
    ----------
    source : str or Path or mapping or DataFrame
        File, its content, or a pandas, polars or Arrow table with one row per position and the keys of the file as
        columns: ``underlying``, ``kind`` (option, future, perp), ``right`` (call, put), ``expiry`` (unix seconds or a
        time), ``strike``, ``quantity``, ``entry``. A cell that does not apply is empty.
    market : Market, optional
        Gives the known underlyings, expiries and tokens; without it the engine refuses what a market does not have.
    mode : str, optional
        With a table: SINGLE (the default), STANDARD or CROSS.
    cash : float, optional
        With a table: cash, default 0.
    collateral : mapping of str to float, optional
        With a table: amounts by token symbol.

    Returns
    -------
    Portfolio

    Raises
    ------
    InputError
        Naming the file, the key, what is wrong and the limit.

    Examples
    --------
    >>> import pandas as pd
    >>> load_portfolio("examples/portfolio.json").cash
    20000.0
    >>> legs = pd.DataFrame({"underlying": ["ETH"], "kind": ["perp"], "quantity": [-3.0], "entry": [1_950.0]})
    >>> load_portfolio(legs, cash=5_000.0).positions[0].quantity
    -3.0
    """
    if not isinstance(source, str | Path | Mapping):
        document = portfolio_document(source, mode, cash, collateral)
        root = read_document(document, "plimsoll.portfolio/1", name=NAME)
    else:
        refuse_beside_file(mode=mode, cash=cash, collateral=collateral)
        root = read_document(source, "plimsoll.portfolio/1")
    root.object({"schema", "mode", "cash", "positions"}, {"collateral", "credit"})
    return Portfolio(
        mode=Mode[root.key("mode").text(("SINGLE", "STANDARD", "CROSS"))],
        cash=root.key("cash").number(-MAX_CASH, MAX_CASH),
        collateral=_collateral(root.key("collateral"), market) if root.has("collateral") else {},
        positions=_positions(root.key("positions"), market),
        credit=root.key("credit").number(0.0, MAX_CASH) if root.has("credit") else 0.0,
    )
