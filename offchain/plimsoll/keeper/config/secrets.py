"""No secret stands in the file: a key given inline is refused by name, its value never shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from plimsoll.errors import InputError
from plimsoll.keeper.redaction import TELLING, hide_addresses

#: A private key as people paste it. No option of the file is a hash, so nothing else looks like this.
PRIVATE_KEY: Final = re.compile(r"(0x)?[0-9a-fA-F]{64}")
#: Twelve or more lower-case words.
MNEMONIC: Final = re.compile(r"[a-z]{3,8}( [a-z]{3,8}){11,23}")
PLACEHOLDER: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted path, value) of everything in a tree that is no table and no array."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{number}]")
    else:
        yield path, value


def refuse_secrets(tree: Mapping[str, Any], source: str) -> None:
    """Refuse a file that holds a secret.

    Parameters
    ----------
    tree : mapping
        Parsed file, before anything of the environment is filled in.
    source : str
        Name of the file for the message.

    Raises
    ------
    InputError
        Names the option and what to give instead, never the value.
    """
    for path, value in leaves(tree):
        name = re.sub(r"\[\d+\]$", "", path).rsplit(".", 1)[-1]
        text = value.strip() if isinstance(value, str) else str(value)
        if PRIVATE_KEY.fullmatch(text) or MNEMONIC.fullmatch(text):
            raise InputError(source, f"{path}: looks like a private key; give a keystore and a pass_file or pass_env")
        if TELLING.search(name):
            raise InputError(
                source, f"{path}: a secret does not belong here; give the option that names a file or variable"
            )
        plain = PLACEHOLDER.sub("", text)
        # The path of a SQLite file is a path of this machine, however long the names of its folders are.
        if "://" in text and not text.startswith("sqlite:") and hide_addresses(plain) != plain:
            raise InputError(
                source, f"{path}: has a key or password in the address; write ${{NAME}} and set that variable"
            )
