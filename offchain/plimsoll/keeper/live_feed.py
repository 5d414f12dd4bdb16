"""A live feed from Deribit's public chains; keeps the spot it saw, for settlement."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import structlog

from plimsoll.errors import InputError
from plimsoll.keeper.feed import TokenQuote
from plimsoll.market.chain_file import ChainSnapshot, split_table
from plimsoll.market.fit.gate import Gate
from plimsoll.market.fit.rounds import SnapshotFit, fit_snapshot
from plimsoll.market.fit.svi_fit import Shape
from plimsoll.market.replay.replay import TWAP_SEC
from plimsoll.market.replay.window import with_mean
from plimsoll.market.venues.deribit import Deribit
from plimsoll.model import Round

log = structlog.get_logger()

REFRESH_SEC = 60
KEEP_SEC = 2 * TWAP_SEC


@dataclass(slots=True)
class DeribitFeed:
    """Fetches each chain at most once a minute.

    Parameters
    ----------
    venue : Deribit
        Public API.
    underlyings : tuple[str, ...]
        Symbols to fetch.
    clock : Callable[[], float]
        Current time, unix seconds.
    """

    venue: Deribit
    underlyings: tuple[str, ...]
    clock: Callable[[], float]
    _chains: dict[str, tuple[ChainSnapshot, float]] = field(default_factory=dict)
    _seen_ts: dict[str, int] = field(default_factory=dict)
    _fits: dict[str, SnapshotFit] = field(default_factory=dict)
    _gates: dict[str, Gate] = field(default_factory=dict)
    _rounds: dict[str, Round] = field(default_factory=dict)
    _spots: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    _fetched: float = 0.0

    def _refresh(self) -> None:
        """Fetch every chain when the last fetch is old enough."""
        if self.clock() - self._fetched < REFRESH_SEC:
            return
        for symbol in self.underlyings:
            live = self.venue.fetch(symbol)
            snapshot = split_table(live.table, "deribit")[0]
            self._chains[symbol] = (snapshot, live.perp / snapshot.spot - 1.0)
            seen = self._spots.setdefault(symbol, [])
            seen.append((snapshot.ts, snapshot.spot))
            self._spots[symbol] = [sample for sample in seen if sample[0] > snapshot.ts - KEEP_SEC]
        self._fetched = self.clock()

    def rounds(self, required: Mapping[str, Collection[int]]) -> Mapping[str, Round]:
        """Fit the newest chains.

        Parameters
        ----------
        required : Mapping[str, Collection[int]]
            Expiries in use, by underlying.

        Returns
        -------
        Mapping[str, Round]
            By underlying. The last one stays where the newest chain cannot be fitted or jumps beyond the speed limit.
        """
        self._refresh()
        for symbol, (snapshot, _) in self._chains.items():
            if self._seen_ts.get(symbol, 0) < snapshot.ts:
                self._seen_ts[symbol] = snapshot.ts
                self._offer(symbol, required.get(symbol, ()))
        return dict(self._rounds)

    def _offer(self, symbol: str, required: Collection[int]) -> None:
        """Fit the newest chain of an underlying and pass it through its gate."""
        snapshot, premium = self._chains[symbol]
        try:
            fit = fit_snapshot(
                snapshot, required_expiries=required, perp_premium=premium, previous=self._fits.get(symbol)
            )
        except InputError as error:
            log.warning("round not offered", symbol=symbol, ts=snapshot.ts, reason=str(error))
            return
        for one in fit.fits:
            if one.shape is Shape.HELD:
                log.warning("slice kept", symbol=symbol, ts=snapshot.ts, expiry_ts=one.expiry_ts, age_sec=one.age_sec)
        marked = with_mean(fit.round, self._spots[symbol])
        offered, found = self._gates.setdefault(symbol, Gate()).offer(marked)
        for breach in found:
            log.warning(
                "round not offered" if offered is None else "beyond the speed limit, confirmed",
                symbol=symbol,
                ts=snapshot.ts,
                field=breach.name,
                expiry_ts=breach.expiry_ts,
                observed=breach.observed,
                limit=breach.limit,
            )
        if offered is not None:
            self._rounds[symbol], self._fits[symbol] = offered, fit

    def tokens(self) -> TokenQuote | None:
        """Price cash at 1, at the time of the chains; the tokens linked to an underlying are priced by its round."""
        self._refresh()
        if not self._chains:
            return None
        return TokenQuote(min(chain.ts for chain, _ in self._chains.values()), {"USDC": 1.0})

    def settlement_samples(self, underlying: str, expiry_ts: int) -> tuple[tuple[int, float], ...]:
        """Return what was seen in the half hour before an expiry; nothing when it was not watched."""
        window = (expiry_ts - TWAP_SEC, expiry_ts)
        return tuple(s for s in self._spots.get(underlying, []) if window[0] < s[0] <= window[1])
