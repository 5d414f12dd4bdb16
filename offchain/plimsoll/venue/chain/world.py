"""The market as of the last block: rounds, marks, rules, fees, positions. Read by everything, changed in one place."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Final

import structlog

from plimsoll.chain.head import Head
from plimsoll.chain.words import unpack
from plimsoll.constants import E8
from plimsoll.deployment.record import Deployment
from plimsoll.errors import PlimsollError
from plimsoll.index.state import State as ChainState
from plimsoll.keeper.calls import Question
from plimsoll.keeper.view import round_of
from plimsoll.mirror.linear import linear_unit
from plimsoll.mirror.scenario_book import scenario_book
from plimsoll.mirror.unit_risk import open_volatility, price_instruments
from plimsoll.model import Instrument, Kind, Round
from plimsoll.params import Params, UnderlyingParams
from plimsoll.units import float_to_wad
from plimsoll.venue.chain.names import identity_of, instrument_of, instrument_word
from plimsoll.venue.chain.reads import Reads

log = structlog.get_logger()

#: Strikes that the option chain shows on each side of the forward, and their distance as a share of it.
STRIKES_ASIDE: Final = 8
STRIKE_SHARE: Final = 0.04
#: Marks that are kept between two rounds.
MOST_MARKS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Mark:
    """Fair value of one unit by the last round, with its greeks; wad."""

    mark_wad: int
    vol_wad: int
    forward_wad: int
    delta_wad: int
    gamma_wad: int
    vega_wad: int
    theta_wad: int


class World:
    """What the contracts say, between two blocks.

    Parameters
    ----------
    deployment : Deployment
        Names.
    reads : Reads
        For what no event tells.
    """

    def __init__(self, deployment: Deployment, reads: Reads) -> None:
        self.deployment, self.reads = deployment, reads
        self.chain: ChainState = ChainState()
        self.head = Head(-1, "0x" + "00" * 32, 0)
        self.final_number = -1
        self.heartbeat_sec = 0
        self.rules: dict[int, SimpleNamespace] = {}
        self.fees = SimpleNamespace(makerLinearWad=0, takerLinearWad=0, makerOptionWad=0, takerOptionWad=0)
        self.symbols = {number: symbol for symbol, number in deployment.underlyings.items()}
        self._marks: dict[int, Mark | None] = {}
        self._rounds: dict[int, Round] = {}
        self._still = scenario_book(Params().book_of(next(iter(deployment.underlyings))), 0.1)
        self._seen_sec = 0.0
        self._seen_ts = 0

    # The clock of the chain.

    def see_head(self, head: Head, final_number: int) -> None:
        """Note a head."""
        self.head, self.final_number = head, final_number
        self._seen_sec, self._seen_ts = time.monotonic(), head.ts
        self.reads.head = head

    def now_ts(self) -> int:
        """Return the time of the chain: that of the head, however far from the own clock."""
        return self.head.ts

    def head_age_sec(self) -> float:
        """Return how long ago the head was seen, by the own clock."""
        return time.monotonic() - self._seen_sec if self._seen_sec else math.inf

    # What changes seldom.

    async def refresh_terms(self) -> None:
        """Read rules, fees and heartbeat anew."""
        ids = list(self.symbols)
        questions = [
            Question("Oracle", "heartbeatSec"),
            Question("Exchange", "feesOf"),
            *(Question("Exchange", "rulesOf", (number,)) for number in ids),
        ]
        heartbeat, fees, *rules = await self.reads.ask(questions)
        for answer in (heartbeat, fees, *rules):
            if isinstance(answer, PlimsollError):
                raise answer
        self.heartbeat_sec, self.fees = heartbeat, fees[0]
        self.rules = dict(zip(ids, rules, strict=True))

    def see_chain(self, state: ChainState) -> list[int]:
        """Take over the state of the index; return the underlyings that have a new round."""
        fresh = []
        for number, posted in state.rounds.items():
            known = self._rounds.get(number)
            if number in self.symbols and (known is None or known.ts != posted.ts):
                self._rounds[number] = round_of(state, number, self.symbols[number])
                fresh.append(number)
        self.chain = state
        if fresh:
            self._marks = {}
        return fresh

    # Positions.

    def held_wad(self, account_id: int, instrument: int) -> int:
        """Return the signed quantity that an account holds, wad."""
        account = self.chain.accounts.get(account_id)
        if account is None:
            return 0
        for word in account.words:
            if identity_of(word) == instrument:
                return unpack(word).quantity_wad
        return 0

    def delta_vega_wad(self, instrument: int) -> tuple[int, int]:
        """Return delta and vega of one unit, wad; zeros where there is no mark."""
        mark = self.mark(instrument)
        return (0, 0) if mark is None else (mark.delta_wad, mark.vega_wad)

    # Rounds and marks.

    def round(self, underlying_id: int) -> Round | None:
        """Return the last round of an underlying."""
        return self._rounds.get(underlying_id)

    def is_stale(self, underlying_id: int) -> bool:
        """Return whether the last round is too old for the contracts."""
        found = self._rounds.get(underlying_id)
        return found is None or self.now_ts() - found.ts > self.heartbeat_sec

    def mark(self, instrument: int) -> Mark | None:
        """Return the mark of one instrument; none where the last round does not price it."""
        if instrument not in self._marks:
            self._price([instrument])
        return self._marks.get(instrument)

    def marks(self, instruments: Sequence[int]) -> list[Mark | None]:
        """Return the marks of many instruments."""
        missing = [instrument for instrument in instruments if instrument not in self._marks]
        if missing:
            self._price(missing)
        return [self._marks.get(instrument) for instrument in instruments]

    def _price(self, instruments: Sequence[int]) -> None:
        """Price what has no mark yet."""
        if len(self._marks) + len(instruments) > MOST_MARKS:
            self._marks = {}
        groups: dict[int, list[int]] = {}
        for instrument in instruments:
            self._marks[instrument] = None
            found = self._rounds.get(instrument >> 248)
            kind, expiry_ts = (instrument >> 240) & 0xFF, (instrument >> 200) & ((1 << 40) - 1)
            if found is None or kind > max(Kind):
                continue
            if Kind(kind).has_expiry and expiry_ts not in {surface.expiry_ts for surface in found.surfaces}:
                continue
            groups.setdefault(instrument >> 248, []).append(instrument)
        for number, members in groups.items():
            self._price_round(self._rounds[number], members)

    def _price_round(self, found: Round, members: Sequence[int]) -> None:
        known: list[Instrument] = [instrument_of(unpack(instrument)) for instrument in members]
        try:
            risk = price_instruments(found, known, UnderlyingParams(), self._still)
        except PlimsollError as problem:
            # An open settlement window without a mean: the contracts cannot value it either.
            log.warning("instruments cannot be marked", underlying=found.underlying, reason=str(problem))
            return
        for place, (instrument, noun) in enumerate(zip(members, known, strict=True)):
            forward = found.surface(noun.expiry_ts).forward if noun.expiry_ts else found.perp
            # A linear instrument trades at a price; what it is worth is the discounted difference.
            value = risk.mark[place] if noun.is_option else linear_unit(found, noun.kind, noun.expiry_ts).fair
            figures = (value, open_volatility(found, noun) if noun.is_option else 0.0, forward)
            greeks = (risk.delta[place], risk.gamma[place], risk.vega[place], risk.theta[place])
            self._marks[instrument] = Mark(*(float_to_wad(float(figure)) for figure in (*figures, *greeks)))

    # The option chain.

    def listed(self, underlying_id: int, expiry_ts: int | None = None) -> list[int]:
        """Return the instruments that the chain of an underlying shows: strikes around each forward, by the rules."""
        found, rules = self._rounds.get(underlying_id), self.rules.get(underlying_id)
        if found is None or rules is None:
            return []
        kinds = [kind for kind in Kind if rules.kinds >> kind & 1]
        linear = [kind for kind in kinds if kind.is_linear]
        shown: list[int] = []
        if expiry_ts in (None, 0):
            shown += [instrument_word(underlying_id, kind) for kind in linear if not kind.has_expiry]
        for surface in found.surfaces:
            end = surface.expiry_ts
            if end <= self.now_ts() or expiry_ts not in (None, end):
                continue
            shown += [instrument_word(underlying_id, kind, end) for kind in linear if kind.has_expiry]
            for strike_e8 in strikes_of(surface.forward, rules.strikeStepE8):
                options = (kind for kind in kinds if kind.is_option)
                shown += [instrument_word(underlying_id, kind, end, strike_e8) for kind in options]
        return shown


def strikes_of(forward: float, step_e8: int) -> list[int]:
    """Return round strikes around a forward, 1e-8 cash.

    Parameters
    ----------
    forward : float
        Cash.
    step_e8 : int
        Strikes are multiples of it.

    Returns
    -------
    list of int
        Increasing; their distance is 1, 2 or 5 times a power of ten near 4% of the forward.
    """
    wanted = forward * STRIKE_SHARE
    scale = 10.0 ** math.floor(math.log10(wanted))
    gap = next(scale * part for part in (1.0, 2.0, 5.0, 10.0) if scale * part >= wanted * 0.75)
    step = max(step_e8, round(gap * E8) // step_e8 * step_e8)
    centre = round(forward * E8 / step)
    return [n * step for n in range(centre - STRIKES_ASIDE, centre + STRIKES_ASIDE + 1) if n > 0]


def age_sec(world: World, underlying_id: int) -> int:
    """Return the age of the last round at the head of the chain, seconds."""
    found = world.round(underlying_id)
    return 0 if found is None else max(0, world.now_ts() - found.ts)
