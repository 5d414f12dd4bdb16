"""What the events of the exchange say about digests and nonces, and how a reorganisation takes it back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from plimsoll.constants import DAY_SEC
from plimsoll.index.reader import ChainEvent


class ExchangeLedger:
    """Fills by digest, and cancelled nonces by signer, as ``filledOf`` and ``isCancelled`` would say."""

    def __init__(self) -> None:
        self._filled: defaultdict[str, int] = defaultdict(int)
        self._cancelled: defaultdict[tuple[str, int], int] = defaultdict(int)
        self._minimum: defaultdict[str, int] = defaultdict(int)
        self._paused: dict[int, tuple[bool, int]] = {}
        #: How to take back what a block did, newest last.
        self._undo: list[tuple[int, Callable[[], None]]] = []

    def filled_wad(self, digest: str) -> int:
        """Return what is filled of an order; of a quote the number of its legs."""
        return self._filled.get(digest, 0)

    def is_cancelled(self, signer: str, nonce: int) -> bool:
        """Return whether a signer has cancelled a nonce."""
        if nonce < self._minimum.get(signer, 0):
            return True
        return bool(self._cancelled.get((signer, nonce >> 8), 0) & (1 << (nonce & 0xFF)))

    def is_paused(self, instrument: int, now_ts: int) -> bool:
        """Return whether the fills of an instrument are stopped; a pause ends by itself after a day."""
        is_paused, since_ts = self._paused.get(instrument, (False, 0))
        return is_paused and now_ts < since_ts + DAY_SEC

    def apply(self, event: ChainEvent) -> None:
        """Fold one event of the exchange."""
        values = event.values
        if event.name == "Settled":
            for name in ("buyHash", "sellHash"):
                digest = "0x" + values[name].hex()
                if int(digest, 16):
                    self._fill(event.block_number, digest, values["quantityWad"])
        elif event.name == "NoncesCancelled":
            key, mask = (values["signer"], values["wordPos"]), values["mask"]
            before = self._cancelled.get(key, 0)
            self._cancelled[key] = before | mask
            self._undo.append((event.block_number, lambda: self._cancelled.__setitem__(key, before)))
        elif event.name == "NoncesCancelledBelow":
            signer, old = values["signer"], self._minimum.get(values["signer"], 0)
            self._minimum[signer] = values["nonce"]
            self._undo.append((event.block_number, lambda: self._minimum.__setitem__(signer, old)))

        elif event.name == "InstrumentPauseSet":
            instrument = values["instrument"]
            was = self._paused.get(instrument, (False, 0))
            self._paused[instrument] = (values["paused"], event.block_ts)
            self._undo.append((event.block_number, lambda: self._paused.__setitem__(instrument, was)))

    def _fill(self, number: int, digest: str, quantity_wad: int) -> None:
        self._filled[digest] += quantity_wad

        def back() -> None:
            self._filled[digest] -= quantity_wad

        self._undo.append((number, back))

    def roll_back(self, fork_number: int) -> None:
        """Take back everything above a block."""
        while self._undo and self._undo[-1][0] > fork_number:
            self._undo.pop()[1]()

    def forget(self, final_number: int) -> None:
        """Let go of what can no longer be taken back."""
        self._undo = [entry for entry in self._undo if entry[0] > final_number]
