"""Every call of LibraryProbe that the proof makes, with the exact answer.

A case is a function, its arguments and the bytes it must return or revert with. All edges of all types, all small
integers, and seeded random ones.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from plimsoll.chain.contracts import Contract
from tests.chain.helpers import anchors
from tests.chain.proof import integers as exact

WAD = exact.WAD
TOO_FAST = keccak(text="Oracle__TooFast(bytes32,int256,int256)")[:4]
ERRORS = {
    name: keccak(text=f"{name}(int256,int256)")[:4]
    for name in ("PositionWord__PriceOverflow", "PositionWord__QuantityOverflow")
}
#: Call data of one request to the chain, which refuses larger ones.
BATCH_BYTES = 500_000
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


def _field(name: str) -> int:
    """Name of a field as the errors carry it."""
    return int.from_bytes(name.encode().ljust(32, b"\0"), "big")


def _moved(name: str, anchor: int, ln: int, share: int, limit: int) -> int:
    """Anchor after a number, or the error of one that is too far from it."""
    distance = ln - anchors.ln_of(anchor)
    if abs(distance) > limit:
        words = (_field(name), distance, -limit if distance < 0 else limit)
        raise exact.RevertedError(TOO_FAST + b"".join(map(exact.word_of, words)))
    return anchors.follow(anchor, ln, share)


def _step(since: int, ts: int, heartbeat: int, move: int, variance: int) -> tuple[int, ...]:
    """What the numbers of one message share, in the order of SpeedLimit.Step."""
    return ts, since, *_since(since, ts, heartbeat, move, variance), heartbeat, move, variance


def _since(since: int, ts: int, heartbeat: int, move: int, variance: int) -> tuple[int, int, int]:
    elapsed = ts - since
    limits = (anchors.reach(limit, elapsed, heartbeat) for limit in (move, variance))
    return (anchors.kept(elapsed), *limits)


def speed_limit() -> Iterator[Case]:
    """Silences around the heartbeat and far beyond it; numbers at, next to and far from the limit, on both sides."""
    for heartbeat, move, variance in ((60, 3 * 10**17, WAD), (3_600, 7, 11), (1, WAD // 3, 2 * WAD)):
        for elapsed in (0, 1, heartbeat - 1, heartbeat, heartbeat + 1, 3_599, 3_600, 3_601, 86_400, 10**6):
            start, limits = 10**9, (heartbeat, move, variance)
            # What the message shares is computed before; only its times and limits are read here.
            step = (start + elapsed, start, 0, 0, 0, *limits)
            found = _since(start, start + elapsed, *limits)
            yield _case("speedSince", lambda *_, found=found: found, start, *step)
    places = (0, 1, anchors.first(0), anchors.first(0) + 1, anchors.first(8 * WAD), 2**32 - 1)
    shares = (0, 1, WAD // 3, WAD - 1, WAD)
    for anchor, share, limit in product(places, shares, (1, anchors.STEP - 1, 3 * 10**17, 4 * WAD)):
        here = anchors.ln_of(anchor)
        lows = (0, 1, anchors.STEP // 2, limit - 1, limit, limit + 1, 10 * limit)
        for distance in sorted({side * low for low in lows for side in (1, -1)}):
            ln = here + distance
            if 0 <= ln + anchors.ZERO < anchors.ZERO * 2:
                yield _case("speedMove", partial(_named, "spot"), _field("spot"), anchor, ln, share, limit)
                yield _case("speedCheck", partial(_checked, "mean"), _field("mean"), anchor, ln, limit)
    for ln in (-anchors.ZERO, -WAD - 1, -anchors.STEP, -1, 0, 1, anchors.STEP - 1, anchors.STEP, 41 * WAD + 7):
        yield _case("speedFirst", anchors.first, ln)
    for anchor in places:
        yield _case("speedLnOf", anchors.ln_of, anchor)


def _named(name: str, _: int, *arguments: int) -> int:
    return _moved(name, *arguments)


def _checked(name: str, _: int, anchor: int, ln: int, limit: int) -> tuple[int, ...]:
    _moved(name, anchor, ln, 0, limit)
    return ()


#: Shifts of an anchor word, in the order of ``anchors.FIELDS``.
SHIFTS = (128, 96, 64, 32, 0)
FAST = (60, 3 * 10**17, WAD)


def _advanced(before: dict[str, int], since: int, surface: dict[str, int], ts: int, step: tuple[int, ...]) -> int:
    """Word of an expiry after a round; fields that the round does not measure stay."""
    share, move, variance = step[2:5] if since == step[1] else _since(since, ts, *step[5:])
    moved = dict(before)
    for name, ln in anchors.logs_of(surface, ts).items():
        limit = variance if "variance" in name else move
        moved[name] = _moved(name, before[name], ln, share, limit) if before else anchors.first(ln)
    return ts << 160 | sum(moved.get(name, 0) << shift for name, shift in zip(anchors.FIELDS, SHIFTS, strict=True))


def _surfaces() -> Iterator[tuple[int, dict[str, int]]]:
    """Slices of every tenor, on both sides of a day and of the window, and how many seconds they have left."""
    draw = random.Random(5)
    for left in (0, 1, 1_799, 1_800, 1_801, 3_600, 86_399, 86_400, 86_401, 10**6, 3_650 * 86_400):
        for _ in range(4):
            slice_ = {"forwardWad": draw.randrange(1, 10**23), "rateWad": draw.randrange(-(10**17), 10**17)}
            slice_ |= {"aWad": draw.choice((0, 1, draw.randrange(10**16))), "bWad": draw.choice((0, 3 * 10**16 + 1))}
            slice_ |= {"rhoWad": draw.randrange(-WAD + 1, WAD), "mWad": draw.randrange(-WAD, WAD)}
            yield left, slice_ | {"sWad": draw.randrange(1, WAD)}


def anchor_word() -> Iterator[Case]:
    """First listings, rounds soon and late after the last listing, and every field at its limit and beyond."""
    ts = 2 * 10**9
    for left, slice_ in _surfaces():
        surface = {"expiryTs": ts + left, **slice_}
        logs = anchors.logs_of(surface, ts)
        whole = {name: anchors.first(logs.get(name, 0)) for name in anchors.FIELDS}
        for head, listed in ((ts - 1, ts - 1), (ts - 61, ts - 61), (ts - 5, ts - 7_000), (ts - 5, ts - 30)):
            step = _step(head, ts, *FAST)
            for before, since in _words(whole, listed):
                found = partial(_answer, before, since, surface, ts, step)
                word = _word(before, since)
                yield _case("anchorAdvance", found, word, *surface.values(), *step)
    for word in (0, (1 << 200) - 1, *((2**40 - 1 if n == 5 else 2**32 - 1) << 32 * n for n in range(6))):
        yield _case("anchorUnpack", _unpacked, word)


def _word(before: dict[str, int], since: int) -> int:
    if not before:
        return 0
    return since << 160 | sum(before[name] << shift for name, shift in zip(anchors.FIELDS, SHIFTS, strict=True))


def _words(whole: dict[str, int], since: int) -> Iterator[tuple[dict[str, int], int]]:
    """No anchors yet; anchors at the number; each alone off by a little, and by more than any limit here."""
    yield {}, 0
    yield whole, since
    for name in anchors.FIELDS:
        for steps in (-1, 1, 10**6, -(10**6), 14_999_990, 15_000_010, -14_999_990, -15_000_010, 2 * 10**8):
            yield {**whole, name: whole[name] + steps}, since


def _answer(
    before: dict[str, int], since: int, surface: dict[str, int], ts: int, step: tuple[int, ...], *_: int
) -> int:
    return _advanced(before, since, surface, ts, step)


def _unpacked(word: int) -> tuple[int, ...]:
    if word == 0:
        return (0,) * 6
    return (word >> 160) % 2**40, *(anchors.ln_of((word >> shift) % 2**32) for shift in SHIFTS)


# --- RequirementMath --------------------------------------------------------------------------------------------------

#: Fields of ``RequirementMath.Parts`` and of ``IScenarioBook.UnderlyingParams``, in their order.
PARTS = (
    *("scan", "certified", "apart", "row", "padWad", "basisWad", "skewTermWad", "shortMinWad", "concentrationWad"),
    *("netCash", "vegaCash"),
)
RATES = (
    *("priceRangeWad", "volUpWad", "volDownWad", "volFloorWad", "basisMinWad", "basisRateWad", "perpBasisWad"),
    *("vegaTermRateWad", "skewRateWad", "shortMinRateWad", "concRateWad", "concVegaRateWad", "n0Wad", "v0Wad"),
)
YEAR_SEC = 365 * 86_400
FADED_SEC, WHOLE_SEC = 2 * 3_600, 24 * 3_600


def _up(n: int, d: int) -> int:
    return -(-n // d)


def _quadratic(size: int, free: int, rate: int) -> int:
    """min(size, rate*max(0, size - free)^2/free), each division up; the size itself beyond 2^127 at any rate."""
    over = max(0, size - free)
    if over >= 2**127 and rate:
        return size
    return min(size, _up(_up(over * over, free) * rate, WAD))


def _concentrated(parts: dict[str, int], rates: dict[str, int]) -> tuple[int, ...]:
    scanned = _up((max(0, parts["certified"]) + parts["padWad"]) * WAD, rates["priceRangeWad"])
    size = max(abs(parts["netCash"]), scanned)
    charge = _quadratic(size, rates["n0Wad"], rates["concRateWad"])
    charge += _quadratic(abs(parts["vegaCash"]), rates["v0Wad"], rates["concVegaRateWad"])
    return tuple((parts | {"concentrationWad": charge}).values())


def _added(one: dict[str, int], other: dict[str, int]) -> tuple[int, ...]:
    """What is charged adds up; losses and sizes are found anew for all together."""
    charged = ("padWad", "basisWad", "skewTermWad", "shortMinWad", "concentrationWad")
    return tuple(n + other[name] if name in charged else n for name, n in one.items())


def _total(parts: dict[str, int], vega: int) -> int:
    covered = max(0, parts["certified"]) + parts["padWad"] + parts["basisWad"] + vega + parts["skewTermWad"]
    return max(covered, parts["shortMinWad"]) + parts["concentrationWad"]


def _fixed(answer: Any) -> Callable[..., Any]:
    """Reference of a case whose answer is computed already."""
    return lambda *_: answer


def requirement_math() -> Iterator[Case]:
    """Small integers against each other, whole wads and their neighbours, sizes at every guard, drawn parts."""
    draw = random.Random(7)
    yield from (*_fades(), *_quotients(), *_quadratics(), *_vega_terms(), *_basis_rates())
    for size, _ in product((1, 40, 10**6, 10**24), range(40)):
        yield from _drawn(draw, size)


def _fades() -> Iterator[Case]:
    for time in (*_times(FADED_SEC), *_times(WHOLE_SEC), 0, 1, 50_000, 10**9):
        left = (1, 1) if time >= WHOLE_SEC else (max(0, time - FADED_SEC), WHOLE_SEC - FADED_SEC)
        yield _case("fade", _fixed(left), time)


def _quotients() -> Iterator[Case]:
    small, large = range(13), (WAD - 1, WAD, WAD + 1, 3 * WAD + 7, 10**30, 2**120 + 1)
    for value in (*range(-12, 13), *large, *(-n for n in large), 2**239, -(2**239)):
        yield _case("magnitude", lambda v: abs(v) + (v != 0), value)
        yield _case("absolute", abs, value)
        yield _case("positive", lambda v: max(0, v), value)
    for a, b in (*product(small, small), *product(large, small), *product(large, large)):
        yield _case("mulUp", lambda m, n: _up(m * n, WAD), a, b)
        if 0 < b <= WAD:
            yield _case("quotientUp", _up, a, b)
            yield _case("sizeOf", lambda m, n: _up(m * WAD, n), a, b)


def _quadratics() -> Iterator[Case]:
    overs = (-1, 0, 1, 2, 5, WAD, 10**22 + 1, 2**127 - 1, 2**127, 2**127 + 1, 2**182)
    for free, rate, over in product((1, 2, 7, WAD, 3 * WAD + 1, 10**33), (0, 1, WAD // 10, WAD, 10 * WAD), overs):
        yield _case("quadratic", _quadratic, free + over, free, rate)
    # Products that are a multiple of 2^256: without the guard nothing would be charged for them.
    for shift in (95, 100, 110, 126):
        yield _case("quadratic", _quadratic, 1 + 2**shift, 1, 2 ** (256 - 2 * shift))
    # Where a charge is about the size itself.
    for over in range(8, 14):
        yield _case("quadratic", _quadratic, 10 * WAD + over * WAD // 10, WAD, WAD // 8)


def _vega_terms() -> Iterator[Case]:
    ends = ((-5, -6), (5, -6), (5, 0), (5, 4), (5, 5), (5, 6), (7 * WAD + 1, WAD), (-1, 9))
    for rate, (apart, certified) in product((0, 1, WAD // 3, WAD), ends):
        parts = dict.fromkeys(PARTS, 9) | {"apart": apart, "certified": certified}
        wanted = _up(max(0, max(0, apart) - max(0, certified)) * rate, WAD)
        yield _case("vegaTerm", _fixed(wanted), *parts.values(), rate)


def _times(centre: int) -> tuple[int, ...]:
    return centre - 1, centre, centre + 1


def _drawn(draw: random.Random, size: int) -> Iterator[Case]:
    """Parts and rates of one size; losses and sizes of either sign."""
    one, other = (
        {n: draw.randrange(-size if n in ("scan", "certified", "apart", "netCash", "vegaCash") else 0, size + 1)
         for n in PARTS} for _ in range(2)
    )  # fmt: skip
    rates = {name: draw.randrange(1, WAD) for name in RATES}
    rates |= {"n0Wad": draw.randrange(1, size + 1), "v0Wad": draw.randrange(1, size + 1)}
    yield _case("concentrate", _fixed(_concentrated(one, rates)), *one.values(), *rates.values())
    yield _case("addParts", _fixed(_added(one, other)), *one.values(), *other.values())
    vega = draw.randrange(size + 1)
    yield _case("total", _fixed(_total(one, vega)), *one.values(), vega)


def _basis_rates() -> Iterator[Case]:
    """Rates at which no exponential is needed: the least one, and a growth of nothing."""
    for time, rate, least in product((0, 1, 86_400, YEAR_SEC), (0, 1, WAD // 100), (WAD // 50, WAD)):
        rates = dict.fromkeys(RATES, 3) | {"basisRateWad": rate, "basisMinWad": least}
        yield _case("basisRate", _fixed(least), time, *rates.values())
    yield _case("basisRate", _fixed(0), 0, *(dict.fromkeys(RATES, 3) | {"basisMinWad": 0}).values())


# --- MarginMath -------------------------------------------------------------------------------------------------------


def relief_refused(then: tuple[int, ...], now: tuple[int, ...], close_share: int) -> tuple[str, tuple[int, int]] | None:
    """Section 6 for an account without its initial margin: the error of an action, ``None`` when it may end so.

    ``then`` and ``now`` are equity, market equity, initial and maintenance margin.
    """
    deepens = now[1] < 0 and now[1] < then[1]
    if deepens or then[0] >= then[2] or now[2] > then[2]:
        return "MarginEngine__BelowInitial", (now[0], now[2])
    fell, limit = then[0] - now[0], (then[2] - now[2]) * close_share // WAD
    if fell > limit:
        return "MarginEngine__EquityFell", (fell, limit)
    over, least = now[0] - now[3], min(0, then[0] - then[3])
    return ("MarginEngine__BelowMaintenance", (over, least)) if over < least else None


RELIEF_ERRORS = {
    "MarginEngine__BelowInitial": "(int256,uint256)",
    "MarginEngine__EquityFell": "(uint256,uint256)",
    "MarginEngine__BelowMaintenance": "(int256,int256)",
}


def _relief(*words: int) -> tuple[int, ...]:
    refused = relief_refused(words[:4], words[4:8], words[8])
    if refused is not None:
        name, values = refused
        selector = keccak(text=name + RELIEF_ERRORS[name])[:4]
        raise exact.RevertedError(selector + b"".join(map(exact.word_of, values)))
    return ()


def margin_math() -> Iterator[Case]:
    """States of a few wei, so that every rule decides at its border, and states of cash."""
    draw = random.Random(11)
    for unit in (1, 1, 1, WAD):
        for _ in range(1_500):
            then, now = (
                [draw.randrange(-4, 8), draw.randrange(-3, 4), draw.randrange(8), draw.randrange(8)] for _ in range(2)
            )
            # Below initial before, and no more of it after, so that what follows is asked at all.
            then[2] = max(then[2], then[0] + draw.choice((0, 1, 1, 2)), now[2] - draw.choice((0, 0, 0, 1)), 0)
            words = (unit * value for value in (*then, *now))
            yield _case("requireRelief", _relief, *words, draw.choice((0, 1, WAD // 2, WAD)))


GROUPS: dict[str, Callable[[], Iterator[Case]]] = {
    "WadMath": wad_math,
    "PositionWord": position_word,
    "LinearMath": linear_math,
    "SettlementMath": settlement_math,
    "AuctionMath": auction_math,
    "SpeedLimit": speed_limit,
    "AnchorWord": anchor_word,
    "RequirementMath": requirement_math,
    "MarginMath": margin_math,
}


def encoded(probe: Contract, name: str, arguments: tuple[Any, ...]) -> bytes:
    """Call data; every argument is one word."""
    return probe.artifact.functions[name].selector + b"".join(exact.word_of(int(a)) for a in arguments)


def failures(probe: Contract, cases: list[Case]) -> list[str]:
    """Cases that the contract answers otherwise than the reference, in words."""
    wrong: list[str] = []
    calls = [encoded(probe, name, arguments) for name, arguments, _ in cases]
    # Beside its own bytes a call has an offset, a length and padding.
    size = BATCH_BYTES // (max(map(len, calls)) + 96)
    for first in range(0, len(cases), size):
        part = cases[first : first + size]
        selector = probe.artifact.functions["batch"].selector
        answer = probe.client.call(probe.address, selector + encode(["bytes[]"], [calls[first : first + size]]))
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
