"""The command ``plimsoll``: arguments in, exit code out; no logic.

Only the command that was asked for is imported, so that ``plimsoll --help`` stays quick.
"""

from __future__ import annotations

import errno
import importlib
import io
import os
import sys
from typing import Annotated, Final

import typer

from plimsoll import __version__
from plimsoll.cli.given_once import check_options
from plimsoll.errors import PlimsollError

#: name -> (module, what it does); a module exposes ``app`` (a group) or ``command`` (a function).
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "margin": ("plimsoll.cli.margin", "Margin of one account, from files alone."),
    "import": ("plimsoll.cli.bring", "A book of another venue as portfolio and market files, from files or live."),
    "example": ("plimsoll.cli.example", "Write a small market, portfolio and parameter file to begin with."),
    "schema": ("plimsoll.cli.schema", "JSON schemas of the files that commands read."),
    "demo": ("plimsoll.cli.demo", "The main job: a portfolio market on chain, replayed through a real crash."),
    "market": ("plimsoll.cli.market", "Option chains: fit, fetch, smile."),
    "deploy": ("plimsoll.cli.deploy", "Deploy and configure the contracts."),
    "deploy-escrow": ("plimsoll.cli.deploy_escrow", "Deploy the escrow of remote collateral on its chain."),
    "keeper": ("plimsoll.cli.keeper", "Post rounds, settle expiries, liquidate."),
    "venue": ("plimsoll.cli.venue", "The order service: signed orders meet and settle on chain."),
    "signer": ("plimsoll.cli.signer", "One oracle signer as a service: sign what its own data confirm."),
    "feed": ("plimsoll.cli.feed", "What a feed says now; settle a series by hand."),
    "account": ("plimsoll.cli.account", "One account on chain: balances, positions, margin, greeks."),
    "watch": ("plimsoll.cli.watch", "Terminal dashboard of one account on chain."),
    "explain": ("plimsoll.cli.explain", "What drives an account: P&L by cause, liquidation prices, payoff, vega."),
    "risk": ("plimsoll.cli.risk", "VaR, expected shortfall and contributions of one account."),
    "stress": ("plimsoll.cli.stress", "Scenarios, crashes, reverse stress and liquidation surface of one account."),
    "cascade": ("plimsoll.cli.cascade", "A shock through all accounts: hedging and liquidations move the price."),
    "fund": ("plimsoll.cli.fund", "The insurance fund beside the two largest defaults at once."),
    "strategy": ("plimsoll.cli.strategy", "A strategy vault at work: deposits, options, hedges, fee, redemption."),
    "compare": ("plimsoll.cli.compare", "Margin models of other venues on one account."),
    "optimise": ("plimsoll.cli.optimise", "Trades that release margin, hedges, less tail risk, allocation, bands."),
    "report": ("plimsoll.cli.report", "One page about one account: margin, greeks, VaR, stress, models."),
    "backtest": ("plimsoll.cli.backtest", "The scan range against the price history."),
    "propose": ("plimsoll.cli.propose", "A parameter file through the governor's delay: preview, schedule, execute."),
    "calibrate": ("plimsoll.cli.calibrate", "Scenario ranges from history, as a parameter file."),
    "doctor": ("plimsoll.cli.doctor", "What is installed and missing; what node, deployment and feed say."),
}
#: What the system says of an output that takes nothing.
_UNWRITABLE: Final = (errno.EBADF, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC)
#: Set by the script that `--install-completion` writes; the words typed so far are in one of the other two.
COMPLETING: Final = "_PLIMSOLL_COMPLETE"
TYPED: Final = ("COMP_WORDS", "_TYPER_COMPLETE_ARGS")


def _asked_for(arguments: list[str]) -> str | None:
    """First argument that is no option."""
    return next((a for a in arguments if not a.startswith("-")), None)


def _words(arguments: list[str]) -> list[str]:
    """Return the command line that runs or, when a shell asks for completions, the one that is being typed."""
    if COMPLETING not in os.environ:
        return arguments
    typed = next((os.environ[name] for name in TYPED if name in os.environ), "")
    return typed.split()[1:]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"plimsoll {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of the command itself; the first line of ``--help`` is the application's."""


def build_app(name: str | None) -> typer.Typer:
    """Root application; only the command ``name`` is really imported.

    Parameters
    ----------
    name : str or None
        Command that will run.

    Returns
    -------
    typer.Typer
        Root application listing every command.
    """
    app = typer.Typer(
        name="plimsoll",
        pretty_exceptions_enable=False,
        help="On-chain portfolio margin: margin from files, the demo, market fits, deployment, keeper.",
    )
    app.callback()(_root)
    for command, (module_name, help_text) in COMMANDS.items():
        if command != name:
            app.command(command, help=help_text)(lambda: None)
            continue
        module = importlib.import_module(module_name)
        if hasattr(module, "app"):
            app.add_typer(module.app, name=command, help=help_text)
        else:
            app.command(command, help=help_text)(module.command)
    return app


def _fail(line: str, code: int) -> int:
    print("error: " + " ".join(line.split()), file=sys.stderr)
    return code


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code.

    Parameters
    ----------
    arguments : list of str
        Without the program's name.

    Returns
    -------
    int
        0 success, 1 mirror and chain disagree, 2 bad input, 3 chain or feed unavailable, 4 a part is missing; an output
        that cannot be written ends :func:`main` with 5.
    """
    try:
        app = build_app(_asked_for(_words(arguments)))
        if COMPLETING not in os.environ:
            check_options(app, arguments)
        result = app(args=arguments, prog_name="plimsoll", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except PlimsollError as error:
        return _fail(str(error), error.exit_code)
    except typer.Exit as stop:
        return int(stop.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        return _fail("interrupted: nothing was written", 130)
    except Exception as error:
        # The argument parser's own errors carry a message for the user and the exit code 2.
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):
            context = getattr(error, "ctx", None)
            message = error.format_message() or "missing command; --help lists them"
            return _fail(f"{context.command_path if context else 'plimsoll'}: {message}", 2)
        raise


class _Closed(io.TextIOBase):
    """Standard output that was closed before we started."""

    def write(self, text: str) -> int:
        """Refuse as the system does."""
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def _drop_output() -> None:
    """Let what is still to be written go nowhere: the interpreter would stumble over it when it ends."""
    if isinstance(sys.stdout, _Closed):
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    """Entry point of the command ``plimsoll``."""
    if sys.stdout is None:
        sys.stdout = _Closed()
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output went away (``plimsoll ... | head``); that is no error of ours.
        _drop_output()
        code = 0
    except OSError as error:
        if error.errno not in _UNWRITABLE or error.filename is not None:
            raise
        _drop_output()
        code = _fail(f"standard output: cannot be written ({error.strerror})", 5)
    sys.exit(code)
