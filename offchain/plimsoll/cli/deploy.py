"""``plimsoll deploy``: deploy and configure the contracts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from plimsoll.chain.client import Client
    from plimsoll.deployment.record import Deployment
    from plimsoll.deployment.spec import Spec

LOCAL_FUNDS_WEI = hex(10**24)


def command(
    network: Annotated[str, typer.Option(help="Name of a configuration, or a .toml file. No default.")],
    rpc: Annotated[str, typer.Option(help="HTTP address of a node. No default.")],
    out: Annotated[Path, typer.Option(help="Where the artefact is written.")],
    signer: Annotated[list[str], typer.Option(help="Address of an oracle signer; repeat for each.")],
    params: Annotated[Path | None, typer.Option(help="Risk parameters; missing keys take the defaults.")] = None,
    keystore: Annotated[Path | None, typer.Option(help="Encrypted key of the deployer.")] = None,
    pass_file: Annotated[Path | None, typer.Option(help="File with its password; else the environment.")] = None,
    guardian: Annotated[str, typer.Option(help="Address that may pause; the deployer by default.")] = "",
    governor: Annotated[str, typer.Option(help="Address that takes over governance.")] = "",
    canceller: Annotated[
        list[str] | None, typer.Option(help="Address that may cancel what is scheduled; repeat, best for two.")
    ] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Only compare; never send anything.")] = False,
    live: Annotated[bool, typer.Option("--live", help="Really broadcast to a network that is not local.")] = False,
) -> None:
    """Deploy everything, configure it, verify it, and write the artefact that the other commands read.

    With the artefact there already nothing is sent: chain and configuration are compared.
    An interrupted run goes on where it stopped.
    """
    from eth_utils.address import is_address, to_checksum_address

    from plimsoll.chain.client import Client
    from plimsoll.deployment.deploy import wrong_chain
    from plimsoll.deployment.record import load_deployment
    from plimsoll.deployment.spec import load_spec
    from plimsoll.errors import InputError, UnavailableError
    from plimsoll.files.params import load_params
    from plimsoll.params import Params

    given = {"--signer": signer, "--guardian": [guardian], "--governor": [governor], "--canceller": canceller or []}
    for option, addresses in given.items():
        for address in addresses:
            if address and not is_address(address):
                raise InputError(option, f"{address} is no address")
    spec = load_spec(network, load_params(params) if params else Params())
    spec = spec.with_signers(tuple(to_checksum_address(address) for address in signer))
    client = Client(rpc)
    if (live or out.exists()) and spec.network.chain_id != client.chain_id:
        raise InputError("--network", wrong_chain(spec, client))
    if out.exists():
        deployment = load_deployment(out)
    elif verify:
        raise UnavailableError(str(out), "there is no artefact to verify")
    else:
        people: dict[str, Any] = {"cancellers": [str(to_checksum_address(who)) for who in canceller or []]}
        for name, who in (("guardian", guardian), ("governor", governor)):
            people |= {name: str(to_checksum_address(who))} if who else {}
        deployment = _deploy(client, spec, out, keystore, pass_file, people, live)
    raise typer.Exit(_compare(client, deployment, spec))


def _deploy(
    client: Client,
    spec: Spec,
    out: Path,
    keystore: Path | None,
    pass_file: Path | None,
    people: dict[str, Any],
    live: bool,
) -> Deployment:
    """Deploy or go on, and write the artefact."""
    from plimsoll.chain.anvil import wallet
    from plimsoll.deployment.deploy import deploy
    from plimsoll.deployment.progress import part_path
    from plimsoll.errors import InputError
    from plimsoll.keeper.keys import load_key

    if not spec.network.is_local and not live:
        raise InputError("--live", f"missing; {spec.network.name} is a public network and this would broadcast")
    if keystore is not None:
        account = load_key(keystore, pass_file)
    elif spec.network.is_local:
        account = wallet("deployer")
        client.rpc("anvil_setBalance", account.address, LOCAL_FUNDS_WEI)
    else:
        raise InputError("--keystore", "missing; a public network needs a deployer's key")
    part = part_path(out)
    deployment = deploy(
        client, account, spec, **people, part=part, report=lambda name: typer.echo(f"deploying {name}", err=True)
    )
    deployment.save(out)
    part.unlink(missing_ok=True)
    return deployment


def _compare(client: Client, deployment: Deployment, spec: Spec) -> int:
    """Print every difference between chain and configuration; return the exit code."""
    from plimsoll.deployment.record import check_chain
    from plimsoll.deployment.verify import verify

    check_chain(deployment, client)
    differences = verify(client, deployment, spec)
    for difference in differences:
        typer.echo(str(difference))
    if differences:
        typer.echo(f"error: {len(differences)} differences between chain and configuration", err=True)
        return 1
    typer.echo(f"{len(deployment.contracts)} contracts on chain {deployment.chain_id} are as configured")
    return 0
