"""What the risk engine does in whole numbers, against plain integers: groups of positions, and losses over nodes.

The risk model's bounds allow a few wei, because prices come from a table; here nothing is priced, so that every wei is
held: cash and gaps of the nodes are drawn, the plan of a book is that of ``book_battery``.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode

from tests.chain.helpers.books import DEFAULT
from tests.chain.proof.book_battery import (
    FLAT,
    NODE_WORDS,
    PLAIN,
    UP,
    Plan,
    Rows,
    changed,
    ladder_of,
    said,
    sent,
    trunc,
)
from tests.chain.proof.integers import CALL, FUTURE, PERP, PUT, unpack
from tests.chain.proof.world import RARE_ROWS, WAD, World

WORD = 2**256
LEAST = -(2**255)
SPAN = 285 * 10**15
#: Every form of a book: three states or two or one, tails in all, in one and in none, pairs in any order, no base.
BOOKS = (
    DEFAULT,
    PLAIN,
    RARE_ROWS,
    changed(tailVols=[UP, FLAT, 2], skewAt=[(0, 2), (WAD, UP)]),
    changed(gridVols=[UP, 2], tailVols=[2], skewAt=[(-WAD, 2)]),
    changed(gridVols=[FLAT], tailVols=[FLAT], skewAt=[]),
    changed(gridMovesWad=[0, WAD // 2, WAD], tailVols=[FLAT], skewAt=[]),
)


@dataclass(frozen=True)
class Node:
    """Sums of one node of an expiry: cash of the options and how far it may lie below the chord, Q60 wei."""

    cash: int
    gap: int


@dataclass(frozen=True)
class Case:
    """One call of the probe and its answer; an error by its bytes."""

    name: str
    arguments: tuple[Any, ...]
    wanted: tuple[Any, ...]


def up(n: int, d: int) -> int:
    """Division toward plus infinity."""
    return -(-n // d)


class Ladders:
    """Nodes of a book by vol state and move, in the order of its plan."""

    def __init__(self, rows: Rows) -> None:
        self.rows, self.entries = sent(rows), ladder_of(rows, SPAN)
        self.plan = Plan(rows, SPAN, lambda move: move).words
        grid, tails = rows["gridVols"], rows["tailVols"]
        self.order = [v for v in grid if v in tails] + [v for v in grid if v not in tails]
        self.at: dict[tuple[int, int], int] = {}
        for vol in self.order:
            for i, entry in enumerate(self.entries):
                if vol in tails or entry[4]:
                    self.at[vol, i] = len(self.at)
        count = len(self.at)
        unmoved = [n for (vol, i), n in self.at.items() if vol == FLAT and self.entries[i][0] == 0]
        self.base = unmoved[0] if unmoved else count
        self.count = count + (not unmoved)
        self.skewed: dict[int, int] = {}
        for vol in range(3):
            mine = [(p["moveWad"], n) for n, p in enumerate(self.rows["skewAt"]) if p["vol"] == vol]
            for _, n in sorted(mine):
                self.skewed[n] = self.count
                self.count += 2
        self.grid = [i for i, entry in enumerate(self.entries) if entry[4]]
        beyond = [i for i, entry in enumerate(self.entries) if not entry[4]]
        #: Vol state and move of every row.
        self.row = [(vol, i) for i in self.grid for vol in grid]
        self.row += [(vol, i) for i in beyond for vol in self.order if vol in tails]

    def weights(self, i: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Weight of a move, and the larger of its own and that of the move below."""
        own = self.entries[i][2:4]
        below = self.entries[i - 1][2:4] if i else own
        return own, below if own[0] * below[1] < below[0] * own[1] else own

    def linear(self, cash: int, i: int) -> int:
        """Loss of what is linear at a move."""
        (num, den), _ = self.weights(i)
        return up(up(-cash * self.entries[i][0], WAD) * num, den)

    def losses(self, nodes: list[Node]) -> dict[tuple[int, int], tuple[int, int]]:
        """Loss and gap of one expiry at every node of the ladders, wei after their weights."""
        found = {}
        for (vol, i), n in self.at.items():
            (num, den), (over, under) = self.weights(i)
            loss = (nodes[self.base].cash - nodes[n].cash) >> 60
            found[vol, i] = trunc(loss * num, den), trunc((nodes[n].gap >> 60) * over, under)
        return found

    def worst(self, expiries: list[list[Node]], linears: list[int]) -> tuple[int, int, int, int]:
        """Largest loss at a node, with gaps, with vol states apart, and the lowest row that has the largest."""
        each = [self.losses(nodes) for nodes in expiries]
        total = {}
        for vol, i in self.at:
            line = sum(self.linear(cash, i) for cash in linears)
            total[vol, i] = line + sum(e[vol, i][0] for e in each), sum(e[vol, i][1] for e in each)
        scan = max(loss for loss, _ in total.values())
        ends = [max(total.get((v, i - 1), (LEAST, 0))[0], loss) + gap for (v, i), (loss, gap) in total.items()]
        apart = [LEAST]
        for i in range(1, len(self.entries)):
            vols = [v for v in self.order if (v, i - 1) in self.at and (v, i) in self.at]
            for end in (i - 1, i):
                line = sum(self.linear(cash, end) for cash in linears)
                apart.append(line + sum(max(e[v, end][0] + e[v, i][1] for v in vols) for e in each))
        row = next(n for n, place in enumerate(self.row) if total[place][0] == scan)
        return scan, max(ends), max(apart), row

    def profits(self, expiries: list[list[Node]], linear: int) -> list[int]:
        """Profit of every row, and of two that the caller appends."""
        each = [self.losses(nodes) for nodes in expiries]
        return [-self.linear(linear, i) - sum(e[v, i][0] for e in each) for v, i in self.row] + [0, 0]

    def lost(self, nodes: list[Node], n: int) -> int:
        """What the worse side of a pair takes from its node, Q60 wei."""
        place = self.rows["skewAt"][n]
        i = next(i for i in self.grid if self.entries[i][1] == place["moveWad"])
        worse = min(nodes[self.skewed[n]].cash, nodes[self.skewed[n] + 1].cash)
        return nodes[self.at[place["vol"], i]].cash - worse

    def skew(self, expiries: list[list[Node]]) -> list[int]:
        """Loss by skew at every place, each expiry cut off upward by itself."""
        return [
            sum((lost >> 60) + 1 for lost in (self.lost(nodes, n) for nodes in expiries) if lost > 0)
            for n in range(len(self.rows["skewAt"]))
        ]

    def alone(self, nodes: list[Node], linear: int) -> int:
        """Largest loss at a node with what is linear of the same option, rounded up once in a weight."""
        found = []
        for i, entry in enumerate(self.entries):
            (num, den), _ = self.weights(i)
            least = min(nodes[n].cash for (_, j), n in self.at.items() if j == i)
            loss = -((least - nodes[self.base].cash) >> 60) + up(-linear * entry[0], WAD)
            found.append(up(loss * num, den))
        return max(found)


class Battery:
    """The cases, drawn once; the world gives the chain alone."""

    def __init__(self, world: World) -> None:
        self.world, self.draw = world, random.Random(12)
        self.probe = world.contracts["ScanProbe"]
        self.cases = [*self._groups(), *(case for rows in BOOKS for case in self._scans(Ladders(rows)))]

    def failures(self) -> list[str]:
        """Answers that are not those of the reference."""
        calls = [self.probe.encode(case.name, *case.arguments) for case in self.cases]
        wrong = []
        for case, answer in zip(self.cases, self.world.ask("ScanProbe", calls), strict=True):
            refusal = said(answer)
            got = (refusal[0], *refusal[1]) if refusal else self._read(case.name, answer)
            if got != case.wanted:
                wrong.append(f"{case.name}: {got}, expected {case.wanted}"[:600])
        return wrong

    @staticmethod
    def _read(name: str, answer: bytes) -> tuple[Any, ...]:
        worst = "(int256,int256,int256,uint256)"
        types = {
            "collect": ["(uint256,int256,uint256,int256,int256)[]", "uint40[]", "uint256", "uint256"],
            "scan": [worst, "int256[]", "uint256[]"],
            "joined": [worst, worst],
            "one": [worst, "int256", "uint256"],
            "scaled": ["uint256[]", "uint256[]"],
        }[name]
        try:
            got = decode(types, answer)
        except Exception as reason:
            return ("cannot be decoded", str(reason))
        if encode(types, got) != answer:
            return ("longer than its values",)
        if name == "one":
            # Of one expiry no vol states can be apart.
            return (got[0][0], got[0][1], got[0][3], *got[1:])
        if name == "collect":
            # A perpetual has no expiry, and nobody reads its number.
            return (tuple((k, p, 0 if k == PERP else e, *held) for k, p, e, *held in got[0]), *got[1:])
        return tuple(got)

    # --- groups -------------------------------------------------------------------------------------------------------

    def _groups(self) -> Iterator[Case]:
        for count in (0, 1, 2, 3, 4, 5, 8, 9, 17, 33, 64, 65, 128):
            for is_dense in (False, True):
                words = [self._position(9, is_dense) for _ in range(count)]
                for with_long in (True, False):
                    yield Case("collect", (9, words, with_long), collected(words, with_long))
        good = [self._position(9, is_dense=True) for _ in range(6)]
        for other in (8, 10, 137, 0):
            for at in (0, 3, 6):
                stranger = self._position(9, is_dense=True) ^ ((9 ^ other) << 248)
                words = [*good[:at], stranger, *good[at:]]
                for with_long in (True, False):
                    yield Case("collect", (9, words, with_long), ("RiskEngine__WrongUnderlying", other, 9))

    def _position(self, underlying: int, is_dense: bool) -> int:
        """Draw a word; dense ones share few strikes and expiries, the others use every bit of every field."""
        kind = self.draw.choice((CALL, CALL, PUT, PUT, FUTURE, PERP))
        if is_dense:
            expiry, price = self.draw.choice((100, 101, 2**39)), self.draw.choice((50, 51, 2**40))
        else:
            expiry, price = self.draw.randrange(1, 2**40), self.draw.randrange(1, 2**71)
        price *= -1 if kind >= FUTURE and self.draw.random() < 0.3 else 1
        quantity = self.draw.choice((-(2**127), 2**127 - 1, self.draw.randrange(-(10**22), 10**22) or 1))
        expiry = 0 if kind == PERP else expiry
        return underlying << 248 | kind << 240 | expiry << 200 | (price % 2**72) << 128 | quantity % 2**128

    # --- losses -------------------------------------------------------------------------------------------------------

    def _scans(self, ladders: Ladders) -> Iterator[Case]:
        for size in (2, 10**24):
            for count in (0, 1, 2, 3):
                for linear in (0, size, -size * 7 - 1):
                    held = [self._nodes(ladders, size) for _ in range(count)]
                    yield from self._scan(ladders, held, linear)
                    others = [self._nodes(ladders, size) for _ in range(2)]
                    words = [self._words(nodes) for nodes in held], [self._words(nodes) for nodes in others]
                    wanted = (ladders.worst([*held, *others], [linear, size + 1]), ladders.worst(held, [linear]))
                    yield Case("joined", (ladders.plan, words[0], linear, words[1], size + 1), wanted)
                    if count:
                        yield from self._one(ladders, held[0], linear)
        nodes = self._nodes(ladders, 10**6)
        for num, den in ((0, 1), (1, 79_200), (79_199, 79_200), (40_003, 79_200), (1, 1)):
            yield Case("scaled", (ladders.plan, self._words(nodes), num, den), self._scaled(ladders, nodes, num, den))

    def _scan(self, ladders: Ladders, held: list[list[Node]], linear: int) -> Iterator[Case]:
        rows = tuple(ladders.profits(held, linear))
        wanted = ladders.worst(held, [linear]), rows, tuple(ladders.skew(held))
        yield Case("scan", (ladders.plan, [self._words(nodes) for nodes in held], linear), wanted)

    def _one(self, ladders: Ladders, nodes: list[Node], linear: int) -> Iterator[Case]:
        scan, certified, _, row = ladders.worst([nodes], [linear])
        largest = max((ladders.lost(nodes, n) for n in ladders.skewed), default=0)
        skew = (largest >> 60) + 1 if largest > 0 else 0
        wanted = (scan, certified, row, ladders.alone(nodes, linear), skew)
        yield Case("one", (ladders.plan, self._words(nodes), linear), wanted)

    def _nodes(self, ladders: Ladders, size: int) -> list[Node]:
        """Draw sums; whole wei among them, and so few different ones that many losses are equal."""
        firsts = {min(n for (v, _), n in ladders.at.items() if v == vol) for vol in ladders.order}
        found = []
        for n in range(ladders.count):
            cash = self.draw.randrange(-size, size + 1) * 2**60
            cash += self.draw.choice((0, 0, 1, -1, self.draw.randrange(2**60)))
            gap = self.draw.choice((0, self.draw.randrange(size * 2**60), self.draw.randrange(3) * 2**60))
            # The first node of a ladder has none below it.
            found.append(Node(cash, 0 if n in firsts else gap))
        return found

    @staticmethod
    def _words(nodes: list[Node]) -> list[int]:
        """Four words a node; the first two, its price, are no matter of sums."""
        return [w % WORD for n, node in enumerate(nodes) for w in (WORD - 1 - n, WORD - 2 - n, node.cash, node.gap)]

    def _scaled(self, ladders: Ladders, nodes: list[Node], num: int, den: int) -> tuple[Any, ...]:
        bare = ladders.plan[-ladders.count * NODE_WORDS :]
        share = list(bare)
        for n, node in enumerate(nodes):
            share[NODE_WORDS * n + 2] = trunc(node.cash, den) * num % WORD
            share[NODE_WORDS * n + 3] = (node.gap // den + 1) * num
        return tuple(bare), tuple(share)


def collected(words: list[int], with_long: bool) -> tuple[Any, ...]:
    """Groups by strike and expiry in the order in which positions name them, a put beside the call."""
    groups: dict[tuple[int, int, int], list[int]] = {}
    expiries: list[int] = []
    units = 0
    for word in words:
        _, kind, expiry, price, quantity, is_option, _ = unpack(word)
        if is_option and quantity > 0 and not with_long:
            continue
        if kind != PERP and expiry not in expiries:
            expiries.append(expiry)
        held = groups.setdefault((CALL if kind == PUT else kind, expiry, price), [0, 0])
        held[kind == PUT] += quantity
        units += abs(quantity)
    found = tuple(
        (kind, price, 0 if kind == PERP else expiries.index(expiry), *held)
        for (kind, expiry, price), held in groups.items()
    )
    # The table has at least twice as many places as there are positions, four at least, a power of two.
    places = 4
    while places < 2 * len(words):
        places *= 2
    return found, tuple(expiries), units, 32 * places + 32 * (1 + len(words)) + 128 * len(groups)
