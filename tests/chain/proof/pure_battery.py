"""Every call of LibraryProbe that the proof makes, with the exact answer.

A case is a function, its arguments and the bytes it must return or revert with. All edges of all types, all small
integers, and seeded random ones.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from plimsoll.chain.contracts import Contract
from tests.chain.proof import integers as exact

WAD = exact.WAD
ERRORS = {
    name: keccak(text=f"{name}(int256,int256)")[:4]
    for name in ("PositionWord__PriceOverflow", "PositionWord__QuantityOverflow")
}
BATCH = 4_000
#: Seconds of the whole price path and some beyond.
PATH_SEC = 900 + 43_200 + 60
Case = tuple[str, tuple[Any, ...], tuple[bool, bytes]]


def _case(function: str, reference: Callable[..., Any], *arguments: int) -> Case:
    """Pair a call with what the reference says."""
    try:
        answer = reference(*arguments)
    except exact.RevertedError as reverted:
        return function, arguments, (False, reverted.data)
    words = answer if isinstance(answer, tuple) else (answer,)
    return function, arguments, (True, b"".join(exact.word_of(w) for w in words))


def _near(*centres: int, width: int = 1) -> list[int]:
    """Every centre and its neighbours, both signs, inside int256."""
    found = {s * (c + d) for c in centres for d in range(-width, width + 1) for s in (1, -1)}
    return sorted(v for v in found if exact.INT_MIN <= v <= exact.INT_MAX)


def wad_math() -> Iterator[Case]:
    """All small integers against each other, products near whole wads, all edges of the type."""
    small = list(range(-12, 13))
    near_one = _near(10**9, 3 * 10**9, 7 * 10**17, WAD, 5 * WAD // 2, 2**63, 2**127, 2**128)
    edges = [*near_one, *_near(0, 2**254, exact.INT_MAX), exact.INT_MIN, exact.INT_MAX // WAD, exact.INT_MIN // WAD]
    for a, b in [*product(small, small), *product(edges, near_one), *product(edges, small)]:
        yield _case("mulWadDown", exact.mul_wad_down, a, b)
        yield _case("mulWadUp", exact.mul_wad_up, a, b)
    for n, d in [*product(range(-60, 61), range(13)), *product(edges, (1, 2, 3, WAD, exact.INT_MAX))]:
        yield _case("divDown", exact.div_down, n, d)
        yield _case("divUp", exact.div_up, n, d)
    for a in [*edges, *small]:
        yield _case("abs", exact.absolute, a)


def position_word() -> Iterator[Case]:
    """Every edge of every field against every edge of the others, and one step beyond."""
    ids, kinds, expiries = (0, 1, 127, 128, 255), (0, 1, 2, 3, 4, 255), (0, 1, 2**39, 2**40 - 1)
    prices = (-(2**71), -(2**71) + 1, -1, 0, 1, 2**71 - 1)
    quantities = (-(2**127), -1, 0, 1, 2**127 - 1)

    def packed(*fields: int) -> int:
        return exact.pack(*fields, errors=ERRORS)

    for fields in product(ids, kinds, expiries, prices, quantities):
        yield _case("pack", packed, *fields)
        yield _case("unpack", exact.unpack, packed(*fields))
    beyond = (2**71, -(2**71) - 1, 2**72, 2**127, exact.INT_MAX, exact.INT_MIN)
    for price in beyond:
        yield _case("pack", packed, 1, 0, 1, price, 1)
    for quantity in (2**127, -(2**127) - 1, 2**128, exact.INT_MAX, exact.INT_MIN):
        yield _case("pack", packed, 1, 3, 0, 1, quantity)
    for bit in range(256):
        yield _case("unpack", exact.unpack, 1 << bit)


def linear_math() -> Iterator[Case]:
    """Small positions exhaustively, then sizes as they trade."""
    draw = random.Random(1)

    def merged(word: int, change: int, price: int) -> tuple[int, int]:
        return exact.merge(word, change, price, ERRORS)

    def word(kind: int, price: int, quantity: int) -> int:
        return exact.pack(1, kind, 0 if kind == 3 else 77, price, quantity, ERRORS)

    for held, change, entry, price in product(range(-3, 4), (-4, -3, -1, 1, 2, 3), (-5, 0, 7), (-2, 3)):
        yield _case("merge", merged, word(3, entry, held), change, price)
    for _ in range(1_500):
        kind = draw.choice((0, 1, 2, 2, 3, 3))
        held = draw.choice((0, draw.randrange(-(10**22), 10**22)))
        change = draw.choice((-held or 1, draw.randrange(-(10**22), 10**22) or 1))
        entry, price = (draw.randrange(1, 10**13) for _ in range(2))
        yield _case("merge", merged, word(kind, entry, held), change, price)
    for held, change in ((2**127 - 1, 1), (-(2**127), -1), (1, 2**127 - 2), (-1, -(2**127) + 1)):
        yield _case("merge", merged, word(3, 1, held), change, 1)


def settlement_math() -> Iterator[Case]:
    """Every kind at, next to and far from the strike; dust and large quantities."""
    strikes = (1, 10**8, 1_900 * 10**8 + 1, 2**71 - 1)
    quantities = (-(2**127), -(10**24) - 7, -WAD, -1, 1, 3, WAD // 3, 2**127 - 1)
    for kind, strike, quantity in product(range(4), strikes, quantities):
        word = exact.pack(1, kind, 9, strike, quantity, ERRORS)
        at = strike * 10**10
        for price in (0, 1, at - 10**10, at - 1, at, at + 1, at + 10**10, 2 * at, 2**127 - 1):
            yield _case("settledValue", exact.settled_value, word, max(price, 0))


def auction_math() -> Iterator[Case]:
    """Fractions, fees and pays at every border of their branches."""
    draw = random.Random(2)
    sizes = (-(10**24), -WAD, -1, 0, 1, 2, 3, WAD, 10**24)
    for target, equity, cost in product(sizes, sizes, sizes):
        yield _case("restoringFraction", exact.restoring_fraction, target, equity, cost)
    for _ in range(400):
        yield _case(
            "restoringFraction", exact.restoring_fraction, *(draw.randrange(-(10**24), 10**24) for _ in range(3))
        )
    sizes = (0, 1, WAD - 1, WAD, 10**24 + 7)
    for value, need, factor in product(sizes, sizes, (0, 1, 7 * 10**17, 98 * 10**16, WAD)):
        yield _case("auctionPrice", exact.auction_price, value, need, factor)
    for value, cash, rate in product(sizes, sizes, (0, 1, 10**16, 3 * 10**17)):
        yield _case("fee", exact.fee, max(value, cash), cash, rate)
    for loss, need, share, sec in product(
        (0, 1, WAD, 10**24), (0, 1, 3_600, WAD + 1), (0, 1, 25 * 10**16, WAD), (0, 1, 3_599, 3_600, 3_601, 10**6)
    ):
        yield _case("bonus", exact.bonus, loss, need, share, sec)


GROUPS: dict[str, Callable[[], Iterator[Case]]] = {
    "WadMath": wad_math,
    "PositionWord": position_word,
    "LinearMath": linear_math,
    "SettlementMath": settlement_math,
    "AuctionMath": auction_math,
}


def encoded(probe: Contract, name: str, arguments: tuple[Any, ...]) -> bytes:
    """Call data; every argument is one word."""
    return probe.artifact.functions[name].selector + b"".join(exact.word_of(int(a)) for a in arguments)


def failures(probe: Contract, cases: list[Case]) -> list[str]:
    """Cases that the contract answers otherwise than the reference, in words."""
    wrong: list[str] = []
    for first in range(0, len(cases), BATCH):
        part = cases[first : first + BATCH]
        calls = [encoded(probe, name, arguments) for name, arguments, _ in part]
        selector = probe.artifact.functions["batch"].selector
        answer = probe.client.call(probe.address, selector + encode(["bytes[]"], [calls]))
        ok, results = decode(["bool[]", "bytes[]"], answer)
        for (name, arguments, expected), *got in zip(part, ok, results, strict=True):
            if tuple(got) != expected:
                wrong.append(f"{name}{arguments}: {got}, expected {expected}")
    return wrong


def path_failures(probe: Contract) -> list[str]:
    """Seconds of the auction's price path where the factor is not the exact one, rounded up."""
    wrong: list[str] = []
    for first in range(0, PATH_SEC, 5_000):
        count = min(5_000, PATH_SEC - first)
        factors = probe.call("priceFactors", first, count)
        wrong += [f"second {first + i}" for i, f in enumerate(factors) if f != exact.price_factor(first + i)]
    return wrong
