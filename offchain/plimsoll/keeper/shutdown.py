"""Ending in order: the first signal asks for it, the second does not wait, and nothing takes longer than allowed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from types import FrameType
from typing import Any, Final

import structlog

log = structlog.get_logger()

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
#: Part of the time for a stop that is kept for giving the lease back and closing.
CLOSING_SHARE: Final = 0.4
#: Convention of shells for a process that a signal ended.
SIGNAL_CODE: Final = 128


class Shutdown:
    """Turns signals into a request to stop, and sees to it that the process ends.

    Parameters
    ----------
    stop_sec : float
        From the request to the end of the process.
    leave : Callable[[int], None]
        Ends the process at once with an exit code.
    """

    def __init__(self, stop_sec: float, leave: Callable[[int], None] = os._exit) -> None:
        self._stop_sec = stop_sec
        self._leave = leave
        self._asked = asyncio.Event()
        self._is_asked = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._limit: threading.Timer | None = None

    @property
    def is_asked(self) -> bool:
        """Whether a stop was asked for; the loop looks at it between two steps."""
        return self._is_asked

    async def wait(self, longest_sec: float | None = None) -> bool:
        """Wait for a request to stop, as the pause between two passes.

        Parameters
        ----------
        longest_sec : float or None
            Longest wait.

        Returns
        -------
        bool
            Whether a stop was asked for.
        """
        try:
            await asyncio.wait_for(self._asked.wait(), longest_sec)
        except TimeoutError:
            return False
        return True

    def install(self) -> None:
        """Take SIGTERM and SIGINT; to be called in the event loop, from the main thread."""
        self._loop = asyncio.get_running_loop()
        for number in SIGNALS:
            signal.signal(number, self._on_signal)

    def ask(self) -> None:
        """Ask for a stop, and set the limit of how long it may take; from any thread."""
        if self._is_asked:
            return
        self._is_asked = True
        self._set_limit(0)
        if self._loop is None:
            self._asked.set()
        else:
            self._loop.call_soon_threadsafe(self._asked.set)

    def disarm(self) -> None:
        """Take the limit back: everything is closed, and the process is another program's."""
        if self._limit is not None:
            self._limit.cancel()

    async def run(self, work: Coroutine[Any, Any, None], close: Callable[[], Awaitable[None]]) -> None:
        """Run work until it ends by itself or a stop is asked for, then close.

        Parameters
        ----------
        work : Coroutine
            Ends soon after :attr:`is_asked`. When its step takes too long it is cancelled, which costs nothing: the
            journal resumes from any point.
        close : Callable[[], Awaitable[None]]
            Gives the lease back and closes what is open.
        """
        task = asyncio.create_task(work)
        asked = asyncio.create_task(self._asked.wait())
        try:
            await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                log.info("stopping", within_sec=self._stop_sec)
                await asyncio.wait({task}, timeout=self._stop_sec * (1 - CLOSING_SHARE))
            if not task.done():
                log.warning("a step was cut short")
                task.cancel()
                await asyncio.wait({task}, timeout=self._stop_sec * CLOSING_SHARE / 2)
        finally:
            # Also where the loop ended by itself: threads that hang would hold up the interpreter for ever.
            self._set_limit(0 if self._is_asked else 1)
            asked.cancel()
            await close()
        if task.done() and not task.cancelled():
            task.result()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        """Run in the main thread between two instructions, even while the event loop is blocked."""
        if self._is_asked:
            self._leave(SIGNAL_CODE + number)
        self.ask()

    def _set_limit(self, code: int) -> None:
        """Let the process end in time whatever holds it up; the first limit counts.

        It stays set when everything is closed, because the interpreter then still waits for threads.
        """
        if self._limit is not None:
            return
        # A thread of its own: a step that blocks the event loop, or a database thread that hangs, cannot hold it up.
        self._limit = threading.Timer(self._stop_sec, self._time_is_up, (code,))
        self._limit.daemon = True
        self._limit.start()

    def _time_is_up(self, code: int) -> None:
        print("ended before everything was done; the journal resumes it", file=sys.stderr, flush=True)
        self._leave(code)
