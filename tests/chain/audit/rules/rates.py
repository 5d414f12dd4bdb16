"""Who moves the rate of a wrapped token, and what of it the book believes."""

from __future__ import annotations

from dataclasses import dataclass

from eth_abi.abi import encode

from plimsoll.chain.abi import creation_code, load_artifact
from plimsoll.chain.contracts import Contract
from plimsoll.chain.revert import RevertError
from tests.chain.audit.machine import Machine
from tests.chain.audit.rules.market import post
from tests.chain.audit.rules.registry import rule
from tests.chain.invariants.world import ADMIN, STRANGER, WAD

TOKEN, GAP, FALL_GAP, DAY = 1, 60, 12, 86_400
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


@dataclass(slots=True)
class _Feed:
    """The feed's own rule in integers: what has been seen of a rate, and what of a day's fall is used."""

    settled_ts: int
    ts: int = 0
    seen: int = 0
    fallen: int = 0

    def look(self, ts: int, rate: int, ratio: int) -> int | None:
        """Observe; return the ratio from now on, or None where it is too early to change anything."""
        is_fall = rate < ratio
        if not self.ts or is_fall != (self.seen < ratio):
            self.ts, self.seen = ts, rate
            return ratio
        agreed = max(rate, self.seen) if is_fall else min(rate, self.seen)
        if ts < self.ts + (FALL_GAP if is_fall else GAP):
            early = agreed == self.seen
            self.seen = agreed
            return None if early else ratio
        sec = min(ts - self.settled_ts, DAY)
        self.fallen = max(0, self.fallen - FALL * sec // DAY)
        if is_fall:
            settled = max(agreed, ratio - ratio * (FALL - self.fallen) // WAD)
            self.fallen += (ratio - settled) * WAD // ratio
        else:
            settled = min(agreed, ratio + ratio * RISE * sec // (WAD * DAY))
        self.ts = self.settled_ts = ts
        self.seen = rate
        return settled


def _check_owners(m: Machine, rate: int, ratio: int) -> None:
    """Whoever holds the token: the book's measure does not move with a rate, the own one falls with it."""
    engine = m.at["MarginEngine"]
    for account in m.traders:
        own, book = (engine.call_many(name, [[account]])[0] for name in ("ownMarginOf", "marginOf"))
        if isinstance(own, RevertError) or isinstance(book, RevertError):
            continue
        is_lower = rate < ratio
        holds = own.marketEquityWad <= book.marketEquityWad if is_lower else own == book
        m.require(holds, "I-18", f"account {account}: own {own.marketEquityWad}, by the book {book.marketEquityWad}")


@rule("attacker", 3)
def push_a_rate(m: Machine) -> None:
    """Rates of any size, at any moment: the book moves by what both observations of a pair agree on, within bounds."""
    _place_source(m)
    base = _ratio(m)
    _state(m, base)
    terms = {"source": SOURCE, "form": GET_RATE, "gapSec": GAP, "fallGapSec": FALL_GAP}
    terms |= {"maxRiseWad": RISE, "maxFallWad": FALL}
    m.call(STRANGER, "RateFeed", "setSource", TOKEN, terms, must="AccessManagedUnauthorized")
    m.call(STRANGER, "ScenarioBook", "setRatio", TOKEN, WAD, must="AccessManagedUnauthorized")
    m.call(ADMIN, "RateFeed", "setSource", TOKEN, terms)
    feed = _Feed(m.client.block_ts())
    for _ in range(m.rng.randint(3, 8)):
        rate = base * m.rng.choice([1, 500, 990, 999, 1_000, 1_001, 1_010, 2_000]) // 1_000
        _state(m, rate)
        ratio = _ratio(m)
        _check_owners(m, rate, ratio)
        found = feed.look(m.client.block_ts() + 1, rate, ratio)
        m.call(STRANGER, "RateFeed", "update", TOKEN, must="RateFeed__TooEarly" if found is None else "")
        wanted = ratio if found is None else found
        m.require(_ratio(m) == wanted, "I-18", f"ratio {_ratio(m)}, wanted {wanted} from {ratio}, rate {rate}")
        m.require(m.world.state.terms[TOKEN].ratio_wad == wanted, "I-09", f"ratio {wanted}, rebuilt another")
        # Two seconds go by until the next update: it may come a second too early, and in the first second it may.
        m.world.pass_time(m.rng.choice([1, FALL_GAP - 3, FALL_GAP - 2, 20, GAP - 3, GAP - 2, 5 * GAP]))
    m.call(STRANGER, "RateFeed", "update", 0, must="RateFeed__NoSource")
    m.call(ADMIN, "RateFeed", "setSource", TOKEN, dict.fromkeys(terms, 0) | {"source": "0x" + "0" * 40})
    post(m, m.world.spot)
