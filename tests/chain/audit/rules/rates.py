"""Who moves the rate of a wrapped token, and what of it the book believes."""

from __future__ import annotations

from eth_abi.abi import encode

from plimsoll.chain.abi import creation_code, load_artifact
from plimsoll.chain.contracts import Contract
from tests.chain.audit.machine import Machine
from tests.chain.audit.rules.market import post
from tests.chain.audit.rules.registry import rule
from tests.chain.invariants.world import ADMIN, STRANGER, WAD

TOKEN, GAP, DAY = 1, 60, 86_400
RISE, FALL = WAD // 100, WAD // 20
GET_RATE = 2
#: Where the source stands; an address nobody else has.
SOURCE = "0x" + "5a" * 20


def _place_source(m: Machine) -> None:
    """Put a stub's code where the source is to be; an episode sets the chain back."""
    stub = Contract(m.client, load_artifact("RateStub"), SOURCE)
    code = m.client.rpc("eth_call", {"data": "0x" + creation_code("RateStub").hex()}, "latest")
    m.client.rpc("anvil_setCode", SOURCE, code)
    m.at["RateStub"] = stub


def _state(m: Machine, rate: int) -> None:
    m.call(STRANGER, "RateStub", "set", encode(["uint256"], [rate]), False)


def _ratio(m: Machine) -> int:
    return int(m.at["ScenarioBook"].call("collateralOf", TOKEN).ratioWad)


def _agreed(seen: list[int], ratio: int) -> int:
    """The rate of all that is nearest to the ratio, and the ratio itself when they are on both sides of it."""
    if min(seen) > ratio:
        return min(seen)
    return max(seen) if max(seen) < ratio else ratio


@rule("attacker", 3)
def push_a_rate(m: Machine) -> None:
    """Rates of any size, at any moment: the book moves by what all observations of a pair agree on, within bounds."""
    _place_source(m)
    base = _ratio(m)
    _state(m, base)
    terms = {"source": SOURCE, "form": GET_RATE, "gapSec": GAP, "maxRiseWad": RISE, "maxFallWad": FALL}
    m.call(STRANGER, "RateFeed", "setSource", TOKEN, terms, must="AccessManagedUnauthorized")
    m.call(STRANGER, "ScenarioBook", "setRatio", TOKEN, WAD, must="AccessManagedUnauthorized")
    m.call(ADMIN, "RateFeed", "setSource", TOKEN, terms)
    settled, first, seen = m.client.block_ts(), 0, list[int]()
    for _ in range(m.rng.randint(3, 8)):
        rate = base * m.rng.choice([1, 500, 990, 999, 1_000, 1_001, 1_010, 2_000]) // 1_000
        _state(m, rate)
        ts, ratio = m.client.block_ts() + 1, _ratio(m)
        agreed = _agreed([*seen, rate], ratio)
        early = bool(seen) and ts < first + GAP
        idle = early and agreed == _agreed(seen, ratio)
        m.call(STRANGER, "RateFeed", "update", TOKEN, must="RateFeed__TooEarly" if idle else "")
        wanted = ratio
        if seen and not early:
            sec = min(ts - settled, DAY)
            most, least = ratio + ratio * RISE * sec // (WAD * DAY), ratio - ratio * FALL * sec // (WAD * DAY)
            wanted, settled, seen = min(max(agreed, least), most), ts, []
        if not early:
            first = ts
        if not idle:
            seen.append(rate)
        m.require(
            _ratio(m) == wanted, "I-18", f"ratio {_ratio(m)}, wanted {wanted} from {ratio}, seen {seen}, rate {rate}"
        )
        m.require(m.world.state.terms[TOKEN].ratio_wad == wanted, "I-09", f"ratio {wanted}, rebuilt another")
        # Two seconds go by until the next update: it may come a second too early, and in the first second it may.
        m.world.pass_time(m.rng.choice([1, 20, GAP - 3, GAP - 2, 5 * GAP]))
    m.call(STRANGER, "RateFeed", "update", 0, must="RateFeed__NoSource")
    m.call(ADMIN, "RateFeed", "setSource", TOKEN, dict.fromkeys(terms, 0) | {"source": "0x" + "0" * 40})
    post(m, m.world.spot)
