"""Where rounds, token prices and settlement samples come from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from plimsoll.market.fit.gate import Gate
from plimsoll.market.fit.rounds import SnapshotFit
from plimsoll.market.replay.replay import Replay
from plimsoll.market.replay.window import window_of, with_mean
from plimsoll.model import Round


@dataclass(frozen=True, slots=True)
class TokenQuote:
    """Prices at one time, in cash units by symbol, of the tokens that are linked to no underlying."""

    ts: int
    prices: Mapping[str, float]


class Feed(Protocol):
    """What the keeper signs; a feed that has nothing returns empty mappings."""

    def rounds(self, required: Mapping[str, Collection[int]]) -> Mapping[str, Round]:
        """Return the newest round of each underlying, with the expiries that positions hold.

        Parameters
        ----------
        required : Mapping[str, Collection[int]]
            Expiries in use, by underlying.

        Returns
        -------
        Mapping[str, Round]
            By underlying.
        """
        ...

    def tokens(self) -> TokenQuote | None:
        """Return the newest prices of cash and of tokens that no round prices."""
        ...

    def settlement_samples(self, underlying: str, expiry_ts: int) -> tuple[tuple[int, float], ...]:
        """Return spot samples of the window that ends at an expiry.

        Parameters
        ----------
        underlying : str
            Symbol.
        expiry_ts : int
            Unix seconds.

        Returns
        -------
        tuple[tuple[int, float], ...]
            Time and price, increasing; empty when the feed cannot say.
        """
        ...


@dataclass(slots=True)
class ReplayFeed:
    """Serves one snapshot of a replay after another.

    Parameters
    ----------
    replay : Replay
        Snapshots of every underlying.
    number : int
        Current snapshot; the demo moves it.
    """

    replay: Replay
    number: int = 0
    _fitted: dict[tuple[int, str, frozenset[int]], Round | None] = field(default_factory=dict)
    _previous: dict[str, SnapshotFit] = field(default_factory=dict)
    _gates: dict[str, Gate] = field(default_factory=dict)

    @property
    def ts(self) -> int:
        """Time of the current snapshot."""
        return self.replay.timestamps[self.number]

    def rounds(self, required: Mapping[str, Collection[int]]) -> Mapping[str, Round]:
        """Fit the current snapshot, once for each set of required expiries.

        Parameters
        ----------
        required : Mapping[str, Collection[int]]
            Expiries in use, by underlying.

        Returns
        -------
        Mapping[str, Round]
            By underlying; without one whose marks jump beyond the speed limit.
        """
        fitted: dict[str, Round] = {}
        for symbol in self.replay.underlyings:
            alive = frozenset(e for e in required.get(symbol, ()) if e > self.ts)
            key = (self.number, symbol, alive)
            if key not in self._fitted:
                self._fitted[key] = self._offer(symbol, alive)
            offered = self._fitted[key]
            if offered is not None:
                fitted[symbol] = offered
        return fitted

    def _offer(self, symbol: str, alive: Collection[int]) -> Round | None:
        """Fit the current snapshot of an underlying and pass it through its gate."""
        fit = self.replay.fit_at(self.number, symbol, alive, self._previous.get(symbol))
        open_ts = window_of(fit.round)
        samples = self.settlement_samples(symbol, open_ts) if open_ts is not None else ()
        offered, _ = self._gates.setdefault(symbol, Gate()).offer(with_mean(fit.round, samples))
        if offered is not None:
            self._previous[symbol] = fit
        return offered

    def tokens(self) -> TokenQuote | None:
        """Price cash at 1; the tokens linked to an underlying are priced by its round."""
        return TokenQuote(self.ts, {"USDC": 1.0})

    def settlement_samples(self, underlying: str, expiry_ts: int) -> tuple[tuple[int, float], ...]:
        """Return the half hour of spot before an expiry."""
        return self.replay.twap_samples(underlying, expiry_ts)
