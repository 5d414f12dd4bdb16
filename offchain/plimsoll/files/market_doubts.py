"""What a market file says that can be, but is more likely in other units than they are meant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import numpy as np

from plimsoll.files.market import MAX_VOL
from plimsoll.mirror.settlement_window import variance_time
from plimsoll.mirror.svi import volatility
from plimsoll.model import Market, Round, Surface

#: Per year; a rate in per cent is beyond it.
RATE_LIMIT: Final = 1.0
#: Of forwards to spot, either way.
FORWARD_FACTOR: Final = 2.0
#: Of the perpetual to spot, either way.
PERP_SHARE: Final = 0.5


def market_doubts(market: Market) -> list[str]:
    """Say what of a market is hard to believe; nothing of it is refused.

    Parameters
    ----------
    market : Market

    Returns
    -------
    list of str
        One sentence each, with the number and what it is measured by.
    """
    return [said for round_ in market.rounds.values() for said in _of_round(round_)]


def _of_round(round_: Round) -> Iterator[str]:
    name, spot = round_.underlying, round_.spot
    if abs(round_.perp / spot - 1.0) > PERP_SHARE:
        share = round_.perp / spot - 1.0
        yield f"perpetual of {name} is {share:+.0%} from spot {spot:g}, the usual limit is {PERP_SHARE:.0%}"
    for surface in round_.surfaces:
        date = datetime.fromtimestamp(surface.expiry_ts, UTC).strftime("%Y-%m-%d")
        for said in _of_surface(surface, spot, round_.ts):
            yield f"{name} {date}: {said}"


def _of_surface(surface: Surface, spot: float, ts: int) -> Iterator[str]:
    ratio = surface.forward / spot
    if not 1.0 / FORWARD_FACTOR <= ratio <= FORWARD_FACTOR:
        yield f"forward is {ratio:.3g} times the spot, the usual limit is a factor of {FORWARD_FACTOR:g}"
    if abs(surface.rate) > RATE_LIMIT:
        yield f"rate is {surface.rate:g}, beyond {RATE_LIMIT:.0%} a year; 0.04 is 4 %"
    time = variance_time(max(surface.expiry_ts - ts, 0))
    vol = float(volatility(surface.svi, np.zeros(1), time)[0])
    if vol > MAX_VOL:
        yield f"volatility at the money is {vol:,.0%}, above {MAX_VOL:,.0%}; the numbers of svi are of total variance"
