"""The other end of remote collateral: an escrow on another chain, with a header feed and a governor of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from eth_account.signers.local import LocalAccount

from plimsoll.chain.abi import all_artifacts, load_artifact
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import LOCAL_GAS, Contract
from plimsoll.deployment.build import Build
from plimsoll.deployment.deploy import ADMIN_ROLE, CANCELLER_ROLE, NOBODY
from plimsoll.deployment.progress import Journal, digest_of, write_whole
from plimsoll.deployment.record import Deployment
from plimsoll.deployment.remote_spec import RemoteSpec
from plimsoll.deployment.spec import Spec
from plimsoll.errors import InputError

SCHEMA = "plimsoll.escrow/1"


@dataclass(frozen=True, slots=True)
class EscrowRecord:
    """Where one escrow lives.

    Parameters
    ----------
    network : str
        Name of the configuration it was made from, which is that of the home chain.
    chain_id : int
        Chain it lives on.
    home_chain_id : int
        Chain whose redemptions it takes.
    block : int
        First block that can hold one of its events.
    contracts : Mapping[str, str]
        Address by contract name.
    parameters : Mapping[str, Any]
        People and constructor arguments.
    """

    network: str
    chain_id: int
    home_chain_id: int
    block: int
    contracts: Mapping[str, str]
    parameters: Mapping[str, Any]

    def contract(self, client: Client, name: str) -> Contract:
        """Bind one contract to a client of the escrow's chain.

        Parameters
        ----------
        client : Client
            Endpoint.
        name : str
            Contract name.

        Returns
        -------
        Contract
        """
        return Contract(client, load_artifact(name), self.contracts[name])

    def as_deployment(self) -> Deployment:
        """Return it as an installation without tokens, for whoever compares contracts."""
        return Deployment(self.network, self.chain_id, self.block, self.contracts, {}, {}, self.parameters)

    def save(self, path: Path) -> None:
        """Write the record; a reader sees the old file or the new one, never a part.

        Parameters
        ----------
        path : Path
            Target; its folder is created.
        """
        write_whole(path, {"schema": SCHEMA, **asdict(self)})


def load_escrow(path: Path) -> EscrowRecord:
    """Read the record of an escrow.

    Parameters
    ----------
    path : Path
        JSON file that :meth:`EscrowRecord.save` wrote.

    Returns
    -------
    EscrowRecord

    Raises
    ------
    InputError
        When the file is missing, no JSON, or of another shape.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as reason:
        raise InputError(str(path), f"cannot be read ({reason.strerror})") from reason
    except ValueError as reason:
        raise InputError(str(path), "is not JSON") from reason
    if not isinstance(document, dict) or document.pop("schema", None) != SCHEMA:
        raise InputError(str(path), f"schema is not {SCHEMA}")
    try:
        record = EscrowRecord(**document)
        missing = {"Authority", "HeaderFeed", "RemoteEscrow"} - set(record.contracts)
    except TypeError as reason:
        raise InputError(str(path), f"not an escrow: {reason}") from reason
    if missing:
        raise InputError(str(path), f"not an escrow: lacks {', '.join(sorted(missing))}")
    return record


def remote_of(spec: Spec, client: Client) -> RemoteSpec:
    """Return the other chain of a configuration, and refuse an endpoint of another one.

    Parameters
    ----------
    spec : Spec
        Configuration of the home chain.
    client : Client
        Endpoint of the other chain.

    Returns
    -------
    RemoteSpec

    Raises
    ------
    InputError
        When the configuration has no other chain, or the node is not of it.
    """
    if spec.remote is None:
        raise InputError("--network", f"{spec.network.name} names no other chain: the section remote is missing")
    if client.chain_id != spec.remote.chain_id:
        text = f"{spec.network.name} has its collateral on chain {spec.remote.chain_id}, the node is of"
        raise InputError("--rpc", f"{text} {client.chain_id}")
    return spec.remote


def deploy_escrow(
    client: Client,
    account: LocalAccount,
    spec: Spec,
    *,
    governor: str = "",
    cancellers: Sequence[str] = (),
    report: Callable[[str], None] = lambda name: None,
    part: Path | None = None,
) -> EscrowRecord:
    """Deploy and configure the escrow, or go on with one that was interrupted; it has no home yet.

    Parameters
    ----------
    client : Client
        Endpoint of the other chain.
    account : LocalAccount
        Deployer; it alone can tell the escrow its home, once.
    spec : Spec
        Configuration of the home chain.
    governor : str
        Address that gets the admin role behind the configured delay; the deployer keeps it when empty. It sets who
        attests headers of the home chain, and nothing else.
    cancellers : Sequence[str]
        Addresses that may cancel what is scheduled; the deployer when empty.
    report : Callable[[str], None]
        Told the name of every contract.
    part : Path, optional
        Where progress is kept; see :func:`plimsoll.deployment.deploy.deploy`.

    Returns
    -------
    EscrowRecord

    Raises
    ------
    InputError
        When the configuration has no other chain, the node is not of it, or ``part`` is of another escrow.
    RevertError
        When a contract refuses its configuration.
    """
    remote = remote_of(spec, client)
    governor, cancellers = governor or account.address, cancellers or (account.address,)
    build = Build(client, account, spec.network.is_local, report)
    if part is not None:
        codes = [(artifact.name, artifact.bytecode) for artifact in all_artifacts()]
        settled = (spec.network, remote.chain_id, remote.signers, remote.signer_threshold)
        build.journal = Journal(part, client, account, digest_of("escrow", settled, governor, cancellers, codes))
    authority = build.create("Authority", account.address)
    feed = build.create("HeaderFeed", authority, spec.network.chain_id)
    build.create("RemoteEscrow", feed)
    build.send("HeaderFeed", "setSigners", list(remote.signers), remote.signer_threshold)
    for canceller in cancellers:
        build.send("Authority", "grantRole", CANCELLER_ROLE, canceller, 0)
    if governor != account.address:
        build.send("Authority", "grantRole", ADMIN_ROLE, governor, spec.network.governor_delay_sec)
        build.send("Authority", "renounceRole", ADMIN_ROLE, account.address)
    people = {"deployer": account.address, "governor": governor, "cancellers": list(cancellers)}
    return EscrowRecord(
        network=spec.network.name,
        chain_id=client.chain_id,
        home_chain_id=spec.network.chain_id,
        block=build.first_block,
        contracts={name: contract.address for name, contract in build.contracts.items()},
        parameters={"roles": people, "constructors": build.constructors},
    )


def set_home(client: Client, account: LocalAccount, record: EscrowRecord, home: Deployment, *, is_local: bool) -> bool:
    """Tell an escrow whose redemptions it takes, unless it knows: this can be said once and never again.

    Parameters
    ----------
    client : Client
        Endpoint of the escrow's chain.
    account : LocalAccount
        Who deployed the escrow.
    record : EscrowRecord
        The escrow.
    home : Deployment
        Installation that holds the claims.
    is_local : bool
        Whether gas is fixed, as on a local chain.

    Returns
    -------
    bool
        Whether it was said just now.

    Raises
    ------
    InputError
        When the installation is of another chain, has no claims, or claims against another escrow; or when the escrow
        has another home.
    """
    claims = home.contracts.get("RemoteClaims")
    if home.chain_id != record.home_chain_id or claims is None:
        text = f"is of chain {home.chain_id}" + ("" if claims else ", without RemoteClaims")
        raise InputError("--home", f"{text}; the escrow's home is chain {record.home_chain_id}")
    named = str((home.parameters.get("remote") or {}).get("escrow", ""))
    escrow = record.contract(client, "RemoteEscrow")
    if named.lower() != escrow.address.lower():
        raise InputError("--home", f"its claims are of the escrow {named or 'nowhere'}, this one is {escrow.address}")
    there = str(escrow.call("home"))
    if there.lower() == claims.lower():
        return False
    if there != NOBODY:
        raise InputError("--home", f"the escrow's home is {there} for ever, the claims are {claims}")
    escrow.send(account, "setHome", claims, gas=LOCAL_GAS if is_local else None)
    return True
