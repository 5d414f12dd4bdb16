"""From intents to calls, what is posted included: the demo signs its own rounds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from plimsoll.chain.client import Client
from plimsoll.decide import FillIntent, Intent, PostRound, PostSettlement, PostTokenPrices
from plimsoll.demo.keeper.feed import Feed
from plimsoll.deployment.record import Deployment
from plimsoll.keeper.encode import DONE_SETTLEMENT, action_call
from plimsoll.protocol.rounds import RoundPoster
from plimsoll.transact import Transaction


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
            ``None`` when this keeper cannot do it: no key, the feed has no samples, or it is a signed intent, which the
            solver encodes.
        """
        if isinstance(intent, PostRound | PostTokenPrices | PostSettlement):
            return self._post(intent, required)
        if isinstance(intent, FillIntent):
            return None
        return action_call(self.deployment, intent)

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
