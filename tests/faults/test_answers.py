"""What a node does not say, says wrongly, too late, or about another head."""

from __future__ import annotations

import threading
import time

import pytest
from helpers import rpc_proxy as faulty
from scene import START, until

from plimsoll.transact.policy import Policy

SENDS = "eth_sendRawTransaction"

#: Fault, how it is made, how long it lasts (``None`` for ever, 0 for as often as it says itself).
CASES = [
    ("none", lambda: [], 0),
    ("one eth_getLogs answer behind the head", lambda: [faulty.lagging_logs(5, times=1)], 0),
    ("one log left out of one answer", lambda: [faulty.lost_logs(lambda _: True, times=1)], 0),
    ("logs five blocks behind for 4 s", lambda: [faulty.lagging_logs(5)], 4),
    ("one lost send", lambda: [faulty.lost_sends(times=1)], 0),
    ("two lost sends", lambda: [faulty.lost_sends(times=2)], 0),
    ("answer of one send lost", lambda: [faulty.lost_answer(SENDS, times=1)], 0),
    ("receipts invisible 20 times", lambda: [faulty.hidden_receipts(times=20)], 0),
    ("the answer is null, 5 times", lambda: [faulty.body(b"null", times=5)], 0),
    ("every result is null for 3 s", lambda: [faulty.result(None)], 3),
    ("the answer is [], 5 times", lambda: [faulty.body(b"[]", times=5)], 0),
    ("no result, 10 times", lambda: [faulty.no_result(times=10)], 0),
    ("wrong ids, 10 times", lambda: [faulty.wrong_ids(times=10)], 0),
    ("short batches, 5 times", lambda: [faulty.short_batch(times=5)], 0),
    ("one answer of a batch twice, 5 times", lambda: [faulty.duplicated_answers(times=5)], 0),
    ("half a body, 5 times", lambda: [faulty.half_body(times=5)], 0),
    ("errors inside batches, 10 times", lambda: [faulty.error(-32603, "internal error", "eth_call", times=10)], 0),
    ("no batches at all", lambda: [faulty.no_batches()], None),
    ("batches of one at most", lambda: [faulty.batch_limit(1)], None),
    ("logs of two blocks at most", lambda: [faulty.range_limit(2)], None),
    ("-32005 above 4 logs in one answer", lambda: [faulty.log_limit(4)], None),
    ("answers cut off at 4 logs without a word", lambda: [faulty.log_limit(4, silent=True)], None),
    ("HTTP 429, 6 times", lambda: [faulty.status(429, times=6, retry_after="0")], 0),
    ("HTTP 520 for 3 s", lambda: [faulty.status(520)], 3),
    ("-32005 of everything, 10 times", lambda: [faulty.error(-32005, "limit exceeded", times=10)], 0),
    ("head behind for 3 s", None, 3),
    ("answers late by 0.3 s", lambda: [faulty.delay(0.3)], None),
    ("underpriced replacement, 3 times", lambda: [faulty.refused_sends("replacement transaction underpriced", 3)], 0),
    ("wrong nonces, 5 times", lambda: [faulty.wrong_nonces(1, times=5)], 0),
    (
        "revert without data of 3 estimates",
        lambda: [faulty.error(3, "execution reverted", "eth_estimateGas", times=3)],
        0,
    ),
    (
        "`Reverted 0x` of 3 calls",
        lambda: [faulty.error(3, "Reverted 0x", "eth_call", "eth_estimateGas", times=3, data="0x")],
        0,
    ),
    (
        "estimates out of gas, 3 times",
        lambda: [faulty.error(-32000, "out of gas: gas required exceeds allowance", "eth_estimateGas", times=3)],
        0,
    ),
    ("node down for 5 s", lambda: [faulty.drop()], 5),
]


@pytest.mark.parametrize(("fault", "make", "lasts_sec"), CASES, ids=[case[0] for case in CASES])
def test_node__fault__everybody_is_attended_and_nothing_sent_twice(scene, fault, make, lasts_sec):
    scene.start()
    made = [faulty.stale_head(scene.block())] if make is None else make()
    if made:
        scene.proxy.add(*made)
    scene.crash()
    if lasts_sec:
        timer = threading.Timer(lasts_sec, scene.proxy.clear)
        timer.start()
    scene.wait_attended(40)
    scene.quiet()
    if (made and lasts_sec is None) or fault.startswith(("one ", "two ")):
        assert all(one.struck for one in made), "the fault never struck"
    scene.judge(fault, "attended", outage_sec=lasts_sec or 0)


#: What nodes say of a call that they cannot run, each in the words of one.
NO_RUN = {
    "revert without data": {"code": 3, "message": "execution reverted"},
    "`Reverted 0x`": {"code": 3, "message": "Reverted 0x", "data": "0x"},
    "out of gas": {"code": -32000, "message": "out of gas: gas required exceeds allowance"},
}


@pytest.mark.parametrize("said", NO_RUN)
def test_simulation__of_a_start_cannot_be_run__the_call_is_made_all_the_same(scene, said):
    """The first keeper aborted the pass: what came after the start was never tried."""

    def refused(request):
        is_start = request["params"][0]["data"].startswith(START)
        return {"answer": {"error": NO_RUN[said]}} if is_start else None

    scene.start()
    methods = frozenset({"eth_call", "eth_estimateGas"})
    fault = scene.proxy.add(faulty.Fault("start cannot be run", methods, on_request=refused))
    scene.crash()
    until(scene.is_called, scene.story)
    assert fault.struck
    assert not scene.chain.state.auctions
    scene.proxy.clear()
    # What failed again and again is left alone for so long.
    scene.chain.wait(Policy().simulation_pause_sec)
    outage_sec = time.monotonic() - scene.crashed_at
    scene.wait_attended()
    scene.quiet()
    scene.judge(f"a start cannot be simulated: {said}", "the call made; then attended", outage_sec=outage_sec)


def test_chain__without_blocks_for_two_minutes__is_no_stall(scene):
    scene.start()
    client = scene.chain.client
    scene.crash()
    client.rpc("evm_setAutomine", False)
    # What was sent meanwhile waits in the pool; the keeper must not send it again however long that lasts.
    time.sleep(3)
    client.rpc("evm_increaseTime", 120)
    client.rpc("evm_setAutomine", True)
    client.rpc("evm_mine")
    scene.wait_attended()
    scene.quiet()
    scene.judge("no block for two minutes, transactions waiting", "attended", outage_sec=3)


def test_chain__quiet_before_the_crash__is_acted_on(scene):
    scene.start()
    scene.chain.wait(600)
    time.sleep(2)
    scene.crash()
    scene.wait_attended()
    scene.quiet()
    scene.judge("quiet chain, ten minutes between two blocks", "attended")


@pytest.mark.parametrize("skew_sec", [3_600, -3_600])
def test_clock__of_the_process_is_wrong__chain_time_counts(scene, monkeypatch, skew_sec):
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + skew_sec)
    scene.start()
    scene.crash()
    scene.wait_attended()
    scene.quiet()
    scene.judge(f"own clock wrong by {skew_sec} s", "attended")
