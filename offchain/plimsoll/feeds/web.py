"""HTTP for sources: bounded in time and size, with a bounded number of retries, and one error for all that can fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import aiohttp
import orjson
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from plimsoll.errors import InputError
from plimsoll.feeds.reading import SourceError
from plimsoll.market.venues.patience import ATTEMPTS, BusyError, check_status

TIMEOUT_SEC: Final = 10.0
MAX_BYTES: Final = 16 * 1024 * 1024
MAX_PAUSE_SEC: Final = 4.0
FIRST_PAUSE_SEC: Final = 0.25

Value = TypeVar("Value")


def shown(url: str) -> str:
    """Return an address without what may be secret: user, password and query."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise InputError("--feed", f"is no address ({error})") from None
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}"


class Web:
    """One host that is asked with GET.

    Parameters
    ----------
    base_url : str
        Root of what is asked; paths are appended.
    attempts : int
        How often one question is asked before it counts as failed.
    timeout_sec : float
        For one attempt, from connecting to the last byte.
    pause_sec : float
        First wait between two attempts; it grows to ``MAX_PAUSE_SEC``, with jitter.
    """

    def __init__(
        self,
        base_url: str,
        *,
        attempts: int = ATTEMPTS,
        timeout_sec: float = TIMEOUT_SEC,
        pause_sec: float = FIRST_PAUSE_SEC,
    ) -> None:
        self._url = base_url
        self.name = shown(base_url)
        self._attempts, self._pause_sec = attempts, pause_sec
        self._timeout = aiohttp.ClientTimeout(total=timeout_sec)
        self._session: aiohttp.ClientSession | None = None

    async def get(self, path: str, params: Mapping[str, str], read: Callable[[int, bytes], Value], what: str) -> Value:
        """Ask until there is an answer, a refusal, or no attempt left.

        Parameters
        ----------
        path : str
            Appended to the root.
        params : Mapping[str, str]
            Query.
        read : Callable[[int, bytes], Value]
            Makes a value of status and body; raises ``BusyError`` where asking again may help.
        what : str
            Named in errors.

        Returns
        -------
        Value

        Raises
        ------
        SourceError
            When every attempt failed.
        UnavailableError
            Of ``read``.
        """
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(BusyError),
            stop=stop_after_attempt(self._attempts),
            wait=wait_random_exponential(multiplier=self._pause_sec, max=MAX_PAUSE_SEC),
            reraise=True,
        )
        try:
            return await retrying(self._once, path, params, read)
        except BusyError as error:
            raise SourceError(self.name, f"{what} failed {self._attempts} times: {error}") from error

    async def _once(self, path: str, params: Mapping[str, str], read: Callable[[int, bytes], Value]) -> Value:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        try:
            async with self._session.get(self._url + path, params=dict(params)) as response:
                body = await response.content.read(MAX_BYTES + 1)
                while len(body) <= MAX_BYTES and (more := await response.content.read(MAX_BYTES)):
                    body += more
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise BusyError(str(error) or type(error).__name__) from error
        if len(body) > MAX_BYTES:
            raise SourceError(self.name, f"answer is longer than {MAX_BYTES} bytes")
        return read(response.status, body)

    async def close(self) -> None:
        """Close connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def json_of(source: str, status: int, body: bytes) -> Any:
    """Read an answer as JSON.

    Parameters
    ----------
    source : str
        Named in errors.
    status : int
        HTTP status.
    body : bytes
        HTTP body.

    Returns
    -------
    object

    Raises
    ------
    BusyError
        When the server asks for patience or fails.
    SourceError
        When it refuses, or answers something else than JSON.
    """
    check_status(status)
    if status >= 300:
        raise SourceError(source, f"HTTP status {status}")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise SourceError(source, f"answered no JSON (HTTP status {status})") from None
