"""When a round or token prices are worth a transaction: a pure rule over what is offered and what stands.

*Standing* is the newest round of an underlying that the chain has or will have: the last accepted one, or a later one
that is signed and on its way. A newer post takes the place of its own older pending one, which the transactor does by
the group that both name.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from plimsoll.mirror.settlement_window import WINDOW_SEC
from plimsoll.mirror.speed_limit import VARIANCES, logs_of_surface
from plimsoll.model import Round

WINDOW_EVERY_SEC: Final = 240
"""Inside a settlement window a round comes at least this often: the last one, if it is within five minutes of the
expiry, lets the series settle two hours earlier where samples fail."""


class Why(StrEnum):
    """Why something is posted; the names are labels of metrics and stay."""

    FIRST = "first"
    URGENT = "urgent"
    EXPIRIES = "expiries"
    MOVED = "moved"
    VOLATILITY = "volatility"
    AGED = "aged"
    WINDOW = "window"


@dataclass(frozen=True, slots=True)
class PostingRule:
    """How far and how long a round may stand.

    Attributes
    ----------
    move : float
        Post when spot, perpetual or a forward has moved by this, a logarithm.
    variance_move : float
        Post when a variance per year of an expiry has, a logarithm.
    age_sec : int
        Post at the latest after this; well below the heartbeat, after which nobody can be margined.
    token_move : float
        Post token prices when one has moved by this, a logarithm.
    """

    move: float = 0.002
    variance_move: float = 0.1
    age_sec: int = 900
    token_move: float = 0.001

    def next_for(
        self, offered: Round, standing: Round | None, required: Collection[int] = (), *, is_urgent: bool = False
    ) -> Why | None:
        """Say why a round is posted now.

        Parameters
        ----------
        offered : Round
            Newest that may be signed.
        standing : Round or None
            Newest that the chain has or will have.
        required : Collection[int]
            Expiries that positions hold.
        is_urgent : bool
            Whether a liquidation, a bid or a settlement waits for a newer one.

        Returns
        -------
        Why or None
            ``None`` when it is not worth a transaction.
        """
        if standing is None:
            return Why.FIRST
        if offered.ts <= standing.ts:
            return None
        if is_urgent:
            return Why.URGENT
        have, listed = {s.expiry_ts for s in standing.surfaces}, {s.expiry_ts for s in offered.surfaces}
        if any(expiry in listed and expiry not in have for expiry in required):
            return Why.EXPIRIES
        # The first round after an expiry takes the series off the list, and its holders settle.
        if standing.surfaces and standing.surfaces[0].expiry_ts <= offered.ts:
            return Why.EXPIRIES
        if _price_moved(offered, standing) > self.move:
            return Why.MOVED
        if _variance_moved(offered, standing) > self.variance_move:
            return Why.VOLATILITY
        age_sec = offered.ts - standing.ts
        if offered.mean is not None and age_sec >= WINDOW_EVERY_SEC:
            return Why.WINDOW
        # The window opens: from here on a margin needs the mean.
        if offered.mean is not None and standing.mean is None:
            return Why.WINDOW
        return Why.AGED if age_sec >= self.age_sec else None

    def next_tokens(
        self,
        ts: int,
        prices: Mapping[str, float],
        standing: Mapping[str, tuple[int, float]],
        *,
        is_urgent: bool = False,
    ) -> Why | None:
        """Say why token prices are posted now.

        Parameters
        ----------
        ts : int
            Their time, unix seconds.
        prices : Mapping[str, float]
            Cash by symbol.
        standing : Mapping[str, tuple[int, float]]
            Time and price that the chain has or will have, by symbol; time 0 where there is none.
        is_urgent : bool
            Whether a liquidation waits for a newer one.

        Returns
        -------
        Why or None
        """
        newer = {symbol: price for symbol, price in prices.items() if ts > standing.get(symbol, (0, 0.0))[0]}
        if not newer:
            return None
        if any(not standing.get(symbol, (0, 0.0))[0] for symbol in newer):
            return Why.FIRST
        if is_urgent:
            return Why.URGENT
        if any(abs(math.log(price / standing[symbol][1])) > self.token_move for symbol, price in newer.items()):
            return Why.MOVED
        return Why.AGED if any(ts - standing[symbol][0] >= self.age_sec for symbol in newer) else None


def _price_moved(offered: Round, standing: Round) -> float:
    before = {s.expiry_ts: s.forward for s in standing.surfaces}
    pairs = [(offered.spot, standing.spot), (offered.perp, standing.perp)]
    pairs += [(s.forward, before[s.expiry_ts]) for s in offered.surfaces if s.expiry_ts in before]
    return max(abs(math.log(now / then)) for now, then in pairs)


def _variance_moved(offered: Round, standing: Round) -> float:
    """Return the largest move of a variance per year of the expiries that both list, outside settlement windows."""
    before = {s.expiry_ts: s for s in standing.surfaces}
    moved = [0.0]
    for surface in offered.surfaces:
        if surface.expiry_ts not in before or surface.expiry_ts - offered.ts < WINDOW_SEC:
            continue
        now, then = logs_of_surface(surface, offered.ts), logs_of_surface(before[surface.expiry_ts], standing.ts)
        moved += [abs(now[name] - then[name]) for name in VARIANCES if name in now and name in then]
    return max(moved)
