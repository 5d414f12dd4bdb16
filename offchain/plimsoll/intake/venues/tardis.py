"""Option chains as tardis.dev collects them: ticks of every instrument, times in microseconds; Deribit's alone."""

from __future__ import annotations

from typing import Any, Final

from plimsoll.errors import InputError
from plimsoll.intake.contract import deribit_contract
from plimsoll.intake.venue import Unpacked, Venue


def _unpack(body: Any, source: str) -> Unpacked:
    raise InputError(source, "tardis.dev delivers option chains as .csv or .csv.gz")


TARDIS: Final = Venue(
    name="tardis", parse=lambda name, category: deribit_contract(name), unpack=_unpack, is_percent=True
)
