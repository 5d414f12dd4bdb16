"""Every fault of a node that concerns reading: after it the index equals the chain, and no event is lost on the way."""

from __future__ import annotations

import time

import pytest
from helpers import rpc_proxy as faults
from helpers.emitter import cash, digest, position, topic

from plimsoll.chain.endpoints import HeadError
from plimsoll.chain.problem import NodeProblem
from plimsoll.constants import WAD
from plimsoll.errors import UnavailableError

LOGS, BLOCK = "eth_getLogs", "eth_getBlockByNumber"


@pytest.fixture
def database():
    """What faults do to it is the business of other tests."""
    return "sqlite://"


def fill(chain, blocks=12):
    chain.open(2, 3)
    for amount in range(1, blocks):
        chain.emit(cash(2, amount * WAD), cash(3, -amount * WAD))


def equals_chain(chain, follow, follower):
    fresh = follow(chain.client.url, "sqlite://")
    fresh.sync()
    assert follower.state == fresh.state
    assert follower.index.archive.count_events() == fresh.index.archive.count_events()


#: Each is over by itself, or only makes reading slower: one sync must be enough.
PASSING = {
    "lagging logs": lambda: faults.lagging_logs(3),
    "lagging logs once": lambda: faults.lagging_logs(3, times=1),
    "logs empty": lambda: faults.result([], LOGS),
    "some logs lost": lambda: faults.lost_logs(lambda log: log["topics"][1].endswith("3") and log["logIndex"] == "0x1"),
    "logs cut silently": lambda: faults.log_limit(9, silent=True),
    "null logs": lambda: faults.result(None, LOGS, times=2),
    "null headers": lambda: faults.result(None, BLOCK, times=1),
    "no result": lambda: faults.no_result(LOGS, times=2),
    "short batch": lambda: faults.short_batch(times=2),
    "duplicate answers": lambda: faults.duplicated_answers(times=2),
    "wrong ids": lambda: faults.wrong_ids(LOGS, times=2),
    "list for a batch is empty": lambda: faults.body(b"[]", LOGS, times=2),
    "null for a batch": lambda: faults.body(b"null", LOGS, times=2),
    "half an answer": lambda: faults.half_body(LOGS, times=2),
    "error inside a batch": lambda: faults.error(-32000, "header not found", LOGS, times=2),
    "no batches": faults.no_batches,
    "batches of ten": lambda: faults.batch_limit(10),
    "batches of two": lambda: faults.batch_limit(2),
    "range of two blocks": lambda: faults.range_limit(2),
    "range of one block": lambda: faults.range_limit(1),
    "two logs at most": lambda: faults.log_limit(2),
    "-32005": lambda: faults.error(-32005, "daily request count exceeded", LOGS, times=3),
    "429": lambda: faults.status(429, LOGS, times=2),
    "429 with a wait": lambda: faults.status(429, LOGS, times=1, retry_after="1"),
    "HTTP 503": lambda: faults.status(503, LOGS, times=3),
    "connection drops": lambda: faults.drop(LOGS, times=3),
    "answer lost": lambda: faults.lost_answer(LOGS, times=3),
    "log of another chain": lambda: faults.changed_logs(lambda log: {**log, "blockHash": digest("x")}, times=2),
    "log twice": lambda: faults.changed_logs(lambda log: {**log, "logIndex": "0x0"}, times=2),
    "invented log": lambda: faults.changed_logs(
        lambda log: {**log, "topics": [topic("Oracle", "RoundPosted")]}, times=2
    ),
    "removed log": lambda: faults.changed_logs(lambda log: {**log, "removed": True}, times=2),
    "log without hash": lambda: faults.changed_logs(lambda log: {**log, "blockHash": None}, times=2),
    "cut data": lambda: faults.changed_logs(lambda log: {**log, "data": log["data"][:-2]}, times=2),
    "log of no block asked": lambda: faults.changed_logs(lambda log: {**log, "blockNumber": "0xffff"}, times=2),
    "receipts unsupported": lambda: faults.error(-32601, "the method does not exist", "eth_getBlockReceipts"),
}


@pytest.mark.parametrize("mode", ["near", "final"])
@pytest.mark.parametrize("name", PASSING)
def test_sync__fault__index_equals_chain(chain, proxy, database, follow, name, mode):
    fill(chain)
    follower = follow(proxy.url, database, final_depth=10_000 if mode == "near" else 0)
    fault = proxy.add(PASSING[name]())
    if name == "receipts unsupported":
        proxy.add(faults.lagging_logs(3, times=1))
    if mode == "final" and name in ("logs empty", "some logs lost", "logs cut silently", "lagging logs"):
        # Two readings that omit alike are what the comparison with the chain's views is for.
        fault.times = 1
    follower.sync()
    assert fault.struck or (name == "receipts unsupported" and mode == "final")
    equals_chain(chain, follow, follower)


def test_sync__lagging_logs__are_counted_as_corrected(chain, proxy, database, follow):
    fill(chain)
    follower = follow(proxy.url, database)
    proxy.add(faults.lagging_logs(3))
    assert follower.sync().corrected == 3


def test_sync__false_alarm_of_a_bloom__costs_receipts_and_no_event(chain, proxy, database, follow):
    fill(chain, 3)
    follower = follow(proxy.url, database)

    def full(_request, answer):
        return [{**answer, "result": {**answer["result"], "logsBloom": "0x" + "ff" * 256}}]

    proxy.add(faults.Fault("full bloom", frozenset({BLOCK}), on_answer=full))
    assert follower.sync().corrected == 0
    assert proxy.seen["eth_getBlockReceipts"] == 3
    equals_chain(chain, follow, follower)


def test_sync__log_that_no_bloom_misses__comes_with_the_second_reading(chain, proxy, database, follow):
    # One of two logs of one pair in one block, from a node that has no receipts of whole blocks.
    fill(chain)
    follower = follow(proxy.url, database, final_depth=10_000)
    proxy.add(faults.lost_logs(lambda log: log["blockNumber"] == "0x5" and log["logIndex"] == "0x1"))
    proxy.add(faults.error(-32601, "the method does not exist", "eth_getBlockReceipts"))
    follower.sync()
    assert follower.index.archive.count_events() == 23
    proxy.clear()
    follower.endpoints._final_depth = 4
    assert follower.sync().corrected == 1
    follower.sync()
    equals_chain(chain, follow, follower)


def test_sync__node_down_for_a_while__goes_on_afterwards_from_where_it_was(chain, proxy, database, follow):
    fill(chain)
    follower = follow(proxy.url, database)
    follower.sync()
    before = follower.index.head
    chain.cash(2, [5])
    proxy.add(faults.drop())
    with pytest.raises(HeadError, match="0 of 1 answer"):
        follower.sync()
    assert follower.index.head == before
    proxy.clear()
    assert follower.sync().new_events == 1
    equals_chain(chain, follow, follower)


def test_sync__fault_that_stays__is_one_typed_error_in_bounded_time(chain, proxy, database, follow):
    fill(chain)
    follower = follow(proxy.url, database)
    proxy.add(faults.result(None, LOGS))
    began = time.monotonic()
    with pytest.raises(NodeProblem, match="eth_getLogs gave no list but 'None'"):
        follower.sync()
    assert time.monotonic() - began < 15


def test_sync__stale_head__keeps_the_state_and_takes_no_block_back(chain, proxy, database, follow):
    fill(chain)
    follower = follow(proxy.url, database)
    follower.sync()
    at = follower.index.head
    proxy.add(faults.stale_head(5))
    done = follower.sync()
    assert (done.new_events, done.rolled_back_to, follower.index.head) == (0, None, at)


def test_sync__second_node_lags__is_left_out_and_named(chain, proxy, database, follow):
    fill(chain)
    proxy.add(faults.stale_head(3))
    follower = follow([proxy.url, chain.client.url, chain.client.url], database)
    follower.sync()
    assert "lags, at block 3 where others are at 12" in follower.endpoints.left_out[proxy.url]
    equals_chain(chain, follow, follower)


def test_sync__final_range_from_two_nodes__receipts_decide_where_they_differ(chain, proxy, database, follow):
    fill(chain)
    follower = follow([proxy.url, chain.client.url], database, final_depth=0)
    proxy.add(faults.lost_logs(lambda log: log["blockNumber"] in ("0x4", "0x5")))
    assert follower.sync().corrected in (0, 2)
    equals_chain(chain, follow, follower)


def test_sync__databases_refuse__nothing_is_half_written_and_it_goes_on(chain, tmp_path, follow):
    fill(chain)
    follower = follow(chain.client.url, f"sqlite:///{tmp_path / 'x.sqlite'}")
    follower.sync()
    state_before = follower.index.head
    # Folded twice, it would be there twice.
    chain.emit(position(2, 0, 5 << 200))
    with follower.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
        connection.commit()
    with pytest.raises(UnavailableError, match="readonly"):
        follower.sync()
    assert follower.index.head == state_before
    assert follower.state.accounts[2].words == []
    with follower.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = OFF")
        connection.commit()
    follower.sync()
    equals_chain(chain, follow, follower)
