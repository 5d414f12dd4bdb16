"""The half of a fleet that knows prices and no account: it makes the arrays that every account is computed from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from plimsoll.errors import InputError
from plimsoll.mirror.fleet.catalogue import Catalogue
from plimsoll.mirror.fleet.columns import Names
from plimsoll.mirror.fleet.layout import Shape
from plimsoll.mirror.fleet.market_terms import MarketTerms, market_terms
from plimsoll.mirror.fleet.terms import AccountTerms, InstrumentTerms, Records, UnderlyingTerms
from plimsoll.mirror.fleet.unit_table import UnitTable
from plimsoll.model import Market, Round
from plimsoll.params import Params


@dataclass(frozen=True, slots=True)
class Tables:
    """All that margins are computed from besides what accounts hold; numbers and slots are those of a catalogue."""

    instruments: InstrumentTerms
    segments: Records
    underlyings: UnderlyingTerms
    tokens: Records
    account: AccountTerms
    shape: Shape

    def copied(self) -> Tables:
        """Return a copy that can be written to: a kernel is compiled again for arrays that cannot."""
        return replace(
            self,
            instruments=InstrumentTerms(*(array.copy() for array in self.instruments)),
            segments=self.segments.copy(),
            underlyings=UnderlyingTerms(*(array.copy() for array in self.underlyings)),
            tokens=self.tokens.copy(),
        )


@dataclass(frozen=True, slots=True)
class Changed:
    """Whom a change of prices or terms concerns: everybody, or holders of underlyings and tokens, by their bits."""

    everybody: bool = False
    underlyings: int = 0
    tokens: int = 0


class Desk:
    """Prices what a catalogue holds.

    Parameters
    ----------
    names : Names
        Symbols of the chain's ids.
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self.catalogue = Catalogue()
        self._units = UnitTable()
        self._seen: MarketTerms | None = None
        self._asked: tuple[Market, Params, Names, tuple[int, int, int]] | None = None
        self._tables: Tables | None = None

    def tables(self, market: Market, params: Params) -> tuple[Tables, Changed]:
        """Bring the arrays up to date.

        Parameters
        ----------
        market : Market
        params : Params

        Returns
        -------
        Tables
            The same object as before when nothing is different.
        Changed
        """
        asked = (market, params, self.names, self.catalogue.sizes)
        if self._tables is not None and self._asked == asked:
            return self._tables, Changed()
        known, instruments = self.catalogue, self.catalogue.instruments
        terms = market_terms(market, params, self.names, known.underlyings.ids, known.tokens.ids)
        segments = terms.segment_terms(instruments.segment_underlying.tolist(), instruments.segment_expiry_ts.tolist())
        self._units.price(instruments, terms, segments)
        self._tables = Tables(
            instruments=self._units.terms(instruments),
            segments=segments,
            underlyings=terms.underlying_terms(),
            tokens=terms.token_terms(),
            account=terms.account,
            shape=terms.shape,
        )
        changed = _changed(self._seen, terms)
        self._seen, self._asked = terms, asked
        return self._tables, changed

    def later(self, round_: Round) -> tuple[Market, Params]:
        """Return the market that was last asked about, with another round of one underlying.

        Raises
        ------
        InputError
            When none was.
        """
        if self._asked is None:
            raise InputError("fleet", "has not been evaluated: there is no market that a round could be part of")
        market, params = self._asked[:2]
        rounds = {**market.rounds, round_.underlying: round_}
        return replace(market, ts=max(market.ts, round_.ts), rounds=rounds), params


def _changed(seen: MarketTerms | None, terms: MarketTerms) -> Changed:
    """Compare what was seen before with what is seen now."""
    if seen is None or seen.common != terms.common:
        return Changed(everybody=True)
    before, now = ([underlying.key for underlying in of.underlyings] for of in (seen, terms))
    moved = set(_differences(before, now))
    tokens = set(_differences(seen.tokens, terms.tokens))
    tokens |= {slot for slot, token in enumerate(terms.tokens) if token.linked in moved}
    return Changed(underlyings=bits(moved), tokens=bits(tokens))


def bits(slots: Iterable[int]) -> int:
    """Join the bits of slots; those from 63 on share one."""
    return sum(1 << slot for slot in {min(slot, 63) for slot in slots})


def _differences(before: Iterable[object], now: Iterable[object]) -> list[int]:
    """Places at which two lists differ, or only one has something."""
    old, new = list(before), list(now)
    shared = min(len(old), len(new))
    return [i for i in range(max(len(old), len(new))) if i >= shared or old[i] != new[i]]
