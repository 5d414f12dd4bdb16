"""What the events of the exchange say about digests and nonces, and how a reorganisation takes it back.

What final blocks say is on disk, up to a block that the disk names; blocks above it are in memory, entry by entry. A
start therefore reads the chain from that block on, however old the deployment is.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from plimsoll.constants import DAY_SEC
from plimsoll.index.reader import ChainEvent
from plimsoll.venue.journal.ledger_store import LedgerStore

#: What is kept, by section: fills by digest, cancelled nonces by signer and word, least nonces by signer, pauses.
FILLED: Final = "filled"
CANCELLED: Final = "cancelled"
BELOW: Final = "below"
PAUSED: Final = "paused"
#: Entries of the disk that stay in memory.
MOST_KNOWN: Final = 200_000
#: Bits of a word of nonces.
_WORD: Final = 256

#: Section and key.
Key = tuple[str, str]


class ExchangeLedger:
    """Fills by digest, and cancelled nonces by signer, as ``filledOf`` and ``isCancelled`` would say.

    Parameters
    ----------
    store : LedgerStore
        What final blocks say.
    """

    def __init__(self, store: LedgerStore) -> None:
        self._store = store
        #: Entries of blocks above the disk's, oldest first; and the same by key, as block and change.
        self._entries: list[tuple[int, Key]] = []
        self._recent: defaultdict[Key, list[tuple[int, int]]] = defaultdict(list)
        #: What the disk says of keys that were looked up.
        self._known: dict[Key, int] = {}

    @property
    def block_number(self) -> int | None:
        """Block up to which the disk has everything; none before the first."""
        return self._store.block_number

    # Questions.

    async def know(self, digests: Iterable[str], nonces: Iterable[tuple[str, int]]) -> None:
        """Look up what the disk says in one go, so that the questions about it wait for nothing.

        Parameters
        ----------
        digests : iterable of str
            Orders and quotes.
        nonces : iterable of tuple[str, int]
            Signers and nonces.
        """
        keys = {(FILLED, digest) for digest in digests}
        for signer, nonce in nonces:
            keys |= {(BELOW, signer), (CANCELLED, _word_key(signer, nonce // _WORD))}
        await self._look_up(keys)

    def filled_wad(self, digest: str) -> int:
        """Return what is filled of an order; of a quote the number of its legs."""
        return self._value((FILLED, digest))

    def is_cancelled(self, signer: str, nonce: int) -> bool:
        """Return whether a signer has cancelled a nonce."""
        if nonce < self._value((BELOW, signer)):
            return True
        return bool(self._value((CANCELLED, _word_key(signer, nonce // _WORD))) >> (nonce % _WORD) & 1)

    def is_paused(self, instrument: int, now_ts: int) -> bool:
        """Return whether the fills of an instrument are stopped; a pause ends by itself after a day."""
        since_ts = self._value((PAUSED, str(instrument)))
        return bool(since_ts) and now_ts < since_ts + DAY_SEC

    # Events.

    def apply(self, event: ChainEvent) -> None:
        """Fold one event of the exchange."""
        for key, change in changes_of(event):
            self._entries.append((event.block_number, key))
            self._recent[key].append((event.block_number, change))

    def roll_back(self, fork_number: int) -> None:
        """Take back everything above a block."""
        while self._entries and self._entries[-1][0] > fork_number:
            _, key = self._entries.pop()
            self._recent[key].pop()
            if not self._recent[key]:
                del self._recent[key]

    async def keep(self, final_number: int) -> None:
        """Put on disk what blocks up to a final one say.

        Parameters
        ----------
        final_number : int
            No reorganisation takes it back.

        Raises
        ------
        StorageError
            When the database fails; nothing is lost then.
        """
        keys = {key for number, key in self._entries if number <= final_number}
        await self._look_up(keys)
        values = {
            key: _folded(key, self._known[key], [c for number, c in self._recent[key] if number <= final_number])
            for key in keys
        }
        await asyncio.shield(asyncio.to_thread(self._store.write, values, final_number))
        self._known.update(values)
        self._entries = [entry for entry in self._entries if entry[0] > final_number]
        for key in keys:
            later = [entry for entry in self._recent.pop(key) if entry[0] > final_number]
            if later:
                self._recent[key] = later
        if len(self._known) > MOST_KNOWN:
            self._known = {}

    def _value(self, key: Key) -> int:
        value = self._known.get(key)
        if value is None:
            self._known.update(self._store.read([key]))
            value = self._known[key]
        recent = self._recent.get(key)
        return value if recent is None else _folded(key, value, [change for _, change in recent])

    async def _look_up(self, keys: Iterable[Key]) -> None:
        missing = [key for key in keys if key not in self._known]
        if missing:
            found = await asyncio.to_thread(self._store.read, missing)
            # Whoever was faster may know what was written meanwhile.
            self._known = {**found, **self._known}


def changes_of(event: ChainEvent) -> list[tuple[Key, int]]:
    """Return what an event changes."""
    values: Mapping[str, Any] = event.values
    if event.name == "Settled":
        digests = ["0x" + values[name].hex() for name in ("buyHash", "sellHash")]
        return [((FILLED, digest), values["quantityWad"]) for digest in digests if int(digest, 16)]
    if event.name == "NoncesCancelled":
        return [((CANCELLED, _word_key(values["signer"], values["wordPos"])), values["mask"])]
    if event.name == "NoncesCancelledBelow":
        return [((BELOW, values["signer"]), values["nonce"])]
    if event.name == "InstrumentPauseSet":
        return [((PAUSED, str(values["instrument"])), event.block_ts if values["paused"] else 0)]
    return []


def _folded(key: Key, value: int, changes: Sequence[int]) -> int:
    """Return a value after changes: fills add up, words of nonces come together, and else the last one counts."""
    section = key[0]
    if section == FILLED:
        return value + sum(changes)
    if section == CANCELLED:
        for mask in changes:
            value |= mask
        return value
    return changes[-1] if changes else value


def _word_key(signer: str, word: int) -> str:
    return f"{signer}:{word}"
