"""Measure the index on a local node: events a second from blocks into the database, and the state of 100,000 accounts.

Blocks and logs are real, the contracts are not: code that logs whatever it is told stands in for them, and the view of
accounts answers every page with the same stored one, so that the node's own work is its transport. What is measured is
all that the index does: request, transfer, proof of the logs, decoding, database, state.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "python"))

from dataclasses import replace

from helpers.emitter import Emitter, cash, fake_deployment, position

from plimsoll.chain import anvil
from plimsoll.chain.abi import encode_values, load_artifact
from plimsoll.chain.endpoints import Endpoints
from plimsoll.chain.node import Node
from plimsoll.chain.words import Word, pack
from plimsoll.constants import WAD
from plimsoll.index.follow import Index
from plimsoll.index.snapshot import PAGE_ACCOUNTS, read_accounts
from plimsoll.model import Kind
from plimsoll.storage import open_database, upgrade
from tools.bench.report import Entry, merge

START_TS: Final = 1_770_000_000
ACCOUNTS: Final = 100_000
HELD: Final = 10
PLEDGED: Final = 2
#: Of one account: itself, its positions, its tokens.
ROWS: Final = 1 + HELD + PLEDGED
#: Accounts whose opening, cash and position the sync reads: three events each.
EMITTED: Final = 10_000
IN_BLOCK: Final = 500
REPEATS: Final = 3
STATE_MUST: Final = 100_000.0
#: Events a second of the first edition, measured with the same accounts.
SYNC_BEFORE: Final = 3_700.0
LENS: Final = "0x" + "e9" * 20
COUNTER: Final = "0x" + "ea" * 20


def word(number: int) -> int:
    return pack(Word(1, Kind.CALL, 1_800_000_000, (2_000 + number) * 10**8, WAD))


def emit(url: str) -> None:
    """Make blocks of events."""
    emitter = Emitter(url)
    for first in range(2, EMITTED + 2, IN_BLOCK):
        ids = range(first, first + IN_BLOCK)
        emitter.open(*ids)
        emitter.emit(*(record for i in ids for record in (cash(i, WAD), position(i, 0, word(i % 40)))))


def answering(data: bytes) -> str:
    """Return code that answers every call with the same data."""
    size, prefix = len(data).to_bytes(4, "big"), 18
    # PUSH4 size, PUSH1 offset, PUSH0, CODECOPY; PUSH4 size, PUSH0, RETURN.
    code = b"\x63" + size + b"\x60" + bytes([prefix - 2]) + b"\x5f\x39" + b"\x63" + size + b"\x5f\xf3"
    return "0x" + (code + data).hex()


def page() -> bytes:
    """Encode one page of accounts with ten positions and two tokens each."""
    auction = {"isOpen": False, "solventTs": 0, "insolventTs": 0, "vouchedTs": 0}
    auction |= {"lossWad": 0, "reserveWad": 0, "creditWad": 0}
    snapshot = {"mode": 0, "cashWad": WAD, "tokenIds": [1, 2], "amountsWad": [WAD, WAD]}
    snapshot["positions"] = [word(number) for number in range(HELD)]
    rows = [
        {"accountId": number, "owner": "0x" + "11" * 20, "snapshot": snapshot, "auction": auction}
        for number in range(PAGE_ACCOUNTS)
    ]
    return encode_values(load_artifact("Lens").functions["accountsOf"].outputs, [rows])


async def state_rate(url: str) -> float:
    """Return accounts a second of reading all of them through the page view."""
    node = Node(url)
    await node.rpc("anvil_setCode", LENS, answering(page()))
    await node.rpc("anvil_setCode", COUNTER, answering(ACCOUNTS.to_bytes(32, "big")))
    deployment = replace(fake_deployment(), contracts={"Lens": LENS, "Accounts": COUNTER})
    endpoints = Endpoints([node], final_depth=2, use_final_tag=False)
    head, best = await endpoints.head(), float("inf")
    for _ in range(REPEATS):
        start = time.perf_counter()
        columns = await read_accounts(node, deployment, head)
        best = min(best, time.perf_counter() - start)
        read = len(columns.account_ids), len(columns.kind), len(columns.token)
        if read != (ACCOUNTS, ACCOUNTS * HELD, ACCOUNTS * PLEDGED):
            raise AssertionError(f"{read} accounts, positions and tokens were read")
    await endpoints.close()
    return ACCOUNTS / best


async def sync_rate(url: str, database: str) -> float:
    """Return events a second of a first sync into an empty database."""
    engine = open_database(database)
    upgrade(engine)
    endpoints = Endpoints([Node(url)], final_depth=2, use_final_tag=False)
    index = Index(endpoints, fake_deployment(), engine)
    start = time.perf_counter()
    progress = await index.sync()
    spent = time.perf_counter() - start
    await endpoints.close()
    engine.dispose()
    if (progress.new_events, len(index.state.accounts)) != (3 * EMITTED, EMITTED):
        raise AssertionError(f"{progress.new_events} events, {len(index.state.accounts)} accounts were read")
    return progress.new_events / spent


async def measured(url: str) -> tuple[float, float]:
    """Return the best rates: what else the machine does only takes from them."""
    events: list[Any] = []
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as folder:
            events.append(await sync_rate(url, f"sqlite:///{folder}/bench.sqlite"))
    return max(events), await state_rate(url)


def main() -> None:
    """Measure; the figures go into reports/bench.json."""
    with anvil.running(START_TS) as node:
        emit(node.url)
        events, accounts = asyncio.run(measured(node.url))
    print(f"sync         {events:10,.0f} events/s from proven blocks into SQLite")
    print(f"state        {accounts:10,.0f} accounts/s of {HELD} positions, by pages of a stored answer")
    print(f"             {ROWS * accounts:10,.0f} rows/s: accounts, positions and tokens of theirs")
    merge(
        [
            Entry(
                "off.sync",
                "events/s",
                round(events),
                "the first edition, events/s",
                SYNC_BEFORE,
                round(events / SYNC_BEFORE, 2),
            ),
            Entry(
                "off.state100k",
                "accounts/s",
                round(accounts),
                "must, accounts/s; page view that is a stored answer",
                STATE_MUST,
                round(accounts / STATE_MUST, 2),
            ),
            Entry(
                "off.state100k.rows",
                "rows/s",
                round(ROWS * accounts),
                "must, rows/s; accounts, positions and tokens count",
                STATE_MUST,
                round(ROWS * accounts / STATE_MUST, 2),
            ),
        ]
    )


if __name__ == "__main__":
    main()
