"""Loans at Morpho Blue that are collateral, as a deployment's configuration names them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_utils.address import is_address, to_checksum_address

from plimsoll.deployment.liquidity_spec import LEAST_STIPEND_GAS, MOST_STIPEND_GAS, Listed
from plimsoll.deployment.table import build_table
from plimsoll.errors import InputError
from plimsoll.units import float_to_raw, float_to_wad

MARKET_ID: Final = re.compile(r"0x[0-9a-fA-F]{64}")
#: One token is all of a loan, and no more of it is ever made.
WHOLE: Final = 1.0
DECIMALS: Final = 18
#: What the contract takes of a buffer, and of what unwinding costs.
MOST_SHARE: Final = 0.5
#: What the source book can hold, in cash.
MOST_CEILING: Final = (2**64 - 1) / 10**6


@dataclass(frozen=True, slots=True)
class LoanSpec:
    """One loan in one market of Morpho Blue, between ``base`` and cash; ``is_long`` when the base is its collateral.

    ``cap`` is the most collateral that counts, in whole tokens; ``top_price`` the highest price of the base at which a
    long loan counts.
    """

    symbol: str
    name: str
    morpho: str
    market_id: str
    holder: str
    base: str
    is_long: bool
    buffer: float
    cost: float
    cap: float
    top_price: float
    haircut: float
    linked_haircut: float
    stipend_gas: int = MOST_STIPEND_GAS

    @property
    def ceiling(self) -> float:
        """Most cash that all of the loan can be worth: its collateral alone."""
        return self.cap * (self.top_price if self.is_long else 1.0)


def read_loans(source: str, tables: Mapping[str, Mapping[str, Any]], tokens: Sequence[Listed]) -> tuple[LoanSpec, ...]:
    """Read the loans; refuse before anything is sent what a contract would refuse in the middle of a deployment.

    Parameters
    ----------
    source : str
        Name used in an error message.
    tables : mapping
        What the file says, by symbol.
    tokens : sequence
        Tokens of the same file, the cash token first.

    Returns
    -------
    tuple of LoanSpec

    Raises
    ------
    InputError
        Naming the key, what is wrong and the limit.
    """
    found = tuple(build_table(LoanSpec, f"{source}.{symbol}", t, symbol=symbol) for symbol, t in tables.items())
    for entry in found:
        _check(f"{source}.{entry.symbol}", entry, {token.symbol: token for token in tokens})
    return found


def loan_words(entry: LoanSpec, tokens: Sequence[Listed], addresses: Mapping[str, str]) -> tuple[Any, ...]:
    """Return what the contract of a loan is made with.

    Parameters
    ----------
    entry : LoanSpec
    tokens : sequence
        Tokens of the deployment, the cash token first.
    addresses : mapping
        Of the cash token, the ledger, the vault and the margin engine, by name.

    Returns
    -------
    tuple
        Name, symbol, venue, terms, protocol and holder.
    """
    decimals = next(token.decimals for token in tokens if token.symbol == entry.base)
    cap_raw = float_to_raw(entry.cap, decimals if entry.is_long else tokens[0].decimals)
    terms = (addresses[tokens[0].symbol], float_to_wad(entry.buffer), float_to_wad(entry.cost), cap_raw)
    venue = (to_checksum_address(entry.morpho), bytes.fromhex(entry.market_id[2:]))
    protocol = tuple(addresses[name] for name in ("Accounts", "Vault", "MarginEngine"))
    return entry.name, entry.symbol, venue, terms, protocol, to_checksum_address(entry.holder)


def loan_source(entry: LoanSpec, address: str) -> dict[str, Any]:
    """Return who says what a loan is worth, as the source book keeps it.

    Parameters
    ----------
    entry : LoanSpec
    address : str
        Its contract.

    Returns
    -------
    dict of str to Any
    """
    ceiling = min(math.ceil(entry.ceiling * 10**6) + 1, 2**64 - 1)
    return {"source": address, "stipendGas": entry.stipend_gas, "ceilingE6": ceiling}


def _check(source: str, entry: LoanSpec, by_symbol: Mapping[str, Listed]) -> None:
    if entry.symbol in by_symbol:
        raise InputError(source, f"{entry.symbol} is a token of this file already")
    if entry.base not in by_symbol or not by_symbol[entry.base].linked:
        raise InputError(source, f"base {entry.base} is no token of this file that is linked to an underlying")
    ratio = by_symbol[entry.base].ratio
    if ratio != 1.0:
        raise InputError(source, f"base {entry.base} has the ratio {ratio:g}, it must be the underlying itself")
    for key in ("morpho", "holder"):
        if not is_address(getattr(entry, key)):
            raise InputError(source, f"{key} {getattr(entry, key)!r} is no address")
    if not MARKET_ID.fullmatch(entry.market_id):
        raise InputError(source, f"market_id {entry.market_id!r} is no number of 32 bytes, as in 0x and 64 digits")
    _check_numbers(source, entry)


def _check_numbers(source: str, entry: LoanSpec) -> None:
    limits = {"buffer": MOST_SHARE, "cost": MOST_SHARE, "haircut": 1.0, "linked_haircut": 1.0}
    for name, most in limits.items():
        if not 0.0 <= getattr(entry, name) <= most:
            raise InputError(source, f"{name} {getattr(entry, name)} is outside 0 to {most:g}")
    for name in ("cap", "top_price"):
        if not getattr(entry, name) > 0.0:
            raise InputError(source, f"{name} {getattr(entry, name)} must be above 0")
    if not entry.ceiling <= MOST_CEILING:
        raise InputError(source, f"cap at top_price is {entry.ceiling:g} of cash, at most {MOST_CEILING:g} fits")
    if not LEAST_STIPEND_GAS <= entry.stipend_gas <= MOST_STIPEND_GAS:
        allowed = f"{LEAST_STIPEND_GAS} to {MOST_STIPEND_GAS}"
        raise InputError(source, f"stipend_gas {entry.stipend_gas} is outside {allowed}")
