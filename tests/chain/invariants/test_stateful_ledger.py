"""One machine over deposit, withdraw, trade, round, time, liquidate and settle on the deployed contracts.

Rules change the chain, invariants only read it. A valid rule may be refused only by the error that the state before
it justifies. Another seed: PLIMSOLL_SEED=<number> make test-stateful, or PLIMSOLL_SEED=random.
"""

from __future__ import annotations

import os
import random
from collections import Counter, defaultdict
from fractions import Fraction

import brownie
from hypothesis import HealthCheck, core, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from plimsoll.chain.revert import RevertError
from plimsoll.chain.words import unpack
from plimsoll.index.interest import accrual
from plimsoll.index.state import snapshot_fields
from plimsoll.model import Kind, Round
from plimsoll.protocol.rounds import RoundPoster
from tests.chain.helpers.orders import FILL_OR_KILL, LIMIT, POST_ONLY
from tests.chain.invariants.properties import check
from tests.chain.invariants.world import (
    ADMIN,
    CLEARING,
    ETH,
    FAR,
    FUND,
    RAW_PER_CASH,
    SIGNERS,
    STRANGER,
    WAD,
    WAD_PER_RAW,
    Base,
    World,
    build,
    fees_of,
    reset,
)

#: IAccounts.Reason
TRANSFER = 3
#: Underlying, kind and expiry of a position word.
SERIES_SHIFT = 200
EXAMPLES, STEPS = 60, 30
REACHED = (
    *(
        "trade perp",
        "quote",
        "quote refused",
        "reduce",
        "reduce refused",
        "cancel",
        "funding",
        "borrow",
        "borrow refused",
    ),
    *("deposit", "withdraw", "round", "auction", "bid solvent", "bid insolvent", "settle"),
)
#: The same run on every machine, so that a failure is a change of the code; see the module text for others.
SEED = 20_260_130
MAKER_ID = 2
TRADER_IDS = (3, 4, 5)
#: What stands in the way of a margin number when the market is stale or a position has expired.
NO_MARGIN = {"Oracle__Stale", "Oracle__ExpiryNotInRound"}

#: What refuses a withdrawal beyond what the vault lets out.
BEYOND = {
    *("Vault__AboveOutflow", "Vault__Illiquid", "Accounts__UtilisationAboveCap"),
    *("Accounts__InsufficientCash", "Accounts__InsufficientCollateral"),
}

done: Counter[str] = Counter()


def excess(margin, requirement):
    return margin.equityWad - getattr(margin, requirement)


A_TRADER = st.sampled_from(TRADER_IDS)
A_PAIR = st.sampled_from([*((t, MAKER_ID) for t in TRADER_IDS), *((MAKER_ID, t) for t in TRADER_IDS), (3, 4), (5, 3)])
A_KIND = st.sampled_from([Kind.PERP, Kind.PERP, Kind.FUTURE, Kind.CALL, Kind.PUT])
#: Kinds of the maker's and of the taker's order.
A_KINDS = st.sampled_from([(LIMIT, LIMIT), (POST_ONLY, LIMIT), (LIMIT, FILL_OR_KILL), (POST_ONLY, FILL_OR_KILL)])
A_EXPIRY = st.sampled_from([0, 1])
A_STRIKE = st.sampled_from([1_800, 2_000, 2_200])
#: Share of what the trader's cash could carry at a requirement of a quarter of the notional.
A_LOAD = st.sampled_from([0.05, 0.3, 0.7, 1.0])
#: Odd wei on purpose: rounding shows only there.
A_ODD = st.integers(0, 10**9)
A_CASH = st.integers(1, 20_000 * RAW_PER_CASH)
A_WETH = st.integers(1, 2 * WAD)
A_TENTHS = st.sampled_from([1, 5, 10])
#: Within the oracle's largest move per round, 0.25.
A_MOVE = st.sampled_from([-0.22, -0.1, -0.01, 0.02, 0.1, 0.22])
#: Both ends are beyond what funding counts, 1% of spot.
A_PREMIUM = st.sampled_from([-0.02, -0.001, 0.0, 0.004, 0.02])
#: Three of them pass the heartbeat and the first expiry, which are two hours.
A_SEC = st.sampled_from([600, 3_000])
A_FRACTION = st.sampled_from([WAD // 3, WAD])
A_TOKEN = st.sampled_from(["USDC", "WETH"])


class Ledger(RuleBasedStateMachine):
    """Rules and invariants."""

    base: Base

    def __init__(self):
        super().__init__()
        reset(self.base)
        self.world = World(self.base)
        self.world.round_ts = self.world.state.rounds[ETH].ts

    # --- rules

    @rule(trader=A_TRADER, cash=A_CASH)
    def rule_deposit(self, trader, cash):
        self.world.deposit(trader, "USDC", cash)
        done["deposit"] += 1

    @rule(trader=A_TRADER, weth=A_WETH)
    def rule_deposit_collateral(self, trader, weth):
        world = self.world
        # What has no fresh price counts for nothing yet: it is neither a shield nor a reason.
        owner, token = world.owners[trader], world.tokens["WETH"].address
        refusal = world.refusal(owner, "vault", "deposit", trader, token, weth)
        if refusal is not None:
            check(refusal.name == "Oracle__Stale" and world.is_stale(), "I-08", refusal=refusal.name)
            return
        world.deposit(trader, "WETH", weth)
        done["deposit collateral"] += 1

    @rule(trader=A_TRADER, tenths=A_TENTHS, token=A_TOKEN)
    def rule_withdraw(self, trader, tenths, token):
        world, token_id = self.world, self.base.deployment.tokens[token].token_id
        snapshot = world.accounts.call("snapshotOf", trader)
        held = dict(zip(snapshot.tokenIds, snapshot.amountsWad, strict=True))
        held_wad = snapshot.cashWad if token_id == 0 else held.get(token_id, 0)
        scale = WAD_PER_RAW if token_id == 0 else 1
        amount_raw = held_wad * tenths // 10 // scale
        if amount_raw <= 0:
            return
        limit = world.vault.call("limitOf", trader, token_id)
        if token_id == 0:
            snapshot.cashWad -= amount_raw * scale + world.vault.call("lossShareOf", amount_raw * scale)
        else:
            left = {**held, token_id: held_wad - amount_raw}
            snapshot.tokenIds = [t for t, amount in left.items() if amount]
            snapshot.amountsWad = [left[t] for t in snapshot.tokenIds]
        foreseen = world.marginengine.call_many("evaluate", [[snapshot]])[0]
        owner, token = world.owners[trader], world.tokens[token].address
        refusal = world.refusal(owner, "vault", "withdraw", trader, token, amount_raw, owner.address)
        if amount_raw > limit:
            check(refusal is not None and refusal.name in BEYOND, "I-10", got=refusal, limit=limit)
            done["withdraw beyond the limit"] += 1
            return
        if not snapshot.positions and snapshot.cashWad >= 0:
            # Who owes nothing needs no margin number: no feed can hold the own money back.
            check(refusal is None, "I-08", refusal=refusal)
            world.send(owner, "vault", "withdraw", trader, token, amount_raw, owner.address)
            done["withdraw without debt"] += 1
        elif isinstance(foreseen, RevertError):
            check(foreseen.name in NO_MARGIN, "I-10", foreseen=foreseen)
            check(refusal is not None and refusal.name == foreseen.name, "I-10", got=refusal, foreseen=foreseen)
        elif excess(foreseen, "initialWad") < 0:
            wanted = (foreseen.equityWad, foreseen.initialWad)
            fits = refusal is not None and refusal.name == "MarginEngine__BelowInitial" and refusal.values == wanted
            check(fits, "I-02", refusal=refusal, foreseen=wanted)
            done["withdraw refused"] += 1
        else:
            check(refusal is None, "I-10", refusal=refusal, equity=foreseen.equityWad, initial=foreseen.initialWad)
            world.send(owner, "vault", "withdraw", trader, token, amount_raw, owner.address)
            check(excess(world.margin(trader), "initialWad") >= 0, "I-02", account=trader)
            done["withdraw"] += 1

    @rule(trader=A_TRADER, percent=st.sampled_from([20, 80, 95, 130]), odd=st.integers(0, RAW_PER_CASH))
    def rule_borrow(self, trader, percent, odd):
        """Bring collateral and borrow a share of what the margin leaves, or more than it."""
        world = self.world
        if world.is_stale():
            return
        world.deposit(trader, "WETH", WAD)
        margin = world.margin(trader)
        if isinstance(margin, RevertError):
            return
        room = max(excess(margin, "initialWad"), 0)
        amount_raw = max(room, WAD) * percent // 100 // WAD_PER_RAW + odd
        snapshot = world.accounts.call("snapshotOf", trader)
        snapshot.cashWad -= amount_raw * WAD_PER_RAW
        foreseen = world.marginengine.call_many("evaluate", [[snapshot]])[0]
        owner = world.owners[trader]
        refusal = world.refusal(owner, "vault", "borrow", trader, amount_raw, owner.address)
        if refusal is not None and refusal.name in BEYOND:
            check(amount_raw > world.vault.call("limitOf", trader, 0), "I-10", got=refusal)
            return
        if snapshot.cashWad >= 0 and not snapshot.positions:
            check(refusal is None, "I-08", refusal=refusal)
        elif isinstance(foreseen, RevertError):
            check(refusal is not None and refusal.name == foreseen.name, "I-10", got=refusal, foreseen=foreseen)
            return
        elif excess(foreseen, "initialWad") < 0:
            fits = refusal is not None and refusal.name == "MarginEngine__BelowInitial"
            check(fits, "I-02", refusal=refusal, foreseen=foreseen)
            done["borrow refused"] += 1
            return
        elif excess(foreseen, "initialWad") < world.drift(world.now - 60):
            return
        check(refusal is None, "I-10", refusal=refusal)
        world.send(owner, "vault", "borrow", trader, amount_raw, owner.address)
        done["borrow" if snapshot.cashWad < 0 else "borrow own"] += 1

    @rule(pair=A_PAIR, kind=A_KIND, expiry=A_EXPIRY, strike=A_STRIKE, load=A_LOAD, odd=A_ODD, kinds=A_KINDS)
    def rule_trade(self, pair, kind, expiry, strike, load, odd, kinds):
        self._trade(pair, kind, expiry, strike, load, odd, kinds)

    @rule(pair=A_PAIR, load=A_LOAD, odd=A_ODD)
    def rule_trade_perp(self, pair, load, odd):
        self._trade(pair, Kind.PERP, 0, 0, load, odd)

    @rule(trader=A_TRADER, buys=st.booleans(), strike=A_STRIKE, load=A_LOAD, odd=A_ODD)
    def rule_quote(self, trader, buys, strike, load, odd):
        """A perpetual against a call and a future, from the maker."""
        world = self.world
        expiry_ts = world.expiries[1]
        legs = [
            self._leg(trader, Kind.PERP, 0, 0, load, odd, is_buy=buys),
            self._leg(trader, Kind.CALL, expiry_ts, strike, load, odd, is_buy=not buys),
            self._leg(trader, Kind.FUTURE, expiry_ts, 0, load / 2, odd, is_buy=not buys),
        ]
        quote = world.quote(MAKER_ID, trader, legs)
        if self._book((MAKER_ID, trader), legs, world.owners[trader], "fillQuote", quote):
            done["quote"] += 1
            self._refused("Exchange__Overfilled", world.owners[trader], "exchange", "fillQuote", *quote)
        else:
            done["quote refused"] += 1

    @rule(trader=A_TRADER, share=A_TENTHS, odd=A_ODD)
    def rule_reduce(self, trader, share, odd):
        """A reduce-only order closes up to what is held, whatever it is, and nothing beyond."""
        world = self.world
        words = [unpack(word) for word in world.accounts.call("snapshotOf", trader).positions]
        held = next((word.quantity_wad for word in words if word.kind is Kind.PERP), 0)
        quantity = max(abs(held) * share // 10, 10**12)
        is_buy = held < 0
        instrument, price = world.instrument(Kind.PERP, 0, 0), int(world.spot) * WAD
        beyond = quantity > abs(held)
        mine = world.order(trader, instrument, is_buy, quantity, price, reduce_only=True)
        theirs = world.order(MAKER_ID, instrument, not is_buy, quantity, price, kind=POST_ONLY)
        fill = (theirs, world.signed(theirs), mine, world.signed(mine), quantity)
        if beyond:
            self._refused("Exchange__NotReducing", STRANGER, "exchange", "settle", *fill)
            done["reduce refused"] += 1
        elif self._book((MAKER_ID, trader), [(instrument, is_buy, quantity, price)], STRANGER, "settle", fill):
            done["reduce"] += 1

    @rule(pair=A_PAIR, bulk=st.booleans())
    def rule_cancel(self, pair, bulk):
        world, (buyer, seller) = self.world, pair
        fill = world.fill(buyer, seller, world.instrument(Kind.PERP, 0, 0), WAD, int(world.spot) * WAD)
        nonce = fill[0][5]
        call = ("cancelBelow", nonce + 1) if bulk else ("cancel", nonce)
        world.send(world.owners[buyer], "exchange", *call)
        self._refused("Exchange__Cancelled", STRANGER, "exchange", "settle", *fill)
        done["cancel"] += 1

    def _leg(self, trader, kind, expiry_ts, strike, load, odd, *, is_buy):
        """One leg that the trader's cash could about carry, seen by the maker."""
        is_option = kind in (Kind.CALL, Kind.PUT)
        spot = self.world.spot
        instrument = self.world.instrument(kind, expiry_ts, strike)
        cash = max(self.world.accounts.call("cashOf", trader), WAD)
        quantity = int(load * cash / (0.25 * spot)) + 10**12 + odd
        price = int(spot * (0.03 if is_option else 1)) * WAD + odd * (1 if is_option else 10**10)
        return (instrument, is_buy, quantity, price)

    def _trade(self, pair, kind, expiry, strike, load, odd, kinds=(LIMIT, LIMIT)):
        world, (buyer, seller) = self.world, pair
        expiry_ts = 0 if kind is Kind.PERP else world.expiries[expiry]
        if kind is not Kind.PERP and expiry_ts <= world.now + 60:
            return
        strike = strike if kind in (Kind.CALL, Kind.PUT) else 0
        trader = seller if buyer == MAKER_ID else buyer
        leg = self._leg(trader, kind, expiry_ts, strike, load, odd, is_buy=True)
        instrument, _, quantity, price = leg
        fill = world.fill(buyer, seller, instrument, quantity, price, kinds)
        if self._book(pair, [leg], STRANGER, "settle", fill):
            done[f"trade {kind.name.lower()}"] += 1
            self._refused("Exchange__Overfilled", STRANGER, "exchange", "settle", *fill)

    def _book(self, pair, legs, sender, function, values):
        """Send a fill; it succeeds, or the state before justifies the refusal."""
        world = self.world
        before, since = {i: world.margin(i) for i in pair}, world.now
        try:
            receipt = world.send(sender, "exchange", function, *values)
        except RevertError as refused:
            self._justified(refused, before)
            return False
        moved = [values for name, values in world.accounts.events(receipt) if name == "CashChanged"]
        paid = sum(v.deltaWad for v in moved if v.accountId == FUND and v.reason == TRANSFER)
        check(paid == fees_of(legs), "I-11", paid=paid, wanted=fees_of(legs), legs=legs)
        for account_id in pair:
            now = world.margin(account_id)
            check(not isinstance(now, RevertError), "I-08", account=account_id, error=now)
            then = before[account_id]
            floor = 0 if isinstance(then, RevertError) else excess(then, "initialWad") - world.drift(since)
            kept = not isinstance(then, RevertError) and excess(now, "initialWad") >= floor
            check(excess(now, "initialWad") >= 0 or kept, "I-02", account=account_id, then=then, now=now)
        world.send(STRANGER, "accounts", "accrue", list(pair))
        return True

    def _justified(self, refused, before):
        """A refused fill names a requirement above the equity, or a missing price."""
        if refused.name in NO_MARGIN:
            stands = self.world.is_stale() or any(isinstance(m, RevertError) for m in before.values())
            check(stands, "I-10", refused=refused)
            done["trade without a price"] += 1
            return
        check(refused.name == "MarginEngine__BelowInitial", "I-10", refused=refused)
        equity, initial = refused.values
        check(equity < initial, "I-10", equity=equity, initial=initial)
        done["trade refused"] += 1

    @rule(move=A_MOVE, premium=A_PREMIUM)
    def rule_round(self, move, premium=-0.001):
        """Spot stays within what keeps strikes meaningful."""
        spot = self.world.spot * (1 + move)
        self.world.pass_time(1)
        self.world.post_market(min(max(spot, 500.0), 8_000.0) if not 500.0 < spot < 8_000.0 else spot, premium)
        done["round"] += 1

    @rule(trader=A_TRADER, move=A_MOVE, rounds=st.sampled_from([1, 1, 2]), fraction=A_FRACTION)
    def rule_crash(self, trader, move, rounds, fraction):
        """Load a trader to the brim, move the price against him and liquidate: chance alone rarely gets there."""
        long_side = move < 0
        pair = (trader, MAKER_ID) if long_side else (MAKER_ID, trader)
        self._trade(pair, Kind.PERP, 0, 0, 1.0, 7)
        for _ in range(rounds):
            self.rule_round(0.22 if move > 0 else -0.22)
        self.rule_liquidate(trader, fraction)

    @rule(trader=A_TRADER, sec=A_SEC)
    def rule_funding(self, trader, sec):
        """Touching an account settles what its snapshot counted already."""
        world = self.world
        world.pass_time(sec)
        foreseen = world.accounts.call("cashOf", trader)
        index, rate, _ = world.accounts.call("fundingOf", ETH)
        receipt = world.send(STRANGER, "accounts", "accrue", [trader])
        settled = any(word.kind is Kind.PERP for word in map(unpack, world.view().snapshots[trader].positions))
        stored = world.accounts.call("storedCashOf", trader)
        check(stored == world.accounts.call("cashOf", trader), "I-12", stored=stored)
        drift = world.drift(world.client.block_ts() - 60)
        check(abs(stored - foreseen) <= drift, "I-12", stored=stored, foreseen=foreseen, index=index, receipt=receipt)
        if settled and rate:
            done["funding"] += 1
        # A round counts once.
        check(world.perpmarket.call("update", ETH) is False if not world.is_stale() else True, "I-12")

    @rule(sec=A_SEC)
    def rule_pass_time(self, sec):
        self.world.pass_time(sec)
        done["time"] += 1

    @rule()
    def rule_settle(self):
        world = self.world
        for expiry_ts in world.expiries:
            if expiry_ts in world.settled or world.now < expiry_ts:
                continue
            world.post_settlement(expiry_ts)
            world.send(STRANGER, "settlement", "settle", ETH, expiry_ts, [1, MAKER_ID, *TRADER_IDS])
            world.settled.add(expiry_ts)
            done["settle"] += 1

    @rule(luck=st.sampled_from([True, False, False, False]))
    def rule_expire(self, luck):
        """Go to the first expiry: the steps of time alone rarely reach it."""
        left = self.world.expiries[0] - self.world.now
        if luck and left > 0:
            self.world.pass_time(left + 60)
            self.rule_settle()

    @rule(trader=A_TRADER, fraction=A_FRACTION)
    def rule_liquidate(self, trader, fraction):
        world = self.world
        margin = world.margin(trader)
        if isinstance(margin, RevertError):
            return
        if not world.auction.call("auctionOf", trader).isOpen:
            if excess(margin, "maintenanceWad") >= 0:
                return
            world.send(STRANGER, "auction", "start", trader)
            done["auction"] += 1
        if excess(margin, "initialWad") >= 0:
            world.send(STRANGER, "auction", "end", trader)
            done["auction ended"] += 1
            return
        self._bid(trader, margin, fraction)

    def _bid(self, trader, margin, fraction):
        world, since = self.world, self.world.now
        quote = world.auction.call_many("previewBid", [[trader, fraction]])[0]
        if isinstance(quote, RevertError):
            # Between maintenance and the end of the auction nothing is for sale.
            check(quote.name == "Auction__NotLiquidatable", "I-10", quote=quote)
            check(excess(margin, "maintenanceWad") >= 0, "I-10", quote=quote, margin=margin)
            return
        limit = FAR if quote.isSolvent else 0
        try:
            world.send(world.owners[MAKER_ID], "auction", "bid", trader, MAKER_ID, fraction, quote.isSolvent, limit)
        except RevertError as refused:
            check(self._bidder_lacks(refused), "I-10", refused=refused, quote=quote, margin=margin)
            return
        now = world.margin(trader)
        then, after = excess(margin, "maintenanceWad"), excess(now, "maintenanceWad")
        check(after >= then - world.drift(since), "I-07", then=then, after=after, quote=quote)
        done["bid solvent" if quote.isSolvent else "bid insolvent"] += 1

    def _bidder_lacks(self, refused):
        if refused.name in NO_MARGIN:
            return isinstance(self.world.margin(MAKER_ID), RevertError)
        return refused.name == "Auction__BidderBelowInitial" and refused.values[0] < refused.values[1]

    @rule(trader=A_TRADER, cash=A_CASH)
    def rule_bad_withdraw(self, trader, cash):
        world, token = self.world, self.world.tokens["USDC"].address
        held = world.accounts.call("cashOf", trader)
        self._refused("Vault__NotAuthorised", STRANGER, "vault", "withdraw", trader, token, cash, ADMIN.address)
        above = max(held, 0) // WAD_PER_RAW + cash
        owner = world.owners[trader]
        self._refused("Accounts__InsufficientCash", owner, "vault", "withdraw", trader, token, above, owner.address)

    @rule(pair=A_PAIR, odd=A_ODD)
    def rule_bad_trade(self, pair, odd):
        world, (buyer, seller) = self.world, pair
        instrument, price = world.instrument(Kind.PERP, 0, 0), int(world.spot) * WAD
        buy, good, sell, other, quantity = world.fill(buyer, seller, instrument, WAD, price)
        settle = (STRANGER, "exchange", "settle")
        self._refused("Exchange__BadSignature", *settle, buy, good, sell, world.signed(sell, STRANGER), quantity)
        self._refused("Exchange__Overfilled", *settle, buy, good, sell, other, quantity + 1 + odd)
        dear = world.order(seller, instrument, False, WAD, price + 10**10)
        self._refused("Exchange__PriceBelowLimit", *settle, buy, good, dear, world.signed(dear), quantity)
        whole = world.order(seller, instrument, False, 2 * WAD, price, kind=FILL_OR_KILL)
        self._refused("Exchange__NotWhole", *settle, buy, good, whole, world.signed(whole), quantity)
        posted = world.order(seller, instrument, False, WAD, price, kind=POST_ONLY)
        self._refused("Exchange__NotTaker", *settle, buy, good, posted, world.signed(posted), quantity)
        leg = (instrument, True, WAD, price)
        taker = (world.owners[seller], "exchange", "fillQuote")
        self._refused("Exchange__DuplicateLeg", *taker, *world.quote(buyer, seller, [leg, leg]))
        self._refused("Exchange__SelfTrade", world.owners[buyer], *taker[1:], *world.quote(buyer, buyer, [leg]))
        self._refused("Accounts__NotModule", STRANGER, "accounts", "moveCash", buyer, seller, 1)

    @rule(move=A_MOVE)
    def rule_bad_round(self, move):
        world = self.world
        alone = RoundPoster(world.client, world.deployment, SIGNERS[:1])
        short = alone.round_call(self._round(world.now + 1, world.spot * (1 + move)))
        self._refused_data("Oracle__TooFewSignatures", short)
        early = world.poster.round_call(self._round(world.now + 3_600, world.spot))
        self._refused_data("Oracle__FromFuture", early)

    def _round(self, ts, spot):
        return Round("ETH", ts, spot, spot, 1.0, ())

    @rule(trader=A_TRADER)
    def rule_bad_liquidate(self, trader):
        # An auction values a stale token at less and goes on; a stale round of what is held stops it as well.
        margin = self.world.marginengine.call_many("auctionMarginOf", [[trader]])[0]
        if self.world.auction.call("auctionOf", trader).isOpen:
            self._refused("Auction__AlreadyOpen", STRANGER, "auction", "start", trader)
        elif isinstance(margin, RevertError):
            self._refused(margin.name, STRANGER, "auction", "start", trader)
        elif excess(margin, "maintenanceWad") >= 0:
            self._refused("Auction__NotLiquidatable", STRANGER, "auction", "start", trader)

    @rule()
    def rule_bad_settle(self):
        later = self.world.expiries[1]
        self._refused("Oracle__NotSettled", STRANGER, "settlement", "settle", ETH, later, [MAKER_ID])

    def _refused(self, name, sender, contract, function, *values):
        refusal = self.world.refusal(sender, contract, function, *values)
        check(refusal is not None and refusal.name == name, "I-10", wanted=name, got=refusal)
        done["refused on purpose"] += 1

    def _refused_data(self, name, data):
        got = "accepted"
        try:
            self.world.client.call(self.world.poster.address, data, ADMIN.address)
        except RevertError as reverted:
            got = reverted.name
        check(got == name, "I-10", wanted=name, got=got)
        done["refused on purpose"] += 1

    # --- invariants

    @invariant()
    def invariant_conservation(self):
        view, world = self.world.view(), self.world
        vault = self.base.deployment.contracts["Vault"]
        held = defaultdict(int, {0: sum(view.stored)})
        for snapshot in view.snapshots:
            for token_id, amount in zip(snapshot.tokenIds, snapshot.amountsWad, strict=True):
                held[token_id] += amount
        for symbol, record in self.base.deployment.tokens.items():
            wad = world.tokens[symbol].call("balanceOf", vault) * 10 ** (18 - record.decimals)
            booked = world.vault.call("tokenOf", record.token_id).heldRaw * 10 ** (18 - record.decimals)
            total = held[record.token_id]
            check(total == wad == booked, "I-01", token=symbol, accounts=total, vault=wad, booked=booked)

    @invariant()
    def invariant_requirements(self):
        for account_id, margin in enumerate(self.world.view().margins):
            if not isinstance(margin, RevertError):
                check(margin.initialWad >= margin.maintenanceWad, "I-03", account=account_id, margin=margin)

    @invariant()
    def invariant_instruments(self):
        total: Counter[tuple[int, ...]] = Counter()
        for snapshot in self.world.view().snapshots:
            for word in map(unpack, snapshot.positions):
                strike = word.price_e8 if word.kind in (Kind.CALL, Kind.PUT) else 0
                total[word.underlying_id, word.kind, word.expiry_ts, strike] += word.quantity_wad
                check(word.quantity_wad != 0, "I-04", word=word)
        check(not any(total.values()), "I-04", open={key: sum_ for key, sum_ in total.items() if sum_})

    @invariant()
    def invariant_open_interest(self):
        world = self.world
        longs: Counter[int] = Counter()
        for snapshot in world.view().snapshots:
            for word in snapshot.positions:
                longs[word >> SERIES_SHIFT] += max(unpack(word).quantity_wad, 0)
        series = [world.instrument(Kind.PERP, 0, 0)]
        dated = (Kind.CALL, Kind.PUT, Kind.FUTURE)
        series += [world.instrument(kind, expiry_ts, 0) for kind in dated for expiry_ts in world.expiries]
        found = world.accounts.call_many("openInterestOf", [[word] for word in series])
        for word, (open_wad, _) in zip(series, found, strict=True):
            check(open_wad == longs[word >> SERIES_SHIFT], "I-19", series=unpack(word), open=open_wad)

    @invariant()
    def invariant_clearing(self):
        view, world = self.world.view(), self.world
        state = world.replay()
        cost = Fraction(0)
        for snapshot in view.snapshots:
            for word in map(unpack, snapshot.positions):
                if word.kind in (Kind.FUTURE, Kind.PERP):
                    cost += Fraction(word.quantity_wad * word.price_e8, 10**8)
        pending = sum(view.stored) - sum(snapshot.cashWad for snapshot in view.snapshots)
        surplus = view.stored[CLEARING] + cost + pending
        # Every write rounds by less than two wei; a loss index has 18 digits, so a loss rounds by cash * 1e-18 more.
        wei = 2 * world.writes + len(view.ids)
        spread = (view.positive * 4 // view.index + 1) * bool(state.socialised_wad) * 20 + self._interest_wei()
        check(-wei <= surplus <= wei + spread, "I-05", surplus=float(surplus), wei=wei, spread=spread)

    @invariant()
    def invariant_positive_cash(self):
        view, world = self.world.view(), self.world
        state = world.replay()
        positive = sum(max(state.cash_before_funding(i), 0) for i in view.ids if i != CLEARING)
        gap = view.positive - positive
        losses = bool(state.socialised_wad)
        spread = (view.positive * 4 // view.index + 1) * 20 * losses + self._interest_wei()
        check(0 <= gap <= 2 * world.writes * losses + spread, "I-06", total=view.positive, positive=positive)

    def _interest_wei(self):
        """An index has 18 digits: each time interest is booked, all cash and all debt round by that."""
        view, world = self.world.view(), self.world
        return (world.accruals + 1) * (2 * view.positive // min(view.index, WAD) + 2 * view.loan.debtWad // WAD + 10)

    @invariant()
    def invariant_debt(self):
        view, world = self.world.view(), self.world
        state = world.replay()
        owed = -sum(min(state.cash_before_funding(i), 0) for i in view.ids if i != CLEARING)
        gap = owed - view.loan.debtWad
        check(0 <= gap <= 2 * world.writes + self._interest_wei(), "I-13", owed=owed, total=view.loan.debtWad)
        if view.loan.debtWad:
            done["debt checked"] += 1

    @invariant()
    def invariant_stale(self):
        view, world = self.world.view(), self.world
        if not view.stale:
            return
        usdc = world.tokens["USDC"].address
        for account_id in (MAKER_ID, *TRADER_IDS):
            owner, snapshot = world.owners[account_id], view.snapshots[account_id]
            refusal = world.refusal(owner, "vault", "deposit", account_id, usdc, 1)
            check(refusal is None, "I-08", deposit=refusal)
            if not (snapshot.positions or snapshot.tokenIds):
                continue
            check(isinstance(view.margins[account_id], RevertError), "I-08", margin=view.margins[account_id])
            if snapshot.cashWad >= WAD_PER_RAW:
                refusal = world.refusal(owner, "vault", "withdraw", account_id, usdc, 1, owner.address)
                wanted = "Oracle__Stale" if snapshot.positions else None
                check(getattr(refusal, "name", None) == wanted, "I-08", withdraw=refusal, wanted=wanted)
            start = world.refusal(STRANGER, "auction", "start", account_id)
            check(start is not None, "I-08", start=start)
            done["stale checked"] += 1

    @invariant()
    def invariant_readable(self):
        """With a fresh round only an expired position may hide a margin."""
        view, world = self.world.view(), self.world
        for account_id, margin in enumerate(view.margins):
            if view.stale or not isinstance(margin, RevertError):
                continue
            expiries = {unpack(word).expiry_ts for word in view.snapshots[account_id].positions}
            expired = any(0 < expiry <= world.round_ts for expiry in expiries)
            check(margin.name in NO_MARGIN and expired, "I-10", account=account_id, error=margin)

    @invariant()
    def invariant_replay(self):
        view, state = self.world.view(), self.world.replay()
        index = accrual(state.lending, state.ts).cash_index_wad
        check(index == view.index, "I-09", index=view.index, replayed=index)
        check(sorted(state.accounts) == view.ids, "I-09", accounts=sorted(state.accounts))
        for account_id in view.ids:
            seen = vars(view.snapshots[account_id])
            replayed = snapshot_fields(state, account_id)
            check({**seen} == replayed, "I-09", account=account_id, seen=seen, replayed=replayed)
            check(state.accounts[account_id].cash_wad == view.stored[account_id], "I-09", account=account_id)
            self._same_auction(view.auctions[account_id], state.auctions.get(account_id), account_id)

    def _same_auction(self, seen, replayed, account_id):
        check(seen.isOpen == (replayed is not None), "I-09", account=account_id, auction=seen)
        if replayed is not None:
            theirs = tuple(vars(seen).values())[1:]
            check(replayed.stored == theirs, "I-09", account=account_id, seen=theirs, replayed=replayed.stored)


def test_ledger__any_sequence_of_actions__keeps_every_property(capsys, monkeypatch):
    wanted = os.environ.get("PLIMSOLL_SEED", str(SEED))
    seed = random.randrange(2**32) if wanted == "random" else int(wanted)
    monkeypatch.setattr(core, "global_force_seed", seed)
    with capsys.disabled():
        print(f"\nseed {seed}; again with PLIMSOLL_SEED={seed}", flush=True)
    done.clear()
    Ledger.base = build(brownie.web3.provider.endpoint_uri)
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            print_blob=False,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    with capsys.disabled():
        print("\n" + ", ".join(f"{name} {count}" for name, count in sorted(done.items())))
    # A machine that never gets to the interesting part proves nothing.
    for name in REACHED:
        assert done[name], f"no example ever got to: {name}"
