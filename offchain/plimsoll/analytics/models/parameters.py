"""Parameter files of margin models: one shipped per model, replaceable by ``--model-params``.

A file has the schema ``plimsoll.model-params/1``, the name of the model, its ``source`` in words, the parameters under
``default`` (every one of them) and, by name of underlying, those that differ under ``underlyings``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from plimsoll.files.reader import Node, read_document

SCHEMA = "plimsoll.model-params/1"
MAX_ENTRIES = 64
if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def number(low: float, high: float) -> Any:
    """Field of a parameter class: one number in ``[low, high]``."""
    return field(metadata={"low": low, "high": high, "depth": 0})


def numbers(low: float, high: float, *, zero: bool = True) -> Any:
    """Field of a parameter class: an array of numbers in ``[low, high]``, without 0 where something divides by them."""
    return field(metadata={"low": low, "high": high, "depth": 1, "zero": zero})


def pairs(low: float, high: float) -> Any:
    """Field of a parameter class: an array of pairs of numbers in ``[low, high]``."""
    return field(metadata={"low": low, "high": high, "depth": 2})


def named_pairs(low: float, high: float) -> Any:
    """Field of a parameter class: pairs of numbers in ``[low, high]`` by name; it may be empty."""
    return field(metadata={"low": low, "high": high, "depth": 2, "named": True})


def rows(low: float, high: float, most: float, *states: str) -> Any:
    """Field of a parameter class: an array of (move in ``[low, high]``, one of some words, weight up to ``most``)."""
    return field(metadata={"low": low, "high": high, "most": most, "depth": 3, "states": states})


def choice(*names: str) -> Any:
    """Field of a parameter class: one of a few words."""
    return field(metadata={"names": names})


@dataclass(frozen=True, slots=True)
class ModelParams(Generic[T]):
    """Parameters of one model: for all underlyings, and where one differs."""

    source: str
    default: T
    underlyings: Mapping[str, T]

    def of(self, name: str) -> T:
        """Parameters of one underlying."""
        return self.underlyings.get(name, self.default)


def _key(name: str) -> str:
    return re.sub(r"_(\w)", lambda found: found[1].upper(), name)


def _value(node: Node, item: Field[Any]) -> object:
    meta = item.metadata
    if "names" in meta:
        return node.text(meta["names"])
    if meta["depth"] == 0:
        return node.number(meta["low"], meta["high"])
    if meta.get("named"):
        return {name: _pair(child, meta["low"], meta["high"]) for name, child in node.members()}
    entries = node.items(MAX_ENTRIES)
    if not entries:
        node.fail("is empty")
    if meta["depth"] == 1:
        for entry in entries:
            if not meta["zero"] and entry.value == 0:
                entry.fail("is 0")
        return tuple(entry.number(meta["low"], meta["high"]) for entry in entries)
    if meta["depth"] == 3:
        return tuple(_row(entry, meta) for entry in entries)
    return tuple(_pair(entry, meta["low"], meta["high"]) for entry in entries)


def _row(node: Node, meta: Mapping[str, Any]) -> tuple[float, str, float]:
    three = node.items(3)
    if len(three) != 3:
        node.fail(f"{len(three)} entries, 3 are wanted")
    move, state, weight = three
    return move.number(meta["low"], meta["high"]), state.text(meta["states"]), weight.number(0.0, meta["most"])


def _pair(node: Node, low: float, high: float) -> tuple[float, float]:
    two = node.items(2)
    if len(two) != 2:
        node.fail(f"{len(two)} numbers, 2 are wanted")
    return two[0].number(low, high), two[1].number(low, high)


def load_model_params(path: Path, model: str, kind: type[T]) -> ModelParams[T]:
    """Read a parameter file of one model.

    Parameters
    ----------
    path : Path
    model : str
        Name that the file must state.
    kind : type
        Dataclass of the parameters; its fields say names and ranges.

    Returns
    -------
    ModelParams

    Raises
    ------
    InputError
        Naming the file, the key, what is wrong and the limit.
    """
    root = read_document(path, SCHEMA)
    root.object({"schema", "model", "source", "default"}, {"underlyings"})
    root.key("model").text((model,))
    known = {_key(item.name): item for item in fields(kind)}
    node = root.key("default").object(set(known))
    default = kind(**{item.name: _value(node.key(key), item) for key, item in known.items()})
    own: dict[str, T] = {}
    if root.has("underlyings"):
        for name, child in root.key("underlyings").members():
            child.object(set(), set(known))
            changes = {item.name: _value(child.key(key), item) for key, item in known.items() if child.has(key)}
            own[name] = replace(default, **changes)
    return ModelParams(root.key("source").text(), default, own)


def model_named_in(path: Path) -> str:
    """Return the name of the model that a parameter file is for."""
    root = read_document(path, SCHEMA)
    if not root.has("model"):
        root.fail("missing key 'model'")
    return root.key("model").text()


def shipped_params(model: str, kind: type[T]) -> ModelParams[T]:
    """Read the parameter file that the package ships for a model."""
    with as_file(files("plimsoll.analytics.models").joinpath("params", f"{model}.json")) as path:
        return load_model_params(path, model, kind)
