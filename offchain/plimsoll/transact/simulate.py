"""What a transaction would do at a head: run, and its gas estimated, without being sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from plimsoll.chain.head import Head, whole_of
from plimsoll.chain.node import Request
from plimsoll.chain.problem import NodeProblem
from plimsoll.chain.revert import RevertError
from plimsoll.transact.fees import Market
from plimsoll.transact.intent import Result, Simulation, Transaction
from plimsoll.transact.policy import Policy

#: How many answers one transaction takes.
SIMULATION_SIZE: Final = 2
#: Words of nodes for an estimate that does not end within any gas they would give.
OUT_OF_GAS_TEXTS: Final = ("gas required exceeds", "out of gas", "outofgas", "exceeds block gas limit")


def simulation_requests(signer: str, transactions: Sequence[Transaction], head: Head) -> list[Request]:
    """Return the questions that :func:`read_simulation` reads the answers to.

    Parameters
    ----------
    signer : str
        Sender.
    transactions : Sequence[Transaction]
        What to run.
    head : Head
        Agreed head, on whose state each is run by itself.

    Returns
    -------
    list[Request]
        ``SIMULATION_SIZE`` for each.
    """
    requests: list[Request] = []
    for transaction in transactions:
        call = {"from": signer, "to": transaction.target, "data": "0x" + transaction.data.hex()}
        requests.append(("eth_call", [call, hex(head.number)]))
        requests.append(("eth_estimateGas", [call, hex(head.number)]))
    return requests


def read_simulation(transaction: Transaction, answers: Sequence[Any], market: Market, policy: Policy) -> Simulation:
    """Say what a transaction would do.

    Parameters
    ----------
    transaction : Transaction
        What was run.
    answers : Sequence
        Answers to its call and its estimate.
    market : Market
        What the chain asks for.
    policy : Policy
        Bounds.

    Returns
    -------
    Simulation
        Typed for every answer that a node can give.
    """
    key = transaction.key
    called, estimated = answers
    for answer in (called, estimated):
        if isinstance(answer, RevertError):
            done = answer.name in transaction.already_done
            return Simulation(key, Result.ALREADY_DONE if done else Result.FAILED, answer.message)
        if isinstance(answer, NodeProblem):
            return _failed(key, answer)
    try:
        estimate = whole_of(estimated)
    except ValueError as reason:
        return Simulation(key, Result.UNAVAILABLE, f"eth_estimateGas: {reason}")
    return _priced(key, estimate, market, policy)


def _failed(key: str, problem: NodeProblem) -> Simulation:
    """Tell a transaction that cannot run from a node that cannot answer."""
    lowered = problem.message.lower()
    if problem.kind != "down" and any(text in lowered for text in OUT_OF_GAS_TEXTS):
        return Simulation(key, Result.TOO_MUCH_GAS, problem.message)
    return Simulation(key, Result.FAILED if problem.kind == "refused" else Result.UNAVAILABLE, problem.message)


def _priced(key: str, estimate: int, market: Market, policy: Policy) -> Simulation:
    """Bound gas and fee of a transaction that would succeed."""
    if estimate > policy.max_gas:
        reason = f"needs {estimate} gas, limit {policy.max_gas}"
        return Simulation(key, Result.TOO_MUCH_GAS, reason, gas_estimate=estimate)
    cost_wei = estimate * market.likely_wei(policy)
    fees = market.opening(policy)
    if fees is None:
        asked_wei = market.price_wei if market.base_wei is None else market.base_wei
        reason = f"the chain asks for {asked_wei} wei per gas, limit {policy.max_fee_wei}"
        return Simulation(key, Result.TOO_EXPENSIVE, reason, estimate, 0, cost_wei)
    gas = policy.gas_limit(estimate)
    return Simulation(key, Result.DONE, "", estimate, gas, cost_wei, gas * fees.max_wei)
