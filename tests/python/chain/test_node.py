"""One endpoint over real HTTP: whatever it answers is a result or one typed problem."""

import asyncio

import pytest
from helpers import rpc_proxy as faults
from helpers.rpc_proxy import RpcProxy

from plimsoll.chain import anvil
from plimsoll.chain.node import Node, shown_url
from plimsoll.chain.problem import NodeProblem
from plimsoll.chain.revert import RevertError
from plimsoll.errors import InputError

BLOCK, CHAIN = ("eth_getBlockByNumber", ["latest", False]), ("eth_chainId", [])


@pytest.fixture(scope="module")
def chain():
    with anvil.running(1_770_000_000) as running:
        yield running


@pytest.fixture
def proxy(chain):
    with RpcProxy(chain.url) as running:
        yield running


def ask(url, job, **options):
    async def main():
        node = Node(url, **options)
        try:
            return await job(node)
        finally:
            await node.close()

    return asyncio.run(main())


def rpc(url, *request, **options):
    return ask(url, lambda node: node.rpc(*request), **options)


def batch(url, requests, **options):
    return ask(url, lambda node: node.batch(requests), **options)


def test_rpc__sound_node__gives_results_and_null(chain):
    assert rpc(chain.url, "eth_chainId") == "0x7a69"
    assert rpc(chain.url, "eth_getBlockByNumber", "0xffffff", False) is None


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (lambda: faults.drop(), "down"),
        (lambda: faults.lost_answer(), "down"),
        (lambda: faults.delay(3), "down"),
        (lambda: faults.status(502), "down"),
        (lambda: faults.status(429), "limit"),
        (lambda: faults.status(413), "limit"),
        (lambda: faults.status(401), "refused"),
        (lambda: faults.body(b"null"), "malformed"),
        (lambda: faults.body(b"[]"), "malformed"),
        (lambda: faults.body(b"<html>"), "malformed"),
        (lambda: faults.half_body(), "malformed"),
        (lambda: faults.no_result(), "malformed"),
        (lambda: faults.wrong_ids(), "malformed"),
        (lambda: faults.error(-32005, "limit exceeded"), "limit"),
        (lambda: faults.error(-32000, "query returned more than 10000 results"), "limit"),
        (lambda: faults.error(-32601, "no such thing"), "unsupported"),
        (lambda: faults.error(-32000, "insufficient funds"), "refused"),
        (lambda: faults.body(b'{"id":1,"error":"text"}'), "refused"),
    ],
)
def test_rpc__fault__is_a_problem_of_its_kind(proxy, fault, kind):
    proxy.add(fault())
    with pytest.raises(NodeProblem) as caught:
        rpc(proxy.url, "eth_chainId", timeout_sec=1.0)
    assert caught.value.kind == kind
    assert proxy.seen["eth_chainId"] == 1


def test_rpc__answer_too_large__is_a_limit(chain):
    with pytest.raises(NodeProblem, match="above 100 bytes") as caught:
        rpc(chain.url, "eth_getBlockByNumber", "latest", False, max_bytes=100)
    assert caught.value.kind == "limit"


@pytest.mark.parametrize("data", ["0x", None, "0xdeadbeef", "0x08c379a0ff", "0xzz"])
def test_rpc__revert__keeps_its_name_or_says_that_there_is_none(proxy, data):
    proxy.add(faults.error(3, "execution reverted", data=data))
    with pytest.raises(RevertError) as caught:
        rpc(proxy.url, "eth_chainId")
    assert caught.value.name in ("no data", "0xdeadbeef", "0x08c379a0", "0xzz")


def test_batch__answers__keep_the_order_of_requests_and_problems_their_place(chain):
    found = batch(chain.url, [CHAIN, ("nope", []), BLOCK], batch_size=2)
    assert found[0] == "0x7a69"
    assert (found[1].kind, found[2]["number"]) == ("unsupported", "0x0")


@pytest.mark.parametrize("fault", [faults.short_batch, faults.duplicated_answers, faults.wrong_ids, faults.half_body])
def test_batch__malformed_as_a_whole__is_raised(proxy, fault):
    proxy.add(fault())
    with pytest.raises(NodeProblem) as caught:
        batch(proxy.url, [CHAIN, BLOCK])
    assert caught.value.kind == "malformed"


def test_batch__answers_in_another_order__are_matched_by_id(proxy):
    import json

    proxy.add(faults.Fault("reversed", on_body=lambda _p, s: json.dumps(s[::-1]).encode()))
    found = batch(proxy.url, [CHAIN, BLOCK])
    assert (found[0], found[1]["number"]) == ("0x7a69", "0x0")


def test_batch__node_without_batches__is_asked_one_by_one_from_then_on(proxy):
    proxy.add(faults.no_batches())
    found = ask(proxy.url, lambda node: _twice(node, [CHAIN] * 20))
    assert found == ["0x7a69"] * 20
    assert [size for size in proxy.bodies if size] == [20]


async def _twice(node, requests):
    await node.batch(requests)
    return await node.batch(requests)


def test_batch__node_with_a_limit__is_asked_for_halves(proxy):
    proxy.add(faults.batch_limit(3))
    assert batch(proxy.url, [CHAIN] * 20) == ["0x7a69"] * 20
    assert proxy.bodies[:3] == [20, 10, 5]
    assert max(proxy.bodies[3:]) == 2


def test_batch__too_many_requests__is_raised_with_the_wait(proxy):
    proxy.add(faults.status(429, retry_after="7"))
    with pytest.raises(NodeProblem) as caught:
        batch(proxy.url, [CHAIN, BLOCK])
    assert (caught.value.kind, caught.value.retry_after_sec) == ("limit", 7.0)
    assert len(proxy.bodies) == 1


def test_url__credentials__are_never_shown():
    assert shown_url("https://user:secret@node.example:8545/v3/KEY?token=T#x") == "https://node.example:8545"
    for wrong in ("", "node.example", "ftp://node.example", "http://", "http://x:port"):
        with pytest.raises(InputError, match="endpoint"):
            shown_url(wrong)
    with pytest.raises(NodeProblem) as caught:
        rpc("http://user:secret@127.0.0.1:1/KEY", "eth_chainId")
    assert "secret" not in str(caught.value)
    assert "KEY" not in str(caught.value)
