"""``plimsoll watch``: a terminal dashboard of one account on chain."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from plimsoll.analytics.stress.watch import AlertRules, WatchView, watch_view
from plimsoll.cli.output import print_document

_RULES = AlertRules()


def command(
    account: Annotated[int, typer.Argument(min=0, help="Account id.")],
    rpc: Annotated[str, typer.Option(help="HTTP address of a node.")],
    deployment: Annotated[
        Path, typer.Option(help="Record that `plimsoll deploy` wrote: a .json file, or the name of a network.")
    ],
    data: Annotated[Path | None, typer.Option(help="Folder of the index; a temporary one when none is given.")] = None,
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
    """Watch one account: equity against margins, greeks, scenario heat map, distance to liquidation, alerts."""
    from plimsoll.keeper.account_feed import AccountFeed

    rules = AlertRules(alert_distance, alert_use, alert_age)
    feed = AccountFeed(rpc, deployment, account, data)

    def look() -> WatchView:
        seen = feed.read()
        now_ts = int(time.time())
        return watch_view(account, seen.block, seen.market, seen.portfolio, feed.params, rules, now_ts, seen.auction)

    first = look()
    if as_json:
        print_document(first.to_json())
        return
    from plimsoll.cli.dashboard import Dashboard

    Dashboard(look, interval).run()
