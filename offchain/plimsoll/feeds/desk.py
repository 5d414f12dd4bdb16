"""The oracle poster: from a source to signed calls, each underlying for itself.

Whatever fails - a source, an expiry, a signer, the chain's answer about one underlying - is a problem that is named,
and the rest goes on. Nothing here sends: the keeper's transactor does, and a later post of a group replaces an earlier
one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from plimsoll.feeds.memory import Memory
from plimsoll.feeds.messages import Message, Messages
from plimsoll.feeds.offers import Look, Offers, without
from plimsoll.feeds.oracle_view import OracleView
from plimsoll.feeds.post import Pass, Post, guarded
from plimsoll.feeds.posting import PostingRule, Why
from plimsoll.feeds.reading import Problem, Source
from plimsoll.feeds.round_checks import MAX_AGE_SEC
from plimsoll.feeds.samples import SampleStore
from plimsoll.feeds.settlement_desk import SettlementDesk
from plimsoll.feeds.signer_client import Answer, Collected, Quorum
from plimsoll.feeds.tokens import TokenQuote
from plimsoll.feeds.window_samples import TIMEOUT_SEC, WindowSamples
from plimsoll.model import Round


@dataclass(slots=True)
class FeedDesk:
    """The feeds of one deployment.

    Parameters
    ----------
    source : Source
        What the market says.
    view : OracleView
        What the chain says.
    messages : Messages
        Of the oracle.
    quorum : Quorum
        Who signs.
    samples : SampleStore
        Spot seen over time.
    rule : PostingRule
        When something is posted.
    max_age_sec : int
        Older data are not posted.
    timeout_sec : float
        Longest wait for the source.
    memory : Memory
        What the source said before, for what jumps.
    """

    source: Source
    view: OracleView
    messages: Messages
    quorum: Quorum
    samples: SampleStore
    rule: PostingRule = field(default_factory=PostingRule)
    max_age_sec: int = MAX_AGE_SEC
    timeout_sec: float = TIMEOUT_SEC
    memory: Memory = field(default_factory=Memory)
    _standing: dict[str, Round] = field(default_factory=dict)

    @property
    def offers(self) -> Offers:
        """What may be signed."""
        return Offers(self._window, self.view, self.memory, self.max_age_sec)

    @property
    def settlements(self) -> SettlementDesk:
        """Prices of expired series."""
        return SettlementDesk(self._window, self.view, self.messages, self.quorum)

    @property
    def _window(self) -> WindowSamples:
        return WindowSamples(self.source, self.samples, self.timeout_sec)

    async def look(self, required: Mapping[str, Collection[int]]) -> Look:
        """Read the source and make of it what may be signed; see :meth:`~plimsoll.feeds.offers.Offers.look`."""
        return await self.offers.look(required, self._standing)

    async def posts(
        self,
        required: Mapping[str, Collection[int]],
        pending: Mapping[str, Round] | None = None,
        urgent: Collection[str] = (),
    ) -> Pass:
        """Make the signed calls that are worth a transaction now.

        Parameters
        ----------
        required : Mapping[str, Collection[int]]
            Expiries that positions hold, by underlying.
        pending : Mapping[str, Round], optional
            Newest rounds that are on chain or on their way, as the index and the transactor know them; before those
            that :meth:`stand` was told.
        urgent : Collection[str]
            Underlyings, and ``tokens``, that a liquidation waits for.

        Returns
        -------
        Pass
        """
        standing = {**self._standing, **(pending or {})}
        look = await self.offers.look(required, standing)
        wanted: list[tuple[str, Round, Why]] = []
        for symbol, offer in look.offers.items():
            if offer.round is None:
                continue
            why = self.rule.next_for(
                offer.round, standing.get(symbol), required.get(symbol, ()), is_urgent=symbol in urgent
            )
            if why is not None:
                wanted.append((symbol, offer.round, why))
        made = await asyncio.gather(
            guarded("tokens", self._token_post(look.tokens, is_urgent="tokens" in urgent)),
            *(guarded(symbol, self._round_post(one, why)) for symbol, one, why in wanted),
        )
        return Pass(
            tuple(post for one in made for post in one.posts),
            (*look.all_problems, *(problem for one in made for problem in one.problems)),
            tuple(report for one in made for report in one.reports),
        )

    def stand(self, market_round: Round) -> None:
        """Note a round that the chain has or will have.

        Parameters
        ----------
        market_round : Round
            Of a post that was mined, or is on its way.
        """
        self._standing[market_round.underlying] = market_round

    async def close(self) -> None:
        """Close source, signers and endpoint."""
        await asyncio.gather(self.source.close(), self.quorum.close(), self.view.close())

    async def _round_post(self, market_round: Round, why: Why) -> Pass:
        symbol = market_round.underlying
        message, collected = await self._signed_round(market_round)
        if not collected.is_enough:
            problem = Problem("round", symbol, f"not signed: {collected}")
            return Pass(problems=(problem,), reports=collected.reports)
        signed = self.messages.round_of(message)
        post = Post(
            f"round:{symbol}:{signed.ts}",
            f"round:{symbol}",
            self.messages.target,
            self.messages.call(message, collected.signatures),
            why,
            posted=signed,
        )
        return Pass((post,), reports=collected.reports)

    async def _signed_round(self, market_round: Round) -> tuple[Message, Collected]:
        """Collect signatures; once more a second later, without the expiries that alone the refusing signers name."""
        message = self.messages.round(market_round)
        collected = await self.quorum.collect(message)
        if collected.is_enough:
            return message, collected
        refusals = [report for report in collected.reports if report.answer is Answer.REFUSED]
        bad = frozenset(expiry for report in refusals for expiry in report.bad_expiries or ())
        listed = {s.expiry_ts for s in market_round.surfaces}
        if not bad & listed:
            return message, collected
        # A signer never signs two rounds of one time.
        message = self.messages.round(replace(without(market_round, bad), ts=market_round.ts + 1))
        return message, await self.quorum.collect(message)

    async def _token_post(self, quote: TokenQuote | None, *, is_urgent: bool) -> Pass:
        if quote is None:
            return Pass()
        state = await self.view.tokens(quote.prices)
        newer = {symbol: price for symbol, price in quote.prices.items() if quote.ts > state.last[symbol][0]}
        standing = await self.view.prices(newer)
        why = self.rule.next_tokens(quote.ts, newer, standing, is_urgent=is_urgent)
        if why is None:
            return Pass()
        doubts = self.memory.token_doubts(quote.ts, newer, state)
        prices, problems = state.cut(quote.ts, {symbol: newer[symbol] for symbol in newer if symbol not in doubts})
        problems += [(symbol, f"not believed: {why}") for symbol, why in doubts.items()]
        if not prices:
            return Pass(problems=tuple(Problem("tokens", symbol, text) for symbol, text in problems))
        message = self.messages.tokens(quote.ts, prices)
        collected = await self.quorum.collect(message)
        said = tuple(Problem("tokens", symbol, text) for symbol, text in problems)
        if not collected.is_enough:
            return Pass(
                problems=(*said, Problem("tokens", "all", f"not signed: {collected}")), reports=collected.reports
            )
        data = self.messages.call(message, collected.signatures)
        posted = TokenQuote(quote.ts, prices)
        post = Post(f"tokens:{quote.ts}", "tokens", self.messages.target, data, why, posted=posted)
        return Pass((post,), said, collected.reports)
