"""Deribit: inverse contracts in USD and coin, linear ones in USDC and USDT; volatility in per cent."""

from __future__ import annotations

from typing import Any, Final

from plimsoll.errors import InputError
from plimsoll.intake.contract import deribit_contract
from plimsoll.intake.venue import Unpacked, Venue, objects, stamp_of


def _unpack(body: Any, source: str) -> Unpacked:
    """Take the records out of an answer of JSON-RPC, or of its ``result`` alone."""
    stamp: tuple[int | None, str] = None, ""
    if isinstance(body, dict) and "error" in body:
        raise InputError(source, f"is an error of the venue: {body['error']!s:.120}")
    if isinstance(body, dict) and "result" in body:
        stamp = stamp_of(body.get("usOut"), source)
        body = body["result"]
    if isinstance(body, dict) and "summaries" in body:
        body = body["summaries"]
    if isinstance(body, dict):
        if "index_price" in body and "instrument_name" not in body:
            raise InputError(source, "an index price does not name its index; leave it out, the summaries hold it")
        body = [body]
    return Unpacked((objects(body, source, "result"),), *stamp)


DERIBIT: Final = Venue(
    name="deribit", parse=lambda name, category: deribit_contract(name), unpack=_unpack, is_percent=True
)
