"""Between two passes one node is asked for the head, and the quorum only when that node is not where it should be."""

from __future__ import annotations

import asyncio

import pytest

from plimsoll.chain.head import Head
from plimsoll.errors import UnavailableError
from plimsoll.keeper.head_watch import HeadWatch, pause_of


def digest(number):
    return "0x" + f"{number:02x}" * 32


class Node:
    url = "http://node"

    def __init__(self):
        self.at, self.asked = 1, 0

    async def rpc(self, method, *params):
        assert (method, *params) == ("eth_getBlockByNumber", "latest", False)
        self.asked += 1
        if self.at is None:
            raise UnavailableError("node", "is down")
        fields = {"number": hex(self.at), "hash": digest(self.at), "parentHash": digest(0), "timestamp": "0x1"}
        return {**fields, "logsBloom": "0x" + "00" * 256, "receiptsRoot": digest(9), "transactions": []}


class Endpoints:
    def __init__(self):
        self.nodes, self.left_out = (Node(), Node()), {}
        self.at, self.asked = 1, 0

    async def head(self):
        self.asked += 1
        if self.at is None:
            raise UnavailableError("endpoints", "none answers")
        return Head(self.at, digest(self.at), 1)


@pytest.fixture
def nodes():
    return Endpoints()


@pytest.fixture
def is_new(nodes):
    watch = HeadWatch(nodes)
    return lambda number: asyncio.run(watch.is_new(digest(number)))


def test_is_new__nothing_happens__one_request_each_time(nodes, is_new):
    assert [is_new(1) for _ in range(5)] == [False] * 5
    assert (nodes.nodes[0].asked, nodes.nodes[1].asked, nodes.asked) == (5, 0, 0)


def test_is_new__next_block__is_seen(nodes, is_new):
    nodes.nodes[0].at = 2
    assert is_new(1)
    assert not is_new(2)
    assert nodes.asked == 0


def test_is_new__node_ahead_of_the_quorum__makes_one_pass_and_no_more(nodes, is_new):
    nodes.nodes[0].at = 2
    assert [is_new(1) for _ in range(4)] == [True, False, False, False]
    nodes.at = 2
    assert is_new(1)
    assert not is_new(2)


def test_is_new__node_lags__the_others_are_believed(nodes, is_new):
    assert is_new(2)
    nodes.at = 2
    assert not is_new(2)
    nodes.at = 3
    assert is_new(2)


def test_is_new__node_is_down__the_others_are_asked_and_silence_is_no_head(nodes, is_new):
    nodes.nodes[0].at, nodes.at = None, 2
    assert is_new(1)
    nodes.at = None
    assert not is_new(1)


def test_is_new__node_was_left_out__the_next_one_is_asked(nodes, is_new):
    nodes.left_out = {"http://node": "lags"}
    nodes.nodes[1].url = "http://other"
    nodes.nodes[1].at = 2
    assert is_new(1)


@pytest.mark.parametrize(("interval_sec", "pause_sec"), [(0.05, 0.05), (1.0, 0.05), (2.0, 0.1), (600.0, 30.0)])
def test_pause_of__twenty_in_an_interval__never_below_the_least(interval_sec, pause_sec):
    assert pause_of(interval_sec) == pytest.approx(pause_sec)
