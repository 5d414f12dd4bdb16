"""The duties of one look, each by itself: what one of them meets stops none of the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from plimsoll.decide import (
    BidderRule,
    BidView,
    FillIntent,
    Hedge,
    Intent,
    PostSettlement,
    UpkeepView,
    bid_wishes,
    decide_bids,
    decide_funding,
    decide_liquidations,
    decide_margin_calls,
    decide_rates,
    decide_settlements,
    decide_strategy,
    decide_upkeep,
    hedge_of,
)
from plimsoll.decide.gas import gas_cost
from plimsoll.deployment.record import Deployment
from plimsoll.errors import PlimsollError
from plimsoll.feeds.desk import FeedDesk
from plimsoll.feeds.post import Pass
from plimsoll.keeper.bid_previews import preview_requests, read_previews
from plimsoll.keeper.duties import (
    auction_views,
    funding_view,
    liquidation_view,
    margin_call_view,
    rate_view,
    settlement_view,
)
from plimsoll.keeper.lookout import Look
from plimsoll.keeper.performer import Deed, Performer, transaction_of_post
from plimsoll.keeper.rate_calls import rate_questions, read_rates
from plimsoll.keeper.relay.relayer import Relayed, Relayer, seen_of
from plimsoll.keeper.settlement_call import from_rounds
from plimsoll.keeper.solving import Solver
from plimsoll.keeper.strategy_calls import read_strategy, strategy_questions
from plimsoll.keeper.upkeep_calls import Spot, queue_questions, read_queues, read_upkeep, upkeep_questions
from plimsoll.keeper.view import known_market_of, portfolio_of, round_of
from plimsoll.mirror.margin_engine import evaluate_many
from plimsoll.model import Round
from plimsoll.units import wad_to_float

log = structlog.get_logger()

#: Gas of a bid, for what it costs before its own estimate is there.
BID_GAS: Final = 2_000_000
#: A pass does not wait for the other chain; one that answers at once is told at once.
RELAY_PATIENCE_SEC: Final = 0.05
#: The coin that gas is paid in, where the deployment lists it.
COIN: Final = "ETH"


@dataclass(frozen=True, slots=True)
class Report:
    """What one duty did.

    Parameters
    ----------
    duty : str
    deeds : tuple of Deed
    problems : tuple of str
        What it met, a line each.
    seconds : float
        How long it took.
    posted : Pass or None
        What the feeds said, of the duty of prices.
    is_broken : bool
        Whether it ended on the way: such a pass is no progress.
    relayed : Relayed or None
        What was found on both chains, of the duty of remote collateral, when a look at them has ended.
    """

    duty: str
    deeds: tuple[Deed, ...] = ()
    problems: tuple[str, ...] = ()
    seconds: float = 0.0
    posted: Pass | None = None
    is_broken: bool = False
    relayed: Relayed | None = None


@dataclass(slots=True)
class Roster:
    """Who does what.

    Parameters
    ----------
    deployment : Deployment
    urgent : Performer or None
        Sends everything about auctions, and margin calls; ``None`` leaves them to others.
    calm : Performer or None
        Sends prices, settlements and upkeep; ``None`` leaves them to others.
    desk : FeedDesk or None
        Makes signed prices; ``None`` posts none.
    rule : BidderRule or None
        Whose account bids, and when; ``None`` does not bid.
    gas_price_wei : Callable
        What a unit of gas costs now.
    max_gas_price_wei : int
        Above it nothing is bid.
    solver : Solver or None
        Fills signed intents; ``None`` fills none.
    relayer : Relayer or None
        Carries between chains; ``None`` carries nothing.
    relay_patience_sec : float
        How long a pass waits for the other chain.
    """

    deployment: Deployment
    urgent: Performer | None
    calm: Performer | None
    desk: FeedDesk | None
    rule: BidderRule | None
    gas_price_wei: Callable[[], Awaitable[int]]
    max_gas_price_wei: int
    solver: Solver | None = None
    relayer: Relayer | None = None
    relay_patience_sec: float = RELAY_PATIENCE_SEC
    _pending: dict[str, Round] = field(default_factory=dict)

    @property
    def duties(self) -> tuple[str, ...]:
        """Names of the duties that this keeper has."""
        return tuple(name for name, _ in self._wanted())

    def _wanted(self) -> list[tuple[str, Callable[[Look], Awaitable[Report]]]]:
        urgent = [("liquidations", self.liquidations)] if self.urgent else []
        calm = [("settlements", self.settlements), ("upkeep", self.upkeep)] if self.calm else []
        prices = [("prices", self.prices)] if self.calm and self.desk else []
        intents = [("intents", self.intents)] if self.calm and self.solver else []
        remote = [("remote", self.remote)] if self.relayer else []
        return [*urgent, *prices, *calm, *intents, *remote]

    async def perform(self, look: Look) -> tuple[Report, ...]:
        """Do every duty at once.

        Parameters
        ----------
        look : Look

        Returns
        -------
        tuple of Report
            One for each duty, whatever happened to it.
        """
        return tuple(await asyncio.gather(*(_guarded(name, duty, look) for name, duty in self._wanted())))

    # --- duties -------------------------------------------------------------------------------------------------------

    async def liquidations(self, look: Look) -> Report:
        """Start, touch, end and write off; bid; call for margin."""
        if self.urgent is None:
            return Report("liquidations")
        view = liquidation_view(look.state, look.effects, look.head.ts, look.accounts, look.terms.auctions)
        deeds = await self.urgent.perform(decide_liquidations(view))
        bids, problems = await self._bids(look)
        deeds += await self.urgent.perform(bids)
        calls = decide_margin_calls(margin_call_view(look.state, look.effects, look.accounts, look.blurred))
        deeds += await self.urgent.perform(calls)
        refused = [f"account {number}: {reason}" for number, reason in sorted(look.asked.refused.items())]
        return Report("liquidations", tuple(deeds), (*problems, *refused))

    async def _bids(self, look: Look) -> tuple[Sequence[Intent], list[str]]:
        """Return the bids that pay, previewed on chain in one batch."""
        rule = self.rule
        if rule is None or not look.state.auctions:
            return (), []
        coin = look.state.rounds.get(self.deployment.underlyings.get(COIN, -1))
        price = wad_to_float(coin.spotWad) if coin is not None else 0.0
        gas_price_wei = await self.gas_price_wei()
        if gas_price_wei > self.max_gas_price_wei:
            return (), [
                f"no bids: gas costs {gas_price_wei} wei, liquidation.max_gas_price_wei is {self.max_gas_price_wei}"
            ]
        cost = gas_cost(BID_GAS, gas_price_wei, price)
        auctions = auction_views(look.state, look.effects, look.accounts)
        terms = look.terms
        view = BidView(look.head.ts, rule, look.accounts, auctions, terms.auctions, terms.fund_available)
        wishes = bid_wishes(view, cost)
        if not wishes:
            return (), []
        answers = await look.node.batch(preview_requests(self.deployment, wishes, rule.account_id, look.block))
        previews, refused = read_previews(wishes, rule.account_id, answers)
        lines = [f"bid for account {number}: {reason}" for number, reason in sorted(refused.items())]
        return decide_bids(wishes, previews, self._hedges(look, previews), rule, cost), lines

    def _hedges(self, look: Look, wanted: Mapping[int, object]) -> dict[int, Hedge]:
        """Return what there is to hedge in a few accounts, where the mirror knows."""
        market = known_market_of(look.state, self.deployment)
        if market is None or look.terms.params is None:
            return {}
        spots = {symbol: found.spot for symbol, found in market.rounds.items()}
        found: dict[int, Hedge] = {}
        for number in wanted:
            try:
                folio = portfolio_of(look.state, number, self.deployment)
                found[number] = hedge_of(evaluate_many(market, [folio], look.terms.params)[0], spots)
            except PlimsollError as problem:
                # Gross notional bounds what is to be hedged.
                log.info("no hedge", account=number, reason=str(problem))
        return found

    async def settlements(self, look: Look) -> Report:
        """Price what has expired, and turn it into cash."""
        if self.calm is None:
            return Report("settlements")
        sampled = frozenset(look.expired) if self.desk is not None else frozenset()
        view = settlement_view(look.state, self.deployment, look.head.ts, look.expired, look.final, sampled)
        wanted = decide_settlements(view)
        posts = [intent for intent in wanted if isinstance(intent, PostSettlement)]
        deeds, problems = await self._post_settlements(look, posts)
        deeds += await self.calm.perform([intent for intent in wanted if not isinstance(intent, PostSettlement)])
        return Report("settlements", tuple(deeds), tuple(problems))

    async def _post_settlements(self, look: Look, posts: Sequence[PostSettlement]) -> tuple[list[Deed], list[str]]:
        """Post prices of series, each by the source that is open for it."""
        if self.calm is None:
            return [], []
        deeds: list[Deed] = []
        problems: list[str] = []
        for intent in posts:
            if self.desk is None:
                deeds += await self.calm.send([from_rounds(self.deployment, intent)])
                continue
            number = self.deployment.underlyings.get(intent.underlying, -1)
            posted = look.state.rounds.get(number)
            last_ts = int(posted.ts) if posted is not None and posted.ts <= intent.expiry_ts else None
            found = await self.desk.settlements.settle(intent.underlying, intent.expiry_ts, last_ts)
            deeds += await self.calm.send([transaction_of_post(post) for post in found.posts])
            problems += [str(problem) for problem in found.problems]
        return deeds, problems

    async def prices(self, look: Look) -> Report:
        """Read the feeds, have signed what moved, and post it."""
        if self.calm is None or self.desk is None:
            return Report("prices")
        posted = await self.desk.posts(look.expiries, self._standing(look), self._urgent(look))
        deeds = await self.calm.send([transaction_of_post(post) for post in posted.posts])
        taken = {deed.key for deed in deeds if deed.result == "sent"}
        for post in posted.posts:
            if post.key in taken and isinstance(post.posted, Round):
                self._pending[post.posted.underlying] = post.posted
        problems = tuple(str(problem) for problem in posted.problems)
        return Report("prices", tuple(deeds), problems, posted=posted)

    def _standing(self, look: Look) -> dict[str, Round]:
        """Return the newest round of each underlying that is on chain, or on its way."""
        found: dict[str, Round] = {}
        for symbol, number in self.deployment.underlyings.items():
            if number in look.state.rounds:
                found[symbol] = round_of(look.state, number, symbol)
        for symbol, pending in self._pending.items():
            if symbol not in found or pending.ts > found[symbol].ts:
                found[symbol] = pending
        return found

    def _urgent(self, look: Look) -> frozenset[str]:
        """Return the underlyings whose round is too old for a liquidation that waits for it."""
        oldest_ts = look.head.ts - look.terms.heartbeat_sec
        ids = self.deployment.underlyings
        return frozenset(
            symbol
            for symbol, number in ids.items()
            if look.state.auctions and number in look.state.rounds and look.state.rounds[number].ts < oldest_ts
        )

    async def upkeep(self, look: Look) -> Report:
        """Funding, rates of wrapped tokens, ranges, waiting withdrawals, shares of a loss that is over, strategies."""
        if self.calm is None:
            return Report("upkeep")
        state, block_ts, heartbeat_sec = look.state, look.head.ts, look.terms.heartbeat_sec
        spots = {
            symbol: Spot(state.rounds[number].ts, wad_to_float(state.rounds[number].spotWad))
            for symbol, number in self.deployment.underlyings.items()
            if number in state.rounds and state.rounds[number].ts >= block_ts - heartbeat_sec
        }
        questions = upkeep_questions(self.deployment, spots, look.effects.sharing)
        sources = rate_questions(state)
        vault = strategy_questions(self.deployment)
        asked = [q.request(self.deployment, look.block) for q in (*questions, *sources, *vault)]
        answers = await look.node.batch(asked)
        at = len(questions) + len(sources)
        stated = read_rates(sources, answers[len(questions) : at])
        strategy, refused = read_strategy(answers[at:])
        found = read_upkeep(self.deployment, questions, answers[: len(questions)], spots, look.effects.releases)
        second = queue_questions(self.deployment, found.heads)
        replies = await look.node.batch([q.request(self.deployment, look.block) for q in second]) if second else []
        queues, problems = read_queues(self.deployment, found.heads, replies)
        view = UpkeepView(block_ts, found.ranges, queues, found.shares, found.is_loss_open)
        intents: list[Intent] = [
            *decide_funding(funding_view(state, self.deployment, block_ts, heartbeat_sec)),
            *decide_rates(rate_view(state, self.deployment, block_ts, stated)),
            *decide_upkeep(view),
            *decide_strategy(strategy),
        ]
        deeds = await self.calm.perform([intent for intent in intents if not isinstance(intent, FillIntent)])
        return Report("upkeep", tuple(deeds), (*found.problems, *problems, *refused))

    async def intents(self, look: Look) -> Report:
        """Fill the signed intent that gains most."""
        if self.calm is None or self.solver is None:
            return Report("intents")
        fills, problems = await self.solver.fills(look)
        return Report("intents", tuple(await self.calm.send(fills)), tuple(problems))

    async def remote(self, look: Look) -> Report:
        """Say what the look at both chains has found that is under way, and begin the next."""
        if self.relayer is None:
            return Report("remote")
        deeds, problems, relayed = seen_of(await self.relayer.step(look, self.relay_patience_sec))
        return Report("remote", tuple(deeds), tuple(problems), relayed=relayed)


async def _guarded(name: str, duty: Callable[[Look], Awaitable[Report]], look: Look) -> Report:
    """Do one duty; what it meets becomes a line of its report."""
    began = time.monotonic()
    try:
        report = await duty(look)
    except PlimsollError as problem:
        report = Report(name, problems=(str(problem),), is_broken=True)
    except Exception as defect:
        # A defect of one duty is logged whole, counted, and leaves the others at work.
        log.exception("a duty failed", duty=name)
        report = Report(name, problems=(f"{type(defect).__name__}: {defect}",), is_broken=True)
    return replace(report, seconds=time.monotonic() - began)
