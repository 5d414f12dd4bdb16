"""One endpoint, asynchronously: JSON-RPC over HTTP in batches, where every answer that is none is one typed error."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import count
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import orjson

from plimsoll.chain.collector import collector_paused
from plimsoll.chain.problem import Kind, NodeProblem
from plimsoll.chain.problem import problem_of as _problem_of
from plimsoll.chain.revert import RevertError
from plimsoll.errors import InputError

TIMEOUT_SEC: Final = 20.0
CONNECT_SEC: Final = 5.0
#: An answer above this is refused, so that no node fills the memory of the process.
MAX_BYTES: Final = 256 * 1024 * 1024
#: Requests in one HTTP body at first; a node that refuses it is asked for half from then on.
BATCH_SIZE: Final = 500
#: Full bodies after which a node that once refused larger ones is asked for one.
GROW_AFTER: Final = 100
#: Requests at the same time to a node that takes no batches.
PARALLEL: Final = 8

Request = tuple[str, Sequence[Any]]
Answer = Any


def shown_url(url: str) -> str:
    """Return an address without what may be a secret: user, password, path and query.

    Parameters
    ----------
    url : str
        Address of a node; providers put keys into the path.

    Returns
    -------
    str
        Scheme, host and port.

    Raises
    ------
    InputError
        When it is no HTTP address.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as reason:
        raise InputError("endpoint", f"is not an address ({reason})") from None
    if parts.scheme not in ("http", "https") or not host:
        raise InputError("endpoint", "must be an address such as http://127.0.0.1:8545")
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


class Node:
    """One endpoint. Belongs to the event loop that first uses it.

    Parameters
    ----------
    url : str
        HTTP address of the node.
    timeout_sec : float
        Longest wait for one answer.
    batch_size : int
        Most requests in one HTTP body.
    max_bytes : int
        Largest answer that is read.

    Raises
    ------
    InputError
        When the address is none.
    """

    def __init__(
        self, url: str, *, timeout_sec: float = TIMEOUT_SEC, batch_size: int = BATCH_SIZE, max_bytes: int = MAX_BYTES
    ) -> None:
        self._address = url
        self._shown = shown_url(url)
        self._timeout = aiohttp.ClientTimeout(total=timeout_sec, sock_connect=min(CONNECT_SEC, timeout_sec))
        self._max_bytes = max_bytes
        self._ids = count(1)
        self._session: aiohttp.ClientSession | None = None
        #: Most requests that go into one HTTP body, 1 for a node that takes no batches.
        self.batch_size = batch_size
        self._most, self._full_batches = batch_size, 0

    @property
    def url(self) -> str:
        """Address without credentials."""
        return self._shown

    async def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def rpc(self, method: str, *params: Any) -> Any:
        """Send one request, once.

        Parameters
        ----------
        method : str
            JSON-RPC method.
        *params : Any
            Its parameters.

        Returns
        -------
        Any
            The ``result`` field, ``None`` included.

        Raises
        ------
        RevertError
            When the node reports a revert.
        NodeProblem
            When there is no usable answer.
        """
        number = next(self._ids)
        body = await self._post({"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}, method)
        if not isinstance(body, dict):
            raise NodeProblem(self.url, f"{method}: the answer is no object", "malformed")
        answer = self._unwrap(method, body)
        if isinstance(answer, NodeProblem | RevertError):
            raise answer
        if body.get("id") != number:
            raise NodeProblem(self.url, f"{method}: the answer carries another id", "malformed")
        return answer

    async def batch(self, requests: Sequence[Request]) -> list[Answer]:
        """Send many requests in as few HTTP bodies as the node takes.

        Parameters
        ----------
        requests : Sequence[tuple[str, Sequence[Any]]]
            Method and parameters of each; reads alone, because a part may be sent again in smaller bodies.

        Returns
        -------
        list
            Results in the order of the requests; a :class:`NodeProblem` or a ``RevertError`` stands where one failed.

        Raises
        ------
        NodeProblem
            When an HTTP body as a whole got no usable answer.
        """
        answers: list[Answer] = []
        while len(answers) < len(requests):
            size = self.batch_size
            if size > 1:
                answers.extend(await self._send_part(requests[len(answers) : len(answers) + size]))
            else:
                answers.extend(await self._send_singly(requests[len(answers) : len(answers) + PARALLEL]))
        return answers

    async def _send_part(self, requests: Sequence[Request]) -> list[Answer]:
        """Send one HTTP body; nothing when the node wants smaller ones, which ``batch_size`` then says."""
        numbers = [next(self._ids) for _ in requests]
        payload = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}
            for number, (method, params) in zip(numbers, requests, strict=True)
        ]
        try:
            body = await self._post(payload, f"a batch of {len(requests)}")
            if isinstance(body, list):
                answers = self._in_order(body, numbers, requests)
                self._grow(len(requests))
                return answers
            if not isinstance(body, dict) or body.get("error") is None:
                raise NodeProblem(self.url, "a batch was answered by neither a list nor an error", "malformed")
            whole = _problem_of(self.url, "batch", body["error"])
        except NodeProblem as problem:
            # A status such as 429 asks for patience and not for smaller bodies: only 413 and its like say "too large".
            if problem.kind not in ("limit", "unsupported") or problem.retry_after_sec is not None:
                raise
            whole = problem
        limited = isinstance(whole, NodeProblem) and whole.kind == "limit"
        if limited and len(requests) == 1:
            raise whole
        self.batch_size = max(1, min(self.batch_size, len(requests)) // 2) if limited else 1
        return []

    def _grow(self, sent: int) -> None:
        """Try larger bodies again after many that were as large as they may be: limits of a node come and go."""
        if sent == self.batch_size < self._most:
            self._full_batches += 1
            if self._full_batches >= GROW_AFTER:
                self.batch_size, self._full_batches = min(2 * self.batch_size, self._most), 0

    async def _send_singly(self, requests: Sequence[Request]) -> list[Answer]:
        """Send each request alone; one that fails leaves the others their answers."""

        async def one(method: str, params: Sequence[Any]) -> Answer:
            try:
                return await self.rpc(method, *params)
            except (NodeProblem, RevertError) as problem:
                return problem

        answers = list(await asyncio.gather(*(one(method, params) for method, params in requests)))
        whole = [answer for answer in answers if isinstance(answer, NodeProblem)]
        if len(whole) == len(answers) and all(problem.kind == "down" for problem in whole):
            raise whole[0]
        return answers

    def _in_order(self, body: list[Any], numbers: list[int], requests: Sequence[Request]) -> list[Answer]:
        """Match answers with requests by their ids: each exactly once."""
        found: dict[int, Answer] = {}
        methods = dict(zip(numbers, (method for method, _ in requests), strict=True))
        for answer in body:
            number = answer.get("id") if isinstance(answer, dict) else None
            if not isinstance(number, int) or number not in methods or number in found:
                raise NodeProblem(self.url, "an answer of a batch has an id that was not asked for", "malformed")
            found[number] = self._unwrap(methods[number], answer)
        if len(found) != len(requests):
            text = f"{len(found)} answers to a batch of {len(requests)}"
            raise NodeProblem(self.url, text, "malformed")
        return [found[number] for number in numbers]

    def _unwrap(self, method: str, answer: dict[str, Any]) -> Answer:
        """Return the result of one answer, or what is wrong with it."""
        error = answer.get("error")
        if error is not None:
            return _problem_of(self.url, method, error)
        if "result" not in answer:
            return NodeProblem(self.url, f"{method}: the answer has neither result nor error", "malformed")
        return answer["result"]

    async def _post(self, payload: Any, what: str) -> Any:
        """Send one HTTP body and read the JSON of its answer."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=2 * PARALLEL)
            self._session = aiohttp.ClientSession(timeout=self._timeout, connector=connector)
        headers = {"Content-Type": "application/json"}
        try:
            async with self._session.post(self._address, data=orjson.dumps(payload), headers=headers) as response:
                content = await self._read(response, what)
                status, retry_after = response.status, response.headers.get("Retry-After")
        except (aiohttp.ClientError, TimeoutError, OSError) as reason:
            text = f"no answer to {what} ({type(reason).__name__})"
            raise NodeProblem(self.url, text, "down") from reason
        return self._parse(content, status, retry_after, what)

    async def _read(self, response: aiohttp.ClientResponse, what: str) -> bytes:
        """Read an answer up to the largest size that is taken."""
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.content.iter_chunked(1 << 18):
            size += len(chunk)
            if size > self._max_bytes:
                raise NodeProblem(self.url, f"the answer to {what} is above {self._max_bytes} bytes", "limit")
            chunks.append(chunk)
        return b"".join(chunks)

    def _parse(self, content: bytes, status: int, retry_after: str | None, what: str) -> Any:
        """Read JSON; a status that is no success counts as what it says, unless the body says more."""
        text = f"{what}: HTTP status {status}"
        if status == 429:
            wait_sec = float(retry_after) if retry_after and retry_after.isdigit() else 1.0
            raise NodeProblem(self.url, text, "limit", wait_sec)
        if status == 413:
            raise NodeProblem(self.url, text, "limit")
        try:
            with collector_paused():
                body = orjson.loads(content)
        except orjson.JSONDecodeError:
            if status >= 500:
                raise NodeProblem(self.url, text, "down") from None
            kind: Kind = "refused" if status >= 400 else "malformed"
            raise NodeProblem(self.url, f"{text}, not JSON", kind) from None
        if status < 400 or (isinstance(body, dict) and body.get("error") is not None) or isinstance(body, list):
            return body
        raise NodeProblem(self.url, text, "down" if status >= 500 else "refused")
