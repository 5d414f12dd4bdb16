"""Wires index, mirror, decide and transact into one step that can be repeated for ever."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import structlog

from plimsoll.chain.client import Client
from plimsoll.chain.revert import RevertError
from plimsoll.constants import AGREEMENT_BOUND
from plimsoll.decide import (
    AccountView,
    AuctionView,
    Bid,
    BidderRule,
    Intent,
    PostRound,
    PostSettlement,
    PostTokenPrices,
    Settle,
)
from plimsoll.decide.auctions import AuctionTerms
from plimsoll.demo.keeper.encoder import Encoder
from plimsoll.demo.keeper.policy import decide
from plimsoll.demo.keeper.sizing import carried, in_parts
from plimsoll.demo.keeper.snapshot import Snapshot
from plimsoll.deployment.record import Deployment
from plimsoll.errors import DomainError, PlimsollError
from plimsoll.index.sync import Index
from plimsoll.keeper.duties import rate_view
from plimsoll.keeper.holdings import Holdings
from plimsoll.keeper.sources import sources_of
from plimsoll.keeper.view import market_of, portfolio_of, priced_alone
from plimsoll.mirror.margin_engine import MarginResult, evaluate_many
from plimsoll.params import Params
from plimsoll.protocol.parameters import chain_params
from plimsoll.transact import Outcome, Transactor
from plimsoll.units import wad_to_float

log = structlog.get_logger()

FIRST_USER_ACCOUNT = 2
MAX_PASSES = 12


@dataclass(frozen=True, slots=True)
class Done:
    """One intent and how it ended."""

    intent: Intent
    outcome: Outcome


class Keeper:
    """One keeper of one deployment.

    Parameters
    ----------
    client : Client
        Endpoint.
    deployment : Deployment
        Addresses, ids, parameters.
    index : Index
        State by events.
    encoder : Encoder
        Intents to calls.
    transactor : Transactor
        Sends them.
    bidder : BidderRule or None
        ``None`` when this keeper does not bid.
    """

    def __init__(
        self,
        client: Client,
        deployment: Deployment,
        index: Index,
        encoder: Encoder,
        transactor: Transactor,
        bidder: BidderRule | None,
    ) -> None:
        self._client = client
        self._deployment = deployment
        self._encoder = encoder
        self._transactor = transactor
        self._bidder = bidder
        self._book_version = -1
        self._params: Params | None = None
        self._follow_governance()
        self._required: dict[str, set[int]] = {}
        self.index = index

    def margins(self, account_ids: Sequence[int]) -> dict[int, MarginResult]:
        """Compute margins from the index alone.

        Parameters
        ----------
        account_ids : Sequence[int]
            Accounts.

        Returns
        -------
        dict[int, MarginResult]
            Empty while the market on chain is incomplete, or its rows are none that a book may have.

        Raises
        ------
        DomainError
            When a position's expiry is not in the round.
        """
        market = market_of(self.index.state, self._deployment)
        if market is None or self._params is None or not account_ids:
            return {}
        folios = [portfolio_of(self.index.state, i, self._deployment) for i in account_ids]
        return dict(zip(account_ids, evaluate_many(market, folios, self._params), strict=True))

    def observe(self) -> Snapshot:
        """Bring the index up to the head and say what the world looks like.

        Returns
        -------
        Snapshot
            Without accounts while prices are missing, and without those that hold an expired series or positions on a
            stale round: nothing may be decided on them. The others wait for neither.
        """
        self.index.sync()
        self._follow_governance()
        state, deployment = self.index.state, self._deployment
        now_ts = self._client.block_ts()
        holdings = Holdings.of(state)
        expired = holdings.expired(deployment.underlyings, now_ts)
        self._required = holdings.expiries(deployment.underlyings)
        offered = {symbol: r.ts for symbol, r in self._encoder.feed.rounds(self._required).items()}
        quote = self._encoder.feed.tokens()
        market = market_of(state, deployment)
        waiting = frozenset(account_id for holders in expired.values() for account_id in holders)
        views = {} if market is None else self._views(waiting, now_ts)
        account_params = (self._params or Params()).account
        return Snapshot(
            block_ts=now_ts,
            offered_round_ts=offered,
            funded_round_ts={s: state.funded_round_ts.get(n, 0) for s, n in deployment.underlyings.items()},
            heartbeat_sec=self._heartbeat_sec,
            rates=rate_view(state, deployment, now_ts, self._stated()).rates,
            posted_round_ts={s: state.rounds[n].ts for s, n in deployment.underlyings.items() if n in state.rounds},
            offered_token_ts=quote.ts if quote else 0,
            posted_token_ts=min(self._token_times(), default=0),
            expired=expired,
            settled_prices=frozenset(key for key in expired if self._is_priced(key)),
            accounts=tuple(views.values()),
            auctions=self._auctions(views),
            bidder=self._bidder,
            fund_available=wad_to_float(deployment.contract(self._client, "InsuranceFund").call("availableWad")),
            terms=AuctionTerms(account_params.buffer, account_params.fee_rate, account_params.bonus_share),
        )

    def _follow_governance(self) -> None:
        """Take parameters and heartbeat from the contracts; the artefact only knows what was deployed."""
        self._heartbeat_sec = int(self._deployment.contract(self._client, "Oracle").call("heartbeatSec"))
        version = self._deployment.contract(self._client, "ScenarioBook").call("version")
        if version == self._book_version:
            return
        self._book_version = version
        try:
            self._params = chain_params(self._client, self._deployment)
        except DomainError as problem:
            # Rows that no book may have: prices are posted and series settled, but nothing is margined here.
            log.warning("no parameters", reason=problem.message)
            self._params = None

    def _stated(self) -> dict[int, float]:
        """Return what the sources of rates state now, by token; 0 for one that fails."""
        feed = self._deployment.contract(self._client, "RateFeed")
        return {token_id: wad_to_float(feed.call("ceilingOf", token_id)) for token_id in self.index.state.rates}

    def _is_priced(self, series: tuple[str, int]) -> bool:
        return (self._deployment.underlyings[series[0]], series[1]) in self.index.state.settled

    def _token_times(self) -> list[int]:
        """Return the times of the prices of tokens that no round prices; 0 for one never posted."""
        prices = self.index.state.token_prices
        return [prices.get(token_id, (0, 0))[0] for token_id in priced_alone(self.index.state, self._deployment)]

    def _views(self, waiting: frozenset[int], now_ts: int) -> dict[int, AccountView]:
        """Return every account that holds something and waits for no settlement, as the mirror sees it.

        Near a limit, and where collateral has a stale price, as the chain does; those on a stale round not at all.
        """
        own = self._bidder.account_id if self._bidder else None
        held = [
            i
            for i, a in self.index.state.accounts.items()
            if i >= FIRST_USER_ACCOUNT and (a.words or a.cash_wad < 0 or i == own)
        ]
        sources = sources_of(self.index.state, self._deployment, now_ts - self._heartbeat_sec)
        held = [i for i in held if i not in waiting and not sources.stops(self.index.state.accounts[i])]
        dubious = [i for i in held if sources.blurs(self.index.state.accounts[i])]
        results = self._results([i for i in held if i not in dubious])
        views = {i: _view(i, result) for i, result in results.items()}
        views |= self._chain_views([*dubious, *(i for i, result in results.items() if _is_uncertain(result))])
        return {i: replace(view, is_pure_debt=self._is_pure_debt(i)) for i, view in views.items()}

    def _chain_views(self, account_ids: Sequence[int]) -> dict[int, AccountView]:
        """Return accounts as an auction would value them; without those that it could not."""
        engine = self._deployment.contract(self._client, "MarginEngine")
        views: dict[int, AccountView] = {}
        for account_id in account_ids:
            try:
                state = engine.call("auctionMarginOf", account_id)
            except RevertError as problem:
                log.warning("no margin", account=account_id, reason=problem.message)
                continue
            values = (state.equityWad, state.marketEquityWad, state.initialWad, state.maintenanceWad)
            equity, market_equity, initial, maintenance = (wad_to_float(value) for value in values)
            views[account_id] = AccountView(account_id, equity, market_equity, initial, maintenance)
        return views

    def _results(self, account_ids: Sequence[int]) -> dict[int, MarginResult]:
        """Compute margins; where one account cannot be valued, those of all others."""
        try:
            return self.margins(account_ids)
        except DomainError:
            found: dict[int, MarginResult] = {}
            for account_id in account_ids:
                try:
                    found |= self.margins([account_id])
                except DomainError as problem:
                    log.warning("no margin", account=account_id, reason=problem.message)
            return found

    def _is_pure_debt(self, account_id: int) -> bool:
        account = self.index.state.accounts[account_id]
        return account.cash_wad < 0 and not account.words and not account.collateral

    def _auctions(self, views: dict[int, AccountView]) -> tuple[AuctionView, ...]:
        """Return the running auctions of accounts with a margin."""
        running: list[AuctionView] = []
        for account_id, auction in sorted(self.index.state.auctions.items()):
            if account_id not in views:
                continue
            reserve = wad_to_float(auction.reserve_wad)
            solvent = views[account_id].market_equity >= reserve
            running.append(
                AuctionView(
                    account_id,
                    auction.started_ts,
                    solvent,
                    clock_ts=(auction.solvent_ts if solvent else auction.insolvent_ts) or None,
                    vouched_ts=auction.vouched_ts or None,
                    reserve=reserve,
                    credit=wad_to_float(auction.credit_wad),
                    loss=wad_to_float(auction.loss_wad),
                    bid_count=auction.bid_count,
                    lines=wad_to_float(self.index.state.backing_of(account_id)[1]),
                )
            )
        return tuple(running)

    def run_pass(self, *, dry_run: bool = False) -> list[Done]:
        """Observe, decide and act once.

        Parameters
        ----------
        dry_run : bool
            Simulate every intent instead of sending it.

        Returns
        -------
        list[Done]
            Every intent with its end, in order.
        """
        snapshot = self.observe()
        ended = self._perform(decide(snapshot), dry_run=dry_run)
        refused = {item.intent for item in ended if not item.outcome.done}
        calm = _without_offers(snapshot, refused)
        if calm != snapshot and not any(item.outcome.receipt for item in ended):
            # A feed whose message is not taken must not keep the keeper from what the prices on chain still say.
            tried = {item.intent.key for item in ended}
            ended += self._perform((i for i in decide(calm) if i.key not in tried), dry_run=dry_run)
        return ended

    def _perform(self, intents: Iterable[Intent], *, dry_run: bool) -> list[Done]:
        """Act on intents in order; settlements in parts that fit, and none of a series without a price."""
        ended: list[Done] = []
        unpriced: set[tuple[str, int]] = set()
        for intent in intents:
            if isinstance(intent, Settle) and (intent.underlying, intent.expiry_ts) in unpriced:
                continue
            for part in self._sized(intent):
                ended.append(Done(part, self._act(part, dry_run=dry_run)))
            if isinstance(intent, PostSettlement) and (dry_run or not ended[-1].outcome.done):
                unpriced.add((intent.underlying, intent.expiry_ts))
        return ended

    def _sized(self, intent: Intent) -> Iterable[Intent]:
        """Cut an intent to what fits a transaction and the bidder's margin."""
        if isinstance(intent, Settle):
            return in_parts(intent, self._probe)
        return (carried(intent, self._probe),) if isinstance(intent, Bid) else (intent,)

    def _probe(self, intent: Intent) -> Outcome:
        """Run an intent without sending it."""
        return self._act(intent, dry_run=True)

    def _act(self, intent: Intent, *, dry_run: bool) -> Outcome:
        """Encode one intent and send or simulate it."""
        try:
            transaction = self._encoder.encode(intent, self._required)
        except PlimsollError as problem:
            return Outcome(intent.key, False, reason=str(problem))
        if transaction is None:
            return Outcome(intent.key, False, reason="this keeper has no key or no samples for it")
        outcome = self._transactor.simulate(transaction) if dry_run else self._transactor.execute(transaction)
        log.debug("intent", key=intent.key, done=outcome.done, reason=outcome.reason, dry_run=dry_run)
        return outcome

    def run_until_idle(self) -> list[Done]:
        """Repeat passes until one achieves nothing.

        Returns
        -------
        list[Done]
            Of all passes.
        """
        ended: list[Done] = []
        for _ in range(MAX_PASSES):
            now = self.run_pass()
            ended.extend(now)
            if not any(item.outcome.receipt for item in now):
                break
        return ended


def _view(account_id: int, result: MarginResult) -> AccountView:
    return AccountView(
        account_id, result.equity, result.market_equity, result.initial_margin, result.maintenance_margin
    )


def _without_offers(snapshot: Snapshot, refused: set[Intent]) -> Snapshot:
    """Return the same world, had the feeds not offered what was refused."""
    rounds = {intent.underlying for intent in refused if isinstance(intent, PostRound)}
    offered = {symbol: ts for symbol, ts in snapshot.offered_round_ts.items() if symbol not in rounds}
    no_tokens = any(isinstance(intent, PostTokenPrices) for intent in refused)
    return replace(snapshot, offered_round_ts=offered, offered_token_ts=0 if no_tokens else snapshot.offered_token_ts)


def _is_uncertain(result: MarginResult) -> bool:
    """Whether a decision lies within the accuracy of the mirror."""
    band = AGREEMENT_BOUND * result.gross_notional
    gaps = (
        result.equity - result.maintenance_margin,
        result.equity - result.initial_margin,
        result.market_equity,
    )
    return min(abs(gap) for gap in gaps) <= band
