"""RiskEngine against the risk model in 50-digit arithmetic, on positions that reach every branch.

Where no table takes part (perpetuals, the short minimum, gross notional) the answer is exact to the wei and its
rounding direction is checked; elsewhere the bounds are those that docs/reference/mathematics.md states, not the
wider ones of the accuracy contract.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import mpmath as mp

from plimsoll.chain.abi import decode_values
from plimsoll.chain.book import plain_rows
from tests.chain.differential.exact import Book, cross_of, wad
from tests.chain.proof.integers import CALL, FUTURE, PERP, PUT
from tests.chain.proof.world import BROKEN, CALM, EXPIRING, EXTREME, NOW, SMALL, World, market

WAD = 10**18
#: Relative to gross notional: rows and marks; what the pad may add; charges, whose deltas come from the table.
ROW_BOUND, PAD_BOUND, CHARGE_BOUND = mp.mpf("1e-8"), mp.mpf("4e-7"), mp.mpf("5e-9")
#: A weight is kept in steps of 1e-9, rounded up.
WEIGHT_BOUND = mp.mpf("1e-9")
#: A discount is good to 2e-16; nothing pads linear instruments for that.
DISCOUNT_BOUND = mp.mpf("3e-16")
#: Per unit of the forward.
GREEK_BOUND = mp.mpf("3e-9")
#: Wei by which two rounded steps may exceed the exact value.
WEI = 3
#: The pad (docs/reference/mathematics.md): of |q|*D*(2F + K) over strikes, and wei for every strike.
PAD_RATE, PAD_WEI = mp.mpf("8e-9"), 128
#: By how much the pad may differ from that: cash at stake is cut off at whole wei, and a discount good to 2e-16.
PAD_OFF = mp.mpf("1e-12")
WINDOW_SEC = 1_800
#: Rounding of the 50-digit arithmetic itself.
TINY = mp.mpf("1e-25")
#: A move is cut off at whole wei of a wad, and 1 + move at 2^-64.
MOVE_BOUND = mp.mpf("1.2e-18")
#: Shares of the plain sum at which CROSS is asked.
SHARES = (0, 6 * 10**17, WAD)
YEAR_SEC = 365 * 86_400
Leg = tuple[int, int, int, int]


@dataclass
class Expected:
    """One portfolio and all that is known about the right answer."""

    underlying: int
    words: list[int]
    linked: int
    exact: dict[str, Any]
    standard: Any
    book: Book
    header: Any
    legs: list[Leg]
    pure: bool

    @property
    def gross(self) -> Any:
        """Gross notional with the linked collateral."""
        return self.exact["gross"] + abs(wad(self.linked)) * wad(self.header.spotWad)


def pack(underlying: int, leg: Leg) -> int:
    """Position word of a leg (kind, expiry, priceE8, quantityWad)."""
    kind, expiry, price, quantity = leg
    return underlying << 248 | kind << 240 | expiry << 200 | (price % 2**72) << 128 | quantity % 2**128


class Battery:
    """The cases of one world, computed once."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.engine = world.contracts["RiskEngine"]
        self.cases: list[Expected] = []
        for symbol, underlying in sorted(world.deployment.underlyings.items()):
            self._add(symbol, underlying)
        self.cases.sort(key=lambda case: len(case.words))
        self.pairs = list(self._pairs())

    def _add(self, symbol: str, underlying: int) -> None:
        oracle, scenario = self.world.contracts["Oracle"], self.world.contracts["ScenarioBook"]
        expiries = [s.expiry_ts for s in market().rounds[symbol].surfaces]
        header, surfaces = oracle.call("roundFor", underlying, expiries)
        head = (header.ts, header.spotWad, header.perpWad, header.confWad, header.meanWad)
        stored = scenario.call("bookOf", underlying)
        slices = [tuple(vars(s).values()) for s in surfaces]
        book = Book(head, slices, vars(stored.params), plain_rows(stored.rows), symbol)
        spot = header.spotWad // 10**10
        for legs, linked in _portfolios(symbol, expiries, spot, [s.forwardWad // 10**10 for s in surfaces]):
            words = [pack(underlying, leg) for leg in legs]
            pure = all(leg[0] == PERP for leg in legs)
            alone = book.standard(legs, linked)
            exact = book.evaluate(legs, linked)
            self.cases.append(Expected(underlying, words, linked, exact, alone, book, header, legs, pure))

    def _pairs(self) -> Any:
        """Two portfolios of different underlyings with the same rows, and what CROSS asks of them at each share."""
        draw = random.Random(8)
        rows = {symbol: n for symbol, n in self.world.deployment.underlyings.items() if symbol != BROKEN}
        for first, second in ((CALM, EXTREME), (EXPIRING, SMALL), (SMALL, CALM), (EXTREME, EXPIRING)):
            for _ in range(3):
                pair = [draw.choice([c for c in self.cases if c.underlying == rows[s]]) for s in (first, second)]
                sides = [c.book for c in pair], [c.legs for c in pair], [c.linked for c in pair]
                yield pair, {share: cross_of(*sides, share) for share in SHARES}

    def failures(self) -> list[str]:
        """Everything that is not as it should be; stops at the first bad portfolio."""
        for group in (self.cases[3:4], self.cases[:24], self.cases[24:]):
            calls = []
            for case in group:
                calls.append(self.engine.encode("detailOf", case.underlying, case.words, case.linked, 0, []))
                calls.append(self.engine.encode("riskOf", case.underlying, case.words, case.linked))
                calls.append(self.engine.encode("standardOf", case.underlying, case.words, case.linked, []))
            answers = self.world.ask("RiskEngine", calls)
            for i, case in enumerate(group):
                wrong = self._judge(case, *answers[3 * i : 3 * i + 3])
                if wrong:
                    return [f"underlying {case.underlying}, {len(case.words)} positions: {w}" for w in wrong]
        return self._known() or self._crossed() or self._refusals()

    def _known(self) -> list[str]:
        """What has expired, to the wei; nothing is asked for it."""
        underlying, surfaces = self.world.deployment.underlyings[SMALL], market().rounds[SMALL].surfaces
        mean = next(c.header.meanWad for c in self.cases if c.underlying == underlying)
        found = list(_expired(surfaces[0].expiry_ts, mean, 10**5 * WAD))
        calls = []
        for legs, _, _ in found:
            words = [pack(underlying, leg) for leg in legs]
            calls.append(self.engine.encode("riskOf", underlying, words, 0))
            calls.append(self.engine.encode("standardOf", underlying, words, 0, []))
        answers = self.world.ask("RiskEngine", calls)
        for i, (legs, value, counted) in enumerate(found):
            try:
                risk, alone = (
                    self._decoded(n, a)
                    for n, a in zip(("riskOf", "standardOf"), answers[2 * i : 2 * i + 2], strict=True)
                )
            except Exception as reason:
                return [f"expired {legs} cannot be decoded: {reason}"]
            got = risk.markWad, risk.requirementWad, alone.markWad, alone.equityValueWad, alone.requirementWad
            if got != (value, 0, value, counted, 0):
                return [f"expired {legs}: {got}, exact {(value, 0, value, counted, 0)}"]
        return []

    def _decoded(self, name: str, answer: Any) -> Any:
        if not isinstance(answer, bytes):
            raise ValueError(str(answer))
        return decode_values(self.engine.artifact.functions[name].outputs, answer)

    def _judge(self, case: Expected, detailed: Any, cheap: Any, standard: Any) -> list[str]:
        try:
            risk, detail = self._decoded("detailOf", detailed)
            plain = self._decoded("riskOf", cheap)
            by_position = self._decoded("standardOf", standard)
        except Exception as reason:
            return [f"cannot be decoded: {reason}"]
        wrong = [] if risk == plain else ["riskOf and detailOf differ"]
        wrong += self._components(case, risk) + self._details(case, risk, detail)
        return wrong + self._standard(case, by_position)

    def _components(self, case: Expected, risk: Any) -> list[str]:
        want, gross = case.exact, case.gross
        wrong: list[str] = []

        def near(name: str, got: int, exact: Any, below: Any, above: Any) -> None:
            if not -below - TINY <= wad(got) - exact <= above + TINY:
                wrong.append(f"{name} {got}, exact {mp.nstr(exact * WAD, 25)}")

        wei = mp.mpf(WEI + len(case.words)) / WAD + MOVE_BOUND * gross
        table = (0 if case.pure else ROW_BOUND * gross) + wei
        weights = WEIGHT_BOUND * want["certifiedScan"]
        pads = table + weights + 2 * wad(risk.padWad)
        near("scan", risk.scanWad, want["scan"], table, table + weights)
        # A position of one wei may be worth less than one.
        near("certified", risk.certifiedScanWad, want["certifiedScan"], DISCOUNT_BOUND * gross + 1 / mp.mpf(WAD), pads)
        pad = _pad(case)
        near("pad", risk.padWad, pad, PAD_OFF * pad, PAD_OFF * pad + mp.mpf(WEI) / WAD)
        charge = wei + (0 if case.pure else CHARGE_BOUND * gross)
        near("basis", risk.basisWad, want["basis"], charge, charge)
        near("skewTerm", risk.skewTermWad, want["skewTerm"], charge, charge + pads)
        near("vegaTerm", risk.vegaTermWad, want["vegaTerm"], charge + pads, charge + pads)
        # A wei in the size comes back multiplied by the slope of the concentration charge.
        size = 50 * charge + 50 * CHARGE_BOUND * want["concentration"]
        near("concentration", risk.concentrationWad, want["concentration"], size, size + 50 * pads)
        near("shortMin", risk.shortMinWad, want["shortMin"], 0, wei)
        near("mark", risk.markWad, want["mark"], table, 0 if case.pure else table)
        near("gross", risk.grossNotionalWad, want["gross"], 0, mp.mpf("0.999999") / WAD)
        near("requirement", risk.requirementWad, want["requirement"], want["requirement"] * 1e-8, size + 50 * pads)
        covered = risk.certifiedScanWad + risk.basisWad + risk.vegaTermWad + risk.skewTermWad
        total = max(covered, risk.shortMinWad) + risk.concentrationWad
        if risk.requirementWad < total or (risk.cutoffTs == 0 and risk.requirementWad != total):
            wrong.append(f"requirement {risk.requirementWad}, of its parts {total}")
        if risk.cutoffTs not in (0, *(leg[1] for leg in case.legs if leg[1] - NOW < 86_400)):
            wrong.append(f"cut-off {risk.cutoffTs}")
        if not case.words and not case.linked and risk.requirementWad:
            wrong.append(f"an empty portfolio requires {risk.requirementWad}")
        if (risk.confWad, risk.spotWad) != (case.header.confWad, case.header.spotWad):
            wrong.append("header")
        return wrong if risk.underlyingId == case.underlying else [*wrong, "underlying"]

    def _details(self, case: Expected, risk: Any, detail: Any) -> list[str]:
        want, gross = case.exact, case.gross
        # Cash of every position is cut off at whole wei before the move multiplies it.
        slack = (MOVE_BOUND if case.pure else ROW_BOUND) * gross * WAD + len(case.words) + WEI
        wrong = []
        for j, (got, row) in enumerate(zip(detail.rowPnlWad, want["rows"], strict=True)):
            exact = row["pnl"] * WAD
            weight = (
                WEIGHT_BOUND * abs(exact) / max(row["weight"], mp.mpf("0.01")) if row["weight"] not in (0, 1) else 0
            )
            if not -slack - weight <= exact - got <= 1 + slack + weight:
                wrong.append(f"row {j}: {got}, exact {mp.nstr(exact, 25)}")
        scanned = [n for n, row in enumerate(want["rows"]) if row["weight"]]
        lowest = min(detail.rowPnlWad[n] for n in scanned)
        if detail.rowPnlWad[risk.worstRow] > lowest + 1 or abs(risk.scanWad - max(0, -lowest)) > 1:
            wrong.append(f"worst row {risk.worstRow}")
        spot = wad(case.header.spotWad)
        units = gross / spot + 1
        for name, scale in (("delta", mp.mpf(1)), ("gamma", spot), ("vega", 1 / spot), ("theta", 1 / spot)):
            off = abs(wad(getattr(detail, f"{name}Wad")) - want["greeks"][name]) * scale
            bound = GREEK_BOUND * units * (10 if name == "theta" else 1) + mp.mpf(WEI) / WAD * scale
            if off > bound:
                wrong.append(f"{name} off by {mp.nstr(off / units, 5)} per unit")
            # Each part is rounded by itself, and so is their sum.
            parts = sum(getattr(part, f"{name}Wad") for part in detail.expiries)
            if abs(getattr(detail, f"{name}Wad") - parts) > 2 * len(detail.expiries):
                wrong.append(f"{name} {getattr(detail, f'{name}Wad')}, by expiry {parts}")
        return wrong

    def _standard(self, case: Expected, got: Any) -> list[str]:
        """Section 7: every position alone."""
        want, gross, legs = case.standard, case.gross, len(case.legs) + 1
        slack = ROW_BOUND * case.exact["gross"] + mp.mpf(2 * legs) / WAD
        counted = sum(
            min(leg_value, mp.mpf(0)) if leg[0] in (CALL, PUT) else leg_value
            for leg, leg_value in ((leg, case.book.evaluate([leg])["mark"]) for leg in case.legs[:6])
        )
        above = 2 * PAD_BOUND * gross + 50 * slack + WEIGHT_BOUND * want
        wrong = []
        for name, value, exact, below, over in (
            ("requirement", got.requirementWad, want, want * mp.mpf("1e-8") + DISCOUNT_BOUND * gross, above),
            ("mark", got.markWad, case.exact["mark"], slack, slack),
            ("gross", got.grossNotionalWad, case.exact["gross"], 0, mp.mpf("0.999999") / WAD),
        ):
            if not -below - TINY <= wad(value) - exact <= over + TINY:
                wrong.append(f"standard {name} {value}, exact {mp.nstr(exact * WAD, 25)}")
        if len(case.legs) <= 6 and abs(wad(got.equityValueWad) - counted) > slack:
            wrong.append(f"standard equity {got.equityValueWad}, exact {mp.nstr(counted * WAD, 25)}")
        if (got.confWad, got.spotWad) != (case.header.confWad, case.header.spotWad):
            wrong.append("standard header")
        return wrong

    def _crossed(self) -> list[str]:
        """Section 5: two underlyings of one layout, at every share of the plain sum."""
        calls, wanted = [], []
        for pair, exact in self.pairs:
            sides = [c.underlying for c in pair], [c.words for c in pair], [c.linked for c in pair]
            for share, want in exact.items():
                calls.append(self.engine.encode("crossOf", *sides, [], share))
                wanted.append((pair, share, want))
        for (pair, share, want), answer in zip(wanted, self.world.ask("RiskEngine", calls), strict=True):
            try:
                risks, requirement = self._decoded("crossOf", answer)
            except Exception as reason:
                return [f"crossOf cannot be decoded: {reason}"]
            gross = sum(c.gross for c in pair)
            off = wad(requirement) - want
            if not -want * mp.mpf("1e-8") <= off <= 4 * PAD_BOUND * gross + 2 * WEIGHT_BOUND * want:
                return [f"cross at {share}: {requirement}, exact {mp.nstr(want * WAD, 25)}"]
            for risk, case in zip(risks, pair, strict=True):
                wrong = self._components(case, risk)
                if wrong:
                    return [f"cross at {share}: {w}" for w in wrong]
        return []

    def _refusals(self) -> list[str]:
        """What must not be answered."""
        first = self.cases[-1]
        foreign = first.words[0] ^ (1 << 248)
        gone = pack(first.underlying, (CALL, NOW + 12_345, 10**8, WAD))
        calls = [
            self.engine.encode("riskOf", first.underlying, [foreign], 0),
            self.engine.encode("standardOf", first.underlying, [foreign], 0, []),
            self.engine.encode("riskOf", first.underlying, [gone], 0),
            self.engine.encode("riskOf", 99, [], 0),
            self.engine.encode("crossOf", [1, 2], [[]], [0, 0], [], 0),
            self.engine.encode("crossOf", [1, 2], [[], []], [0], [], 0),
            self.engine.encode("crossOf", [1, 2], [[], []], [0, 0], [1, 7, 0], 0),
            self.engine.encode("standardOf", first.underlying, [], 0, [7]),
            self.engine.encode("detailOf", first.underlying, [], 0, 0, [7]),
        ]
        wanted = ["RiskEngine__WrongUnderlying", "RiskEngine__WrongUnderlying", "Oracle__ExpiryNotInRound"]
        wanted += ["ScenarioBook__UnknownUnderlying", *["RiskEngine__BadLength"] * 5]
        got = [getattr(answer, "name", "no error") for answer in self.world.ask("RiskEngine", calls)]
        return [f"refusals {got}"] if got != wanted else []


def _pad(case: Expected) -> Any:
    """What covers the table, exactly: of each strike what is open, on forward and strike as they are left."""
    book, strikes, stake, count = case.book, {}, mp.mpf(0), 0
    for kind, expiry, price, quantity in case.legs:
        if kind in (CALL, PUT):
            strikes[expiry, price] = strikes.get((expiry, price), 0) + quantity
    for (expiry, price), quantity in strikes.items():
        (surface,) = (s for s in book.document["expiries"] if s["expiry"] == expiry)
        left_sec = expiry - book.ts
        open_share = mp.mpf(min(left_sec, WINDOW_SEC)) / WINDOW_SEC
        known = (1 - open_share) * book.document.get("settlementMean", 0)
        strike = mp.mpf(price) / 10**8 - known
        if quantity and left_sec and strike > 0:
            discount = mp.exp(-surface["rate"] * left_sec / YEAR_SEC)
            stake += abs(wad(quantity)) * discount * (2 * surface["forward"] * open_share + strike)
            count += 1
    # Less than a wei at stake is nothing.
    return PAD_RATE * stake + mp.mpf(PAD_WEI * count) / WAD if stake * WAD >= 1 else 0


def _expired(expiry: int, mean: int, unit: int) -> Any:
    """Options of which nothing is open, at, next to and far from the mean, a wei of them and many; what they are worth.

    Each kind of a strike is worth its own, rounded down; in STANDARD longs are worth nothing.
    """
    for price in (mean // 10**10, mean // 10**10 + 1, mean // 2 // 10**10, 3 * mean // 10**10):
        payoff = mean - price * 10**10
        for calls, puts in ((1, 0), (-1, 0), (0, 1), (0, -1), (unit + 1, -3), (-unit - 1, 3), (-7, -unit), (5, unit)):
            values = (calls * max(0, payoff) // WAD, puts * max(0, -payoff) // WAD)
            counted = sum(v for v, q in zip(values, (calls, puts), strict=True) if q < 0)
            legs = [(k, expiry, price, q) for k, q in ((CALL, calls), (PUT, puts)) if q]
            yield legs, sum(values), counted


def _portfolios(symbol: str, expiries: list[int], spot: int, forwards: list[int]) -> list[tuple[list[Leg], int]]:
    """Portfolios of one underlying; prices in steps of 1e-8."""
    draw = random.Random(symbol)
    unit = max(1, 1_900 * 10**8 // spot) * WAD
    found: list[tuple[list[Leg], int]] = [
        ([(PERP, 0, spot * 9 // 10 + 1, 3 * unit + 1)], 0),
        ([(PERP, 0, spot + 7, -7 * unit - 3)], 5 * WAD + 1),
        ([], 11 * WAD + 3),
        ([], 0),
        ([(PUT, expiries[-1], forwards[-1], -1)], 0),
        # Far from its strike it is small by its delta, and large by what it loses at the end of the range.
        ([(CALL, expiries[0], forwards[0] * 5 // 4, -62_000 * 10**8 * WAD // spot)], 0),
    ]
    wings, each = ((1_730, -100), (1_775, 200), (1_820, -100)), list(zip(expiries, forwards, strict=True))
    for i, expiry in enumerate(expiries):
        forward = forwards[i]
        other = expiries[(i + 1) % len(expiries)]
        found += [
            ([(CALL, expiry, forward, 2 * unit)], 0),
            ([(PUT, expiry, forward, -2 * unit), (CALL, expiry, forward * 3 // 4, unit)], 0),
            ([(FUTURE, expiry, forward * 11 // 10, -3 * unit), (PERP, 0, spot, unit)], 0),
            # A hedge of options alone, which may be about to expire.
            ([(CALL, expiry, forward, 3 * unit), (PERP, 0, spot, -3 * unit)], 0),
            ([(CALL, expiry, max(1, forward // 20), unit), (PUT, expiry, forward * 20, unit)], 0),
            ([(PERP, 0, spot, unit // 9), (CALL, expiry, max(1, forward // 20), -unit)], 0),
            ([(CALL, expiry, forward, unit), (PUT, expiry, forward, -unit), (FUTURE, expiry, forward, -unit)], WAD),
            ([(CALL, expiry, forward * k // 2_000, q * unit) for k, q in wings], 0),
            ([(PUT, expiry, forward * 102 // 100, 50 * unit), (PUT, other, forward * 101 // 100, -40 * unit),
              (FUTURE, other, spot, 5 * unit)], 0),
        ]  # fmt: skip
        # Many gaps, most of them next to nothing: where both ends of an interval have almost the same delta.
        ladder = range(20)
        found.append(([(CALL, expiry, forward * (60 + 5 * k) // 100, unit + k) for k in ladder], 0))
        found.append(([(PUT, expiry, forward * (993 + 2 * k) // 1_000, unit * (1 - 2 * (k % 2))) for k in ladder], 0))
    # Every expiry at once: from six on what a cut-off reaches is exchanged in the sums.
    spread = [(CALL if i % 2 else PUT, e, f * (97 + 2 * i) // 100, (3 - i % 3) * unit) for i, (e, f) in enumerate(each)]
    found.append(([*spread, (PERP, 0, spot, -2 * unit)], 0))
    shorts = [(kind, e, price, -q) for kind, e, price, q in spread[::2]]
    found.append(
        (
            [
                *shorts,
                *spread[1::2],
                *((FUTURE, e, f + 1, unit * (1 if i % 2 else -2)) for i, (e, f) in enumerate(each)),
            ],
            0,
        )
    )
    for _ in range(3):
        legs = {}
        for _ in range(draw.choice((5, 9))):
            kind = draw.choice((CALL, CALL, PUT, PUT, FUTURE, PERP))
            expiry = 0 if kind == PERP else draw.choice(expiries)
            price = max(1, int(spot * draw.uniform(0.7, 1.4)))
            legs[kind, expiry, price if kind < FUTURE else 0] = (price, int(draw.gauss(0, 30) * unit) or 1)
        found.append(([(k, e, p, q) for (k, e, _), (p, q) in legs.items()], draw.choice((0, 9 * WAD))))
    return found
