"""``plimsoll deploy``: deploy and configure the contracts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
    live: Annotated[bool, typer.Option("--live", help="Really broadcast to a network that is not local.")] = False,
) -> None:
    """Deploy everything, configure it, and write the artefact that the other commands read."""
    from eth_utils.address import is_address, to_checksum_address

    from offchain.chain.client import Client, wallet
    from offchain.chain.deploy import deploy
    from offchain.chain.spec import load_spec
    from offchain.errors import InputError
    from offchain.files.params import load_params
    from offchain.keeper.keys import load_key
    from offchain.params import Params

    for option, addresses in (("--signer", signer), ("--guardian", [guardian]), ("--governor", [governor])):
        for address in addresses:
            if address and not is_address(address):
                raise InputError(option, f"{address} is no address")
    spec = load_spec(network, load_params(params) if params else Params())
    spec = spec.with_signers(tuple(to_checksum_address(address) for address in signer))
    if not spec.network.is_local and not live:
        raise InputError("--live", f"missing; {spec.network.name} is a public network and this would broadcast")
    client = Client(rpc)
    if keystore is not None:
        account = load_key(keystore, pass_file)
    elif spec.network.is_local:
        account = wallet("deployer")
        client.rpc("anvil_setBalance", account.address, LOCAL_FUNDS_WEI)
    else:
        raise InputError("--keystore", "missing; a public network needs a deployer's key")
    deployment = deploy(
        client,
        account,
        spec,
        guardian=guardian,
        governor=governor,
        report=lambda name: typer.echo(f"deploying {name}", err=True),
    )
    deployment.save(out)
    typer.echo(f"{len(deployment.contracts)} contracts on chain {deployment.chain_id}; artefact: {out}")
