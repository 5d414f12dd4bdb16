"""Rates of one key, and sizes of bodies: a flood is told when to come back, and costs others nothing."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response

from plimsoll.client.schema.problem import Problem, RefusalError
from plimsoll.venue.api.answer import refused
from plimsoll.venue.api.backend import Backend

#: Keys that are remembered; the one that asked longest ago goes.
MOST_KEYS: Final = 50_000

#: Longest time that a body may take.
BODY_SEC: Final = 10.0

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Bucket:
    """Tokens by key: so many a second, so many at once.

    Parameters
    ----------
    rate : float
        Tokens a second.
    burst : int
        Most tokens.
    clock : Callable[[], float]
        Seconds that only grow.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self.burst, self._clock = rate, burst, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_sec(self, key: str, count: int = 1) -> float:
        """Take tokens; return 0, or how long to wait until there are enough, when nothing was taken."""
        now = self._clock()
        left, then = self._left.pop(key, (float(self.burst), now))
        left = min(float(self.burst), left + (now - then) * self.rate)
        is_enough = left >= min(count, self.burst)
        self._left[key] = (left - count if is_enough else left, now)
        if len(self._left) > MOST_KEYS:
            self._left.popitem(last=False)
        return 0.0 if is_enough else (min(count, self.burst) - left) / self.rate


class Limits:
    """Both buckets, and the size of a body.

    Parameters
    ----------
    requests, orders : Bucket
        For everything that is asked, and for every order in it.
    max_body_bytes : int
        Largest body.
    """

    def __init__(self, requests: Bucket, orders: Bucket, max_body_bytes: int) -> None:
        self.requests, self.orders, self.max_body_bytes = requests, orders, max_body_bytes

    def charge_request(self, key: str) -> None:
        """Count one request; refuse it when the key asks too much."""
        self._charge(self.requests, key, 1, "requests")

    def charge_orders(self, key: str, count: int) -> None:
        """Count orders; refuse them when the key sends too many."""
        self._charge(self.orders, key, count, "orders")

    def _charge(self, bucket: Bucket, key: str, count: int, what: str) -> None:
        wait_sec = bucket.wait_sec(key, count)
        if wait_sec:
            text = f"more than {bucket.rate:g} {what} a second; come back in {wait_sec:.2f} s"
            raise RefusalError("rateLimit", text, value=count, limit=f"{bucket.rate:g}", retry_after_sec=wait_sec)


def key_of(backend: Backend, authorization: str, host: str) -> str:
    """Return what a request is counted under: the address of its token, else where it comes from."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() == "bearer" and token:
        try:
            return backend.logins.caller_of(token)
        except RefusalError:
            pass
    return host


def charge_orders(request: Request, count: int) -> None:
    """Count the orders of a request."""
    limits: Limits | None = request.app.state.limits
    if limits is not None:
        host = request.client.host if request.client else ""
        limits.charge_orders(key_of(request.app.state.backend, request.headers.get("authorization", ""), host), count)


class LimitsMiddleware:
    """Counts requests and bytes before anything is read.

    Parameters
    ----------
    app : Any
        The application behind.
    backend : Backend
        Knows tokens.
    limits : Limits
        Bounds.
    prefix : str
        Path of what is counted; files of the page are not.
    """

    def __init__(self, app: Any, backend: Backend, limits: Limits, prefix: str) -> None:
        self._app, self._backend, self._limits, self._prefix = app, backend, limits, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or not scope["path"].startswith(self._prefix):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        host = scope["client"][0] if scope.get("client") else ""
        try:
            self._limits.charge_request(key_of(self._backend, headers.get("authorization", ""), host))
        except RefusalError as refusal:
            await refused(refusal.problem)(scope, receive, send)
            return
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > self._limits.max_body_bytes:
            await self._too_large(int(length))(scope, receive, send)
            return
        await self._guarded(scope, receive, send)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what comes without a length; end a body that is too large or too slow, and answer that instead."""
        began, seen, is_read = time.monotonic(), 0, False
        refusal: Response | None = None

        async def counted() -> MutableMapping[str, Any]:
            nonlocal seen, refusal, is_read
            if is_read:
                # What comes after the body is the end of the connection, for which nobody hurries.
                return await receive()
            try:
                async with asyncio.timeout(BODY_SEC - (time.monotonic() - began)):
                    message = await receive()
            except TimeoutError:
                # The application gets an end, because it would answer an error in its own words.
                refusal = _too_slow()
                return {"type": "http.request", "body": b"", "more_body": False}
            is_read = not message.get("more_body", False)
            seen += len(message.get("body", b""))
            if seen > self._limits.max_body_bytes:
                refusal = self._too_large(seen)
                return {"type": "http.request", "body": b"", "more_body": False}
            return message

        async def answer(message: MutableMapping[str, Any]) -> None:
            if refusal is None:
                await send(message)

        await self._app(scope, counted, answer)
        if refusal is not None:
            await refusal(scope, receive, send)

    def _too_large(self, size: int) -> Response:
        limit = self._limits.max_body_bytes
        text = f"the body has {size} bytes or more, limit {limit}"
        return refused(Problem(code="tooLarge", message=text, field="body", value=str(size), limit=str(limit)))


def _too_slow() -> Response:
    """Return the answer to a body that did not come; the connection ends with it."""
    text = f"the body did not come within {BODY_SEC:g} s"
    answer = refused(Problem(code="tooSlow", message=text, field="body", limit=f"{BODY_SEC:g}"))
    answer.headers["Connection"] = "close"
    return answer
