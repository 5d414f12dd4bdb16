"""``plimsoll fund``: how large the insurance fund has to be for the accounts there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plimsoll.cli.output import print_document

if TYPE_CHECKING:
    from rich.table import Table

    from plimsoll.analytics.fund.size import Cover, FundSize
    from plimsoll.mirror.margin_engine import MarginResult
    from plimsoll.params import Params

#: Accounts that are named one by one; the document holds all of them.
SHOWN = 10


@dataclass(frozen=True, slots=True)
class _Accounts:
    """The fund's cash, and everybody it stands for."""

    fund: float
    names: list[str]
    margins: list[MarginResult]
    params: Params


def _from_files(
    market: Path | None, portfolios: Sequence[Path] | None, fund: float | None, params: Path | None
) -> _Accounts:
    from plimsoll.cli.given_once import check_accounts
    from plimsoll.cli.market_option import read_market
    from plimsoll.errors import InputError
    from plimsoll.files.params import load_params
    from plimsoll.files.portfolio import load_portfolio
    from plimsoll.mirror.margin_engine import evaluate_many
    from plimsoll.params import Params

    if market is None:
        raise InputError("--market", "missing; give files, or a chain by --rpc and --deployment")
    if not portfolios:
        raise InputError("--portfolio", "missing; give every account the fund stands for")
    if fund is None:
        raise InputError("--fund", "missing; what the fund holds")
    check_accounts(portfolios)
    loaded = read_market(market)
    folios = [load_portfolio(path, loaded) for path in portfolios]
    chosen = load_params(params, set(loaded.rounds)) if params is not None else Params()
    names = [f"{number} {path.name}" for number, path in enumerate(portfolios, 1)]
    return _Accounts(fund, names, evaluate_many(loaded, folios, chosen), chosen)


def _from_chain(rpc: str, deployment: Path) -> _Accounts:
    from plimsoll.chain.client import Client
    from plimsoll.cli.slow import Slow
    from plimsoll.constants import FUND_ID
    from plimsoll.deployment.record import check_chain, load_deployment
    from plimsoll.errors import InputError
    from plimsoll.governance.preview import open_accounts
    from plimsoll.protocol.account import read_account
    from plimsoll.protocol.parameters import chain_params

    loaded = load_deployment(deployment)
    client = Client(rpc)
    check_chain(loaded, client)
    ids = [number for number in open_accounts(client, loaded) if number > FUND_ID]
    slow, names, margins = Slow(), [], []
    for done, number in enumerate(ids):
        slow.tell(f"accounts: {done} of {len(ids)}")
        view = read_account(client, loaded, number)
        if view.margin is None:
            raise InputError(f"account {number}", f"has no margin number now: {view.margin_problem}")
        names.append(str(number))
        margins.append(view.margin)
    fund = read_account(client, loaded, FUND_ID).portfolio.cash
    return _Accounts(fund, names, margins, chain_params(client, loaded))


def _cover_table(title: str, covers: Sequence[Cover], accounts: int) -> Table:
    from plimsoll.analytics.fund.size import COVERED_DEFAULTS
    from plimsoll.cli.tables import plain_table

    table = plain_table(title, ("defaults", "cash", "worst row", "who"), ("worst row", "who"))
    for entry in covers:
        who = ", ".join(entry.names[:SHOWN]) + (" ..." if len(entry.names) > SHOWN else "")
        count = f"all {accounts}" if entry.defaults > COVERED_DEFAULTS else f"{entry.defaults}"
        table.add_row(count, f"{entry.cost:,.2f}", "none" if entry.row is None else str(entry.row), who or "nobody")
    return table


def _show(found: FundSize) -> None:
    from rich.console import Console

    from plimsoll.cli.tables import plain_table

    console = Console()
    console.print(_cover_table("Unpaid by defaults at once, any row of the book", found.cover, found.accounts))
    console.print(_cover_table("The same within the price range, 99.7 % of days", found.cover_within, found.accounts))
    names = ("risk", "account", "cash", "units", "share")
    held = plain_table("Where risk is concentrated; vega per vol point", names, ("account",))
    for one in found.concentrations:
        amount = one.amount / 100.0 if one.risk.endswith(" vega") else one.amount
        cells = ("", f"{amount:,.4f}") if one.risk.endswith(" delta") else (f"{amount:,.2f}", "")
        held.add_row(one.risk, one.name, *cells, f"{one.share:.1%}")
    console.print(held)
    if found.uncovered:
        open_ = plain_table("Insolvent within the range", ("account", "unpaid", "worst row"), ("worst row",))
        for bad in found.uncovered[:SHOWN]:
            open_.add_row(bad.name, f"{bad.unpaid:,.2f}", str(bad.row))
        console.print(open_)
    console.print(
        f"covered at 99.7 %: {found.covered_share:.1%} of {found.accounts} accounts stay solvent within the range",
        highlight=False,
    )
    state = f"{found.spare:,.2f} more than" if found.spare >= 0.0 else f"{-found.spare:,.2f} LESS than"
    console.print(
        f"the fund holds {found.fund:,.2f}, {state} cover-2; it may pay {found.per_hour:,.2f} in an hour",
        style="" if found.spare >= 0.0 else "bold red",
        highlight=False,
    )


def command(
    market: Annotated[Path | None, typer.Option(help="Market file (plimsoll.market/1).")] = None,
    portfolio: Annotated[list[Path] | None, typer.Option(help="An account; give all of them.")] = None,
    fund: Annotated[float | None, typer.Option(help="What the fund holds, cash; with files.")] = None,
    params: Annotated[Path | None, typer.Option(help="Parameter file; missing keys take the defaults.")] = None,
    rpc: Annotated[str | None, typer.Option(help="HTTP address of a node: every account of a deployment.")] = None,
    deployment: Annotated[
        Path | None, typer.Option(help="Record that `plimsoll deploy` wrote: a .json file, or the name of a network.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Hold the insurance fund against the two largest defaults at once, under every row of the scenario book."""
    from plimsoll.analytics.fund.size import fund_size
    from plimsoll.errors import InputError

    if rpc is not None and deployment is not None:
        given = {"--market": market, "--portfolio": portfolio, "--fund": fund, "--params": params}
        for name, value in given.items():
            if value is not None:
                raise InputError(name, "is read from the chain; give it only with files, without --rpc")
        accounts = _from_chain(rpc, deployment)
    elif rpc is not None or deployment is not None:
        missing = "--deployment" if deployment is None else "--rpc"
        raise InputError(missing, "missing; a chain is read with both --rpc and --deployment")
    else:
        accounts = _from_files(market, portfolio, fund, params)
    found = fund_size(accounts.fund, accounts.names, accounts.margins, accounts.params)
    if as_json:
        print_document(found.to_json())
    else:
        _show(found)
