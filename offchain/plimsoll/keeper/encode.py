"""From intents to calls: the one place that knows which contract does what."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from plimsoll.chain.client import Client
from plimsoll.constants import WAD
from plimsoll.decide import (
    Bid,
    EndAuction,
    Intent,
    PostRound,
    PostSettlement,
    PostTokenPrices,
    Settle,
    StartAuction,
    TouchAuction,
    UpdateFunding,
    UpdateRate,
    WriteOff,
)
from plimsoll.deployment.record import Deployment
from plimsoll.keeper.feed import Feed
from plimsoll.protocol.rounds import RoundPoster
from plimsoll.transact import Transaction
from plimsoll.units import float_to_wad

# What another keeper's earlier transaction makes of ours.
DONE_SETTLEMENT = frozenset({"Oracle__AlreadySettled"})
DONE_RATE = frozenset({"RateFeed__TooEarly", "RateFeed__NoSource"})
DONE_START = frozenset({"Auction__AlreadyOpen", "Auction__NotLiquidatable"})
DONE_END = frozenset({"Auction__NotOpen"})
DONE_BID = frozenset({"Auction__NotOpen", "Auction__NotLiquidatable"})


@dataclass(frozen=True, slots=True)
class Encoder:
    """Encodes intents for one deployment.

    Parameters
    ----------
    client : Client
        Endpoint.
    deployment : Deployment
        Addresses and ids.
    feed : Feed
        What is posted.
    poster : RoundPoster or None
        Signs what is posted; ``None`` when this keeper holds no signer's key.
    """

    client: Client
    deployment: Deployment
    feed: Feed
    poster: RoundPoster | None

    def encode(self, intent: Intent, required: Mapping[str, Collection[int]]) -> Transaction | None:
        """Encode one intent.

        Parameters
        ----------
        intent : Intent
            What to do.
        required : Mapping[str, Collection[int]]
            Expiries in use, by underlying; a round must hold them.

        Returns
        -------
        Transaction or None
            ``None`` when this keeper cannot do it: no key, or the feed has no samples.
        """
        if isinstance(intent, PostRound | PostTokenPrices | PostSettlement):
            return self._post(intent, required)
        name, function, values, done = self._action(intent)
        contract = self.deployment.contract(self.client, name)
        return Transaction(intent.key, contract.address, contract.encode(function, *values), done)

    def _post(
        self, intent: PostRound | PostTokenPrices | PostSettlement, required: Mapping[str, Collection[int]]
    ) -> Transaction | None:
        """Sign and encode what the oracle takes."""
        if isinstance(intent, PostSettlement):
            return self._settlement(intent)
        if self.poster is None:
            return None
        if isinstance(intent, PostRound):
            data = self.poster.round_call(self.feed.rounds(required)[intent.underlying])
            return Transaction(intent.key, self.poster.address, data)
        quote = self.feed.tokens()
        if quote is None:
            return None
        return Transaction(intent.key, self.poster.address, self.poster.tokens_call(quote.ts, quote.prices))

    def _settlement(self, intent: PostSettlement) -> Transaction:
        """Encode the price of a series: by signed samples, or by the rounds of its window, which needs no key."""
        samples = self.feed.settlement_samples(intent.underlying, intent.expiry_ts)
        if self.poster is not None and samples:
            data = self.poster.settlement_call(intent.underlying, intent.expiry_ts, samples)
            return Transaction(intent.key, self.poster.address, data, DONE_SETTLEMENT)
        oracle, number = self.deployment.contract(self.client, "Oracle"), self.deployment.underlyings[intent.underlying]
        data = oracle.encode("settleFromRounds", number, intent.expiry_ts)
        return Transaction(intent.key, oracle.address, data, DONE_SETTLEMENT)

    def _action(
        self, intent: Settle | UpdateFunding | UpdateRate | StartAuction | TouchAuction | Bid | EndAuction | WriteOff
    ) -> tuple[str, str, tuple[object, ...], frozenset[str]]:
        """Return contract, function, arguments and the errors that mean "done"."""
        if isinstance(intent, Settle):
            underlying_id = self.deployment.underlyings[intent.underlying]
            return "Settlement", "settle", (underlying_id, intent.expiry_ts, list(intent.account_ids)), frozenset()
        if isinstance(intent, UpdateFunding):
            values = (self.deployment.underlyings[intent.underlying],)
            return "PerpMarket", "update", values, frozenset({"Oracle__Stale"})
        if isinstance(intent, UpdateRate):
            return "RateFeed", "update", (self.deployment.tokens[intent.token].token_id,), DONE_RATE
        if isinstance(intent, StartAuction):
            return "Auction", "start", (intent.account_id,), DONE_START
        if isinstance(intent, TouchAuction):
            return "Auction", "touch", (intent.account_id,), DONE_END
        if isinstance(intent, WriteOff):
            return "Auction", "writeOff", (intent.account_id,), frozenset({"Auction__NotPureDebt"})
        if isinstance(intent, EndAuction):
            return "Auction", "end", (intent.account_id,), DONE_END
        limit_wad = max(0, float_to_wad(intent.limit))
        fraction_wad = min(WAD, float_to_wad(intent.fraction))
        bid = (intent.account_id, intent.bidder_id, fraction_wad, intent.is_solvent, limit_wad)
        return "Auction", "bid", bid, DONE_BID
