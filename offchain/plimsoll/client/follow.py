"""The stream as an iterator: it subscribes again from where it stopped, and says when it had to begin anew."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from pydantic import TypeAdapter
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from plimsoll.client.schema import stream as messages
from plimsoll.client.schema.problem import Problem
from plimsoll.client.transport import PREFIX, VenueError
from plimsoll.errors import UnavailableError

#: Longest wait for a connection, and between two tries.
OPEN_SEC: Final = 10.0
RETRY_SEC: Final = 0.2
MOST_TRIES: Final = 25
MAX_MESSAGE_BYTES: Final = 64 * 1024 * 1024
_READ: Final[TypeAdapter[Any]] = TypeAdapter(messages.ServerMessage)


class Stream:
    """Some channels of a venue, followed across lost connections.

    A message of a channel comes once, in order; where the venue no longer has what was missed, the next message of the
    channel is a first one that shows everything (``isResumed`` false), and the loss counts in :attr:`restarts`.

    Parameters
    ----------
    url : str
        Address of the venue.
    channels : sequence of str
        See ``plimsoll.client.schema.stream``.
    token : str
        For own channels.
    login : Callable[[], str], optional
        Gives a new token where the venue knows the old one no longer: it forgets all of them when it starts anew.
    """

    def __init__(
        self, url: str, channels: Sequence[str], token: str = "", login: Callable[[], str] | None = None
    ) -> None:
        self._url = "ws" + url.rstrip("/").removeprefix("http") + PREFIX + "/stream"
        self._channels, self._token, self._login = tuple(channels), token, login
        self._socket: ClientConnection | None = None
        self._last: dict[str, int] = {}
        self._epoch = ""
        #: Connections made, first messages after the first ones, and gaps that were noticed by the numbers.
        self.connections, self.restarts, self.gaps = 0, 0, 0
        self._seen: set[str] = set()
        self._waiting: deque[Any] = deque()

    def close(self) -> None:
        """End the connection."""
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.close()

    def __enter__(self) -> Stream:
        """Connect, and wait for the first message of every channel: what happens from here on is told."""
        missing = set(self._channels)
        while missing:
            message = self._read(self._socket or self._open(), OPEN_SEC)
            if message is not None:
                self._waiting.append(message)
                missing.discard(message.channel)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def messages(self, wait_sec: float | None = None) -> Iterator[Any]:
        """Yield messages of the channels.

        Parameters
        ----------
        wait_sec : float, optional
            End when nothing comes for so long; without it only :meth:`close` ends it.

        Yields
        ------
        ServerMessage
            Typed by its channel.

        Raises
        ------
        VenueError
            When the venue refuses a channel.
        UnavailableError
            When it cannot be reached for several seconds.
        """
        while True:
            while self._waiting:
                yield self._waiting.popleft()
            try:
                message = self._read(self._socket or self._open(), wait_sec)
            except TimeoutError:
                return
            if message is not None:
                yield message

    def _read(self, socket: ClientConnection, wait_sec: float | None) -> Any:
        """Return the next message of a channel; none when something else came."""
        try:
            message = _READ.validate_json(socket.recv(timeout=wait_sec))
        except ConnectionClosed:
            self._socket = None
            return None
        if isinstance(message, messages.Answer) and message.problem is not None:
            raise VenueError(message.problem)
        return message if hasattr(message, "channel") and self._is_next(socket, message) else None

    def _is_next(self, socket: ClientConnection, message: Any) -> bool:
        """Whether a message goes on where the channel stopped; a gap is closed by subscribing again."""
        channel, last = message.channel, self._last.get(message.channel)
        is_first = message.prev == 0 or message.isResumed or last is None
        if message.prev == 0 and not message.isResumed:
            self.restarts += channel in self._seen
            self._seen.add(channel)
        elif last is not None and message.seq <= last:
            return False
        elif not is_first and last is not None and message.prev > last:
            self.gaps += 1
            self._subscribe(socket, channel)
            return False
        self._last[channel] = message.seq
        return True

    def _open(self) -> ClientConnection:
        """Connect, log in and subscribe; try again for a while."""
        problem: Exception | None = None
        for _ in range(MOST_TRIES):
            try:
                socket = connect(self._url, open_timeout=OPEN_SEC, max_size=MAX_MESSAGE_BYTES)
                welcome = _READ.validate_json(socket.recv(timeout=OPEN_SEC))
                self._authenticate(socket)
                for channel in self._channels:
                    self._subscribe(socket, channel)
            except (OSError, TimeoutError, WebSocketException, UnavailableError) as reason:
                problem = reason
                time.sleep(RETRY_SEC)
                continue
            self.connections += 1
            self._epoch, self._socket = welcome.epoch, socket
            return socket
        raise UnavailableError(self._url, f"no stream ({type(problem).__name__})")

    def _authenticate(self, socket: ClientConnection) -> None:
        """Show the token, and a new one where it is refused and there is a way to get one."""
        if not self._token:
            return
        problem = self._shown(socket)
        if problem is not None and problem.code == "notLoggedIn" and self._login is not None:
            self._token = self._login()
            problem = self._shown(socket)
        if problem is not None:
            socket.close()
            raise VenueError(problem)

    def _shown(self, socket: ClientConnection) -> Problem | None:
        """Show the token; return how it is refused, if it is. Nothing else comes before a channel is subscribed."""
        socket.send(messages.Authenticate(op="authenticate", token=self._token).model_dump_json())
        answer: messages.Answer = _READ.validate_json(socket.recv(timeout=OPEN_SEC))
        return answer.problem

    def _subscribe(self, socket: ClientConnection, channel: str) -> None:
        since = None
        if channel in self._last and self._epoch:
            since = messages.Since(epoch=self._epoch, seq=self._last[channel])
        wanted = messages.Subscribe(op="subscribe", channel=channel, since=since)
        socket.send(wanted.model_dump_json())
