"""The market as the contracts hold it: latest rounds, token prices and the terms of collateral, read through views."""

from __future__ import annotations

from contextlib import suppress
from types import SimpleNamespace
from typing import Any

from plimsoll.chain.client import Client
from plimsoll.chain.revert import RevertError
from plimsoll.deployment.record import Deployment
from plimsoll.errors import UnavailableError
from plimsoll.model import Market, PriceRange, Round, Surface, Svi, Token
from plimsoll.units import wad_to_float


def round_from(symbol: str, head: Any, surfaces: list[SimpleNamespace]) -> Round:
    """Return a round in cash units.

    Parameters
    ----------
    symbol : str
        Of the underlying.
    head : Any
        With the fields of ``IOracle.Header``.
    surfaces : list of SimpleNamespace
        With the fields of ``IOracle.Surface``.

    Returns
    -------
    Round
    """
    slices = tuple(
        Surface(
            s.expiryTs,
            wad_to_float(s.forwardWad),
            wad_to_float(s.rateWad),
            Svi(*(wad_to_float(value) for value in (s.aWad, s.bWad, s.rhoWad, s.mWad, s.sWad))),
        )
        for s in surfaces
    )
    spot, perp, confidence = map(wad_to_float, (head.spotWad, head.perpWad, head.confWad))
    mean = wad_to_float(head.meanWad) if head.meanWad else None
    return Round(symbol, head.ts, spot, perp, confidence, slices, mean)


def read_market(client: Client, deployment: Deployment) -> Market:
    """Read the market that margins are computed in.

    Parameters
    ----------
    client : Client
        Endpoint.
    deployment : Deployment
        Artefact.

    Returns
    -------
    Market
        At the time of the newest round; without the tokens whose worth only their source knows.

    Raises
    ------
    UnavailableError
        When an underlying has no round, or one older than the heartbeat, or an unlinked token never had a price.

    References
    ----------
    .. [1] contracts/feeds/Oracle.sol, ``roundFor``.
    """
    rounds = {symbol: _round(client, deployment, symbol) for symbol in deployment.underlyings}
    tokens = {symbol: _token(client, deployment, symbol) for symbol in deployment.tokens}
    known = {symbol: token for symbol, token in tokens.items() if token is not None}
    return Market(max(found.ts for found in rounds.values()), known, rounds)


def _round(client: Client, deployment: Deployment, symbol: str) -> Round:
    oracle, number = deployment.contract(client, "Oracle"), deployment.underlyings[symbol]
    try:
        head, surfaces = oracle.call("roundFor", number, oracle.call("expiriesOf", number))
    except RevertError as reverted:
        raise UnavailableError(f"round of {symbol}", reverted.message) from reverted
    return round_from(symbol, head, surfaces)


def span_of(deployment: Deployment, symbol: str) -> PriceRange:
    """Return the prices between which a token's liquidity lies; its source holds them fixed.

    Parameters
    ----------
    deployment : Deployment
    symbol : str

    Returns
    -------
    PriceRange

    Raises
    ------
    UnavailableError
        When the record has none: the token is worth what a source says that the mirror does not know.
    """
    terms = deployment.parameters.get("collateral", {}).get(symbol, {})
    if not terms.get("upper"):
        raise UnavailableError(f"worth of {symbol}", "has a source that the mirror does not know")
    return PriceRange(terms["lower"], terms["upper"])


def _token(client: Client, deployment: Deployment, symbol: str) -> Token | None:
    """Return one token on the terms that the book has now, at its last price unless a round prices it.

    One whose source the mirror does not know is none: whoever holds it is left to the chain.
    """
    token_id = deployment.tokens[symbol].token_id
    terms = deployment.contract(client, "ScenarioBook").call("collateralOf", token_id)
    linked = {number: name for name, number in deployment.underlyings.items()}.get(terms.linkedUnderlying)
    haircut, linked_haircut = wad_to_float(terms.haircutWad), wad_to_float(terms.linkedHaircutWad)
    if linked is not None and not terms.ratioWad:
        with suppress(UnavailableError):
            return Token(symbol, None, haircut, linked, linked_haircut, span=span_of(deployment, symbol))
        return None
    if linked is not None:
        return Token(symbol, None, haircut, linked, linked_haircut, wad_to_float(terms.ratioWad))
    price_wad, ts = deployment.contract(client, "Oracle").call("lastTokenPriceOf", token_id)
    if not ts:
        raise UnavailableError(f"price of {symbol}", "has never been posted")
    return Token(symbol, wad_to_float(price_wad), haircut)
