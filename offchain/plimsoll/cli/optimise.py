"""``plimsoll optimise``: trades that release margin, hedges, less tail risk, allocation, bands, frontier."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from plimsoll.analytics.optimise.goal import EXAMPLES, read_goal
from plimsoll.analytics.optimise.limits import MOST_TRADES, Limits
from plimsoll.analytics.optimise.listed import MOST_APART_SEC, Listed, listed_of
from plimsoll.analytics.optimise.trades import Suggestion
from plimsoll.analytics.optimise.universe import TradingCosts
from plimsoll.analytics.series.as_of import Provenance
from plimsoll.analytics.series.history import History
from plimsoll.cli.file_options import AsJson, MarketFile, ParamsFile, PortfolioFile, loaded_of
from plimsoll.cli.given_once import check_accounts
from plimsoll.cli.history_option import AsOf, chosen_history, told
from plimsoll.cli.html_option import HtmlFile, check_apart, write_page
from plimsoll.cli.market_option import read_market
from plimsoll.cli.option_group import grouped
from plimsoll.cli.order_file import OrderOptions, write_orders
from plimsoll.cli.output import print_document
from plimsoll.cli.slow import Slow
from plimsoll.cli.tables import FittedTable
from plimsoll.constants import AGREEMENT_BOUND
from plimsoll.errors import AgreementError, InputError
from plimsoll.files.document import text_of
from plimsoll.files.params import load_params
from plimsoll.files.portfolio import load_portfolio
from plimsoll.market.chain_file import load_chain
from plimsoll.mirror.margin_engine import STATES
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
_COSTS = TradingCosts()
_WORTH = Limits().worth

HistoryFile = Annotated[Path | None, typer.Option("--history", help="Prices; default: the market data folder's.")]
Underlying = Annotated[str, typer.Option("--underlying", help="Which one.")]
_NOBODY = "0x0000000000000000000000000000000000000000"


@dataclass(frozen=True, slots=True)
class TradeOptions:
    """What a command that suggests trades is told about costs, orders and output."""

    option_spread: Annotated[
        float, typer.Option("--option-spread", help="Half spread of an option, of its premium.")
    ] = _COSTS.option_spread
    option_floor: Annotated[float, typer.Option("--option-floor", help="Least half spread of an option, of spot.")] = (
        _COSTS.option_floor
    )
    linear_spread: Annotated[float, typer.Option("--linear-spread", help="Half spread of futures and perpetuals.")] = (
        _COSTS.linear_spread
    )
    liquidity: Annotated[
        float, typer.Option("--liquidity", help="Largest trade in one instrument, cash of notional.")
    ] = _COSTS.liquidity
    lot: Annotated[float, typer.Option("--lot", help="Trades are multiples of it.")] = _COSTS.lot
    min_days: Annotated[float, typer.Option("--min-days", help="What expires sooner is offered only to close.")] = (
        _COSTS.min_days
    )
    chain: Annotated[
        Path | None,
        typer.Option("--chain", help="Option-chain file: instruments, bids and asks are those that it lists."),
    ] = None
    turnover: Annotated[
        float | None, typer.Option("--turnover", help="Most notional that trades may turn over, cash.")
    ] = None
    more_margin: Annotated[
        float | None,
        typer.Option(
            "--more-margin", help="By how much initial margin may rise, cash; default 0, of a hedge without limit."
        ),
    ] = None
    orders: Annotated[Path | None, typer.Option("--orders", help="Write order templates (plimsoll.orders/1) here.")] = (
        None
    )
    deployment: Annotated[
        Path | None, typer.Option("--deployment", help="Deployment artefact: ids and EIP-712 domain of the orders.")
    ] = None
    account: Annotated[int, typer.Option("--account", help="Account id that the orders name.")] = 0
    signer: Annotated[str, typer.Option("--signer", help="Address that will sign the orders.")] = _NOBODY
    nonce: Annotated[int, typer.Option("--nonce", help="Nonce of the first order; the others follow.")] = 1
    transfers: Annotated[
        int,
        typer.Option("--transfers", help="How often the account has changed hands; once more voids the orders."),
    ] = 0
    valid: Annotated[int, typer.Option("--valid", help="Seconds after the market's time that orders hold.")] = 3_600
    verify: Annotated[bool, typer.Option("--verify", help="Ask the contracts on a local chain as well.")] = False
    html: HtmlFile = None
    as_json: AsJson = False

    def __post_init__(self) -> None:
        """Check what only the commands with orders write, before anything is searched."""
        check_apart(self.html, self.orders, "--orders")
        _ = self.order_options

    @property
    def costs(self) -> TradingCosts:
        """Return what trades cost."""
        return TradingCosts(
            self.option_spread, self.option_floor, self.linear_spread, self.liquidity, self.lot, self.min_days
        )

    def listed(self, market: Market) -> Listed | None:
        """Return what the chain file lists at the market's time; None without one."""
        if self.chain is None:
            return None
        of_market = [s for s in load_chain(self.chain) if abs(s.ts - market.ts) <= MOST_APART_SEC]
        if not of_market:
            raise InputError("--chain", f"{self.chain} holds no snapshot at the market's time, {market.ts}")
        return listed_of(of_market, market, str(self.chain))

    def limits(self, trades: int, budget: float | None, worth: float = 0.0, rises: bool = False) -> Limits:
        """Return the limits of a suggestion; ``rises``: whether margin may rise where nothing is said."""
        unsaid = None if rises else 0.0
        return Limits(trades, budget, self.turnover, unsaid if self.more_margin is None else self.more_margin, worth)

    def joined(self, said: Limits) -> Limits:
        """Return the limits of a goal with those of the options; InputError when both say the same."""
        for name, value, other in (
            ("turnover", self.turnover, said.turnover),
            ("more-margin", self.more_margin, said.more_margin or None),
        ):
            if value is not None and other is not None:
                raise InputError(f"--{name}", "the goal says it as well")
        turnover = said.turnover if self.turnover is None else self.turnover
        margin = said.more_margin if self.more_margin is None else self.more_margin
        return replace(said, turnover=turnover, more_margin=margin)

    @property
    def order_options(self) -> OrderOptions:
        """Return what the orders say, checked."""
        which = (self.orders, self.deployment, self.account, self.signer)
        return OrderOptions(*which, self.nonce, self.valid, self.transfers)


def _show(found: Suggestion) -> None:
    console = Console()
    table = FittedTable(title=f"{found.method}: trades", title_justify="left")
    for name in ("instrument", "quantity", "limit", "cost"):
        table.add_column(name, justify="left" if name == "instrument" else "right")
    for trade in found.trades:
        row = (f"{trade.quantity:+,.6g}", f"{trade.limit:,.4f}", f"{trade.cost:,.2f}")
        table.add_row(trade.candidate.label, *row)
    console.print(table)
    for label, result in (("before", found.before), ("after", found.after)):
        console.print(
            f"{label}: equity {result.equity:,.2f}, initial margin {result.initial_margin:,.2f}, {result.state}",
            highlight=False,
        )
    word = "rises" if found.released >= 0.0 else "falls"
    console.print(f"equity less initial margin {word} by {abs(found.released):,.2f}", highlight=False)
    for note in found.notes:
        console.print(note, style="yellow")


def _verified(market: Market, portfolio: Portfolio, params: Params, found: Suggestion) -> dict[str, float]:
    """Compare before and after with the contracts; raise when they disagree beyond the accuracy contract."""
    from plimsoll.mirror.order_preview import filled
    from plimsoll.protocol.margin_engine import checker

    after = filled(portfolio, [trade.order for trade in found.trades])
    with checker(market, params) as chain:
        answers = chain.evaluate_many([portfolio, after])
    worst = 0.0
    for ours, theirs in zip((found.before, found.after), answers, strict=True):
        gap = max(abs(ours.equity - theirs.equity), abs(ours.initial_margin - theirs.initial_margin))
        worst = max(worst, gap / max(ours.gross_notional, 1.0))
    if worst > AGREEMENT_BOUND:
        raise AgreementError(
            "optimise", f"mirror and chain differ by {worst:.3g} of gross notional, limit {AGREEMENT_BOUND}"
        )
    released = (answers[1].equity - answers[1].initial_margin) - (answers[0].equity - answers[0].initial_margin)
    return {"released": released, "largestDifference": worst}


def _warned(found: Suggestion) -> Suggestion:
    """Note what trades must not do unsaid: leave the account in a worse state."""
    before, after = (STATES.index(result.state) for result in (found.before, found.after))
    if after <= before:
        return found
    said = f"the trades leave the account {found.after.state}; it is {found.before.state} now"
    return replace(found, notes=(*found.notes, said))


def _finish(
    inputs: tuple[Market, Portfolio, Params],
    found: Suggestion,
    trade: TradeOptions,
    source: Provenance | None = None,
) -> None:
    found = _warned(found)
    document = found.to_json()
    document["history"] = None if source is None else source.to_json()
    told(source)
    if trade.verify:
        document["chain"] = _verified(*inputs, found)
    document["orders"] = write_orders(inputs[0], found, trade.order_options)
    write_page(trade.html, document)
    if trade.as_json:
        print_document(document)
        return
    _show(found)
    if source is not None:
        Console().print(source.sentence, highlight=False)
    if trade.verify:
        typer.echo(f"the contracts confirm: {document['chain']}")


@app.command("release")
@grouped("trade", TradeOptions)
def release_command(
    market: MarketFile,
    portfolio: PortfolioFile,
    params: ParamsFile = None,
    trades: Annotated[int, typer.Option("--trades", help="Largest number of trades.")] = 3,
    keep: Annotated[
        list[str] | None, typer.Option("--keep", help="Greek that must stay: delta, gamma, vega; several times.")
    ] = None,
    budget: Annotated[float | None, typer.Option("--budget", help="Most that trades may cost, cash.")] = None,
    worth: Annotated[float, typer.Option("--worth", help="Margin that a unit of cost must free at least.")] = _WORTH,
    *,
    trade: TradeOptions,
) -> None:
    """Find the trades that release the most margin, after their cost."""
    from plimsoll.analytics.optimise.release import release

    inputs = loaded_of(market, portfolio, params)
    limits = trade.limits(trades, budget, worth)
    found = release(*inputs, trade.costs, limits, tuple(keep or ()), trade.listed(inputs[0]), tell=Slow().tell)
    _finish(inputs, found, trade)


@app.command("hedge")
@grouped("trade", TradeOptions)
def hedge_command(
    market: MarketFile,
    portfolio: PortfolioFile,
    underlying: Underlying,
    params: ParamsFile = None,
    target: Annotated[str, typer.Option("--target", help="delta, delta-gamma, delta-vega or collar.")] = "delta",
    delta: Annotated[float, typer.Option("--delta", help="Net delta wanted.")] = 0.0,
    gamma: Annotated[float, typer.Option("--gamma", help="Net gamma wanted.")] = 0.0,
    vega: Annotated[float, typer.Option("--vega", help="Net vega wanted.")] = 0.0,
    floor: Annotated[float, typer.Option("--floor", help="Collar: strike of the put, of the forward.")] = 0.9,
    expiry: Annotated[int | None, typer.Option("--expiry", help="Collar: expiry; default the last one.")] = None,
    budget: Annotated[float | None, typer.Option("--budget", help="Most that trades may cost, cash.")] = None,
    *,
    trade: TradeOptions,
) -> None:
    """Find the cheapest hedge to a target."""
    from plimsoll.analytics.optimise.hedge import collar, hedge

    inputs = loaded_of(market, portfolio, params)
    if underlying not in inputs[0].rounds:
        raise InputError("--underlying", f"{underlying!r} is not an underlying of the market file")
    if target == "collar":
        listed = [s.expiry_ts for s in inputs[0].rounds[underlying].surfaces]
        if not listed:
            raise InputError("--underlying", f"{underlying} has no expiry")
        last = listed[-1] if expiry is None else expiry
        chain = trade.listed(inputs[0])
        found = collar(*inputs, trade.costs, underlying, floor, last, trade.limits(2, budget), chain)
    else:
        goals: Mapping[str, float] = {"delta": delta, "gamma": gamma, "vega": vega}
        limits = trade.limits(MOST_TRADES, budget, rises=True)
        found = hedge(*inputs, trade.costs, target, underlying, goals, limits, trade.listed(inputs[0]))
    _finish(inputs, found, trade)


@app.command("risk")
@grouped("trade", TradeOptions)
def risk_command(
    market: MarketFile,
    portfolio: PortfolioFile,
    params: ParamsFile = None,
    history: HistoryFile = None,
    as_of: AsOf = None,
    days: Annotated[int, typer.Option("--days", help="Use the last so many days of the history.")] = 1_000,
    objective: Annotated[str, typer.Option("--objective", help="cvar or variance.")] = "cvar",
    level: Annotated[float, typer.Option("--level", help="Of the expected shortfall.")] = 0.975,
    horizon: Annotated[int, typer.Option("--horizon", help="Days.")] = 1,
    trades: Annotated[int, typer.Option("--trades", help="Largest number of trades.")] = 5,
    budget: Annotated[float | None, typer.Option("--budget", help="Most that trades may cost, cash.")] = None,
    goal: Annotated[float | None, typer.Option("--goal", help="Risk to reach at the least cost, cash.")] = None,
    *,
    trade: TradeOptions,
) -> None:
    """Lower the shortfall below the mean, or the deviation, found on older moves and judged by newer ones."""
    from plimsoll.analytics.optimise.tail_risk import check_objective
    from plimsoll.analytics.var.settings import RiskSettings

    check_objective(objective, goal)
    RiskSettings(level=level, horizon_days=horizon)
    inputs = loaded_of(market, portfolio, params)
    prices = _prices(inputs, history, as_of, days)
    found = _less_risk(inputs, prices[0], (objective, level, horizon), trade.limits(trades, budget), goal, trade)
    _finish(inputs, found, trade, prices[1])


def _prices(
    inputs: tuple[Market, Portfolio, Params], history: Path | None, as_of: str | None, days: int
) -> tuple[History, Provenance]:
    """Prices of what is held, known at the market's time, and where they come from."""
    from plimsoll.analytics.var.legs import legs_of, underlyings_of

    names = underlyings_of(legs_of(inputs[0], inputs[1])[0])
    return chosen_history(history, names, days, market_ts=inputs[0].ts, as_of=as_of)


def _less_risk(
    inputs: tuple[Market, Portfolio, Params],
    prices: History,
    measure: tuple[str, float, int],
    limits: Limits,
    goal: float | None,
    trade: TradeOptions,
) -> Suggestion:
    from plimsoll.analytics.optimise.tail_risk import less_risk

    return less_risk(*inputs, trade.costs, prices, *measure, limits, goal, trade.listed(inputs[0]), Slow().tell)


@app.command("goal")
@grouped("trade", TradeOptions)
def goal_command(
    market: MarketFile,
    portfolio: PortfolioFile,
    goal: Annotated[str, typer.Option("--goal", help=f"In words: {'; '.join(EXAMPLES)}.")],
    params: ParamsFile = None,
    history: HistoryFile = None,
    as_of: AsOf = None,
    days: Annotated[int, typer.Option("--days", help="Use the last so many days of the history.")] = 1_000,
    level: Annotated[float, typer.Option("--level", help="Of the CVaR of a goal.")] = 0.975,
    horizon: Annotated[int, typer.Option("--horizon", help="Days of the CVaR of a goal.")] = 1,
    *,
    trade: TradeOptions,
) -> None:
    """Find the cheapest trades to a goal in a trader's words, such as "free 5,000 IM, keep delta"."""
    from plimsoll.analytics.optimise.release import release
    from plimsoll.analytics.var.settings import RiskSettings

    wanted = read_goal(goal)
    inputs = loaded_of(market, portfolio, params)
    limits = trade.joined(wanted.limits)
    source = None
    if wanted.shortfall is not None:
        RiskSettings(level=level, horizon_days=horizon)
        prices, source = _prices(inputs, history, as_of, days)
        found = _less_risk(inputs, prices, ("cvar", level, horizon), limits, wanted.shortfall, trade)
    else:
        found = release(*inputs, trade.costs, limits, wanted.keep, trade.listed(inputs[0]), wanted.free, Slow().tell)
    _finish(inputs, found, trade, source)


@app.command("allocate")
def allocate_command(
    market: MarketFile,
    portfolio: Annotated[list[Path], typer.Option("--portfolio", help="Account of the owner; two or more times.")],
    params: ParamsFile = None,
    as_json: AsJson = False,
) -> None:
    """Split cash and collateral over accounts so that the smallest excess over initial margin is largest."""
    from plimsoll.analytics.optimise.allocate import allocate

    check_accounts(portfolio)
    loaded = read_market(market)
    folios = [load_portfolio(path, loaded) for path in portfolio]
    chosen = load_params(params, set(loaded.rounds)) if params is not None else Params()
    names = [f"{i + 1} {path.name}" for i, path in enumerate(portfolio)]
    found = allocate(loaded, folios, names, chosen)
    _print(found.to_json(), as_json, _show_document)


@app.command("bands")
def bands_command(
    market: MarketFile,
    portfolio: PortfolioFile,
    underlying: Underlying,
    volatility: Annotated[float, typer.Option("--volatility", help="Of the price, per year.")] = 0.8,
    days: Annotated[float, typer.Option("--days", help="How long the book is hedged.")] = 7.0,
    steps: Annotated[int, typer.Option("--steps", help="Looks at the band per day.")] = 24,
    gas: Annotated[float, typer.Option("--gas", help="Cash per hedge trade.")] = 0.5,
    slippage: Annotated[float, typer.Option("--slippage", help="Of the traded notional.")] = 0.0005,
    aversion: Annotated[float, typer.Option("--aversion", help="Cost given up per standard deviation.")] = 0.5,
    paths: Annotated[int, typer.Option("--paths")] = 1_000,
    seed: Annotated[int, typer.Option("--seed")] = 20_260_206,
    as_json: AsJson = False,
) -> None:
    """Simulate how far delta may drift before a hedge is worth its gas and slippage."""
    from plimsoll.analytics.optimise.bands import BandSettings, rebalancing_bands

    loaded, folio, _ = loaded_of(market, portfolio, None)
    settings = BandSettings(volatility, days, steps, gas, slippage, aversion, paths, seed)
    bands, best = rebalancing_bands(loaded, folio, underlying, settings)
    document: dict[str, Any] = {
        "schema": "plimsoll.bands/1",
        "underlying": underlying,
        "settings": asdict(settings),
        "bands": [asdict(band) for band in bands],
        "best": asdict(best),
    }
    _print(document, as_json, _show_bands)


def _show_bands(document: dict[str, Any]) -> None:
    """Print the bands, and what their figures are."""
    _show_document(document)
    Console().print(
        "width is in units of delta, trades is a number, volatility is per year; all other figures of a band are cash, "
        "means over the paths",
        highlight=False,
    )


@app.command("frontier")
def frontier_command(
    assets: Annotated[list[str], typer.Option("--asset", help="Asset of the history; two or more times.")],
    history: HistoryFile = None,
    as_of: AsOf = None,
    days: Annotated[int | None, typer.Option("--days", help="Use the last so many days of the history.")] = None,
    points: Annotated[int, typer.Option("--points")] = 12,
    largest: Annotated[float, typer.Option("--largest", help="Largest weight of one asset.")] = 1.0,
    short: Annotated[bool, typer.Option("--short", help="Allow short weights up to the largest.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compute the mean-variance frontier with shrunk covariance and means."""
    from plimsoll.analytics.optimise.frontier import frontier

    prices, source = chosen_history(history, assets, days, as_of=as_of)
    document = frontier(prices, points, largest, not short).to_json() | {"history": source.to_json()}
    told(source)
    _print(document, as_json, _show_document)


def _print(document: dict[str, Any], as_json: bool, show: Callable[[dict[str, Any]], None]) -> None:
    text = text_of(document)
    if as_json:
        typer.echo(text)
    else:
        show(document)


def _show_document(document: dict[str, Any]) -> None:
    """Print every list of records of a document as a table, and its single figures."""
    console = Console()
    for key, value in document.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            table = FittedTable(title=key, title_justify="left")
            for name in value[0]:
                table.add_column(name)
            for record in value:
                table.add_row(*(_plain(record[name]) for name in value[0]))
            console.print(table)
        elif key != "schema":
            console.print(f"{key}: {_plain(value)}", highlight=False)


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.6g}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(_plain(part) for part in value)
    return str(value)
