"""Calls on a local chain as transactions, each judged by what it should do, the whole state checked after every one.

No call is simulated first: a refused one is mined as a failed transaction, and the named error is asked for afterwards
at the state it met. After every call, refused or not, the ledger is compared with the vault and with its own events.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from plimsoll.chain.abi import load_artifact
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract
from plimsoll.chain.revert import RevertError
from plimsoll.chain.words import unpack
from plimsoll.index.reader import ChainEvent, LogReader
from plimsoll.index.state import SOURCES, snapshot_fields
from plimsoll.model import Kind
from tests.chain.audit.strategy import deploy_strategy, name_key
from tests.chain.invariants.properties import PROPERTIES
from tests.chain.invariants.test_stateful_ledger import Ledger
from tests.chain.invariants.world import ADMIN, CLEARING, GAS, Base, World, reset

#: Accounts read at once; no episode opens as many.
PAGE = 10**6
#: A margin falls by the wei that quantities and prices are cut to.
ROUNDING_WAD = 10**6
CURVE_WITHOUT = {"kinkE6": 900_000, "maxUtilisationE6": 900_000}
NO_INTEREST = ("baseRateE6", "kinkRateE6", "fullRateE6", "reserveBps")
EXTRA = (
    "PriorMarginEngine",
    "Authority",
    "Delegation",
    "Operators",
    "Intents",
    "InsuranceFund",
    "ScenarioBook",
    "Lens",
    "ActionPreview",
    "ParameterPreview",
    "RateFeed",
    "SourceBook",
    "Guarantees",
)


class BrokenError(AssertionError):
    """A property does not hold, or a call did what it should not."""


@dataclass(slots=True)
class Tally:
    """What became of the calls of one rule."""

    role: str
    runs: int = 0
    calls: int = 0
    passed: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    wanted: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One call: ``error`` is None when it passed."""

    error: RevertError | None
    events: tuple[ChainEvent, ...] = ()

    @property
    def passed(self) -> bool:
        return self.error is None

    def named(self, name: str) -> list[ChainEvent]:
        return [event for event in self.events if event.name == name]


class Logs(LogReader):
    """Decodes the logs of a receipt; those of tokens and of contracts without state are left out."""

    def of(self, receipt: dict[str, Any]) -> list[ChainEvent]:
        """Events of the contracts whose state is rebuilt, in order."""
        mine = [log for log in receipt["logs"] if log["address"].lower() in self._names]
        return [self._decode(log, int(receipt["blockTimestamp"])) for log in mine]


def _short(margin: Any) -> str:
    """The figures of a margin that decide, or the error in its place."""
    if isinstance(margin, RevertError):
        return margin.name
    return f"equity {margin.equityWad}, initial {margin.initialWad}, maintenance {margin.maintenanceWad}"


class SecondsApart(World):
    """The world of a chain whose blocks lie a second apart, where anvil ignores evm_increaseTime."""

    def pass_time(self, seconds: int) -> None:
        """Let time pass."""
        self.client.rpc("evm_setNextBlockTimestamp", self.client.block_ts() + seconds)
        self.client.rpc("evm_mine")


class Machine:
    """One chain, one random source, and the counts over all episodes."""

    def __init__(self, base: Base, seed: int) -> None:
        self.base = base
        self.rng = random.Random(seed)
        self.tallies: dict[str, Tally] = {}
        self.mix: Counter[str] = Counter()
        self.checks: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self.calls = 0
        self.rule = ""
        client = Client(base.url)
        client.rpc("anvil_autoImpersonateAccount", True)
        # The clock of the chain, not of the machine: a seed gives the same run everywhere.
        client.rpc("anvil_setBlockTimestampInterval", 1)
        self.strategy = deploy_strategy(base, client)

    # --- episodes

    def begin(self) -> None:
        """Set the chain back and forget what the last episode did."""
        reset(self.base)
        world = SecondsApart(self.base)
        world.round_ts = world.state.rounds[1].ts
        self.world = world
        self.client = world.client
        self.at: dict[str, Contract] = {name: getattr(world, name.lower()) for name in self._core()}
        self.at |= {name: self.base.deployment.contract(self.client, name) for name in EXTRA}
        self.at |= dict(world.tokens)
        self.at["StrategyVault"] = Contract(self.client, load_artifact("StrategyVault"), self.strategy)
        # Without interest and funding an amount that was read is still right a second later, to the wei; the machine of
        # tests/chain/invariants has both.
        world.send(ADMIN, "accounts", "setRateCurve", dict.fromkeys(NO_INTEREST, 0) | CURVE_WITHOUT)
        for token_id in range(2):
            world.send(ADMIN, "vault", "setOutflow", token_id, 10**6, 24 * 10**6)
        world.pass_time(1)
        world.post_market(world.spot, premium=0.0)
        name_key(self.at["StrategyVault"])
        world.replay()
        self.logs = Logs(self.client, {name: self.base.deployment.contracts[name] for name in SOURCES})
        self.donated: Counter[int] = Counter()
        self.page: list[SimpleNamespace] = []
        self._read()

    def _core(self) -> list[str]:
        return [name for name in self.base.deployment.contracts if hasattr(World(self.base), name.lower())]

    def end(self) -> None:
        """Check what takes too long to check after every call."""
        late = (
            ("I-05", Ledger.invariant_clearing),
            ("I-06", Ledger.invariant_positive_cash),
            ("I-19", Ledger.invariant_open_interest),
        )
        for key, found in late:
            try:
                found(SimpleNamespace(world=self.world, base=self.base, _interest_wei=lambda: 0))
            except AssertionError as reason:
                self._break(key, str(reason))
            self.checks[key] += 1

    # --- reading

    @property
    def ids(self) -> list[int]:
        """Accounts of wallets."""
        return sorted(self.world.owners)

    @property
    def traders(self) -> list[int]:
        return self.ids[1:]

    @property
    def maker(self) -> int:
        return self.ids[0]

    def snapshot(self, account_id: int) -> SimpleNamespace:
        found: SimpleNamespace = self.page[account_id].snapshot
        return found

    def auction(self, account_id: int) -> SimpleNamespace:
        found: SimpleNamespace = self.page[account_id].auction
        return found

    def margin(self, account_id: int) -> SimpleNamespace | RevertError:
        return self.world.margin(account_id)

    def ask_next(self, contract: str, function: str, *values: Any) -> Any:
        """Read as the next block would, which is a second later; a revert is returned."""
        target, ts = self.at[contract], self.client.block_ts() + 1
        request = {"to": target.address, "data": "0x" + target.encode(function, *values).hex()}
        try:
            answer = self.client.rpc("eth_call", request, "latest", {}, {"time": hex(ts)})
        except RevertError as reverted:
            return reverted
        return target.decode(function, bytes.fromhex(answer[2:]))

    def refusal(self, sender: Any, contract: str, function: str, *values: Any) -> RevertError | None:
        """The error a call would end with now; nothing is sent."""
        try:
            self.at[contract].call(function, *values, sender=sender.address)
        except RevertError as reverted:
            return reverted
        return None

    # --- calling

    def call(
        self,
        sender: Any,
        contract: str,
        function: str,
        *values: Any,
        must: str = "",
        may: Iterable[str] = (),
        own: Sequence[int] = (),
        bystanders: bool = False,
    ) -> Outcome:
        """Send one call and judge it.

        Parameters
        ----------
        sender : wallet
            Who calls.
        contract, function : str
            What is called.
        *values : Any
            Arguments.
        must : str
            Error the call has to end with; empty when it should pass.
        may : Iterable[str]
            Errors that can stand in the way of a call that should pass otherwise.
        own : Sequence[int]
            Accounts whose owners want this: I-02 binds them.
        bystanders : bool
            Whether nobody else's excess may fall: not so for prices, parameters and losses.
        """
        target = self.at[contract]
        return self.send(
            sender,
            target.address,
            target.encode(function, *values),
            f"{contract}.{function}",
            must,
            may,
            own,
            bystanders,
        )

    def send(
        self,
        sender: Any,
        to: str,
        data: bytes,
        label: str,
        must: str = "",
        may: Iterable[str] = (),
        own: Sequence[int] = (),
        bystanders: bool = False,
    ) -> Outcome:
        """The same with encoded data."""
        request = {"from": sender.address, "to": to, "data": "0x" + data.hex(), "gas": hex(GAS), "gasPrice": "0x0"}
        receipt = self.client.rpc("eth_sendTransactionSync", request)
        self.calls += 1
        self.mix[label] += 1
        tally = self.tallies[self.rule]
        tally.calls += 1
        if int(receipt["status"], 16) == 1:
            events = tuple(self.logs.of(receipt))
            # Not from the receipt alone: what funding and rounds wrote before this call is rebuilt as well.
            self.world.replay()
            outcome = Outcome(None, events)
            self.events.update(event.name for event in events)
            self.events.update(
                f"BidFilled, {'' if event.values['isSolvent'] else 'in'}solvent" for event in outcome.named("BidFilled")
            )
            tally.passed += 1
        else:
            reason = self._reason(request, receipt)
            outcome = Outcome(reason)
            tally.refused[reason.name] += 1
        self._judge(label, outcome, must, frozenset(may))
        if must:
            tally.wanted[must] += 1
        self._check(outcome, own, bystanders and not outcome.named("LossSocialised"))
        return outcome

    def _reason(self, request: dict[str, Any], receipt: dict[str, Any]) -> RevertError:
        """The error of a failed transaction, from the state and the time it met."""
        number = int(receipt["blockNumber"], 16)
        override = {"time": hex(int(receipt["blockTimestamp"])), "number": hex(number)}
        try:
            self.client.rpc("eth_call", request, hex(number - 1), {}, override)
        except RevertError as reverted:
            return reverted
        self._break("I-10", f"{request['to']}: mined as failed, passes when asked again")
        raise AssertionError("unreachable")

    def _judge(self, label: str, outcome: Outcome, must: str, may: frozenset[str]) -> None:
        got = outcome.error.name if outcome.error else ""
        if got == must or (got and not must and got in may):
            return
        wanted = must or " or ".join(["success", *sorted(may)])
        values = outcome.error.values if outcome.error else ()
        self._break("I-10", f"{label}: wanted {wanted}, got {got or 'success'}{values}")

    def require(self, holds: bool, key: str, seen: str) -> None:
        """Check a property that only a rule can check."""
        self.checks[key] += 1
        if not holds:
            self._break(key, seen)

    def _break(self, key: str, seen: str) -> None:
        raise BrokenError(f"{key}: {PROPERTIES[key]}; rule {self.rule}, call {self.calls}: {seen}")

    # --- checking

    def _read(self) -> list[SimpleNamespace]:
        """Custody and all accounts, in one request."""
        lens, vault = self.at["Lens"], self.base.deployment.contracts["Vault"]
        asked = [("custodyOf", (vault, 0, PAGE)), ("accountsOf", (0, PAGE))]
        requests = [
            ("eth_call", [{"to": lens.address, "data": "0x" + lens.encode(name, *values).hex()}, "latest"])
            for name, values in asked
        ]
        # What is rebuilt counts interest and funding up to the block that is read.
        self.world.state.ts = int(self.client.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
        answers = self.client.batch(requests)
        for answer in answers:
            if not isinstance(answer, str):
                raise answer
        custody, self.page = (
            lens.decode(name, bytes.fromhex(answer[2:])) for (name, _), answer in zip(asked, answers, strict=True)
        )
        return list(custody)

    def _check(self, outcome: Outcome, own: Sequence[int], bystanders: bool) -> None:
        for token in self._read():
            stray = self.donated[token.tokenId]
            if not token.ledgerWad == token.bookedWad == token.balanceWad - stray:
                self._break("I-01", f"token {token.tokenId}: {vars(token)}, donated {stray}")
        self.checks["I-01"] += 1
        self._check_instruments()
        self._check_replay()
        self._check_lines()
        if outcome.passed and (own or bystanders):
            self._check_excess(set(own), bystanders)

    def _check_instruments(self) -> None:
        total: Counter[tuple[int, ...]] = Counter()
        for account in self.page:
            for word in map(unpack, account.snapshot.positions):
                strike = word.price_e8 if word.kind in (Kind.CALL, Kind.PUT) else 0
                total[word.underlying_id, word.kind, word.expiry_ts, strike] += word.quantity_wad
        if any(total.values()):
            self._break("I-04", str({key: value for key, value in total.items() if value}))
        self.checks["I-04"] += 1

    def _check_replay(self) -> None:
        # That of a line which ended is closed; a page keeps its place, without an owner.
        state, living = self.world.state, [account for account in self.page if int(account.owner, 16)]
        if len(state.accounts) != len(living):
            self._break("I-09", f"{len(state.accounts)} accounts, the chain has {len(living)}")
        for account in living:
            mine = state.accounts[account.accountId]
            if vars(account.snapshot) != snapshot_fields(state, account.accountId) or mine.owner != account.owner:
                self._break("I-09", f"account {account.accountId}: {account}, rebuilt {mine}")
            auction, rebuilt = account.auction, state.auctions.get(account.accountId)
            found = tuple(vars(auction).values())[1:] if auction.isOpen else None
            wanted = None if rebuilt is None else rebuilt.stored
            if found != wanted:
                self._break("I-09", f"auction of {account.accountId}: {found}, rebuilt {wanted}")
        self.checks["I-09"] += 1

    def _check_lines(self) -> None:
        """Every line is an account of the contract's, and the other way round; what counts is what they hold, once."""
        state, contract = self.world.state, self.at["Guarantees"]
        held = {a.accountId: int(a.snapshot.cashWad) for a in self.page if a.owner == contract.address}
        if held.keys() != state.lines.keys():
            self._break("I-22", f"accounts {sorted(held)}, lines {sorted(state.lines)}")
        override, total = {"time": hex(state.ts)}, 0
        for account_id in {line.beneficiary_id for line in state.lines.values()}:
            request = {"to": contract.address, "data": "0x" + contract.encode("backingOf", account_id).hex()}
            answer = self.client.rpc("eth_call", request, "latest", {}, override)
            found = tuple(contract.decode("backingOf", bytes.fromhex(answer[2:])))
            total += found[1]
            if found != state.backing_of(account_id) or found[0] > found[1]:
                self._break("I-22", f"account {account_id}: {found}, rebuilt {state.backing_of(account_id)}")
        if total != sum(held.values()):
            self._break("I-22", f"lines stand for {total}, their accounts hold {held}")
        self.checks["I-22"] += 1

    def _check_excess(self, own: set[int], bystanders: bool) -> None:
        """Excess over the initial margin before and after, at the time of the call for both."""
        ids = [a.accountId for a in self.page if a.accountId != CLEARING and (bystanders or a.accountId in own)]
        then, now = self._margins(ids, self.world.block - 1), self._margins(ids, self.world.block)
        for account_id, before, after in zip(ids, then, now, strict=True):
            if isinstance(after, RevertError):
                continue
            excess = after.equityWad - int(after.initialWad)
            if after.initialWad < after.maintenanceWad:
                self._break("I-03", f"account {account_id}: {_short(after)}")
            self.checks["I-03"] += 1
            known = not isinstance(before, RevertError)
            kept = known and excess >= before.equityWad - int(before.initialWad) - ROUNDING_WAD
            if account_id in own and excess < 0 and not kept:
                self._break("I-02", f"account {account_id}: {_short(before)}, then {_short(after)}")
            if account_id not in own and known and not kept:
                self._break("I-02", f"bystander {account_id}: {_short(before)}, then {_short(after)}")
        self.checks["I-02"] += 1

    def _margins(self, ids: Sequence[int], block: int) -> list[Any]:
        engine = self.at["MarginEngine"]
        # Interest and funding run on: both sides of a call are looked at in the same second.
        override = {"time": hex(self.world.state.ts)}
        requests = [
            (
                "eth_call",
                [{"to": engine.address, "data": "0x" + engine.encode("marginOf", i).hex()}, hex(block), {}, override],
            )
            for i in ids
        ]
        return [
            engine.decode("marginOf", bytes.fromhex(answer[2:])) if isinstance(answer, str) else answer
            for answer in self.client.batch(requests)
        ]

    def check_liquidation(self, account_id: int) -> None:
        """The last call was a bid: equity less maintenance of the account did not fall."""
        before, after = (self._margins([account_id], self.world.block - k)[0] for k in (1, 0))
        if isinstance(before, RevertError) or isinstance(after, RevertError):
            return
        then, now = (m.equityWad - int(m.maintenanceWad) for m in (before, after))
        if now < then:
            self._break("I-07", f"account {account_id}: {then}, then {now}")
        self.checks["I-07"] += 1
