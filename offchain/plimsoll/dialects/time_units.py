"""Units in which a time is counted from 1970, told apart by the size of the number."""

from __future__ import annotations

from typing import Final

FIRST_SEC: Final = 946_684_800
"""2000-01-01: no option on a coin is older."""
END_SEC: Final = 4_102_444_800
"""2100-01-01: with :data:`FIRST_SEC` narrower than a factor of 1,000, so that no number fits two units."""
UNITS: Final = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
RANGES: Final = (
    f"whole numbers count from 1970: {FIRST_SEC} to {END_SEC - 1} are seconds, 1,000 times that milliseconds"
)


def not_seconds(number: float, low: int, high: int) -> str:
    """Say of a number outside a range of unix seconds what is wrong with it, and its unit where it is that of a time.

    Parameters
    ----------
    number : float
    low, high : int
        Least and greatest time that is taken, unix seconds.

    Returns
    -------
    str
        Of one line.
    """
    for unit, scale in UNITS.items():
        if scale > 1 and FIRST_SEC * scale <= number < END_SEC * scale:
            return f"{number:.0f} is in {unit}; unix seconds are wanted, which is {number // scale:.0f}"
    return f"{number:.0f} is outside {low} to {high}: unix seconds are wanted"
