"""What keepers sent that was mined, as a person reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from plimsoll.chain.abi import Function, decode_values, load_artifact


@dataclass(frozen=True)
class Mined:
    """One transaction of a keeper.

    ``call`` is contract, function and arguments; ``logs`` says whether the chain recorded anything of it.
    """

    block: int
    sender: str
    nonce: int
    call: str
    target: str
    data: str
    is_done: bool
    logs: int

    def __str__(self) -> str:
        end = "" if self.is_done else " REVERTED"
        return f"block {self.block} {self.sender[:6]} nonce {self.nonce} {self.call} {self.logs} logs{end}"


def read_mined(item: dict[str, Any], receipt: dict[str, Any], contracts: dict[str, str]) -> Mined:
    """Name a transaction by the contracts of a deployment."""
    return Mined(
        int(item["blockNumber"], 16),
        item["from"],
        int(item["nonce"], 16),
        _call(item, contracts),
        item["to"],
        item["input"],
        receipt["status"] == "0x1",
        len(receipt["logs"]),
    )


def _call(item: dict[str, Any], contracts: dict[str, str]) -> str:
    data = bytes.fromhex(item["input"][2:])
    name = next((name for name, address in contracts.items() if address.lower() == (item["to"] or "").lower()), "")
    if not name or not data:
        return f"transfer to {item['to']}"
    function = _function(name, data[:4])
    if function is None:
        return f"{name}.{data[:4].hex()}"
    values = decode_values(function.inputs, data[4:]) if function.name not in ("postRound", "postTokenPrices") else ""
    return f"{name}.{function.name}({values})"[:120]


def _function(name: str, selector: bytes) -> Function | None:
    return next((found for found in load_artifact(name).functions.values() if found.selector == selector), None)
