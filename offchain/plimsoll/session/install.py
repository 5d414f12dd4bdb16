"""Deploy by hand: a whole local installation with its first rounds, or contracts on a public network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from plimsoll.chain.anvil import wallet
from plimsoll.chain.client import Client
from plimsoll.deployment.deploy import deploy, wrong_chain
from plimsoll.deployment.progress import part_path
from plimsoll.deployment.record import Deployment, check_chain, load_deployment
from plimsoll.deployment.spec import Spec, load_spec
from plimsoll.errors import InputError, UnavailableError
from plimsoll.params import Params
from plimsoll.protocol.account import params_of
from plimsoll.session.session import DEPLOYER, SIGNERS, KeyOf, funded_wallet, is_local, make_room


def recorded(client: Client, record: Path) -> Deployment | None:
    """Return the deployment of a record that lives on this chain; ``None`` when there is none.

    Raises
    ------
    UnavailableError
        When the record is of a public chain and its contracts are not there: it is not ours to overwrite.
    """
    if not record.exists():
        return None
    deployment = load_deployment(record)
    try:
        check_chain(deployment, client)
    except UnavailableError:
        # A local chain that was started again has forgotten what its record names.
        if is_local(client):
            return None
        raise
    return deployment


def install(
    client: Client, record: Path, config: str, signers: Sequence[str], key_of: KeyOf, report: Callable[[str], None]
) -> Deployment:
    """Deploy everything and write the record; an interrupted run on a public network goes on where it stopped.

    Parameters
    ----------
    client : Client
        Endpoint.
    record : Path
        File that is written when everything is deployed.
    config : str
        Configuration: its name, or a .toml file.
    signers : sequence of str
        Addresses of the oracle's signers; the wallets of public seeds on a local chain.
    key_of : callable
        Key of the wallet named ``deployer``, for chains that are not local.
    report : callable
        Told the name of every contract.

    Returns
    -------
    Deployment

    Raises
    ------
    InputError
        When the configuration is of another chain, or a public one is given no signers.
    """
    spec = _spec(client, config, signers)
    part = None if spec.network.is_local else part_path(record)
    account = funded_wallet(client, DEPLOYER) if spec.network.is_local else key_of(DEPLOYER)
    make_room(client)
    deployment = deploy(client, account, spec, part=part, report=report)
    deployment.save(record)
    if part is not None:
        part.unlink(missing_ok=True)
    return deployment


def configured(client: Client, deployment: Deployment, signers: Sequence[str]) -> Spec:
    """Return the configuration that a deployment was made from, to compare it with the chain."""
    spec = load_spec(deployment.network, params_of(deployment))
    return spec.with_signers(tuple(signers) or _local_signers(client))


def _spec(client: Client, config: str, signers: Sequence[str]) -> Spec:
    spec = load_spec(config, Params())
    # A record of a local deployment holds no keys, so that its seeds must never sign for a public chain.
    if spec.network.chain_id != client.chain_id:
        raise InputError("config", wrong_chain(spec, client))
    if not spec.network.is_local and not signers:
        raise InputError("signers", f"missing; {spec.network.name} is public, name the addresses that sign its rounds")
    return spec.with_signers(tuple(signers) or _local_signers(client))


def _local_signers(client: Client) -> tuple[str, ...]:
    return tuple(wallet(name).address for name in SIGNERS) if is_local(client) else ()
