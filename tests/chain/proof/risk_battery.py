"""RiskEngine against the risk model in 50-digit arithmetic, on positions that reach every branch.

Where no table takes part (perpetuals, the short minimum, gross notional) the answer is exact to the wei and its
rounding direction is checked; elsewhere the bounds are those that docs/mathematics.md states, not the wider ones of
the accuracy contract.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import mpmath as mp

from offchain.chain.contracts import decode_values
from tests.chain.differential.exact import CALL, FUTURE, PERP, PUT, Book, wad
from tests.chain.proof.world import BROKEN, CALM, EXPIRING, EXTREME, NOW, RARE_ROWS, SMALL, World

WAD = 10**18
#: Relative to gross notional: rows and marks; what the pad may add to the certified scan; charges, whose deltas come
#: from the table.
ROW_BOUND, PAD_BOUND, CHARGE_BOUND = mp.mpf("2e-9"), mp.mpf("1e-7"), mp.mpf("1e-9")
#: Per unit of the forward.
GREEK_BOUND = mp.mpf("4e-10")
#: Wei by which two rounded steps may exceed the exact value.
WEI = 3
#: Rounding of the 50-digit arithmetic itself.
TINY = mp.mpf("1e-25")
#: 1 + move is cut off at 2^-64.
MOVE_BOUND = mp.mpf(2) ** -63
Leg = tuple[int, int, int, int]


@dataclass
class Expected:
    """One portfolio and all that is known about the right answer."""

    underlying: int
    words: list[int]
    linked: int
    exact: dict[str, Any]
    book: Book
    header: tuple[int, int, int, int]
    legs: list[Leg]
    pure: bool


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

    def _add(self, symbol: str, underlying: int) -> None:
        oracle, scenario = self.world.contracts["Oracle"], self.world.contracts["ScenarioBook"]
        expiries = _expiries(symbol)
        header, surfaces = oracle.call("roundFor", underlying, expiries)
        head = (header.ts, header.spotWad, header.perpWad, header.confWad)
        params = vars(scenario.call("bookOf", underlying).params)
        rows = [tuple(vars(r).values()) for r in scenario.call("defaultRows", params["priceRangeWad"])]
        rows = RARE_ROWS if symbol == BROKEN else rows
        book = Book(head, [tuple(vars(s).values()) for s in surfaces], params, rows)
        spot = header.spotWad // 10**10
        for legs, linked in _portfolios(symbol, expiries, spot, [s.forwardWad // 10**10 for s in surfaces]):
            words = [pack(underlying, leg) for leg in legs]
            pure = all(leg[0] == PERP for leg in legs)
            self.cases.append(Expected(underlying, words, linked, book.evaluate(legs, linked), book, head, legs, pure))

    def failures(self) -> list[str]:
        """Everything that is not as it should be; stops at the first bad portfolio."""
        for group in (self.cases[3:4], self.cases[:24], self.cases[24:]):
            calls = []
            for case in group:
                calls.append(self.engine.encode("detailOf", case.underlying, case.words, case.linked))
                calls.append(self.engine.encode("riskOf", case.underlying, case.words, case.linked))
                calls.append(self.engine.encode("standardOf", case.underlying, case.words))
            answers = self.world.ask("RiskEngine", calls)
            for i, case in enumerate(group):
                wrong = self._judge(case, *answers[3 * i : 3 * i + 3])
                if wrong:
                    return [f"underlying {case.underlying}, {len(case.words)} positions: {w}" for w in wrong]
        return self._refusals()

    def _judge(self, case: Expected, detailed: Any, cheap: Any, standard: Any) -> list[str]:
        for answer in (detailed, cheap, standard):
            if not isinstance(answer, bytes):
                return [str(answer)]
        outputs = {name: self.engine.artifact.functions[name].outputs for name in ("detailOf", "riskOf", "standardOf")}
        try:
            risk, detail = decode_values(outputs["detailOf"], detailed)
            plain = decode_values(outputs["riskOf"], cheap)
            by_position = decode_values(outputs["standardOf"], standard)
        except Exception as reason:
            return [f"cannot be decoded: {reason}"]
        wrong = [] if risk == plain else ["riskOf and detailOf differ"]
        wrong += self._components(case, risk) + self._details(case, risk, detail)
        return wrong + self._standard(case, by_position)

    def _components(self, case: Expected, risk: Any) -> list[str]:
        want, gross = case.exact, case.exact["gross"] + abs(wad(case.linked)) * wad(case.header[1])
        wrong: list[str] = []

        def near(name: str, got: int, exact: Any, below: Any, above: Any) -> None:
            if not -below - TINY <= wad(got) - exact <= above + TINY:
                wrong.append(f"{name} {got}, exact {mp.nstr(exact * WAD, 25)}")

        wei = mp.mpf(WEI + len(case.words)) / WAD + MOVE_BOUND * gross
        table = ROW_BOUND * gross + wei
        near("scan", risk.scanWad, want["scan"], wei if case.pure else table, wei if case.pure else table)
        # A discount is good to 2e-16; nothing pads linear instruments for that.
        near(
            "certified",
            risk.certifiedScanWad,
            want["certified"],
            mp.mpf("3e-16") * gross,
            wei if case.pure else PAD_BOUND * gross + wei,
        )
        near(
            "certified less twice its pad",
            risk.certifiedScanWad - 2 * risk.padWad,
            want["certified"],
            gross + wei,
            wei + mp.mpf("3e-16") * gross,
        )
        for name, field in (("basis", "basisWad"), ("vegaTerm", "vegaTermWad"), ("concentration", "concentrationWad")):
            size = want[name] if name == "concentration" else 0
            # A wei in the net delta comes back multiplied by the slope of the concentration charge.
            slack = 40 * wei if size else wei
            slack += 0 if case.pure else CHARGE_BOUND * (gross + 10 * size)
            near(name, getattr(risk, field), want[name], slack, slack)
        near("shortMin", risk.shortMinWad, want["shortMin"], 0, wei)
        near("mark", risk.markWad, want["mark"], wei if case.pure else table, 0 if case.pure else table)
        near("gross", risk.grossNotionalWad, want["gross"], 0, mp.mpf("0.999999") / WAD)
        total = max(risk.certifiedScanWad + risk.basisWad + risk.vegaTermWad, risk.shortMinWad) + risk.concentrationWad
        if risk.requirementWad != total:
            wrong.append(f"requirement {risk.requirementWad}, of its parts {total}")
        if not case.words and not case.linked and risk.requirementWad:
            wrong.append(f"an empty portfolio requires {risk.requirementWad}")
        if risk.confWad != case.header[3] or risk.underlyingId != case.underlying:
            wrong.append("header")
        return wrong

    def _details(self, case: Expected, risk: Any, detail: Any) -> list[str]:
        want, gross = case.exact, case.exact["gross"] + abs(wad(case.linked)) * wad(case.header[1])
        # Cash of every position is cut off at whole wei before the move multiplies it.
        slack = (MOVE_BOUND if case.pure else ROW_BOUND) * gross * WAD + len(case.words) + WEI
        wrong = []
        for j, (got, exact) in enumerate(zip(detail.rowPnlWad, want["rows"], strict=True)):
            if not -slack <= exact * WAD - got <= 1 + slack:
                wrong.append(f"row {j}: {got}, exact {mp.nstr(exact * WAD, 25)}")
        lowest = min(detail.rowPnlWad)
        # Rows are compared before they are cut off at whole wei; without options equal rows are equal there as well.
        first = detail.rowPnlWad.index(lowest)
        is_first = risk.worstRow == first if case.pure else detail.rowPnlWad[risk.worstRow] == lowest
        if not is_first or risk.scanWad != max(0, -lowest):
            wrong.append("worst row")
        if abs(risk.worstMoveWad - int(mp.nint(case.book.rows[risk.worstRow][0] * WAD))) > 0:
            wrong.append("worst move")
        spot = wad(case.header[1])
        units = gross / spot + 1
        for name, scale in (("delta", mp.mpf(1)), ("gamma", spot), ("vega", 1 / spot), ("theta", 1 / spot)):
            off = abs(wad(getattr(detail, f"{name}Wad")) - want[name]) * scale
            bound = GREEK_BOUND * units * (10 if name == "theta" else 1) + mp.mpf(WEI) / WAD * scale
            if off > bound:
                wrong.append(f"{name} off by {mp.nstr(off / units, 5)} per unit")
            # Each part is rounded down by itself.
            parts = sum(getattr(part, f"{name}Wad") for part in detail.expiries)
            if not 0 <= getattr(detail, f"{name}Wad") - parts <= 2 * len(detail.expiries):
                wrong.append(f"{name} {getattr(detail, f'{name}Wad')}, by expiry {parts}")
        return wrong

    def _standard(self, case: Expected, got: Any) -> list[str]:
        """Section 7 in exact arithmetic."""
        spot = case.book.spot
        initial = maintenance = equity = mark = mp.mpf(0)
        for kind, expiry, price_e8, quantity in case.legs:
            q, price = wad(quantity), mp.mpf(price_e8) / 10**8
            if kind in (CALL, PUT):
                value = case.book.option(kind, case.book.slices[expiry], price)["price"]
                mark += q * value
                equity += min(q * value, mp.mpf(0))
                away = (price - spot if kind == CALL else spot - price) / spot
                rate = max(mp.mpf("0.15") - max(away, mp.mpf(0)), mp.mpf("0.13"))
                short = max(-q, mp.mpf(0))
                least = mp.mpf("0.09") * (max(spot, value) if kind == PUT else spot)
                initial += short * max(rate * spot, mp.mpf("1.05") * least if kind == PUT else 0)
                maintenance += short * least
                continue
            s = case.book.slices.get(expiry)
            level, discount = (s.forward, s.discount) if kind == FUTURE and s else (case.book.perp, mp.mpf(1))
            mark += q * discount * (level - price)
            equity += q * discount * (level - price)
            initial += abs(q) * level / 10
            maintenance += abs(q) * level * mp.mpf("0.065")
        wrong, legs = [], len(case.legs) + 1
        slack = ROW_BOUND * case.exact["gross"] + mp.mpf(2 * legs) / WAD
        exactly = mp.mpf(legs) / WAD if case.pure else slack
        # The distance out of the money is rounded down: a wei of the rate, at the spot, for every unit.
        wei = mp.mpf(3 * legs) / WAD + 2 * case.exact["gross"] * (1 + 1 / spot) / WAD
        options_only_short = all(leg[0] in (FUTURE, PERP) or leg[3] < 0 for leg in case.legs)
        bounds = (
            ("initial", got.initialWad, initial, 0, wei),
            ("maintenance", got.maintenanceWad, maintenance, 0 if case.pure else slack, slack),
            ("mark", got.markWad, mark, slack, 0 if case.pure else slack),
            ("equity", got.equityValueWad, equity, exactly, 0 if case.pure else slack),
            ("gross", got.grossNotionalWad, case.exact["gross"], 0, mp.mpf("0.999999") / WAD),
        )
        for name, value, exact, below, above in bounds:
            if not -below - TINY <= wad(value) - exact <= above + TINY:
                wrong.append(f"standard {name} {value}, exact {mp.nstr(exact * WAD, 25)}")
        if options_only_short and got.markWad != got.equityValueWad:
            wrong.append("standard equity of shorts is not their mark")
        if got.confWad != case.header[3]:
            wrong.append("standard confidence")
        return wrong

    def _refusals(self) -> list[str]:
        """What must not be answered."""
        first = self.cases[-1]
        foreign = first.words[0] ^ (1 << 248)
        gone = pack(first.underlying, (CALL, NOW + 12_345, 10**8, WAD))
        calls = [
            self.engine.encode("riskOf", first.underlying, [foreign], 0),
            self.engine.encode("standardOf", first.underlying, [foreign]),
            self.engine.encode("riskOf", first.underlying, [gone], 0),
            self.engine.encode("riskOf", 99, [], 0),
        ]
        wanted = ["RiskEngine__WrongUnderlying", "RiskEngine__WrongUnderlying", "Oracle__ExpiryNotInRound"]
        wanted.append("ScenarioBook__UnknownUnderlying")
        got = [getattr(answer, "name", "no error") for answer in self.world.ask("RiskEngine", calls)]
        return [f"refusals {got}"] if got != wanted else []


def _expiries(symbol: str) -> list[int]:
    from tests.chain.proof.world import market

    return [s.expiry_ts for s in market().rounds[symbol].surfaces]


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
    ]
    wings = ((1_730, -100), (1_775, 200), (1_820, -100))
    for i, expiry in enumerate(expiries):
        forward = forwards[i]
        other = expiries[(i + 1) % len(expiries)]
        found += [
            ([(CALL, expiry, forward, 2 * unit)], 0),
            ([(PUT, expiry, forward, -2 * unit), (CALL, expiry, forward * 3 // 4, unit)], 0),
            ([(FUTURE, expiry, forward * 11 // 10, -3 * unit), (PERP, 0, spot, unit)], 0),
            ([(CALL, expiry, max(1, forward // 20), unit), (PUT, expiry, forward * 20, unit)], 0),
            ([(CALL, expiry, forward, unit), (PUT, expiry, forward, -unit), (FUTURE, expiry, forward, -unit)], WAD),
            ([(CALL, expiry, forward * k // 2_000, q * unit) for k, q in wings], 0),
            ([(PUT, expiry, forward * 102 // 100, 50 * unit), (PUT, other, forward * 101 // 100, -40 * unit),
              (FUTURE, other, spot, 5 * unit)], 0),
        ]  # fmt: skip
        # Many gaps, most of them next to nothing: where both ends of an interval have almost the same delta.
        ladder = range(20)
        found.append(([(CALL, expiry, forward * (60 + 5 * k) // 100, unit + k) for k in ladder], 0))
        found.append(([(PUT, expiry, forward * (993 + 2 * k) // 1_000, unit * (1 - 2 * (k % 2))) for k in ladder], 0))
    for _ in range(3):
        legs = {}
        for _ in range(draw.choice((5, 9))):
            kind = draw.choice((CALL, CALL, PUT, PUT, FUTURE, PERP))
            expiry = 0 if kind == PERP else draw.choice(expiries)
            price = max(1, int(spot * draw.uniform(0.7, 1.4)))
            legs[kind, expiry, price if kind < FUTURE else 0] = (price, int(draw.gauss(0, 30) * unit) or 1)
        found.append(([(k, e, p, q) for (k, e, _), (p, q) in legs.items()], draw.choice((0, 9 * WAD))))
    return found


ALL = (CALM, EXPIRING, EXTREME, SMALL, BROKEN)
