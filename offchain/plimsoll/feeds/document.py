"""The ``plimsoll.feed/1`` document: rounds, spots, token prices and samples as JSON, read entry by entry.

A document is data of somebody else's service: an entry that is wrong is left out with its reason, and the others stand.
Only a document that is no object of this schema is refused as a whole. A ``plimsoll.market/1`` file is read as well,
where all entries have the time of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeVar

from plimsoll.constants import MAX_SAMPLES
from plimsoll.errors import InputError
from plimsoll.feeds.reading import Price, Problem, Reading, Sample
from plimsoll.files.reader import Node
from plimsoll.model import MAX_EXPIRIES, MAX_PRICE, MAX_RATE, MAX_TS, MIN_PRICE, Round, Surface, Svi

SCHEMA: Final = "plimsoll.feed/1"
MARKET_SCHEMA: Final = "plimsoll.market/1"
MAX_ENTRIES: Final = 255
MAX_LISTED: Final = 100
"""Expiries of one underlying in a document; a round takes the first twelve."""

Value = TypeVar("Value")


class _Reader:
    """Reads a document and keeps what is wrong with it."""

    def __init__(self, source: str, document: Any) -> None:
        self.source = source
        self.root = Node(source, "", document)
        self.problems: list[Problem] = []

    def attempt(self, subject: str, read: Callable[[], Value]) -> Value | None:
        """Return what is read, or nothing and a problem."""
        try:
            return read()
        except InputError as error:
            self.problems.append(Problem(self.source, subject, error.message))
            return None

    def members(self, key: str) -> list[tuple[str, Node]]:
        """Return the entries of a key; none when the key is absent or no object."""
        if not self.root.has(key):
            return []
        node = self.root.key(key)
        if not isinstance(node.value, Mapping):
            self.problems.append(Problem(self.source, key, "expected an object"))
            return []
        return [(name, node.key(name)) for name in list(node.value)[:MAX_ENTRIES]]


def _ts(node: Node, fallback: int | None) -> int:
    """Return the time of an entry, its own before that of the document."""
    if node.has("timestamp"):
        return node.key("timestamp").timestamp(1)
    if fallback is None:
        node.fail("missing key 'timestamp', and the document has none")
    return fallback


def _surface(node: Node) -> Surface:
    """Read one expiry; numbers outside the domain of a surface are refused by the noun itself."""
    node.object({"expiry", "forward", "rate", "svi"}, {"vols"})
    svi = node.key("svi").object({"a", "b", "rho", "m", "sigma"})
    return Surface(
        node.key("expiry").timestamp(1),
        node.key("forward").number(MIN_PRICE, MAX_PRICE),
        node.key("rate").number(-MAX_RATE, MAX_RATE),
        Svi(*(svi.key(name).number() for name in ("a", "b", "rho", "m", "sigma"))),
    )


def _surfaces(reader: _Reader, name: str, node: Node, ts: int) -> tuple[Surface, ...]:
    """Read the expiries of a round; one that is wrong, expired or there twice is left out."""
    found: dict[int, Surface] = {}
    for item in node.items(MAX_LISTED):
        surface = reader.attempt(f"{name} {item.path}", partial(_surface, item))
        if surface is None or surface.expiry_ts <= ts:
            continue
        if surface.expiry_ts in found:
            reader.problems.append(Problem(reader.source, name, f"expiry {surface.expiry_ts} appears twice"))
            continue
        found[surface.expiry_ts] = surface
    return tuple(found[expiry] for expiry in sorted(found)[:MAX_EXPIRIES])


def _round(reader: _Reader, name: str, node: Node, ts: int | None) -> Round:
    node.object({"spot", "perp", "confidence", "expiries"}, {"timestamp", "settlementMean"})
    at = _ts(node, ts)
    mean = node.key("settlementMean").number(MIN_PRICE, MAX_PRICE) if node.has("settlementMean") else None
    return Round(
        underlying=name,
        ts=at,
        spot=node.key("spot").number(MIN_PRICE, MAX_PRICE),
        perp=node.key("perp").number(MIN_PRICE, MAX_PRICE),
        confidence=node.key("confidence").number(0.0, 1.0),
        surfaces=_surfaces(reader, name, node.key("expiries"), at),
        mean=mean,
    )


def _price(node: Node, ts: int | None) -> Price:
    node.object({"price"}, {"timestamp", "haircut"})
    return Price(_ts(node, ts), node.key("price").number(MIN_PRICE, MAX_PRICE))


def _entries(reader: _Reader, key: str, read: Callable[[str, Node], Value | None]) -> dict[str, Value]:
    """Read every entry of a key that can be read."""
    found = {}
    for name, node in reader.members(key):
        value = reader.attempt(name, partial(read, name, node))
        if value is not None:
            found[name] = value
    return found


def reading_of(document: Any, source: str) -> Reading:
    """Read a document.

    Parameters
    ----------
    document : object
        Parsed JSON: ``schema``, ``timestamp``, and any of ``underlyings``, ``spots`` and ``tokens``.
    source : str
        Named in problems.

    Returns
    -------
    Reading
        Of the entries that are right. In a market file a token linked to an underlying has no price, and none is read.

    Raises
    ------
    InputError
        When the document is no object, or of another schema.
    """
    reader = _Reader(source, document)
    root = reader.root
    if not isinstance(document, Mapping) or document.get("schema") not in (SCHEMA, MARKET_SCHEMA):
        root.fail(f"expected an object whose schema is {SCHEMA!r} or {MARKET_SCHEMA!r}")
    ts = reader.attempt("timestamp", lambda: root.key("timestamp").timestamp(1)) if root.has("timestamp") else None
    rounds = _entries(reader, "underlyings", lambda name, node: _round(reader, name, node, ts))
    spots = _entries(reader, "spots", lambda _, node: _price(node, ts))
    priced = _entries(reader, "tokens", lambda _, node: None if _is_linked(node) else _price(node, ts))
    return Reading(rounds, spots, priced, problems=tuple(reader.problems))


def _is_linked(node: Node) -> bool:
    """Whether a token of a market file is worth a multiple of its underlying's spot, and has no price of its own."""
    return isinstance(node.value, Mapping) and node.has("linked")


def samples_of(document: Any, source: str, underlying: str, expiry_ts: int) -> tuple[Sample, ...]:
    """Read the settlement samples of one expiry, ``samples.<underlying>.<expiry>`` = ``[[time, price], ...]``.

    Parameters
    ----------
    document : object
        Parsed JSON.
    source : str
        Named in errors.
    underlying : str
        Symbol.
    expiry_ts : int
        Unix seconds.

    Returns
    -------
    tuple[Sample, ...]
        Increasing; empty when the document has none of this expiry.

    Raises
    ------
    InputError
        When they are there and are no such list.
    """
    node = Node(source, "", document)
    for key in ("samples", underlying, str(expiry_ts)):
        if not isinstance(node.value, Mapping) or not node.has(key):
            return ()
        node = node.key(key)
    found: dict[int, float] = {}
    for item in node.items(MAX_SAMPLES):
        pair = item.items(2)
        if len(pair) != 2:
            item.fail("expected [time, price]")
        found[pair[0].timestamp(1)] = pair[1].number(MIN_PRICE, MAX_PRICE)
    return tuple(sorted(found.items()))


def document_of(
    reading: Reading, ts: int, samples: Mapping[str, Mapping[int, tuple[Sample, ...]]] | None = None
) -> dict[str, Any]:
    """Return a reading as a document, for a service that serves one.

    Parameters
    ----------
    reading : Reading
        Problems are not part of a document.
    ts : int
        Time of the document, unix seconds.
    samples : Mapping, optional
        Settlement samples by underlying and expiry.

    Returns
    -------
    dict
        ``plimsoll.feed/1``.
    """
    if not 1 <= ts <= MAX_TS:
        raise InputError("feed document", f"{ts} is no time in unix seconds up to {MAX_TS}")
    return {
        "schema": SCHEMA,
        "timestamp": ts,
        "underlyings": {name: _round_entry(found) for name, found in reading.rounds.items()},
        "spots": {name: _price_entry(price) for name, price in reading.spots.items()},
        "tokens": {name: _price_entry(price) for name, price in reading.tokens.items()},
        "samples": {
            name: {str(expiry): [list(sample) for sample in found] for expiry, found in series.items()}
            for name, series in (samples or {}).items()
        },
    }


def _price_entry(price: Price) -> dict[str, Any]:
    return {"timestamp": price.ts, "price": price.value}


def _round_entry(found: Round) -> dict[str, Any]:
    mean = {} if found.mean is None else {"settlementMean": found.mean}
    expiries = [
        {
            "expiry": s.expiry_ts,
            "forward": s.forward,
            "rate": s.rate,
            "svi": {"a": s.svi.a, "b": s.svi.b, "rho": s.svi.rho, "m": s.svi.m, "sigma": s.svi.sigma},
        }
        for s in found.surfaces
    ]
    head = {"timestamp": found.ts, "spot": found.spot, "perp": found.perp, "confidence": found.confidence}
    return {**head, **mean, "expiries": expiries}
