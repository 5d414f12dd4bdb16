"""From what a source says to what may be signed: means completed, speed limit kept, unsound expiries left out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

import structlog

from plimsoll.errors import PlimsollError
from plimsoll.feeds.chain_state import FeedState
from plimsoll.feeds.memory import Memory
from plimsoll.feeds.oracle_view import OracleView
from plimsoll.feeds.reading import Problem, Reading
from plimsoll.feeds.round_checks import MAX_AGE_SEC, judge_marks, judge_round
from plimsoll.feeds.tokens import TokenQuote, price_tokens
from plimsoll.feeds.verdict import Verdict
from plimsoll.feeds.window_samples import WindowSamples, is_covered
from plimsoll.market.replay.window import window_of, with_mean
from plimsoll.mirror.speed_limit import within
from plimsoll.model import Round

log = structlog.get_logger()

MAX_PRUNES: Final = 3


@dataclass(frozen=True, slots=True)
class Offer:
    """A round that may be signed, or why there is none.

    Attributes
    ----------
    round : Round or None
        Sound, within the speed limit, newer than the chain's.
    problems : tuple[Problem, ...]
        What was left out, cut or refused.
    """

    round: Round | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """What the source says now, ready to be signed.

    Attributes
    ----------
    offers : Mapping[str, Offer]
        By underlying.
    tokens : TokenQuote or None
        Prices of tokens that no round prices.
    problems : tuple[Problem, ...]
        Of the source and of tokens; those of a round stand in its offer.
    """

    offers: Mapping[str, Offer]
    tokens: TokenQuote | None
    problems: tuple[Problem, ...]

    @property
    def all_problems(self) -> tuple[Problem, ...]:
        """All problems, for logs and metrics."""
        return (*self.problems, *(p for offer in self.offers.values() for p in offer.problems))


@dataclass(frozen=True, slots=True)
class Offers:
    """What may be signed now, each underlying for itself.

    Parameters
    ----------
    window : WindowSamples
        Source and samples.
    view : OracleView
        What the chain says.
    memory : Memory
        What the source said before.
    max_age_sec : int
        Older data are not posted.
    """

    window: WindowSamples
    view: OracleView
    memory: Memory
    max_age_sec: int = MAX_AGE_SEC

    async def look(self, required: Mapping[str, Collection[int]], standing: Mapping[str, Round]) -> Look:
        """Read the source and make of it what may be signed.

        Parameters
        ----------
        required : Mapping[str, Collection[int]]
            Expiries that positions hold, by underlying.
        standing : Mapping[str, Round]
            Newest round that the chain has or will have; its slice stands in for one whose shape is too fast.

        Returns
        -------
        Look
            Empty, with the reason, when the source cannot be read.
        """
        source = self.window.source
        try:
            reading = await asyncio.wait_for(source.read(required), self.window.timeout_sec)
        except TimeoutError:
            reason = f"no answer in {self.window.timeout_sec:g} s"
            return Look({}, None, (Problem(source.name, "all", reason),))
        except PlimsollError as error:
            return Look({}, None, (Problem(source.name, "all", error.message),))
        except Exception as error:
            # A fault of ours in reading what others wrote must not stop the duties that need no source.
            log.exception("source failed", source=source.name)
            return Look({}, None, (Problem(source.name, "all", f"failed: {type(error).__name__} {error}"),))
        self.memory.observe(reading)
        problems = list(reading.problems)
        try:
            await asyncio.to_thread(self.window.store.observe, reading, source.name)
        except PlimsollError as error:
            problems.append(Problem("samples", "all", error.message))
        made = (
            self._guarded(name, self._offer(found, reading, standing.get(name)))
            for name, found in reading.rounds.items()
        )
        offers = dict(zip(reading.rounds, await asyncio.gather(*made), strict=True))
        tokens, said = await self._tokens(reading)
        return Look(offers, tokens, (*problems, *said))

    async def _guarded(self, symbol: str, made: Awaitable[Offer]) -> Offer:
        """Turn what fails for one underlying into its problem."""
        try:
            return await made
        except PlimsollError as error:
            return Offer(None, (Problem("round", symbol, str(error)),))

    async def _offer(self, said: Round, reading: Reading, standing: Round | None) -> Offer:
        """Complete the mean, keep to the speed limit, leave out what is not sound."""
        symbol = said.underlying
        found, problems = await self._with_mean(said)
        chain = await self.view.feed(symbol, [s.expiry_ts for s in found.surfaces])
        if found.ts <= chain.last_ts:
            return Offer(None, problems)
        believed, doubted = self._believed(found, chain)
        problems += doubted
        if believed is None:
            return Offer(None, problems)
        found = believed
        cut, beyond = within(chain.anchors, found, chain.limits, standing)
        problems += tuple(
            Problem(
                "round",
                f"{symbol} {b.expiry_ts or ''}".rstrip(),
                f"{b.name} is {b.observed:+.3f} from its anchor, posted at the limit of {b.limit:.3f}",
            )
            for b in beyond
        )
        held_back = frozenset(b.expiry_ts for b in beyond)
        sound, verdict, dropped = self._sound(cut, chain, reading, held_back)
        problems += tuple(Problem("round", f"{symbol} {expiry}", f"left out: {why}") for expiry, why in dropped)
        if not verdict.passes:
            return Offer(None, (*problems, Problem("round", symbol, f"refused: {verdict}")))
        if found.surfaces and not sound.surfaces:
            # Nobody who holds an option could be margined on it; the last round still says something.
            return Offer(None, (*problems, Problem("round", symbol, "refused: every expiry is left out")))
        return Offer(sound, problems)

    def _believed(self, found: Round, chain: FeedState) -> tuple[Round | None, tuple[Problem, ...]]:
        """Leave out expiries that jumped unconfirmed; nothing is offered where spot did, or all of them."""
        symbol = found.underlying
        doubts = self.memory.doubts(found, chain)
        if not doubts:
            return found, ()
        problems = tuple(
            Problem(
                "round",
                f"{symbol} {b.expiry_ts or ''}".rstrip(),
                f"not believed: {b.name} is {b.observed:+.3f} from its anchor, the limit is {b.limit:.3f}; {why}",
            )
            for b, why in doubts
        )
        bad = {breach.expiry_ts for breach, _ in doubts}
        listed = {surface.expiry_ts for surface in found.surfaces}
        return (None if 0 in bad or bad >= listed else without(found, bad)), problems

    def _sound(
        self, market_round: Round, chain: FeedState, reading: Reading, held_back: frozenset[int]
    ) -> tuple[Round, Verdict, list[tuple[int, str]]]:
        """Judge a round, and again without the expiries that alone speak against it."""
        bands = reading.bands.get(market_round.underlying, {})
        dropped: list[tuple[int, str]] = []
        for _ in range(MAX_PRUNES):
            verdict = judge_round(market_round, chain, self.max_age_sec)
            verdict = verdict.joined(judge_marks(market_round, bands, held_back))
            bad = verdict.bad_expiries()
            if verdict.passes or not bad:
                return market_round, verdict, dropped
            for expiry in sorted(bad):
                dropped.append((expiry, "; ".join(str(r) for r in verdict.reasons if r.expiry_ts == expiry)))
            market_round = without(market_round, bad)
        return market_round, judge_round(market_round, chain, self.max_age_sec), dropped

    async def _with_mean(self, market_round: Round) -> tuple[Round, tuple[Problem, ...]]:
        """State the mean of an open window from what was seen, across restarts; else what the source states."""
        open_ts = window_of(market_round)
        if open_ts is None:
            return replace(market_round, mean=None), ()
        seen, problems = await self.window.until(market_round.underlying, open_ts, market_round.ts)
        if is_covered(seen, open_ts, market_round.ts) or market_round.mean is None:
            return with_mean(market_round, seen), problems
        return market_round, problems

    async def _tokens(self, reading: Reading) -> tuple[TokenQuote | None, tuple[Problem, ...]]:
        try:
            return price_tokens(await self.view.terms(), reading)
        except PlimsollError as error:
            return None, (Problem("tokens", "all", str(error)),)


def without(market_round: Round, expiries: Collection[int]) -> Round:
    """Return a round without some expiries, and without a mean when no window is open any more."""
    kept = replace(
        market_round, surfaces=tuple(s for s in market_round.surfaces if s.expiry_ts not in expiries), mean=None
    )
    return kept if window_of(kept) is None else replace(kept, mean=market_round.mean)
