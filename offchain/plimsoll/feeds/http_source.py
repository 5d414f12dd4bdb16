"""Rounds and prices from a service that serves a ``plimsoll.feed/1`` document (``--feed http://…``)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from plimsoll.errors import InputError
from plimsoll.feeds.document import reading_of, samples_of
from plimsoll.feeds.reading import Reading, Sample, SourceError
from plimsoll.feeds.web import Web, json_of


class HttpSource:
    """A JSON document at an address; who serves it decides what is in it.

    Parameters
    ----------
    url : str
        Address of the document.
    web : Web, optional
        How it is asked; the defaults of :class:`Web` when absent.
    """

    def __init__(self, url: str, web: Web | None = None) -> None:
        self._web = web or Web(url)
        self.name = self._web.name
        self._covered: set[str] | None = None

    async def read(self, required: Mapping[str, Collection[int]]) -> Reading:
        """Return the document's entries that are right."""
        asked = {f"required_{symbol}": ",".join(map(str, sorted(found))) for symbol, found in required.items() if found}
        document = await self._document(asked)
        try:
            found = reading_of(document, self.name)
        except InputError as error:
            raise SourceError(self.name, error.message) from error
        self._covered = {*(self._covered or ()), *found.underlyings(), *found.tokens}
        return found

    async def samples(self, underlying: str, expiry_ts: int) -> tuple[Sample, ...]:
        """Return the samples that the document has of an expiry."""
        document = await self._document({"underlying": underlying, "expiry": str(expiry_ts)})
        try:
            return samples_of(document, self.name, underlying, expiry_ts)
        except InputError as error:
            raise SourceError(self.name, error.message) from error

    def covers(self, symbol: str) -> bool:
        """Return whether the document ever priced a symbol; until there was one it may price anything.

        A service that has been silent since the start counts as silent about everything, or those that answer would be
        a majority among themselves.
        """
        return self._covered is None or symbol in self._covered

    async def close(self) -> None:
        """Close connections."""
        await self._web.close()

    async def _document(self, params: Mapping[str, str]) -> Any:
        return await self._web.get("", params, partial(json_of, self.name), "the document")
