"""What a node, the contracts of a deployment and its feed say; everything is read, nothing is sent."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Final

from plimsoll.chain.client import Client
from plimsoll.constants import DAY_SEC
from plimsoll.deployment.deploy import PAUSABLE
from plimsoll.deployment.record import Deployment
from plimsoll.deployment.spec import LOCAL_CHAIN_ID, load_spec
from plimsoll.deployment.verify import Difference, verify
from plimsoll.doctor.finding import Finding, State
from plimsoll.errors import InputError, PlimsollError, UnavailableError
from plimsoll.protocol.account import params_of
from plimsoll.units import wad_to_float

#: A block older than this says that the node does not follow its chain; a local chain makes blocks on demand.
STALE_BLOCK_SEC: Final = 120
#: Differences that are named one by one; more are counted.
NAMED_DIFFERENCES: Final = 3
#: The record of a deployment does not hold the signers, so there is nothing to compare them with.
UNRECORDED: Final = frozenset({"oracle.signers"})


def node(client: Client, now_ts: int | None = None) -> list[Finding]:
    """Look at an endpoint.

    Parameters
    ----------
    client : Client
        Endpoint.
    now_ts : int, optional
        Time to measure the latest block by, unix seconds; this machine's clock by default.

    Returns
    -------
    list of Finding
        Chain id and latest block, or one finding that says that nothing answers.
    """
    try:
        chain_id, block, ts = client.chain_id, client.block_number(), client.block_ts()
    except PlimsollError as reason:
        return [Finding("node", "answer", State.BAD, str(reason), "start the node, or correct --rpc")]
    age_sec = max(0, (int(time.time()) if now_ts is None else now_ts) - ts)
    is_local = chain_id == LOCAL_CHAIN_ID
    seen = f"{block}, {_span(age_sec)} old"
    if age_sec > STALE_BLOCK_SEC and not is_local:
        advice = f"a block older than {_span(STALE_BLOCK_SEC)} is no news: wait for the node, or take another"
        return [_chain(chain_id, is_local), Finding("node", "block", State.BAD, seen, advice)]
    return [_chain(chain_id, is_local), Finding("node", "block", State.OK, seen)]


def _chain(chain_id: int, is_local: bool) -> Finding:
    return Finding("node", "chain", State.OK, f"{chain_id}, a local chain" if is_local else str(chain_id))


def deployed(client: Client, deployment: Deployment) -> list[Finding]:
    """Look at the contracts of a deployment: code at every address, and every parameter against its configuration.

    Parameters
    ----------
    client : Client
        Endpoint that answers.
    deployment : Deployment
        Record of the deployment.

    Returns
    -------
    list of Finding
        Without code at an address the rest is not looked at.
    """
    if client.chain_id != deployment.chain_id:
        seen = f"recorded on chain {deployment.chain_id}, the node is of {client.chain_id}"
        return [Finding("deployment", "chain", State.BAD, seen, "name the record or the node of the same chain")]
    contracts = deployment.contracts
    codes = client.batch([("eth_getCode", [address, "latest"]) for address in contracts.values()])
    empty = [name for name, code in zip(contracts, codes, strict=True) if not isinstance(code, str) or code == "0x"]
    if empty:
        seen = f"none at {len(empty)} of {len(contracts)} addresses: {_some(empty)}"
        advice = "the chain is not the one that was deployed to (a local chain started again?): deploy"
        return [Finding("deployment", "code", State.BAD, seen, advice)]
    return [
        Finding("deployment", "code", State.OK, f"at all {len(contracts)} addresses, since block {deployment.block}"),
        *_compared(client, deployment),
        _people(deployment),
        *(_pause(client, deployment, "deployment", name) for name in PAUSABLE),
        *_headers(client, deployment),
    ]


def _compared(client: Client, deployment: Deployment) -> list[Finding]:
    """Compare code, parameters and roles with the configuration and the parameters that the record names."""
    try:
        spec = load_spec(deployment.network, params_of(deployment))
    except InputError:
        advice = "compare it by `plimsoll deploy --verify --network FILE.toml`"
        seen = f"{deployment.network} is no configuration of this package"
        return [Finding("deployment", "configuration", State.MISSING, seen, advice, needed=False)]
    try:
        differences = verify(client, deployment, spec)
    except UnavailableError as reason:
        return [Finding("deployment", "configuration", State.MISSING, str(reason), "run `make build`")]
    except PlimsollError as reason:
        return [Finding("deployment", "configuration", State.BAD, str(reason), "deploy with this version")]
    return [_configuration(deployment, [found for found in differences if found.name not in UNRECORDED])]


def _configuration(deployment: Deployment, differences: Sequence[Difference]) -> Finding:
    # Whether a contract is paused has a line of its own.
    others = [found.name for found in differences if not found.name.endswith(".paused")]
    if not others:
        seen = f"code, parameters and roles are as {deployment.network} says"
        return Finding("deployment", "configuration", State.OK, seen)
    seen = f"{len(others)} differ from {deployment.network}: {_some(others)}"
    return Finding("deployment", "configuration", State.BAD, seen, "`plimsoll deploy --verify` lists both values")


def _people(deployment: Deployment) -> Finding:
    """Say who governs, as recorded; that the chain agrees is part of the comparison."""
    roles = deployment.parameters["roles"]
    held = "the deployer" if roles["governor"] == roles["deployer"] else roles["governor"]
    return Finding("deployment", "roles", State.OK, f"governor {held}, {len(roles['cancellers'])} canceller(s)")


def _pause(client: Client, deployment: Deployment, group: str, name: str) -> Finding:
    if deployment.contract(client, name).call("paused"):
        advice = "the guardian stopped it; a pause ends by itself or by `unpause`"
        return Finding(group, name, State.BAD, "paused", advice)
    return Finding(group, name, State.OK, "not paused")


def _headers(client: Client, deployment: Deployment) -> list[Finding]:
    """Say which header of the other chain is known, where there is one; an old one is no fault, for nothing waits."""
    if "HeaderFeed" not in deployment.contracts:
        return []
    headers = deployment.contract(client, "HeaderFeed")
    newest = headers.call("newest")
    if headers.call("isFrozen"):
        advice = "two headers of one height were signed: governance has to set the signers anew"
        return [Finding("deployment", "HeaderFeed", State.BAD, f"frozen at block {newest}", advice)]
    if not newest:
        return [Finding("deployment", "HeaderFeed", State.OK, "no header yet: nothing was carried")]
    age_sec = max(0, client.block_ts() - headers.call("headerOf", newest).timestampTs)
    seen = f"block {newest} of chain {headers.call('remoteChainId')}, {_span(age_sec)} old"
    return [Finding("deployment", "HeaderFeed", State.OK, seen)]


def feed(client: Client, deployment: Deployment) -> list[Finding]:
    """Look at the oracle: the age of the newest round of every underlying, and of every token's price.

    Parameters
    ----------
    client : Client
        Endpoint of the deployment's chain.
    deployment : Deployment
        Record of the deployment.

    Returns
    -------
    list of Finding
        Ages are measured at the latest block, as the contracts measure them, against the heartbeat.
    """
    try:
        ages = [*_rounds(client, deployment), *_prices(client, deployment)]
        return [*ages, _pause(client, deployment, "feed", "Oracle")]
    except PlimsollError as reason:
        return [Finding("feed", "oracle", State.BAD, str(reason), "see the lines on the deployment")]


def _rounds(client: Client, deployment: Deployment) -> Iterator[Finding]:
    oracle, now_ts = deployment.contract(client, "Oracle"), client.block_ts()
    heartbeat_sec = int(oracle.call("heartbeatSec"))
    for symbol, number in deployment.underlyings.items():
        spot_wad, ts = oracle.call("lastSpotOf", number)
        yield _aged(symbol, "round", f"{wad_to_float(spot_wad):,.2f}", (now_ts, ts), heartbeat_sec)


def _prices(client: Client, deployment: Deployment) -> Iterator[Finding]:
    """Yield the age of the prices of tokens that are linked to no underlying; the others have none of their own."""
    oracle, now_ts = deployment.contract(client, "Oracle"), client.block_ts()
    heartbeat_sec = int(oracle.call("heartbeatSec"))
    terms = deployment.parameters["collateral"]
    for symbol, record in deployment.tokens.items():
        if not terms[symbol]["linked"]:
            price_wad, ts = oracle.call("lastTokenPriceOf", record.token_id)
            yield _aged(symbol, "price", f"{wad_to_float(price_wad):,.4f}", (now_ts, ts), heartbeat_sec)


def _aged(symbol: str, what: str, figure: str, times: tuple[int, int], heartbeat_sec: int) -> Finding:
    """Judge one number by its age; ``times`` are now and when it was signed, unix seconds."""
    now_ts, ts = times
    if not ts:
        return Finding("feed", symbol, State.MISSING, f"no {what} was ever posted", "start a keeper with the signers")
    age_sec = max(0, now_ts - ts)
    seen = f"{what} of {figure}, {_span(age_sec)} old, heartbeat {_span(heartbeat_sec)}"
    if age_sec > heartbeat_sec:
        return Finding("feed", symbol, State.BAD, seen, "stale: see why the keeper posts nothing")
    return Finding("feed", symbol, State.OK, seen)


def _some(names: Sequence[str]) -> str:
    """Name the first few, and count the rest."""
    more = f" and {len(names) - NAMED_DIFFERENCES} more" if len(names) > NAMED_DIFFERENCES else ""
    return ", ".join(names[:NAMED_DIFFERENCES]) + more


def _span(seconds: int) -> str:
    """Write a time in its two largest units."""
    for size, unit, rest, smaller in ((DAY_SEC, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            return f"{seconds // size} {unit} {seconds % size // rest} {smaller}"
    return f"{seconds} s"
