"""One reading of several: the median of what independent sources say, and when nobody is believed.

The rule, for each number alone. Let ``m`` be the median of the logarithms of all sources that are fresh, and ``d`` the
median of their distances from it. A source further from ``m`` than ``min(max(FLOOR, SPREADS*1.4826*d), CAP)`` is an
outlier and left out, with its reason. What remains must be **more than half of the sources that cover the symbol**,
those that were silent included; then it is their median, else there is no number. Two sources have no majority against
each other: where they differ by more than ``FLOOR`` neither is believed, and with one of two silent the other is not
believed either, unless ``least`` says that one is enough.
"""

from __future__ import annotations

import asyncio
import math
import statistics
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from plimsoll.errors import InputError, PlimsollError
from plimsoll.feeds.reading import Price, Problem, Reading, Sample, Source, SourceError, number_of
from plimsoll.mirror.speed_limit import VARIANCES, logs_of_surface
from plimsoll.model import MAX_EXPIRIES, Round, Surface

log = structlog.get_logger()

FLOOR: Final = 0.003
"""Honest venues are this far apart in a fast market, as a logarithm."""
SPREADS: Final = 5.0
CAP: Final = 0.02
"""Whatever the others do, a source this far from the median is not believed."""
MAX_APART_SEC: Final = 120
"""A source this much older or newer than the middle one is not fresh, and says nothing."""
VARIANCE_FLOOR: Final = 0.15
_NORMAL: Final = 1.4826


@dataclass(frozen=True, slots=True)
class Agreed:
    """A number that a majority agrees on.

    Attributes
    ----------
    value : float
        Median of the sources that are no outliers.
    names : tuple of str
        Those sources.
    outliers : Mapping[str, float]
        Logarithm of value over median, of those left out.
    """

    value: float
    names: tuple[str, ...]
    outliers: Mapping[str, float]


def agree(
    values: Mapping[str, float], asked: int, least: int = 0, floor: float = FLOOR, cap: float = CAP
) -> Agreed | None:
    """Apply the rule to one number.

    Parameters
    ----------
    values : Mapping[str, float]
        Positive numbers by source.
    asked : int
        Sources that should have one.
    least : int
        Sources that suffice; 0 for more than half of those asked.
    floor : float
        Distance, as a logarithm, at which sources still agree.
    cap : float
        Distance, as a logarithm, at which no source is believed whatever the others do.

    Returns
    -------
    Agreed or None
        ``None`` when too few remain.
    """
    needed = least or asked // 2 + 1
    if not values or len(values) < needed:
        return None
    logs = {name: math.log(value) for name, value in values.items()}
    middle = statistics.median(logs.values())
    apart = {name: abs(log - middle) for name, log in logs.items()}
    reach = min(max(floor, SPREADS * _NORMAL * statistics.median(apart.values())), max(cap, floor))
    if len(values) == 2:
        reach = 0.5 * floor
    kept = {name: values[name] for name in sorted(values) if apart[name] <= reach}
    if len(kept) < needed or (len(values) == 2 and len(kept) < 2):
        return None
    outliers = {name: logs[name] - middle for name in sorted(values) if name not in kept}
    return Agreed(statistics.median(kept.values()), tuple(kept), outliers)


class MedianSource:
    """Several sources as one.

    Parameters
    ----------
    sources : Sequence[Source]
        Independent of each other, with different names.
    least : int
        Sources that must agree on a number; 0 for more than half of those that cover the symbol.
    cap : float
        A source further than this from the median, as a logarithm, is never believed.
    max_apart_sec : int
        A source this much older or newer than the middle one is not fresh.
    """

    def __init__(
        self, sources: Sequence[Source], least: int = 0, *, cap: float = CAP, max_apart_sec: int = MAX_APART_SEC
    ) -> None:
        names = [source.name for source in sources]
        twice = [name for name, count in Counter(names).items() if count > 1]
        if not sources or twice:
            raise InputError("--feed", f"{twice[0]} is named twice" if twice else "names no source")
        if not 0 <= least <= len(sources):
            raise InputError("--feed", f"{least} sources must agree, there are {len(sources)}")
        self.name = f"median of {', '.join(names)}"
        self._sources, self._least = tuple(sources), least
        self._cap, self._max_apart_sec = cap, max_apart_sec

    async def read(self, required: Mapping[str, Collection[int]]) -> Reading:
        """Return the medians; a source that fails is a problem, and the majority decides."""
        answers = await asyncio.gather(*(_tried(source, required) for source in self._sources))
        said = {source.name: answer for source, answer in zip(self._sources, answers, strict=True)}
        readings = {name: answer for name, answer in said.items() if isinstance(answer, Reading)}
        problems = [answer for answer in said.values() if isinstance(answer, Problem)]
        problems += [problem for reading in readings.values() for problem in reading.problems]
        if not readings:
            raise SourceError(self.name, "; ".join(map(str, problems)))
        rounds, spots = {}, {}
        backed: set[str] = set()
        for symbol in sorted({s for reading in readings.values() for s in reading.underlyings()}):
            price = self._price(symbol, {n: r.spot_of(symbol) for n, r in readings.items()}, problems)
            if price is None:
                continue
            spots[symbol] = price[0]
            if len(price[1]) > 1:
                backed.add(number_of(symbol, "spot"))
            listed = {n: readings[n].rounds[symbol] for n in price[1] if symbol in readings[n].rounds}
            if listed:
                rounds[symbol] = _joined(listed, price[0], problems)
                backed |= _backed(symbol, listed.values())
        tokens = {}
        for symbol in sorted({s for reading in readings.values() for s in reading.tokens}):
            price = self._price(symbol, {n: r.tokens.get(symbol) for n, r in readings.items()}, problems)
            if price is not None:
                tokens[symbol] = price[0]
                if len(price[1]) > 1:
                    backed.add(number_of(symbol, "token"))
        bands = {symbol: bands for reading in readings.values() for symbol, bands in reading.bands.items()}
        return Reading(rounds, spots, tokens, bands, tuple(problems), frozenset(backed))

    async def samples(self, underlying: str, expiry_ts: int) -> tuple[Sample, ...]:
        """Return the first history that any source has, in their order."""
        failures: list[str] = []
        for source in self._sources:
            try:
                found = await source.samples(underlying, expiry_ts)
            except PlimsollError as error:
                failures.append(str(error))
                continue
            if found:
                return found
        if failures:
            raise SourceError(self.name, "; ".join(failures))
        return ()

    def covers(self, symbol: str) -> bool:
        """Return whether any source covers a symbol."""
        return any(source.covers(symbol) for source in self._sources)

    async def close(self) -> None:
        """Close every source."""
        await asyncio.gather(*(source.close() for source in self._sources))

    def _price(
        self, symbol: str, found: Mapping[str, Price | None], problems: list[Problem]
    ) -> tuple[Price, tuple[str, ...]] | None:
        """Return the median of the fresh prices and who agrees on it."""
        present = {name: price for name, price in found.items() if price is not None}
        known = {source.name for source in self._sources if source.covers(symbol)} | set(present)
        # The middle one and not the newest: one clock that is ahead must not make all others old.
        middle = statistics.median_high(price.ts for price in present.values())
        fresh = {n: price for n, price in present.items() if abs(middle - price.ts) <= self._max_apart_sec}
        problems += [
            Problem(name, symbol, f"{price.ts - middle:+d} s from the others, the limit is {self._max_apart_sec}")
            for name, price in present.items()
            if name not in fresh
        ]
        least = min(self._least, len(known))
        agreed = agree({name: price.value for name, price in fresh.items()}, len(known), least, cap=self._cap)
        if agreed is None:
            shown = ", ".join(f"{name} {price.value:g}" for name, price in sorted(fresh.items()))
            needed = least or len(known) // 2 + 1
            problems.append(Problem(self.name, symbol, f"no {needed} of {len(known)} sources agree: {shown}"))
            return None
        problems += [
            Problem(name, symbol, f"outlier: {present[name].value:g} is {log:+.2%} from the median")
            for name, log in agreed.outliers.items()
        ]
        ts = min(fresh[name].ts for name in agreed.names)
        return Price(ts, agreed.value), agreed.names


async def _tried(source: Source, required: Mapping[str, Collection[int]]) -> Reading | Problem:
    try:
        return await source.read(required)
    except PlimsollError as error:
        return Problem(source.name, "all", error.message)
    except Exception as error:
        # A fault of ours in reading one venue must not cost the others.
        log.exception("source failed", source=source.name)
        return Problem(source.name, "all", f"failed: {type(error).__name__} {error}")


def _joined(rounds: Mapping[str, Round], spot: Price, problems: list[Problem]) -> Round:
    """Join the rounds of sources that agree on spot.

    Perpetual and forwards are medians of their ratio to spot. Of the slices of an expiry the one is taken whose three
    variances are nearest to their medians: a median of SVI numbers one by one would be no surface of anybody.
    """
    perp = statistics.median(r.perp / r.spot for r in rounds.values()) * spot.value
    listed = Counter(s.expiry_ts for r in rounds.values() for s in r.surfaces)
    surfaces = []
    for expiry_ts, count in sorted(listed.items()):
        if count < len(rounds) // 2 + 1:
            problems.append(Problem("median", f"{expiry_ts}", f"listed by {count} of {len(rounds)} sources"))
            continue
        found = _surface(expiry_ts, rounds, spot, problems)
        if found is not None:
            surfaces.append(found)
    first = next(iter(rounds.values()))
    means = [r.mean for r in rounds.values() if r.mean is not None]
    return replace(
        first,
        ts=min(spot.ts, *(r.ts for r in rounds.values())),
        spot=spot.value,
        perp=perp,
        confidence=statistics.median(r.confidence for r in rounds.values()),
        surfaces=tuple(surfaces[:MAX_EXPIRIES]),
        mean=statistics.median(means) if means else None,
    )


def _backed(symbol: str, rounds: Collection[Round]) -> set[str]:
    """Return the numbers of a joined round that more than one source states."""
    listed = Counter(s.expiry_ts for r in rounds for s in r.surfaces)
    both = [expiry_ts for expiry_ts, count in listed.items() if count > 1]
    found = {number_of(symbol, name, expiry_ts) for expiry_ts in both for name in ("forward", "discount")}
    return found | ({number_of(symbol, "perp")} if len(rounds) > 1 else set())


def _surface(expiry_ts: int, rounds: Mapping[str, Round], spot: Price, problems: list[Problem]) -> Surface | None:
    found: dict[str, tuple[Round, Surface]] = {}
    for name, one in rounds.items():
        match = [s for s in one.surfaces if s.expiry_ts == expiry_ts]
        if match:
            found[name] = (one, match[0])
    ratios = {name: surface.forward / one.spot for name, (one, surface) in found.items()}
    agreed = agree(ratios, len(found))
    if agreed is None:
        shown = ", ".join(f"{name} {ratio:.4f}" for name, ratio in sorted(ratios.items()))
        problems.append(Problem("median", f"{expiry_ts}", f"forwards over spot do not agree: {shown}"))
        return None
    logs = {name: logs_of_surface(found[name][1], found[name][0].ts) for name in agreed.names}
    middle = {field: statistics.median(log[field] for log in logs.values()) for field in VARIANCES if _has(logs, field)}
    distance = {name: max((abs(log[f] - m) for f, m in middle.items()), default=0.0) for name, log in logs.items()}
    if len(distance) > 1 and sorted(distance.values())[len(distance) // 2] > VARIANCE_FLOOR:
        shown = ", ".join(f"{name} {apart:.2f}" for name, apart in sorted(distance.items()))
        problems.append(Problem("median", f"{expiry_ts}", f"variances are apart, as logarithms: {shown}"))
        return None
    nearest = min(distance, key=lambda name: (distance[name], name))
    forward = agreed.value * spot.value
    return replace(found[nearest][1], forward=forward)


def _has(logs: Mapping[str, Mapping[str, float]], field: str) -> bool:
    return all(field in log for log in logs.values())


class FirstSource(MedianSource):
    """Several sources in an order of trust: each says only what those before it do not.

    No number of one is compared with that of another, so a source alone decides; bounds of quotes are those of the
    source whose round is taken.
    """

    async def read(self, required: Mapping[str, Collection[int]]) -> Reading:
        """Return what each source adds to those before it; a source that fails is a problem."""
        found, problems = Reading(), list[Problem]()
        for answer in await asyncio.gather(*(_tried(source, required) for source in self._sources)):
            if isinstance(answer, Problem):
                problems.append(answer)
                continue
            problems += answer.problems
            fresh = {symbol: bands for symbol, bands in answer.bands.items() if symbol not in found.rounds}
            found = Reading(
                {**answer.rounds, **found.rounds},
                {**answer.spots, **found.spots},
                {**answer.tokens, **found.tokens},
                {**found.bands, **fresh},
                # A source alone decides here, but one that is a median of several is no source alone.
                backed=found.backed | answer.backed,
            )
        if not found.underlyings() and not found.tokens:
            raise SourceError(self.name, "; ".join(map(str, problems)) or "no source says anything")
        return replace(found, problems=tuple(problems))
