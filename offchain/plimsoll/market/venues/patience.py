"""What a venue may be asked again, and how often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

Answer = TypeVar("Answer")
ATTEMPTS: Final = 4
TOO_MANY_REQUESTS_STATUS: Final = 429
SERVER_STATUS: Final = 500
"""From here on an HTTP status is the server's fault, those of a proxy before it (520 to 527) included."""


class BusyError(Exception):
    """The venue asked for patience, or the connection broke; the read is repeated."""


def check_status(status: int) -> None:
    """Raise ``BusyError`` for an HTTP status that may be another one a moment later."""
    if status == TOO_MANY_REQUESTS_STATUS or status >= SERVER_STATUS:
        raise BusyError(f"HTTP status {status}")


def patiently(read: Callable[[], Answer], sleep: Callable[[float], None]) -> Answer:
    """Read, and read again while the venue is busy.

    Parameters
    ----------
    read : callable
        Raises ``BusyError`` where asking again may help; every other error ends it.
    sleep : callable
        Waits so many seconds.

    Returns
    -------
    Answer

    Raises
    ------
    BusyError
        Of the last of ``ATTEMPTS`` attempts.
    """
    retrying = Retrying(
        retry=retry_if_exception_type(BusyError),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential(multiplier=0.5, max=4.0),
        sleep=sleep,
        reraise=True,
    )
    return retrying(read)
