"""``plimsoll strategy``: a strategy vault at work."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from plimsoll.cli.output import print_document

if TYPE_CHECKING:
    from plimsoll.demo.strategy_story import StrategyStory

app = typer.Typer(no_args_is_help=True, help="Strategy vaults: shares in an account that a trader key runs.")
MAX_ROUNDS = 41
#: Rounds that the table of a run shows at most.
SHOWN = 12


@app.callback()
def _group() -> None:
    """Strategy vaults: shares in an account that a trader key runs."""


def _show(story: StrategyStory) -> None:
    from rich.console import Console

    from plimsoll.cli.tables import plain_table

    console = Console()
    rounds = plain_table("Rounds", ("time", "spot", "exit value", "share", "delta"), ("time",))
    every = max(1, -(-len(story.history) // SHOWN))
    for one in story.history[::every]:
        when = time.strftime("%d %b %H:%M", time.gmtime(one.ts))
        rounds.add_row(when, f"{one.spot:,.2f}", f"{one.value:,.2f}", f"{one.price:.4f}", f"{one.delta:,.2f}")
    console.print(rounds)
    hedges = f"{story.hedges} of {story.hedged:,.0f} notional" if story.band else "none: the calls are covered"
    rows = (
        ("deposited", f"{story.deposited:,.2f}"),
        ("premium of the options sold", f"{story.premium:,.2f}"),
        ("band of the hedge, units of delta", f"{story.band:,.2f}"),
        ("hedges", hedges),
        ("fee, in shares worth", f"{story.fee:,.2f}"),
        ("price of a share; highest", f"{story.price:.6f}; {story.high:.6f}"),
        (f"who brought {story.left_by:,.0f} left with", f"{story.left_with:,.2f}"),
        ("the shares of the others are worth", f"{story.stays:,.2f}"),
        ("dearest settlement", f"{story.settle_gas:,} gas"),
        ("the vault could pay everybody", "after every step" if not story.problems else "NO"),
    )
    table = plain_table(f"Strategy {story.strategy}", ("", ""), ("",))
    for row in rows:
        table.add_row(*row)
    console.print(table)


@app.command()
def run(
    strategy: Annotated[str, typer.Option(help="covered-call or short-vol.")] = "short-vol",
    rounds: Annotated[
        int, typer.Option(help="Rounds of four hours before the options expire, at most 41.")
    ] = MAX_ROUNDS,
    realised: Annotated[float, typer.Option(help="Volatility of the prices that are drawn; 0.65 is implied.")] = 0.45,
    seed: Annotated[int, typer.Option(help="Of the prices that are drawn.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Run a strategy on a local chain: deposits, options sold and hedged within limits, fee, redemption."""
    from plimsoll.demo.strategy_vault import STRATEGIES, SceneSettings, play_strategy
    from plimsoll.errors import AgreementError, InputError

    if strategy not in STRATEGIES:
        raise InputError("--strategy", f"{strategy!r} is none of {', '.join(STRATEGIES)}")
    for name, value, low, high in (("--rounds", rounds, 1, MAX_ROUNDS), ("--realised", realised, 0.01, 3.0)):
        if not low <= value <= high:
            raise InputError(name, f"{value} is outside {low} to {high}")
    story = play_strategy(int(time.time()), SceneSettings(STRATEGIES[strategy], rounds, realised, seed))
    if as_json:
        print_document(story.as_json())
    else:
        _show(story)
    if story.problems:
        raise AgreementError("strategy", f"the vault could not pay everybody: {story.problems[0]}")
