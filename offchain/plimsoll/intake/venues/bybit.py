"""Bybit: names mean something within their category alone; volatility in decimals."""

from __future__ import annotations

from typing import Any, Final

from plimsoll.errors import InputError
from plimsoll.intake.contract import bybit_contract
from plimsoll.intake.venue import Unpacked, Venue, each_with, objects, stamp_of


def _unpack(body: Any, source: str) -> Unpacked:
    """Take the records out of ``result.list``; the balances of an account are one level deeper."""
    stamp: tuple[int | None, str] = None, ""
    if isinstance(body, dict) and "retCode" in body:
        if body["retCode"] != 0:
            raise InputError(source, f"is an error of the venue: {body['retCode']} {body.get('retMsg', '')!s:.120}")
        stamp, body = stamp_of(body.get("time"), source), body.get("result")
    category = None
    if isinstance(body, dict):
        category, body = body.get("category"), body.get("list")
    records = objects(body, source, "result.list")
    if records and "coin" in records[0] and isinstance(records[0]["coin"], list):
        if len(records) > 1:
            raise InputError(source, "holds several accounts; give one at a time")
        return Unpacked((objects(records[0]["coin"], source, "coin"),), *stamp)
    return Unpacked((each_with(records, category=category) if category else records,), *stamp)


BYBIT: Final = Venue(name="bybit", parse=bybit_contract, unpack=_unpack)
