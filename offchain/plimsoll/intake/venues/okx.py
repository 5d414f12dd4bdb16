"""OKX: sizes in contracts, whose size its list of instruments says; volatility in decimals."""

from __future__ import annotations

from typing import Any, Final

from plimsoll.errors import InputError
from plimsoll.intake.contract import okx_contract
from plimsoll.intake.venue import Unpacked, Venue, objects, stamp_of


def _unpack(body: Any, source: str) -> Unpacked:
    """Take the records out of ``data``; the balances of an account are one level deeper."""
    if isinstance(body, dict):
        code = str(body.get("code", "0"))
        if code != "0":
            raise InputError(source, f"is an error of the venue: {code} {body.get('msg', '')!s:.120}")
        body = body.get("data")
    records = objects(body, source, "data")
    if records and "details" in records[0]:
        if len(records) > 1:
            raise InputError(source, "holds several accounts; give one at a time")
        return Unpacked(
            (objects(records[0]["details"], source, "details"),), *stamp_of(records[0].get("uTime"), source)
        )
    return Unpacked((records,))


OKX: Final = Venue(name="okx", parse=lambda name, category: okx_contract(name), unpack=_unpack, counts_contracts=True)
