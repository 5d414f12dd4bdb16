"""A real deployment on anvil with accounts that trade against a market maker, and one pass of the keeper's duties."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from plimsoll.chain import anvil
from plimsoll.chain.abi import decode_event, load_artifact
from plimsoll.chain.client import Client
from plimsoll.constants import DAY_SEC
from plimsoll.decide import (
    AuctionTerms,
    BidderRule,
    BidView,
    Intent,
    Margins,
    bid_wishes,
    decide_bids,
    decide_liquidations,
    decide_margin_calls,
    merged,
    sift,
)
from plimsoll.demo.plan import PlannedTrade
from plimsoll.demo.result import GasBook
from plimsoll.demo.world import Holder, World, build_world
from plimsoll.deployment.spec import spec_for_market
from plimsoll.files.market import load_market
from plimsoll.index.state import SOURCES, State, apply
from plimsoll.keeper.bid_previews import preview_requests, read_previews
from plimsoll.keeper.chain_margins import ChainMargins, margin_requests, read_margins
from plimsoll.keeper.duties import auction_views, liquidation_view, margin_call_view, pure_debts
from plimsoll.keeper.effects import Effects, effects_of
from plimsoll.keeper.encode import action_call
from plimsoll.keeper.view import market_of, portfolio_of
from plimsoll.mirror.margin_engine import evaluate_many
from plimsoll.model import Kind, Market, Mode, Position
from plimsoll.params import Params
from plimsoll.protocol.margin_engine import own_prices
from plimsoll.protocol.rounds import RoundPoster

MARKET = Path(__file__).resolve().parents[3] / "examples" / "market.json"
FIRST_USER_ACCOUNT = 2


@dataclass
class LocalChain:
    """The world, what its events say, and who sends."""

    world: World
    market: Market
    state: State = field(default_factory=State)
    effects: Effects = field(default_factory=Effects)
    spot: float = 1_900.0

    def __post_init__(self) -> None:
        self.client, self.deployment = self.world.client, self.world.deployment
        self.poster = RoundPoster(self.client, self.deployment, self.world.signers)
        self.relayer = self.world.funded_wallet("relayer")
        self.params = Params()

    def post(self, eth: float) -> None:
        """Post both rounds at the time of the chain, ETH in proportion to its new spot."""
        scale, ts = eth / self.market.rounds["ETH"].spot, self.client.block_ts()
        for symbol, shape in self.market.rounds.items():
            factor = scale if symbol == "ETH" else 1.0
            surfaces = tuple(replace(s, forward=s.forward * factor) for s in shape.surfaces if s.expiry_ts > ts)
            fresh = replace(shape, ts=ts, spot=shape.spot * factor, perp=shape.perp * factor, surfaces=surfaces)
            self.poster.send(self.relayer, self.poster.round_call(fresh))
        self.poster.send(self.relayer, self.poster.tokens_call(ts, own_prices(self.market)))
        self.spot = eth

    def wait(self, sec: int) -> None:
        """Move the clock."""
        self.world.set_time(self.client.block_ts() + sec)

    def sync(self) -> None:
        """Fold every event of the chain, from its first, as after a restart."""
        self.state = State()
        names = {self.deployment.contracts[name].lower(): name for name in SOURCES}
        query = {"fromBlock": "0x0", "toBlock": "latest", "address": sorted(names)}
        for log in self.client.rpc("eth_getLogs", query):
            contract = names[log["address"].lower()]
            event, values = decode_event(load_artifact(contract).events[log["topics"][0]], log)
            seen = SimpleNamespace(
                contract=contract, name=event, values=vars(values), block_ts=int(log["blockTimestamp"], 16)
            )
            apply(self.state, seen)  # type: ignore[arg-type]
        self.state.ts = self.client.block_ts()
        self.effects = effects_of(self.state)

    def trader(self, name: str, maker: Holder, cash: float, *positions: Position, mode: Mode = Mode.SINGLE) -> Holder:
        """Open an account and let it trade."""
        holder = self.world.open(name, mode, cash, by_permit=False)
        for position in positions:
            price = position.price if not position.kind.is_option else 100.0
            self.world.trade(holder, maker, PlannedTrade(position, price))
        return holder

    def perp(self, quantity: float) -> Position:
        return Position("ETH", Kind.PERP, 0, self.spot, quantity)

    def margins(self, *, unknown: bool = False) -> Margins:
        """Margins of all accounts by the mirror, or none where it cannot say anything."""
        ids = [i for i in sorted(self.state.accounts) if i >= FIRST_USER_ACCOUNT]
        nobody = np.zeros(len(ids), dtype=bool)
        if unknown:
            nothing = np.full(len(ids), np.nan)
            return Margins(np.array(ids), *[nothing] * 5, unknown=~nobody, bounded=nobody)
        market = market_of(self.state, self.deployment)
        assert market is not None
        found = evaluate_many(market, [portfolio_of(self.state, i, self.deployment) for i in ids], self.params)
        names = ("equity", "market_equity", "initial_margin", "maintenance_margin", "gross_notional")
        columns = [np.array([getattr(result, name) for result in found]) for name in names]
        return Margins.ordered(np.array(ids), *columns, unknown=nobody, bounded=nobody)

    def ask(self, account_ids: Any) -> ChainMargins:
        """Ask the contract in one batch."""
        return read_margins(account_ids, self.client.batch(margin_requests(self.deployment, account_ids, "latest")))

    def decide(self, rule: BidderRule | None = None, *, unknown: bool = False, gas: float = 0.0) -> tuple[Intent, ...]:
        """Observe and decide: liquidations, bids, calls."""
        self.sync()
        also = {*self.state.auctions, *self.effects.called, *([rule.account_id] if rule else [])}
        sifted = sift(self.margins(unknown=unknown), also=also & self.state.accounts.keys())
        answers = self.ask(sifted.ask)
        ids = [*(view.account_id for view in sifted.views), *answers.views]
        accounts = merged(sifted, answers.views, pure_debts(self.state, ids))
        steps = decide_liquidations(liquidation_view(self.state, self.effects, self.state.ts, accounts, AuctionTerms()))
        calls = decide_margin_calls(margin_call_view(self.state, self.effects, accounts, ()))
        if rule is None:
            return (*steps, *calls)
        wishes = bid_wishes(
            BidView(self.state.ts, rule, accounts, auction_views(self.state, self.effects, accounts)), gas
        )
        answers_ = self.client.batch(preview_requests(self.deployment, wishes, rule.account_id, "latest"))
        previews, _ = read_previews(wishes, rule.account_id, answers_)
        return (*steps, *decide_bids(wishes, previews, {}, rule, gas), *calls)

    def send(self, intent: Intent, by: Any = None) -> Any:
        """Send one intent; a revert is raised by name."""
        call = action_call(self.deployment, intent)  # type: ignore[arg-type]
        return self.client.send(by or self.relayer, call.target, call.data, source=intent.key)


def shifted(market: Market, start_ts: int) -> Market:
    """Return a market at another time: expiries move by whole days, because they keep their hour."""
    days_sec = (start_ts - market.ts) // DAY_SEC * DAY_SEC
    rounds = {
        symbol: replace(
            shape,
            ts=start_ts,
            surfaces=tuple(replace(s, expiry_ts=s.expiry_ts + days_sec) for s in shape.surfaces),
        )
        for symbol, shape in market.rounds.items()
    }
    return replace(market, ts=start_ts, rounds=rounds)


@contextmanager
def local_chain(start_ts: int | None = None, states_kept: int = anvil.STATES_KEPT) -> Iterator[LocalChain]:
    """Deploy everything on a fresh anvil and post the first rounds; at the time of the market file, or another."""
    market = load_market(MARKET)
    if start_ts is not None:
        market = shifted(market, start_ts)
    with anvil.running(market.ts, states_kept=states_kept) as node:
        client = Client(node.url)
        chain = LocalChain(build_world(client, spec_for_market(market, Params(), ()), GasBook()), market)
        chain.post(1_900.0)
        yield chain
