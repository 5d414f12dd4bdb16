"""ScenarioBook: both shipped books, what is stored and read back, its events, and every limit from both sides."""

from __future__ import annotations

from typing import Any

import mpmath as mp

from offchain.chain.client import RevertError, wallet
from offchain.chain.contracts import Contract
from tests.chain.proof.world import CALL_GAS, World

mp.mp.dps = 50
WAD = 10**18
UP, FLAT, DOWN = range(3)
Row = tuple[int, int, int, int]
#: Highest value of every parameter, in the order of the structs.
UNDERLYING_LIMITS = {
    **{"priceRangeWad": WAD // 2, "volUpWad": 5 * WAD, "volDownWad": WAD, "volFloorWad": 5 * WAD, "basisMinWad": WAD},
    **{"basisRateWad": WAD, "perpBasisWad": WAD, "vegaTermRateWad": WAD, "shortMinRateWad": WAD},
    **{"concRateWad": 10 * WAD, "concVegaRateWad": 10 * WAD, "n0Wad": 10**33, "v0Wad": 10**33},
}
ACCOUNT_LIMITS = {
    **{"imFactorWad": 10 * WAD, "pegThresholdWad": WAD, "pegSlopeWad": 100 * WAD, "confThresholdWad": WAD},
    **{"confRateWad": 10 * WAD, "rhoHighWad": WAD, "rhoLowWad": WAD, "stressShareWad": WAD, "bufferWad": 10 * WAD},
    **{"feeRateWad": 3 * 10**17, "bonusShareWad": WAD, "fundPerHourWad": WAD, "dustWad": 10**24},
}
#: Fields of the account's word from the lowest up, in steps of 1e-6.
WORD_FIELDS = (
    *("imFactorWad", "mmFactorWad", "pegThresholdWad", "pegSlopeWad", "confThresholdWad", "confRateWad"),
    *("rhoHighWad", "rhoLowWad", "stressShareWad"),
)
STEP_WAD = 10**12
COLLATERAL_LIMITS = {"haircutWad": WAD, "linkedHaircutWad": WAD, "ratioWad": 10**24}
GRACE_SEC = 1_000
#: Q64 logarithm of a move: solady's ln is good to a wei, the shift to one more.
LN_STEPS = 60


def trunc(n: int, d: int) -> int:
    """Division toward zero."""
    return abs(n) // d * (1 if n >= 0 else -1)


def default_rows(span: int) -> list[Row]:
    """Risk-model section 3."""
    moves = [0, *(s * i for i in (1, 2, 3, 4) for s in (1, -1))]
    rows = [(trunc(span * m, 4), vol, 0, WAD) for m in moves for vol in (UP, FLAT, DOWN)]
    rows += [(0, FLAT, skew, WAD) for skew in (25 * 10**16, -25 * 10**16)]
    return rows + [(s * 3 * span, UP, 0, 35 * 10**16) for s in (1, -1)]


def span_rows(span: int) -> list[Row]:
    """The 16 rows of the SPAN order."""
    moves = [0, *(s * i for i in (1, 2, 3) for s in (1, -1))]
    rows = [(trunc(span * m, 3), vol, 0, WAD) for m in moves for vol in (UP, DOWN)]
    return rows + [(s * 2 * span, FLAT, 0, 35 * 10**16) for s in (1, -1)]


#: Bytes of one volatility in the engine's memory, and of a node of a plan.
VOLATILITY_BYTES, NODE_BYTES = 192, 160
NO_ROW = 255


def is_grid(row: Row) -> bool:
    """Whether a row bounds intervals: no skew, full weight."""
    return row[2:] == (0, WAD)


Segment = tuple[int, int, list[int]]


def _grids(rows: list[Row]) -> list[Segment]:
    """Segments of neighbours: place of the volatility, 1, rows from the lowest price up."""
    grids = []
    for vol in (UP, FLAT, DOWN):
        members = [j for j, row in enumerate(rows) if is_grid(row) and row[1] == vol]
        if members:
            grids.append((VOLATILITY_BYTES * vol, 1, sorted(members, key=lambda j: rows[j][0])))
    return grids


def _others(rows: dict[int, Row], skewed: list[tuple[int, int]]) -> list[Segment]:
    """Segments of all other rows; a run of one volatility is one. Skewed volatilities are noted as they come."""
    segments: list[Segment] = []
    for j, (_, vol, skew, _) in rows.items():
        key, place = (VOLATILITY_BYTES * vol, skew), VOLATILITY_BYTES * vol
        if skew:
            skewed += [] if key in skewed else [key]
            place = VOLATILITY_BYTES * (3 + skewed.index(key))
        if segments and segments[-1][0] == place:
            segments[-1][2].append(j)
        else:
            segments.append((place, 0, [j]))
    return segments


def plan_of(rows: list[Row], logs: list[int]) -> list[int]:
    """Words of a book's plan (ScenarioPlan), from its rows and their logarithms in Q64."""
    still: Row = (0, FLAT, 0, 0)
    has_still = any(row[:3] == still[:3] for row in rows)
    everything = dict(enumerate(rows)) if has_still else {**dict(enumerate(rows)), NO_ROW: still}
    skewed: list[tuple[int, int]] = []
    segments = _grids(rows) + _others({j: r for j, r in everything.items() if not is_grid(r)}, skewed)
    order = [j for _, _, nodes in segments for j in nodes]
    ln = {**dict(enumerate(logs)), NO_ROW: 0}
    base = next(n for n, j in enumerate(order) if everything[j][:3] == still[:3])
    words = [len(skewed), len(segments), base, len(rows)]
    words += [word for pair in skewed for word in pair]
    for place, bounds, nodes in segments:
        reach = [ln[j] for j in nodes]
        words += [place, NODE_BYTES * len(nodes), bounds, min(reach), max(reach)]
    for j in order:
        move, _, _, weight = everything[j]
        words += [ln[j], ((WAD + move) << 64) // WAD, 0, 0, (move << 40) + (-(-weight // 10**9) << 8) + j]
    return [word % 2**256 for word in words]


ODD_ROWS: list[Row] = [
    (3 * 10**17, UP, 0, WAD),
    (-99 * 10**16, DOWN, -99 * 10**16, 1),
    (-(10**17), UP, 0, WAD),
    (9 * WAD, FLAT, 99 * 10**16, 10**9 + 1),
    (0, UP, 0, WAD),
    (0, UP, 1, WAD),
    (-2 * 10**17, UP, 0, WAD),
    (0, FLAT, 0, WAD),
    (10**16, DOWN, 0, WAD - 1),
    (5 * 10**16, UP, 0, 0),
]


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
        wrong = self._shipped() or self._limits()
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

    def _shipped(self) -> list[str]:
        for name, rows_of in (("defaultRows", default_rows), ("spanRows", span_rows)):
            for span in (18 * 10**16, 25 * 10**16, 10**17 + 7, 1):
                try:
                    got = [tuple(vars(row).values()) for row in self.book.call(name, span)]
                except Exception as reason:
                    return [f"{name}: {reason}"]
                if got != rows_of(span):
                    return [f"{name}({span})"]
        return []

    # --- limits -------------------------------------------------------------------------------------------------------

    def _limits(self) -> list[str]:
        cases = [*self._parameter_cases(), *self._row_cases(), *self._account_cases(), *self._collateral_cases()]
        cases += [("bookPointerOf", (99,), ("ScenarioBook__UnknownUnderlying", (99, 5)))]
        cases += [("collateralOf", (99,), ("ScenarioBook__UnknownToken", (99,)))]
        cases += [
            ("setBook", (u, self.params, default_rows(10**17)), ("ScenarioBook__UnknownUnderlying", (u, 5)))
            for u in (0, 6)
        ]
        cases += [("setBook", (5, self.params, default_rows(10**17)), None)]
        calls = [self.book.encode(name, *values) for name, values, _ in cases]
        answers = self.world.ask("ScenarioBook", calls, self.world.owner.address)
        wrong = [
            f"{name} {str(values)[:200]}: {said(a)}, expected {want}"
            for (name, values, want), a in zip(cases, answers, strict=True)
            if said(a) != want
        ]
        return wrong or self._strangers()

    def _strangers(self) -> list[str]:
        row = default_rows(10**17)
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
        row, cases = default_rows(10**17), []
        for name, limit in UNDERLYING_LIMITS.items():
            error = ("ScenarioBook__ParameterOutOfRange", (name.encode().ljust(32, b"\0"), limit + 1, limit))
            for value, want in ((limit, None), (limit + 1, error)):
                cases.append(("listUnderlying", (b"Z" * 32, self.params | {name: value}, row), want))
        for name in ("n0Wad", "v0Wad"):
            error = ("ScenarioBook__ParameterOutOfRange", (name.encode().ljust(32, b"\0"), 0, 1))
            cases.append(("listUnderlying", (b"Z" * 32, self.params | {name: 0}, row), error))
            cases.append(("listUnderlying", (b"Z" * 32, self.params | {name: 1}, row), None))
        return cases

    def _row_cases(self) -> list[Any]:
        far = [(i * 10**15, UP, 0, WAD) for i in range(33)]
        out = "ScenarioBook__ParameterOutOfRange"
        pairs: list[tuple[list[Row], Any]] = [
            ([], ("ScenarioBook__RowCount", (0, 32))),
            (far, ("ScenarioBook__RowCount", (33, 32))),
            (far[:32], None),
            (far[:1], None),
            ([(-99 * 10**16, 0, 0, WAD)], None),
            ([(-99 * 10**16 - 1, 0, 0, WAD)], ("ScenarioBook__MoveOutOfRange", (-99 * 10**16 - 1, -99 * 10**16))),
            ([(9 * WAD, 0, 0, WAD)], None),
            ([(9 * WAD + 1, 0, 0, WAD)], ("ScenarioBook__MoveOutOfRange", (9 * WAD + 1, 9 * WAD))),
            ([(0, 2, 0, WAD)], None),
            ([(0, 3, 0, WAD)], ("ScenarioBook__VolState", (3, 2))),
            ([(0, 0, 0, WAD + 1)], (out, (b"weightWad".ljust(32, b"\0"), WAD + 1, WAD))),
            ([(7, 1, 0, WAD), (8, 1, 0, WAD), (7, 1, 0, WAD)], ("ScenarioBook__DuplicateRow", (0, 2))),
            ([(7, 1, 0, WAD), (7, 2, 0, WAD), (7, 1, 1, WAD), (7, 1, 0, WAD - 1)], None),
        ]
        for sign in (1, -1):
            limit = 99 * 10**16
            pairs.append(([(0, 0, sign * limit, WAD)], None))
            pairs.append(([(0, 0, sign * (limit + 1), WAD)], (out, (b"skewWad".ljust(32, b"\0"), limit + 1, limit))))
        return [("listUnderlying", (b"Z" * 32, self.params, rows), want) for rows, want in pairs]

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
        books = (default_rows(18 * 10**16), span_rows(3 * 10**17), ODD_ROWS, [(0, FLAT, 0, WAD)])
        for i, rows in enumerate(books):
            params = {name: limit - i for name, limit in UNDERLYING_LIMITS.items()}
            version = self.book.call("version")
            symbol = bytes([65 + i]) * 32
            (listed, first), (changed, second) = self._send("listUnderlying", symbol, params, rows)
            if (listed, changed) != ("UnderlyingListed", "BookSet") or first.symbol != symbol:
                wrong.append("events of listUnderlying")
            if vars(second.params) != params or [tuple(vars(r).values()) for r in second.rows] != rows:
                wrong.append("BookSet")
            if (first.underlyingId, second.underlyingId) != (6 + i, 6 + i) or second.version != version + 1:
                wrong.append("id or version")
            wrong += self._read(6 + i, params, rows)
            wrong += [] if self.book.call("symbolOf", 6 + i) == symbol else ["symbol"]
        changed_params = self.params | {"volUpWad": 7}
        ((name, event),) = self._send("setBook", 2, changed_params, ODD_ROWS)
        if (name, event.underlyingId) != ("BookSet", 2):
            wrong.append("event of setBook")
        wrong += self._read(2, changed_params, ODD_ROWS) + self._account_and_tokens() + self._grace()
        wrong += self._full()
        return wrong

    def _read(self, underlying: int, params: dict[str, int], rows: list[Row]) -> list[str]:
        book, wrong = self.book.call("bookOf", underlying), []
        if vars(book.params) != params:
            wrong.append("params")
        if len(book.rows) != len(rows):
            return [*wrong, "counts"]
        for word, (move, vol, skew, weight) in zip(book.rows, rows, strict=True):
            ln = _signed(word >> 184, 72)
            exact = mp.log(1 + mp.mpf(move) / WAD) * 2**64
            if abs(ln - exact) > LN_STEPS:
                wrong.append(f"logarithm of {move}")
            want = (move % 2**64) << 120 | vol << 112 | (skew % 2**64) << 48 | -(-weight // 10**9) << 16
            if word & 2**184 - 1 != want:
                wrong.append(f"row {(move, vol, skew, weight)}")
        if wrong:
            return wrong
        logs = [_signed(word >> 184, 72) for word in book.rows]
        if list(book.plan) != plan_of(rows, logs):
            wrong.append("plan")
        pointer = self.book.call("bookPointerOf", underlying)
        client, table = self.world.client, self.world.deployment.contracts["NormalTable"]
        code, cubics = (client.rpc("eth_getCode", address, "latest")[2:] for address in (pointer, table))
        return wrong if cubics in code else [*wrong, "the normal table is not in the book"]

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
            self._send("setBook", 2, self.params | {"volUpWad": 7 + round_}, default_rows(10**17))
            self._send("setAccountParams", self.account | {"rhoLowWad": STEP_WAD * round_})
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
        self._send("listUnderlying", b"Y" * 32, self.params, default_rows(10**17))
        call = self.book.encode("listUnderlying", b"Y" * 32, self.params, default_rows(10**17))
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
