"""Instruments, positions and cash of the ledger as the unit tests see them."""

from __future__ import annotations

from typing import Any

from plimsoll.chain.words import Word, pack, unpack
from plimsoll.model import Kind

WAD = 10**18
ETH = 1


def option(expiry_ts: int, strike: float, kind: Kind = Kind.CALL, quantity_wad: int = 0) -> int:
    """Word of an option on underlying 1."""
    return pack(Word(ETH, kind, expiry_ts, round(strike * 10**8), quantity_wad))


def perp(entry: float = 0, quantity_wad: int = 0) -> int:
    """Word of a perpetual on underlying 1."""
    return pack(Word(ETH, Kind.PERP, 0, round(entry * 10**8), quantity_wad))


def future(expiry_ts: int, entry: float = 0, quantity_wad: int = 0) -> int:
    """Word of a future on underlying 1."""
    return pack(Word(ETH, Kind.FUTURE, expiry_ts, round(entry * 10**8), quantity_wad))


def positions(ledger: Any, account_id: int) -> list[Word]:
    """Positions of an account, unpacked."""
    return [unpack(word) for word in ledger.snapshotOf(account_id)["positions"]]


def words(ledger: Any, account_id: int) -> list[int]:
    """Positions of an account as stored."""
    return list(ledger.snapshotOf(account_id)["positions"])


def stored_total(ledger: Any) -> int:
    """Stored cash over all accounts, the reserved ones included; I-01 compares it with the vault's cash."""
    return sum(ledger.storedCashOf(account_id) for account_id in range(ledger.nextAccountId()))


def shown(holder: Any) -> str:
    """Address as Brownie prints it inside a custom error: in lower case, without checksum."""
    return str(holder.address).lower()


def snapshot(ledger: Any, account_id: int) -> dict[str, Any]:
    """Snapshot of an account in plain integers, by field name."""
    values = ledger.snapshotOf(account_id)
    return {
        "mode": int(values["mode"]),
        "cashWad": int(values["cashWad"]),
        **{name: [int(v) for v in values[name]] for name in ("tokenIds", "amountsWad", "positions")},
    }


def empty(mode: int = 0, cash_wad: int = 0) -> dict[str, Any]:
    """Snapshot of an account that holds nothing but cash."""
    return {"mode": mode, "cashWad": cash_wad, "tokenIds": [], "amountsWad": [], "positions": []}
