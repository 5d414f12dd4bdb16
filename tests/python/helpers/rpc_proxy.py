"""A JSON-RPC proxy that injects faults: a real HTTP server in front of a real node, for every room that asks one.

::

    with RpcProxy(chain.url) as proxy:
        proxy.add(lagging_logs(5))
        ...  # anything that talks to proxy.url now meets a node whose logs are five blocks behind
        proxy.clear()

A fault looks at each request on its way to the node (and may rewrite it, refuse it or answer itself), at each answer on
its way back, and at the whole HTTP body. ``times`` says how often it strikes before it is over; for ever when not
given.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from eth_utils.crypto import keccak

Request = dict[str, Any]
Answer = Any


class Drop(Exception):  # noqa: N818 (it is an action, not an error)
    """Close the connection without an answer."""


@dataclass
class Reply(Exception):  # noqa: N818
    """Answer the whole HTTP request with this, without asking the node."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def _never(*_: Any) -> None:
    return None


@dataclass
class Fault:
    """One thing that goes wrong.

    Every hook returns ``None`` to leave things as they are; only a hook that does something uses up ``times``.
    """

    name: str
    #: Methods that it concerns; all when empty.
    methods: frozenset[str] = frozenset()
    times: int | None = None
    #: Sees the parsed HTTP body; may raise :class:`Drop` or :class:`Reply`.
    on_payload: Callable[[Any], None] = _never
    #: Sees one request before it goes to the node; returns another request, or ``{"answer": ...}`` to answer itself.
    on_request: Callable[[Request], Request | None] = _never
    #: Sees one answer; returns another one as a list of one.
    on_answer: Callable[[Request, Answer], list[Answer] | None] = _never
    #: Sees all answers as they would be sent; returns the bytes to send instead, or raises.
    on_body: Callable[[Any, Any], bytes | None] = _never
    delay_sec: float = 0.0
    #: How often it struck.
    struck: int = 0

    def concerns(self, payload: Any) -> bool:
        """Return whether the fault is not over and any request is of its methods."""
        if self.times is not None and self.struck >= self.times:
            return False
        requests = payload if isinstance(payload, list) else [payload]
        return not self.methods or any(request.get("method") in self.methods for request in requests)


class RpcProxy:
    """Forwards JSON-RPC to a node, with faults; runs in a thread of its own while the ``with`` block lasts."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.faults: list[Fault] = []
        #: Requests that arrived, by method.
        self.seen: Counter[str] = Counter()
        #: HTTP bodies that arrived: how many requests each held, 0 for one that was no batch.
        self.bodies: list[int] = []
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def add(self, *faults: Fault) -> Fault:
        """Let faults strike from now on; return the last one, whose ``struck`` tells."""
        self.faults.extend(faults)
        return faults[-1]

    def clear(self) -> None:
        """End all faults."""
        self.faults.clear()

    def __enter__(self) -> RpcProxy:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> None:
        self._session = aiohttp.ClientSession()
        app = web.Application(client_max_size=1 << 30)
        app.router.add_post("/", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _stop(self) -> None:
        await self._session.close()
        await self._runner.cleanup()

    async def _handle(self, incoming: web.Request) -> web.StreamResponse:
        payload = json.loads(await incoming.read())
        requests = payload if isinstance(payload, list) else [payload]
        self.seen.update(request["method"] for request in requests)
        self.bodies.append(len(payload) if isinstance(payload, list) else 0)
        faults = [fault for fault in self.faults if fault.concerns(payload)]
        try:
            body = await self._through(payload, faults)
        except Reply as reply:
            return web.Response(body=reply.body, status=reply.status, headers=reply.headers)
        except Drop:
            assert incoming.transport is not None
            incoming.transport.abort()
            return web.Response(status=500)
        return web.Response(body=body, content_type="application/json")

    async def _through(self, payload: Any, faults: Sequence[Fault]) -> bytes:
        """Take one HTTP body through all faults, to the node and back."""
        for fault in faults:
            if fault.delay_sec:
                fault.struck += 1
                await asyncio.sleep(fault.delay_sec)
            _strike(fault, fault.on_payload, payload)
        requests = payload if isinstance(payload, list) else [payload]
        answers = await self._forward(requests, faults)
        sent = answers if isinstance(payload, list) else answers[0]
        for fault in faults:
            replaced = _strike(fault, fault.on_body, payload, sent)
            if replaced is not None:
                return replaced
        return json.dumps(sent).encode()

    async def _forward(self, requests: Sequence[Request], faults: Sequence[Fault]) -> list[Answer]:
        """Ask the node what faults do not answer themselves."""
        answers: dict[int, Answer] = {}
        passed: list[tuple[int, Request]] = []
        for place, request in enumerate(requests):
            changed = dict(request)
            for fault in faults:
                if not fault.methods or request["method"] in fault.methods:
                    changed = _strike(fault, fault.on_request, changed) or changed
            if "answer" in changed:
                answers[place] = {"jsonrpc": "2.0", "id": request["id"], **changed["answer"]}
            else:
                passed.append((place, changed))
        if passed:
            async with self._session.post(self.target, json=[request for _, request in passed]) as response:
                found = await response.json(content_type=None)
            answers |= dict(zip((place for place, _ in passed), found, strict=True))
        return [self._back(requests[place], answers[place], faults) for place in range(len(requests))]

    def _back(self, request: Request, answer: Answer, faults: Sequence[Fault]) -> Answer:
        for fault in faults:
            if not fault.methods or request["method"] in fault.methods:
                changed = _strike(fault, fault.on_answer, request, answer)
                answer = answer if changed is None else changed[0]
        return answer


def _strike(fault: Fault, hook: Callable[..., Any], *arguments: Any) -> Any:
    """Call a hook and count when it did something."""
    try:
        result = hook(*arguments)
    except (Drop, Reply):
        fault.struck += 1
        raise
    if result is not None:
        fault.struck += 1
    return result


def _methods(*names: str) -> frozenset[str]:
    return frozenset(names)


# Connections.


def drop(*methods: str, times: int | None = None) -> Fault:
    """The connection closes before the node hears of it."""

    def closed(_payload: Any) -> None:
        raise Drop

    return Fault("drop", _methods(*methods), times, on_payload=closed)


def lost_answer(*methods: str, times: int | None = None) -> Fault:
    """The node does it, and the connection closes before the answer."""

    def closed(_payload: Any, _sent: Any) -> bytes:
        raise Drop

    return Fault("lost answer", _methods(*methods), times, on_body=closed)


def delay(seconds: float, *methods: str, times: int | None = None) -> Fault:
    """Every HTTP answer comes late."""
    return Fault("delay", _methods(*methods), times, delay_sec=seconds)


def status(code: int, *methods: str, times: int | None = None, retry_after: str | None = None) -> Fault:
    """The server answers with an HTTP status and a page."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}

    def refused(_payload: Any) -> None:
        raise Reply(b"<html>no</html>", code, headers)

    return Fault(f"HTTP {code}", _methods(*methods), times, on_payload=refused)


# Answers of a wrong shape.


def error(code: int, message: str, *methods: str, times: int | None = None, data: Any = None) -> Fault:
    """Requests of some methods are answered by an error, those beside them in a batch are not."""
    found = {"code": code, "message": message} | ({} if data is None else {"data": data})
    return Fault(f"error {code}", _methods(*methods), times, on_request=lambda _request: {"answer": {"error": found}})


def result(value: Any, *methods: str, times: int | None = None) -> Fault:
    """The result is this, whatever was asked."""
    return Fault(
        f"result {value!r}", _methods(*methods), times, on_answer=lambda _r, a: [{"id": a["id"], "result": value}]
    )


def no_result(*methods: str, times: int | None = None) -> Fault:
    """An answer with neither result nor error."""
    return Fault("no result", _methods(*methods), times, on_answer=lambda _r, a: [{"jsonrpc": "2.0", "id": a["id"]}])


def wrong_ids(*methods: str, times: int | None = None) -> Fault:
    """Answers carry ids that nobody asked for."""
    return Fault("wrong ids", _methods(*methods), times, on_answer=lambda _r, a: [{**a, "id": a["id"] + 100_000}])


def body(content: bytes, *methods: str, times: int | None = None) -> Fault:
    """The whole HTTP answer is this."""
    return Fault(f"body {content[:20]!r}", _methods(*methods), times, on_body=lambda _p, _s: content)


def half_body(*methods: str, times: int | None = None) -> Fault:
    """The JSON ends in the middle."""

    def cut(_payload: Any, sent: Any) -> bytes:
        whole = json.dumps(sent).encode()
        return whole[: len(whole) // 2]

    return Fault("half body", _methods(*methods), times, on_body=cut)


def short_batch(missing: int = 1, times: int | None = None) -> Fault:
    """A batch gets fewer answers than requests."""
    return Fault(
        "short batch",
        times=times,
        on_body=lambda p, s: json.dumps(s[:-missing]).encode() if isinstance(p, list) else None,
    )


def duplicated_answers(times: int | None = None) -> Fault:
    """A batch gets its first answer twice."""
    return Fault(
        "duplicate", times=times, on_body=lambda p, s: json.dumps([*s, s[0]]).encode() if isinstance(p, list) else None
    )


def no_batches(times: int | None = None) -> Fault:
    """The node knows no batches."""

    def refused(payload: Any) -> None:
        if isinstance(payload, list):
            text = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batch requests are not supported"}}'
            raise Reply(text)

    return Fault("no batches", times=times, on_payload=refused)


# Limits.


def batch_limit(most: int) -> Fault:
    """The node refuses larger batches."""

    def refused(payload: Any) -> None:
        if isinstance(payload, list) and len(payload) > most:
            text = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"batch limit exceeded"}}'
            raise Reply(text)

    return Fault("batch limit", on_payload=refused)


def _span(request: Request) -> tuple[int, int]:
    query = request["params"][0]
    return int(query["fromBlock"], 16), int(query["toBlock"], 16)


def range_limit(most_blocks: int) -> Fault:
    """``eth_getLogs`` refuses longer ranges of blocks."""

    def limited(request: Request) -> Request | None:
        first, last = _span(request)
        if last - first + 1 <= most_blocks:
            return None
        return {"answer": {"error": {"code": -32000, "message": f"block range is too wide, {most_blocks} at most"}}}

    return Fault("range limit", _methods("eth_getLogs"), on_request=limited)


def log_limit(most_logs: int, *, silent: bool = False) -> Fault:
    """``eth_getLogs`` refuses more logs, or cuts them off without a word."""
    text = f"query returned more than {most_logs} results"

    def limited(_request: Request, answer: Answer) -> list[Answer] | None:
        if len(answer.get("result", ())) <= most_logs:
            return None
        kept = {"result": answer["result"][:most_logs]} if silent else {"error": {"code": -32005, "message": text}}
        return [{"jsonrpc": "2.0", "id": answer["id"], **kept}]

    return Fault("log limit", _methods("eth_getLogs"), on_answer=limited)


# A node that is not where others are.


def lagging_logs(blocks: int, times: int | None = None) -> Fault:
    """``eth_getLogs`` is answered by a node that has not seen the newest blocks of the range, without a word."""

    def behind(request: Request, answer: Answer) -> list[Answer] | None:
        newest = _span(request)[1] - blocks
        if "result" not in answer:
            return None
        kept = [log for log in answer["result"] if int(log["blockNumber"], 16) <= newest]
        return [{**answer, "result": kept}] if len(kept) < len(answer["result"]) else None

    return Fault("lagging logs", _methods("eth_getLogs"), times, on_answer=behind)


def lost_logs(chosen: Callable[[dict[str, Any]], bool], times: int | None = None) -> Fault:
    """``eth_getLogs`` leaves out some logs."""

    def fewer(_request: Request, answer: Answer) -> list[Answer] | None:
        kept = [log for log in answer.get("result", ()) if not chosen(log)]
        return [{**answer, "result": kept}] if len(kept) < len(answer.get("result", ())) else None

    return Fault("lost logs", _methods("eth_getLogs"), times, on_answer=fewer)


def changed_logs(change: Callable[[dict[str, Any]], dict[str, Any]], times: int | None = None) -> Fault:
    """``eth_getLogs`` sends logs that are not those of the chain."""

    def other(_request: Request, answer: Answer) -> list[Answer] | None:
        return [{**answer, "result": [change(log) for log in answer["result"]]}] if answer.get("result") else None

    return Fault("changed logs", _methods("eth_getLogs"), times, on_answer=other)


def stale_head(number: int, times: int | None = None) -> Fault:
    """The node has not seen anything above a block: head, blocks, logs and receipts end there."""

    def older(request: Request) -> Request | None:
        method, params = request["method"], request["params"]
        if method == "eth_blockNumber":
            return {"answer": {"result": hex(number)}}
        if method == "eth_getBlockByNumber":
            if params[0] in ("latest", "pending", "safe"):
                return {**request, "params": [hex(number), *params[1:]]}
            return {"answer": {"result": None}} if params[0][:2] == "0x" and int(params[0], 16) > number else None
        if method == "eth_getLogs" and "toBlock" in params[0]:
            last = min(_span(request)[1], number)
            return {**request, "params": [{**params[0], "toBlock": hex(last)}]}
        return None

    return Fault("stale head", times=times, on_request=older)


# Transactions.


def wrong_nonces(offset: int, times: int | None = None) -> Fault:
    """The node counts transactions of an account wrongly."""

    def other(_request: Request, answer: Answer) -> list[Answer] | None:
        if "result" not in answer:
            return None
        return [{**answer, "result": hex(max(0, int(answer["result"], 16) + offset))}]

    return Fault("wrong nonces", _methods("eth_getTransactionCount"), times, on_answer=other)


def lost_sends(times: int | None = None) -> Fault:
    """The node says that it took a transaction, and forgets it."""

    def forgotten(request: Request) -> Request:
        raw = bytes.fromhex(request["params"][0][2:])
        return {"answer": {"result": "0x" + keccak(raw).hex()}}

    return Fault("lost send", _methods("eth_sendRawTransaction"), times, on_request=forgotten)


def refused_sends(message: str, times: int | None = None, code: int = -32000) -> Fault:
    """The node refuses transactions: ``insufficient funds``, ``replacement transaction underpriced`` and their like."""
    return error(code, message, "eth_sendRawTransaction", times=times)


def hidden_receipts(times: int | None = None) -> Fault:
    """Receipts are asked of a node that has not seen the block yet."""
    return result(None, "eth_getTransactionReceipt", times=times)
