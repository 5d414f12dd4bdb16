"""Reader of ``plimsoll.market/1`` files."""

from __future__ import annotations

import math
from pathlib import Path

from offchain.files.reader import Node, read_document
from offchain.model import Market, Round, Surface, Svi, Token

MAX_EXPIRIES = 12
MAX_PRICE = 1e12  #: cash; the strike of an option must also fit 72 bits of 1e-8
MIN_PRICE = 1e-18  #: one wad
MAX_TOTAL_VARIANCE = 1e3
MAX_STRIKES = 1_000
MAX_VOL = 10.0
MAX_HORIZON_SEC = 10 * 365 * 86_400
#: Rounding of a double: a slice that touches zero variance exactly is inside the domain.
_VARIANCE_SLACK = 2e-18


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
    minimum = svi.a + svi.b * svi.sigma * math.sqrt(1.0 - svi.rho**2)
    if minimum < -_VARIANCE_SLACK:
        node.fail(f"the smallest total variance a + b*sigma*sqrt(1-rho^2) is {minimum:g}, it must be at least 0")
    wing = svi.b * (1.0 + abs(svi.rho))
    if wing > 2.0:
        node.fail(f"the wing slope b*(1+|rho|) is {wing:g}, the limit is 2")
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
        item.object({"expiry", "forward", "rate", "svi"}, {"vols"})
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
                rate=item.key("rate").number(-9.0, 9.0),
                svi=_svi(item.key("svi")),
                vols=_vols(item.key("vols")) if item.has("vols") else (),
            )
        )
    return tuple(surfaces)


def _round(name: str, node: Node, ts: int) -> Round:
    node.object({"spot", "perp", "confidence", "expiries"})
    return Round(
        underlying=name,
        ts=ts,
        spot=node.key("spot").number(MIN_PRICE, MAX_PRICE),
        perp=node.key("perp").number(MIN_PRICE, MAX_PRICE),
        confidence=node.key("confidence").number(0.0, 1.0),
        surfaces=_surfaces(node.key("expiries"), ts),
    )


def _token(symbol: str, node: Node, underlyings: set[str]) -> Token:
    required = {"price"} if symbol == "USDC" else {"price", "haircut"}
    node.object(required, {"haircut", "linked", "linkedHaircut", "ratio"})
    price = node.key("price").number(MIN_PRICE, MAX_PRICE)
    haircut = node.key("haircut").number(0.0, 1.0) if node.has("haircut") else 0.0
    if not node.has("linked"):
        for key in ("linkedHaircut", "ratio"):
            if node.has(key):
                node.key(key).fail("needs the key 'linked' beside it")
        return Token(symbol, price, haircut)
    linked = node.key("linked").text()
    if linked not in underlyings:
        node.key("linked").fail(f"{linked!r} is not an underlying of this file")
    if not node.has("linkedHaircut"):
        node.fail("missing key 'linkedHaircut'")
    ratio = node.key("ratio").number(0.0, 1e6, open_low=True) if node.has("ratio") else 1.0
    return Token(symbol, price, haircut, linked, node.key("linkedHaircut").number(0.0, 1.0), ratio)


def load_market(path: Path) -> Market:
    """Read and check a market file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Market

    Raises
    ------
    InputError
        Naming the file, the key, what is wrong and the limit.
    """
    root = read_document(path, "plimsoll.market/1")
    root.object({"schema", "timestamp", "tokens", "underlyings"})
    ts = root.key("timestamp").timestamp(1)
    rounds = {name: _round(name, node, ts) for name, node in root.key("underlyings").members()}
    if not rounds:
        root.key("underlyings").fail("is empty")
    if len(rounds) > 255:
        root.key("underlyings").fail(f"{len(rounds)} underlyings, the limit is 255")
    tokens = {name: _token(name, node, set(rounds)) for name, node in root.key("tokens").members()}
    if "USDC" not in tokens:
        root.key("tokens").fail("missing key 'USDC': its price decides the peg charge")
    if len(tokens) > 64:
        root.key("tokens").fail(f"{len(tokens)} tokens, the limit is 64")
    return Market(ts, tokens, rounds)
