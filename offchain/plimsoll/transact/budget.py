"""Failure budgets: how often an intent and an account have failed of late."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import and_, delete, insert, select
from sqlalchemy.engine import Engine

from plimsoll.storage import reading
from plimsoll.transact.fence import Fence, fenced, open_to_all
from plimsoll.transact.intent import Transaction
from plimsoll.transact.policy import Policy
from plimsoll.transact.tables import FAILURES


class Failure(StrEnum):
    """How an intent failed: only what was mined has cost anything."""

    SIMULATED = "simulated"
    MINED = "mined"


@dataclass(frozen=True, slots=True)
class Counted:
    """One failure, as the budget counts it."""

    key: str
    account: str
    kind: Failure
    ts: int


class Budget:
    """Failures of one signer on one chain.

    Parameters
    ----------
    engine : Engine
        Common database.
    chain_id : int
        Chain.
    signer : str
        Address.
    policy : Policy
        Budgets and windows.
    fence : Fence
        Asked in every transaction that writes.
    """

    def __init__(self, engine: Engine, chain_id: int, signer: str, policy: Policy, fence: Fence = open_to_all) -> None:
        self._engine, self._fence = engine, fence
        self._own = {"chain_id": chain_id, "signer": signer}
        self._policy = policy
        self._mine = and_(FAILURES.c.chain_id == chain_id, FAILURES.c.signer == signer)

    def note(self, transaction: Transaction, kind: Failure, reason: str, now_ts: int) -> None:
        """Count a failure, and forget those that no window reaches.

        Parameters
        ----------
        transaction : Transaction
            What failed.
        kind : Failure
            How.
        reason : str
            Error of the contract or the node.
        now_ts : int
            Time of the head, unix seconds.

        Raises
        ------
        DeposedError
            When another keeper holds the lease.
        """
        oldest_ts = now_ts - max(self._policy.failure_window_sec, self._policy.simulation_pause_sec)
        with fenced(self._engine, self._fence) as connection:
            connection.execute(delete(FAILURES).where(self._mine, FAILURES.c.ts < oldest_ts))
            connection.execute(
                insert(FAILURES).values(
                    **self._own,
                    key=transaction.key,
                    account=transaction.account,
                    kind=kind.value,
                    ts=now_ts,
                    reason=reason[:500],
                )
            )

    def recent(self, now_ts: int) -> list[Counted]:
        """Return the failures that some window still reaches.

        Parameters
        ----------
        now_ts : int
            Time of the head, unix seconds.

        Returns
        -------
        list[Counted]
            Pass it to :meth:`refusal`.
        """
        oldest_ts = now_ts - max(self._policy.failure_window_sec, self._policy.simulation_pause_sec)
        query = select(FAILURES.c.key, FAILURES.c.account, FAILURES.c.kind, FAILURES.c.ts)
        with reading(self._engine) as connection:
            rows = connection.execute(query.where(self._mine, FAILURES.c.ts >= oldest_ts)).all()
        return [Counted(key, account, Failure(kind), ts) for key, account, kind, ts in rows]

    def refusal(self, transaction: Transaction, failures: list[Counted], now_ts: int) -> str:
        """Say why an intent is left alone, or nothing.

        Parameters
        ----------
        transaction : Transaction
            Intent.
        failures : list[Counted]
            From :meth:`recent`.
        now_ts : int
            Time of the head, unix seconds.

        Returns
        -------
        str
            Count and limit; empty while there is budget.
        """
        policy = self._policy
        mined = [f for f in failures if f.kind is Failure.MINED and now_ts - f.ts < policy.failure_window_sec]
        tried = [f for f in failures if f.kind is Failure.SIMULATED and now_ts - f.ts < policy.simulation_pause_sec]
        of_key = sum(f.key == transaction.key for f in mined)
        of_account = sum(bool(f.account) and f.account == transaction.account for f in mined)
        simulated = sum(f.key == transaction.key for f in tried)
        for count, limit, what in (
            (of_key, policy.failure_budget, "reverts of this intent"),
            (of_account, policy.account_failure_budget, f"reverts for account {transaction.account}"),
            (simulated, policy.simulation_budget, "failed simulations of this intent"),
        ):
            if count >= limit:
                return f"{count} {what}, limit {limit}"
        return ""
