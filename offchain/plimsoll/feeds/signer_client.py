"""Asks signer services for their signatures, all at once; one that is missing, slow or refuses stops nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

import aiohttp
import orjson
from eth_account.signers.local import LocalAccount

from plimsoll.errors import InputError
from plimsoll.feeds.messages import Message, Messages
from plimsoll.feeds.web import shown

TIMEOUT_SEC: Final = 5.0
MAX_ANSWER_BYTES: Final = 64 * 1024
MAX_REASONS: Final = 32


class Answer(StrEnum):
    """How a signer answered; the names are labels of metrics and stay."""

    SIGNED = "signed"
    REFUSED = "refused"
    SILENT = "silent"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Report:
    """What came of asking one signer.

    Attributes
    ----------
    signer : str
        Address of the service, or of the key.
    answer : Answer
    text : str
        Its reasons, or why there is no answer; empty for a signature.
    bad_expiries : frozenset of int or None
        Expiries that it objects to and nothing else; ``None`` when it objects to more, or says nothing.
    """

    signer: str
    answer: Answer
    text: str = ""
    bad_expiries: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Collected:
    """Signatures of one message.

    Attributes
    ----------
    signatures : Mapping[str, bytes]
        By address; checked here, of signers that the oracle knows.
    reports : tuple[Report, ...]
        One of each signer asked.
    needed : int
        Signatures that the oracle needs.
    """

    signatures: Mapping[str, bytes]
    reports: tuple[Report, ...]
    needed: int

    @property
    def is_enough(self) -> bool:
        """Whether the oracle would take it."""
        return len(self.signatures) >= self.needed

    def __str__(self) -> str:
        said = "; ".join(f"{r.signer} {r.answer}" + (f" ({r.text})" if r.text else "") for r in self.reports)
        return f"{len(self.signatures)} of {self.needed} signatures: {said}"


class Asked(Protocol):
    """A signer that can be asked, a service or a key in this process."""

    @property
    def name(self) -> str:
        """Name in reports."""
        ...

    async def ask(self, message: Message) -> tuple[bytes | None, Report]:
        """Return its signature, or why there is none."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class LocalSigner:
    """A key in this process, for local chains and for tests: it signs whatever it is asked.

    Parameters
    ----------
    account : LocalAccount
        Key.
    messages : Messages
        Of the oracle it signs for.
    """

    def __init__(self, account: LocalAccount, messages: Messages) -> None:
        self._account, self._messages = account, messages
        self.name = account.address

    async def ask(self, message: Message) -> tuple[bytes | None, Report]:
        """Sign."""
        return self._messages.sign(self._account, message), Report(self.name, Answer.SIGNED)

    async def close(self) -> None:
        """Do nothing."""


class RemoteSigner:
    """A signer service.

    Parameters
    ----------
    url : str
        Its address, such as ``http://127.0.0.1:8700``.
    messages : Messages
        Of the oracle it signs for.
    token : str
        Shared with the service; empty for none.
    timeout_sec : float
        Longest wait for its answer.
    """

    def __init__(self, url: str, messages: Messages, *, token: str = "", timeout_sec: float = TIMEOUT_SEC) -> None:
        self._url, self._messages, self._token = url.rstrip("/"), messages, token
        self.name = shown(url)
        if not self.name.startswith(("http://", "https://")):
            raise InputError("signer", f"{self.name} is no http address")
        self._timeout = aiohttp.ClientTimeout(total=timeout_sec)
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, message: Message) -> tuple[bytes | None, Report]:
        """Ask once: a signer that is asked again answers the same."""
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        headers["Content-Type"] = "application/json"
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        data = orjson.dumps(self._messages.to_wire(message))
        try:
            async with self._session.post(f"{self._url}/sign", data=data, headers=headers) as response:
                body = await response.content.read(MAX_ANSWER_BYTES)
                while more := await response.content.read(MAX_ANSWER_BYTES):
                    body += more
                    if len(body) > MAX_ANSWER_BYTES:
                        return None, self._report(Answer.WRONG, f"answer is longer than {MAX_ANSWER_BYTES} bytes")
                return self._read(response.status, body)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            return None, self._report(Answer.SILENT, str(error) or type(error).__name__)

    async def close(self) -> None:
        """Close connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _report(self, answer: Answer, text: str, bad: frozenset[int] | None = None) -> Report:
        return Report(self.name, answer, text, bad)

    def _read(self, status: int, body: bytes) -> tuple[bytes | None, Report]:
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            return None, self._report(Answer.WRONG, f"answered no JSON (HTTP status {status})")
        if status == 200 and isinstance(document, dict) and isinstance(document.get("signature"), str):
            try:
                return bytes.fromhex(document["signature"].removeprefix("0x")), Report(self.name, Answer.SIGNED)
            except ValueError:
                return None, self._report(Answer.WRONG, "the signature is not hexadecimal")
        if status == 409 and isinstance(document, dict) and isinstance(document.get("reasons"), list):
            texts, bad = _reasons(document["reasons"][:MAX_REASONS])
            return None, self._report(Answer.REFUSED, "; ".join(texts), bad)
        text = document.get("error", "") if isinstance(document, dict) else ""
        return None, self._report(Answer.WRONG, f"HTTP status {status} {text}"[:200].rstrip())


def _reasons(found: Sequence[Any]) -> tuple[list[str], frozenset[int] | None]:
    """Return texts, and the expiries when nothing else is objected to."""
    texts, expiries = [], set()
    for reason in found:
        text = reason.get("text") if isinstance(reason, dict) else None
        expiry = reason.get("expiry") if isinstance(reason, dict) else None
        texts.append(str(text)[:200])
        expiries.add(expiry if isinstance(expiry, int) and not isinstance(expiry, bool) else 0)
    return texts, frozenset(expiries) if expiries and 0 not in expiries else None


class Quorum:
    """All signers of an oracle.

    Parameters
    ----------
    signers : Sequence[Asked]
        Services or keys.
    messages : Messages
        Of the oracle.
    needed : Callable[[], Awaitable[int]]
        Tells how many signatures the oracle needs now.
    is_signer : Callable[[str], Awaitable[bool]]
        Tells whether the oracle takes signatures of an address.
    """

    def __init__(
        self,
        signers: Sequence[Asked],
        messages: Messages,
        needed: Callable[[], Awaitable[int]],
        is_signer: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._signers, self._messages = tuple(signers), messages
        self._needed, self._is_signer = needed, is_signer

    async def collect(self, message: Message) -> Collected:
        """Ask all signers at once, and return as soon as enough have signed.

        Parameters
        ----------
        message : Message

        Returns
        -------
        Collected
            Possibly of too few. A signer that had not answered yet when enough had is reported as silent.

        Raises
        ------
        UnavailableError
            When the chain does not say how many are needed.
        """
        needed = await self._needed()
        tasks = {asyncio.create_task(signer.ask(message)): signer for signer in self._signers}
        signatures: dict[str, bytes] = {}
        reports: list[Report] = []
        waiting = set(tasks)
        while waiting and len(signatures) < needed:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                reports.append(await self._taken(message, *task.result(), signatures))
        for task in waiting:
            task.cancel()
            reports.append(Report(tasks[task].name, Answer.SILENT, "not waited for: enough had signed"))
        await asyncio.gather(*waiting, return_exceptions=True)
        return Collected(dict(list(signatures.items())[:needed]), tuple(reports), needed)

    async def close(self) -> None:
        """Close every signer."""
        await asyncio.gather(*(signer.close() for signer in self._signers))

    async def _taken(
        self, message: Message, signature: bytes | None, report: Report, signatures: dict[str, bytes]
    ) -> Report:
        """Keep a signature that the oracle would take; what another claims to be is not believed."""
        if signature is None:
            return report
        address = self._messages.signer_of(message, signature)
        if address is None or not await self._is_signer(address):
            return Report(report.signer, Answer.WRONG, f"signed by {address or 'nobody'}, no signer of the oracle")
        if address in signatures:
            return Report(report.signer, Answer.WRONG, f"{address} has signed already")
        signatures[address] = signature
        return report
