"""What the kernel reads, as few arrays of records: instruments, underlyings, segments, tokens.

A kernel that is handed fifty arrays takes minutes to compile; one that is handed a dozen takes seconds.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int32]
Reasons = npt.NDArray[np.uint8]
#: Rows of one of the types below. Their fields are known to numba and to numpy, not to a checker of types.
Records = Any

#: One instrument; see :class:`plimsoll.mirror.fleet.unit_rows.UnitRows`. ``curve`` is that whose row it uses.
INSTRUMENT: Final = np.dtype(
    [
        *((name, np.float64) for name in ("mark", "cash_delta", "vega", "straight", "entry_factor", "open_share")),
        *((name, np.float64) for name in ("scan_long", "scan_short", "long_alone", "short_alone")),
        *((name, np.int32) for name in ("segment", "curve", "is_option", "problem")),
    ]
)
#: One expiry of one underlying that somebody holds: its underlying's slot, what of it is open, how far it has faded.
SEGMENT: Final = np.dtype(
    [
        *((name, np.int64) for name in ("underlying", "expiry_ts", "fading")),
        *((name, np.float64) for name in ("basis_rate", "open_share", "omega")),
    ]
)
#: One underlying. ``layout`` numbers the books that can be added, ``prices`` counts those of its book; ``doubt`` is
#: what a cash unit of gross notional costs while the round's confidence is low; ``straight_worst`` is the most that a
#: cash unit of delta, held or sold, loses at a node.
UNDERLYING: Final = np.dtype(
    [
        *((name, np.int64) for name in ("problem", "layout", "prices")),
        *((name, np.float64) for name in ("spot", "doubt", "straight_worst", "price_range", "vega_term_rate")),
        *((name, np.float64) for name in ("skew_rate", "short_min_rate", "conc_rate", "conc_vega_rate", "n0", "v0")),
    ]
)
#: One token: what counts of its price in SINGLE and CROSS, and in STANDARD; slot of what it is linked to, or -1.
TOKEN: Final = np.dtype(
    [
        *((name, np.int64) for name in ("problem", "linked")),
        *((name, np.float64) for name in ("price", "counted", "counted_standard", "ratio")),
    ]
)


class InstrumentTerms(NamedTuple):
    """By number of instrument: rows and gaps of one put, and records of ``INSTRUMENT``."""

    rows: Vector
    gap: Vector
    records: Records


class UnderlyingTerms(NamedTuple):
    """By slot: records of ``UNDERLYING``, and tables of its book.

    ``straight`` is the weighted loss of one cash unit of delta at each node, then at each price; ``mask`` is minus
    infinity where a vol state has no interval.
    """

    records: Records
    straight: Vector
    mask: Vector


class AccountTerms(NamedTuple):
    """Parameters of the whole account; ``peg`` is the factor of initial margin."""

    debt_rate: float
    im_factor: float
    mm_factor: float
    peg: float
    stress_share: float


class Holdings(NamedTuple):
    """Rows of accounts and the pools that they point into; see :class:`plimsoll.mirror.fleet.books.Books`."""

    modes: npt.NDArray[np.int8]
    cash: Vector
    problem: Reasons
    position_start: Longs
    position_count: Numbers
    instrument: Numbers
    quantity: Vector
    price: Vector
    collateral_start: Longs
    collateral_count: Numbers
    token: Numbers
    amount: Vector


class Results(NamedTuple):
    """Money in cash by row; an unknown account has NaN everywhere.

    Where ``bounded``, the account surely is healthy, and its requirements are bounds that it does not reach.
    """

    equity: Vector
    market_equity: Vector
    initial: Vector
    maintenance: Vector
    gross: Vector
    state: npt.NDArray[np.int8]
    reason: Reasons
    bounded: npt.NDArray[np.bool_]
