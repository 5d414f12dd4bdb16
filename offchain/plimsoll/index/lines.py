"""Guarantee lines: what another account has set aside for one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LineState:
    """A guarantee line; the account of the line's own id holds its cash."""

    sponsor_id: int
    beneficiary_id: int
    end_ts: int
    ramp_sec: int

    def counted(self, held_wad: int, now_ts: int) -> int:
        """Return what it counts of what it holds, wad; mirror of ``Guarantees.creditOf``.

        Parameters
        ----------
        held_wad : int
            Cash of the line.
        now_ts : int
            Time.

        Returns
        -------
        int
            Wad, rounded down.
        """
        left_sec = max(0, self.end_ts - now_ts)
        return held_wad if left_sec >= self.ramp_sec else held_wad * left_sec // self.ramp_sec


class Lines(dict[int, LineState]):
    """Lines by their id, found by the account they stand for as well: every account that is margined asks for its own.

    Entries are set and deleted one by one, as events and their undoing do.
    """

    def __init__(self) -> None:
        super().__init__()
        self._of: defaultdict[int, set[int]] = defaultdict(set)

    def __setitem__(self, line_id: int, line: LineState) -> None:
        """Set a line, in the place of an earlier one of its id."""
        if line_id in self:
            del self[line_id]
        super().__setitem__(line_id, line)
        self._of[line.beneficiary_id].add(line_id)

    def __delitem__(self, line_id: int) -> None:
        """Forget a line."""
        beneficiary_id = self[line_id].beneficiary_id
        super().__delitem__(line_id)
        self._of[beneficiary_id].discard(line_id)
        if not self._of[beneficiary_id]:
            del self._of[beneficiary_id]

    def of(self, account_id: int) -> Collection[int]:
        """Return the lines that stand for an account.

        Parameters
        ----------
        account_id : int
            Account.

        Returns
        -------
        collection of int
            Ids, in no order; empty for most.
        """
        return self._of.get(account_id, ())
