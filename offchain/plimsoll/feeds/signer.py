"""One oracle signer: it looks at its own data and at the chain before it signs, and remembers what it signed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from eth_account.signers.local import LocalAccount

from plimsoll.errors import DomainError, InputError, PlimsollError, UnavailableError
from plimsoll.feeds.agreement import SHIPPED, Tolerances, disagreements, judge_settlement, judge_tokens
from plimsoll.feeds.memory import Memory
from plimsoll.feeds.messages import Kind, Message, Messages
from plimsoll.feeds.oracle_view import OracleView
from plimsoll.feeds.reading import Reading, Source
from plimsoll.feeds.round_checks import MAX_AGE_SEC, judge_marks, judge_round
from plimsoll.feeds.samples import SampleStore
from plimsoll.feeds.settlement import gap_of, merged
from plimsoll.feeds.signed_store import SignedStore
from plimsoll.feeds.tokens import price_tokens
from plimsoll.feeds.verdict import Code, Reason, Verdict
from plimsoll.mirror.speed_limit import breaches

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature.

    Attributes
    ----------
    address : str
        Of the signer.
    signature : bytes
        65 bytes.
    """

    address: str
    signature: bytes


@dataclass(slots=True)
class Signer:
    """Signs what its own source and the chain confirm.

    Parameters
    ----------
    account : LocalAccount
        The one key.
    source : Source
        Its own data; never the proposer's.
    view : OracleView
        Its own look at the chain.
    messages : Messages
        Of the oracle it signs for.
    signed : SignedStore
        What it has signed.
    samples : SampleStore
        What it has seen of spot.
    tolerances : Tolerances
    max_age_sec : int
        Oldest age at which data are signed.
    memory : Memory
        What its source said before, for what jumps.
    """

    account: LocalAccount
    source: Source
    view: OracleView
    messages: Messages
    signed: SignedStore
    samples: SampleStore
    tolerances: Tolerances = SHIPPED
    max_age_sec: int = MAX_AGE_SEC
    clock: Callable[[], float] = time.monotonic
    read_every_sec: float = 1.0
    memory: Memory = field(default_factory=Memory)
    _reading: tuple[float, Reading] | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def consider(self, document: Any) -> Signed | Verdict:
        """Sign a proposed message, or say what speaks against it.

        Parameters
        ----------
        document : object
            Parsed JSON, see :meth:`~plimsoll.feeds.messages.Messages.to_wire`.

        Returns
        -------
        Signed or Verdict
            A verdict that does not pass; the caller learns every reason, and nothing was signed.
        """
        try:
            message = self.messages.from_wire(document)
            reasons = await self._judged(message)
        except InputError as error:
            code = Code.OUT_OF_DOMAIN if isinstance(error, DomainError) else Code.MALFORMED
            return self._refused("message", Verdict((Reason(code, f"{error}"),)))
        except UnavailableError as error:
            return self._refused("message", Verdict((Reason(Code.CHAIN, f"{error}"),)))
        if reasons:
            return self._refused(", ".join(message.subjects), Verdict(tuple(reasons)))
        return await self._sign(message)

    async def observe(self) -> None:
        """Look at the source, so that a settlement window is seen whether or not anybody asks for signatures."""
        try:
            await self._own({})
        except PlimsollError as error:
            log.warning("no own data", source=self.source.name, reason=str(error))

    async def close(self) -> None:
        """Let go of connections, in the event loop that used them."""
        await asyncio.gather(self.source.close(), self.view.close())

    async def _sign(self, message: Message) -> Signed | Verdict:
        digest = self.messages.digest(message)
        try:
            is_ours = await asyncio.to_thread(
                self.signed.claim, self.account.address, self.messages.domain_key, message, digest
            )
        except UnavailableError as error:
            # A signer that cannot remember does not sign.
            return self._refused(
                ", ".join(message.subjects), Verdict((Reason(Code.SIGNED_OTHERWISE, f"unknown: {error}"),))
            )
        if not is_ours:
            reason = Reason(Code.SIGNED_OTHERWISE, f"{', '.join(message.subjects)} at {message.ts}")
            return self._refused(", ".join(message.subjects), Verdict((reason,)))
        log.info("signed", subjects=message.subjects, ts=message.ts)
        return Signed(self.account.address, self.messages.sign(self.account, message))

    def _refused(self, subject: str, verdict: Verdict) -> Verdict:
        log.warning("refused", subject=subject, reasons=str(verdict))
        return verdict

    async def _judged(self, message: Message) -> list[Reason]:
        if message.kind is Kind.ROUND:
            return await self._judge_round(message)
        if message.kind is Kind.TOKENS:
            return await self._judge_tokens(message)
        return await self._judge_settlement(message)

    async def _judge_round(self, message: Message) -> list[Reason]:
        proposed = self.messages.round_of(message)
        expiries = [s.expiry_ts for s in proposed.surfaces]
        chain = await self.view.feed(proposed.underlying, expiries)
        reading = await self._own({proposed.underlying: expiries})
        verdict = judge_round(proposed, chain, self.max_age_sec)
        own = reading.rounds.get(proposed.underlying)
        samples = await self._samples(proposed.underlying, expiries[0]) if proposed.mean is not None else ()
        found = disagreements(proposed, own, samples, chain, self.tolerances)
        is_newer = own is not None and own.ts > chain.last_ts
        beyond = breaches(chain.anchors, own, chain.limits) if own is not None and is_newer else ()
        doubtful = [
            Reason(Code.UNCONFIRMED, f"{b.name}, {why}", b.observed, b.limit, b.expiry_ts)
            for b, why in (self.memory.doubts(own, chain) if own is not None and is_newer else ())
            if b.expiry_ts in (0, *expiries)
        ]
        # What the speed limit holds back cannot lie inside its quotes yet.
        marks = judge_marks(
            proposed, reading.bands.get(proposed.underlying, {}), frozenset(b.expiry_ts for b in beyond)
        )
        return [*verdict.reasons, *found, *doubtful, *marks]

    async def _judge_tokens(self, message: Message) -> list[Reason]:
        prices = self.messages.prices_of(message)
        chain = await self.view.tokens(prices)
        quote, _ = price_tokens(await self.view.terms(), await self._own({}))
        own: Mapping[str, float] = {} if quote is None else quote.prices
        asked = {symbol: own[symbol] for symbol in prices if symbol in own}
        doubts = self.memory.token_doubts(message.ts, asked, chain)
        doubtful = [Reason(Code.UNCONFIRMED, f"{symbol}, {why}") for symbol, why in doubts.items()]
        return [*judge_tokens(message.ts, prices, own, chain, self.max_age_sec, self.tolerances), *doubtful]

    async def _judge_settlement(self, message: Message) -> list[Reason]:
        underlying, proposed = self.messages.samples_of(message)
        state = await self.view.settlement(underlying, message.ts)
        own = await self._samples(underlying, message.ts)
        return judge_settlement(
            message.ts, proposed, own, state.newest_ts, is_settled=state.is_settled, tolerances=self.tolerances
        )

    async def _samples(self, underlying: str, expiry_ts: int) -> tuple[tuple[int, float], ...]:
        """Return what was seen of a window, filled from the source's history where it has gaps."""
        own = await asyncio.to_thread(self.samples.window, underlying, expiry_ts)
        if gap_of(own, expiry_ts) is None:
            return own
        try:
            history = await self.source.samples(underlying, expiry_ts)
        except UnavailableError as error:
            log.warning("no history", source=self.source.name, underlying=underlying, reason=error.message)
            return own
        await asyncio.to_thread(self.samples.add, underlying, history, self.source.name)
        return merged(own, history, expiry_ts)

    async def _own(self, required: Mapping[str, list[int]]) -> Reading:
        """Read the own source, at most once in ``read_every_sec``; a flood of requests is no flood of fetches."""
        async with self._lock:
            if self._reading is None or self.clock() - self._reading[0] >= self.read_every_sec:
                reading = await self.source.read(required)
                self.memory.observe(reading)
                await asyncio.to_thread(self.samples.observe, reading, self.source.name)
                self._reading = (self.clock(), reading)
            return self._reading[1]
