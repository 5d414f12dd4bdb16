"""Two keepers: with one database and one key, and with nothing in common."""

from __future__ import annotations

import json
import time

from helpers import rpc_proxy as faulty
from helpers.rpc_proxy import RpcProxy
from scene import mined_twice, until

SENDS = "eth_sendRawTransaction"


def test_standby__leader_killed__takes_over_and_sends_nothing_twice(scene, postgres_server):
    url = scene.fresh(postgres_server)
    leader = scene.start(scene.file("leader", url=url), is_process=True)
    scene.start(scene.file("standby", url=url), is_process=True)
    time.sleep(1)
    scene.crash()
    scene.wait_attended()
    scene.quiet()
    leader.kill()
    # The crash is over, and its auction and call must be ended by the other one.
    scene.chain.post(1_900.0)
    began = time.monotonic()
    until(lambda: scene.chain.sync() or not scene.chain.state.auctions, scene.story, 40)
    took_sec = time.monotonic() - began
    scene.quiet()
    assert scene.chain.effects.ends == {scene.short: 1}
    assert took_sec < 20
    scene.judge("leader killed, one database", f"standby acted after {took_sec:.1f} s", url=url, others=True, rounds=2)


def test_standby__leader_killed_in_the_crash__the_standby_attends(scene, postgres_server):
    url = scene.fresh(postgres_server)
    leader = scene.start(scene.file("leader", url=url), is_process=True)
    scene.start(scene.file("standby", url=url))
    time.sleep(1)
    leader.kill()
    scene.crash()
    scene.wait_attended(40)
    scene.quiet()
    scene.judge("leader killed before the crash, one database", "attended by the standby", url=url, bound_sec=20)


def test_keepers__two_keys_and_two_databases__what_the_other_did_is_done(scene):
    """Of the first keeper's starts 3 of 11 reverted, and funding was sent twice."""
    scene.senders.append(scene.chain.second)
    other = f"sqlite:///{scene.folder / 'other.sqlite'}"
    with RpcProxy(scene.chain.client.url) as slower:
        # Both decide on the same head, before anything of either of them is mined.
        scene.proxy.add(faulty.delay(0.7, SENDS))
        slower.add(faulty.delay(1.5, SENDS))
        scene.start(scene.file("one"))
        options = {"url": other, "chain__endpoints": json.dumps([slower.url])}
        second = scene.start(scene.file("two", scene.chain.second, **options))
        until(lambda: slower.seen["eth_call"], "the second keeper looks", 60)
        scene.crash()
        scene.wait_attended()
        scene.quiet(3)
        second.end()
    for key in (f"start:{scene.short}:0", f"margin-call:{scene.called}:0"):
        ends = [line for line in second.lines if line.startswith(f"{key} ") and " sent " not in line]
        assert ends, second.lines
        assert all(" already done " in line for line in ends), ends
    scene.judge("two keepers with two keys and two databases", "each effect once; what the other did is done")
    assert mined_twice(other) == []
