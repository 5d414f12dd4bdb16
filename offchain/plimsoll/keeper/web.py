"""The server of ``/health``, ``/ready`` and ``/metrics``, inside the keeper's own event loop.

A loop that hangs answers nothing, which is what a probe should then see.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from plimsoll.errors import InputError
from plimsoll.keeper.health import Verdict
from plimsoll.keeper.metrics import Metrics

OK: Final = 200
UNAVAILABLE: Final = 503
METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


async def listen(runner: web.AppRunner, bind: str, option: str) -> str:
    """Start a server.

    Parameters
    ----------
    runner : AppRunner
        Of the application; it is cleaned up when it cannot start.
    bind : str
        ``HOST:PORT``; port 0 takes any free one.
    option : str
        Who asked for the address, for the error.

    Returns
    -------
    str
        ``HOST:PORT`` that it really listens on.

    Raises
    ------
    InputError
        When the address cannot be bound.
    """
    host, _, port = bind.rpartition(":")
    await runner.setup()
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port)).start()
    except OSError as reason:
        await runner.cleanup()
        raise InputError(option, f"{bind} cannot be listened on ({reason.strerror})") from None
    name, number = runner.addresses[0][:2]
    return f"{name}:{number}"


class Web:
    """Answers the probes.

    Parameters
    ----------
    bind : str
        ``HOST:PORT``; port 0 takes any free one.
    metrics : Metrics
        What ``/metrics`` shows.
    health, ready : Callable[[], Verdict]
        Asked at every probe.
    """

    def __init__(
        self, bind: str, metrics: Metrics, health: Callable[[], Verdict], ready: Callable[[], Verdict]
    ) -> None:
        self._bind = bind
        self._metrics = metrics
        application = web.Application()
        application.router.add_get("/health", _probe(health))
        application.router.add_get("/ready", _probe(ready))
        application.router.add_get("/metrics", self._show_metrics)
        # Probes come every few seconds; nobody reads a log line about each.
        self._runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=1.0)

    async def start(self) -> str:
        """Listen.

        Returns
        -------
        str
            ``HOST:PORT`` that it really listens on.

        Raises
        ------
        InputError
            When the address cannot be bound.
        """
        return await listen(self._runner, self._bind, "web.bind")

    async def stop(self) -> None:
        """Close the server."""
        await self._runner.cleanup()

    async def _show_metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._metrics.text(), headers={"Content-Type": METRICS_TYPE})


def _probe(ask: Callable[[], Verdict]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return the handler of one probe."""

    async def answer(_request: web.Request) -> web.Response:
        verdict = ask()
        return web.json_response(verdict.document(), status=OK if verdict.is_ok else UNAVAILABLE)

    return answer
