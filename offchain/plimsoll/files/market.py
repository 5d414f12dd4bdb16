"""Reader of ``plimsoll.market/1`` files, and of tables of expiries."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plimsoll.constants import YEAR_SEC
from plimsoll.errors import DomainError
from plimsoll.files.reader import Node, Source, read_document
from plimsoll.files.tables import NAME, market_document, refuse_beside_file
from plimsoll.frames import Table
from plimsoll.mirror.settlement_window import WINDOW_SEC
from plimsoll.model import (
    MAX_EXPIRIES,
    MAX_PRICE,
    MAX_RANGE_PRICE,
    MAX_RATE,
    MAX_RATIO,
    MIN_PRICE,
    Market,
    PriceRange,
    Round,
    Surface,
    Svi,
    Token,
)

MAX_TOTAL_VARIANCE = 1e3
MAX_WING = 2.0  #: Lee: a steeper one is an arbitrage
MAX_STRIKES = 1_000
MAX_VOL = 10.0
MAX_HORIZON_SEC = 10 * YEAR_SEC


def _svi(node: Node) -> Svi:
    """Slice inside the no-arbitrage domain of risk-model section 1."""
    node.object({"a", "b", "rho", "m", "sigma"})
    svi = Svi(
        a=node.key("a").number(-MAX_TOTAL_VARIANCE, MAX_TOTAL_VARIANCE),
        b=node.key("b").number(0.0, 2.0),
        rho=node.key("rho").number(-1.0, 1.0, open_low=True, open_high=True),
        m=node.key("m").number(-9.0, 9.0),
        sigma=node.key("sigma").number(0.0, 9.0, open_low=True),
    )
    try:
        svi.check(node.source)
    except DomainError as error:
        node.fail(error.message)
    wing = svi.b * (1.0 + abs(svi.rho))
    if wing > MAX_WING:
        node.fail(f"the wing slope b*(1+|rho|) is {wing:g}, the limit is {MAX_WING:g}")
    return svi


def _vols(node: Node) -> tuple[tuple[float, float], ...]:
    """Explicit volatilities, each strike once."""
    found: dict[float, float] = {}
    for item in node.items(MAX_STRIKES):
        item.object({"strike", "vol"})
        strike = item.key("strike").number(0.0, MAX_PRICE, open_low=True)
        if strike in found:
            item.key("strike").fail(f"{strike:g} appears twice")
        found[strike] = item.key("vol").number(0.0, MAX_VOL, open_low=True)
    return tuple(found.items())


def _surfaces(node: Node, ts: int) -> tuple[Surface, ...]:
    surfaces: list[Surface] = []
    for item in node.items(MAX_EXPIRIES):
        item.object({"expiry", "forward", "rate", "svi"}, {"vols", "confidence"})
        expiry = item.key("expiry").timestamp()
        if expiry < ts:
            item.key("expiry").fail(f"{expiry} is before the market's timestamp {ts}: expired")
        if expiry > ts + MAX_HORIZON_SEC:
            item.key("expiry").fail(f"{expiry} is more than 10 years after the market's timestamp {ts}")
        if surfaces and expiry <= surfaces[-1].expiry_ts:
            item.key("expiry").fail(f"{expiry} does not come after {surfaces[-1].expiry_ts}")
        surfaces.append(
            Surface(
                expiry_ts=expiry,
                forward=item.key("forward").number(MIN_PRICE, MAX_PRICE),
                rate=item.key("rate").number(-MAX_RATE, MAX_RATE),
                svi=_svi(item.key("svi")),
                vols=_vols(item.key("vols")) if item.has("vols") else (),
                confidence=_confidence(item, "confidence"),
            )
        )
    return tuple(surfaces)


def _mean(node: Node, surfaces: tuple[Surface, ...], ts: int) -> float | None:
    """Mean of spot since the settlement window of the first expiry opened; there is none outside a window."""
    near = [surface.expiry_ts for surface in surfaces if surface.expiry_ts - ts < WINDOW_SEC]
    if len(near) > 1:
        node.key("expiries").fail(f"{near[0]} and {near[1]} are both in a settlement window; a round has one mean")
    if node.has("settlementMean"):
        child = node.key("settlementMean")
        if not near:
            child.fail(f"no expiry is within {WINDOW_SEC} s, so no settlement window is open")
        return child.number(MIN_PRICE, MAX_PRICE)
    if near:
        node.fail(f"missing key 'settlementMean': expiry {near[0]} is within {WINDOW_SEC} s")
    return None


def _round(name: str, node: Node, ts: int) -> Round:
    node.object({"spot", "perp", "confidence", "expiries"}, {"settlementMean", "perpConfidence"})
    surfaces = _surfaces(node.key("expiries"), ts)
    return Round(
        underlying=name,
        ts=ts,
        spot=node.key("spot").number(MIN_PRICE, MAX_PRICE),
        perp=node.key("perp").number(MIN_PRICE, MAX_PRICE),
        confidence=node.key("confidence").number(0.0, 1.0),
        surfaces=surfaces,
        mean=_mean(node, surfaces, ts),
        perp_confidence=_confidence(node, "perpConfidence"),
    )


def _confidence(node: Node, key: str) -> float:
    """Confidence that only margin models of other venues read; 1 where the file states none."""
    return node.key(key).number(0.0, 1.0) if node.has(key) else 1.0


def _token(symbol: str, node: Node, underlyings: set[str]) -> Token:
    known = {"price", "haircut", "linked", "linkedHaircut", "ratio", "range", "confidence"}
    node.object(set() if symbol == "USDC" else {"haircut"}, known)
    confidence = _confidence(node, "confidence")
    haircut = node.key("haircut").number(0.0, 1.0) if node.has("haircut") else 0.0
    if not node.has("linked"):
        for key in ("linkedHaircut", "ratio", "range"):
            if node.has(key):
                node.key(key).fail("needs the key 'linked' beside it")
        if not node.has("price"):
            node.fail("missing key 'price'")
        return Token(symbol, node.key("price").number(MIN_PRICE, MAX_PRICE), haircut, confidence=confidence)
    return _linked_token(symbol, node, underlyings, haircut, confidence)


def _linked_token(symbol: str, node: Node, underlyings: set[str], haircut: float, confidence: float) -> Token:
    linked = node.key("linked").text()
    if symbol == "USDC":
        node.key("linked").fail("the cash token is linked to no underlying")
    if node.has("price"):
        node.key("price").fail(f"a token linked to {linked} has no price of its own, it is worth spot*ratio")
    if linked not in underlyings:
        node.key("linked").fail(f"{linked!r} is not an underlying of this file")
    if not node.has("linkedHaircut"):
        node.fail("missing key 'linkedHaircut'")
    linked_haircut = node.key("linkedHaircut").number(0.0, 1.0)
    if node.has("range") and node.has("ratio"):
        node.key("ratio").fail("liquidity of a range has no ratio, its worth is no share of the underlying")
    ratio = node.key("ratio").number(0.0, MAX_RATIO, open_low=True) if node.has("ratio") else 1.0
    span = _span(node.key("range")) if node.has("range") else None
    return Token(symbol, None, haircut, linked, linked_haircut, ratio, confidence, span)


def _span(node: Node) -> PriceRange:
    """Prices between which a token's liquidity lies."""
    node.object({"lower", "upper"})
    lower = node.key("lower").number(0.0, MAX_RANGE_PRICE, open_low=True)
    return PriceRange(lower, node.key("upper").number(lower, MAX_RANGE_PRICE, open_low=True))


def load_market(source: Source | Table, *, tokens: Mapping[str, Mapping[str, Any]] | None = None) -> Market:
    """Read and check a market: a file, its content or a table of expiries.

    Parameters
    ----------
    source : str or Path or mapping or DataFrame
        File, its content, or a pandas, polars or Arrow table with one row per expiry: ``timestamp``, ``underlying``,
        ``spot``, ``perp``, ``confidence``, ``expiry``, ``forward``, ``rate``, ``a``, ``b``, ``rho``, ``m``, ``sigma``.
    tokens : mapping of str to mapping, optional
        With a table: entries of the key ``tokens`` of the file. Default: the cash token at par, and no other.

    Returns
    -------
    Market

    Raises
    ------
    InputError
        Naming the file, the key, what is wrong and the limit.

    Examples
    --------
    >>> market = load_market("examples/market.json")
    >>> market.rounds["ETH"].spot
    1900.0
    """
    if not isinstance(source, str | Path | Mapping):
        root = read_document(market_document(source, tokens), "plimsoll.market/1", name=NAME)
    else:
        refuse_beside_file(tokens=tokens)
        root = read_document(source, "plimsoll.market/1")
    root.object({"schema", "timestamp", "tokens", "underlyings"})
    ts = root.key("timestamp").timestamp(1)
    rounds = {name: _round(name, node, ts) for name, node in root.key("underlyings").members()}
    if not rounds:
        root.key("underlyings").fail("is empty")
    if len(rounds) > 255:
        root.key("underlyings").fail(f"{len(rounds)} underlyings, the limit is 255")
    listed = {name: _token(name, node, set(rounds)) for name, node in root.key("tokens").members()}
    if "USDC" not in listed:
        root.key("tokens").fail("missing key 'USDC': its price decides the peg charge")
    if len(listed) > 64:
        root.key("tokens").fail(f"{len(listed)} tokens, the limit is 64")
    return Market(ts, listed, rounds)
