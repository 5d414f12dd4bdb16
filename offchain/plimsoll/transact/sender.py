"""Simulate at the head, bound the cost, journal, send, replace above the minimum bump, confirm at depth."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog
from eth_account.signers.local import LocalAccount

from plimsoll.chain.client import Client, Receipt, RpcError
from plimsoll.chain.revert import RevertError
from plimsoll.transact.journal import OPEN, Entry, Journal, Status

log = structlog.get_logger()

# Nodes ask for 10 % on both fee fields; an eighth clears it after integer rounding.
BUMP_NUMERATOR, BUMP_DENOMINATOR = 9, 8
GAS_MARGIN = 1.2


@dataclass(frozen=True, slots=True)
class Policy:
    """Bounds of the sender.

    Parameters
    ----------
    max_head_age_sec : int
        Refuse to act when the head is older than this.
    max_gas : int
        Refuse a transaction that needs more; at first what one transaction may use at all (EIP-7825).
    max_fee_wei : int
        Never bid more per gas.
    confirmations : int
        Blocks, the mining one included, before a transaction counts.
    poll_sec : float
        Pause between receipt polls.
    polls_per_bump : int
        Polls before the fee is raised.
    failure_budget : int
        Reverts of one intent within an hour before it is left alone.
    """

    max_head_age_sec: int = 120
    max_gas: int = 16_777_216
    max_fee_wei: int = 500_000_000_000
    confirmations: int = 1
    poll_sec: float = 0.5
    polls_per_bump: int = 24
    failure_budget: int = 5


@dataclass(frozen=True, slots=True)
class Transaction:
    """An encoded intent.

    Parameters
    ----------
    key : str
        Names the effect, so that two keepers and two runs give the same intent the same key.
    target : str
        Contract address.
    data : bytes
        Call data.
    already_done : frozenset[str]
        Custom errors which say that somebody else achieved the effect.
    """

    key: str
    target: str
    data: bytes
    already_done: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a transaction ended; ``reason`` is empty on success."""

    key: str
    done: bool
    receipt: Receipt | None = None
    reason: str = ""
    gas_estimate: int = 0


class Transactor:
    """The one owner of an address's nonces.

    Parameters
    ----------
    client : Client
        Endpoint.
    account : LocalAccount
        Sender.
    journal : Journal
        Survives restarts.
    policy : Policy
        Bounds.
    clock : Callable[[], float]
        Current unix time, seconds; replays pass the chain's own.
    pause : Callable[[float], None]
        How to wait, seconds.
    """

    def __init__(
        self,
        client: Client,
        account: LocalAccount,
        journal: Journal,
        policy: Policy,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._account = account
        self._journal = journal
        self._policy = policy
        self._clock = clock
        self._pause = pause

    def simulate(self, transaction: Transaction) -> Outcome:
        """Run a transaction by ``eth_call`` at the head and estimate its gas; nothing is sent.

        Parameters
        ----------
        transaction : Transaction
            What to run.

        Returns
        -------
        Outcome
            ``done`` when it would succeed or its effect is already there.
        """
        request = {
            "from": self._account.address,
            "to": transaction.target,
            "data": "0x" + transaction.data.hex(),
        }
        try:
            self._client.rpc("eth_call", request, "latest")
            gas = int(self._client.rpc("eth_estimateGas", request), 16)
        except RevertError as reverted:
            done = reverted.name in transaction.already_done
            return Outcome(transaction.key, done, reason=reverted.message)
        return Outcome(transaction.key, True, gas_estimate=gas)

    def execute(self, transaction: Transaction) -> Outcome:
        """Bring one transaction to its end.

        Parameters
        ----------
        transaction : Transaction
            What to do.

        Returns
        -------
        Outcome
            ``done`` is true when it was mined to depth or somebody else had done it.
        """
        known = self._journal.find(transaction.key)
        if known is not None and known.status in OPEN:
            return self._pursue(known)
        if known is not None and known.status is not Status.REVERTED:
            return Outcome(transaction.key, True, reason="journal: " + known.status.value)
        refusal = self._refusal(transaction.key)
        if refusal:
            return Outcome(transaction.key, False, reason=refusal)
        simulated = self.simulate(transaction)
        if not simulated.done:
            count = self._journal.note_failure(transaction.key, simulated.reason, int(self._clock()))
            log.warning("simulation reverted", key=transaction.key, reason=simulated.reason, count=count)
            return simulated
        if simulated.gas_estimate == 0:
            return simulated
        gas = int(simulated.gas_estimate * GAS_MARGIN)
        if gas > self._policy.max_gas:
            return Outcome(transaction.key, False, reason=f"needs {gas} gas, limit {self._policy.max_gas}")
        entry = self._plan(transaction, gas)
        return self._pursue(entry)

    def resume(self) -> list[Outcome]:
        """Finish what an earlier run planned or sent, in the order of the nonces.

        Returns
        -------
        list[Outcome]
            One per unfinished intent.
        """
        return [self._pursue(entry) for entry in self._journal.unfinished(self._account.address)]

    def _refusal(self, key: str) -> str:
        """Say why not to act now, or nothing."""
        age = self._clock() - self._client.block_ts()
        if age > self._policy.max_head_age_sec:
            return f"head is {age:.0f} s old, limit {self._policy.max_head_age_sec} s"
        failures = self._journal.failures(key, int(self._clock()))
        if failures >= self._policy.failure_budget:
            return f"{failures} failures, limit {self._policy.failure_budget}"
        return ""

    def _plan(self, transaction: Transaction, gas: int) -> Entry:
        """Give the intent a nonce, on disk."""
        address = self._account.address
        mined = int(self._client.rpc("eth_getTransactionCount", address, "latest"), 16)
        held = self._journal.highest_open_nonce(address)
        nonce = mined if held is None else max(mined, held + 1)
        entry = Entry(transaction.key, address, nonce, transaction.target, transaction.data, gas, 0, (), Status.PLANNED)
        self._journal.plan(entry)
        return entry

    def _pursue(self, entry: Entry) -> Outcome:
        """Send or replace until one of the hashes is mined to depth."""
        if not entry.hashes:
            entry = self._sign_and_send(entry)
        while True:
            for _ in range(self._policy.polls_per_bump):
                outcome = self._settled(entry)
                if outcome is not None:
                    return outcome
                self._pause(self._policy.poll_sec)
            lost = self._lost(entry)
            if lost is not None:
                return lost
            if self._bumped_fee(entry.max_fee_wei) > self._policy.max_fee_wei:
                return Outcome(entry.key, False, reason=f"pending at the fee cap {self._policy.max_fee_wei} wei")
            entry = self._sign_and_send(entry)

    def _settled(self, entry: Entry) -> Outcome | None:
        """Look for the receipt of any of the hashes; ``None`` while none is deep enough."""
        for tx_hash in entry.hashes:
            receipt = self._client.find_receipt(tx_hash)
            if receipt is None:
                continue
            depth = self._client.block_number() - receipt.block_number + 1
            if depth < self._policy.confirmations:
                return None
            status = Status.CONFIRMED if receipt.status == 1 else Status.REVERTED
            self._journal.finish(entry.key, status)
            if status is Status.REVERTED:
                self._journal.note_failure(entry.key, "reverted when mined", int(self._clock()))
                return Outcome(entry.key, False, receipt, "reverted when mined")
            return Outcome(entry.key, True, receipt)
        return None

    def _lost(self, entry: Entry) -> Outcome | None:
        """Close an intent whose nonce went to a transaction that is not in the journal."""
        mined = int(self._client.rpc("eth_getTransactionCount", entry.sender, "latest"), 16)
        if mined <= entry.nonce or any(self._client.find_receipt(tx_hash) for tx_hash in entry.hashes):
            return None
        self._journal.finish(entry.key, Status.REVERTED)
        return Outcome(entry.key, False, reason=f"nonce {entry.nonce} was used by another transaction")

    def _bumped_fee(self, fee_wei: int) -> int:
        """Return the lowest fee that replaces ``fee_wei``."""
        return fee_wei * BUMP_NUMERATOR // BUMP_DENOMINATOR + 1

    def _sign_and_send(self, entry: Entry) -> Entry:
        """Sign with the entry's nonce at the market fee or the bumped one, journal the hash, then send."""
        market_fee, tip = self._client.fees()
        fee = max(market_fee, self._bumped_fee(entry.max_fee_wei) if entry.hashes else 0)
        fee = min(fee, self._policy.max_fee_wei)
        tip = min(fee, max(tip, fee // 10))
        raw, tx_hash = self._client.sign(self._account, entry.target, entry.data, entry.nonce, entry.gas, (fee, tip))
        self._journal.add_hash(entry.key, tx_hash, fee)
        try:
            self._client.rpc("eth_sendRawTransaction", raw)
        except RpcError as problem:
            # "nonce too low" and "already known" both mean that an earlier hash is on its way.
            log.warning("send refused", key=entry.key, nonce=entry.nonce, reason=problem.message)
        return replace(entry, hashes=(*entry.hashes, tx_hash), max_fee_wei=fee, status=Status.SENT)
