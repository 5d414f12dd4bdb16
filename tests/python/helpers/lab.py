"""A chain to test the transactor on: a real anvil, a contract that counts effects, one signer, one database."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from plimsoll.chain.anvil import find_binary, wallet
from plimsoll.chain.endpoints import Endpoints
from plimsoll.chain.node import Node
from plimsoll.storage import open_database, upgrade
from plimsoll.transact.event import Event, Notice
from plimsoll.transact.intent import Transaction
from plimsoll.transact.policy import Policy
from plimsoll.transact.transactor import Transactor

CHAIN_ID = 31_337
KEEPER = wallet("transactor test")
COUNTER = "0x" + "c0" * 20
ETHER = 10**18
#: What the counter reverts with where the effect is there already, as the package names an error that no artefact has.
DONE_ERROR = "0xaabbccdd"
#: Modes of the counter, its first byte of call data.
ALWAYS, ONCE, SILENT, INVALID, BURN, ENDLESS = 1, 2, 3, 4, 5, 6


def _assemble() -> str:
    """Put the counter together: ``counts[calldata[1:33]] += 1``.

    ONCE reverts with the error above on a second time, SILENT reverts without data, INVALID runs into an invalid
    instruction, BURN spends about 0.7 million gas before it counts, ENDLESS never ends.
    """
    parts: list[str | tuple[str, str]] = ["600035", "60f8", "1c"]
    for mode, label in ((SILENT, "silent"), (INVALID, "invalid"), (BURN, "burn"), (ENDLESS, "endless"), (ONCE, "once")):
        parts += ["80", f"60{mode:02x}", "14", ("push", label), "57"]
    parts += [("label", "count"), "5b", "6001", "35", "80", "54", "6001", "01", "90", "55", "00"]
    parts += [("label", "once"), "5b", "6001", "35", "54", "15", ("push", "count"), "57"]
    parts += ["63aabbccdd", "6000", "52", "6004", "601c", "fd"]
    parts += [("label", "silent"), "5b", "6000", "6000", "fd", ("label", "invalid"), "5b", "fe"]
    # BURN: hash 3,000 bytes of memory 1,000 times; ENDLESS: jump to itself.
    parts += [("label", "burn"), "5b", "6103e8"]
    parts += [("label", "again"), "5b", "610bb8", "6000", "20", "50", "6001", "90", "03", "80", ("push", "again"), "57"]
    parts += ["50", ("push", "count"), "56"]
    parts += [("label", "endless"), "5b", ("push", "endless"), "56"]
    where, offset = {}, 0
    for part in parts:
        if isinstance(part, tuple) and part[0] == "label":
            where[part[1]] = offset
        else:
            offset += 2 if isinstance(part, tuple) else len(part) // 2
    code = ""
    for part in parts:
        if isinstance(part, tuple):
            code += f"60{where[part[1]]:02x}" if part[0] == "push" else ""
        else:
            code += part
    return "0x" + code


class Chain:
    """A running anvil that mines when told to, with the counter deployed and the signer funded."""

    def __init__(self, url: str, process: subprocess.Popen[bytes]) -> None:
        self.url, self.process = url, process

    def rpc(self, method: str, *params: Any) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}).encode()
        request = urllib.request.Request(self.url, body, {"content-type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310
            answer = json.load(response)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def mine(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            self.rpc("evm_mine")

    def count(self, name: int) -> int:
        """Return how often the effect ``name`` was had."""
        return int(self.rpc("eth_getStorageAt", COUNTER, hex(name), "latest"), 16)

    def used(self, address: str = KEEPER.address) -> int:
        return int(self.rpc("eth_getTransactionCount", address, "latest"), 16)

    def height(self) -> int:
        return int(self.rpc("eth_blockNumber"), 16)

    def pool(self) -> int:
        """Return how many transactions wait."""
        found = self.rpc("txpool_status")
        return int(found["pending"], 16) + int(found["queued"], 16)

    def forget(self) -> None:
        """Empty the pool."""
        self.rpc("anvil_dropAllTransactions")

    def reorganise(self, depth: int) -> None:
        """Replace the newest blocks by empty ones; what was in them is in no pool."""
        self.rpc("anvil_reorg", depth, [])
        self.forget()

    def sent(self) -> list[dict[str, Any]]:
        """Return every mined transaction of the signer."""
        found = []
        for number in range(self.height() + 1):
            block = self.rpc("eth_getBlockByNumber", hex(number), True)
            found += [tx for tx in block["transactions"] if tx["from"].lower() == KEEPER.address.lower()]
        return found


@contextmanager
def chain(*arguments: str, automine: bool = False) -> Iterator[Chain]:
    """Keep an anvil for the length of a ``with`` block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(find_binary()), "--port", str(port), "--silent", "--chain-id", str(CHAIN_ID), "--accounts", "1"]
    # One slot an epoch: what is two blocks deep is final.
    process = subprocess.Popen([*command, "--slots-in-an-epoch", "1", "--order", "fees", *arguments])
    running = Chain(f"http://127.0.0.1:{port}", process)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                running.rpc("eth_chainId")
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.02)
        running.rpc("anvil_setCode", COUNTER, _assemble())
        running.rpc("anvil_setBalance", KEEPER.address, hex(1_000 * ETHER))
        running.rpc("evm_setAutomine", automine)
        running.mine(3)
        yield running
    finally:
        process.kill()
        process.wait()


def effect(name: int, mode: int = ALWAYS, **options: Any) -> Transaction:
    """Return an intent whose effect is counted under ``name``."""
    data = bytes([mode]) + name.to_bytes(32, "big")
    options.setdefault("already_done", frozenset({DONE_ERROR}))
    return Transaction(f"effect:{name}", COUNTER, data, **options)


#: Bounds that a test passes in a few blocks.
QUICK = Policy(confirmations=None, bump_after_blocks=2, lost_blocks=2, lost_sec=0.0, watch_blocks=64)


class Bench:
    """A transactor over some endpoints and one database, and what it told the operator."""

    def __init__(
        self, folder: Path, urls: Sequence[str], policy: Policy = QUICK, relay: str | None = None, **options: Any
    ) -> None:
        self.engine = open_database(options.pop("database", f"sqlite:///{folder / 'keeper.sqlite'}"))
        upgrade(self.engine)
        self.nodes = [Node(url, timeout_sec=5) for url in urls]
        self.relay = None if relay is None else Node(relay, timeout_sec=5)
        self.endpoints = Endpoints(self.nodes, quorum=options.pop("quorum", None), wait_sec=0.5)
        self.events: list[Event] = []
        self.transactor = Transactor(
            self.endpoints,
            options.pop("account", KEEPER),
            self.engine,
            CHAIN_ID,
            policy,
            relay=self.relay,
            notify=self.events.append,
            **options,
        )

    async def __aenter__(self) -> Bench:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.transactor.close()
        await self.endpoints.close()
        if self.relay is not None:
            await self.relay.close()
        self.engine.dispose()

    async def submit(self, *transactions: Transaction) -> Any:
        await self.look()
        tickets = await self.transactor.submit_all(transactions)
        return tickets if len(tickets) > 1 else tickets[0]

    async def look(self) -> None:
        """See the chain's head, as the loop does before it decides."""
        self.transactor._see(await self.endpoints.head())

    async def advance(self) -> dict[str, str]:
        """Advance once; return results by key."""
        outcomes = await self.transactor.advance(await self.endpoints.head())
        return {outcome.key: outcome.result.value for outcome in outcomes}

    async def settle(self, chain: Chain, most: int = 30) -> dict[str, str]:
        """Mine and advance until nothing is open; return results by key."""
        found: dict[str, str] = {}
        for _ in range(most):
            found |= await self.advance()
            if not self.entries():
                return found
            chain.mine()
        raise AssertionError(f"still open: {self.entries()}")

    def entries(self) -> list[Any]:
        return self.transactor.context.ledger.open_entries()

    def states(self) -> dict[str, str]:
        return {entry.key: entry.state.value for entry in self.entries()}

    def notices(self) -> list[Notice]:
        return [event.notice for event in self.events]
