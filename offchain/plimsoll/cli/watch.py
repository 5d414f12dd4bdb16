"""``plimsoll watch``: a terminal dashboard of one account, on chain or from files."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from plimsoll.analytics.stress.watch import AlertRules, WatchView, watch_view
from plimsoll.cli.output import print_document
from plimsoll.errors import InputError
from plimsoll.params import Params

_RULES = AlertRules()


def command(
    account: Annotated[int | None, typer.Argument(min=0, help="Account id on chain.")] = None,
    rpc: Annotated[str | None, typer.Option(help="HTTP address of a node.")] = None,
    deployment: Annotated[
        Path | None, typer.Option(help="Record that `plimsoll deploy` wrote: a .json file, or the name of a network.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the index; a temporary one when none is given.")] = None,
    portfolio: Annotated[Path | None, typer.Option(help="Portfolio file: watch it without a network.")] = None,
    market: Annotated[
        list[Path] | None, typer.Option(help="Market file, several in turn; with --replay it gives the tokens.")
    ] = None,
    replay: Annotated[bool, typer.Option(help="Replay the recorded chains of the market data folder.")] = False,
    params: Annotated[Path | None, typer.Option(help="Parameter file for a portfolio file.")] = None,
    interval: Annotated[float, typer.Option(min=0.2, help="Seconds between looks.")] = 5.0,
    alert_distance: Annotated[
        float, typer.Option(help="Price move to liquidation below which it warns.")
    ] = _RULES.distance,
    alert_use: Annotated[
        float, typer.Option(help="Share of equity in initial margin above which it warns.")
    ] = _RULES.use,
    alert_age: Annotated[
        int, typer.Option(help="Age of a round in seconds above which it warns.")
    ] = _RULES.round_age_sec,
    as_json: Annotated[bool, typer.Option("--json", help="Print one look as JSON and stop.")] = False,
) -> None:
    """Watch one account, on chain or from files: margins, greeks, scenarios, distance to liquidation, alerts."""
    rules = AlertRules(alert_distance, alert_use, alert_age)
    if portfolio is not None:
        if account is not None or rpc is not None or deployment is not None:
            raise InputError("--portfolio", "an account on chain was named as well: watch one of them")
        look = _from_files(portfolio, market or [], params, replay, rules)
    elif account is None or rpc is None or deployment is None:
        raise InputError("watch", "name an account with --rpc and --deployment, or a --portfolio with --market")
    else:
        look = _on_chain(account, rpc, deployment, data, rules)
    if not as_json and not sys.stdout.isatty():
        raise InputError("watch", "needs a terminal; --json prints one look")
    first = look()
    if as_json:
        print_document(first.to_json())
        return
    from plimsoll.cli.dashboard import Dashboard

    # The market that was looked at to see whether there is one is the first that is shown.
    waiting = [first]
    Dashboard(lambda: waiting.pop() if waiting else look(), interval).run()


def _on_chain(
    account: int, rpc: str, deployment: Path, data: Path | None, rules: AlertRules
) -> Callable[[], WatchView]:
    from plimsoll.keeper.account_feed import AccountFeed

    feed = AccountFeed(rpc, deployment, account, data)

    def look() -> WatchView:
        seen = feed.read()
        now_ts = int(time.time())
        return watch_view(account, seen.block, seen.market, seen.portfolio, feed.params, rules, now_ts, seen.auction)

    return look


def _from_files(
    portfolio: Path, markets: list[Path], params: Path | None, replay: bool, rules: AlertRules
) -> Callable[[], WatchView]:
    from plimsoll.cli.market_option import read_market
    from plimsoll.files.params import load_params
    from plimsoll.files.portfolio import load_portfolio
    from plimsoll.market.replay.markets import Walk, replayed_markets
    from plimsoll.market.replay.replay import load_replay

    if not markets:
        raise InputError("--market", "a portfolio file needs at least one market file beside it")
    loaded = [read_market(path) for path in markets]
    if replay:
        folio = load_portfolio(portfolio)
        walk = Walk(replayed_markets(load_replay(), loaded[0].tokens, folio))
    else:
        folio = load_portfolio(portfolio, loaded[0])
        walk = Walk(loaded)
    chosen = load_params(params, set(loaded[0].rounds)) if params is not None else Params()

    def look() -> WatchView:
        market = walk.next()
        # A recorded market has no age: it is looked at when it was.
        return watch_view(None, 0, market, folio, chosen, rules, market.ts)

    return look
