"""What is true at the end: nothing done twice, nothing unknown, no defect in a log, the index as the chain."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from mined import Mined, read_mined
from scene import mined_twice

from plimsoll.chain.client import Client
from plimsoll.deployment.record import Deployment

BATCH = 200
#: Blocks after a reorganisation in which its transactions come back.
AFTER_FORK = 8


@dataclass
class Sent:
    """What the keepers sent over the whole run.

    Attributes
    ----------
    mined : list of Mined
        What the chain holds of their keys.
    twice : list of str
        Intents that the journal says were achieved twice.
    unknown : list of str
        Transactions of their keys that no journal knows.
    forks : tuple of int
        First block of each reorganisation: what was signed before one is still with the nodes, and may be mined again
        where what it follows is not there yet.
    """

    mined: list[Mined] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    forks: tuple[int, ...] = ()

    @property
    def reverted(self) -> list[Mined]:
        """Those without effect."""
        return [one for one in self.mined if not one.is_done]

    @property
    def fillers(self) -> list[Mined]:
        """Empty transfers that used up a nonce."""
        return [one for one in self.mined if one.call.startswith("transfer")]

    @property
    def idle(self) -> list[Mined]:
        """Those that succeeded and changed nothing, which nobody had to send."""
        quiet = [one for one in self.mined if one.is_done and not one.logs and one not in self.fillers]
        return [one for one in quiet if not any(0 <= one.block - fork <= AFTER_FORK for fork in self.forks)]


def sent_by(
    client: Client,
    deployment: Deployment,
    senders: Iterable[str],
    first: int,
    database_url: str,
    forks: Iterable[int] = (),
) -> Sent:
    """Compare the chain with the journal.

    Parameters
    ----------
    client : Client
        Of the node itself.
    deployment : Deployment
    senders : iterable of str
        Addresses of the keepers' keys.
    first : int
        Block that their first transaction may be in.
    database_url : str
        Of the common database.
    forks : iterable of int
        First block of each reorganisation.

    Returns
    -------
    Sent
    """
    own, found = {address.lower() for address in senders}, Sent(twice=mined_twice(database_url), forks=tuple(forks))
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        rows = connection.execute("SELECT hashes FROM transact_journal").fetchall()
        journalled = {tx_hash.lower() for (hashes,) in rows for tx_hash in json.loads(hashes)}
    last = client.block_number()
    for start in range(first, last + 1, BATCH):
        numbers = range(start, min(last + 1, start + BATCH))
        blocks = client.batch([("eth_getBlockByNumber", [hex(number), True]) for number in numbers])
        items = [item for block in blocks for item in block["transactions"] if item["from"].lower() in own]
        receipts = client.batch([("eth_getTransactionReceipt", [item["hash"]]) for item in items])
        for item, receipt in zip(items, receipts, strict=True):
            one = read_mined(item, receipt, deployment.contracts)
            found.mined.append(one)
            if item["hash"].lower() not in journalled:
                found.unknown.append(str(one))
    return found


def defects(logs: Iterable[Path]) -> list[str]:
    """Return the tracebacks of logs, the last line of each."""
    found = []
    for log in logs:
        text = log.read_text(encoding="utf-8", errors="replace")
        for part in text.split("Traceback (most recent call last)")[1:]:
            lines = [line for line in part.splitlines() if line and not line.startswith(" ")]
            found.append(f"{log.name}: {lines[0] if lines else part[:200]}")
    return found
