"""``plimsoll demo``: the main job, end to end."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated

import typer

REPORT = Path("reports") / "demo.html"
WIDTH = 160


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
    rounds: Annotated[int | None, typer.Option(min=1, help="Stop after this many snapshots; all by default.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the market data.")] = None,
    report: Annotated[Path, typer.Option(help="Where the page with the plots is written.")] = REPORT,
) -> None:
    """Open the books on a local chain and take them through a real crash."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from offchain.cli.logs import log_to_stderr
    from offchain.demo.html import write_html
    from offchain.demo.replay import run_demo
    from offchain.demo.report import print_report
    from offchain.errors import AgreementError

    log_to_stderr(logging.ERROR)
    columns = (TextColumn("{task.description:<42}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("starting", total=None)

        def show(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=total)

        result = run_demo(rounds, data_dir, show)
    write_html(result, report)
    if as_json:
        typer.echo(json.dumps(result.as_json(), allow_nan=False))
    else:
        print_report(result, Console(width=WIDTH))
        typer.echo(f"plots: {report}")
    if not result.is_conserved:
        raise AgreementError("conservation", result.conservation_problems[0])
    if not result.is_agreed:
        problems = [*result.index_problems, f"mirror and chain differ by {result.max_difference:.1e} of gross notional"]
        raise AgreementError("demo", problems[0])
