"""ScenarioBook: what is stored and read back, plans word by word, its events, and every limit from both sides."""

from __future__ import annotations

from itertools import product
from typing import Any

import mpmath as mp
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from plimsoll.chain.anvil import wallet
from plimsoll.chain.book import plain_rows
from plimsoll.chain.contracts import Contract
from plimsoll.chain.revert import RevertError
from tests.chain.helpers.books import DEFAULT
from tests.chain.proof.world import CALL_GAS, RARE_ROWS, World

mp.mp.dps = 50
WAD = 10**18
UP, FLAT, DOWN = range(3)
Rows = dict[str, Any]
#: Highest value of every parameter, in the order of the structs.
UNDERLYING_LIMITS = {
    **{"priceRangeWad": WAD // 2, "volUpWad": 5 * WAD, "volDownWad": WAD, "volFloorWad": 5 * WAD, "basisMinWad": WAD},
    **{"basisRateWad": WAD, "perpBasisWad": WAD, "vegaTermRateWad": WAD, "skewRateWad": 2 * WAD},
    **{"shortMinRateWad": WAD, "concRateWad": 10 * WAD, "concVegaRateWad": 10 * WAD, "n0Wad": 10**33, "v0Wad": 10**33},
}
#: The lowest, where it is not 0.
UNDERLYING_LEAST = {"priceRangeWad": 10**15, "n0Wad": 1, "v0Wad": 1}
ACCOUNT_LIMITS = {
    **{"imFactorWad": 10 * WAD, "pegThresholdWad": WAD, "pegSlopeWad": 100 * WAD, "confThresholdWad": WAD},
    **{"confRateWad": 10 * WAD, "stressShareWad": WAD, "debtRateWad": WAD, "closeShareWad": WAD},
    **{"bufferWad": 10 * WAD, "feeRateWad": 3 * 10**17, "bonusShareWad": WAD, "fundPerHourWad": WAD},
    **{"dustWad": 10**24},
}
#: Fields of the account's word from the lowest up, in steps of 1e-6.
WORD_FIELDS = (
    *("imFactorWad", "mmFactorWad", "pegThresholdWad", "pegSlopeWad", "confThresholdWad", "confRateWad"),
    *("stressShareWad", "debtRateWad", "closeShareWad"),
)
STEP_WAD = 10**12
COLLATERAL_LIMITS = {"haircutWad": WAD, "linkedHaircutWad": WAD, "ratioWad": 10**24}
GRACE_SEC = 1_000
#: Q36 logarithm of a move: it is cut off, and solady's ln is good to a wei.
LN_STEPS = mp.mpf("1.0000002")
#: Bytes of one volatility in the engine's memory.
VOLATILITY_BYTES = 128
HEAD_WORDS, SEGMENT_WORDS, MOVE_WORDS, NODE_WORDS = 20, 2, 3, 4
NODE_BYTES = 32 * NODE_WORDS
LOWEST, HIGHEST = -95 * 10**16, 9 * WAD
MOST = 2**256


def changed(base: Rows = DEFAULT, **fields: Any) -> Rows:
    """A book with other fields."""
    return base | fields


def sent(rows: Rows) -> Rows:
    """Rows with places as the encoder takes them."""
    places = [p if isinstance(p, dict) else {"moveWad": p[0], "vol": p[1]} for p in rows["skewAt"]]
    return rows | {"skewAt": places}


PLAIN = changed(gridMovesWad=[-WAD, 0], gridVols=[FLAT], tailMovesWad=[], tailVols=[], skewWad=0, skewAt=[])
#: Stored one after the other: everything that a book may have or lack.
BOOKS = (
    DEFAULT,
    PLAIN,
    RARE_ROWS,
    changed(gridVols=[UP, DOWN], tailMovesWad=[2 * WAD, 5 * WAD, 6 * WAD, 7 * WAD], tailVols=[DOWN], skewAt=[]),
    changed(gridMovesWad=[0, 10**9, WAD], tailVols=[UP, FLAT, DOWN], skewAt=[(0, DOWN), (WAD, UP)]),
    changed(gridMovesWad=[-WAD + 1, -7, 0], tailMovesWad=[WAD], skewAt=[(-7, FLAT)]),
)


def trunc(n: int, d: int) -> int:
    """Division toward zero."""
    return abs(n) // d * (1 if n >= 0 else -1)


def ladder_of(rows: Rows, span: int) -> list[tuple[int, int, int, int, bool]]:
    """(move, multiple, weight's numerator and denominator, is grid) from the lowest price up."""
    grid = [(trunc(m * span, WAD), m, 1, 1, True) for m in rows["gridMovesWad"]]
    low: list[tuple[int, int, int, int, bool]] = []
    for multiple in rows["tailMovesWad"]:
        move = trunc(-multiple * span, WAD)
        move, found = (move, -multiple) if move >= LOWEST else (LOWEST, trunc(LOWEST * WAD, span))
        if move < grid[0][0] and all(move != other[0] for other in low):
            low.append((move, found, span, abs(move), False))
    high = [(trunc(m * span, WAD), m, span, trunc(m * span, WAD), False) for m in rows["tailMovesWad"]]
    return [*sorted(low), *grid, *high]


class Plan:
    """Words of a plan (ScenarioPlan) from its rows; logarithms are asked of ``ln``."""

    def __init__(self, rows: Rows, span: int, ln: Any) -> None:
        self.ln, self.nodes, self.segments = ln, [], []
        self.volatilities: list[int] = []
        self.base: int | None = None
        ladder = ladder_of(rows, span)
        grid, tails = rows["gridVols"], rows["tailVols"]
        below = sum(1 for entry in ladder if entry[1] < rows["gridMovesWad"][0])
        order = [vol for vol in grid if vol in tails] + [vol for vol in grid if vol not in tails]
        ranks, starts = [0] * 3, [0] * 3
        for n, vol in enumerate(order):
            ranks[n] = grid.index(vol)
            starts[n] = (len(self.nodes) - (0 if vol in tails else below)) * NODE_BYTES
            self._segment(vol * VOLATILITY_BYTES)
            for entry in ladder:
                if vol in tails or entry[4]:
                    self._node(entry[0], is_base=vol == FLAT and entry[0] == 0)
        own = {
            (move, vol): starts[order.index(vol)] + (below + i) * NODE_BYTES
            for i, move in enumerate(rows["gridMovesWad"])
            for vol in grid
        }
        if self.base is None:
            self._segment(VOLATILITY_BYTES)
            self._node(0, is_base=True)
        pairs = self._pairs(sent(rows)["skewAt"], rows["skewWad"], span, own)
        moves = self._moves(ladder, len(grid), len(tails))
        first_move = HEAD_WORDS + len(self.volatilities) + SEGMENT_WORDS * len(self.segments)
        first_pair = first_move + len(moves)
        first_node = first_pair + len(pairs)
        layout = encode(
            ["int256[]", "uint256", "uint256", "uint8[]", "uint8[]"],
            [[entry[1] for entry in ladder], below, len(rows["gridMovesWad"]), grid, tails],
        )
        head = [len(self.volatilities) // 2, len(self.segments), self.base, len(self.nodes), len(grid), len(tails)]
        head += [len(ladder), below, len(rows["gridMovesWad"]), len(pairs) // 3]
        head += [int.from_bytes(keccak(layout), "big"), first_move, first_pair, first_node, *ranks, *starts]
        body = [*self.volatilities, *(w for s in self.segments for w in s), *moves, *pairs]
        self.words = [w % MOST for w in (*head, *body, *(w for n in self.nodes for w in n))]

    def _segment(self, place: int) -> None:
        self.segments.append([place, 0])

    def _node(self, move: int, *, is_base: bool = False) -> None:
        if is_base and self.base is None:
            self.base = len(self.nodes) * NODE_BYTES
        self.segments[-1][1] += NODE_BYTES
        self.nodes.append([self.ln(move), ((WAD + move) << 64) // WAD, 0, 0])

    def _pairs(self, places: list[dict[str, int]], skew: int, span: int, own: dict[tuple[int, int], int]) -> list[int]:
        """Places of both nodes of each pair, and of the grid's node that it is compared with; by rising move."""
        found = [w for place in places for w in (0, 0, own[place["moveWad"], place["vol"]])]
        for vol in (UP, FLAT, DOWN):
            mine = [i for i, place in enumerate(places) if place["vol"] == vol]
            if mine:
                self._segment((3 + len(self.volatilities) // 2) * VOLATILITY_BYTES)
                self.volatilities += [vol * VOLATILITY_BYTES, skew, vol * VOLATILITY_BYTES, -skew]
            for i in sorted(mine, key=lambda i: places[i]["moveWad"]):
                for side in (0, 1):
                    found[3 * i + side] = len(self.nodes) * NODE_BYTES
                    self._node(trunc(places[i]["moveWad"] * span, WAD))
        return found

    def _moves(self, ladder: list[tuple[int, int, int, int, bool]], grid: int, tails: int) -> list[int]:
        """Words of the moves: the move, two weights or 0 when both are 1, how many vol states stand at it."""
        states = [grid if entry[4] else tails for entry in ladder]
        words = []
        for i, (move, _, over, under, _) in enumerate(ladder):
            larger = over, under
            if i:
                other = ladder[i - 1][2:4]
                larger = other if over * other[1] < other[0] * under else larger
            is_whole = (over, under) == (1, 1) and larger == (1, 1)
            words += [move, 0 if is_whole else over << 192 | under << 128 | larger[0] << 64 | larger[1], states[i]]
        return words


class Battery:
    """The cases of one world; every run ends where it began."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.book: Contract = world.contracts["ScenarioBook"]
        self.params = vars(self.book.call("bookOf", 1).params)
        self.account = vars(self.book.call("accountParams"))
        self.stranger = wallet("proof stranger").address

    def failures(self) -> list[str]:
        """Everything that is not as it should be."""
        wrong = self._limits()
        if wrong:
            return wrong
        mark = self.world.client.rpc("evm_snapshot")
        try:
            return self._stored()
        except RevertError as reverted:
            return [str(reverted)]
        except (ValueError, OverflowError, KeyError, AttributeError) as reason:
            return [f"cannot be read: {reason}"]
        finally:
            self.world.client.rpc("evm_revert", mark)
            self.world.client.forget_nonce(self.world.owner.address)

    # --- limits -------------------------------------------------------------------------------------------------------

    def _limits(self) -> list[str]:
        cases = [*self._parameter_cases(), *self._row_cases(), *self._account_cases(), *self._collateral_cases()]
        cases += [("bookPointerOf", (99,), ("ScenarioBook__UnknownUnderlying", (99, 5)))]
        cases += [("collateralOf", (99,), ("ScenarioBook__UnknownToken", (99,)))]
        cases += [
            ("setBook", (u, self.params, sent(DEFAULT)), ("ScenarioBook__UnknownUnderlying", (u, 5))) for u in (0, 6)
        ]
        cases += [("setBook", (5, self.params, sent(DEFAULT)), None)]
        calls = [self.book.encode(name, *values) for name, values, _ in cases]
        answers = self.world.ask("ScenarioBook", calls, self.world.owner.address)
        wrong = [
            f"{name} {str(values)[:200]}: {said(a)}, expected {want}"
            for (name, values, want), a in zip(cases, answers, strict=True)
            if said(a) != want
        ]
        return wrong or self._strangers()

    def _strangers(self) -> list[str]:
        row = sent(DEFAULT)
        calls = [
            self.book.encode("listUnderlying", b"Z" * 32, self.params, row),
            self.book.encode("setBook", 1, self.params, row),
            self.book.encode("setAccountParams", self.account),
            self.book.encode("setCollateral", 1, (True, 0, 0, 0, 0)),
        ]
        answers = self.world.ask("ScenarioBook", calls, self.stranger)
        bad = [i for i, a in enumerate(answers) if (said(a) or ("",))[0] != "AccessManagedUnauthorized"]
        return [f"a stranger may call {bad}"] if bad else []

    def _parameter_cases(self) -> list[Any]:
        out, cases, rows = "ScenarioBook__ParameterOutOfRange", [], sent(PLAIN)
        for name, limit in UNDERLYING_LIMITS.items():
            error = (out, (name.encode().ljust(32, b"\0"), limit + 1, limit))
            for value, want in ((limit, None), (limit + 1, error)):
                cases.append(("listUnderlying", (b"Z" * 32, self.params | {name: value}, rows), want))
        for name, least in UNDERLYING_LEAST.items():
            error = (out, (name.encode().ljust(32, b"\0"), least - 1, least))
            for value, want in ((least, None), (least - 1, error)):
                cases.append(("listUnderlying", (b"Z" * 32, self.params | {name: value}, rows), want))
        return cases

    def _row_cases(self) -> list[Any]:
        grid, tail = (name.ljust(32, b"\0") for name in (b"gridMovesWad", b"tailMovesWad"))
        states, tail_states = (name.ljust(32, b"\0") for name in (b"gridVols", b"tailVols"))
        skew = b"skewWad".ljust(32, b"\0")
        many = [n * WAD // 20 for n in range(-5, 6)]
        far, span = 100 * WAD, self.params["priceRangeWad"]
        least, most = (-(-abs(limit) * WAD // span) for limit in (LOWEST, HIGHEST))
        falling = "ScenarioBook__NotIncreasing"
        pairs: list[tuple[Rows, Any]] = [
            (changed(gridMovesWad=[0], skewAt=[]), ("ScenarioBook__NoUnmovedPrice", (1, 3))),
            (changed(gridMovesWad=[], skewAt=[]), ("ScenarioBook__NoUnmovedPrice", (0, 3))),
            (changed(gridMovesWad=[-1, 1], skewAt=[]), ("ScenarioBook__NoUnmovedPrice", (2, 3))),
            (changed(gridMovesWad=[-100, 0], skewAt=[]), None),
            (changed(gridMovesWad=[0, 100], skewAt=[]), None),
            (changed(gridMovesWad=[0, 1], skewAt=[]), (falling, (b"moveWad".ljust(32, b"\0"), 0, 0))),
            (changed(skewAt=[(0, UP), (0, DOWN), (WAD, UP), (0, DOWN)]), ("ScenarioBook__DuplicateSkew", (3, 1))),
            (changed(PLAIN, gridVols=[], skewAt=[]), ("ScenarioBook__NoUnmovedPrice", (2, 0))),
            (changed(gridMovesWad=[-1, 0, 0, 1], skewAt=[]), (falling, (grid, 0, 0))),
            (changed(gridMovesWad=[-1, 0, 5, 4], skewAt=[]), (falling, (grid, 4, 5))),
            (changed(tailMovesWad=[2 * WAD, 2 * WAD]), (falling, (tail, 2 * WAD, 2 * WAD))),
            (changed(tailMovesWad=[3 * WAD, 2 * WAD]), (falling, (tail, 2 * WAD, 3 * WAD))),
            (changed(gridVols=[UP, UP, DOWN], skewAt=[]), (falling, (states, UP, UP))),
            (changed(gridVols=[FLAT, UP], skewAt=[]), (falling, (states, UP, FLAT))),
            (changed(tailVols=[FLAT, UP]), (falling, (tail_states, UP, FLAT))),
            (changed(gridVols=[UP, FLAT, 3], skewAt=[]), ("ScenarioBook__VolState", (3, 2))),
            (changed(tailVols=[3]), ("ScenarioBook__VolState", (3, 2))),
            (changed(skewAt=[(0, 3)]), ("ScenarioBook__VolState", (3, 2))),
            (changed(tailMovesWad=[WAD]), ("ScenarioBook__TailInsideGrid", (WAD, WAD))),
            (changed(tailMovesWad=[WAD + 10]), None),
            (
                changed(gridMovesWad=[-2 * WAD, 0], tailMovesWad=[2 * WAD], skewAt=[]),
                ("ScenarioBook__TailInsideGrid", (2 * WAD,) * 2),
            ),
            (
                changed(gridMovesWad=[0, 2 * WAD], tailMovesWad=[2 * WAD], skewAt=[]),
                ("ScenarioBook__TailInsideGrid", (2 * WAD,) * 2),
            ),
            (changed(gridVols=[UP, DOWN], skewAt=[]), ("ScenarioBook__TailWithoutGrid", (2, 5))),
            (changed(tailVols=[]), ("ScenarioBook__BadLength", (0, 1))),
            (changed(tailMovesWad=[]), ("ScenarioBook__BadLength", (3, 0))),
            (changed(gridMovesWad=many), ("ScenarioBook__NodeCount", (53, 48))),
            (changed(gridMovesWad=many[1:], skewAt=[]), None),
            (changed(skewWad=99 * 10**16), None),
            (
                changed(skewWad=99 * 10**16 + 1),
                ("ScenarioBook__ParameterOutOfRange", (skew, 99 * 10**16 + 1, 99 * 10**16)),
            ),
            (changed(PLAIN, gridMovesWad=[-far - 1, 0], skewAt=[]), ("ScenarioBook__MoveOutOfRange", (-far - 1, -far))),
            (changed(PLAIN, gridMovesWad=[0, far + 1], skewAt=[]), ("ScenarioBook__MoveOutOfRange", (far + 1, far))),
            (changed(tailMovesWad=[far + 1]), ("ScenarioBook__MoveOutOfRange", (far + 1, far))),
            (changed(skewAt=[(WAD + 1, UP)]), ("ScenarioBook__SkewOutsideGrid", (WAD + 1, UP))),
            (
                changed(gridVols=[UP, FLAT], tailVols=[UP], skewAt=[(0, DOWN)]),
                ("ScenarioBook__SkewOutsideGrid", (0, DOWN)),
            ),
            (changed(PLAIN, gridMovesWad=[-least, 0], skewAt=[]), None),
            (changed(PLAIN, gridMovesWad=[0, most], skewAt=[]), None),
        ]
        for rows in (
            changed(PLAIN, gridMovesWad=[-least - 10, 0], skewAt=[]),
            changed(PLAIN, gridMovesWad=[0, most + 10], skewAt=[]),
            changed(tailMovesWad=[most + 10]),
        ):
            moved = [*rows["gridMovesWad"], *rows["tailMovesWad"], *(m for m, _ in rows["skewAt"])]
            worst = next(trunc(m * span, WAD) for m in moved if not LOWEST <= trunc(m * span, WAD) <= HIGHEST)
            pairs.append((rows, ("ScenarioBook__MoveOutOfRange", (worst, LOWEST if worst < 0 else HIGHEST))))
        return [("listUnderlying", (b"Z" * 32, self.params, sent(rows)), want) for rows, want in pairs]

    def _account_cases(self) -> list[Any]:
        cases = []
        for name, limit in ACCOUNT_LIMITS.items():
            error = ("ScenarioBook__ParameterOutOfRange", (name.encode().ljust(32, b"\0"), limit + 1, limit))
            for value, want in ((limit, None), (limit + 1, error)):
                cases.append(("setAccountParams", (self.account | {name: value},), want))
        most = self.account["imFactorWad"]
        error = ("ScenarioBook__ParameterOutOfRange", (b"mmFactorWad".ljust(32, b"\0"), most + 1, most))
        cases.append(("setAccountParams", (self.account | {"mmFactorWad": most},), None))
        cases.append(("setAccountParams", (self.account | {"mmFactorWad": most + 1},), error))
        # They are kept in steps, and what lies between two of them is refused, not cut off.
        for name, off in product(WORD_FIELDS, (1, STEP_WAD // 2, STEP_WAD - 1)):
            value = self.account[name] // STEP_WAD * STEP_WAD
            value += off - STEP_WAD if value >= STEP_WAD else off
            error = ("ScenarioBook__ParameterStep", (name.encode().ljust(32, b"\0"), value, STEP_WAD))
            cases.append(("setAccountParams", (self.account | {name: value},), error))
        return cases

    def _collateral_cases(self) -> list[Any]:
        base = {"listed": False, "linkedUnderlying": 5, "haircutWad": 0, "linkedHaircutWad": 0, "ratioWad": WAD}
        cases: list[Any] = [("setCollateral", (3, base), None)]
        for name, limit in COLLATERAL_LIMITS.items():
            error = ("ScenarioBook__ParameterOutOfRange", (name.encode().ljust(32, b"\0"), limit + 1, limit))
            for value, want in ((limit, None), (limit + 1, error)):
                cases.append(("setCollateral", (3, base | {name: value}), want))
        unknown = ("ScenarioBook__UnknownUnderlying", (6, 5))
        return [*cases, ("setCollateral", (3, base | {"linkedUnderlying": 6}), unknown)]

    # --- state --------------------------------------------------------------------------------------------------------

    def _send(self, name: str, *values: Any) -> list[Any]:
        """Events of a transaction."""
        receipt = self.book.send(self.world.owner, name, *values, gas=CALL_GAS)
        return self.book.events(receipt)

    def _stored(self) -> list[str]:
        wrong: list[str] = []
        for i, rows in enumerate(map(sent, BOOKS)):
            params = {name: limit - i for name, limit in UNDERLYING_LIMITS.items()} | {"priceRangeWad": WAD // 5 + i}
            version = self.book.call("version")
            symbol = bytes([65 + i]) * 32
            (listed, first), (other, second) = self._send("listUnderlying", symbol, params, rows)
            if (listed, other) != ("UnderlyingListed", "BookSet") or first.symbol != symbol:
                wrong.append("events of listUnderlying")
            if vars(second.params) != params or plain_rows(second.rows) != rows:
                wrong.append("BookSet")
            if (first.underlyingId, second.underlyingId) != (6 + i, 6 + i) or second.version != version + 1:
                wrong.append("id or version")
            wrong += self._read(6 + i, params, rows)
            wrong += [] if self.book.call("symbolOf", 6 + i) == symbol else ["symbol"]
        params = self.params | {"volUpWad": 7}
        ((name, event),) = self._send("setBook", 2, params, sent(RARE_ROWS))
        if (name, event.underlyingId) != ("BookSet", 2):
            wrong.append("event of setBook")
        wrong += self._read(2, params, sent(RARE_ROWS)) + self._account_and_tokens() + self._grace()
        wrong += self._full()
        return wrong

    def _read(self, underlying: int, params: dict[str, int], rows: Rows) -> list[str]:
        book, wrong = self.book.call("bookOf", underlying), []
        if vars(book.params) != params:
            wrong.append("params")
        if plain_rows(book.rows) != rows:
            wrong.append("rows")
        wrong += self._plan(list(book.plan), params["priceRangeWad"], rows)
        return wrong

    def _plan(self, words: list[int], span: int, rows: Rows) -> list[str]:
        """Every word but the logarithms, which are compared with the exact ones and then taken as they are."""
        first, count = words[13], words[3]
        logs: dict[int, int] = {}
        for n in range(count):
            at = first + n * NODE_WORDS
            move = mp.mpf(words[at + 1]) / 2**64 - 1
            logs[words[at + 1]] = _signed(words[at], 256)
            if abs(logs[words[at + 1]] - mp.log(1 + move) * 2**36) > LN_STEPS:
                return [f"logarithm of {mp.nstr(move)}"]
        try:
            wanted = Plan(rows, span, lambda move: logs[((WAD + move) << 64) // WAD]).words
        except KeyError as move:
            return [f"no node moves the price to {move} over 2^64"]
        if len(wanted) != len(words):
            return [f"{len(words)} words of a plan, {len(wanted)} expected"]
        return [f"word {i} of the plan" for i, pair in enumerate(zip(words, wanted, strict=True)) if pair[0] != pair[1]]

    def _account_and_tokens(self) -> list[str]:
        wrong = []
        # An odd number of steps each, so that a field which reaches into its neighbour is seen.
        odd = {name: self.account[name] - STEP_WAD * (1 - self.account[name] // STEP_WAD % 2) for name in WORD_FIELDS}
        fresh = self.account | odd | {"dustWad": 5, "feeRateWad": 6, "bonusShareWad": 7, "fundPerHourWad": 8}
        version = self.book.call("version")
        ((_, event),) = self._send("setAccountParams", fresh)
        if vars(event.oldParams) != self.account or vars(event.newParams) != fresh or event.version != version + 1:
            wrong.append("AccountParamsSet")
        if vars(self.book.call("accountParams")) != fresh:
            wrong.append("account parameters")
        packed = sum(fresh[name] // STEP_WAD << 28 * i for i, name in enumerate(WORD_FIELDS))
        if self.book.call("accountWord") != packed | 1 << 252:
            wrong.append("account word")
        old = vars(self.book.call("collateralOf", 1))
        terms = {"listed": False, "linkedUnderlying": 6, "haircutWad": 1, "linkedHaircutWad": 2, "ratioWad": 3}
        ((_, event),) = self._send("setCollateral", 1, terms)
        stored = terms | {"listed": True}
        if vars(event.oldParams) != old or vars(event.newParams) != stored or event.version != version + 2:
            wrong.append("CollateralSet")
        if vars(self.book.call("collateralOf", 1)) != stored or event.tokenId != 1:
            wrong.append("collateral")
        return wrong

    def _grace(self) -> list[str]:
        """What held before a grace is answered until its end, and nothing of an older one."""
        names = (("priorBookPointerOf", 2), ("priorAccountWord",), ("priorCollateralOf", 1))
        now = (("bookPointerOf", 2), ("accountWord",), ("collateralOf", 1))

        def asked(questions: tuple[tuple[Any, ...], ...]) -> list[Any]:
            return [self.book.call(*question) for question in questions]

        wrong = []
        for round_ in (1, 2):
            before = asked(now)
            if asked(names) != before:
                wrong.append(f"prior parameters before grace {round_}")
            self._send("setGrace", GRACE_SEC)
            self._send("setBook", 2, self.params | {"volUpWad": 7 + round_}, sent(DEFAULT))
            self._send("setAccountParams", self.account | {"debtRateWad": STEP_WAD * round_})
            terms = {"listed": True, "linkedUnderlying": 6, "haircutWad": 1, "linkedHaircutWad": 2}
            self._send("setCollateral", 1, terms | {"ratioWad": 3 + round_})
            if asked(names) != before:
                wrong.append(f"prior parameters within grace {round_}")
            if any(new == old for new, old in zip(asked(now), before, strict=True)):
                wrong.append(f"parameters within grace {round_}")
            # What a token is worth is no matter of a grace.
            self._send("setRatio", 1, 20 + round_)
            before[2].ratioWad = before[2].ratioWad * (20 + round_) // (3 + round_)
            if asked(names) != before or asked(now)[2].ratioWad != 20 + round_:
                wrong.append(f"ratio within grace {round_}")
            self.world.client.rpc("evm_setNextBlockTimestamp", self.book.call("graceEndTs"))
            self.world.client.rpc("evm_mine")
            if asked(names) != asked(now):
                wrong.append(f"prior parameters after grace {round_}")
        return wrong

    def _full(self) -> list[str]:
        """All 255 ids used: found by writing the counter's slot."""
        client, address = self.world.client, self.book.address
        for slot in range(8):
            kept = client.rpc("eth_getStorageAt", address, hex(slot), "latest")
            client.rpc("anvil_setStorageAt", address, hex(slot), "0x" + (254).to_bytes(32, "big").hex())
            if self.book.call("underlyingCount") == 254:
                break
            client.rpc("anvil_setStorageAt", address, hex(slot), kept)
        else:
            return ["no slot holds the count"]
        self._send("listUnderlying", b"Y" * 32, self.params, sent(DEFAULT))
        call = self.book.encode("listUnderlying", b"Y" * 32, self.params, sent(DEFAULT))
        (answer,) = self.world.ask("ScenarioBook", [call], self.world.owner.address)
        want = ("ScenarioBook__TooManyUnderlyings", (256, 255))
        return [] if said(answer) == want else [f"256 underlyings: {said(answer)}"]


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


def said(answer: Any) -> tuple[str, tuple[Any, ...]] | None:
    """Error of an answer, ``None`` for success."""
    if isinstance(answer, bytes):
        return None
    return (answer.name, tuple(answer.values)) if isinstance(answer, RevertError) else (str(answer), ())
