"""``plimsoll propose``: a parameter file through the governor's delay."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plimsoll.cli.output import print_document
from plimsoll.files.document import text_of

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from plimsoll.chain.client import Client
    from plimsoll.governance.preview import Side
    from plimsoll.governance.proposal import Proposal

COLUMNS = ("state", "equity", "initial", "maint.")
STYLES = {"maintenance": "bold red", "initial": "yellow"}


def _key(client: Client, keystore: Path | None, pass_file: Path | None, live: bool) -> LocalAccount:
    from plimsoll.chain.anvil import wallet
    from plimsoll.deployment.spec import LOCAL_CHAIN_ID
    from plimsoll.errors import InputError
    from plimsoll.keeper.keys import load_key

    is_local = client.chain_id == LOCAL_CHAIN_ID
    if not is_local and not live:
        raise InputError("--live", f"missing; chain {client.chain_id} is not local and this would broadcast")
    if keystore is not None:
        return load_key(keystore, pass_file)
    if not is_local:
        raise InputError("--keystore", "missing; a public network needs the governor's key")
    return wallet("deployer")


def _show(proposal: Proposal) -> None:
    from rich.console import Console

    from plimsoll.cli.tables import plain_table

    console = Console()
    changed = plain_table("Changes", ("parameter", "on chain", "proposed"))
    for change in proposal.changes:
        values = (f"{v:g}" if isinstance(v, float) else v for v in (change.before, change.after))
        changed.add_row(change.name, *values)
    console.print(changed)
    names = ("account", *(f"{column}\n{when}" for when in ("now", "then") for column in COLUMNS), "falls below")
    table = plain_table("Accounts, cash", names, left=(f"{COLUMNS[0]}\nnow", f"{COLUMNS[0]}\nthen", names[-1]))
    for account in proposal.accounts:
        cells = [*_cells(account.before), *_cells(account.after), account.falls_below]
        table.add_row(str(account.account_id), *cells, style=STYLES.get(account.falls_below))
    console.print(table)
    maintenance, initial = (len(proposal.below(name)) for name in ("maintenance", "initial"))
    unknown = sum(account.before is None or account.after is None for account in proposal.accounts)
    console.print(
        f"{len(proposal.accounts)} accounts: {maintenance} would fall below maintenance, {initial} below initial margin"
        + (f", {unknown} cannot be margined now" if unknown else ""),
        style="bold red" if maintenance else "yellow" if initial else "",
    )


def _cells(side: Side | None) -> list[str]:
    if side is None:
        return ["unknown", "", "", ""]
    return [side.state, f"{side.equity:,.2f}", f"{side.initial:,.2f}", f"{side.maintenance:,.2f}"]


def command(
    params: Annotated[Path, typer.Option(help="Parameter file; what it does not name stays as it is on chain.")],
    rpc: Annotated[str, typer.Option(help="HTTP address of a node.")],
    deployment: Annotated[
        Path, typer.Option(help="Record that `plimsoll deploy` wrote: a .json file, or the name of a network.")
    ],
    account: Annotated[list[int] | None, typer.Option(help="Account to preview, not all; repeat for several.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the proposal (plimsoll.proposal/1) here.")] = None,
    schedule: Annotated[bool, typer.Option("--schedule", help="Schedule it, for the earliest time.")] = False,
    execute: Annotated[bool, typer.Option("--execute", help="Execute it, once its delay is over.")] = False,
    keystore: Annotated[Path | None, typer.Option(help="Encrypted key of the governor.")] = None,
    pass_file: Annotated[Path | None, typer.Option(help="File with its password; else the environment.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Really broadcast to a network that is not local.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Preview a parameter file on the contracts; with --schedule and --execute take it through the governor's delay."""
    from plimsoll.chain.client import Client
    from plimsoll.deployment.record import check_chain, load_deployment
    from plimsoll.errors import InputError
    from plimsoll.files.params import load_params
    from plimsoll.governance import proposal as steps
    from plimsoll.market.chain_file import replace_file
    from plimsoll.protocol.parameters import chain_params, changes_between, parameter_calls

    if schedule and execute:
        raise InputError("--execute", "a proposal is scheduled first and executed after its delay, not both at once")
    loaded = load_deployment(deployment)
    client = Client(rpc)
    check_chain(loaded, client)
    before = chain_params(client, loaded)
    after = load_params(params, set(loaded.underlyings), before)
    unlisted = sorted(set(after.overrides) - set(loaded.underlyings))
    if unlisted:
        raise InputError(str(params), f"{unlisted[0]} is not listed in the deployment")
    calls = parameter_calls(client, loaded, before, after)
    if not calls:
        raise InputError(str(params), "nothing to propose: the contracts hold these parameters already")
    accounts = steps.previewed(client, loaded, calls, account or [], str(params))
    changes = changes_between(before, after, list(loaded.underlyings))
    proposal = steps.Proposal(loaded, tuple(changes), tuple(calls), accounts)
    document = proposal.to_json()
    if out is not None:
        text = text_of(document, indent=1) + "\n"
        replace_file(out, lambda name: Path(name).write_text(text, encoding="utf-8"))
    if not as_json:
        _show(proposal)
    if schedule:
        due_ts = steps.schedule(client, _key(client, keystore, pass_file, live), proposal)
        document["executableTs"] = due_ts
        said = f"scheduled; may be executed from {datetime.fromtimestamp(due_ts, UTC):%Y-%m-%d %H:%M:%S} UTC"
    elif execute:
        steps.execute(client, _key(client, keystore, pass_file, live), proposal)
        document["executed"] = True
        said = "executed: the contracts hold these parameters now"
    else:
        said = "previewed; nothing was sent"
    if as_json:
        print_document(document)
    else:
        typer.echo(said)
