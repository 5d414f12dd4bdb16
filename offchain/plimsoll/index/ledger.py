"""The folded state with a way back: what every block that is not final changed, so that a reorganisation undoes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from plimsoll.index.reader import ChainEvent
from plimsoll.index.state import State, apply
from plimsoll.index.touches import Entry, entry_of, image_of, set_entry, touched


class Ledger:
    """State of the newest block, and what it was at every block since the last final one.

    Parameters
    ----------
    state : State
        At the last final block.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self._images: dict[int, dict[Entry, Any]] = {}
        self._changed: set[int] = set()
        #: Accounts of events that did not fit the state, and why: to be read from the chain.
        self.suspects: dict[int, str] = {}

    def fold(self, events: Iterable[ChainEvent]) -> None:
        """Fold events of new blocks.

        An event that does not fit, because one before it is missing, leaves its account suspect instead of ending
        everything.

        Parameters
        ----------
        events : Iterable[ChainEvent]
            In chain order.
        """
        state = self.state
        for event in events:
            images = self._images.setdefault(event.block_number, {})
            for entry in touched(state, event):
                if entry not in images:
                    images[entry] = image_of(entry_of(state, entry))
                self._note_changed(entry)
            try:
                apply(state, event)
            except (KeyError, ValueError, IndexError, AttributeError) as reason:
                self._suspect(event, reason)

    def _note_changed(self, entry: Entry) -> None:
        """Count the account of an entry as changed, where it is an account's."""
        section, key = entry
        if section == "accounts" and isinstance(key, int):
            self._changed.add(key)

    def _suspect(self, event: ChainEvent, reason: Exception) -> None:
        """Note whose events do not fit; those of no account are left to the comparison with the chain."""
        account_id = event.values.get("accountId", event.values.get("tokenId", -1))
        text = f"{event.contract}.{event.name} of block {event.block_number} does not fit ({reason!r})"
        self.suspects.setdefault(int(account_id), text)

    def put(self, number: int, entry: Entry, value: Any) -> None:
        """Set an entry to what the chain says it is at a block.

        Parameters
        ----------
        number : int
            The newest block.
        entry : tuple[str, Hashable]
            Section and key.
        value : Any
            Its value, or ``ABSENT``.
        """
        images = self._images.setdefault(number, {})
        images.setdefault(entry, image_of(entry_of(self.state, entry)))
        set_entry(self.state, entry, value)
        self._note_changed(entry)

    def roll_back(self, number: int, ts: int) -> None:
        """Undo every block above one.

        Parameters
        ----------
        number : int
            Last block that stays.
        ts : int
            Its time.
        """
        for block in sorted((block for block in self._images if block > number), reverse=True):
            for entry, image in self._images.pop(block).items():
                set_entry(self.state, entry, image)
                self._note_changed(entry)
        self.state.ts = ts
        self.suspects.clear()

    def final_entries(self, number: int) -> dict[Entry, Any]:
        """Return what changed up to a block since the last final one, as it was at that block.

        Parameters
        ----------
        number : int
            A block that is final.

        Returns
        -------
        dict
            Value by entry, ``ABSENT`` for what is gone.
        """
        later: dict[Entry, Any] = {}
        for block in sorted(block for block in self._images if block > number):
            for entry, image in self._images[block].items():
                later.setdefault(entry, image)
        names = {entry for block, images in self._images.items() if block <= number for entry in images}
        return {entry: later[entry] if entry in later else entry_of(self.state, entry) for entry in names}

    def changed_since_final(self, section: str) -> set[Any]:
        """Return the keys of a section that a block which is not final changed.

        Parameters
        ----------
        section : str
            Field of the state.

        Returns
        -------
        set
        """
        return {key for images in self._images.values() for name, key in images if name == section}

    def changed_by(self, section: str, number: int) -> bool:
        """Return whether a block up to this one, above the base, changed a section.

        Parameters
        ----------
        section : str
            Field of the state.
        number : int
            Last block that counts.

        Returns
        -------
        bool
        """
        return any(name == section for block, images in self._images.items() if block <= number for name, _ in images)

    def forget(self, number: int) -> None:
        """Give up the way back below a block, once what it led to is stored.

        Parameters
        ----------
        number : int
            A block that is final.
        """
        for block in [block for block in self._images if block <= number]:
            del self._images[block]

    def add_changed(self, account_ids: Iterable[int]) -> None:
        """Count accounts as changed.

        Parameters
        ----------
        account_ids : Iterable[int]
            Accounts.
        """
        self._changed.update(account_ids)

    def take_changed(self) -> Sequence[int]:
        """Return the accounts that changed since the last call, closed ones included.

        Returns
        -------
        Sequence[int]
            Ids in order.
        """
        changed = sorted(self._changed)
        self._changed.clear()
        return changed
