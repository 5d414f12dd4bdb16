"""``plimsoll doctor``: what is installed and missing; what node, deployment and feed say."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from plimsoll.cli.output import print_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plimsoll.doctor.finding import Finding

WIDTH = 80
STATE_WIDTH, NAME_WIDTH = 9, 17


def command(
    rpc: Annotated[str, typer.Option(help="HTTP address of a node to look at.")] = "",
    deployment: Annotated[
        str, typer.Option(help="Record of a deployment: a .json file, or its name in build/plimsoll.")
    ] = "",
    feed: Annotated[bool, typer.Option("--feed", help="Also the age of every round and price.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Say of each part whether it is ok, missing or bad, and what to do about it.

    Exit code 1 when something that is needed, or was asked for by an option, is not ok.
    """
    from plimsoll.doctor.examine import examine
    from plimsoll.doctor.finding import document_of, is_well

    findings = examine(rpc, deployment, with_feed=feed)
    if as_json:
        print_document(document_of(findings))
    else:
        _print(findings)
    raise typer.Exit(0 if is_well(findings) else 1)


def _print(findings: Sequence[Finding]) -> None:
    """Print one paragraph a finding: state and name in columns, then what was seen and what to do."""
    group = ""
    for finding in findings:
        if finding.group != group:
            typer.echo(f"{'' if not group else chr(10)}{finding.group}")
            group = finding.group
        head = f"  {finding.state.value:<{STATE_WIDTH}}{finding.name:<{NAME_WIDTH}}"
        for text in filter(None, (finding.seen, f"-> {finding.advice}" if finding.advice else "")):
            indent = " " * len(head)
            typer.echo(textwrap.fill(text, WIDTH, initial_indent=head, subsequent_indent=indent))
            head = indent
