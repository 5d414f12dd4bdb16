"""Whom a contract of an installation asks: the contracts that its constructor was given."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from plimsoll.chain.abi import decode_values, load_artifact
from plimsoll.deployment.record import artifact_name

CONTRACT = "contract I"
#: What is no type of a contract in the ABI: a plain address, by the name of its parameter. An authority is left out,
#: because it may change after the deployment and is read off the contract itself.
PLAIN = {
    **{"normalTable": "NormalTable", "draftBook": "DraftBook", "accounts": "Accounts", "vault": "Vault"},
    **{"marginEngine": "MarginEngine", "oracle": "Oracle", "delegation": "Delegation", "closer": "StrategyCloser"},
}


def asked_by(name: str, constructor: bytes, contracts: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """Name every contract that one of an installation was made to ask, and the one that it should ask.

    Parameters
    ----------
    name : str
        Name of the contract in the deployment.
    constructor : bytes
        What its constructor was given, encoded.
    contracts : Collection[str]
        Names of the deployment: engines bound to a stand-in for the scenario book ask their own kind.

    Yields
    ------
    tuple[str, str, str]
        Parameter, address that was given, name that belongs there.
    """
    abi = load_artifact(artifact_name(name)).abi
    inputs: list[dict[str, Any]] = next((entry["inputs"] for entry in abi if entry["type"] == "constructor"), [])
    values = decode_values(inputs, constructor)
    for entry, value in zip(inputs, (values,) if len(inputs) == 1 else values, strict=True):
        for key, kind, address in _addresses(entry, value):
            yield key, address, _instance(name, key, kind, contracts)


def _addresses(entry: Mapping[str, Any], value: Any) -> Iterator[tuple[str, str, str]]:
    """Yield parameter, kind and address of what is a contract, fields of a struct among them."""
    if entry["type"] == "tuple":
        for component in entry["components"]:
            yield from _addresses(component, getattr(value, component["name"]))
    elif entry["type"] == "address":
        key, kind = entry["name"], str(entry["internalType"])
        found = kind.removeprefix(CONTRACT) if kind.startswith(CONTRACT) else PLAIN.get(key)
        if found is not None:
            yield key, found, value


def _instance(name: str, key: str, kind: str, contracts: Collection[str]) -> str:
    """Name which contract of a kind one asks: that of the same stand-in where there is one."""
    which = "Draft" if (name, key) == ("ParameterPreview", "draft") else name.removesuffix(artifact_name(name))
    own = f"{which}Book" if kind == "ScenarioBook" else f"{which}{kind}"
    return own if which and own in contracts else kind
