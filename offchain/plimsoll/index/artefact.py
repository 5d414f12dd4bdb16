"""Whether the artefact of a deployment names what the chain has: swapped ids would give everybody other collateral."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from plimsoll.chain.abi import decode_values, encode_values, load_artifact
from plimsoll.chain.head import Head
from plimsoll.chain.node import Node, Request
from plimsoll.chain.revert import RevertError
from plimsoll.deployment.record import Deployment
from plimsoll.errors import InputError
from plimsoll.index.snapshot import bytes_of, call_request


async def check_artefact(node: Node, deployment: Deployment, head: Head) -> None:
    """Compare chain id, code, and the ids of tokens and underlyings with the chain, before anything is followed.

    Parameters
    ----------
    node : Node
        A node that has shown the block.
    deployment : Deployment
        Artefact.
    head : Head
        Block to ask at.

    Raises
    ------
    InputError
        When the artefact is of another chain, or an id is not what it says; the message names it.
    NodeProblem
        When the node fails.
    """
    source = f"deployment {deployment.network}"
    _check_unique(source, deployment)
    token_of = load_artifact("Vault").functions["tokenOf"]
    symbol_of = load_artifact("ScenarioBook").functions["symbolOf"]
    requests: list[Request] = [
        ("eth_chainId", []),
        ("eth_getCode", [deployment.contracts["Accounts"], hex(head.number)]),
    ]
    for record in deployment.tokens.values():
        data = "0x" + (token_of.selector + encode_values(token_of.inputs, (record.token_id,))).hex()
        requests.append(call_request(deployment.contracts["Vault"], data, head.number))
    for number in deployment.underlyings.values():
        data = "0x" + (symbol_of.selector + encode_values(symbol_of.inputs, (number,))).hex()
        requests.append(call_request(deployment.contracts["ScenarioBook"], data, head.number))
    chain_id, code, *answers = await node.batch(requests)
    tokens, symbols = answers[: len(deployment.tokens)], answers[len(deployment.tokens) :]
    found_id = int.from_bytes(bytes_of(node, "0x" + str(chain_id)[2:].rjust(16, "0")), "big")
    if found_id != deployment.chain_id:
        raise InputError(source, f"is of chain {deployment.chain_id}, the node is on {found_id}")
    if not bytes_of(node, code):
        raise InputError(source, "the chain has no code at the address of Accounts")
    for (symbol, record), answer in zip(deployment.tokens.items(), tokens, strict=True):
        if isinstance(answer, RevertError):
            raise InputError(source, f"token {symbol} has id {record.token_id}, which the vault does not know")
        listed = decode_values(token_of.outputs, bytes_of(node, answer))
        if listed.token.lower() != record.address.lower():
            text = f"token {symbol} has id {record.token_id} and address {record.address}, the vault has {listed.token}"
            raise InputError(source, text)
    for (symbol, number), answer in zip(deployment.underlyings.items(), symbols, strict=True):
        found = bytes_of(node, answer).rstrip(b"\0").decode("utf-8", "replace")
        if found != symbol:
            raise InputError(source, f"underlying {symbol} has id {number}, which is {found or 'nothing'} on chain")


def _check_unique(source: str, deployment: Deployment) -> None:
    """Refuse an id, or an address of a contract, that two names share."""
    columns: dict[str, Iterable[int | str]] = {
        "underlyings": list(deployment.underlyings.values()),
        "tokens": [record.token_id for record in deployment.tokens.values()],
        "contracts": [address.lower() for address in deployment.contracts.values()],
    }
    for name, values in columns.items():
        twice = sorted(str(value) for value, count in Counter(values).items() if count > 1)
        if twice:
            raise InputError(source, f"{name} {', '.join(twice)} named twice")
