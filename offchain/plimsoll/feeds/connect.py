"""Puts signers, desks and sources of one deployment together, and refuses a node of another chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog
from eth_account.signers.local import LocalAccount

from plimsoll.chain.node import Node
from plimsoll.deployment.record import Deployment
from plimsoll.errors import UnavailableError
from plimsoll.feeds.messages import Messages
from plimsoll.feeds.oracle_view import OracleView
from plimsoll.feeds.reading import Source
from plimsoll.feeds.samples import SampleStore
from plimsoll.feeds.signed_store import SignedStore
from plimsoll.feeds.signer import Signer
from plimsoll.feeds.signer_app import SignerOptions, serve_signer
from plimsoll.feeds.signer_client import LocalSigner, Quorum, RemoteSigner
from plimsoll.storage import open_database, upgrade

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Connection:
    """One deployment as the feeds see it."""

    view: OracleView
    messages: Messages


async def connect(rpc: str, deployment: Deployment, wraps: Mapping[str, str] | None = None) -> Connection:
    """Connect to a node and check that it has this deployment's oracle.

    Parameters
    ----------
    rpc : str
        HTTP address of a node.
    deployment : Deployment
        Names on chain.
    wraps : Mapping[str, str], optional
        See :class:`~plimsoll.feeds.oracle_view.OracleView`.

    Returns
    -------
    Connection
        Belongs to the running event loop.

    Raises
    ------
    UnavailableError
        When the node cannot be reached, or is of another chain.
    """
    node = Node(rpc)
    view = OracleView(node, deployment, wraps)
    try:
        domain = await view.domain()
    except UnavailableError:
        await view.close()
        raise
    if domain["chainId"] != deployment.chain_id:
        await view.close()
        text = f"chain id is {domain['chainId']}, the deployment's is {deployment.chain_id}"
        raise UnavailableError(node.url, text)
    return Connection(view, Messages(deployment, domain))


def quorum_of(
    connection: Connection,
    services: Sequence[str],
    accounts: Sequence[LocalAccount] = (),
    *,
    token: str = "",
    timeout_sec: float = 5.0,
) -> Quorum:
    """Return the signers of an oracle.

    Parameters
    ----------
    connection : Connection
        Deployment.
    services : Sequence[str]
        Addresses of signer services.
    accounts : Sequence[LocalAccount]
        Keys in this process, for a chain of one's own.
    token : str
        Shared with the services; empty for none.
    timeout_sec : float
        Longest wait for one of them.

    Returns
    -------
    Quorum
    """
    messages, view = connection.messages, connection.view
    remote = [RemoteSigner(url, messages, token=token, timeout_sec=timeout_sec) for url in services]
    local = [LocalSigner(account, messages) for account in accounts]
    return Quorum([*remote, *local], messages, view.quorum, view.is_signer)


async def run_signer(
    account: LocalAccount,
    rpc: str,
    deployment: Deployment,
    source: Source,
    database: str,
    options: SignerOptions,
    wraps: Mapping[str, str] | None = None,
) -> None:
    """Serve one signer until the process is told to end.

    Parameters
    ----------
    account : LocalAccount
        Its key.
    rpc : str
        HTTP address of its own node.
    deployment : Deployment
        Names on chain.
    source : Source
        Its own data.
    database : str
        URL of its own database: what it has signed, and what it has seen.
    options : SignerOptions
    wraps : Mapping[str, str], optional
        See :class:`~plimsoll.feeds.oracle_view.OracleView`.

    Raises
    ------
    InputError
        When the database's URL is wrong.
    UnavailableError
        When node or database cannot be reached.
    """
    engine = open_database(database)
    upgrade(engine)
    connection = await connect(rpc, deployment, wraps)
    if not await connection.view.is_signer(account.address):
        log.warning("not a signer of this oracle yet", address=account.address)
    stores = SignedStore(engine), SampleStore(engine)
    signer = Signer(account, source, connection.view, connection.messages, *stores)
    log.info("signer", address=account.address, source=source.name, host=options.host, port=options.port)
    try:
        await serve_signer(signer, options)
    finally:
        engine.dispose()
