"""What of a price history was known at a moment, and where a figure that rests on it comes from.

Every command that reads a history cuts it here, so that no figure about a market rests on prices that came after it
unless somebody asked for that, and every document says which prices it used.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

from plimsoll.analytics.series.history import History
from plimsoll.constants import DAY_SEC
from plimsoll.errors import InputError
from plimsoll.model import MAX_TS

#: A history whose last price is older than this says little about today.
STALE_SEC: Final = 7 * DAY_SEC
#: A close that is further from the one before it, either way, is more likely a wrong row than a price.
JUMP_FACTOR: Final = 3.0
#: Such closes that a warning names; the others are counted.
NAMED: Final = 3


def time_text(ts: int) -> str:
    """ISO time in UTC, to the minute."""
    return datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%dT%H:%MZ")


def moment_of_text(text: str, option: str = "--as-of") -> int:
    """Unix seconds of a moment in words.

    Parameters
    ----------
    text : str
        Unix seconds, or an ISO date or time such as ``2026-02-05`` or ``2026-02-05T21:29Z``; without a zone it is UTC,
        and a date alone is its first second.
    option : str
        For the message.

    Returns
    -------
    int

    Raises
    ------
    InputError
        When it is neither.
    """
    if text.isdecimal() and len(text) > 8:
        ts = int(text)
        if not 0 < ts <= MAX_TS:
            raise InputError(option, f"{text} is outside 1 to {MAX_TS}: unix seconds are wanted")
        return ts
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            option, f"{text!r} is no time: unix seconds, 2026-02-05 or 2026-02-05T21:29Z are wanted"
        ) from None
    return int((moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp())


@dataclass(frozen=True, slots=True)
class Provenance:
    """Which prices a figure rests on.

    Attributes
    ----------
    source : str
        File, or what the history calls itself.
    assets : tuple of str
    first_ts, last_ts : int
        Start of the first step used and end of the last one, unix seconds.
    rows : int
        Steps used.
    step_sec : int
    as_of_ts : int or None
        No step that ended later was used; None where a command has no market and asks for the whole history.
    market_ts : int or None
        Time of the market that the figures are about.
    later : int
        Steps of the history that ended later and were left out.
    volatilities : bool
        Whether the history holds volatilities of its own.
    jumps : tuple of str
        Closes that are hard to believe.
    """

    source: str
    assets: tuple[str, ...]
    first_ts: int
    last_ts: int
    rows: int
    step_sec: int
    as_of_ts: int | None
    market_ts: int | None
    later: int
    volatilities: bool
    jumps: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know before trusting the figures: prices that are old, or later than the market."""
        found = []
        if self.as_of_ts is not None and self.as_of_ts - self.last_ts > STALE_SEC:
            age = (self.as_of_ts - self.last_ts) / DAY_SEC
            found.append(
                f"the last price is {age:,.0f} days older than {time_text(self.as_of_ts)}: the history is stale"
            )
        if self.market_ts is not None and self.last_ts > self.market_ts:
            found.append(
                f"look-ahead: prices up to {time_text(self.last_ts)} are used, the market is of "
                f"{time_text(self.market_ts)}"
            )
        found += self.jumps[:NAMED]
        if len(self.jumps) > NAMED:
            found.append(f"{len(self.jumps) - NAMED} more closes of {self.source} jump as far")
        return tuple(found)

    @property
    def sentence(self) -> str:
        """Say it in one line."""
        span = f"{self.rows} prices from {self.source}, {time_text(self.first_ts)} to {time_text(self.last_ts)}"
        if self.as_of_ts is None:
            return span
        left = f"; {self.later} later left out" if self.later else ""
        return f"{span}, as of {time_text(self.as_of_ts)}{left}"

    def to_json(self) -> dict[str, object]:
        """Build the entry ``history`` of a document."""
        return {
            "source": self.source,
            "assets": list(self.assets),
            "first": time_text(self.first_ts),
            "last": time_text(self.last_ts),
            "rows": self.rows,
            "stepSec": self.step_sec,
            "asOf": None if self.as_of_ts is None else time_text(self.as_of_ts),
            "market": None if self.market_ts is None else time_text(self.market_ts),
            "leftOut": self.later,
            "volatilities": self.volatilities,
            "warnings": list(self.warnings),
        }


def jumps_of(history: History) -> tuple[str, ...]:
    """Say which closes lie further from the one before them than a price goes in a step.

    Parameters
    ----------
    history : History

    Returns
    -------
    tuple of str
        One sentence each, in the order of time.
    """
    ratio = history.close[1:] / history.close[:-1]
    rows, columns = np.nonzero((ratio > JUMP_FACTOR) | (ratio < 1.0 / JUMP_FACTOR))
    return tuple(
        f"{history.assets[column]}: the close {history.close[row + 1, column]:,.6g} of {history.date(row + 1)} is "
        f"{ratio[row, column]:,.3g} times the one before; beyond a factor of {JUMP_FACTOR:g} it is more likely wrong"
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
    )


def history_known_at(
    history: History, market_ts: int | None = None, as_of_ts: int | None = None
) -> tuple[History, Provenance]:
    """Cut a history to what was known at a moment.

    Parameters
    ----------
    history : History
    market_ts : int, optional
        Time of the market that the figures are about; None where there is no market.
    as_of_ts : int, optional
        Steps that ended later are left out. Default: the time of the market; a later moment is look-ahead, which is
        done because it was asked for, and warned of.

    Returns
    -------
    History, Provenance
        The close of a step is known when the step ends, so the step in which the moment lies is left out as well.

    Raises
    ------
    InputError
        When fewer than two steps are left.
    """
    moment = market_ts if as_of_ts is None else as_of_ts
    kept = history
    if moment is not None:
        known = int((history.ts + history.step_sec <= moment).sum())
        if known < 2:
            raise InputError(
                history.source,
                f"{known} price(s) were known as of {time_text(moment)}, 2 are needed: the history goes from "
                f"{history.date(0)} to {history.date(-1)}; --as-of with a later time asks for later prices",
            )
        kept = history.between(0, int(history.ts[known - 1]) + 1)
    return kept, Provenance(
        source=history.name,
        assets=history.assets,
        first_ts=int(kept.ts[0]),
        last_ts=int(kept.ts[-1]) + history.step_sec,
        rows=kept.ts.size,
        step_sec=history.step_sec,
        as_of_ts=moment,
        market_ts=market_ts,
        later=history.ts.size - kept.ts.size,
        volatilities=history.iv is not None,
        jumps=jumps_of(kept),
    )
