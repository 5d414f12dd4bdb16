"""``make soak``: the demo's market at 20 times its speed, faults and kills, and a report in reports/soak.md."""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests" / "python"), str(ROOT / "tests" / "faults")]

from feed import Feed  # noqa: E402
from files import price_lines, write_options  # noqa: E402
from helpers.local_chain import LocalChain  # noqa: E402
from helpers.restartable import Postgres, running  # noqa: E402
from helpers.rpc_proxy import RpcProxy  # noqa: E402
from scene import differences  # noqa: E402
from soak.clock import Ticker  # noqa: E402
from soak.ending import defects, sent_by  # noqa: E402
from soak.market import MovingMarket  # noqa: E402
from soak.mishaps import Mishaps  # noqa: E402
from soak.pair import Pair  # noqa: E402
from soak.report import MIB, Facts, growth_of, render  # noqa: E402
from soak.traders import Traders  # noqa: E402
from soak.watch import Watcher  # noqa: E402

from plimsoll.chain import anvil  # noqa: E402
from plimsoll.chain.client import Client  # noqa: E402
from plimsoll.demo.result import GasBook  # noqa: E402
from plimsoll.demo.world import build_world  # noqa: E402
from plimsoll.deployment.spec import load_spec  # noqa: E402
from plimsoll.feeds.document import document_of  # noqa: E402
from plimsoll.feeds.reading import Price, Reading  # noqa: E402
from plimsoll.params import Params  # noqa: E402

REPORT = ROOT / "reports" / "soak.md"
SEED = 20_260_205
#: Market time that is kept for deploying and opening the first accounts, seconds.
LEAD_SEC = 600
#: Nobody may wait longer for an auction, whatever goes wrong: seconds of the wall clock, kills and takeovers included.
BOUND_SEC = 30.0
#: Resident memory that no keeper may reach, and how much more than at first one may have at the end.
MOST_BYTES, MOST_GROWTH = 600 * MIB, 1.25
#: At the end nothing goes wrong any more for so long, and everything must be in order.
CALM_SEC = 20.0
SAY_SEC, LOOK_SEC = 5.0, 1.5
FIRST_ACCOUNTS = 16


@dataclass
class Stage:
    """A market on chain, its feed, and everybody who acts on it."""

    market: MovingMarket
    chain: LocalChain
    clock: Ticker
    traders: Traders
    pair: Pair
    mishaps: Mishaps
    watcher: Watcher
    server: Postgres
    first_block: int
    senders: tuple[str, ...]
    url: str


def main(arguments: list[str] | None = None) -> int:
    """Run the soak; 0 when every promise was kept, 1 otherwise."""
    asked = _asked(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        # Whoever ends the run ends node, database and keepers with it.
        signal.signal(number, signal.default_int_handler)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="plimsoll-soak-") as name, stage_of(asked, Path(name)) as stage:
        facts = Facts(happened=stage.mishaps.happened)
        _live_through(stage, asked, facts)
        _end(stage, facts)
        _conclude(stage, asked, facts, time.monotonic() - began)
        if facts.broken and asked.keep:
            _keep_logs(stage, Path(asked.keep))
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(render(facts), encoding="utf-8")
    for line in facts.broken:
        _say(f"NOT KEPT: {line}")
    _say(f"{REPORT.relative_to(ROOT)}: " + ("every promise was kept" if not facts.broken else "see above"))
    return 1 if facts.broken else 0


def _asked(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="length of the run")
    parser.add_argument("--seed", type=int, default=SEED, help="decides prices, traders and mishaps")
    parser.add_argument("--speed", type=float, default=20.0, help="seconds of the market in one second")
    parser.add_argument("--kill-sec", type=float, default=60.0, help="seconds between two kills")
    parser.add_argument("--keep", default="", metavar="FOLDER", help="where the logs go when a promise was not kept")
    asked = parser.parse_args(arguments)
    for option, low, high in (("minutes", 1, 600), ("speed", 1, 100), ("kill_sec", 15, 3_600)):
        if not low <= getattr(asked, option) <= high:
            parser.error(f"--{option.replace('_', '-')} is {getattr(asked, option):g}, must be {low} to {high}")
    return asked


@contextmanager
def stage_of(asked: argparse.Namespace, folder: Path) -> Iterator[Stage]:
    """Deploy the market of the demo, open the first accounts, and start the keepers."""
    market = MovingMarket(asked.seed, int(asked.minutes * 60 * asked.speed))
    _say(f"seed {asked.seed}: {market.source} market, {asked.minutes:g} minutes at {asked.speed:g} times its speed")
    with (
        running() as server,
        anvil.running(market.start_ts - LEAD_SEC) as node,
        RpcProxy(node.url) as one,
        RpcProxy(node.url) as two,
    ):
        client = Client(node.url)
        world = build_world(client, load_spec("local", Params()), GasBook())
        chain = LocalChain(world, market.market(market.start_ts))
        _post(chain, market)
        maker = world.open("maker", 0, 50_000_000.0, by_permit=False)
        world.seed_fund(1_000_000.0)
        bidder = world.open("bidder", 0, 3_000_000.0, by_permit=False)
        prices = world.funded_wallet("keeper of prices")
        traders = Traders(chain, market, maker, random.Random(f"{asked.seed} traders"))
        for _ in range(FIRST_ACCOUNTS):
            traders.open_one(market.start_ts)
        chain.deployment.save(folder / "deployment.json")
        clock = Ticker(node.url, asked.speed)
        feed = Feed(lambda: (200, _document(market, clock)))
        more = price_lines(folder, feed.url, prices, world.signers)
        files = tuple(
            write_options(
                *(folder, name, bidder.wallet, proxy.url, server.url, more),
                transact__confirmations=4,
                index__finality_blocks=8,
                liquidation__bidder=bidder.account_id,
            )
            for name, proxy in (("one", one), ("two", two))
        )
        pair = Pair(files, folder, server.url, random.Random(f"{asked.seed} kills"))
        stage = Stage(
            *(market, chain, clock, traders, pair, Mishaps((one, two), clock, traders, asked.seed)),
            *(Watcher(node.url, chain.deployment), server, client.block_number() + 1),
            (bidder.wallet.address, prices.address),
            server.url,
        )
        try:
            yield stage
        finally:
            pair.kill_all()
            clock.stop()
            feed.close()


def _live_through(stage: Stage, asked: argparse.Namespace, facts: Facts) -> None:
    """Let market, traders, mishaps and kills run, and watch."""
    stage.clock.start()
    stage.pair.start()
    # The first start compiles kernels; from the first lease on the bound holds.
    while not stage.pair.leader():
        time.sleep(0.2)
    time.sleep(5)
    stage.traders.start(stage.clock, 8.0)
    stage.mishaps.start()
    stage.pair.keep_killing(asked.kill_sec)
    began, said, half = time.monotonic(), 0.0, asked.minutes * 30
    is_restarted = False
    while (elapsed := time.monotonic() - began) < asked.minutes * 60:
        _watch(stage, facts)
        if not is_restarted and elapsed > half:
            is_restarted = True
            stage.server.stop()
            time.sleep(2)
            stage.server.start()
            facts.figures["PostgreSQL restarts"] = 1
        if elapsed - said >= SAY_SEC:
            said = elapsed
            _say(_progress(stage, elapsed, asked.minutes * 60))
        time.sleep(LOOK_SEC)
    stage.traders.stop()
    stage.pair.stop_killing()
    stage.mishaps.stop()


def _watch(stage: Stage, facts: Facts) -> None:
    """Look once; what is not as promised is noted when it is seen."""
    stage.watcher.look()
    memory = stage.pair.sample()
    if memory > MOST_BYTES:
        facts.check(False, f"a keeper has {memory / MIB:.0f} MiB, limit {MOST_BYTES / MIB:.0f}")
    if stage.clock.problem is not None:
        raise stage.clock.problem


def _end(stage: Stage, facts: Facts) -> None:
    """Let everything come to rest, and stop the keepers in order."""
    _say("nothing goes wrong any more; everything must come to rest")
    until = time.monotonic() + CALM_SEC
    while time.monotonic() < until:
        _watch(stage, facts)
        time.sleep(LOOK_SEC)
    for number, since_sec in stage.watcher.waiting.items():
        facts.check(since_sec < BOUND_SEC / 2, f"account {number} still waits at the end, since {since_sec:.0f} s")
    try:
        stage.pair.end()
    except AssertionError as problem:
        facts.check(False, f"a keeper did not end with code 0: {str(problem)[:300]}")
    stage.clock.stop()


def _conclude(stage: Stage, asked: argparse.Namespace, facts: Facts, took_sec: float) -> None:
    """Compare chain, journal, index and logs."""
    watcher, pair = stage.watcher, stage.pair
    client, forks = Client(stage.chain.client.url), stage.clock.forks
    sent = sent_by(client, stage.chain.deployment, stage.senders, stage.first_block, stage.url, forks)
    found = differences(stage.url, stage.chain)
    faults = defects(pair.logs)
    late = sorted({(number, round(sec)) for number, sec in watcher.waits if sec > BOUND_SEC})
    peak = max((size for samples in pair.memory.values() for _, size in samples), default=0)
    growth = max(growth_of(samples) for samples in pair.memory.values())
    facts.check(not late, f"accounts that waited longer than {BOUND_SEC:g} s (account, seconds): {late}")
    facts.check(watcher.auctions > 0, "nobody was liquidated: the run shows nothing")
    facts.check(not sent.twice, f"intents achieved twice: {sent.twice}")
    facts.check(not sent.unknown, f"transactions that no journal knows: {sent.unknown[:5]}")
    facts.check(not sent.idle, f"transactions that changed nothing: {[str(one) for one in sent.idle[:5]]}")
    facts.check(not found, f"index and chain differ: {found[:5]}")
    facts.check(not faults, f"tracebacks in the logs: {faults[:5]}")
    facts.check(not pair.died, f"keepers that ended by themselves: {pair.died[:3]}")
    facts.check(growth <= MOST_GROWTH, f"memory grew to {growth:.2f} of what it was")
    facts.figures = {
        "market": f"{stage.market.source}, seed {asked.seed}, {asked.minutes:g} minutes at {asked.speed:g} times",
        "blocks; of them reorganised": f"{stage.clock.blocks}; {stage.clock.reorganised} times",
        "accounts; trades refused": f"{watcher.accounts}; {stage.traders.refused}",
        "auctions": watcher.auctions,
        "could be liquidated, times": len(watcher.waits),
        "longest wait for an auction, s (bound)": f"{watcher.longest_sec:.1f} ({BOUND_SEC:g})",
        "longest time between two looks, s": f"{watcher.longest_gap_sec:.1f}",
        "kills; of the one that acted": f"{pair.kills}; {pair.leader_kills}",
        "starts that found node or database away": pair.refused,
        **facts.figures,
        "transactions mined; reverted; fillers": f"{len(sent.mined)}; {len(sent.reverted)}; {len(sent.fillers)}",
        "done twice; unknown; without effect": f"{len(sent.twice)}; {len(sent.unknown)}; {len(sent.idle)}",
        "differences of index and chain": len(found),
        "largest memory, MiB (limit); growth (limit)": f"{peak / MIB:.0f} ({MOST_BYTES / MIB:.0f}); "
        f"{growth:.2f} ({MOST_GROWTH})",
        "whole run, s": f"{took_sec:.0f}",
    }


def _post(chain: LocalChain, market: MovingMarket) -> None:
    """Post the first rounds by hand."""
    ts = chain.client.block_ts()
    for symbol in market.replay.underlyings:
        chain.poster.send(chain.relayer, chain.poster.round_call(market.round(symbol, ts)))
    chain.poster.send(chain.relayer, chain.poster.tokens_call(ts, {"USDC": 1.0}))


def _document(market: MovingMarket, clock: Ticker) -> bytes:
    """Return what the feed says now."""
    ts = clock.ts
    rounds = {symbol: market.round(symbol, ts) for symbol in market.replay.underlyings}
    return json.dumps(document_of(Reading(rounds, tokens={"USDC": Price(ts, 1.0)}), ts)).encode()


def _progress(stage: Stage, elapsed: float, total: float) -> str:
    watcher, pair = stage.watcher, stage.pair
    memory = max((samples[-1][1] for samples in pair.memory.values() if samples), default=0)
    return (
        f"{elapsed:5.0f} of {total:.0f} s: block {stage.clock.number}, {watcher.accounts} accounts, "
        f"{watcher.auctions} auctions ({watcher.open_auctions} open), longest wait {watcher.longest_sec:.1f} s, "
        f"{pair.kills} kills, {memory / MIB:.0f} MiB" + (f", now: {stage.mishaps.now}" if stage.mishaps.now else "")
    )


def _keep_logs(stage: Stage, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for log in stage.pair.logs:
        (folder / log.name).write_bytes(log.read_bytes())


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
