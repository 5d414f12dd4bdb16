"""Reverts by name: the custom error of a contract and what it was given, from the bytes a node returns."""

from __future__ import annotations

from functools import cache
from typing import Any

from eth_abi.abi import decode
from eth_utils.crypto import keccak

from plimsoll.chain.abi import all_artifacts, canonical_type
from plimsoll.errors import PlimsollError

ERROR_STRING_SELECTOR = "08c379a0"


PANIC_SELECTOR = "4e487b71"


class RevertError(PlimsollError):
    """A call or transaction reverted.

    Parameters
    ----------
    source : str
        What was called.
    name : str
        Name of the custom error, or of Solidity's own ``Error`` and ``Panic``.
    values : tuple
        Its decoded arguments: observed, limit.
    """

    def __init__(self, source: str, name: str, values: tuple[Any, ...] = ()) -> None:
        super().__init__(source, f"reverted with {name}({', '.join(str(v) for v in values)})")
        self.name = name
        self.values = values


@cache
def _known_errors() -> dict[str, tuple[str, list[str]]]:
    """Selectors of every custom error in the built artefacts."""
    known: dict[str, tuple[str, list[str]]] = {}
    for artifact in all_artifacts():
        for entry in artifact.abi:
            if entry["type"] == "error":
                types = [canonical_type(i) for i in entry["inputs"]]
                signature = f"{entry['name']}({','.join(types)})"
                known[keccak(text=signature)[:4].hex()] = (entry["name"], types)
    return known


def decode_revert(source: str, data: str) -> RevertError:
    """Turn revert data into a named error.

    Parameters
    ----------
    source : str
        What was called, for the message.
    data : str
        Hexadecimal revert data with prefix ``0x``.

    Returns
    -------
    RevertError
        ``Error`` and ``Panic`` included; unknown selectors keep their bytes.
    """
    selector, body = data[2:10], bytes.fromhex(data[10:])
    if selector == ERROR_STRING_SELECTOR:
        return RevertError(source, "Error", tuple(decode(["string"], body)))
    if selector == PANIC_SELECTOR:
        return RevertError(source, "Panic", tuple(hex(v) for v in decode(["uint256"], body)))
    if selector in _known_errors():
        name, types = _known_errors()[selector]
        return RevertError(source, name, tuple(decode(types, body)))
    return RevertError(source, f"0x{selector}" if selector else "no data")
