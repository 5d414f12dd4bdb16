"""Prices of expired series as signed calls: from samples, from rounds, or from what a person gives."""

from __future__ import annotations

from dataclasses import dataclass, replace

from plimsoll.feeds.messages import Messages
from plimsoll.feeds.oracle_view import OracleView
from plimsoll.feeds.post import Pass, Post, guarded
from plimsoll.feeds.reading import Problem, Sample
from plimsoll.feeds.settlement import How, SettlementPlan, plan_settlement
from plimsoll.feeds.signer_client import Quorum
from plimsoll.feeds.window_samples import WindowSamples


@dataclass(frozen=True, slots=True)
class SettlementDesk:
    """Settlement prices of one deployment.

    Parameters
    ----------
    window : WindowSamples
        Source and samples.
    view : OracleView
        What the chain says.
    messages : Messages
        Of the oracle.
    quorum : Quorum
        Who signs.
    """

    window: WindowSamples
    view: OracleView
    messages: Messages
    quorum: Quorum

    async def plan(
        self, underlying: str, expiry_ts: int, last_round_ts: int | None
    ) -> tuple[SettlementPlan, tuple[Problem, ...]]:
        """Say how an expired series gets its price now, after asking the source for what was not seen.

        Parameters
        ----------
        underlying : str
            Symbol.
        expiry_ts : int
            Unix seconds.
        last_round_ts : int or None
            Last round accepted inside the window, as the index knows it.

        Returns
        -------
        plan : SettlementPlan
        problems : tuple[Problem, ...]
        """
        state = await self.view.settlement(underlying, expiry_ts)
        seen, problems = await self.window.until(underlying, expiry_ts, expiry_ts)
        return plan_settlement(seen, expiry_ts, state.newest_ts, last_round_ts), problems

    async def settle(self, underlying: str, expiry_ts: int, last_round_ts: int | None = None) -> Pass:
        """Make the call that gives an expired series its price; none while no source of it is open.

        Parameters
        ----------
        underlying : str
            Symbol.
        expiry_ts : int
            Unix seconds.
        last_round_ts : int or None
            As in :meth:`plan`.

        Returns
        -------
        Pass
        """
        return await guarded(f"{underlying} {expiry_ts}", self._settle(underlying, expiry_ts, last_round_ts))

    async def _settle(self, underlying: str, expiry_ts: int, last_round_ts: int | None) -> Pass:
        plan, problems = await self.plan(underlying, expiry_ts, last_round_ts)
        if plan.how in (How.SAMPLES, How.GAPPED_SAMPLES):
            made = await _signed(self.messages, self.quorum, underlying, expiry_ts, plan.samples)
            return replace(made, problems=(*problems, *made.problems))
        subject = f"{underlying} {expiry_ts}"
        if plan.how is How.ROUNDS:
            return Pass(
                (_post(self.messages, underlying, expiry_ts, self.messages.from_rounds(underlying, expiry_ts)),),
                problems,
            )
        when = f", again at {plan.until_ts}" if plan.until_ts else ""
        return Pass(problems=(*problems, Problem("settlement", subject, f"{plan.how}: {plan.reason}{when}")))


async def settle_by_hand(
    messages: Messages, quorum: Quorum, underlying: str, expiry_ts: int, samples: tuple[Sample, ...]
) -> Pass:
    """Make the call that settles a series on samples that a person gives; signers still judge them.

    Parameters
    ----------
    messages : Messages
        Of the oracle.
    quorum : Quorum
        Who signs.
    underlying : str
        Symbol.
    expiry_ts : int
        Unix seconds.
    samples : tuple[Sample, ...]
        See :func:`~plimsoll.feeds.settlement.samples_by_hand`.

    Returns
    -------
    Pass
    """
    made = _signed(messages, quorum, underlying, expiry_ts, samples)
    return await guarded(f"{underlying} {expiry_ts}", made)


async def _signed(
    messages: Messages, quorum: Quorum, underlying: str, expiry_ts: int, samples: tuple[Sample, ...]
) -> Pass:
    message = messages.settlement(underlying, expiry_ts, samples)
    collected = await quorum.collect(message)
    if not collected.is_enough:
        problem = Problem("settlement", f"{underlying} {expiry_ts}", f"not signed: {collected}")
        return Pass(problems=(problem,), reports=collected.reports)
    post = _post(messages, underlying, expiry_ts, messages.call(message, collected.signatures))
    return Pass((post,), reports=collected.reports)


def _post(messages: Messages, underlying: str, expiry_ts: int, data: bytes) -> Post:
    done = frozenset({"Oracle__AlreadySettled"})
    return Post(f"settlement:{underlying}:{expiry_ts}", "", messages.target, data, already_done=done)
