"""Post a signed round of an underlying on a local chain; rounds of a public network come from its keeper.

    brownie run post_round                               ETH at its last spot: a fresh round, the same prices
    brownie run post_round main ETH 1750                 forwards and perpetual move along, volatilities stay

The oracle lets no price jump by more than its speed limit; what is beyond is refused with the nearest that passes.
"""

from __future__ import annotations

from plimsoll.session import rounds
from plimsoll.session.arguments import choice, number
from plimsoll.session.report import day_of

from ._common import script, session


@script
def main(underlying: str = "ETH", spot: str = "") -> None:
    """Post one round, and the prices of tokens that have their own."""
    wanted, there = number("spot", spot) if spot else None, session()
    choice("underlying", underlying, there.deployment.underlyings)
    before, _ = rounds.last_spot(there, underlying)
    now = rounds.post_round(there, underlying, wanted)
    moved = f", {now / before - 1.0:+.2%} from {before:,.2f}" if before else ""
    print(f"round of {underlying}: spot {now:,.2f}{moved}")
    print("expiries: " + ", ".join(day_of(ts) for ts in rounds.expiries_of(there, underlying)))
