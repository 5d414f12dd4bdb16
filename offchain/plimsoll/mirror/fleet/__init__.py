"""The mirror for every account of a deployment at once; import it late, it brings numba."""

from plimsoll.mirror.fleet.columns import AccountColumns, Columns, Names
from plimsoll.mirror.fleet.fleet import Fleet
from plimsoll.mirror.fleet.margins import FleetMargins
from plimsoll.mirror.fleet.reasons import WORDS, Reason, State, explained
from plimsoll.mirror.fleet.warm import warm_up

__all__ = [
    "WORDS",
    "AccountColumns",
    "Columns",
    "Fleet",
    "FleetMargins",
    "Names",
    "Reason",
    "State",
    "explained",
    "warm_up",
]
