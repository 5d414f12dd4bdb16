"""What a pass means to whoever watches the keeper: metrics, alerts, and a line for each deed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import structlog

from plimsoll.chain.endpoints import Endpoints
from plimsoll.decide import AccountView
from plimsoll.feeds.post import Post
from plimsoll.feeds.signer_client import Answer
from plimsoll.feeds.signer_client import Report as Answered
from plimsoll.index.verifier import Checked
from plimsoll.keeper.alert_book import AlertKind
from plimsoll.keeper.lines import line_of, why_of
from plimsoll.keeper.lookout import Look
from plimsoll.keeper.operations import Operations
from plimsoll.keeper.performer import Deed, kind_of
from plimsoll.keeper.relay.relayer import Relayed
from plimsoll.keeper.roster import Report
from plimsoll.transact.intent import Outcome, Result

log = structlog.get_logger()

#: Ends that are no failure of anything.
CALM: Final = frozenset({"sent", *(result.value for result in (Result.DONE, Result.ALREADY_DONE, Result.WAITING))})
#: Kind of the intent that begins a liquidation.
START: Final = "start"
#: Alerts about one kind name this many of what they are about.
NAMED: Final = 20


class Watchman:
    """Tells metrics, alerts and the terminal.

    Parameters
    ----------
    ops : Operations
    tell : Callable
        Gets one line for each deed.
    explain : bool
        Tell why each is due as well, in a line below it.
    """

    def __init__(self, ops: Operations, tell: Callable[[str], None], *, explain: bool = False) -> None:
        self._ops, self._tell, self._explain = ops, tell, explain
        self._accounts: dict[int, AccountView] = {}
        #: When an account was first seen below maintenance without an auction, own monotonic seconds.
        self._overdue: dict[int, float] = {}
        self._disagreements = 0
        self._round_ts: dict[int, int] | None = None
        #: When the block with the last round was seen, while no liquidation has followed.
        self._tick_sec: float | None = None

    def asked(self, endpoints: Endpoints) -> None:
        """Take in how the nodes answered, whether a look came of it or not.

        Parameters
        ----------
        endpoints : Endpoints
        """
        metrics, best = self._ops.metrics, max(endpoints.numbers.values(), default=0)
        for node in endpoints.nodes:
            label = metrics.label("endpoints", node.url)
            metrics.endpoint_up.labels(endpoint=label).set(node.url not in endpoints.left_out)
            # Of one that does not answer nobody knows how far it is.
            behind = best - endpoints.numbers.get(node.url, math.nan)
            metrics.endpoint_lag.labels(endpoint=label).set(behind)
        metrics.disagreements.inc(endpoints.disagreements - self._disagreements)
        self._disagreements = endpoints.disagreements
        for text in endpoints.disputes.values():
            log.warning("endpoints disagree", text=text)
        self._ops.alerts.set_all(AlertKind.NODE, dict(endpoints.left_out))
        self._ops.alerts.set_all(AlertKind.DISAGREEMENT, dict(endpoints.disputes))

    def looked(self, look: Look, names: dict[int, str], seen_sec: float) -> None:
        """Take in what was seen.

        Parameters
        ----------
        look : Look
        names : dict of int to str
            Underlyings by id.
        seen_sec : float
            When the head of the look was first agreed on, by the process's own clock.
        """
        self._see_rounds(look, seen_sec)
        if self._explain:
            self._accounts = {view.account_id: view for view in look.accounts}
        metrics, progress = self._ops.metrics, self._ops.progress
        progress.head_seen(look.progress.head_number)
        progress.index_at(look.head.number)
        metrics.head_number.set(look.progress.head_number)
        metrics.head_age_sec.set(max(0.0, time.time() - look.head.ts))
        metrics.index_number.set(look.head.number)
        metrics.index_lag.set(look.progress.head_number - look.head.number)
        metrics.events.inc(look.progress.new_events)
        metrics.accounts.set(look.account_count)
        metrics.auctions.set(len(look.state.auctions))
        metrics.margin_calls.set(len(look.effects.called))
        metrics.unvalued.set(len(look.asked.refused) + len(look.asked.failed))
        if look.progress.rolled_back_to is not None:
            metrics.reorganisations.inc()
            log.warning("reorganisation", fork=look.progress.rolled_back_to)
        self._rounds(look, names)
        self._late(look)

    def _see_rounds(self, look: Look, seen_sec: float) -> None:
        """Remember when a round was first seen, until a liquidation follows; at a start none is new."""
        rounds = {number: int(posted.ts) for number, posted in look.state.rounds.items()}
        if self._round_ts is not None and any(ts > self._round_ts.get(number, 0) for number, ts in rounds.items()):
            self._tick_sec = seen_sec
        self._round_ts = rounds

    def _rounds(self, look: Look, names: dict[int, str]) -> None:
        """Say how old rounds are, and which series have no price."""
        limit = self._ops.config.alerts.round_age_sec
        old: dict[str, str] = {}
        for number, symbol in names.items():
            posted = look.state.rounds.get(number)
            age_sec = float("inf") if posted is None else look.head.ts - posted.ts
            self._ops.metrics.round_age_sec.labels(underlying=symbol).set(age_sec)
            if posted is not None and age_sec > limit:
                old[symbol] = f"the round of {symbol} is {age_sec:.0f} s old, limit {limit:g} s"
            missing = [series for series in look.expired if series[0] == symbol and series not in look.final]
            self._ops.metrics.settlement_missing.labels(underlying=symbol).set(len(missing))
        self._ops.alerts.set_all(AlertKind.ROUND_AGE, old)
        lines = {
            f"{symbol} {expiry_ts}": f"{symbol} of {expiry_ts} has expired and no final price; {len(holders)} hold it"
            for (symbol, expiry_ts), holders in look.expired.items()
            if (symbol, expiry_ts) not in look.final
        }
        self._ops.alerts.set_all(AlertKind.SETTLEMENT_MISSING, _few(lines))

    def _late(self, look: Look) -> None:
        """Say who is below maintenance without an auction, and for how long."""
        now, limit = time.monotonic(), self._ops.config.alerts.overdue_sec
        waiting = {
            view.account_id
            for view in look.accounts
            if view.is_auctionable and not view.is_pure_debt and view.account_id not in look.state.auctions
        }
        self._overdue = {number: self._overdue.get(number, now) for number in waiting}
        oldest_sec = max((now - since for since in self._overdue.values()), default=0.0)
        self._ops.metrics.overdue.set(len(waiting))
        self._ops.metrics.overdue_oldest_sec.set(oldest_sec)
        late = {
            str(number): f"account {number} is below maintenance without an auction for {now - since:.0f} s"
            for number, since in self._overdue.items()
            if now - since > limit
        }
        self._ops.alerts.set_all(AlertKind.OVERDUE_LIQUIDATION, _few(late))
        calls = {str(number): f"account {number} is called for margin" for number in look.effects.called}
        self._ops.alerts.set_all(AlertKind.MARGIN_CALL, _few(calls))

    def checked(self, checked: Checked) -> None:
        """Take in a comparison with the chain's own views."""
        metrics = self._ops.metrics
        metrics.verified.inc(checked.accounts)
        metrics.differences.inc(len(checked.differences))
        for difference in checked.differences:
            log.error("the index differed from the chain, and was put right", difference=str(difference))
            self._ops.alerts.tell(AlertKind.VERIFICATION, "index", str(difference))

    def reported(self, report: Report) -> None:
        """Take in what a duty did."""
        metrics = self._ops.metrics
        if not report.is_broken:
            self._ops.progress.duty_done(report.duty)
        metrics.pass_sec.labels(duty=report.duty).observe(report.seconds)
        for problem in report.problems:
            log.warning("left undone", duty=report.duty, reason=problem)
            metrics.failures.labels(kind=report.duty).inc()
        self._deeds(report.deeds, report.posted.posts if report.posted is not None else ())
        if report.relayed is not None:
            self._relayed(report.relayed)
        if report.posted is not None:
            self._signers(report.posted.reports)
            for found in report.posted.problems:
                metrics.feed_rejections.labels(reason=metrics.label("feed_rejections", found.source)).inc()
            lines = {str(place): str(problem) for place, problem in enumerate(report.posted.problems)}
            self._ops.alerts.set_all(AlertKind.FEED, _few(lines))

    def _relayed(self, relayed: Relayed) -> None:
        """Say what waits between the chains, and what is wrong with the other one."""
        for way, count in relayed.waiting.items():
            self._ops.metrics.remote_waiting.labels(way=way).set(count)
        for way, blocks in relayed.lag.items():
            self._ops.metrics.remote_header_lag.labels(way=way).set(blocks)
        self._ops.alerts.set_all(AlertKind.REMOTE, _few(relayed.alerts))
        self.ended(relayed.outcomes)

    def _signers(self, answers: Sequence[Answered]) -> None:
        """Say which oracle signers did not sign, and why."""
        metrics = self._ops.metrics
        refused = [one for one in answers if one.answer is not Answer.SIGNED]
        for one in refused:
            metrics.signer_refusals.labels(
                signer=metrics.label("signer_refusals", one.signer), reason=one.answer.value
            ).inc()
        if answers:
            texts = {one.signer: f"{one.signer}: {one.answer.value}: {one.text}" for one in refused}
            self._ops.alerts.set_all(AlertKind.SIGNER, _few(texts))

    def _deeds(self, deeds: Sequence[Deed], posts: Sequence[Post]) -> None:
        """Count and print what was done."""
        for deed in deeds:
            if self._tick_sec is not None and deed.kind == START and deed.sent_sec is not None:
                self._ops.metrics.tick_to_tx_sec.observe(deed.sent_sec - self._tick_sec)
                self._tick_sec = None
            self._ops.metrics.intents.labels(kind=deed.kind, outcome=deed.result).inc()
            if deed.result not in CALM:
                log.info("not sent", key=deed.key, result=deed.result, reason=deed.reason)
            self._tell(line_of(deed))
            why = why_of(deed.key, self._accounts, posts) if self._explain else ""
            if why:
                self._tell(f"    {why}")

    def ended(self, outcomes: Iterable[Outcome]) -> None:
        """Take in how transactions ended."""
        for outcome in outcomes:
            self._ops.metrics.intents.labels(kind=kind_of(outcome.key), outcome=outcome.result.value).inc()
            ended = Deed(outcome.key, "", outcome.result.value, outcome.reason, outcome.gas_estimate, outcome.cost_wei)
            self._tell(line_of(ended))

    def failed(self, where: str, reason: str) -> None:
        """Take in that a pass could not be made at all."""
        log.warning("pass failed", where=where, reason=reason)
        self._ops.metrics.failures.labels(kind=where).inc()
        self._ops.alerts.fire(AlertKind.NODE, where, reason)

    def recovered(self, where: str) -> None:
        """Take in that passes are made again."""
        self._ops.alerts.resolve(AlertKind.NODE, where)


def _few(texts: dict[str, str]) -> dict[str, str]:
    """Bound how many one alert names; in a crash thousands are alike."""
    if len(texts) <= NAMED:
        return texts
    some = dict(list(texts.items())[:NAMED])
    return {**some, "others": f"and {len(texts) - NAMED} more"}
