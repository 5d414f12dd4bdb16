"""From the words of an option or a configuration to an open source."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

from plimsoll.errors import InputError
from plimsoll.feeds.file_source import open_file
from plimsoll.feeds.http_source import HttpSource
from plimsoll.feeds.median import CAP, FirstSource, MedianSource
from plimsoll.feeds.reading import NoSource, Reading, Source
from plimsoll.feeds.tickers import EXCHANGES, TickerSource

DERIBIT: Final = "deribit"
NONE: Final = "none"


def open_source(
    specs: Sequence[str],
    underlyings: Collection[str],
    tokens: Collection[str],
    clock: Callable[[], float] = time.time,
    *,
    least: int = 0,
    cap: float = CAP,
    is_median: bool = True,
) -> Source:
    """Open what ``--feed`` names; several are joined by their median.

    Parameters
    ----------
    specs : Sequence[str]
        Each of: ``none``; ``deribit``; an exchange of :data:`~plimsoll.feeds.tickers.EXCHANGES` (spot and cash tokens
        alone); ``file:PATH`` with ``?start=now``, ``?start=UNIX`` and ``&cash=PRICE`` as options; the address of a
        ``plimsoll.feed/1`` document.
    underlyings, tokens : Collection[str]
        Symbols of the deployment.
    clock : Callable[[], float]
        Time that a file is replayed by, unix seconds; the chain's where a local chain keeps its own.
    least : int
        Sources that must agree on a number; 0 for a majority.
    cap : float
        A source further than this from the median, as a logarithm, is never believed.
    is_median : bool
        Join several by their median; otherwise each says only what those before it do not.

    Returns
    -------
    Source

    Raises
    ------
    InputError
        When a word is none of these, or a file is wrong.
    """
    opened = [_one(spec, underlyings, tokens, clock) for spec in specs if spec != NONE]
    if not opened:
        return NoSource()
    if len(opened) == 1:
        return opened[0]
    return MedianSource(opened, least, cap=cap) if is_median else FirstSource(opened)


async def read_once(source: Source) -> Reading:
    """Read a source once and let go of it."""
    try:
        return await source.read({})
    finally:
        await source.close()


def wraps_of(
    words: Collection[str], tokens: Collection[str], underlyings: Collection[str], source: str = "--wraps"
) -> dict[str, str]:
    """Read which token is a claim on which underlying.

    Parameters
    ----------
    words : Collection[str]
        Each ``TOKEN=UNDERLYING``.
    tokens, underlyings : Collection[str]
        Symbols of the deployment.
    source : str
        Where the words stand, for messages.

    Returns
    -------
    dict of str to str

    Raises
    ------
    InputError
        When a word is none of this form, or a symbol is not listed.
    """
    found = {}
    for word in words:
        token, _, underlying = word.partition("=")
        if token not in tokens or underlying not in underlyings:
            raise InputError(source, f"{word!r} is not TOKEN=UNDERLYING of what the deployment lists")
        found[token] = underlying
    return found


def _one(spec: str, underlyings: Collection[str], tokens: Collection[str], clock: Callable[[], float]) -> Source:
    if spec.startswith(("http://", "https://")):
        return HttpSource(spec)
    if spec.startswith("file:"):
        return _file(spec.removeprefix("file:"), clock)
    if spec == DERIBIT:
        # Its fits need scipy, which the other sources do without.
        from plimsoll.feeds.deribit_source import DeribitSource

        return DeribitSource(underlyings)
    if spec in EXCHANGES:
        return TickerSource(EXCHANGES[spec], underlyings, tokens)
    known = ", ".join((NONE, DERIBIT, *sorted(EXCHANGES), "file:PATH", "http://…", "https://…"))
    raise InputError("--feed", f"{spec!r} is none of {known}")


def _file(words: str, clock: Callable[[], float]) -> Source:
    """Open ``PATH?start=…&cash=…``."""
    path, _, query = words.partition("?")
    options = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
    unknown = set(options) - {"start", "cash"}
    if not path or unknown:
        raise InputError("--feed", f"file:{words} has no path" if not path else f"unknown option {min(unknown)!r}")
    start, cash = options.get("start"), options.get("cash", "1")
    try:
        start_ts = None if start is None else int(clock()) if start == "now" else int(start)
        price = float(cash)
    except ValueError as error:
        raise InputError("--feed", f"file:{words}: start is 'now' or unix seconds, cash a price ({error})") from None
    if not 0.0 < price < float("inf"):
        raise InputError("--feed", f"file:{words}: cash is {price:g}, it must be above 0")
    return open_file(Path(path), clock, start_ts=start_ts, cash_price=price)
