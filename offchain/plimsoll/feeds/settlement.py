"""Which price an expired series gets now: samples that cover its window, samples with gaps, its rounds, or a person's.

The order and the times are those of ``SettlementPrices.sol``; each source opens later than the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from plimsoll.constants import DAY_SEC, MAX_SAMPLES
from plimsoll.errors import InputError
from plimsoll.feeds.reading import Sample
from plimsoll.market.replay.window import WINDOW_SEC
from plimsoll.model import MAX_PRICE, MIN_PRICE

MAX_EDGE_SEC: Final = 300
MIN_SAMPLES: Final = 6
GAPS_AFTER_SEC: Final = 7_200
ROUNDS_AFTER_SEC: Final = 14_400
GOVERNOR_AFTER_SEC: Final = DAY_SEC


class How(StrEnum):
    """Where the price of a series comes from."""

    SAMPLES = "samples"
    GAPPED_SAMPLES = "gapped samples"
    ROUNDS = "rounds"
    WAIT = "wait"
    GOVERNOR = "governor"


@dataclass(frozen=True, slots=True)
class SettlementPlan:
    """What to do about one expired series now.

    Attributes
    ----------
    how : How
        ``WAIT`` when nothing is open yet; ``GOVERNOR`` when only governance can name a price.
    samples : tuple[Sample, ...]
        To be signed, where samples decide.
    until_ts : int
        When to look again, where nothing is open; 0 otherwise.
    reason : str
        Why not the source before.
    """

    how: How
    samples: tuple[Sample, ...] = ()
    until_ts: int = 0
    reason: str = ""


def gap_of(samples: Sequence[Sample], expiry_ts: int) -> str | None:
    """Return why samples do not cover a window as the contract asks for, ``None`` when they do.

    Parameters
    ----------
    samples : Sequence[Sample]
        Increasing, inside the window.
    expiry_ts : int
        End of the window, unix seconds.

    Returns
    -------
    str or None
    """
    if len(samples) < MIN_SAMPLES:
        return f"{len(samples)} samples, at least {MIN_SAMPLES} are needed"
    times = [expiry_ts - WINDOW_SEC, *(ts for ts, _ in samples), expiry_ts]
    widest, since = max((later - earlier, earlier) for earlier, later in pairwise(times))
    if widest > MAX_EDGE_SEC:
        return f"a gap of {widest} s from {since} on, the limit is {MAX_EDGE_SEC}"
    return None


def merged(own: Sequence[Sample], history: Sequence[Sample], expiry_ts: int) -> tuple[Sample, ...]:
    """Fill what was not seen with what a venue remembers; at one second our own sample stays.

    Parameters
    ----------
    own, history : Sequence[Sample]
        Time and spot.
    expiry_ts : int
        End of the window, unix seconds.

    Returns
    -------
    tuple[Sample, ...]
        Increasing, inside the window, thinned evenly to what one message may hold.
    """
    found = {**dict(history), **dict(own)}
    inside = sorted((ts, spot) for ts, spot in found.items() if expiry_ts - WINDOW_SEC < ts <= expiry_ts)
    step = -(-len(inside) // MAX_SAMPLES) or 1
    return tuple(inside[::-1][::step][::-1])


def plan_settlement(
    samples: Sequence[Sample], expiry_ts: int, now_ts: int, last_round_ts: int | None
) -> SettlementPlan:
    """Say how a series can get its price now.

    Parameters
    ----------
    samples : Sequence[Sample]
        Of its window, increasing, as far as anybody here knows them.
    expiry_ts : int
        Its expiry, unix seconds.
    now_ts : int
        Time of the chain.
    last_round_ts : int or None
        Last round accepted inside the window; ``None`` when there was none, or it is not known.

    Returns
    -------
    SettlementPlan
    """
    if now_ts < expiry_ts:
        return SettlementPlan(How.WAIT, until_ts=expiry_ts, reason="it has not expired")
    gap = gap_of(samples, expiry_ts)
    if gap is None:
        return SettlementPlan(How.SAMPLES, tuple(samples))
    if samples and now_ts >= expiry_ts + GAPS_AFTER_SEC:
        return SettlementPlan(How.GAPPED_SAMPLES, tuple(samples), reason=gap)
    opens: list[int] = [expiry_ts + GAPS_AFTER_SEC] if samples else []
    if last_round_ts is not None:
        is_near = expiry_ts - last_round_ts <= MAX_EDGE_SEC
        rounds_ts = expiry_ts + (GAPS_AFTER_SEC if is_near else ROUNDS_AFTER_SEC)
        if now_ts >= rounds_ts:
            return SettlementPlan(How.ROUNDS, reason=gap)
        opens.append(rounds_ts)
    if opens:
        return SettlementPlan(How.WAIT, until_ts=min(opens), reason=gap)
    if now_ts < expiry_ts + GOVERNOR_AFTER_SEC:
        return SettlementPlan(How.WAIT, until_ts=expiry_ts + GOVERNOR_AFTER_SEC, reason=f"{gap}, and no round")
    return SettlementPlan(How.GOVERNOR, reason=f"{gap}, and no round")


def samples_by_hand(text: str, expiry_ts: int) -> tuple[Sample, ...]:
    """Read samples that a person gives: lines of ``TIME,PRICE``, or one price for the whole window.

    Parameters
    ----------
    text : str
        Content of a file, or a number.
    expiry_ts : int
        End of the window, unix seconds.

    Returns
    -------
    tuple[Sample, ...]
        Increasing, all inside the window. One price gives a sample every three minutes: the mean of the window.

    Raises
    ------
    InputError
        Naming the line, what is wrong and the limit.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(lines) == 1 and "," not in lines[0]:
        price = _price(lines[0], 1)
        step = WINDOW_SEC // 10
        return tuple((expiry_ts - WINDOW_SEC + (i + 1) * step, price) for i in range(10))
    found: list[Sample] = []
    for number, line in enumerate(lines, 1):
        ts_text, _, price_text = line.partition(",")
        try:
            ts = int(ts_text)
        except ValueError:
            raise InputError("samples", f"line {number}: {ts_text!r} is no whole number of unix seconds") from None
        low = found[-1][0] if found else expiry_ts - WINDOW_SEC
        if not low < ts <= expiry_ts:
            raise InputError("samples", f"line {number}: {ts} is outside ({low}, {expiry_ts}]")
        found.append((ts, _price(price_text, number)))
    if not found or len(found) > MAX_SAMPLES:
        raise InputError("samples", f"{len(found)} samples, expected 1 to {MAX_SAMPLES}")
    return tuple(found)


def _price(text: str, number: int) -> float:
    try:
        price = float(text)
    except ValueError:
        raise InputError("samples", f"line {number}: {text!r} is no number") from None
    if not MIN_PRICE <= price <= MAX_PRICE:
        raise InputError("samples", f"line {number}: {price:g} is outside [{MIN_PRICE:g}, {MAX_PRICE:g}]")
    return price
