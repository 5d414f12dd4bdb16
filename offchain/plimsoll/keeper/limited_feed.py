"""Holds a feed to the oracle's speed limit: what is beyond it is posted at it, with less confidence and an alert."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract
from plimsoll.deployment.record import Deployment
from plimsoll.keeper.feed import Feed, TokenQuote
from plimsoll.mirror.speed_limit import SAFETY, VARIANCES, Anchor, Anchors, Breach, Limits, within
from plimsoll.model import Round
from plimsoll.units import wad_to_float

log = structlog.get_logger()


@dataclass(slots=True)
class LimitedFeed:
    """A feed of which the oracle refuses nothing for its speed.

    Parameters
    ----------
    feed : Feed
        What the market says.
    client : Client
        Endpoint; anchors and limits are read from the contract.
    deployment : Deployment
        Names on chain.
    """

    feed: Feed
    client: Client
    deployment: Deployment
    _held: dict[str, tuple[int, Round, Round]] = field(default_factory=dict)

    @property
    def _oracle(self) -> Contract:
        return self.deployment.contract(self.client, "Oracle")

    def rounds(self, required: Mapping[str, Collection[int]]) -> Mapping[str, Round]:
        """Return the feed's rounds, each within the limit of its underlying's anchors.

        Parameters
        ----------
        required : Mapping[str, Collection[int]]
            Expiries in use, by underlying.

        Returns
        -------
        Mapping[str, Round]
            By underlying.
        """
        offered = self.feed.rounds(required)
        return {symbol: self._allowed(symbol, market_round) for symbol, market_round in offered.items()}

    def tokens(self) -> TokenQuote | None:
        """Return the feed's token prices, each within the limit of its anchor."""
        quote = self.feed.tokens()
        if quote is None:
            return None
        limits, oracle = read_limits(self._oracle), self._oracle
        prices = dict(quote.prices)
        for symbol, price in quote.prices.items():
            ts, anchor_wad = oracle.call("tokenAnchorOf", self.deployment.tokens[symbol].token_id)
            moved, reach = math.log(price) - wad_to_float(anchor_wad), limits.reach("tokenPrice", quote.ts - ts)
            if ts and quote.ts > ts and abs(moved) > reach:
                prices[symbol] = math.exp(wad_to_float(anchor_wad) + math.copysign(reach - SAFETY, moved))
                _alert(symbol, (Breach("tokenPrice", 0, moved, reach),))
        return TokenQuote(quote.ts, prices)

    def settlement_samples(self, underlying: str, expiry_ts: int) -> tuple[tuple[int, float], ...]:
        """Return the feed's samples."""
        return self.feed.settlement_samples(underlying, expiry_ts)

    def _allowed(self, symbol: str, market_round: Round) -> Round:
        """Return a round as it may be posted; the same until the feed or the anchors have moved."""
        number = self.deployment.underlyings[symbol]
        anchors = read_anchors(self._oracle, number, [s.expiry_ts for s in market_round.surfaces])
        ts = anchors.head.ts if anchors.head else 0
        if market_round.ts <= ts:
            return market_round
        held = self._held.get(symbol)
        if held is not None and held[:2] == (ts, market_round):
            return held[2]
        allowed, found = within(anchors, market_round, read_limits(self._oracle), held[2] if held else None)
        _alert(symbol, found)
        self._held[symbol] = (ts, market_round, allowed)
        return allowed


def read_limits(oracle: Contract) -> Limits:
    """Read the limits of an oracle."""
    move, variance_move = (wad_to_float(oracle.call(name)) for name in ("maxMoveWad", "maxVarianceMoveWad"))
    return Limits(move, variance_move, int(oracle.call("heartbeatSec")))


def read_anchors(oracle: Contract, underlying_id: int, expiries: Collection[int]) -> Anchors:
    """Read the anchors of an underlying and of some of its expiries.

    Parameters
    ----------
    oracle : Contract
    underlying_id : int
        Id on chain.
    expiries : Collection[int]
        Those wanted.

    Returns
    -------
    Anchors
        Without those of expiries that were never listed.
    """
    ts, spot, perp, surfaces = oracle.call("anchorsOf", underlying_id, list(expiries))
    if not ts:
        return Anchors()
    listed = {expiry: _anchor(found) for expiry, found in zip(expiries, surfaces, strict=True) if found.ts}
    return Anchors(Anchor(ts, {"spot": wad_to_float(spot), "perp": wad_to_float(perp)}), listed)


def _anchor(found: Any) -> Anchor:
    values = (found.centreLnWad, found.upperLnWad, found.lowerLnWad)
    logs = {"forward": wad_to_float(found.forwardLnWad), "discount": wad_to_float(found.discountLnWad)}
    return Anchor(found.ts, logs | dict(zip(VARIANCES, map(wad_to_float, values), strict=True)))


def _alert(symbol: str, found: Collection[Breach]) -> None:
    for breach in found:
        log.warning(
            "beyond the speed limit",
            symbol=symbol,
            field=breach.name,
            expiry_ts=breach.expiry_ts,
            observed=breach.observed,
            limit=breach.limit,
        )
