"""Derive: collateral is cash alone; a perpetual's profit is paid out now and then, so the rest of it is a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

from plimsoll.dialects.numerals import exact
from plimsoll.errors import InputError
from plimsoll.intake.contract import derive_contract
from plimsoll.intake.records import Record
from plimsoll.intake.statement import Balance, Statement
from plimsoll.intake.venue import Unpacked, Venue, objects, stamp_of

CASH: Final = "USDC"
#: Keys of the short form of a ticker: of the option's prices, volatility and forward.
_PRICING: Final = {"i": "i", "iv": "i", "f": "f", "forward_price": "f"}


def _unpack(body: Any, source: str) -> Unpacked:
    """Take positions, collateral or tickers out of ``result``."""
    if isinstance(body, dict) and "error" in body:
        raise InputError(source, f"is an error of the venue: {body['error']!s:.120}")
    if isinstance(body, dict) and "result" in body:
        body = body["result"]
    if isinstance(body, list):
        return Unpacked(([_ticker(item) for item in objects(body, source, "result")],))
    if not isinstance(body, dict):
        raise InputError(source, "expected an object")
    if "tickers" in body:
        tickers = body["tickers"]
        if not isinstance(tickers, dict) or not all(isinstance(item, dict) for item in tickers.values()):
            raise InputError(source, "tickers: expected an object of objects")
        return Unpacked(([_ticker({"instrument_name": name, **item}) for name, item in tickers.items()],))
    if "positions" in body or "collaterals" in body:
        found = [objects(body[key], source, key) for key in ("positions", "collaterals") if key in body]
        return Unpacked(tuple(found), *stamp_of(body.get("timestamp"), source))
    return Unpacked(([_ticker(body)],))


def _ticker(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return a ticker with its option's volatility and forward, and without its own funding rate, one level down."""
    flat = {key: value for key, value in item.items() if key not in ("option_pricing", "stats", "f")}
    pricing = item.get("option_pricing")
    if isinstance(pricing, dict):
        flat |= {ours: pricing[theirs] for theirs, ours in _PRICING.items() if theirs in pricing}
    stats = item.get("stats")
    if isinstance(stats, dict):
        flat |= {key: stats[key] for key in ("oi", "v") if key in stats}
    return flat


def _finish(statement: Statement, records: Sequence[Record]) -> None:
    """Add what positions are worth to the cash: then it is equity, as other venues count it."""
    values = [record.get("value") for record in records]
    cash = statement.balances.get(CASH)
    if not statement.holdings or any(value is None for value in values):
        return
    worth = sum((exact(value, statement.venue, "mark_value") for value in values), Fraction(0))
    held = Balance(Fraction(0), False) if cash is None else cash
    statement.balances[CASH] = replace(held, amount=held.amount + worth, counts_positions=True)
    statement.say("equity of USDC: its balance and what the venue values the positions at")


DERIVE: Final = Venue(name="derive", parse=lambda name, category: derive_contract(name), unpack=_unpack, finish=_finish)
