"""The signer as a service: ``POST /sign`` over HTTP, bound to the local machine unless told otherwise.

The key never leaves the process, and nothing is signed on a caller's word; a token only keeps strangers from costing
the signer fetches, and the rate limit keeps anybody from it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from plimsoll.errors import InputError
from plimsoll.feeds.signer import Signed, Signer
from plimsoll.feeds.verdict import Reason, Verdict

LOCAL_HOST: Final = "127.0.0.1"
PORT: Final = 8_700
MAX_BODY_BYTES: Final = 256 * 1024
MIN_TOKEN_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class SignerOptions:
    """How a signer is served.

    Attributes
    ----------
    host : str
        Address to bind; anything but the local machine needs a token.
    port : int
        1 to 65,535.
    token : str
        Shared with the keepers that may ask; empty for none.
    requests_per_sec : float
        Long-run rate of requests that are looked at.
    burst : int
        Requests that may come at once.
    observe_sec : float
        Pause between looks at the own source.
    """

    host: str = LOCAL_HOST
    port: int = PORT
    token: str = ""
    requests_per_sec: float = 5.0
    burst: int = 20
    observe_sec: float = 15.0

    def __post_init__(self) -> None:
        if not 1 <= self.port <= 65_535:
            raise InputError("port", f"{self.port} is outside [1, 65535]")
        if self.token and len(self.token) < MIN_TOKEN_LENGTH:
            raise InputError("token", f"has {len(self.token)} characters, at least {MIN_TOKEN_LENGTH} are needed")
        if self.host not in (LOCAL_HOST, "::1", "localhost") and not self.token:
            raise InputError("host", f"{self.host} is reached from other machines, which needs a token")
        if not (self.requests_per_sec > 0.0 and self.burst >= 1 and self.observe_sec > 0.0):
            raise InputError("requests_per_sec", "rate, burst and pause must be above 0")


class Bucket:
    """A bucket of permissions that fills at a steady rate.

    Parameters
    ----------
    rate_per_sec : float
        Permissions a second.
    size : int
        Permissions that it holds, full at the start.
    clock : Callable[[], float]
        Seconds that only grow.
    """

    def __init__(self, rate_per_sec: float, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._size, self._clock = rate_per_sec, float(size), clock
        self._level, self._since = float(size), clock()

    def take(self) -> bool:
        """Take one permission, if there is one."""
        now = self._clock()
        self._level = min(self._size, self._level + (now - self._since) * self._rate)
        self._since = now
        if self._level < 1.0:
            return False
        self._level -= 1.0
        return True


def signer_app(signer: Signer, options: SignerOptions) -> FastAPI:
    """Return the service around a signer.

    Parameters
    ----------
    signer : Signer
        Its connections belong to the service, which closes them when it ends.
    options : SignerOptions

    Returns
    -------
    FastAPI
        ``POST /sign`` takes a message and answers ``{"address", "signature"}``, or 409 with ``{"reasons": [...]}``;
        ``GET /health`` names the address.
    """
    bucket = Bucket(options.requests_per_sec, options.burst)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(_observe(signer, options.observe_sec))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await signer.close()

    app = FastAPI(title="Plimsoll signer", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"address": signer.account.address, "source": signer.source.name}

    @app.post("/sign")
    async def sign(request: Request) -> JSONResponse:
        if options.token and not _is_known(request, options.token):
            return _plain(401, "the token is missing or wrong")
        if not bucket.take():
            return _plain(429, "too many requests")
        body = await _body(request)
        if body is None:
            return _plain(413, f"the body is above {MAX_BODY_BYTES} bytes")
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            return _plain(400, "the body is not JSON")
        answer = await signer.consider(document)
        if isinstance(answer, Signed):
            return JSONResponse({"address": answer.address, "signature": "0x" + answer.signature.hex()})
        return JSONResponse(refusal_of(answer), status_code=409)

    return app


def refusal_of(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as JSON."""
    return {"reasons": [_reason(reason) for reason in verdict.reasons]}


def _reason(reason: Reason) -> dict[str, Any]:
    return {"code": str(reason.code), "text": str(reason), "expiry": reason.expiry_ts}


def _plain(status: int, text: str) -> JSONResponse:
    return JSONResponse({"error": text}, status_code=status)


def _is_known(request: Request, token: str) -> bool:
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    return hmac.compare_digest(given.encode(), token.encode())


async def _body(request: Request) -> bytes | None:
    """Read a body up to the largest that is taken."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return None
    return body


async def _observe(signer: Signer, pause_sec: float) -> None:
    while True:
        await signer.observe()
        await asyncio.sleep(pause_sec)


async def serve_signer(signer: Signer, options: SignerOptions) -> None:
    """Serve until the process is told to end (SIGINT, SIGTERM), then finish what was begun.

    Parameters
    ----------
    signer : Signer
    options : SignerOptions
    """
    config = uvicorn.Config(
        signer_app(signer, options), host=options.host, port=options.port, log_config=None, access_log=False
    )
    await _Server(config).serve()


class _Server(uvicorn.Server):
    """A server that ends with exit code 0 when it is told to end; uvicorn's own raises the signal once more."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let SIGINT and SIGTERM finish what was begun."""
        loop, ends = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM)
        for number in ends:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in ends:
                loop.remove_signal_handler(number)
