"""Several endpoints of one real chain, some of them behind, away, or on another chain."""

import asyncio

import pytest
from helpers import rpc_proxy as faults
from helpers.rpc_proxy import RpcProxy

from plimsoll.chain import anvil
from plimsoll.chain.client import Client
from plimsoll.chain.endpoints import KEPT_HEADS, Endpoints, HeadError
from plimsoll.chain.node import Node
from plimsoll.errors import InputError

HEIGHT = 100


@pytest.fixture(scope="module")
def chain():
    with anvil.running(1_770_000_000) as running:
        Client(running.url).rpc("anvil_mine", hex(HEIGHT))
        yield running


@pytest.fixture(scope="module")
def other_chain():
    with anvil.running(1_770_009_999) as running:
        Client(running.url).rpc("anvil_mine", hex(HEIGHT))
        yield running


@pytest.fixture
def proxies(chain):
    with RpcProxy(chain.url) as one, RpcProxy(chain.url) as two, RpcProxy(chain.url) as three:
        yield one, two, three


def ask(urls, job, **options):
    async def main():
        nodes = [Node(url, timeout_sec=1.0) for url in urls]
        endpoints = Endpoints(nodes, **{"wait_sec": 0.3, **options})
        try:
            return await job(endpoints)
        finally:
            await endpoints.close()

    return asyncio.run(main())


def head_of(urls, **options):
    async def job(endpoints):
        head = await endpoints.head()
        return head, [node.url for node in endpoints.nodes_at(head)], endpoints.left_out

    return ask(urls, job, **options)


def urls(proxies):
    return [proxy.url for proxy in proxies]


def test_head__all_agree__every_node_is_at_it(proxies):
    head, nodes, left_out = head_of(urls(proxies))
    assert (head.number, nodes, left_out) == (HEIGHT, urls(proxies), {})


def test_head__one_ahead_and_one_behind__is_what_a_quorum_has(proxies):
    proxies[0].add(faults.stale_head(HEIGHT - 1))
    proxies[1].add(faults.stale_head(HEIGHT - 20))
    head, nodes, left_out = head_of(urls(proxies))
    assert (head.number, nodes) == (HEIGHT - 1, [proxies[0].url, proxies[2].url])
    assert "lags" in left_out[proxies[1].url]


def test_head__one_away_and_one_malformed__fails_below_the_quorum_and_names_them(proxies):
    proxies[0].add(faults.drop())
    assert head_of(urls(proxies))[0].number == HEIGHT
    proxies[1].add(faults.result([], "eth_getBlockByNumber"))
    with pytest.raises(HeadError, match=r"1 of 3 answer, 2 must: .*no answer.*malformed"):
        head_of(urls(proxies))
    assert head_of(urls(proxies), quorum=1)[0].number == HEIGHT


def test_head__another_chain_in_the_minority__is_left_out(proxies, other_chain):
    head, nodes, left_out = head_of([*urls(proxies)[:2], other_chain.url])
    assert nodes == urls(proxies)[:2]
    assert f"has another block {HEIGHT}" in left_out[other_chain.url]
    assert head.hash == Client(proxies[0].url).rpc("eth_getBlockByNumber", hex(HEIGHT), False)["hash"]


def test_head__other_chain_of_one_node__is_a_dispute_that_counts_once_and_ends(proxies, other_chain):
    async def job(endpoints):
        counts, shown = [], []
        for _ in range(3):
            await endpoints.head()
            counts.append(endpoints.disagreements)
            shown.append(set(endpoints.disputes))
        endpoints.nodes = endpoints.nodes[:2]
        await endpoints.head()
        return counts, shown, endpoints.disputes, dict(endpoints.numbers)

    counts, shown, after, numbers = ask([*urls(proxies)[:2], other_chain.url], job)
    assert (counts, shown) == ([1, 1, 1], [{other_chain.url}] * 3)
    assert (after, numbers) == ({}, dict.fromkeys(urls(proxies)[:2], HEIGHT))


def test_head__halves_disagree__counts_although_there_is_no_head(proxies, other_chain):
    async def job(endpoints):
        with pytest.raises(HeadError):
            await endpoints.head()
        return endpoints.disagreements, len(endpoints.disputes)

    assert ask([proxies[0].url, other_chain.url], job) == (1, 1)


def test_numbers__silent_or_behind__are_missing_or_say_so(proxies):
    async def job(endpoints):
        head = await endpoints.head()
        return head.number, endpoints.numbers

    proxies[0].add(faults.drop())
    proxies[1].add(faults.stale_head(HEIGHT - 20))
    assert ask(urls(proxies), job, quorum=1) == (HEIGHT, {proxies[1].url: HEIGHT - 20, proxies[2].url: HEIGHT})


def test_nodes_at__head_that_others_have_left_behind__are_still_known():
    async def job(endpoints):
        first = await endpoints.head()
        node, since = endpoints.nodes[0], endpoints.agreed_at_sec
        await node.rpc("anvil_mine", "0x1")
        second = await endpoints.head()
        known = [head.hash for head in (first, second) if endpoints.node_at(head) is node]
        assert known == [first.hash, second.hash]
        assert endpoints.agreed_at_sec > since
        for _ in range(KEPT_HEADS):
            await node.rpc("anvil_mine", "0x1")
            await endpoints.head()
        assert endpoints.nodes_at(first) == []

    with anvil.running(1_770_000_000) as own:
        ask([own.url], job)


def test_head__halves_disagree__is_an_error_after_the_wait_and_not_before(proxies, other_chain):
    with pytest.raises(HeadError, match=f"disagree on block {HEIGHT}"):
        head_of([proxies[0].url, other_chain.url])
    proxies[0].add(faults.stale_head(10, times=1))
    proxies[1].add(faults.stale_head(11, times=1))
    assert head_of(urls(proxies), quorum=3)[0].number in (10, HEIGHT)


def test_node_at__demoted_or_unknown(proxies):
    async def job(endpoints):
        head = await endpoints.head()
        first = endpoints.node_at(head)
        endpoints.demote(first, "it lied")
        second = endpoints.node_at(head)
        with pytest.raises(HeadError, match="no node has shown block"):
            endpoints.node_at(type(head)(1, "0x1", 1))
        return first.url, second.url, endpoints.left_out

    assert ask(urls(proxies), job) == (proxies[0].url, proxies[1].url, {proxies[0].url: "it lied"})


@pytest.mark.parametrize(
    ("fault", "options", "final"),
    [
        (None, {}, HEIGHT - 64),
        (None, {"use_final_tag": False, "final_depth": 7}, HEIGHT - 7),
        (None, {"use_final_tag": False, "final_depth": 700}, -1),
        (faults.error(-32601, "unknown block tag"), {"final_depth": 9}, HEIGHT - 9),
        (faults.result(None), {"final_depth": 9}, HEIGHT - 9),
    ],
)
def test_final_number__by_tag_or_by_depth(proxies, fault, options, final):
    async def job(endpoints):
        head = await endpoints.head()
        if fault is not None:
            proxies[0].add(fault)
        return await endpoints.final_number(head)

    assert ask([proxies[0].url], job, **options) == final


@pytest.mark.parametrize("quorum", [0, 3])
def test_endpoints__impossible_quorum__is_refused(quorum):
    with pytest.raises(InputError, match="quorum of"):
        Endpoints([Node("http://127.0.0.1:1"), Node("http://127.0.0.1:2")], quorum)
