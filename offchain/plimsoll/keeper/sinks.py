"""Where alerts go: a webhook that takes JSON, a chat of a bot."""

from __future__ import annotations

from typing import Any, Protocol

import aiohttp

from plimsoll.errors import UnavailableError
from plimsoll.keeper.alert_book import URGENT, Message
from plimsoll.keeper.redaction import Redactor, hide_addresses

#: What a bot's interface takes in one message.
MAX_TEXT = 4_000


class SinkError(UnavailableError):
    """A sink did not take a message."""


class Sink(Protocol):
    """Takes one message at a time."""

    name: str

    async def send(self, session: aiohttp.ClientSession, message: Message) -> None:
        """Deliver a message.

        Raises
        ------
        SinkError
            When it was not taken.
        """
        ...


class Wording:
    """Turns messages into what people and programs read.

    Parameters
    ----------
    keeper : str
        Name of this keeper.
    runbook : str
        Page whose sections the messages link to.
    redactor : Redactor
        Takes secrets out.
    """

    def __init__(self, keeper: str, runbook: str, redactor: Redactor) -> None:
        self._keeper = keeper
        self._runbook = runbook
        self._redactor = redactor

    def document(self, message: Message) -> dict[str, Any]:
        """Return a message as JSON."""
        return {
            "keeper": self._keeper,
            "kind": message.kind.value,
            "status": message.status,
            "urgent": message.kind in URGENT,
            "count": message.count,
            "subjects": [self._redactor.text(subject) for subject in message.subjects],
            "texts": [self._redactor.text(text) for text in message.texts],
            "runbook": f"{self._runbook}#{message.kind.value}",
            # What most chat webhooks show.
            "text": self.text(message),
        }

    def text(self, message: Message) -> str:
        """Return a message as lines for a person."""
        mark = "resolved" if message.status == "resolved" else "URGENT" if message.kind in URGENT else "alert"
        lines = [f"[{mark}] {self._keeper}: {message.kind.value.replace('-', ' ')} ({message.count})"]
        if message.status == "firing":
            lines += [f"- {subject}: {text}" for subject, text in zip(message.subjects, message.texts, strict=True)]
        else:
            lines.append(", ".join(message.subjects))
        more = message.count - len(message.subjects)
        if more:
            lines.append(f"and {more} more")
        if message.status == "firing":
            lines.append(f"{self._runbook}#{message.kind.value}")
        return self._redactor.text("\n".join(lines))[:MAX_TEXT]


class Webhook:
    """Posts each message as JSON.

    Parameters
    ----------
    url : str
        Address; it may be a secret, so that it is never shown.
    wording : Wording
        How messages are put.
    number : int
        Which one of several, for metrics.
    """

    def __init__(self, url: str, wording: Wording, number: int = 0) -> None:
        self.name = f"webhook-{number}"
        self._url = url
        self._wording = wording

    async def send(self, session: aiohttp.ClientSession, message: Message) -> None:
        """Deliver a message; any answer in the two hundreds means that it was taken."""
        await _post(session, self.name, self._url, self._wording.document(message))


class Telegram:
    """Sends each message to a chat of a bot.

    Parameters
    ----------
    api : str
        Address of the bot interface.
    token : str
        Token of the bot.
    chat : str
        Chat that gets the messages.
    wording : Wording
        How messages are put.
    number : int
        Which one of several, for metrics.
    """

    def __init__(self, api: str, token: str, chat: str, wording: Wording, number: int = 0) -> None:
        self.name = f"telegram-{number}"
        self._url = f"{api.rstrip('/')}/bot{token}/sendMessage"
        self._chat = chat
        self._wording = wording

    async def send(self, session: aiohttp.ClientSession, message: Message) -> None:
        """Deliver a message as plain text, so that nothing in it can break its markup."""
        body = {"chat_id": self._chat, "text": self._wording.text(message), "disable_web_page_preview": True}
        await _post(session, self.name, self._url, body)


async def _post(session: aiohttp.ClientSession, name: str, url: str, body: dict[str, Any]) -> None:
    """Post JSON; whatever goes wrong is one error that never shows the address."""
    try:
        async with session.post(url, json=body, allow_redirects=False) as answer:
            if not 200 <= answer.status < 300:
                raise SinkError(name, f"answered with HTTP status {answer.status}")
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as reason:
        raise SinkError(name, hide_addresses(f"not reached ({type(reason).__name__})")) from None
