"""From a checked configuration to the parts of a keeper: nodes, index, mirror, signers, feeds."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from typing import Any

import structlog

from plimsoll.chain.abi import load_artifact
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract
from plimsoll.chain.endpoints import Endpoints
from plimsoll.chain.node import Node
from plimsoll.decide import BidderRule
from plimsoll.decide.solver import SolverRule
from plimsoll.deployment.record import Deployment, load_deployment
from plimsoll.errors import InputError
from plimsoll.feeds.connect import connect, quorum_of
from plimsoll.feeds.desk import FeedDesk
from plimsoll.feeds.memory import Memory
from plimsoll.feeds.posting import PostingRule
from plimsoll.feeds.samples import SampleStore
from plimsoll.feeds.sources import NONE, open_source, wraps_of
from plimsoll.index.artefact import check_artefact
from plimsoll.index.follow import Index
from plimsoll.index.follow import Progress as Synced
from plimsoll.index.verifier import Verifier
from plimsoll.keeper.accounts import FIRST_USER_ACCOUNT, Accounts, names_of
from plimsoll.keeper.config import KeeperConfig
from plimsoll.keeper.governance import Governance
from plimsoll.keeper.intent_source import IntentSource
from plimsoll.keeper.lookout import Lookout
from plimsoll.keeper.operations import Operations
from plimsoll.keeper.performer import Performer
from plimsoll.keeper.relay.opening import open_relayer
from plimsoll.keeper.roster import Roster
from plimsoll.keeper.secret_files import open_key, read_secret
from plimsoll.keeper.sending import policy_of, teller_of
from plimsoll.keeper.solving import Solver
from plimsoll.mirror.fleet import Fleet, warm_up
from plimsoll.transact.transactor import Transactor

log = structlog.get_logger()


@dataclass(slots=True)
class Parts:
    """What one keeper works with; closed together."""

    deployment: Deployment
    endpoints: Endpoints
    index: Index
    verifier: Verifier
    lookout: Lookout
    roster: Roster
    transactors: dict[str, Transactor] = field(default_factory=dict)
    relay: Node | None = None

    async def close(self) -> None:
        """Let go of everything that holds a connection."""
        for transactor in self.transactors.values():
            await transactor.close()
        if self.roster.desk is not None:
            await self.roster.desk.close()
        if self.roster.solver is not None:
            await self.roster.solver.source.close()
        if self.roster.relayer is not None:
            await self.roster.relayer.close()
        if self.relay is not None:
            await self.relay.close()
        await self.endpoints.close()


async def open_parts(ops: Operations, *, is_dry: bool) -> Parts:
    """Open everything, and check that the chain has this deployment.

    Parameters
    ----------
    ops : Operations
        Configuration, database, lease and alerts.
    is_dry : bool
        Simulate, and send nothing.

    Returns
    -------
    Parts

    Raises
    ------
    InputError
        When a file is wrong, or the artefact is not the chain's.
    UnavailableError
        When nodes or database do not answer.
    """
    config = ops.config
    deployment = load_deployment(config.keeper.deployment)
    endpoints = open_endpoints(config)
    try:
        head = await endpoints.head()
        await check_artefact(endpoints.node_at(head), deployment, head)
        relay = None if config.chain.relay is None else Node(config.chain.relay, timeout_sec=config.chain.timeout_sec)
        index = await asyncio.to_thread(_index, ops, endpoints, deployment)
        transactors = _transactors(ops, endpoints, relay, deployment)
        performers = {name: Performer(deployment, one, is_dry=is_dry) for name, one in transactors.items()}
        urgent = performers.get("liquidations")
        calm = performers.get("prices", urgent)
        roster = Roster(
            deployment,
            urgent,
            calm,
            await _desk(ops, deployment),
            _rule(config),
            lambda: _gas_price(endpoints),
            config.liquidation.max_gas_price_wei,
            _solver(ops, deployment),
            open_relayer(ops, endpoints, deployment, calm, is_dry=is_dry),
        )
        if roster.relayer is not None and roster.relayer.attester is not None:
            await roster.relayer.attester.start()
    except BaseException:
        await endpoints.close()
        raise
    # Before the first pass, which would be late by as much otherwise.
    log.info("kernels of the mirror are ready", seconds=round(await asyncio.to_thread(warm_up), 1))
    accounts = Accounts(deployment, lambda: _fleet(config, deployment), config.liquidation.bidder)
    governance = Governance(deployment, config.chain.endpoints[0])
    lookout = Lookout(endpoints, index, governance, accounts, deployment, config.liquidation.bidder)
    verifier = Verifier(index, endpoints, deployment, slice_accounts=config.index.verify_accounts)
    ops.has_keys = True
    return Parts(deployment, endpoints, index, verifier, lookout, roster, transactors, relay)


def open_endpoints(config: KeeperConfig) -> Endpoints:
    """Return the nodes of a configuration."""
    chain = config.chain
    nodes = [Node(url, timeout_sec=chain.timeout_sec, batch_size=chain.batch) for url in chain.endpoints]
    return Endpoints(
        nodes,
        chain.quorum,
        wait_sec=chain.agree_sec,
        # Apart from the depth at which a transaction counts: an index cannot go back below what it takes for final.
        final_depth=config.index.finality_blocks,
        use_final_tag=config.transact.confirmations is None,
    )


def _index(ops: Operations, endpoints: Endpoints, deployment: Deployment) -> Index:
    """Load the index; a long backfill says how far it is."""

    def tell(synced: Synced) -> None:
        ops.progress.index_at(synced.block_number)
        log.info(
            "reading events",
            block=synced.block_number,
            head=synced.head_number,
            events=synced.new_events,
            events_per_sec=round(synced.events_per_sec),
            left_sec=None if synced.left_sec is None else round(synced.left_sec),
        )

    return Index(endpoints, deployment, ops.engine, on_progress=tell)


def _transactors(
    ops: Operations, endpoints: Endpoints, relay: Node | None, deployment: Deployment
) -> dict[str, Transactor]:
    """Return the signers that the configuration names, urgent ones apart from the rest."""
    found: dict[str, Transactor] = {}
    for name in ("liquidations", "prices"):
        section = getattr(ops.config.signers, name)
        if section is None:
            continue
        account = open_key(section, f"signers.{name}", ops.redactor)
        found[name] = Transactor(
            endpoints,
            account,
            ops.engine,
            deployment.chain_id,
            policy_of(ops.config),
            relay=relay if name == "liquidations" else None,
            notify=teller_of(ops),
            may_send=ops.lease.may_send,
            fence=ops.lease.fence,
            on_replaced=ops.metrics.replacements.labels(signer=name).inc,
        )
    addresses = [transactor.context.account.address for transactor in found.values()]
    if len(set(addresses)) < len(addresses):
        raise InputError("signers", f"prices and liquidations are the same key, {addresses[0]}: nonces would collide")
    return found


async def _desk(ops: Operations, deployment: Deployment) -> FeedDesk | None:
    """Return what makes signed prices; nothing without a source."""
    config = ops.config
    specs = [spec for spec in config.feed.sources if spec != NONE]
    if not specs:
        return None
    source = open_source(
        specs,
        deployment.underlyings,
        deployment.tokens,
        least=(config.feed.min_sources or 0) if len(specs) > 1 else 0,
        cap=config.feed.max_outlier,
        is_median=config.feed.rule == "median",
    )
    wraps = wraps_of(config.feed.wraps, deployment.tokens, deployment.underlyings, "feed.wraps")
    connection = await connect(config.chain.endpoints[0], deployment, wraps)
    oracle = config.oracle
    token = ""
    if oracle.token_file is not None or oracle.token_env is not None:
        token = read_secret(oracle.token_file, oracle.token_env, "oracle", ops.redactor)
    keys = [open_key(key, f"oracle.keys[{place}]", ops.redactor) for place, key in enumerate(config.oracle.keys)]
    quorum = quorum_of(connection, oracle.services, keys, token=token, timeout_sec=oracle.sign_timeout_sec)
    rule = PostingRule(move=config.oracle.move, age_sec=int(config.oracle.age_sec))
    return FeedDesk(
        source,
        connection.view,
        connection.messages,
        quorum,
        SampleStore(ops.engine),
        rule,
        int(config.feed.max_age_sec),
        config.feed.timeout_sec,
        Memory(int(config.feed.confirm_sec)),
    )


def _rule(config: KeeperConfig) -> BidderRule | None:
    """Return when a bid pays; nothing without a bidder."""
    section = config.liquidation
    if section.bidder is None:
        return None
    if section.bidder < FIRST_USER_ACCOUNT:
        raise InputError("liquidation.bidder", f"{section.bidder} is no account of a user")
    return BidderRule(
        section.bidder,
        section.min_profit,
        section.min_return,
        cushion=section.cushion,
        delta_cost=section.hedge_cost,
    )


def _solver(ops: Operations, deployment: Deployment) -> Solver | None:
    """Return who fills signed intents; nobody without the section."""
    section = ops.config.solver
    if section is None:
        return None
    rule = SolverRule(section.min_profit, section.take, section.cushion, section.hedge_cost, section.gas_cost)
    exchange = Contract(
        Client(ops.config.chain.endpoints[0]), load_artifact("Exchange"), deployment.contracts["Exchange"]
    )
    wallet = open_key(section.key, "solver.key", ops.redactor)
    return Solver(deployment, section.account, wallet, rule, IntentSource(section.intents), exchange)


def _fleet(config: KeeperConfig, deployment: Deployment) -> Any:
    """Return who computes margins."""
    names = names_of(deployment)
    if config.fleet.engine == "numba":
        return Fleet(names)
    # Workers that Ray starts here give way to every other process unless told otherwise, and margins must not.
    os.environ.setdefault("RAY_worker_niceness", "0")
    import ray

    from plimsoll.mirror.fleet.ray_fleet import RayFleet

    ray.init(address=config.fleet.address, ignore_reinit_error=True, include_dashboard=False, log_to_driver=False)
    return RayFleet(names, config.fleet.shards)


async def _gas_price(endpoints: Endpoints) -> int:
    """Return what a unit of gas costs now, wei."""
    return int(await endpoints.node_at(await endpoints.head()).rpc("eth_gasPrice"), 16)
