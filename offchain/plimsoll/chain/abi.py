"""What the contracts look like from outside: built artefacts, and values to and from their ABI encoding."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from plimsoll.errors import UnavailableError

#: The built contracts that are part of the package.
ARTIFACTS: Final = Path(__file__).resolve().parent / "artifacts"
#: Environment variable with a folder whose artefacts come first: another compiler's build, or the mocks of tests.
FURTHER_ARTIFACTS: Final = "PLIMSOLL_ARTIFACTS"


@dataclass(frozen=True, slots=True)
class Function:
    """One ABI function, encoded without web3's per-call checks."""

    name: str
    selector: bytes
    inputs: tuple[dict[str, Any], ...]
    outputs: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Event:
    """One ABI event."""

    name: str
    topic: str
    inputs: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Artifact:
    """ABI and creation code of one contract."""

    name: str
    abi: list[dict[str, Any]]
    bytecode: bytes
    functions: dict[str, Function] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)


def canonical_type(entry: Mapping[str, Any]) -> str:
    """Return the ABI type with tuples spelled out.

    Parameters
    ----------
    entry : Mapping[str, Any]
        One ABI input, output or component.

    Returns
    -------
    str
        For example ``(uint40,int256[])[]``.
    """
    kind = str(entry["type"])
    if not kind.startswith("tuple"):
        return kind
    inner = ",".join(canonical_type(component) for component in entry["components"])
    return f"({inner}){kind[5:]}"


def _signature(entry: Mapping[str, Any]) -> str:
    return f"{entry['name']}({','.join(canonical_type(i) for i in entry['inputs'])})"


def parse_artifact(name: str, document: Mapping[str, Any]) -> Artifact:
    """Index an artefact by function and event name; an overload keeps its signature as key too.

    Parameters
    ----------
    name : str
        Contract name.
    document : mapping
        ``abi`` and ``bytecode``, as any build tool writes them.

    Returns
    -------
    Artifact
    """
    code = str(document.get("bytecode", ""))
    artifact = Artifact(name, list(document["abi"]), bytes.fromhex(code.removeprefix("0x")))
    for entry in artifact.abi:
        if entry["type"] == "function":
            signature = _signature(entry)
            function = Function(
                entry["name"], keccak(text=signature)[:4], tuple(entry["inputs"]), tuple(entry["outputs"])
            )
            artifact.functions.setdefault(entry["name"], function)
            artifact.functions[signature] = function
        elif entry["type"] == "event":
            event = Event(entry["name"], "0x" + keccak(text=_signature(entry)).hex(), tuple(entry["inputs"]))
            artifact.events[event.topic] = event
    return artifact


def _folders() -> list[Path]:
    """Where artefacts are, the first that has a name wins."""
    further = os.environ.get(FURTHER_ARTIFACTS)
    return [Path(further), ARTIFACTS] if further else [ARTIFACTS]


@cache
def load_artifact(name: str) -> Artifact:
    """Read one built contract.

    Parameters
    ----------
    name : str
        Contract name.

    Returns
    -------
    Artifact
        Parsed once per process.

    Raises
    ------
    UnavailableError
        When it was not built.
    """
    for folder in _folders():
        path = folder / f"{name}.json"
        if path.is_file():
            return parse_artifact(name, json.loads(path.read_text(encoding="utf-8")))
    raise UnavailableError(f"artefact {name}", "not built; run `make build`")


def all_artifacts() -> list[Artifact]:
    """Return every built contract, by name."""
    names = {path.stem for folder in _folders() for path in folder.glob("*.json")}
    return [load_artifact(name) for name in sorted(names)]


def _flatten(entry: Mapping[str, Any], value: Any) -> Any:
    """Turn mappings and namespaces into the tuples that the encoder takes."""
    kind = str(entry["type"])
    if kind.endswith("]"):
        element = {**entry, "type": kind[: kind.rindex("[")]}
        return [_flatten(element, item) for item in value]
    if kind != "tuple":
        return value
    if isinstance(value, SimpleNamespace):
        value = vars(value)
    if isinstance(value, Mapping):
        return tuple(_flatten(component, value[component["name"]]) for component in entry["components"])
    return tuple(_flatten(c, item) for c, item in zip(entry["components"], value, strict=True))


def _name(entry: Mapping[str, Any], value: Any) -> Any:
    """Turn decoded tuples into namespaces with the ABI's field names."""
    kind = str(entry["type"])
    if kind.endswith("]"):
        element = {**entry, "type": kind[: kind.rindex("[")]}
        return [_name(element, item) for item in value]
    if kind == "tuple":
        return SimpleNamespace(**{c["name"]: _name(c, v) for c, v in zip(entry["components"], value, strict=True)})
    return to_checksum_address(value) if kind == "address" else value


def encode_values(entries: Sequence[Mapping[str, Any]], values: Sequence[Any]) -> bytes:
    """Encode ``values`` as the ABI ``entries`` say.

    Parameters
    ----------
    entries : Sequence[Mapping[str, Any]]
        ABI inputs.
    values : Sequence[Any]
        One value each; structs as mapping, namespace or tuple.

    Returns
    -------
    bytes
        ABI encoding without selector.
    """
    flat = [_flatten(e, v) for e, v in zip(entries, values, strict=True)]
    return encode([canonical_type(e) for e in entries], flat)


def decode_values(entries: Sequence[Mapping[str, Any]], data: bytes) -> Any:
    """Decode return data.

    Parameters
    ----------
    entries : Sequence[Mapping[str, Any]]
        ABI outputs.
    data : bytes
        Return data.

    Returns
    -------
    Any
        The value itself when there is one output, else a tuple; structs as ``SimpleNamespace``.
    """
    raw = decode([canonical_type(e) for e in entries], data)
    named = tuple(_name(e, v) for e, v in zip(entries, raw, strict=True))
    return named[0] if len(named) == 1 else named


def decode_event(event: Event, log: Mapping[str, Any]) -> tuple[str, SimpleNamespace]:
    """Decode one log.

    Parameters
    ----------
    event : Event
        The event whose topic the log carries.
    log : Mapping[str, Any]
        The node's log object.

    Returns
    -------
    tuple[str, SimpleNamespace]
        Name and arguments by name.
    """
    topics = [bytes.fromhex(topic[2:]) for topic in log["topics"][1:]]
    plain = [e for e in event.inputs if not e["indexed"]]
    body = decode([canonical_type(e) for e in plain], bytes.fromhex(log["data"][2:]))
    values = {e["name"]: _name(e, v) for e, v in zip(plain, body, strict=True)}
    for entry, topic in zip((e for e in event.inputs if e["indexed"]), topics, strict=True):
        values[entry["name"]] = _name(entry, decode([canonical_type(entry)], topic)[0])
    return event.name, SimpleNamespace(**values)


def constructor_values(name: str, *values: Any) -> bytes:
    """Encode what the constructor of a contract takes.

    Parameters
    ----------
    name : str
        Contract name.
    *values : Any
        Arguments.

    Returns
    -------
    bytes
        Empty when it takes nothing.
    """
    inputs: list[dict[str, Any]] = next(
        (entry["inputs"] for entry in load_artifact(name).abi if entry["type"] == "constructor"), []
    )
    return encode_values(inputs, values)


def creation_code(name: str, *values: Any) -> bytes:
    """Return what creates one contract.

    Parameters
    ----------
    name : str
        Contract name.
    *values : Any
        Constructor arguments.

    Returns
    -------
    bytes
        Creation code and encoded arguments.
    """
    return load_artifact(name).bytecode + constructor_values(name, *values)
