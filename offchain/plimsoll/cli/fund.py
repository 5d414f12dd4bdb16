"""``plimsoll fund``: how large the insurance fund has to be for the accounts there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plimsoll.cli.output import print_document
from plimsoll.errors import InputError, PartialError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from plimsoll.analytics.fund.size import Cover, FundSize
    from plimsoll.analytics.fund.standing import Standing, Unknown
    from plimsoll.params import Params

#: Accounts that are named one by one; the document holds all of them.
SHOWN = 10
#: An index that is further behind its node is told of.
MOST_BEHIND_SEC = 60


@dataclass(frozen=True, slots=True)
class _Accounts:
    """The fund's cash, everybody it stands for, and when; ``block`` is None for files."""

    fund: float
    standing: Standing
    unknown: tuple[Unknown, ...]
    params: Params
    ts: int
    block: int | None = None


def _from_files(
    market: Path | None, portfolios: Sequence[Path] | None, fund: float | None, params: Path | None
) -> _Accounts:
    from plimsoll.analytics.fund.standing import standing_at
    from plimsoll.cli.given_once import check_accounts
    from plimsoll.cli.market_option import read_market
    from plimsoll.cli.slow import Slow
    from plimsoll.files.params import load_params
    from plimsoll.files.portfolio import load_portfolio
    from plimsoll.params import Params

    if market is None:
        raise InputError("--market", "missing; give files, a keeper by --config, or a chain by --rpc and --deployment")
    if not portfolios:
        raise InputError("--portfolio", "missing; give every account the fund stands for")
    if fund is None:
        raise InputError("--fund", "missing; what the fund holds")
    check_accounts(portfolios)
    loaded = read_market(market)
    folios = {f"{number} {path.name}": load_portfolio(path, loaded) for number, path in enumerate(portfolios, 1)}
    chosen = load_params(params, set(loaded.rounds)) if params is not None else Params()
    standing, unknown = standing_at(loaded, folios, chosen, Slow().tell)
    return _Accounts(fund, standing, unknown, chosen, loaded.ts)


def _from_index(config: Path) -> _Accounts:
    import asyncio
    import sys

    from plimsoll.analytics.fund.standing import Unknown, standing_at
    from plimsoll.cli.slow import Slow
    from plimsoll.keeper.census import take_census
    from plimsoll.keeper.config import load_config

    census = asyncio.run(take_census(load_config(config)))
    if census.behind_sec > MOST_BEHIND_SEC:
        said = f"the index is at block {census.block}, {census.behind_sec} s behind the node: is its keeper running?"
        print(f"warning: {said}", file=sys.stderr)
    folios = {str(number): folio for number, folio in census.portfolios.items()}
    lines = {str(number): held for number, held in census.lines.items()}
    standing, strange = standing_at(census.market, folios, census.params, Slow().tell, lines)
    unknown = (*(Unknown(str(number), why) for number, why in census.unknown.items()), *strange)
    return _Accounts(census.fund, standing, unknown, census.params, census.market.ts, census.block)


def _from_chain(rpc: str, deployment: Path) -> _Accounts:
    from plimsoll.analytics.fund.standing import Unknown, standing_of
    from plimsoll.chain.client import Client
    from plimsoll.cli.slow import Slow
    from plimsoll.constants import FUND_ID
    from plimsoll.deployment.record import check_chain, load_deployment
    from plimsoll.governance.preview import open_accounts
    from plimsoll.protocol.account import read_account
    from plimsoll.protocol.guarantees import is_line, reserves_of
    from plimsoll.protocol.parameters import chain_params

    loaded = load_deployment(deployment)
    client = Client(rpc)
    check_chain(loaded, client)
    block, ts = client.block_number(), client.block_ts()
    ids = [number for number in open_accounts(client, loaded) if number > FUND_ID]
    slow, margins, lines, unknown = Slow(), {}, {}, []
    for done, number in enumerate(ids):
        slow.tell(f"accounts: {done} of {len(ids)}")
        if is_line(client, loaded, number):
            continue
        view = read_account(client, loaded, number)
        lines[str(number)] = reserves_of(client, loaded, number)
        if view.margin is None:
            unknown.append(Unknown(str(number), view.margin_problem))
        else:
            margins[str(number)] = view.margin
    params, fund = chain_params(client, loaded), read_account(client, loaded, FUND_ID).portfolio.cash
    standing = standing_of(list(margins), list(margins.values()), params, lines)
    return _Accounts(fund, standing, tuple(unknown), params, ts, block)


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
    console.print(
        f"it outlasts {_count(found.bears, found.accounts)} under any row, "
        f"{_count(found.bears_within, found.accounts)} within the range",
        highlight=False,
    )
    _show_lines(console, found)


def _show_lines(console: Console, found: FundSize) -> None:
    """Say what guarantee lines keep from the fund."""
    if found.lines == 0.0:
        return
    console.print(
        f"guarantee lines hold {found.lines:,.2f} and pay first; without them cover-2 would be "
        f"{found.without_lines.cost:,.2f}",
        highlight=False,
    )


def _count(defaults: int, accounts: int) -> str:
    """Say how many defaults at once a fund outlasts."""
    if defaults == accounts:
        return f"the default of all {accounts} at once"
    return "no default" if defaults == 0 else f"the {defaults} largest defaults at once"


def _check_one_source(files: Mapping[str, object], config: Path | None, chain: Mapping[str, object]) -> None:
    """Refuse options of files beside a chain, and a chain beside a keeper's file, which names its own."""
    on_chain = [name for name, value in chain.items() if value is not None]
    if config is not None and on_chain:
        raise InputError(on_chain[0], "is named by the file of --config; give one of them")
    for name, value in files.items():
        if value is not None and (config is not None or on_chain):
            raise InputError(name, "is read from the chain; give it only with files, without --rpc and --config")


def command(
    market: Annotated[Path | None, typer.Option(help="Market file (plimsoll.market/1).")] = None,
    portfolio: Annotated[list[Path] | None, typer.Option(help="An account; give all of them.")] = None,
    fund: Annotated[float | None, typer.Option(help="What the fund holds, cash; with files.")] = None,
    params: Annotated[Path | None, typer.Option(help="Parameter file; missing keys take the defaults.")] = None,
    config: Annotated[Path | None, typer.Option(help="A keeper's file: every account as its index has it.")] = None,
    rpc: Annotated[str | None, typer.Option(help="HTTP address of a node: every account, by the contracts.")] = None,
    deployment: Annotated[
        Path | None, typer.Option(help="Record that `plimsoll deploy` wrote: a .json file, or the name of a network.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Hold the insurance fund against the two largest defaults at once, under every row of the scenario book."""
    from plimsoll.analytics.fund.size import fund_size

    files = {"--market": market, "--portfolio": portfolio, "--fund": fund, "--params": params}
    _check_one_source(files, config, {"--rpc": rpc, "--deployment": deployment})
    if config is not None:
        accounts = _from_index(config)
    elif rpc is not None and deployment is not None:
        accounts = _from_chain(rpc, deployment)
    elif rpc is not None or deployment is not None:
        missing = "--deployment" if deployment is None else "--rpc"
        raise InputError(missing, "missing; a chain is read with both --rpc and --deployment")
    else:
        accounts = _from_files(market, portfolio, fund, params)
    found = fund_size(accounts.fund, accounts.standing, accounts.params, accounts.unknown)
    if as_json:
        print_document({**found.to_json(), "timestamp": accounts.ts, "block": accounts.block})
    else:
        _show(found)
    if found.unknown:
        named = "; ".join(f"account {entry.name}: {entry.reason}" for entry in found.unknown[:SHOWN])
        more = f"; and {len(found.unknown) - SHOWN} more" if len(found.unknown) > SHOWN else ""
        raise PartialError("fund", f"without accounts that have no margin number: {named}{more}")
