"""From a checked configuration to a relayer: the escrow's record, nodes of its chain, keys, and who sends there."""

from __future__ import annotations

from dataclasses import dataclass

from eth_account.signers.local import LocalAccount

from plimsoll.chain.endpoints import Endpoints
from plimsoll.chain.node import Node
from plimsoll.deployment.escrow import EscrowRecord, load_escrow
from plimsoll.deployment.record import Deployment
from plimsoll.errors import InputError
from plimsoll.keeper.config import KeeperConfig
from plimsoll.keeper.config.sections import KeySection
from plimsoll.keeper.operations import Operations
from plimsoll.keeper.performer import Performer
from plimsoll.keeper.relay.attesting import Attester
from plimsoll.keeper.relay.relayer import Relayer, Rule
from plimsoll.keeper.relay.source import Source
from plimsoll.keeper.relay.tokens import Claims
from plimsoll.keeper.relay.way import Way
from plimsoll.keeper.secret_files import open_key
from plimsoll.keeper.sending import policy_of, teller_of
from plimsoll.remote.proofs import locked_slot, redeemed_slot
from plimsoll.transact.transactor import Transactor


@dataclass(frozen=True, slots=True)
class Away:
    """The other chain of a configuration.

    Parameters
    ----------
    record : EscrowRecord
    endpoints : Endpoints
        Closed by whoever opened them.
    sender : KeySection or None
        Key that sends there.
    """

    record: EscrowRecord
    endpoints: Endpoints
    sender: KeySection | None


def open_away(config: KeeperConfig, deployment: Deployment) -> Away | None:
    """Open the other chain; nothing is asked of its nodes, which may be away.

    Parameters
    ----------
    config : KeeperConfig
    deployment : Deployment
        Of the home chain.

    Returns
    -------
    Away or None
        ``None`` without the section.

    Raises
    ------
    InputError
        When the record is none, or is not of the escrow that the deployment claims against.
    """
    section = config.remote
    if section is None:
        return None
    record = load_escrow(section.escrow)
    _check_pair(record, deployment)
    nodes = [Node(url, timeout_sec=section.timeout_sec, batch_size=config.chain.batch) for url in section.endpoints]
    endpoints = Endpoints(
        nodes,
        section.quorum,
        # In the background: no other duty waits for it.
        wait_sec=config.chain.agree_sec,
        final_depth=config.index.finality_blocks,
        use_final_tag=config.transact.confirmations is None,
    )
    return Away(record, endpoints, section.sender)


def open_relayer(
    ops: Operations, home: Endpoints, deployment: Deployment, sends: Performer | None, *, is_dry: bool
) -> Relayer | None:
    """Open what carries both ways.

    Parameters
    ----------
    ops : Operations
        Configuration, database, lease and alerts.
    home : Endpoints
        Nodes of this chain.
    deployment : Deployment
    sends : Performer or None
        Sends on this chain; ``None`` leaves everything to others.
    is_dry : bool
        Simulate, and send nothing.

    Returns
    -------
    Relayer or None
        ``None`` without the section ``remote``, or without a signer.

    Raises
    ------
    InputError
        When a file is wrong, or not of this deployment.
    """
    section = ops.config.remote
    if section is None or sends is None:
        return None
    away = open_away(ops.config, deployment)
    if away is None:
        return None
    record = away.record
    keys = tuple(open_key(key, f"remote.keys[{place}]", ops.redactor) for place, key in enumerate(section.keys))
    escrow, claims = record.contracts["RemoteEscrow"], deployment.contracts["RemoteClaims"]
    locked = Source(away.endpoints, record.chain_id, "RemoteEscrow", escrow, "Locked", record.block, section.log_blocks)
    redeemed = Source(
        home, deployment.chain_id, "RemoteClaims", claims, "Redeemed", deployment.block, section.log_blocks
    )
    rule = Rule(
        section.interval_sec, section.header_sec, section.quiet_sec, section.least, section.most, section.timeout_sec
    )
    inward, outward = claims_way(locked, deployment, keys), releases_way(redeemed, record.as_deployment(), keys)
    return Relayer(
        inward,
        outward,
        Claims(deployment),
        sends,
        _sender(ops, away, deployment, is_dry=is_dry),
        away.endpoints,
        rule,
        is_dry=is_dry,
        services=section.services,
        attester=None if section.attest is None or is_dry else Attester(section.attest, (inward, outward)),
    )


def claims_way(source: Source, deployment: Deployment, keys: tuple[LocalAccount, ...]) -> Way:
    """Return the way from what is locked to its claims."""
    return Way(
        name="claims",
        intent="claim",
        source=source,
        taker=deployment,
        contract="RemoteClaims",
        done="claimedRaw",
        take="claim",
        already_done=frozenset({"RemoteClaims__NothingNew"}),
        slot=locked_slot,
        is_struct=True,
        keys=keys,
    )


def releases_way(source: Source, escrow: Deployment, keys: tuple[LocalAccount, ...]) -> Way:
    """Return the way from what is redeemed to its release."""
    return Way(
        name="releases",
        intent="unlock",
        source=source,
        taker=escrow,
        contract="RemoteEscrow",
        done="releasedRaw",
        take="release",
        already_done=frozenset({"RemoteEscrow__NothingNew"}),
        slot=redeemed_slot,
        is_struct=False,
        keys=keys,
    )


def _sender(ops: Operations, away: Away, deployment: Deployment, *, is_dry: bool) -> Performer | None:
    """Return who sends on the other chain; its nonces and journal are apart from those of this chain."""
    if away.sender is None:
        return None
    transactor = Transactor(
        away.endpoints,
        open_key(away.sender, "remote.sender", ops.redactor),
        ops.engine,
        away.record.chain_id,
        policy_of(ops.config),
        notify=teller_of(ops),
        may_send=ops.lease.may_send,
        fence=ops.lease.fence,
        on_replaced=ops.metrics.replacements.labels(signer="remote").inc,
    )
    return Performer(deployment, transactor, is_dry=is_dry)


def _check_pair(record: EscrowRecord, deployment: Deployment) -> None:
    """Refuse an escrow and claims that are not of each other."""
    if record.home_chain_id != deployment.chain_id:
        text = f"the escrow's home is chain {record.home_chain_id}, the deployment is of {deployment.chain_id}"
        raise InputError("remote.escrow", text)
    named = str((deployment.parameters.get("remote") or {}).get("escrow", ""))
    escrow = record.contracts["RemoteEscrow"]
    if "RemoteClaims" not in deployment.contracts or named.lower() != escrow.lower():
        text = f"the deployment claims against {named or 'no escrow'}, the record is of {escrow}"
        raise InputError("remote.escrow", text)
