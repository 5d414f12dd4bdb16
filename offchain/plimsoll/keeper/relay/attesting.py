"""Signatures of headers between keepers: each attests what its own nodes call final, and nothing else.

A signature of a final block is no secret, because it ends up on a chain; so whoever asks gets it. What protects the
feed is that no keeper believes another: who is asked looks at its own nodes, and who asks checks who has signed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import aiohttp
import orjson
import structlog
from aiohttp import web

from plimsoll.errors import InputError, PlimsollError
from plimsoll.keeper.relay.source import Source
from plimsoll.keeper.relay.way import Way
from plimsoll.keeper.web import listen
from plimsoll.remote.headers import Header, signer_of

log = structlog.get_logger()

#: Requests that wait for nodes at once; more are told to come back.
MAX_WAITING: Final = 8
#: Heights whose attested hash is remembered.
MAX_KEPT: Final = 4_096
#: Largest answer of another keeper.
MAX_BYTES: Final = 65_536


class Attester:
    """Serves signatures of final headers by the keys of this process.

    Parameters
    ----------
    bind : str
        ``HOST:PORT``; port 0 takes any free one.
    ways : sequence of Way
        Both; each is asked for by the chain that it proves.
    """

    def __init__(self, bind: str, ways: Sequence[Way]) -> None:
        self._bind, self._ways = bind, {way.source.chain_id: way for way in ways}
        self._lock, self._waiting = asyncio.Lock(), 0
        self._attested: dict[tuple[int, int], bytes] = {}
        application = web.Application()
        application.router.add_get("/attest/{chain}/{number}/{hash}", self._answer)
        self._runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        #: Where it listens, once it does.
        self.address = ""

    async def start(self) -> None:
        """Listen.

        Raises
        ------
        InputError
            When the address cannot be bound.
        """
        self.address = f"http://{await listen(self._runner, self._bind, 'remote.attest')}"
        log.info("attesting headers", address=self.address)

    async def stop(self) -> None:
        """Close the server."""
        await self._runner.cleanup()

    async def attest(self, chain_id: int, number: int, block_hash: bytes) -> dict[str, str]:
        """Sign a header, if a quorum of the own nodes calls it final.

        Parameters
        ----------
        chain_id : int
        number : int
            Height.
        block_hash : bytes
            Hash that is to be attested.

        Returns
        -------
        dict of str to str
            Signatures by address of the signer.

        Raises
        ------
        PlimsollError
            When the chain is not one of the two, the block is not final or another one, or another hash of the height
            was attested before.
        """
        way = self._ways.get(chain_id)
        if way is None:
            raise InputError("attest", f"chain {chain_id} is none of {', '.join(map(str, self._ways))}")
        known = self._attested.get((chain_id, number))
        if known is not None and known != block_hash:
            raise InputError("attest", f"another hash of block {number} was attested")
        header = await _final_header(way.source, number)
        if header.block_hash != block_hash:
            raise InputError("attest", f"block {number} is 0x{header.block_hash.hex()} here")
        self._attested[chain_id, number] = block_hash
        for oldest in list(self._attested)[:-MAX_KEPT]:
            del self._attested[oldest]
        return {address: "0x" + signature.hex() for address, signature in way.signed(header).items()}

    async def _answer(self, request: web.Request) -> web.Response:
        """Answer one keeper; a flood of them is turned away and costs no node anything."""
        if self._waiting >= MAX_WAITING:
            return web.json_response({"reason": "busy"}, status=429)
        self._waiting += 1
        try:
            info = request.match_info
            chain_id, number, block_hash = int(info["chain"]), int(info["number"]), bytes.fromhex(info["hash"][2:])
            async with self._lock:
                return web.json_response({"signatures": await self.attest(chain_id, number, block_hash)})
        except ValueError:
            return web.json_response({"reason": "asked for no block"}, status=400)
        except PlimsollError as problem:
            return web.json_response({"reason": str(problem)}, status=409)
        finally:
            self._waiting -= 1


async def _final_header(source: Source, number: int) -> Header:
    """Return the header of a height that a quorum of nodes calls final."""
    final = await source.final()
    if number > final.number:
        raise InputError("attest", f"block {number} is not final; the newest that is is {final.number}")
    return final if number == final.number else await source.at(number)


async def collect(
    services: Sequence[str], way: Way, header: Header, timeout_sec: float
) -> tuple[Mapping[str, bytes], tuple[str, ...]]:
    """Ask other keepers for their signatures of a header.

    Parameters
    ----------
    services : sequence of str
        Their addresses.
    way : Way
    header : Header
        Final on the own nodes.
    timeout_sec : float
        Longest wait for one.

    Returns
    -------
    signatures : Mapping of str to bytes
        By the address that really signed; whether the feed takes it, the feed says.
    problems : tuple of str
        Who gave none, and why.
    """
    path = f"/attest/{way.source.chain_id}/{header.number}/0x{header.block_hash.hex()}"
    timeout = aiohttp.ClientTimeout(total=timeout_sec)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        answers = await asyncio.gather(*(_ask(session, service, path) for service in services))
    found: dict[str, bytes] = {}
    problems = []
    for service, answer in zip(services, answers, strict=True):
        if isinstance(answer, str):
            problems.append(f"{service}: {answer}")
            continue
        for signature in answer:
            signer = signer_of(
                way.taker.contracts["HeaderFeed"], way.taker.chain_id, way.source.chain_id, header, signature
            )
            if signer:
                found[signer] = signature
    return found, tuple(problems)


async def _ask(session: aiohttp.ClientSession, service: str, path: str) -> list[bytes] | str:
    """Return what one keeper signed, or why it did not."""
    try:
        async with session.get(service.rstrip("/") + path) as response:
            content = await response.content.read(MAX_BYTES)
        document: Any = orjson.loads(content)
        if response.status == web.HTTPOk.status_code:
            return [bytes.fromhex(text[2:]) for text in document["signatures"].values()]
        return str(document["reason"])[:200]
    except (aiohttp.ClientError, TimeoutError, OSError) as reason:
        return f"no answer ({type(reason).__name__})"
    except (ValueError, KeyError, TypeError, AttributeError):
        return "the answer is no attestation"
