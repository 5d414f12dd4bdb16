"""A keeper that lives and does not get on: what its probe says of it, and that the rest goes on."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request

from eth_utils.crypto import keccak
from helpers.rpc_proxy import Drop, Fault, RpcProxy
from scene import until

from plimsoll.keeper.calls import call_data

DUTY_SEC, HEAD_SEC = 4, 4


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Probe:
    """``/health`` of a keeper, as whoever restarts it asks."""

    def __init__(self) -> None:
        self.port = free_port()
        #: For the file of the keeper.
        self.option = {"web__bind": f'"127.0.0.1:{self.port}"'}

    def problems(self) -> list[str]:
        """Return why the keeper is not well; empty while it is."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as answer:
                status, document = answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            status, document = refusal.code, json.load(refusal)
        assert (status == 200) is document["ok"]
        return document["problems"]


def calls_of(contract: str, function: str, *values) -> Fault:
    """The connection closes whenever a function of a contract is asked for."""
    selector = "0x" + call_data(contract, function, *values)[:4].hex()

    def closed(payload):
        requests = payload if isinstance(payload, list) else [payload]
        if any(one["method"] == "eth_call" and one["params"][0]["data"].startswith(selector) for one in requests):
            raise Drop

    return Fault(f"no answer to {function}", on_payload=closed)


def test_duty__fails_in_every_pass__health_is_false_and_the_others_go_on(scene):
    """Peers' keepers stood still for days and answered that they were well."""
    probe = Probe()
    scene.start(scene.file(health__duty_sec=DUTY_SEC, **probe.option))
    until(lambda: not probe.problems(), "the keeper is well", 20)
    fault = scene.proxy.add(calls_of("Vault", "queueOf", 0))
    scene.crash()
    scene.wait_attended()
    until(probe.problems, "the keeper says that it does not get on", 20)
    assert fault.struck
    assert [found.split(":")[0] for found in probe.problems()] == ["upkeep"], probe.problems()
    scene.proxy.clear()
    until(lambda: not probe.problems(), "the keeper is well again", 20)
    scene.quiet()
    scene.judge("one duty fails in every pass", "health is false and names it; attended")


def another_chain() -> Fault:
    """The node has other blocks of the same numbers."""

    def other(_request, answer):
        block = answer.get("result")
        if not isinstance(block, dict):
            return None
        return [{**answer, "result": {**block, "hash": "0x" + keccak(block["hash"].encode()).hex()}}]

    return Fault("other blocks", frozenset({"eth_getBlockByNumber"}), on_answer=other)


def test_nodes__have_different_blocks__nothing_is_sent_until_they_agree(scene):
    probe = Probe()
    with RpcProxy(scene.chain.client.url) as second:
        endpoints = json.dumps([scene.proxy.url, second.url])
        options = {"chain__endpoints": endpoints, "chain__quorum": 2, "health__head_sec": HEAD_SEC, **probe.option}
        keeper = scene.start(scene.file(**options))
        until(lambda: not probe.problems(), "the keeper is well", 20)
        second.add(another_chain())
        scene.crash()
        until(probe.problems, "the keeper says that it has no head", 20)
        assert probe.problems()[0].startswith("head: endpoints last agreed"), probe.problems()
        assert not scene.sent()
        second.clear()
        outage_sec = time.monotonic() - scene.crashed_at
        scene.wait_attended()
        scene.quiet()
        until(lambda: not probe.problems(), "the keeper is well again", 20)
        # While both nodes are there.
        keeper.end()
    scene.judge("two nodes with different blocks", "nothing sent, then attended", outage_sec=outage_sec)
