"""What the oracle accepts: every field of every message at its limit and one step beyond, signed afresh."""

from __future__ import annotations

import math
from typing import Any

from plimsoll.chain.anvil import wallet
from plimsoll.chain.contracts import Contract
from plimsoll.chain.signing import domain_of, sign_by_all, struct_types
from tests.chain.helpers.anchors import FIELDS, logs_of
from tests.chain.proof.book_battery import said
from tests.chain.proof.world import NOW, World
from tests.python.oracle.fixed import ln_wad

WAD = 10**18
MOST = 10**30
YEAR = 365 * 86_400
#: An underlying with a round a second ago.
CALM = 1
#: An underlying without a round: no earlier spot to be near to.
FRESH = 200
SURFACE = {
    **{"expiryTs": NOW + 10**6, "forwardWad": 1_905 * WAD, "rateWad": 4 * 10**16, "aWad": 2 * 10**15},
    **{"bWad": 3 * 10**16, "rhoWad": -2 * 10**17, "mWad": 10**16, "sWad": 10**17},
}
ROUND = {
    **{"underlyingId": FRESH, "ts": NOW, "spotWad": 1_900 * WAD, "perpWad": 1_899 * WAD},
    **{"confWad": WAD, "meanWad": 0},
}
Expected = tuple[str, tuple[Any, ...]] | None


def refused(field: str, observed: int, limit: int) -> Expected:
    """Name the error of a field outside its domain."""
    return "Oracle__OutOfDomain", (field.encode().ljust(32, b"\0"), observed, limit)


def minimum_variance(a: int, b: int, rho: int, s: int) -> int:
    """a + b*s*sqrt(1 - rho^2), every product toward zero."""
    return a + b * s // WAD * math.isqrt(WAD * WAD - rho * rho) // WAD


class Battery:
    """The cases of one world, signed once."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.oracle: Contract = world.contracts["Oracle"]
        self.signers = [wallet(f"proof signer {i}") for i in range(2)]
        self.domain = domain_of(self.oracle)
        named = [*self._headers(), *self._surfaces(), *self._lists(), *self._speeds()]
        self.cases = [(self._call("postRound", m), m, want) for m, want in named]
        self.cases += [(self._call("postTokenPrices", m), m, want) for m, want in self._prices()]
        self.cases += [(self._call("postSettlement", m), m, want) for m, want in self._settlements()]

    def failures(self) -> list[str]:
        """Messages that are taken or refused otherwise than they should be."""
        answers = self.world.ask("Oracle", [data for data, _, _ in self.cases])
        wrong = []
        for (_, message, want), answer in zip(self.cases, answers, strict=True):
            if said(answer) != want:
                wrong.append(f"{str(message)[:300]}: {said(answer)}, expected {want}")
            elif "surfaces" in message and want is None and int.from_bytes(answer, "big") != 1:
                wrong.append("a good round is ignored")
        return wrong

    def _call(self, function: str, message: dict[str, Any]) -> bytes:
        primary, types = struct_types(self.oracle, function)
        return self.oracle.encode(function, message, sign_by_all(self.signers, self.domain, primary, types, message))

    def _headers(self) -> list[tuple[dict[str, Any], Expected]]:
        cases: list[tuple[dict[str, Any], Expected]] = [
            (ROUND | {"surfaces": []}, None),
            (ROUND | {"surfaces": [SURFACE]}, None),
            (ROUND | {"confWad": 0, "surfaces": []}, None),
            (ROUND | {"confWad": WAD + 1, "surfaces": []}, refused("confidence", WAD + 1, WAD)),
            (ROUND | {"meanWad": 1, "surfaces": []}, refused("mean", 1, 0)),
            (ROUND | {"meanWad": 1, "surfaces": [SURFACE]}, refused("mean", 1, 0)),
        ]
        inside, outside = ({"surfaces": [SURFACE | {"expiryTs": NOW + left}]} for left in (1_799, 1_800))
        cases += [
            (ROUND | inside | {"meanWad": 1}, None),
            (ROUND | inside | {"meanWad": MOST}, None),
            (ROUND | inside, refused("mean", 0, 1)),
            (ROUND | inside | {"meanWad": MOST + 1}, refused("mean", MOST + 1, MOST)),
            (ROUND | outside, None),
            (ROUND | outside | {"meanWad": 1}, refused("mean", 1, 0)),
        ]
        for field, name in (("spotWad", "spot"), ("perpWad", "perp")):
            for value, want in (
                (1, None),
                (MOST, None),
                (0, refused(name, 0, 1)),
                (MOST + 1, refused(name, MOST + 1, MOST)),
            ):
                cases.append((ROUND | {field: value, "surfaces": []}, want))
        return cases

    def _surfaces(self) -> list[tuple[dict[str, Any], Expected]]:
        changed: list[tuple[dict[str, int], Expected]] = [
            ({"forwardWad": 1}, None),
            ({"forwardWad": MOST}, None),
            ({"forwardWad": 0}, refused("forward", 0, 1)),
            ({"forwardWad": MOST + 1}, refused("forward", MOST + 1, MOST)),
            ({"sWad": 1, "aWad": WAD}, None),
            ({"sWad": 9 * WAD}, None),
            ({"sWad": 0}, refused("s", 0, 1)),
            ({"sWad": 9 * WAD + 1}, refused("s", 9 * WAD + 1, 9 * WAD)),
            ({"bWad": 2 * WAD, "rhoWad": 0}, None),
            ({"bWad": 2 * WAD + 1, "rhoWad": 0}, refused("b", 2 * WAD + 1, 2 * WAD)),
        ]
        for field, name, limit in (("rateWad", "rate", 9 * WAD), ("mWad", "m", 9 * WAD), ("rhoWad", "rho", WAD - 1)):
            for sign in (1, -1):
                changed.append(({field: sign * limit}, None))
                changed.append(({field: sign * (limit + 1)}, refused(name, sign * (limit + 1), sign * limit)))
        year, tenor = 365 * 86_400, 3_650 * 86_400
        for left in (tenor, year):
            most = WAD * year // left
            for sign in (1, -1):
                far = {"expiryTs": NOW + left}
                changed.append((far | {"rateWad": sign * most}, None))
                over = sign * (most * left // year + -(-left // year))
                changed.append((far | {"rateWad": sign * (most + 1)}, refused("rate*T", over, sign * WAD)))
        far = {"expiryTs": NOW + tenor + 1, "rateWad": 0}
        changed.append((far, refused("expiry", NOW + tenor + 1, NOW + tenor)))
        changed.append(({"aWad": 1_000 * WAD}, None))
        changed.append(({"aWad": 1_000 * WAD + 1}, refused("a", 1_000 * WAD + 1, 1_000 * WAD)))
        changed.append(({"aWad": -1_000 * WAD - 1}, refused("a", -1_000 * WAD - 1, -1_000 * WAD)))
        wing = "b*(1+|rho|)"
        for sign in (1, -1):
            half = {"rhoWad": sign * WAD // 2, "aWad": WAD}
            changed.append((half | {"bWad": 4 * WAD // 3}, None))
            changed.append((half | {"bWad": 4 * WAD // 3 + 1}, refused(wing, 2 * WAD + 1, 2 * WAD)))
        for b, rho, s in (
            (3 * 10**16, -2 * 10**17, 10**17),
            (WAD, 6 * 10**17, 3 * WAD),
            (7 * 10**17 + 3, 0, 10**16 + 7),
        ):
            least = -minimum_variance(0, b, rho, s)
            shape = {"bWad": b, "rhoWad": rho, "sWad": s}
            changed.append((shape | {"aWad": least - 2}, None))
            changed.append((shape | {"aWad": least - 3}, refused("minimum variance", -3, 0)))
        return [(ROUND | {"surfaces": [SURFACE | fields]}, want) for fields, want in changed]

    def _lists(self) -> list[tuple[dict[str, Any], Expected]]:
        def at(*expiries: int) -> dict[str, Any]:
            mean = WAD if expiries[0] < 1_800 else 0
            return ROUND | {"meanWad": mean, "surfaces": [SURFACE | {"expiryTs": NOW + e} for e in expiries]}

        second = at(5, 1_806)
        second["surfaces"][1] = second["surfaces"][1] | {"sWad": 0}
        return [
            (at(*range(0, 1_800 * 12, 1_800)), None),
            (at(*range(13)), ("Oracle__BadLength", (13, 12))),
            (at(0), None),
            (at(-1), refused("expiry", NOW - 1, NOW)),
            (at(0, 0), refused("expiry", NOW, NOW)),
            (at(1, 1_800), None),
            (at(1, 1_799), ("Oracle__WindowsOverlap", (NOW + 1_799, NOW + 1_800))),
            (at(5, 5), refused("expiry", NOW + 5, NOW + 5)),
            (at(5, 4), refused("expiry", NOW + 4, NOW + 5)),
            (second, refused("s", 0, 1)),
        ]

    def _speeds(self) -> list[tuple[dict[str, Any], Expected]]:
        """Every number of the next round of an underlying, a little inside its limit and a little beyond."""
        expiries = list(self.oracle.call("expiriesOf", CALM))
        header, listed = self.oracle.call("roundFor", CALM, expiries)
        still = {"underlyingId": CALM, "ts": NOW + 1, "spotWad": header.spotWad, "perpWad": header.perpWad}
        still |= {"confWad": WAD, "meanWad": 0, "surfaces": [dict(vars(surface)) for surface in listed]}
        anchors, limits = self.oracle.call("anchorsOf", CALM, expiries), self._limits()
        messages = [still]
        for size in (-1, 1):
            price, variance = (math.exp(size * limit / WAD) for limit in limits)
            for near in (1 - size * 1e-12, 1 + size * 1e-12):
                messages += [still | {key: int(still[key] * price * near)} for key in ("spotWad", "perpWad")]
                for place, surface in enumerate(still["surfaces"]):
                    rate = size * limits[0] * YEAR * near / (surface["expiryTs"] - NOW) + surface["rateWad"]
                    for changed in (
                        {"forwardWad": int(surface["forwardWad"] * price * near)},
                        {"rateWad": int(rate)},
                        {key: int(surface[key] * variance * near) for key in ("aWad", "bWad")},
                        *({"mWad": surface["mWad"] + size * step * WAD // 100} for step in (5, 20, 60)),
                    ):
                        others = list(still["surfaces"])
                        others[place] = surface | changed
                        messages.append(still | {"surfaces": others})
        return [(message, self._too_fast(message, anchors, limits)) for message in messages]

    def _limits(self) -> tuple[int, int]:
        return tuple(self.oracle.call(name) for name in ("maxMoveWad", "maxVarianceMoveWad"))

    def _too_fast(self, message: dict[str, Any], anchors: Any, limits: tuple[int, int]) -> Expected:
        """Name the first number that is too far from its anchor."""
        _, spot_ln, perp_ln, surfaces = anchors
        moved = [("spot", ln_wad(message["spotWad"]) - spot_ln), ("perp", ln_wad(message["perpWad"]) - perp_ln)]
        for surface, anchor in zip(message["surfaces"], surfaces, strict=True):
            before = dict(zip(FIELDS, list(vars(anchor).values())[1:], strict=True))
            logs = logs_of(surface, message["ts"])
            if abs(surface["rateWad"]) > 9 * WAD:
                return refused("rate", surface["rateWad"], 9 * WAD if surface["rateWad"] > 0 else -9 * WAD)
            if surface["bWad"] > 2 * WAD:
                return refused("b", surface["bWad"], 2 * WAD)
            moved += [(name, ln - before[name]) for name, ln in logs.items()]
        for name, distance in moved:
            limit = limits["variance" in name]
            if abs(distance) > limit:
                field = name.encode().ljust(32, b"\0")
                return "Oracle__TooFast", (field, distance, limit if distance > 0 else -limit)
        return None

    def _prices(self) -> list[tuple[dict[str, Any], Expected]]:
        later = NOW + 1
        return [
            ({"ts": later, "tokenIds": [51, 50], "pricesWad": [1, MOST]}, None),
            ({"ts": later, "tokenIds": [1], "pricesWad": [0]}, refused("tokenPrice", 0, 1)),
            ({"ts": later, "tokenIds": [50], "pricesWad": [MOST + 1]}, refused("tokenPrice", MOST + 1, MOST)),
            ({"ts": later, "tokenIds": [], "pricesWad": []}, None),
        ]

    def _settlements(self) -> list[tuple[dict[str, Any], Expected]]:
        expiry = NOW - 100
        times = [expiry - 1_800 + 250 * i for i in range(1, 8)]
        good = {"underlyingId": 3, "expiryTs": expiry, "sampleTs": times, "spotsWad": [1, MOST, 3, 4, 5, 6, 7]}
        bad = good | {"spotsWad": [1, 2, 3, 4, 5, 6, MOST + 1]}
        return [(good, None), (bad, refused("sample", MOST + 1, MOST))]
