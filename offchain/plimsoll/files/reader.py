"""A JSON document read key by key: every problem names the file and the path of the key."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from plimsoll.dialects.json_text import json_of
from plimsoll.dialects.time_units import not_seconds
from plimsoll.errors import InputError

MAX_FILE_BYTES = 16 * 1024 * 1024
#: The last time that 40 bits of unix seconds hold.
LAST_TS = 2**40 - 1


class Node:
    """One value of a document with its path; ``get`` and friends check type and range.

    Parameters
    ----------
    source : str
        File as it was given, for messages.
    path : str
        Dotted path of the value, empty at the root.
    value : object
        Parsed JSON.
    """

    def __init__(self, source: str, path: str, value: Any) -> None:
        self.source, self.path, self.value = source, path, value

    def fail(self, message: str) -> NoReturn:
        """Raise the one-line error for this value."""
        where = f"{self.path}: " if self.path else ""
        raise InputError(self.source, f"{where}{message}")

    def _child(self, key: str) -> Node:
        return Node(self.source, f"{self.path}.{key}" if self.path else key, self.value[key])

    def object(self, required: set[str], optional: set[str] | None = None) -> Node:
        """Require an object with exactly the known keys."""
        known = required | (optional or set())
        if not isinstance(self.value, dict):
            self.fail(f"expected an object, got {_name(self.value)}")
        for key in self.value:
            if key not in known:
                self.fail(f"unknown key {key!r}; known keys are {', '.join(sorted(known))}")
        for key in sorted(required):
            if key not in self.value:
                self.fail(f"missing key {key!r}")
        return self

    def has(self, key: str) -> bool:
        """Whether an optional key is present."""
        return key in self.value

    def key(self, key: str) -> Node:
        """Child of an object."""
        return self._child(key)

    def members(self) -> Iterator[tuple[str, Node]]:
        """Children of an object with free keys (symbols)."""
        if not isinstance(self.value, dict):
            self.fail(f"expected an object, got {_name(self.value)}")
        for key in self.value:
            child = self._child(key)
            # Brackets would be read as markup where the symbol is shown.
            if not 1 <= len(key) <= 31 or not key.isascii() or not key.isprintable() or set(key) & set(" []"):
                child.fail("a symbol is 1 to 31 printable ASCII characters without spaces and brackets")
            yield key, child

    def items(self, limit: int) -> list[Node]:
        """Children of an array of at most ``limit`` elements."""
        if not isinstance(self.value, list):
            self.fail(f"expected an array, got {_name(self.value)}")
        if len(self.value) > limit:
            self.fail(f"{len(self.value)} entries, the limit is {limit}")
        return [Node(self.source, f"{self.path}[{i}]", v) for i, v in enumerate(self.value)]

    def text(self, choices: tuple[str, ...] | None = None) -> str:
        """Return a string, optionally one of ``choices``."""
        if not isinstance(self.value, str):
            self.fail(f"expected a string, got {_name(self.value)}")
        if choices is not None and self.value not in choices:
            self.fail(f"{self.value!r} is not one of {', '.join(choices)}")
        return str(self.value)

    def number(
        self,
        low: float = -math.inf,
        high: float = math.inf,
        *,
        open_low: bool = False,
        open_high: bool = False,
    ) -> float:
        """Return a finite number inside the interval; booleans and strings are no numbers."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            self.fail(f"expected a number, got {_name(self.value)}")
        try:
            number = float(self.value)
        except OverflowError:
            self.fail("the number is too large")
        if not math.isfinite(number):
            self.fail(f"{number} is not a finite number")
        too_low = number < low or (open_low and number == low)
        too_high = number > high or (open_high and number == high)
        if too_low or too_high:
            left, right = "(" if open_low else "[", ")" if open_high else "]"
            self.fail(f"{number:g} is outside {left}{low:g}, {high:g}{right}")
        return number

    def timestamp(self, low: int = 0) -> int:
        """Return a whole number of unix seconds that fits the chain's 40 bits and is no time in another unit."""
        number = self.number()
        if not low <= number <= LAST_TS:
            self.fail(not_seconds(number, low, LAST_TS))
        if number != int(number):
            self.fail(f"{number} is not a whole number of seconds")
        return int(number)


def _name(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _parse(path: Path) -> Any:
    """Parse a file as JSON; every way in which that fails is an InputError."""
    try:
        # One byte more than is read tells that the file is larger, however large it is.
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise InputError(str(path), f"cannot be read ({error.strerror or error})") from None
    return json_of(content, str(path), MAX_FILE_BYTES)


#: Where a document comes from: a file, or what a file would hold.
Source = str | Path | Mapping[str, Any]


def _value_of(document: Source, name: str) -> tuple[str, Any]:
    """Return the name for messages and the parsed value; a mapping is read as if it came from a file."""
    if not isinstance(document, Mapping):
        path = Path(document)
        return str(path), _parse(path)
    try:
        return name, json.loads(json.dumps(document))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(name, f"cannot be written as JSON ({error})") from None


def read_document(document: Source, schema: str, *, schema_required: bool = True, name: str = "document") -> Node:
    """Read a JSON document and check its ``schema``.

    Parameters
    ----------
    document : str or Path or mapping
        File to read, or its content.
    schema : str
        Expected value of the key ``schema``.
    schema_required : bool
        Whether the key must be present.
    name : str
        What messages call a document that is no file.

    Returns
    -------
    Node
        Root of the document.

    Raises
    ------
    InputError
        If the file cannot be read, is no JSON object, repeats a key, or names another schema.
    """
    source, value = _value_of(document, name)
    root = Node(source, "", value)
    if not isinstance(value, dict):
        root.fail("expected a JSON object")
    if schema_required and "schema" not in value:
        root.fail("missing key 'schema'")
    if "schema" in value and value["schema"] != schema:
        root.key("schema").fail(f"{value['schema']!r} is not {schema!r}")
    return root
