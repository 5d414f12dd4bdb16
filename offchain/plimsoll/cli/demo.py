"""``plimsoll demo``: the main job, end to end."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from plimsoll.demo.result import DemoResult

REPORT = Path("reports") / "demo.html"
WIDTH = 100

#: Between two lines of progress where no bar can be drawn.
LINE_EVERY_SEC = 10.0


@dataclass(frozen=True, slots=True)
class Shown:
    """What shows progress: called with a step of how many; ``aside`` keeps it out of the way of other output."""

    show: Callable[[str, int, int], None]
    aside: Callable[[], AbstractContextManager[None]]


@contextmanager
def progress_of() -> Iterator[Shown]:
    """Show what is done: a bar on a terminal, now and then a line elsewhere."""
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

        yield Shown(line, nullcontext)
        return
    columns = (TextColumn("{task.description:<42}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as progress:
        task = progress.add_task("starting", total=None)

        @contextmanager
        def aside() -> Iterator[None]:
            progress.stop()
            yield
            progress.start()

        yield Shown(
            lambda what, done, total: progress.update(task, description=what, completed=done, total=total), aside
        )


def say(what: str) -> None:
    """Say how long something took, beside the output."""
    typer.echo(f"   {what}", err=True)


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
    from plimsoll.demo.report import print_opening, print_rest
    from plimsoll.errors import AgreementError

    if report == REPORT:
        report.parent.mkdir(exist_ok=True)
    # Before the run, which would be lost.
    check_page(report, "--report")
    log_to_stderr(logging.ERROR)
    out, started = Console(width=WIDTH), time.monotonic()
    with progress_of() as progress:

        def opened(result: DemoResult) -> None:
            if not as_json:
                with progress.aside():
                    print_opening(result, out)
                    say(f"first table {time.monotonic() - started:.0f} s after the start of the demo")

        result = run_demo(rounds, data_dir, progress.show, opened)
    write_html(result, report)
    if as_json:
        typer.echo(json.dumps(result.as_json(), allow_nan=False))
    else:
        print_rest(result, out)
        typer.echo(f"plots: {report}")
    say(f"demo done in {time.monotonic() - started:.0f} s")
    if not result.is_conserved:
        raise AgreementError("conservation", result.conservation_problems[0])
    if not result.is_agreed:
        problems = [*result.index_problems, f"mirror and chain differ by {result.max_difference:.1e} of gross notional"]
        raise AgreementError("demo", problems[0])
