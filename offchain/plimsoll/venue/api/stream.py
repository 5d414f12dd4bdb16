"""The WebSocket: one task reads operations, one sends what waits; whoever is too slow is told so and let go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, Protocol

import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import TypeAdapter, ValidationError

from plimsoll.client.schema import stream as messages
from plimsoll.client.schema.orders import MAX_BATCH
from plimsoll.client.schema.problem import Problem, RefusalError
from plimsoll.errors import PlimsollError
from plimsoll.venue.api.answer import problem_of_fields
from plimsoll.venue.api.backend import Backend
from plimsoll.venue.api.limits import Limits
from plimsoll.venue.service.orders import now_ms
from plimsoll.venue.stream.hub import Hub, Reader

log = structlog.get_logger()
router = APIRouter()

#: Close codes of our own: the reader was too slow, the service ends or read its log anew, too many connections.
TOO_SLOW: Final = 4_008
TRY_LATER: Final = 1_013
#: Longest wait for a reader that is being let go to take its last message.
FAREWELL_SEC: Final = 5.0
_READ: Final[TypeAdapter[Any]] = TypeAdapter(messages.ClientMessage)
OPEN_TO_ALL: Final = frozenset(("book", "trades", "rounds", "auctions", "chain", "requests"))


class Source(Protocol):
    """Where the first message of a channel comes from."""

    hub: Hub

    async def first(self, channel: str) -> tuple[int | None, str, str]:
        """Return number, type and body of what shows a channel as it is now; refuse one that there is not."""
        ...


class Connection:
    """One client.

    Parameters
    ----------
    socket : WebSocket
        Accepted.
    backend : Backend
        Service.
    source : Source
        Channels.
    limits : Limits or None
        Rates.
    """

    def __init__(self, socket: WebSocket, backend: Backend, source: Source, limits: Limits | None) -> None:
        self._socket, self._backend, self._source, self._limits = socket, backend, source, limits
        self._hub = source.hub
        self._reader = Reader(self._hub.queue)
        self._caller: str | None = None
        self._host = socket.client.host if socket.client else ""
        self._operations: dict[type[Any], Callable[[Any], Awaitable[None]]] = {
            messages.Authenticate: self._authenticate,
            messages.Subscribe: self._subscribe,
            messages.Unsubscribe: self._unsubscribe,
            messages.Place: self._place,
            messages.Amend: self._amend,
            messages.Cancel: self._cancel,
            messages.CancelAll: self._cancel_all,
            messages.Ping: self._ping,
        }

    async def serve(self) -> None:
        """Serve until either side ends."""
        self._hub.readers.add(self._reader)
        welcome = messages.Welcome(epoch=self._hub.epoch, nowMs=now_ms(), queueLimit=self._hub.queue)
        self._reader.put(welcome.model_dump_json())
        tasks = [asyncio.create_task(self._send_on()), asyncio.create_task(self._read_on())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._hub.close(self._reader)
            if self._reader.is_slow:
                await self._say_farewell()

    async def _send_on(self) -> None:
        """Send what waits; ends when the reader was too slow or is gone."""
        with suppress(WebSocketDisconnect, RuntimeError):
            while (text := await self._reader.get()) is not None:
                await self._socket.send_text(text)

    async def _say_farewell(self) -> None:
        """Say why, as far as the client still listens."""
        text = f"more than {self._hub.queue} messages waited to be read; connect again and subscribe with since"
        farewell = messages.Farewell(problem=Problem(code="tooSlow", message=text, limit=str(self._hub.queue)))
        with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            async with asyncio.timeout(FAREWELL_SEC):
                await self._socket.send_text(farewell.model_dump_json())
                await self._socket.close(TOO_SLOW, "too slow")

    async def _read_on(self) -> None:
        """Read operations; one that is wrong is answered, and the next one is read."""
        with suppress(WebSocketDisconnect, RuntimeError):
            while True:
                await self._one(await self._socket.receive_text())

    async def _one(self, text: str) -> None:
        number = 0
        try:
            if self._limits is not None:
                self._limits.charge_request(self._key)
            message = _READ.validate_json(text)
            number = message.id
            await self._operations[type(message)](message)
        except ValidationError as fault:
            self._answer(number, problem_of_fields(fault.errors()))
        except RefusalError as refusal:
            self._answer(number, refusal.problem)
        except PlimsollError as problem:
            code: Any = "databaseDown" if problem.source.startswith("database") else "chainDown"
            self._answer(number, Problem(code=code, message=str(problem), retryAfterSec=1.0))
        except (WebSocketDisconnect, RuntimeError, asyncio.CancelledError):
            raise
        except Exception:
            log.exception("an operation of the stream failed")
            self._answer(number, Problem(code="defect", message="a defect of the venue; it is logged"))

    @property
    def _key(self) -> str:
        return self._caller or self._host

    def _answer(self, number: int, problem: Problem | None = None, **more: Any) -> None:
        self._reader.put(messages.Answer(id=number, problem=problem, **more).model_dump_json())

    def _charge(self, count: int) -> None:
        if self._limits is not None:
            self._limits.charge_orders(self._key, count)

    def _required(self) -> str:
        if self._caller is None:
            raise RefusalError("notLoggedIn", "this needs a login: send authenticate with a token of POST /api/login")
        return self._caller

    # Operations.

    async def _authenticate(self, message: messages.Authenticate) -> None:
        self._caller = self._backend.logins.caller_of(message.token)
        self._answer(message.id)

    async def _subscribe(self, message: messages.Subscribe) -> None:
        name = message.channel
        if len(self._reader.channels) >= messages.MAX_CHANNELS:
            text = f"{messages.MAX_CHANNELS} channels are subscribed, which is the limit"
            raise RefusalError("tooManyOrders", text, field="channel", limit=messages.MAX_CHANNELS)
        await self._check_channel(name)
        since = message.since
        missed = None if since is None else self._hub.missed(name, since.epoch, since.seq)
        self._hub.join(self._reader, name)
        if missed is not None:
            self._answer(message.id)
            self._reader.release(name, missed)
            return
        # Joined before the first message is made: what happens meanwhile comes behind it.
        self._reader.hold(name)
        try:
            seq, kind, data = await self._source.first(name)
        except BaseException:
            self._hub.leave(self._reader, name)
            self._reader.release(name, ())
            raise
        self._answer(message.id)
        self._reader.release(name, [self._hub.snapshot(name, seq, kind, data)])

    async def _check_channel(self, name: str) -> None:
        """Refuse a channel that is somebody else's."""
        kind, _, number = name.partition(":")
        if kind in OPEN_TO_ALL:
            return
        if kind not in ("orders", "margin", "quotes") or not number.isdecimal():
            text = f"channel: there is no channel {name}"
            raise RefusalError("unknownChannel", text, field="channel", value=name)
        # Whoever may see the protection of an account may see its orders.
        await self._backend.orders.protection(self._required(), int(number))

    async def _unsubscribe(self, message: messages.Unsubscribe) -> None:
        self._hub.leave(self._reader, message.channel)
        self._answer(message.id)

    async def _place(self, message: messages.Place) -> None:
        self._charge(len(message.orders))
        self._answer(message.id, placed=await self._backend.orders.place(message.orders))

    async def _amend(self, message: messages.Amend) -> None:
        self._charge(1)
        self._answer(message.id, placed=[await self._backend.orders.amend(self._required(), message)])

    async def _cancel(self, message: messages.Cancel) -> None:
        self._charge(max(1, len(message.orderHashes) // MAX_BATCH))
        self._answer(message.id, cancelled=await self._backend.orders.cancel(self._required(), message.orderHashes))

    async def _cancel_all(self, message: messages.CancelAll) -> None:
        self._charge(1)
        self._answer(message.id, cancelled=await self._backend.orders.mass_cancel(self._required(), message))

    async def _ping(self, message: messages.Ping) -> None:
        self._reader.put(messages.Pong(id=message.id, nowMs=now_ms()).model_dump_json())


@router.websocket("/stream")
async def stream(socket: WebSocket) -> None:
    """Serve one client."""
    state = socket.app.state
    await socket.accept()
    if state.source is None or len(state.source.hub.readers) >= state.streams:
        await socket.close(TRY_LATER, "too many connections")
        return
    await Connection(socket, state.backend, state.source, state.limits).serve()
