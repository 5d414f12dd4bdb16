"""Measure the keeper's loop: from a block with a new round to the first liquidation handed to the node.

The chain is a real deployment on a local node, and the keeper is the whole one: nodes, index and journal in a database
on disk, lease, probes, simulation, signing. Only most of its accounts are synthetic: 100,000 healthy ones with ten
positions each are put into the index's state beside the real ones, because no local chain opens so many in a minute.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "python"))

from eth_account import Account
from helpers.local_chain import LocalChain, local_chain

from plimsoll.chain.node import Node
from plimsoll.chain.words import Word, pack
from plimsoll.constants import WAD
from plimsoll.deployment.record import load_deployment
from plimsoll.index.state import AccountState, State
from plimsoll.keeper import runner
from plimsoll.keeper.config import load_config
from plimsoll.keeper.opening import Parts, open_parts
from plimsoll.keeper.operations import Operations
from plimsoll.keeper.watchman import Watchman
from plimsoll.mirror.fleet import Fleet, FleetMargins
from plimsoll.model import Kind, Market
from plimsoll.params import Params
from tools.bench.report import Entry, merge

ACCOUNTS: Final = 100_000
HELD: Final = 10
TICKS: Final = 7
QUIET: Final = 9
#: What the design allows, milliseconds.
TICK_MUST_MS: Final = 500.0
QUIET_MUST_MS: Final = 20.0
#: Ids that no real account of the run reaches.
FIRST_SYNTHETIC: Final = 1_000_000
CALM_SPOT: Final = 1_900.0
LOW_SPOT: Final = 1_600.0
PASSWORD: Final = "throw-away"  # noqa: S105


class Wire:
    """Sees when transactions are handed to the node, and who signed them."""

    def __init__(self, sender: str) -> None:
        self._sender = sender
        self.sent_at: list[float] = []

    @contextlib.contextmanager
    def tapped(self) -> Iterator[None]:
        """Look at every request of every node."""
        rpc, batch = Node.rpc, Node.batch

        async def seen_rpc(node: Node, method: str, *params: Any) -> Any:
            self._look(method, params)
            return await rpc(node, method, *params)

        async def seen_batch(node: Node, requests: Any) -> Any:
            for method, params in requests:
                self._look(method, params)
            return await batch(node, requests)

        Node.rpc, Node.batch = seen_rpc, seen_batch  # type: ignore[method-assign]
        try:
            yield
        finally:
            Node.rpc, Node.batch = rpc, batch  # type: ignore[method-assign]

    def _look(self, method: str, params: Any) -> None:
        now = time.perf_counter()
        if method == "eth_sendRawTransaction" and Account.recover_transaction(params[0]) == self._sender:
            self.sent_at.append(now)


def instruments(market: Market, ids: dict[str, int], now_ts: int) -> tuple[list[Word], list[Word]]:
    """Return options of the market's own expiries, and perpetuals, a small quantity each."""
    options, perps = [], []
    for symbol, found in market.rounds.items():
        number, size = ids[symbol], WAD * 20 // round(found.spot)
        perps.append(Word(number, Kind.PERP, 0, round(found.spot) * 10**8, size))
        for surface in found.surfaces:
            if surface.expiry_ts <= now_ts:
                continue
            for step in range(-10, 11):
                strike = round(surface.forward * (1 + step / 20)) * 10**8
                options += [Word(number, kind, surface.expiry_ts, strike, size) for kind in (Kind.CALL, Kind.PUT)]
    return options, perps


def synthetic(state: State, options: list[Word], perps: list[Word]) -> dict[int, AccountState]:
    """Return healthy accounts of every mode; every fourth has a perpetual, whose funding moves its cash."""
    draw = random.Random(1)  # noqa: S311
    either = {
        word: [pack(replace(word, quantity_wad=sign * word.quantity_wad)) for sign in (1, -1)] for word in options
    }
    found = {}
    for number in range(ACCOUNTS):
        held = [draw.choice(either[word]) for word in draw.sample(options, HELD)]
        account = AccountState("0x" + "11" * 20, number % 3, state.lending.cash_index_wad, 1_000_000 * WAD)
        if number % 4 == 0:
            perp = draw.choice(perps)
            held[0] = pack(perp)
            account.paid_index = {perp.underlying_id: state.funding_index(perp.underlying_id)}
        account.words = held
        found[FIRST_SYNTHETIC + number] = account
    return found


def keeper_file(chain: LocalChain, folder: Path) -> Path:
    """Write the file of a keeper with both signers, its keys beside it."""
    chain.deployment.save(folder / "deployment.json")
    (folder / "password").write_text(PASSWORD, encoding="utf-8")
    for name in ("liquidations", "prices"):
        wallet = chain.world.funded_wallet(name)
        text = json.dumps(wallet.encrypt(PASSWORD, kdf="pbkdf2", iterations=1))
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    signers = [
        line
        for name in ("liquidations", "prices")
        for line in (f"[signers.{name}]", f'keystore = "{name}.json"', 'pass_file = "password"')
    ]
    path = folder / "keeper.toml"
    lines = ["[keeper]", 'deployment = "deployment.json"', "interval_sec = 1.0", "[chain]"]
    lines += [f'endpoints = ["{chain.client.url}"]', *signers, "[transact]", "confirmations = 1"]
    path.write_text("\n".join([*lines, "[web]", 'bind = "127.0.0.1:0"']), encoding="utf-8")
    return path


async def quiet_passes(ops: Operations, parts: Parts, watchman: Watchman) -> list[float]:
    """Return times of passes over blocks in which nothing happened, milliseconds."""
    spent = []
    for _ in range(QUIET):
        await parts.endpoints.nodes[0].rpc("anvil_mine", "0x1")
        start = time.perf_counter()
        await runner.pass_once(ops, parts, watchman)
        spent.append(1e3 * (time.perf_counter() - start))
    return spent


async def tick(chain: LocalChain, wire: Wire, spot: float) -> float | None:
    """Post a round and return the time to the first liquidation, milliseconds; ``None`` when none followed."""
    await asyncio.to_thread(chain.post, chain.spot)
    await asyncio.sleep(2.0)
    mined_at: list[float] = []
    rpc = chain.client.rpc

    def seen(method: str, *params: Any) -> Any:
        if method == "eth_sendRawTransaction" and not mined_at:
            # The node mines at once; its own work on the block counts as the keeper's.
            mined_at.append(time.perf_counter())
        return rpc(method, *params)

    wire.sent_at.clear()
    chain.client.rpc = seen  # type: ignore[method-assign]
    try:
        await asyncio.to_thread(post_eth, chain, spot)
    finally:
        chain.client.rpc = rpc  # type: ignore[method-assign]
    until = time.perf_counter() + 10.0
    while not wire.sent_at and time.perf_counter() < until:
        await asyncio.sleep(0.05)
    await asyncio.sleep(1.0)
    return 1e3 * (wire.sent_at[0] - mined_at[0]) if wire.sent_at else None


def post_eth(chain: LocalChain, spot: float) -> None:
    """Post one round of ETH alone."""
    ts, shape = chain.client.block_ts(), chain.market.rounds["ETH"]
    scale = spot / shape.spot
    surfaces = tuple(replace(s, forward=s.forward * scale) for s in shape.surfaces if s.expiry_ts > ts)
    fresh = replace(shape, ts=ts, spot=spot, perp=shape.perp * scale, surfaces=surfaces)
    chain.poster.send(chain.relayer, chain.poster.round_call(fresh))
    chain.spot = spot


async def ticks(chain: LocalChain, wire: Wire) -> list[float]:
    """Return times of ticks, milliseconds."""
    found: list[float] = []
    for _ in range(TICKS):
        spent = await tick(chain, wire, LOW_SPOT)
        if spent is None:
            raise AssertionError("no liquidation followed a round that leaves an account short")
        found.append(spent)
        await tick(chain, wire, CALM_SPOT)
    return found


@contextlib.contextmanager
def nobody_surely_healthy() -> Iterator[None]:
    """Let the keeper compute everybody to the end: the accounts here are so rich that bounds would suffice."""
    watch = Fleet.watch

    def to_the_end(fleet: Fleet, market: Market, params: Params, _exact: Any, **options: Any) -> FleetMargins:
        return watch(fleet, market, params, fleet.account_ids, **options)

    Fleet.watch = to_the_end  # type: ignore[method-assign]
    try:
        yield
    finally:
        Fleet.watch = watch  # type: ignore[method-assign]


async def measured(chain: LocalChain, ops: Operations, parts: Parts) -> tuple[list[float], list[float], list[float]]:
    """Return times of ticks, of ticks that compute everybody to the end, and of quiet passes, milliseconds."""
    watchman = Watchman(ops, lambda line: print("            ", line))
    await ops.lease.wait_leader()
    await runner.pass_once(ops, parts, watchman)
    listed = instruments(chain.market, dict(parts.deployment.underlyings), parts.index.head.ts)
    accounts = synthetic(parts.index.state, *listed)
    parts.index.state.accounts.update(accounts)
    parts.index.ledger.add_changed(accounts)
    start = time.perf_counter()
    await runner.pass_once(ops, parts, watchman)
    print(f"first pass   {time.perf_counter() - start:8.2f} s with {ACCOUNTS:,} accounts new")
    quiet = await quiet_passes(ops, parts, watchman)
    wire = Wire(parts.transactors["liquidations"].context.account.address)
    loop = asyncio.create_task(runner.keep_on(ops, parts, watchman))
    with wire.tapped():
        usual = await ticks(chain, wire)
        with nobody_surely_healthy():
            whole = await ticks(chain, wire)
    ops.shutdown.ask()
    await loop
    return usual, whole, quiet


def main() -> None:
    """Measure the loop; the figures go into reports/bench.json."""
    with local_chain() as chain, tempfile.TemporaryDirectory() as name:
        maker = chain.world.open("maker", 0, 5_000_000.0, by_permit=False)
        chain.world.seed_fund(100_000.0)
        for cash in (12_500, 60_000):
            chain.trader(f"trader {cash}", maker, cash, chain.perp(20.0))
        loaded = load_config(keeper_file(chain, Path(name)), ())
        deployment = load_deployment(loaded.config.keeper.deployment)
        ops = Operations(loaded, f"{deployment.chain_id}:bench", runner.duties_of(loaded))
        found: list[tuple[list[float], list[float], list[float]]] = []

        async def work() -> None:
            parts = await open_parts(ops, is_dry=False)
            try:
                found.append(await measured(chain, ops, parts))
            finally:
                await parts.close()

        asyncio.run(ops.run(work))
    tick_ms, whole_ms, quiet_ms = map(statistics.median, found[0])
    for name, spent in zip(("ticks", "all computed", "quiet passes"), found[0], strict=True):
        print(f"{name:12} " + " ".join(f"{one:.0f}" for one in spent) + f" ms, median {statistics.median(spent):.0f}")
    about = f"must, ms; {ACCOUNTS:,} synthetic accounts beside real ones in the index"
    merge(
        [
            Entry("off.tickToTx", "ms", round(tick_ms, 1), about, TICK_MUST_MS, round(TICK_MUST_MS / tick_ms, 2)),
            Entry("off.tickToTx.all", "ms", round(whole_ms, 1), about, TICK_MUST_MS, round(TICK_MUST_MS / whole_ms, 2)),
            Entry("off.quietPass", "ms", round(quiet_ms, 1), about, QUIET_MUST_MS, round(QUIET_MUST_MS / quiet_ms, 2)),
        ]
    )


if __name__ == "__main__":
    main()
