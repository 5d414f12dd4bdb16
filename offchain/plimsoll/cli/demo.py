"""``plimsoll demo``: the main job, end to end."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

REPORT = Path("reports") / "demo.html"
WIDTH = 100

#: Between two lines of progress where no bar can be drawn.
LINE_EVERY_SEC = 10.0


@contextmanager
def progress_of() -> Iterator[Callable[[str, int, int], None]]:
    """Give a function that shows what is done: a bar on a terminal, now and then a line elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        started = shown = time.monotonic()

        def line(what: str, done: int, total: int) -> None:
            nonlocal shown
            if time.monotonic() - shown >= LINE_EVERY_SEC:
                shown = time.monotonic()
                typer.echo(f"   ... {what} {done}/{total} ({shown - started:.0f} s)", err=True)

        yield line
        return
    columns = (TextColumn("{task.description:<42}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting", total=None)
        yield lambda what, done, total: progress.update(task, description=what, completed=done, total=total)


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
    rounds: Annotated[int | None, typer.Option(min=1, help="Stop after this many snapshots; all by default.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the market data.")] = None,
    report: Annotated[Path, typer.Option(help="Where the page with the plots is written.")] = REPORT,
) -> None:
    """Open the books on a local chain and take them through a real crash."""
    from rich.console import Console

    from plimsoll.cli.html_option import check_page
    from plimsoll.cli.logs import log_to_stderr
    from plimsoll.demo.html import write_html
    from plimsoll.demo.replay import run_demo
    from plimsoll.demo.report import print_report
    from plimsoll.errors import AgreementError

    if report == REPORT:
        report.parent.mkdir(exist_ok=True)
    # Before the run, which would be lost.
    check_page(report, "--report")
    log_to_stderr(logging.ERROR)
    with progress_of() as show:
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
