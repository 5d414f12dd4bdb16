"""Depositors, a trader key and a market in any order: a strategy vault conserves, and nobody gains by coming and going.

Every settlement is computed a second time. Another seed: PLIMSOLL_SEED=<number> make test-stateful.
"""

from __future__ import annotations

import os
from collections import Counter

import brownie
from brownie import accounts, chain
from hypothesis import HealthCheck, core, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.chain.helpers import swift
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.signed import numbers
from tests.chain.helpers.strategy import (
    AHEAD_SEC,
    DAY,
    FEE,
    NOBODY,
    RAW,
    STOP_SHARE,
    VIRTUAL,
    WAD_PER_RAW,
    build_house,
    call,
)
from tests.chain.invariants.strategy_model import Shares

EXAMPLES, STEPS = 60, 50
SEED = 20_260_615
WAD = 10**18
#: What rounding leaves in the vault: a raw unit or a share for each controller and claim.
DUST = 200
REACHED = (
    "settled",
    "paid in part",
    "fee",
    "returned",
    "stopped",
    "closed",
    "cancelled",
    "claimed",
    "traded",
    "refused",
)
PEOPLE = st.sampled_from(("anna", "bert", "carl"))
done: Counter[str] = Counter()


class Strategy(RuleBasedStateMachine):
    """Rules change the chain and the model; invariants compare them."""

    house = None

    def __init__(self):
        super().__init__()
        self.kept = swift.undone()
        self.kept.__enter__()
        house = self.house
        house.spot, house.nonce = 1_900.0, 0
        self.model = Shares(FEE, STOP_SHARE)
        self.people = (house.anna, house.bert, house.carl)
        self.round_ts = house.round()
        self.total = self._everything()
        # Most of what can go wrong needs somebody in it.
        self._in(house.anna, 500_000 * RAW)
        self._settle()
        self.claim("anna")

    def teardown(self):
        """Let everybody out: nobody is stuck and nothing is missing."""
        house = self.house
        self._flatten()
        for who in self.people:
            self._out(who, house.strategy.balanceOf(who))
        self._settle()
        if house.strategy.balanceOf(house.manager):
            self._out(house.manager, house.strategy.balanceOf(house.manager))
        self.round(0)
        self._settle()
        for who in (*self.people, house.manager):
            assert house.strategy.pendingRedeemRequest(0, who) == 0, "nobody is stuck"
            house.claim_out(who)
        self.kept.__exit__(None, None, None)

    # --- rules

    @rule(name=PEOPLE, cash=st.integers(1, 400_000 * RAW))
    def ask_in(self, name, cash):
        self._in(getattr(self.house, name), cash)

    @rule(name=PEOPLE, share=st.integers(1, 100))
    def ask_out(self, name, share):
        who = getattr(self.house, name)
        self._out(who, self.house.strategy.balanceOf(who) * share // 100)

    @rule()
    def everybody_asks_out(self):
        for who in self.people:
            self._out(who, self.house.strategy.balanceOf(who))

    @rule(bps=st.integers(-400, 400))
    def round(self, bps):
        self.round_ts = self.house.round(self.house.spot * (1 + bps / 10_000))

    @rule(bps=st.integers(-1_500, -700))
    def fall(self, bps):
        self.round(bps)
        self.stop_when_due()

    @rule()
    def settle(self):
        self._settle()

    @rule(share=st.integers(-100, 100), off=st.integers(-20, 20))
    def trade(self, share, off):
        house = self.house
        if house.strategy.isStopped() or share == 0:
            return
        house.strategy.renew({"from": house.stranger})
        most = house.stack.delegation.limitsOf(house.id, house.key, 1)[1] / WAD
        if most < 1:
            return
        try:
            house.trade(most * share / 100, house.spot * (1 + off / 100_000))
            done["traded"] += 1
        except brownie.exceptions.VirtualMachineError:
            done["trade refused"] += 1

    @rule(quantity=st.integers(1, 100))
    def write_calls(self, quantity):
        house = self.house
        if house.strategy.isStopped() or house.value().exit < 10**9:
            return
        house.strategy.renew({"from": house.stranger})
        try:
            house.trade(-quantity, max(1.0, 60 + (house.spot - 1_900) / 2), call(house.expiry, 2_000))
            done["written"] += 1
        except brownie.exceptions.VirtualMachineError:
            done["trade refused"] += 1

    @rule(name=PEOPLE)
    def claim(self, name):
        who, house = getattr(self.house, name), self.house
        if house.strategy.maxDeposit(who):
            house.strategy.deposit(house.strategy.maxDeposit(who), who, who, {"from": who})
            done["claimed"] += 1
        house.claim_out(who)

    @rule(name=PEOPLE)
    def cancel(self, name):
        who, house = getattr(self.house, name), self.house
        entry, exit_ = house.strategy.requestsOf(who)
        if not entry[0] and not exit_[0]:
            return
        chain.sleep(DAY + AHEAD_SEC)
        chain.mine()
        if entry[0]:
            epoch = self.model.epochs[entry[1]]
            house.strategy.cancelDeposit(who, who, {"from": who})
            epoch.deposit -= entry[0]
        if exit_[0]:
            epoch = self.model.epochs[exit_[3]]
            house.strategy.cancelRedeem(who, who, {"from": who})
            epoch.redeem, epoch.left = epoch.redeem - exit_[0], epoch.left - (exit_[0] - exit_[1])
            epoch.paid -= exit_[2]
        done["cancelled"] += 1
        self.round(0)

    @rule(name=PEOPLE, other=PEOPLE, share=st.integers(1, 100))
    def hand_over(self, name, other, share):
        who, to = getattr(self.house, name), getattr(self.house, other)
        self.house.strategy.transfer(to, self.house.strategy.balanceOf(who) * share // 100, {"from": who})

    @rule()
    def stop_when_due(self):
        house = self.house
        price, _, floor = house.strategy.priceNow()
        if house.strategy.isStopped() or price >= floor or house.strategy.totalSupply() == 0:
            return
        house.strategy.stop({"from": house.stranger})
        self.model.is_stopped = True
        done["stopped"] += 1

    @rule()
    def close_when_stopped(self):
        house = self.house
        if not house.strategy.isStopped():
            return
        for word in house.stack.accounts.snapshotOf(house.id)[4]:
            quantity = word % 2**128 - (2**128 if word % 2**128 >= 2**127 else 0)
            is_perp = word >> 240 & 255 == 3
            price = round(house.spot * 10**6) * 10**12
            leg = (word >> 200 << 200 if is_perp else word >> 128 << 128, quantity > 0, abs(quantity), price)
            try:
                house.stack.closer.close(house.strategy, *house.offer([leg]), {"from": house.carl})
                done["closed"] += 1
            except brownie.exceptions.VirtualMachineError:
                done["close refused"] += 1

    @rule()
    def resume_when_stopped(self):
        house = self.house
        if not house.strategy.isStopped():
            return
        house.strategy.resume({"from": house.stack.admin})
        self.model.is_stopped, self.model.floor = False, house.strategy.priceNow()[2]
        house.strategy.setTrader(house.key, {"from": house.stack.admin})

    # --- properties

    @invariant()
    def invariant_epochs_are_those_of_the_model(self):
        house, model = self.house, self.model
        queue = house.queue()
        assert (queue.open, queue.next, queue.unpaid) == (model.open_id, model.next_id, model.unpaid_id)
        assert house.strategy.totalSupply() == model.supply
        assert numbers(house.strategy.priceNow())[1:] == [model.high, model.floor]
        assert house.strategy.isStopped() == model.is_stopped
        for epoch_id in range(max(1, model.unpaid_id - 1), model.open_id + 1):
            assert vars(house.epoch(epoch_id)) == vars(model.epochs[epoch_id]), epoch_id

    @invariant()
    def invariant_claims_are_covered(self):
        house = self.house
        found = [house.strategy.requestsOf(who) for who in (*self.people, house.manager)]
        assets = house.strategy.idleRaw() + sum(entry[0] + exit_[5] for entry, exit_ in found)
        shares = sum(entry[3] + exit_[0] - exit_[1] for entry, exit_ in found)
        assert 0 <= house.usdc.balanceOf(house.strategy) - assets <= DUST
        assert 0 <= house.strategy.balanceOf(house.strategy) - shares <= DUST
        held = sum(house.strategy.balanceOf(who) for who in (*self.people, house.manager, house.strategy))
        assert held == house.strategy.totalSupply()

    @invariant()
    def invariant_nothing_comes_from_nowhere(self):
        # Marks and premiums are rounded down on either side of a trade.
        assert abs(self._everything() - self.total) <= DUST

    # --- helpers

    def _now(self):
        return chain[-1].timestamp

    def _everything(self):
        """Cash of everybody, and value of both accounts at the mark, raw."""
        house = self.house
        cash = sum(house.usdc.balanceOf(who) for who in (*self.people, house.manager, house.strategy))
        values = sum(house.stack.engine.marginOf(account)[2] for account in (house.id, house.friend_id))
        return cash + values // WAD_PER_RAW

    def _holds_other(self, request, at, epoch_at):
        """Whether a request of an earlier epoch would be in the way of another."""
        open_id, after_ts = self.model.open_id, self.model.epochs[self.model.open_id].after_ts
        joins = open_id + 1 if after_ts and self.round_ts > after_ts else open_id
        return bool(request[at]) and request[epoch_at] != joins

    def _in(self, who, cash):
        strategy = self.house.strategy
        if self._holds_other(strategy.requestsOf(who)[0], 0, 1):
            with reverts_with("StrategyVault__RequestPending"):
                strategy.requestDeposit(cash, who, who, {"from": who})
            done["refused"] += 1
            return
        strategy.requestDeposit(cash, who, who, {"from": who})
        self.model.join(self._now(), self.round_ts).deposit += cash

    def _out(self, who, shares):
        house = self.house
        if shares == 0 or self._holds_other(house.strategy.requestsOf(who)[1], 0, 3):
            return
        house.strategy.requestRedeem(shares, who, who, {"from": who})
        epoch = self.model.join(self._now(), self.round_ts)
        epoch.redeem, epoch.left = epoch.redeem + shares, epoch.left + shares

    def _settle(self):
        """Post a round and settle at it, and compare with the model."""
        house, model = self.house, self.model
        self.round(0)
        v = house.value()
        if not model.is_due(v.ts if not v.is_flat else self._now() + 1):
            return
        was_stopped, first, fees = model.is_stopped, model.next_id, model.fee_shares
        receipt = house.strategy.settle({"from": house.stranger})
        ts = self._now() if v.is_flat else v.ts
        entered, paid = model.settle(ts, v.entry, v.exit, v.free, sound=v.is_sound, flat=v.is_flat)
        valued = receipt.events["Valued"]
        assert (valued["roundTs"], valued["valueWad"], valued["costWad"]) == (ts, v.value, v.cost)
        after = house.value()
        # Value per share never falls by entries and exits.
        assert (after.value + WAD_PER_RAW) * (valued["supply"] + VIRTUAL) >= (v.value + WAD_PER_RAW) * (
            house.strategy.totalSupply() + VIRTUAL
        ) or v.value < 0
        assert after.value - v.value == (entered - paid) * WAD_PER_RAW
        past = [model.epochs[epoch_id] for epoch_id in range(first, model.next_id)]
        done["settled"] += any(epoch.status == 1 and epoch.deposit for epoch in past)
        done["returned"] += any(epoch.status == 2 and epoch.deposit for epoch in past)
        done["paid in part"] += bool(paid and model.unpaid_id < model.next_id)
        done["fee"] += model.fee_shares > fees
        done["stopped"] += model.is_stopped and not was_stopped
        if model.is_stopped:
            assert house.strategy.trader() == NOBODY

    def _flatten(self):
        """Take every position out of the account at the mark, and what it owes with it."""
        house = self.house
        self.round(0)
        for word in house.stack.accounts.snapshotOf(house.id)[4]:
            quantity = word % 2**128 - (2**128 if word % 2**128 >= 2**127 else 0)
            is_perp = word >> 240 & 255 == 3
            instrument = word >> 200 << 200 if is_perp else word >> 128 << 128
            sides = (house.friend_id, house.id) if quantity > 0 else (house.id, house.friend_id)
            price = round(house.spot * 10**6) * 10**12 if is_perp else WAD
            house.stack.accounts.applyTrade((*sides, instrument, abs(quantity), price), {"from": house.stack.admin})
        owed = -house.stack.accounts.cashOf(house.id)
        if owed > 0:
            house.stack.accounts.moveCash(house.friend_id, house.id, owed, {"from": house.stack.admin})


def test_strategy__any_sequence_of_actions__conserves_and_settles_as_the_model(capsys, monkeypatch):
    seed = int(os.environ.get("PLIMSOLL_SEED", str(SEED)))
    monkeypatch.setattr(core, "global_force_seed", seed)
    done.clear()
    Strategy.house = build_house(brownie.project.get_loaded_projects()[0], accounts[0], chain)
    run_state_machine_as_test(
        Strategy,
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
        print(f"\nseed {seed}: " + ", ".join(f"{name} {count}" for name, count in sorted(done.items())))
    for name in REACHED:
        assert done[name], f"no example ever got to: {name}"
