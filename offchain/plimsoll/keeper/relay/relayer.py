"""The relayer of a keeper: it looks at both chains beside the other duties, which never wait for the other chain.

A pass over both ways runs in the background; a pass of the keeper takes what it has found by then, and begins the next
one. Whatever the other chain or its nodes do becomes a line, a metric and an alert here, and never a failure of the
keeper: its lease is about this chain.

Nothing has to be remembered. What was counted and what was carried stand on the two chains; what was sent stands in the
journals of the two signers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from plimsoll.chain.endpoints import Endpoints
from plimsoll.decide.relays import RelayPlan, RelayView, Waiting, decide_relay
from plimsoll.errors import PlimsollError
from plimsoll.keeper.lookout import Look
from plimsoll.keeper.performer import Deed, Performer
from plimsoll.keeper.relay.attesting import Attester, collect
from plimsoll.keeper.relay.source import ForgottenError
from plimsoll.keeper.relay.tokens import Claims
from plimsoll.keeper.relay.way import Facts, Ground, Way
from plimsoll.remote.headers import Header
from plimsoll.transact.entry import PENDING
from plimsoll.transact.intent import Outcome, Result, Transaction
from plimsoll.transact.operate import SignerStatus, status

log = structlog.get_logger()

#: Ends of a header after which another one has time.
UNDER_WAY: Final = frozenset({"sent", Result.DONE.value, Result.ALREADY_DONE.value, Result.WAITING.value})
#: A pass that is longer under way is told: nodes answer late, one after the other.
SLOW_SEC: Final = 120.0
#: Balance and fees of the signer there are looked at this often.
STATUS_SEC: Final = 15.0


@dataclass(frozen=True, slots=True)
class Rule:
    """How often to look, and what to carry.

    Parameters
    ----------
    interval_sec : float
        Least time between two passes.
    header_sec : float
        Least time between two headers that this keeper posts one way.
    quiet_sec : float
        A chain without a newly final block for longer is told.
    least : float
        Smallest amount that is carried, whole tokens.
    most : int
        Most sums that one pass carries one way.
    ask_sec : float
        Longest wait for the signatures of one other keeper.
    """

    interval_sec: float
    header_sec: float
    quiet_sec: float
    least: float
    most: int
    ask_sec: float = 5.0


@dataclass(frozen=True, slots=True)
class Relayed:
    """What one pass over both ways found.

    Parameters
    ----------
    alerts : dict of str to str
        What a person should know, by subject.
    waiting : dict of str to int
        Sums that wait, by way.
    lag : dict of str to int
        Final blocks that the newest known header is behind, by way.
    outcomes : tuple of Outcome
        How transactions on the other chain ended.
    """

    alerts: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)
    lag: dict[str, int] = field(default_factory=dict)
    outcomes: tuple[Outcome, ...] = ()


@dataclass(slots=True)
class Found:
    """What a pass collects on its way."""

    deeds: list[Deed] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    alerts: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)
    lag: dict[str, int] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)

    def met(self, subject: str, text: str) -> None:
        """Note what stopped a part of the pass."""
        self.problems.append(text)
        self.alerts[subject] = text

    @property
    def relayed(self) -> Relayed:
        """All but deeds and problems."""
        return Relayed(self.alerts, self.waiting, self.lag, tuple(self.outcomes))


@dataclass(slots=True)
class Relayer:
    """Carries both ways.

    Parameters
    ----------
    claims : Way
        From the escrow to the claims, which are made on this chain.
    releases : Way
        From the claims to the escrow.
    tokens : Claims
    home : Performer
        Sends on this chain.
    away : Performer or None
        Sends on the other chain; ``None`` leaves that to others.
    endpoints : Endpoints
        Nodes of the other chain.
    rule : Rule
    is_dry : bool
        Simulate, and send nothing.
    services : tuple of str
        Other keepers that are asked for signatures of headers.
    attester : Attester or None
        Serves the signatures of this one; ``None`` serves none.
    """

    claims: Way
    releases: Way
    tokens: Claims
    home: Performer
    away: Performer | None
    endpoints: Endpoints
    rule: Rule
    is_dry: bool = False
    services: tuple[str, ...] = ()
    attester: Attester | None = None
    #: What the signer of the other chain has and has under way; ``None`` before the first look.
    signer: SignerStatus | None = None
    clock: Callable[[], float] = time.monotonic
    _task: asyncio.Task[Found] | None = None
    _began_sec: float | None = None
    _status_sec: float | None = None
    _finals: dict[int, tuple[int, float]] = field(default_factory=dict)

    async def step(self, look: Look, patience_sec: float) -> Found | None:
        """Begin a pass when one is due, and return what the one under way has found, when it is done.

        Parameters
        ----------
        look : Look
            This chain.
        patience_sec : float
            How long to wait for it.

        Returns
        -------
        Found or None
        """
        if self._task is None:
            if self._began_sec is not None and self.clock() - self._began_sec < self.rule.interval_sec:
                return None
            self._began_sec = self.clock()
            self._task = asyncio.create_task(self._whole(look))
        done, _ = await asyncio.wait({self._task}, timeout=patience_sec)
        if done:
            task, self._task = self._task, None
            return task.result()
        under_way_sec = self.clock() - (self._began_sec or 0.0)
        if under_way_sec <= SLOW_SEC:
            return None
        found = Found()
        found.met(f"chain {self.claims.source.chain_id}", f"a pass is under way for {under_way_sec:.0f} s")
        return found

    async def advance(self) -> tuple[list[Outcome], int]:
        """Follow what was sent on the other chain.

        Returns
        -------
        outcomes : list of Outcome
        waiting : int
            Transactions that wait for a block.

        Raises
        ------
        PlimsollError
            When no node of it answers.
        """
        if self.away is None or self.is_dry:
            return [], 0
        transactor = self.away.transactor
        outcomes = await transactor.advance(await self.endpoints.head())
        entries = await asyncio.to_thread(transactor.context.ledger.open_entries)
        return outcomes, sum(entry.state in PENDING for entry in entries)

    async def close(self) -> None:
        """End the pass under way, and let go of the nodes; the journals hold everything else."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self.attester is not None:
            await self.attester.stop()
        if self.away is not None:
            await self.away.transactor.close()
        await self.endpoints.close()

    async def _whole(self, look: Look) -> Found:
        """Make one pass; nothing that it meets leaves it."""
        found, away_id = Found(), self.claims.source.chain_id
        try:
            await self._follow(found)
            await self._pass(look, found)
        except PlimsollError as problem:
            found.met(f"chain {away_id}", str(problem))
        except Exception as defect:
            # A defect of this duty is logged whole and told, and costs neither the lease nor another duty.
            log.exception("the relay failed")
            found.met(f"chain {away_id}", f"{type(defect).__name__}: {defect}")
        return found

    async def _follow(self, found: Found) -> None:
        """Follow what was sent on the other chain; what it meets leaves claims alone, which are sent here."""
        try:
            found.outcomes += (await self.advance())[0]
            await self._look_at_signer()
        except PlimsollError as problem:
            found.met(f"chain {self.claims.source.chain_id} head", str(problem))

    async def _pass(self, look: Look, found: Found) -> None:
        """Do both ways, each by itself."""
        home, away = self.releases.source, self.claims.source
        home_final, away_final = await asyncio.gather(home.final(), away.final(), return_exceptions=True)
        for source, final in ((home, home_final), (away, away_final)):
            name = f"chain {source.chain_id}"
            if isinstance(final, BaseException):
                if not isinstance(final, PlimsollError):
                    raise final
                found.met(name, str(final))
                continue
            self._see_final(source.chain_id, final, found)
            try:
                await source.read(final)
            except PlimsollError as problem:
                found.met(name, str(problem))
            for url, text in source.problems.items():
                found.met(url, text)
        ground = Ground(look.node, look.head.number, home_final.number if isinstance(home_final, Header) else -1)
        await self.tokens.learn(ground, {token for way in self._ways for token, _ in way.source.waiting()})
        if isinstance(away_final, Header):
            await self._guarded(self.claims, self._carry(self.claims, away_final, ground, self.home, found), found)
        if isinstance(home_final, Header) and self.away is not None:
            known = away_final.number if isinstance(away_final, Header) else -1
            await self._guarded(self.releases, self._release(home_final, known, self.away, found), found)

    async def _release(self, home_final: Header, away_final: int, by: Performer, found: Found) -> None:
        """Carry redemptions, at the head of the other chain."""
        head = await self.endpoints.head()
        ground = Ground(self.endpoints.node_at(head), head.number, away_final)
        await self._carry(self.releases, home_final, ground, by, found)

    @property
    def _ways(self) -> tuple[Way, Way]:
        return self.claims, self.releases

    async def _guarded(self, way: Way, work: Awaitable[None], found: Found) -> None:
        """Do one way; what it meets leaves the other alone."""
        try:
            await work
        except PlimsollError as problem:
            found.met(way.name, f"{way.name}: {problem}")

    async def _carry(self, way: Way, final: Header, ground: Ground, by: Performer, found: Found) -> None:
        """Decide about one way, and send what comes of it."""
        facts = await way.facts(ground, frozenset(self.tokens.known))
        places = {entry.token for entry in facts.waiting}
        # What is redeemed has no cap.
        room = await self.tokens.room(ground, places) if way is self.claims else {}
        view = RelayView(
            facts.waiting,
            facts.newest,
            final.number,
            # A header that is ahead of the own nodes is waited for.
            is_provable=way.unprovable != facts.newest and facts.newest <= final.number,
            is_frozen=facts.is_frozen,
            # Whether others give the missing ones is seen when a header is due.
            missing_signatures=0 if self.services else facts.missing_signatures,
            room_raw=room,
            least_raw={token: int(self.rule.least * 10 ** self.tokens.known[token].decimals) for token in places},
            names={token: self.tokens.known[token].name for token in places},
        )
        plan = decide_relay(view)
        found.waiting[way.name] = plan.waiting
        found.lag[way.name] = max(0, final.number - facts.newest)
        for place, text in enumerate(plan.held):
            found.alerts[f"{way.name} {place}"] = text
        transactions = await self._calls(way, plan, facts, found)
        if plan.needs_header and await self._may_post(way, by, facts.newest):
            signatures = await self._signatures(way, final, facts, ground, found)
            for posted in await by.send([way.header(final, signatures)] if signatures else []):
                found.deeds.append(posted)
                if posted.result in UNDER_WAY:
                    way.posted_sec = self.clock()
        found.deeds += await by.send(transactions)

    async def _signatures(
        self, way: Way, header: Header, facts: Facts, ground: Ground, found: Found
    ) -> Sequence[bytes]:
        """Return as many signatures as the feed asks for, own ones first; nothing where there are too few."""
        given, problems = await way.taken(ground, way.signed(header)), tuple[str, ...]()
        if len(given) < facts.threshold and self.services:
            others, problems = await collect(self.services, way, header, self.rule.ask_sec)
            given = await way.taken(ground, {**others, **given})
        if facts.threshold and len(given) >= facts.threshold:
            return list(given.values())[: facts.threshold]
        why = "".join(f"; {problem}" for problem in problems)
        text = f"{len(given)} of {facts.threshold} signatures of block {header.number}{why}"
        found.alerts[f"{way.name} signatures"] = text
        return ()

    async def _calls(self, way: Way, plan: RelayPlan, facts: Facts, found: Found) -> list[Transaction]:
        """Prove what is to be carried on the header that is known."""
        calls: list[Transaction] = []
        for entry in plan.carry[: self.rule.most]:
            try:
                proof = await way.source.prove(way.slot(entry.token, entry.to), facts.newest)
            except PlimsollError as problem:
                if isinstance(problem, ForgottenError):
                    # What waits is proven on a newer header then.
                    way.unprovable = facts.newest
                found.met(f"{way.name} proofs", str(problem))
                break
            if proof.word <= entry.done_raw:
                self._invented(way, entry, facts.newest, proof.word, found)
                continue
            calls.append(way.carrying(entry, proof, self.tokens.known[entry.token].name))
        return calls

    def _invented(self, way: Way, entry: Waiting, number: int, word: int, found: Found) -> None:
        """Forget what a node said and the chain did not."""
        way.source.proven((entry.token, entry.to), number, word)
        text = f"{way.name}: a node says {entry.total_raw} of {entry.token} for {entry.to}, the proof says {word}"
        found.met(f"{way.name} logs", text)

    async def _may_post(self, way: Way, by: Performer, newest: int) -> bool:
        """Whether the last header of this keeper is long enough ago, and none is under way, from before a kill too."""
        if way.posted_sec is not None and self.clock() - way.posted_sec < self.rule.header_sec:
            return False
        entries = await asyncio.to_thread(by.transactor.context.ledger.open_entries)
        return not way.is_under_way(newest, (entry.key for entry in entries))

    def _see_final(self, chain_id: int, final: Header, found: Found) -> None:
        """Tell when a chain has made nothing final for long."""
        known = self._finals.get(chain_id)
        if known is None or known[0] != final.number:
            self._finals[chain_id] = (final.number, self.clock())
            return
        quiet_sec = self.clock() - known[1]
        if quiet_sec > self.rule.quiet_sec:
            text = f"chain {chain_id}: no newly final block for {quiet_sec:.0f} s, limit {self.rule.quiet_sec:g} s"
            found.alerts[f"chain {chain_id} quiet"] = text

    async def _look_at_signer(self) -> None:
        """Look now and then what the signer there has left."""
        if self.away is None or (self._status_sec is not None and self.clock() - self._status_sec < STATUS_SEC):
            return
        self._status_sec = self.clock()
        self.signer = await status(self.away.transactor)


def seen_of(found: Found | None) -> tuple[Sequence[Deed], Sequence[str], Relayed | None]:
    """Return deeds, problems and the rest of a pass that may not be done."""
    return ((), (), None) if found is None else (found.deeds, found.problems, found.relayed)
