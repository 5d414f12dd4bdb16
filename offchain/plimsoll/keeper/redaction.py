"""What no log, alert or page shows: credentials in addresses, registered secrets, values of telling names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

HIDDEN: Final = "***"
#: Shorter texts would also be found inside ordinary words.
MIN_SECRET: Final = 6
#: A private key, which libraries write in either case.
HEX_KEY: Final = re.compile(r"[0-9a-fA-F]{64}")
#: Longest text shown; an answer of a node that is longer says no more, and is searched for no longer.
MAX_TEXT: Final = 4_000
#: Names whose value is a secret, whatever it looks like.
TELLING: Final = re.compile(
    r"(^|_)(private_?key|secret(_key)?|passw(or)?d|passphrase|pass|mnemonic|seed(_phrase)?|token|api_?key|authorization)$",
    re.IGNORECASE,
)
#: Names whose value is a secret unless it is a number: a lease has a number, and so has a token of the book.
NUMBERED: Final = re.compile(r"(^|_)token$", re.IGNORECASE)
#: Whatever stands in front of the host of a web address, and user with password in front of any other. The name of a
#: user alone, as databases have it, is no secret.
USER_INFO: Final = re.compile(
    r"(?P<scheme>(?:https?|wss?)://)[^\s/\"']*@|(?P<other>\b[A-Za-z][A-Za-z0-9+.-]{0,30}://)[^\s/\"':@]*:[^\s/\"']*@",
    re.IGNORECASE,
)
#: Value of a parameter that providers take a key by.
QUERY_KEY: Final = re.compile(
    r"(?P<name>[?&](?:api[-_]?key|key|token|secret|password|auth|access_token)=)[^&\s\"']+", re.I
)
#: Part of a path that is nothing but a long random word, as providers of nodes and webhooks have it.
PATH_KEY: Final = re.compile(
    r"(?P<before>://[^\s\"']*?/)(?P<key>(?=[^/\s\"'?#]*\d)[A-Za-z0-9_-]{20,}|bot\d+:[\w-]+)(?=[/?#\s\"']|$)"
)


def hide_addresses(text: str) -> str:
    """Return a text whose addresses show no credentials.

    Parameters
    ----------
    text : str
        Anything; addresses may stand anywhere in it.

    Returns
    -------
    str
        User and password, keys in parameters, and long random words of a path are replaced.
    """
    text = USER_INFO.sub(lambda found: f"{found['scheme'] or found['other']}{HIDDEN}@", text)
    text = QUERY_KEY.sub(rf"\g<name>{HIDDEN}", text)
    while True:
        shorter = PATH_KEY.sub(rf"\g<before>{HIDDEN}", text)
        if shorter == text:
            return text
        text = shorter


class Redactor:
    """Takes secrets out of texts and of nested values.

    Parameters
    ----------
    secrets : iterable of str
        Known secrets; ``add`` takes more when keys are opened later.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Never show this text again; what is too short to be told from words is not looked for.

        Parameters
        ----------
        secret : str
            Password, token, or a private key in hex; the prefix ``0x`` makes no difference.
        """
        bare = secret.strip().removeprefix("0x")
        if len(bare) >= MIN_SECRET:
            self._secrets.add(bare)
        if HEX_KEY.fullmatch(bare):
            self._secrets |= {bare.lower(), bare.upper()}

    def text(self, text: str) -> str:
        """Return a text without credentials and registered secrets."""
        # The longest first, so that a secret inside another one does not leave half of it.
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        if len(text) <= MAX_TEXT:
            return hide_addresses(text)
        # Cut between words, so that no half of an address is left that could not be told from a harmless one.
        kept = text[:MAX_TEXT].rpartition(" ")[0] or text[: MAX_TEXT // 2].partition("://")[0]
        return f"{hide_addresses(kept)}... ({len(text)} characters)"

    def value(self, value: Any, name: str = "") -> Any:
        """Return a nested value without secrets.

        Parameters
        ----------
        value : Any
            Text, number, mapping or sequence; anything else is shown as its text.
        name : str
            Key that it stands under; a telling one hides everything.

        Returns
        -------
        Any
            Of the same shape.
        """
        if _is_telling(name, value):
            return HIDDEN
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(inner, str(key)) for key, inner in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(inner) for inner in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.text(value if isinstance(value, str) else str(value))


def _is_telling(name: str, value: Any) -> bool:
    """Return whether a name says that its value is a secret, and the value may be one."""
    if value is None or value == "" or isinstance(value, bool) or not TELLING.search(name):
        return False
    return not (isinstance(value, int) and NUMBERED.search(name))
