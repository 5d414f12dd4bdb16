"""What a venue lists: the best bid and ask of every option of a chain of quotes, and which futures there are.

A suggestion that nobody can fill is worth nothing, so the optimiser takes its instruments and prices from here where a
chain is given. A venue quotes inverse options in coin; ``coin * spot`` is their value in cash, as in the fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

from plimsoll.errors import InputError
from plimsoll.market.chain_file import ChainSnapshot
from plimsoll.model import Instrument, Kind, Market

Identity = tuple[str, Instrument]
#: Quotes older or newer than this against the market belong to another market.
MOST_APART_SEC: Final = 300


@dataclass(frozen=True, slots=True)
class Quote:
    """Best prices, cash per unit; None where nobody bids or asks. A size, in units, is None where none is given."""

    bid: float | None
    ask: float | None
    bid_size: float | None = None
    ask_size: float | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """Quotes of options by underlying and instrument, the expiries that have a future, and who says so."""

    source: str
    quotes: Mapping[Identity, Quote]
    futures: frozenset[tuple[str, int]]

    @property
    def underlyings(self) -> frozenset[str]:
        """Underlyings of which a chain was given."""
        return frozenset(name for name, _ in self.quotes)


def _iso(ts: int) -> str:
    return datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _check_time(snapshot: ChainSnapshot, market: Market, source: str) -> None:
    apart = snapshot.ts - market.ts
    if abs(apart) > MOST_APART_SEC:
        told = f"is of {_iso(snapshot.ts)}, the market of {_iso(market.ts)}"
        raise InputError(source, f"its chain of {snapshot.currency} {told}: more than {MOST_APART_SEC} s apart")


def _price(coin: float, spot: float) -> float | None:
    return float(coin) * spot if np.isfinite(coin) and coin > 0.0 else None


def _quotes(snapshot: ChainSnapshot, spot: float) -> Iterable[tuple[Identity, Quote]]:
    for row in range(snapshot.strike.size):
        kind = Kind.CALL if snapshot.is_call[row] else Kind.PUT
        instrument = Instrument(kind, int(snapshot.expiry_ts[row]), float(snapshot.strike[row]))
        bid, ask = _price(snapshot.bid[row], spot), _price(snapshot.ask[row], spot)
        if bid is not None and ask is not None and bid > ask:
            # A crossed quote is of two moments: neither side can be relied on.
            bid, ask = None, None
        yield (snapshot.currency, instrument), Quote(bid, ask)


def listed_of(snapshots: Sequence[ChainSnapshot], market: Market, source: str) -> Listed:
    """Read what is listed from the chains of one moment.

    Parameters
    ----------
    snapshots : sequence of ChainSnapshot
        One an underlying; others than the market's are left out.
    market : Market
        Whose spot turns coin into cash.
    source : str
        Named in errors and notes.

    Returns
    -------
    Listed

    Raises
    ------
    InputError
        When a chain is of another time than the market, or none is of its underlyings.
    """
    quotes: dict[Identity, Quote] = {}
    futures: set[tuple[str, int]] = set()
    for snapshot in snapshots:
        if snapshot.currency not in market.rounds:
            continue
        _check_time(snapshot, market, source)
        quotes |= _quotes(snapshot, market.rounds[snapshot.currency].spot)
        traded = np.unique(snapshot.expiry_ts[~snapshot.is_index])
        futures |= {(snapshot.currency, int(expiry)) for expiry in traded}
    if not quotes:
        raise InputError(source, f"lists nothing of {', '.join(sorted(market.rounds))}")
    return Listed(source, quotes, frozenset(futures))
