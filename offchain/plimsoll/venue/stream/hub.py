"""Channels: every message numbered, the last ones kept for who comes back, each reader with a queue of its own."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

#: Messages of a channel that are kept for readers that were away.
KEPT: Final = 2_000
#: Messages that may wait for one reader.
QUEUE: Final = 1_000
#: Channels whose numbers are those of the log.
OF_LOG: Final = frozenset(("book", "trades", "orders", "requests", "quotes"))


@dataclass(slots=True)
class Message:
    """One message: its number, that of the one before, and its body without the envelope."""

    seq: int
    prev: int
    kind: str
    data: str


@dataclass(slots=True)
class Channel:
    """One channel."""

    name: str
    last: int = 0
    kept: deque[Message] = field(default_factory=lambda: deque(maxlen=KEPT))
    readers: set[Reader] = field(default_factory=set)


class Reader:
    """One connection; what it cannot take in time ends it."""

    def __init__(self, limit: int = QUEUE) -> None:
        self._queue: deque[str] = deque()
        self._wake = asyncio.Event()
        self._limit = limit
        #: Set when more waited than may; the connection is then closed.
        self.is_slow = False
        self.channels: set[str] = set()
        self._held: dict[str, list[str]] = {}

    def put(self, text: str) -> None:
        """Queue a message."""
        if len(self._queue) >= self._limit:
            self.is_slow = True
        else:
            self._queue.append(text)
        self._wake.set()

    def take(self, name: str, text: str) -> None:
        """Queue a message of a channel, behind its first one where that is still being made."""
        held = self._held.get(name)
        if held is None:
            self.put(text)
        else:
            held.append(text)

    def hold(self, name: str) -> None:
        """Keep what a channel sends until its first message is there."""
        self._held[name] = []

    def release(self, name: str, first: Iterable[str]) -> None:
        """Queue the first messages of a channel, then what came meanwhile."""
        for text in (*first, *self._held.pop(name, ())):
            self.put(text)

    async def get(self) -> str | None:
        """Return the next message; none when the reader was too slow."""
        while not self._queue and not self.is_slow:
            self._wake.clear()
            await self._wake.wait()
        return None if self.is_slow else self._queue.popleft()


class Hub:
    """All channels of one run of the service.

    Parameters
    ----------
    queue : int
        Messages that may wait for one reader.
    """

    def __init__(self, queue: int = QUEUE) -> None:
        self.epoch = secrets.token_hex(8)
        self.queue = queue
        self._channels: dict[str, Channel] = {}
        self.readers: set[Reader] = set()
        #: Readers that were too slow, since the start.
        self.dropped = 0
        #: Number of the last event of the log.
        self.log_seq: Callable[[], int] = lambda: 0

    def wants(self, name: str) -> bool:
        """Return whether anybody has ever asked for a channel: nothing is made for nobody."""
        return name in self._channels

    def wanted(self, prefix: str) -> Iterator[str]:
        """Yield channels of a kind that somebody listens to now."""
        for name, channel in list(self._channels.items()):
            if channel.readers and name.startswith(prefix):
                yield name

    def publish(self, name: str, seq: int | None, kind: str, data: str) -> None:
        """Give a message its number, keep it, and hand it to the readers.

        Parameters
        ----------
        name : str
            Channel.
        seq : int or None
            Number of the log; none for the channel's own count.
        kind : str
            Type of the message.
        data : str
            JSON.
        """
        channel = self._channels.get(name)
        if channel is None:
            return
        message = Message(channel.last + 1 if seq is None else seq, channel.last, kind, data)
        channel.last = message.seq
        channel.kept.append(message)
        text = self._text(name, message)
        for reader in channel.readers:
            reader.take(name, text)

    def join(self, reader: Reader, name: str) -> Channel:
        """Let a reader listen from now on."""
        channel = self._channels.get(name)
        if channel is None:
            # What comes next follows on what the first message shows.
            is_of_log = name.partition(":")[0] in OF_LOG
            channel = self._channels[name] = Channel(name, self.log_seq() if is_of_log else 1)
        channel.readers.add(reader)
        reader.channels.add(name)
        return channel

    def leave(self, reader: Reader, name: str) -> None:
        """Let a reader listen no more."""
        channel = self._channels.get(name)
        if channel is not None:
            channel.readers.discard(reader)
        reader.channels.discard(name)

    def close(self, reader: Reader) -> None:
        """Forget a reader."""
        for name in list(reader.channels):
            self.leave(reader, name)
        self.readers.discard(reader)
        self.dropped += reader.is_slow

    def missed(self, name: str, epoch: str, seq: int) -> list[str] | None:
        """Return the messages after a number; none when they are no longer all there.

        Parameters
        ----------
        name : str
            Channel.
        epoch : str
            Of the reader.
        seq : int
            Last number that it has.

        Returns
        -------
        list of str or None
        """
        channel = self._channels.get(name)
        if epoch != self.epoch or channel is None:
            return None
        later = [message for message in channel.kept if message.seq > seq]
        if later and later[0].prev > seq:
            return None
        return [self._text(name, message, is_resumed=place == 0) for place, message in enumerate(later)]

    def snapshot(self, name: str, seq: int | None, kind: str, data: str) -> str:
        """Return a first message that shows everything as of a number of the log, or of the channel's own count."""
        last = self._channels[name].last if name in self._channels else 0
        return self._text(name, Message(last if seq is None else seq, 0, kind, data))

    def restart(self) -> None:
        """Begin a new epoch: what readers were told may be wrong."""
        self.epoch = secrets.token_hex(8)
        for reader in list(self.readers):
            reader.is_slow = True
            reader.put("")
        self._channels.clear()

    def _text(self, name: str, message: Message, *, is_resumed: bool = False) -> str:
        return (
            f'{{"type":"{message.kind}","channel":"{name}","epoch":"{self.epoch}","seq":{message.seq},'
            f'"prev":{message.prev},"isResumed":{"true" if is_resumed else "false"},"data":{message.data}}}'
        )
