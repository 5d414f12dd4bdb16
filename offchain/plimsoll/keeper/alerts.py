"""Alerts from the loop to people: firing one never waits, and a broken sink never stops anything."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import aiohttp
import structlog

from plimsoll.keeper.alert_book import AlertBook, AlertKind, Message
from plimsoll.keeper.config import KeeperConfig
from plimsoll.keeper.config.sections import AlertsSection
from plimsoll.keeper.lease import boot_clock
from plimsoll.keeper.metrics import Metrics
from plimsoll.keeper.redaction import Redactor
from plimsoll.keeper.secret_files import read_secret
from plimsoll.keeper.sinks import Sink, SinkError, Telegram, Webhook, Wording

log = structlog.get_logger()

SEND_TIMEOUT_SEC: Final = 10.0
#: Pauses before a message is tried again; after the last one it is lost, and counted.
RETRY_SEC: Final = (1.0, 5.0, 30.0)


class Alerts:
    """Collects what is wrong and tells it to every sink.

    Parameters
    ----------
    section : AlertsSection
        How often, how many.
    sinks : sequence of Sink
        Who is told; none is fine, alerts are then logged and counted alone.
    metrics : Metrics
        Counts what is on, sent and lost.
    clock : Callable[[], float]
        Seconds on a clock that nobody sets.
    retry_sec : sequence of float
        Pauses before a message is tried again.
    """

    def __init__(
        self,
        section: AlertsSection,
        sinks: Sequence[Sink],
        metrics: Metrics,
        *,
        clock: Callable[[], float] = boot_clock,
        retry_sec: Sequence[float] = RETRY_SEC,
    ) -> None:
        self._section = section
        self._book = AlertBook(section.repeat_sec)
        self._metrics = metrics
        self._clock = clock
        self._retry_sec = tuple(retry_sec)
        self._posts = [_Post(sink, section.queue, self) for sink in sinks]

    def fire(self, kind: AlertKind, subject: str, text: str) -> None:
        """Say that something is wrong; returns at once, and may be repeated every pass.

        Parameters
        ----------
        kind : AlertKind
        subject : str
            What it is about.
        text : str
            What was seen, with the number and its limit.
        """
        if not self._book.is_on(kind, subject):
            log.warning("alert", kind=kind.value, subject=subject, reason=text)
        self._book.fire(kind, subject, text)

    def tell(self, kind: AlertKind, subject: str, text: str) -> None:
        """Say that something happened which is over: it is told once and never resolved."""
        log.warning("alert", kind=kind.value, subject=subject, reason=text)
        self._book.fire(kind, subject, text, is_event=True)

    def resolve(self, kind: AlertKind, subject: str) -> None:
        """Say that something is well; returns at once, and may be repeated every pass."""
        self._book.resolve(kind, subject)

    def set_all(self, kind: AlertKind, texts: dict[str, str]) -> None:
        """Say all that is wrong of a kind: what is not named is well.

        Parameters
        ----------
        kind : AlertKind
        texts : dict
            What was seen, by subject.
        """
        for subject in self._book.subjects(kind) - texts.keys():
            self.resolve(kind, subject)
        for subject, text in texts.items():
            self.fire(kind, subject, text)

    async def run(self) -> None:
        """Send what is due until cancelled."""
        timeout = aiohttp.ClientTimeout(total=SEND_TIMEOUT_SEC)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as group:
            for post in self._posts:
                group.create_task(post.run(session))
            while True:
                self.pump()
                await asyncio.sleep(self._section.group_sec)

    def pump(self) -> None:
        """Hand what is due to the queues of all sinks."""
        for message in self._book.due(self._clock()):
            log.info("alert message", kind=message.kind.value, status=message.status, count=message.count)
            for post in self._posts:
                post.put(message)
        for kind in AlertKind:
            self._metrics.alerts_active.labels(kind=kind.value).set(len(self._book.subjects(kind)))

    async def flush(self, longest_sec: float) -> None:
        """Wait until every queue is empty, as before a stop; a sink that hangs is left behind.

        Parameters
        ----------
        longest_sec : float
            Longest wait.
        """
        self.pump()
        until = self._clock() + longest_sec
        while self._clock() < until and any(post.is_busy for post in self._posts):
            await asyncio.sleep(0.05)

    async def deliver(self, sink: Sink, session: aiohttp.ClientSession, message: Message) -> None:
        """Bring one message to one sink, with a few retries; a message that nobody took is counted."""
        for pause in (*self._retry_sec, None):
            try:
                await sink.send(session, message)
            except SinkError as problem:
                if pause is None:
                    log.warning("alert not delivered", sink=sink.name, reason=str(problem))
                    self.lost(sink)
                    return
                await asyncio.sleep(pause)
            else:
                self._metrics.alerts_sent.labels(sink=sink.name).inc()
                return

    def lost(self, sink: Sink) -> None:
        """Count a message that a sink never gets."""
        self._metrics.alerts_lost.labels(sink=sink.name).inc()


class _Post:
    """Bounded queue of one sink, so that one that hangs holds up no other."""

    def __init__(self, sink: Sink, limit: int, owner: Alerts) -> None:
        self._sink = sink
        self._limit = limit
        self._owner = owner
        self._waiting: deque[Message] = deque()
        self._wake = asyncio.Event()
        self._is_sending = False

    @property
    def is_busy(self) -> bool:
        """Whether a message waits or is under way."""
        return bool(self._waiting) or self._is_sending

    def put(self, message: Message) -> None:
        """Queue a message; when the queue is full the oldest goes."""
        if len(self._waiting) >= self._limit:
            self._waiting.popleft()
            self._owner.lost(self._sink)
        self._waiting.append(message)
        self._wake.set()

    async def run(self, session: aiohttp.ClientSession) -> None:
        """Deliver one message after another; a fault of a sink's own code is logged and goes no further."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                self._is_sending = True
                try:
                    await self._owner.deliver(self._sink, session, self._waiting.popleft())
                except Exception:
                    # Alerts are told about trouble; they must never become it.
                    log.exception("sink failed", sink=self._sink.name)
                    self._owner.lost(self._sink)
                self._is_sending = False


def open_sinks(config: KeeperConfig, redactor: Redactor) -> list[Sink]:
    """Open every sink of the configuration.

    Parameters
    ----------
    config : KeeperConfig
        Checked configuration.
    redactor : Redactor
        Learns tokens and addresses.

    Returns
    -------
    list[Sink]

    Raises
    ------
    InputError
        When a token cannot be read.
    """
    section = config.alerts
    wording = Wording(config.keeper.name, section.runbook, redactor)
    sinks: list[Sink] = []
    for number, hook in enumerate(section.webhooks):
        redactor.add(hook.url)
        sinks.append(Webhook(hook.url, wording, number))
    for number, chat in enumerate(section.telegrams):
        token = read_secret(chat.token_file, chat.token_env, f"alerts.telegrams[{number}]", redactor)
        sinks.append(Telegram(chat.api, token, chat.chat, wording, number))
    return sinks
