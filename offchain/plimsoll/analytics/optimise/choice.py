"""Which instruments, and how much of each: one exactly, two and three by trying the combinations, more one by one.

A program with all instruments open wants a little of everything; a person wants a few trades. With one instrument open
a program gives its best quantity in a fraction of a millisecond, so every instrument can be tried alone, and every pair
and triple of the best can be tried together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, zip_longest
from typing import Final

import numpy as np
import numpy.typing as npt

from plimsoll.analytics.optimise.trades import TradeProgram
from plimsoll.analytics.optimise.universe import Candidate
from plimsoll.analytics.told import Tell, silent

Vector = npt.NDArray[np.float64]
Chosen = tuple[int, ...]
#: Instruments of a block, and what is kept of all and of every block.
BLOCK: Final = 96
SINGLES: Final = 40
TOGETHER: Final = 8
#: An improvement below this share of the objective is rounding.
LEAST: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Breadth:
    """How many of the most promising instruments are tried in pairs, in triples, and as the next of a longer choice."""

    in_pairs: int = 32
    in_triples: int = 12
    as_next: int = 40


class Choice:
    """Searches the instruments of a program; ``base`` is its objective without trades."""

    def __init__(self, program: TradeProgram, tell: Tell = silent, breadth: Breadth | None = None) -> None:
        self.program, self.tell = program, tell
        self.breadth = Breadth() if breadth is None else breadth
        self.base = program.lp.solve("optimise")[0]
        self._open: Chosen = ()
        self._known: dict[Chosen, float] = {(): self.base}

    def _allow(self, wanted: Chosen) -> None:
        for number in set(self._open) - set(wanted):
            self.program.allow(number, False)
        for number in set(wanted) - set(self._open):
            self.program.allow(number, True)
        self._open = wanted

    def value(self, wanted: Iterable[int]) -> float:
        """Objective with these instruments open."""
        key = tuple(sorted(wanted))
        if key not in self._known:
            self._allow(key)
            self._known[key] = self.program.lp.solve("optimise")[0]
            self.tell(
                f"optimise: {len(self._known):,} combinations of {len(self.program.candidates)} instruments tried"
            )
        return self._known[key]

    def solution(self, wanted: Chosen) -> Vector:
        """Columns of the best trades in these instruments."""
        self._allow(wanted)
        return self.program.lp.solve("optimise")[1]

    def _better(self, one: float, other: float) -> bool:
        return one < other - LEAST * max(1.0, abs(self.base))

    def singles(self) -> list[int]:
        """All instruments, the one that does best alone first."""
        return sorted(range(len(self.program.candidates)), key=lambda n: self.value((n,)))

    def together(self) -> list[int]:
        """Instruments that trade when all of them may, the largest trade first."""
        program = self.program
        everything = tuple(range(len(program.candidates)))
        notional = np.abs(program.net(self.solution(everything))) * program.spot
        order = np.argsort(-notional, kind="stable")
        return [int(n) for n in order if notional[n] > 0.0]

    def best(self, count: int, ranked: list[int], least: int = 1) -> Iterator[Chosen]:
        """Yield choices that improve on each other.

        Parameters
        ----------
        count : int
            Largest number of instruments.
        ranked : list of int
            Instruments, the most promising first.
        least : int
            Number of instruments below which the constraints cannot be met.

        Yields
        ------
        tuple of int
            The best choice found of each size.
        """
        chosen: Chosen = ()
        for size in range(least, count + 1):
            tried = [*self._added(chosen, ranked, size), *self._combined(ranked, size)]
            if not tried:
                return
            found = min(tried, key=self.value)
            if size > 1:
                found = self._swapped(found, ranked[: self.breadth.as_next])
            if not self._better(self.value(found), self.value(chosen)):
                return
            chosen = found
            yield chosen

    def _added(self, chosen: Chosen, ranked: list[int], size: int) -> Iterator[Chosen]:
        """Yield the choice with each instrument more, where it lacks just one."""
        if len(chosen) == size - 1:
            yield from ((*chosen, n) for n in (ranked[: self.breadth.as_next] if chosen else ranked) if n not in chosen)

    def _combined(self, ranked: list[int], size: int) -> Iterator[Chosen]:
        tried = {2: self.breadth.in_pairs, 3: self.breadth.in_triples}.get(size, 0)
        yield from combinations(ranked[:tried], size) if tried else ()

    def _swapped(self, chosen: Chosen, listed: list[int]) -> Chosen:
        """Replace instruments, one at a time, until no other of the list does better."""
        while True:
            for place in range(len(chosen)):
                rest = (*chosen[:place], *chosen[place + 1 :])
                best = min(((*rest, n) for n in (*listed, chosen[place]) if n not in rest), key=self.value)
                if self._better(self.value(best), self.value(chosen)):
                    chosen = best
                    break
            else:
                return chosen


def interleaved(*lists: list[int]) -> list[int]:
    """Merge rankings: the first of each, then the second of each, every instrument once."""
    places = zip_longest(*lists)
    return list(dict.fromkeys(n for place in places for n in place if n is not None))


def shortlist(
    build: Callable[[Sequence[Candidate]], TradeProgram], candidates: Sequence[Candidate], tell: Tell = silent
) -> list[Candidate]:
    """Leave the instruments that a search should look at.

    A solve takes time in proportion to the instruments of a program, so a long list is first searched block by block,
    each together with what is held.

    Parameters
    ----------
    build : callable
        Makes a program with all its instruments closed.
    candidates : sequence of Candidate
    tell : callable, optional
        Gets a line after every block.

    Returns
    -------
    list of Candidate
        All of them where they are few. Else what is held, the ``SINGLES`` that do best alone, and of every block the
        ``TOGETHER`` that trade most when all of it may.
    """
    held = [c for c in candidates if c.held != 0.0]
    free = [c for c in candidates if c.held == 0.0]
    if len(free) <= BLOCK:
        return list(candidates)
    alone: list[tuple[float, Candidate]] = []
    kept: list[Candidate] = []
    count = -(-len(free) // BLOCK)
    for number in range(count):
        tell(f"optimise: block {number + 1} of {count} of {len(free):,} instruments")
        choice = Choice(build([*held, *free[number::count]]), tell)
        members = choice.program.candidates
        alone += [(choice.value((n,)), c) for n, c in enumerate(members) if c.held == 0.0]
        together = [members[n] for n in choice.together()]
        kept += [c for c in together if c.held == 0.0][:TOGETHER]
    alone.sort(key=lambda one: one[0])
    return [*held, *dict.fromkeys([*(c for _, c in alone[:SINGLES]), *kept])]
