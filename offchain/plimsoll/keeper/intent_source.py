"""Where signed intents come from: a file that is read anew each time, or the address of a service."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from plimsoll.errors import UnavailableError
from plimsoll.feeds.web import Web, json_of

FILE: Final = "file:"
#: A document with more bytes was put there by mistake, or by somebody else.
MAX_BYTES: Final = 4 * 1024 * 1024


class IntentSource:
    """Reads a document of signed intents.

    Parameters
    ----------
    word : str
        ``file:PATH``, or an http address.
    """

    def __init__(self, word: str) -> None:
        self._path = Path(word.removeprefix(FILE)) if word.startswith(FILE) else None
        self._web = None if self._path is not None else Web(word)
        self.name = str(self._path) if self._web is None else self._web.name

    async def text(self) -> str:
        """Return the document.

        Returns
        -------
        str
            JSON, not yet checked.

        Raises
        ------
        UnavailableError
            When there is none to be had.
        """
        if self._web is not None:
            return await self._web.get("", {}, self._answer, "the document of intents")
        return await asyncio.to_thread(self._file)

    async def close(self) -> None:
        """Close connections."""
        if self._web is not None:
            await self._web.close()

    def _answer(self, status: int, body: bytes) -> str:
        """Read an answer as JSON, so that one that is none is asked for again."""
        json_of(self.name, status, body)
        return body.decode("utf-8")

    def _file(self) -> str:
        path = self._path or Path()
        try:
            if path.stat().st_size > MAX_BYTES:
                raise UnavailableError(self.name, f"is larger than {MAX_BYTES} bytes")
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as reason:
            raise UnavailableError(self.name, f"cannot be read ({reason})") from None
