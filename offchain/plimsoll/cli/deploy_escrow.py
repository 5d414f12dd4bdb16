"""``plimsoll deploy-escrow``: the other end of remote collateral, on the other chain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from plimsoll.chain.client import Client
    from plimsoll.deployment.escrow import EscrowRecord
    from plimsoll.deployment.record import Deployment
    from plimsoll.deployment.spec import Spec

LOCAL_FUNDS_WEI = hex(10**24)


def command(
    network: Annotated[str, typer.Option(help="Configuration of the home chain, or a .toml file. No default.")],
    rpc: Annotated[str, typer.Option(help="HTTP address of a node of the other chain. No default.")],
    out: Annotated[Path, typer.Option(help="Where the record of the escrow is written.")],
    home: Annotated[str, typer.Option(help="Record of the deployment whose redemptions count; said once.")] = "",
    keystore: Annotated[Path | None, typer.Option(help="Encrypted key of the deployer.")] = None,
    pass_file: Annotated[Path | None, typer.Option(help="File with its password; else the environment.")] = None,
    governor: Annotated[str, typer.Option(help="Address that takes over the signers of headers there.")] = "",
    canceller: Annotated[
        list[str] | None, typer.Option(help="Address that may cancel what is scheduled; repeat, best for two.")
    ] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Only compare; never send anything.")] = False,
    live: Annotated[bool, typer.Option("--live", help="Really broadcast to a network that is not local.")] = False,
) -> None:
    """Deploy the escrow, then, in a second run with --home, tell it whose redemptions it takes.

    Between the two the escrow's address goes into the configuration, and `plimsoll deploy` deploys the claims.
    An interrupted run goes on where it stopped.
    """
    from eth_utils.address import is_address, to_checksum_address

    from plimsoll.chain.client import Client
    from plimsoll.deployment.escrow import load_escrow, remote_of, set_home
    from plimsoll.deployment.record import load_deployment
    from plimsoll.deployment.spec import load_spec
    from plimsoll.errors import InputError, UnavailableError
    from plimsoll.params import Params

    for option, addresses in {"--governor": [governor], "--canceller": canceller or []}.items():
        for address in addresses:
            if address and not is_address(address):
                raise InputError(option, f"{address} is no address")
    spec, client = load_spec(network, Params()), Client(rpc)
    remote_of(spec, client)
    installed = load_deployment(home) if home else None
    if verify and not out.exists():
        raise UnavailableError(str(out), "there is no record to verify")
    if not verify and not spec.network.is_local and not live and (installed or not out.exists()):
        raise InputError("--live", f"missing; {spec.network.name} is a public network and this would broadcast")
    if out.exists():
        record = load_escrow(out)
    else:
        people: dict[str, Any] = {"cancellers": [str(to_checksum_address(who)) for who in canceller or []]}
        people |= {"governor": str(to_checksum_address(governor))} if governor else {}
        record = _deploy(client, _deployer(client, spec, keystore, pass_file), spec, out, people)
    if installed is not None and not verify:
        deployer = _deployer(client, spec, keystore, pass_file)
        if set_home(client, deployer, record, installed, is_local=spec.network.is_local):
            typer.echo(f"the escrow takes redemptions of {installed.contracts['RemoteClaims']}", err=True)
    raise typer.Exit(_compare(client, record, spec, installed))


def _deployer(client: Client, spec: Spec, keystore: Path | None, pass_file: Path | None) -> LocalAccount:
    """Open the deployer's key; a local chain has a throw-away one."""
    from plimsoll.chain.anvil import wallet
    from plimsoll.errors import InputError
    from plimsoll.keeper.keys import load_key

    if keystore is not None:
        return load_key(keystore, pass_file)
    if not spec.network.is_local:
        raise InputError("--keystore", "missing; a public network needs a deployer's key")
    account = wallet("deployer")
    client.rpc("anvil_setBalance", account.address, LOCAL_FUNDS_WEI)
    return account


def _deploy(client: Client, account: LocalAccount, spec: Spec, out: Path, people: dict[str, Any]) -> EscrowRecord:
    """Deploy or go on, and write the record."""
    from plimsoll.deployment.escrow import deploy_escrow
    from plimsoll.deployment.progress import part_path

    part = part_path(out)
    record = deploy_escrow(
        client, account, spec, **people, part=part, report=lambda name: typer.echo(f"deploying {name}", err=True)
    )
    record.save(out)
    part.unlink(missing_ok=True)
    return record


def _compare(client: Client, record: EscrowRecord, spec: Spec, home: Deployment | None) -> int:
    """Print every difference between chain and configuration; return the exit code."""
    from plimsoll.deployment.deploy import NOBODY
    from plimsoll.deployment.verify import verify_escrow

    differences = verify_escrow(client, record, spec, home)
    for difference in differences:
        typer.echo(str(difference))
    if differences:
        typer.echo(f"error: {len(differences)} differences between chain and configuration", err=True)
        return 1
    typer.echo(f"escrow {record.contracts['RemoteEscrow']} on chain {record.chain_id} is as configured")
    if record.contract(client, "RemoteEscrow").call("home") == NOBODY:
        typer.echo("it has no home yet: put its address into the configuration, deploy, and run this with --home")
    return 0
