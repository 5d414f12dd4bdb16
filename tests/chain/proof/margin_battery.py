"""MarginEngine against exact integers: modes, charges, collateral, states, hypothetical changes and enforcement.

What underlyings need, alone, together and position by position, is asked of the RiskEngine; everything the MarginEngine
makes of it is repeated here from sections 5 and 6 of the risk model, to the wei.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from types import SimpleNamespace
from typing import Any

from plimsoll.chain.abi import decode_values
from tests.chain.proof import integers as exact
from tests.chain.proof.book_battery import said
from tests.chain.proof.pure_battery import ERRORS, relief_refused
from tests.chain.proof.world import BROKEN, CALM, EXPIRING, EXTREME, SMALL, World, market

WAD = 10**18
SINGLE, STANDARD, CROSS, KEEP = 0, 1, 2, 255
HEALTHY, MARGIN_CALL, LIQUIDATABLE, INSOLVENT = range(4)
CALL, PUT, FUTURE, PERP = range(4)
#: Past the heartbeat by this much: fresh to the second, just stale, in the middle, at the end, and beyond.
LATE_SEC = (0, 1, 7 * 3_600 + 11, 86_399, 86_400, 10**6)
#: Where a source stands, and the form of its question (IRateFeed).
SOURCE, GET_RATE = "0x" + "5a" * 20, 2
#: A token that nobody renews is worth nothing after so long.
STALE_SEC = 86_400


@dataclass(frozen=True)
class Snapshot:
    """IAccounts.Snapshot."""

    mode: int
    cash: int
    tokens: tuple[tuple[int, int], ...] = ()
    words: tuple[int, ...] = ()

    def abi(self) -> tuple[Any, ...]:
        """Return the struct as the encoder takes it."""
        return self.mode, self.cash, [t for t, _ in self.tokens], [a for _, a in self.tokens], list(self.words)


@dataclass(frozen=True)
class Margin:
    """MarginState to the wei; ``parts`` are the components as an evaluation without details has them."""

    equity: int
    market: int
    mark: int
    initial: int
    maintenance: int
    debt: int
    parts: tuple[Any, ...]


def mul_down(a: int, b: int) -> int:
    return a * b // WAD


def mul_up(a: int, b: int) -> int:
    return -(-a * b // WAD)


def word(underlying: int, kind: int, expiry: int, price: int, quantity: int) -> int:
    return exact.pack(underlying, kind, expiry, price, quantity, ERRORS)


class Reference:
    """Sections 5 and 6 on top of what the RiskEngine answers."""

    def __init__(self, world: World) -> None:
        self.world = world
        engine, oracle, book = (world.contracts[n] for n in ("RiskEngine", "Oracle", "ScenarioBook"))
        self.detail = cache(lambda u, words, linked: engine.call("detailOf", u, list(words), linked, 0, []))
        self.by_position = cache(lambda u, words, linked: engine.call("standardOf", u, list(words), linked, []))
        self.together = cache(
            lambda us, words, linked, share: engine.call("crossOf", us, [list(w) for w in words], linked, [], share)
        )
        self.price = cache(lambda token: oracle.call("tokenPriceOf", token))
        self.spot = cache(lambda u: oracle.call("roundFor", u, [])[0].spotWad)
        self.range = cache(lambda u: book.call("bookOf", u).params.priceRangeWad)
        self.collateral = cache(lambda token: book.call("collateralOf", token))
        self.params = book.call("accountParams")

    def evaluate(self, s: Snapshot) -> tuple[Margin, tuple[Any, ...], tuple[Any, ...]]:
        """Margin; components, and rows and greeks, of every underlying."""
        p, groups = self.params, self._groups(s)
        linked = self._linked(s)
        sides = [(u, tuple(words), linked.get(u, 0)) for u, words in groups.items()]
        details = [self.detail(*side) for side in sides]
        if s.mode == STANDARD:
            alone = [self.by_position(*side) for side in sides]
            counted, required = sum(a.equityValueWad for a in alone), sum(a.requirementWad for a in alone)
            parts: tuple[Any, ...] = ()
        else:
            alone, required = [risk for risk, _ in details], 0
            if s.mode == CROSS and sides:
                columns = [tuple(column) for column in zip(*sides, strict=True)]
                alone, required = self.together(*columns, p.stressShareWad)
            elif s.mode == SINGLE:
                required = sum(a.requirementWad for a in alone)
            counted, parts = sum(a.markWad for a in alone), tuple(alone)
        debt = mul_up(max(-s.cash, 0), p.debtRateWad)
        required += debt
        initial, maintenance = mul_up(required, p.imFactorWad), mul_up(required, p.mmFactorWad)
        if required and self.price(0) < p.pegThresholdWad:
            initial = mul_up(initial, WAD + mul_up(p.pegSlopeWad, p.pegThresholdWad - self.price(0)))
        doubt = sum(
            mul_up(mul_up(WAD - a.confWad, p.confRateWad), a.grossNotionalWad)
            for a in alone
            if a.confWad < p.confThresholdWad
        )
        mark = sum(a.markWad for a in alone)
        counted_value, market_value = self._values(s)
        equity, market = s.cash + counted + counted_value, s.cash + mark + market_value
        margin = Margin(equity, market, mark, initial + doubt, maintenance, debt, parts)
        return margin, tuple(risk for risk, _ in details), tuple(detail for _, detail in details)

    def _linked(self, s: Snapshot) -> dict[int, int]:
        """Units of each underlying that the collateral is."""
        linked: dict[int, int] = {}
        for token, amount in s.tokens:
            terms = self.collateral(token)
            if terms.linkedUnderlying:
                units = mul_down(amount, terms.ratioWad)
                linked[terms.linkedUnderlying] = linked.get(terms.linkedUnderlying, 0) + units
        return linked

    def _values(self, s: Snapshot) -> tuple[int, int]:
        """Collateral after haircuts, and at the market."""
        counted = market = 0
        for token, amount in s.tokens:
            terms = self.collateral(token)
            if terms.linkedUnderlying:
                value = mul_down(mul_down(amount, terms.ratioWad), self.spot(terms.linkedUnderlying))
                fallen = min(WAD, terms.linkedHaircutWad + self.range(terms.linkedUnderlying))
                cut = max(terms.haircutWad, fallen) if s.mode == STANDARD else terms.linkedHaircutWad
            else:
                value, cut = mul_down(amount, self.price(token)), terms.haircutWad
            counted += mul_down(value, WAD - cut)
            market += value
        return counted, market

    def _groups(self, s: Snapshot) -> dict[int, list[int]]:
        """Positions by underlying in order of appearance, then underlyings of linked collateral."""
        groups: dict[int, list[int]] = {}
        for w in s.words:
            groups.setdefault(w >> 248, []).append(w)
        for token, _ in s.tokens:
            if self.collateral(token).linkedUnderlying:
                groups.setdefault(self.collateral(token).linkedUnderlying, [])
        return groups


def applied(s: Snapshot, mode: int, cash: int, tokens: list[tuple[int, int]], words: list[int]) -> Snapshot:
    """Apply changes as the ledger would."""
    amounts, positions = dict(s.tokens), list(s.words)
    total = s.cash + cash
    for token, delta in tokens:
        amounts[token] = amounts.get(token, 0) + delta
    for change in words:
        *_, price, quantity, _, instrument = exact.unpack(change)
        at = next((i for i, w in enumerate(positions) if exact.unpack(w)[6] == instrument), None)
        if at is None:
            positions.append(change)
            continue
        merged, realised = exact.merge(positions[at], quantity, price, ERRORS)
        total += realised
        if exact.unpack(merged)[4]:
            positions[at] = merged
        else:
            positions[at] = positions[-1]
            positions.pop()
    return Snapshot(s.mode if mode == KEEP else mode, total, tuple(amounts.items()), tuple(positions))


class Lowered(Reference):
    """The same where one token counts at most at a rate."""

    def __init__(self, world: World, token: int, rate: int) -> None:
        super().__init__(world)
        book, self.token = self.collateral, token
        self.is_below = rate < book(token).ratioWad
        low = SimpleNamespace(**vars(book(token)) | {"ratioWad": min(rate, book(token).ratioWad)})
        self.collateral = lambda held: low if held == token else book(held)


def constant(value: int) -> str:
    """Code that answers every call with one word."""
    return "0x7f" + value.to_bytes(32, "big").hex() + "5f5260205ff3"


class Battery:
    """The cases of one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.engine = world.contracts["MarginEngine"]
        self.ids = world.deployment.underlyings
        self.tokens = {name: record.token_id for name, record in world.deployment.tokens.items()}
        self.first = world.contracts["ScenarioBook"].call("accountParams")
        other = vars(self.first) | {
            **{"pegThresholdWad": 97 * 10**16, "stressShareWad": 10**17, "debtRateWad": 7 * 10**16},
            **{
                "closeShareWad": WAD,
                "mmFactorWad": WAD,
                "imFactorWad": WAD,
                "confThresholdWad": 91 * 10**16,
                "confRateWad": 13 * 10**17,
            },
        }
        self.phases = [(p, self._phase(p)) for p in (other, vars(self.first))]
        self.accounts = self._open_accounts()
        self.borrowers = self._open_borrowers()

    def _phase(self, params: dict[str, int]) -> tuple[Reference, list[tuple[Any, ...]]]:
        self._set(params)
        reference = Reference(self.world)
        return reference, [(s, *reference.evaluate(s)) for s in self._snapshots(reference)]

    def _set(self, params: dict[str, int]) -> None:
        self.world.contracts["ScenarioBook"].send(self.world.owner, "setAccountParams", params)

    # --- cases --------------------------------------------------------------------------------------------------------

    def _positions(self, draw: random.Random, symbols: tuple[str, ...], count: int) -> tuple[int, ...]:
        found = {}
        rounds = market().rounds
        for _ in range(count):
            symbol = draw.choice(symbols)
            held = rounds[symbol]
            spot = int(held.spot * 10**8)
            kind = draw.choice((CALL, PUT, FUTURE, PERP))
            expiry = 0 if kind == PERP else draw.choice(held.surfaces).expiry_ts
            price = int(spot * draw.uniform(0.8, 1.2)) or 1
            quantity = int(draw.gauss(0, 3_000) / held.spot * WAD) or 1
            found[symbol, kind, expiry, price if kind < FUTURE else 0] = word(
                self.ids[symbol], kind, expiry, price, quantity
            )
        return tuple(found.values())

    def _snapshots(self, reference: Reference) -> Iterator[Snapshot]:
        draw = random.Random(5)
        t = self.tokens
        held = (
            (),
            ((t["LINKED"], 3 * WAD + 1),),
            ((t["PLAIN"], WAD // 3), (t["OTHER"], 10**22), (t["LINKED"], 7)),
            ((t["USDC"], 5 * WAD),),
            ((t["STAKED"], 2 * WAD), (t["LINKED"], WAD), (t["OTHER"], 10**22)),
        )
        long, short = (word(self.ids[CALM], PERP, 0, 1_900 * 10**8, s * 5 * WAD) for s in (1, -1))
        other = [word(self.ids[EXTREME], PERP, 0, 64_000 * 10**8, s * WAD // 7) for s in (1, -1)]
        for mode in (SINGLE, STANDARD, CROSS):
            yield Snapshot(mode, 100 * WAD)
            yield Snapshot(mode, -1)
            yield Snapshot(mode, 0, held[1])
            yield Snapshot(mode, 0, held[4])
            for first in (long, short):
                for second in other:
                    yield Snapshot(mode, 10**21, (), (first, second))
            yield Snapshot(mode, 3, held[1], (short, other[0]))
            for symbols in (
                (CALM,),
                (EXPIRING, SMALL),
                (CALM, EXTREME, BROKEN),
                (CALM, EXPIRING, EXTREME, SMALL, BROKEN),
            ):
                words = self._positions(draw, symbols, draw.choice((1, 4, 9)))
                yield Snapshot(mode, draw.randrange(-(10**22), 10**23), draw.choice(held), words)
            # A long straddle is worst where no price moves: neither the same way as another nor opposite.
            still = market().rounds[EXPIRING].surfaces[3].expiry_ts
            straddle = tuple(word(self.ids[EXPIRING], kind, still, 2_000 * 10**8, 10 * WAD) for kind in (CALL, PUT))
            for one in (long, short):
                yield Snapshot(mode, 10**22, (), (*straddle, one))
                yield Snapshot(mode, 10**22, (), (one, *straddle))
            # At every limit to the wei.
            flat = Snapshot(mode, 0, (), (long,))
            margin, _, _ = reference.evaluate(flat)
            for limit in (margin.initial - margin.equity, margin.maintenance - margin.equity, -margin.market):
                for step in (-1, 0):
                    yield replace(flat, cash=limit + step)

    def _open_accounts(self) -> dict[str, int]:
        """Accounts on the ledger, one for each way to stand."""
        ledger, owner = self.world.contracts["Accounts"], self.world.owner
        perp = word(self.ids[CALM], PERP, 0, 0, 0)
        ids = {}
        for name, cash, quantity, price in (
            ("maker", 10**25, 0, 0),
            ("rich", 10**23, 5 * WAD, 1_900),
            ("short of margin", 10**21, 5 * WAD, 1_900),
            ("insolvent", 10**21, 5 * WAD, 2_500),
            ("holder", 10**20, 3 * WAD, 1_900),
            ("saver", 10**20, 0, 0),
            ("empty", 0, 0, 0),
        ):
            ids[name] = ledger.call("nextAccountId")
            ledger.send(owner, "open", owner.address, SINGLE)
            if cash:
                ledger.send(owner, "creditToken", ids[name], 0, cash)
            if quantity:
                ledger.send(owner, "applyTrade", (ids[name], ids["maker"], perp, quantity, price * WAD))
        for token in ("PLAIN", "LINKED"):
            ledger.send(owner, "creditToken", ids["holder"], self.tokens[token], 2 * WAD + 1)
        ids["debtor"] = ledger.call("nextAccountId")
        ledger.send(owner, "open", owner.address, SINGLE)
        ledger.send(owner, "moveCash", ids["debtor"], ids["maker"], 5)
        return ids

    def _open_borrowers(self) -> dict[int, int]:
        """Accounts with tokens and a debt, by mode: an auction values them however old the prices are."""
        ledger, owner = self.world.contracts["Accounts"], self.world.owner
        ids = {}
        for mode in (SINGLE, STANDARD, CROSS):
            ids[mode] = ledger.call("nextAccountId")
            ledger.send(owner, "open", owner.address, mode)
            for token in ("PLAIN", "LINKED"):
                ledger.send(owner, "creditToken", ids[mode], self.tokens[token], 2 * WAD + 1)
            ledger.send(owner, "moveCash", ids[mode], self.accounts["maker"], 10**20 + 3)
        return ids

    def _snapshot(self, account: int) -> Snapshot:
        s = self.world.contracts["Accounts"].call("snapshotOf", account)
        return Snapshot(s.mode, s.cashWad, tuple(zip(s.tokenIds, s.amountsWad, strict=True)), tuple(s.positions))

    # --- judgement ----------------------------------------------------------------------------------------------------

    def failures(self) -> list[str]:
        """Everything that is not as it should be; stops at the first bad group."""
        for params, (reference, cases) in self.phases:
            self._set(params)
            wrong = self._evaluations(cases)
            if not wrong and params == vars(self.first):
                wrong = self._refusals() or self._previews(reference) or self._enforcements(reference)
                wrong = wrong or self._stale(reference) or self._own(reference)
            if wrong:
                self._set(vars(self.first))
                return wrong
        return []

    def _evaluations(self, cases: list[tuple[Any, ...]]) -> list[str]:
        names = ("evaluate", "evaluateDetailed")
        calls = [self.engine.encode(name, s.abi()) for s, *_ in cases for name in names]
        answers = self.world.ask("MarginEngine", calls)
        for i, (s, want, parts, details) in enumerate(cases):
            wrong = self._plain(want, answers[2 * i]) + self._detailed(want, parts, details, answers[2 * i + 1])
            if wrong:
                return [f"mode {s.mode}, {len(s.words)} positions: {w}" for w in wrong]
        return []

    def _decoded(self, name: str, answer: Any) -> Any:
        if not isinstance(answer, bytes):
            return str(answer)
        try:
            return decode_values(self.engine.artifact.functions[name].outputs, answer)
        except Exception as reason:
            return f"cannot be decoded: {reason}"

    def _plain(self, want: Margin, answer: Any) -> list[str]:
        got = self._decoded("evaluate", answer)
        return [got] if isinstance(got, str) else compare(got, want, want.parts)

    def _detailed(self, want: Margin, parts: tuple[Any, ...], details: tuple[Any, ...], answer: Any) -> list[str]:
        got = self._decoded("evaluateDetailed", answer)
        if isinstance(got, str):
            return [got]
        wrong = compare(got[0], want, parts)
        return [*wrong, "details"] if tuple(got[1]) != details else wrong

    def _refusals(self) -> list[str]:
        one = word(self.ids[CALM], PERP, 0, 1, WAD)
        cases = (
            ((3, 0, [], [], []), ("MarginEngine__UnknownMode", (3, 2))),
            ((255, 0, [], [], []), ("MarginEngine__UnknownMode", (255, 2))),
            ((0, 0, [1], [], []), ("MarginEngine__BadLength", (0, 1))),
            ((0, 0, [], [1], []), ("MarginEngine__BadLength", (1, 0))),
            ((0, 0, [], [], [one] * 129), ("MarginEngine__TooManyPositions", (129, 128))),
            ((0, 0, [77], [1], []), ("ScenarioBook__UnknownToken", (77,))),
            ((0, 0, [], [], [one] * 128), None),
        )
        answers = self.world.ask("MarginEngine", [self.engine.encode("evaluate", s) for s, _ in cases])
        wrong = [f"{s[:2]}: {said(a)}, expected {w}" for (s, w), a in zip(cases, answers, strict=True) if said(a) != w]
        tokens = ((self.tokens["LINKED"], None), (77, ("ScenarioBook__UnknownToken", (77,))))
        answers = self.world.ask("MarginEngine", [self.engine.encode("requireCollateral", t) for t, _ in tokens])
        return wrong + [f"token {t}: {said(a)}" for (t, w), a in zip(tokens, answers, strict=True) if said(a) != w]

    def _previews(self, reference: Reference) -> list[str]:
        linked, plain = self.tokens["LINKED"], self.tokens["PLAIN"]
        perp = [
            word(self.ids[CALM], PERP, 0, p * 10**8, q * WAD)
            for p, q in ((1_850, 2), (1_950, -2), (1_800, -5), (1_990, -9))
        ]
        expiry = market().rounds[CALM].surfaces[1].expiry_ts
        call = word(self.ids[CALM], CALL, expiry, 2_000 * 10**8, 3 * WAD)
        back = word(self.ids[CALM], CALL, expiry, 2_000 * 10**8, -3 * WAD)
        put = word(self.ids[CALM], PUT, expiry, 1_800 * 10**8, -WAD)
        changes = (
            (KEEP, 0, [], []),
            (CROSS, -(10**20), [(linked, WAD)], [perp[0]]),
            (STANDARD, 7, [(linked, WAD), (plain, 3), (linked, -WAD // 2)], [perp[1], call]),
            (KEEP, 0, [], [perp[2]]),
            (KEEP, 0, [(plain, 0), (plain, 5), (plain, -5)], []),
            (KEEP, 1, [], [call, put, perp[3], back]),
            (SINGLE, 1, [], [call, put, perp[2], back]),
        )
        for name in ("rich", "holder", "saver"):
            account = self.accounts[name]
            s = self._snapshot(account)
            calls = [
                self.engine.encode("preview", account, (m, c, [t for t, _ in ts], [d for _, d in ts], ws))
                for m, c, ts, ws in changes
            ]
            for change, answer in zip(changes, self.world.ask("MarginEngine", calls), strict=True):
                got = self._decoded("preview", answer)
                if isinstance(got, str):
                    return [got]
                wrong = []
                for margin, details, which in ((got[0], got[2], s), (got[1], got[3], applied(s, *change))):
                    want, parts, rows = reference.evaluate(which)
                    wrong += compare(margin, want, parts)
                    wrong += ["details"] if tuple(details) != rows else []
                if wrong:
                    return [f"preview {name}: {w}" for w in wrong]
        return self._bad_previews()

    def _bad_previews(self) -> list[str]:
        account, token = self.accounts["rich"], self.tokens["LINKED"]
        cases = (
            ((KEEP, 0, [token], [-1], []), ("MarginEngine__NegativeAmount", (token, -1))),
            ((KEEP, 0, [token], [], []), ("MarginEngine__BadLength", (0, 1))),
            ((3, 0, [], [], []), ("MarginEngine__UnknownMode", (3, 2))),
        )
        answers = self.world.ask("MarginEngine", [self.engine.encode("preview", account, c) for c, _ in cases])
        return [f"preview {c[:4]}: {said(a)}" for (c, w), a in zip(cases, answers, strict=True) if said(a) != w]

    def _enforcements(self, reference: Reference) -> list[str]:
        """Who may act: with what the account was before, and whether that must pass."""
        calls, wanted, names = [], [], []
        for name, account in self.accounts.items():
            s = self._snapshot(account)
            margin, _, _ = reference.evaluate(s)
            free = not s.words and s.cash >= 0
            for what, before in self._befores(s, margin, reference):
                calls.append(self.engine.encode("enforce", account, before.abi()))
                names.append(f"{name}, {what}")
                if free or margin.equity >= margin.initial:
                    wanted.append(None)
                elif before.mode == 9:
                    wanted.append(("MarginEngine__UnknownMode", (9, 2)))
                else:
                    then, _, _ = reference.evaluate(before)
                    wanted.append(refusal(then, margin, reference.params.closeShareWad))
            for function in ("marginOf", "auctionMarginOf"):
                calls.append(self.engine.encode(function, account))
                names.append(f"{function} {name}")
                wanted.append(None)
        answers = self.world.ask("MarginEngine", calls)
        wrong = []
        for name, want, answer in zip(names, wanted, answers, strict=True):
            function, _, holder = name.partition(" ")
            if said(answer) != want:
                wrong.append(f"{name}: {said(answer)}, expected {want}")
            elif function.endswith("arginOf"):
                margin, _, _ = reference.evaluate(self._snapshot(self.accounts[holder]))
                got = self._decoded(function, answer)
                wrong += [got] if isinstance(got, str) else compare(got, margin, margin.parts)
        return wrong

    def _stale(self, reference: Reference) -> list[str]:
        """Worth of tokens in an auction while nobody posts prices, at the times of ``LATE_SEC``."""
        rpc, oracle = self.world.client.rpc, self.world.contracts["Oracle"]
        heartbeat_sec = oracle.call("heartbeatSec")
        newest_ts = max(
            oracle.call("lastTokenPriceOf", self.tokens["PLAIN"])[1], oracle.call("lastSpotOf", self.ids[CALM])[1]
        )
        calls = [self.engine.encode("auctionMarginOf", account) for account in self.borrowers.values()]
        wrong: list[str] = []
        for late_sec in LATE_SEC:
            kept, now_ts = rpc("evm_snapshot"), newest_ts + heartbeat_sec + late_sec
            rpc("evm_setNextBlockTimestamp", now_ts)
            rpc("evm_mine")
            answers = self.world.ask("MarginEngine", calls)
            for account, answer in zip(self.borrowers.values(), answers, strict=True):
                want, got = (
                    self._when_stale(reference, self._snapshot(account), now_ts),
                    self._decoded("auctionMarginOf", answer),
                )
                found = [got] if isinstance(got, str) else compare(got, want, tuple(got.underlyings))
                wrong += [f"auctionMarginOf {account}, {late_sec} s late: {line}" for line in found]
            rpc("evm_revert", kept)
        return wrong

    def _own(self, reference: Reference) -> list[str]:
        """The own measure, with the source of a linked token above the book's ratio, at it, below it, and failing."""
        client, owner = self.world.client, self.world.owner
        token, kept = self.tokens["LINKED"], client.rpc("evm_snapshot")
        ratio = reference.collateral(token).ratioWad
        client.rpc("anvil_setCode", SOURCE, constant(ratio))
        terms = {"source": SOURCE, "form": GET_RATE, "gapSec": 60, "fallGapSec": 2, "maxRiseWad": 0, "maxFallWad": 0}
        self.world.deployment.contract(client, "RateFeed").send(owner, "setSource", token, terms)
        wrong: list[str] = []
        for rate in (ratio + 1, ratio, ratio - 1, ratio * 2 // 3, 0):
            client.rpc("anvil_setCode", SOURCE, constant(rate))
            wrong += [f"rate {rate}: {line}" for line in self._own_at(reference, Lowered(self.world, token, rate))]
        client.rpc("evm_revert", kept)
        client.forget_nonce(owner.address)
        return wrong

    def _own_at(self, reference: Reference, lowered: Lowered) -> list[str]:
        """Evaluations, single accounts, and who may act, at one rate."""
        names, calls, wanted = [], [], []
        for name, account in self.accounts.items():
            s = self._snapshot(account)
            margin, parts, details = lowered.evaluate(s)
            for function in ("evaluateOwn", "evaluateOwnDetailed"):
                names.append(f"{function} {name}")
                calls.append(self.engine.encode(function, s.abi()))
                wanted.append((margin, parts, details))
            for function in ("ownMarginOf", "bidderMarginOf"):
                names.append(f"{function} {name}")
                calls.append(self.engine.encode(function, account))
                wanted.append((margin, parts, details))
            names.append(f"isLowered {name}")
            calls.append(self.engine.encode("isLowered", [held for held, _ in s.tokens]))
            wanted.append(lowered.is_below and lowered.token in dict(s.tokens))
            for what, before in self._befores(s, margin, lowered):
                if before.mode != 9:
                    names.append(f"enforce {name}, {what}")
                    calls.append(self.engine.encode("enforce", account, before.abi()))
                    wanted.append(_judged(s, before, reference, lowered))
        answers = self.world.ask("MarginEngine", calls)
        return [
            f"{name}: {line}"
            for name, want, answer in zip(names, wanted, answers, strict=True)
            for line in self._compared(name.split()[0], want, answer)
        ]

    def _compared(self, function: str, want: Any, answer: Any) -> list[str]:
        if function == "enforce":
            return [] if said(answer) == want else [f"{said(answer)}, expected {want}"]
        if function == "evaluateOwnDetailed":
            return self._detailed(*want, answer)
        got = self._decoded(function, answer)
        if function == "isLowered":
            return [] if got == want else [f"{got}, expected {want}"]
        return [got] if isinstance(got, str) else compare(got, want[0], want[0].parts)

    def _when_stale(self, reference: Reference, s: Snapshot, now_ts: int) -> Margin:
        """Section 5 where prices are old: the last one, less what staleness takes; nothing linked is netted."""
        oracle, p = self.world.contracts["Oracle"], reference.params
        heartbeat_sec = oracle.call("heartbeatSec")

        def kept(ts: int) -> int:
            stale_sec = min(max(now_ts - ts - heartbeat_sec, 0), STALE_SEC)
            return WAD - -(-WAD * stale_sec // STALE_SEC)

        if kept(oracle.call("lastSpotOf", self.ids[CALM])[1]) == WAD:
            return reference.evaluate(s)[0]
        counted = market = 0
        for token, amount in s.tokens:
            terms = reference.collateral(token)
            if terms.linkedUnderlying:
                price, ts = oracle.call("lastSpotOf", terms.linkedUnderlying)
                amount = mul_down(amount, terms.ratioWad)
                fallen = min(WAD, terms.linkedHaircutWad + reference.range(terms.linkedUnderlying))
                cut = max(terms.haircutWad, fallen)
            else:
                (price, ts), cut = oracle.call("lastTokenPriceOf", token), terms.haircutWad
            value = mul_down(mul_down(amount, price), kept(ts))
            counted += mul_down(value, WAD - cut)
            market += value
        debt = mul_up(max(-s.cash, 0), p.debtRateWad)
        initial = mul_up(debt, p.imFactorWad)
        peg = oracle.call("lastTokenPriceOf", 0)[0]
        if debt and peg < p.pegThresholdWad:
            initial = mul_up(initial, WAD + mul_up(p.pegSlopeWad, p.pegThresholdWad - peg))
        return Margin(s.cash + counted, s.cash + market, 0, initial, mul_up(debt, p.mmFactorWad), debt, ())

    def _befores(self, s: Snapshot, margin: Margin, reference: Reference) -> Iterator[tuple[str, Snapshot]]:
        """What an account may have been, around every rule that decides, to the wei."""
        yield "as it is", s
        yield "poorer by a wei", replace(s, cash=s.cash - 1)
        yield "richer by a wei", replace(s, cash=s.cash + 1)
        yield "no positions, same cash", replace(s, words=())
        yield "nonsense", replace(s, mode=9)
        doubled = replace(s, words=s.words * 2)
        then, _, _ = reference.evaluate(doubled)
        share = mul_down(max(then.initial - margin.initial, 0), reference.params.closeShareWad)
        over = margin.equity - margin.maintenance - (then.equity - then.maintenance)
        for limit, name in ((share + margin.equity - then.equity, "the share"), (over, "the maintenance")):
            for step in (-1, 0, 1):
                yield f"twice the positions, {step} wei from {name}", replace(doubled, cash=s.cash + limit + step)


def refusal(then: Margin, now: Margin, close_share: int) -> tuple[str, tuple[int, int]] | None:
    """Error of an action of an account without its initial margin, ``None`` when it may end so."""
    states = ((m.equity, m.market, m.initial, m.maintenance) for m in (then, now))
    return relief_refused(*states, close_share)


def _judged(s: Snapshot, before: Snapshot, book: Reference, lowered: Lowered) -> tuple[str, tuple[int, ...]] | None:
    """An action has to pass in the own measure, and where a token is lowered then or now by the book as well."""
    if not s.words and s.cash >= 0:
        return None
    held = dict(s.tokens)
    for measure in (lowered, book):
        (now, _, _), (then, _, _) = measure.evaluate(s), measure.evaluate(before)
        is_short = now.equity < now.initial
        found = refusal(then, now, book.params.closeShareWad) if is_short else None
        if is_short:
            held |= dict(before.tokens)
        if found is not None or not (lowered.is_below and lowered.token in held):
            return found
    return None


def compare(got: Any, want: Margin, parts: tuple[Any, ...]) -> list[str]:
    """Differences between a MarginState and the exact one."""
    wrong = []
    for name, value, exactly in (
        ("equity", got.equityWad, want.equity),
        ("market equity", got.marketEquityWad, want.market),
        ("mark", got.markToMarketWad, want.mark),
        ("initial", got.initialWad, want.initial),
        ("maintenance", got.maintenanceWad, want.maintenance),
        ("debt charge", got.debtChargeWad, want.debt),
    ):
        if value != exactly:
            wrong.append(f"{name} {value}, exact {exactly}")
    if tuple(got.underlyings) != parts:
        wrong.append("underlyings")
    state = HEALTHY
    if want.market < 0:
        state = INSOLVENT
    elif want.equity < got.maintenanceWad:
        state = LIQUIDATABLE
    elif want.equity < got.initialWad:
        state = MARGIN_CALL
    return [*wrong, f"state {got.state}, expected {state}"] if got.state != state else wrong
