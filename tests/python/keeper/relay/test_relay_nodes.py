"""The relayer with nodes that are away, keep something back, or lie."""

from __future__ import annotations

import asyncio

from helpers import rpc_proxy as faults
from helpers.relay_runs import keys_of, other_header, post_header, results_of
from helpers.rpc_proxy import Fault, RpcProxy
from helpers.two_chains import (
    AWAY_ID,
    WAD,
    Open,
    Relay,
    finalise,
)


def test_relay__other_chain_away__says_so_and_goes_on_when_it_is_back(pair, tmp_path):
    owner = pair.wallet()
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)
    with RpcProxy(pair.away.url) as proxy:
        relay = Relay(pair, tmp_path, urls=[proxy.url])
        proxy.add(faults.drop())
        found = relay.run()
        assert found.deeds == []
        assert f"chain {AWAY_ID}" in found.alerts
        proxy.clear()
        assert relay.settle()
    assert pair.held(owner) == 5 * WAD


def test_relay__other_chain_hangs__is_not_waited_for(pair, tmp_path):
    with RpcProxy(pair.away.url) as proxy:
        relay = Relay(pair, tmp_path, urls=[proxy.url])

        async def whole():
            async with Open(relay) as opened:
                proxy.add(faults.delay(3.0))
                first = await opened.step(patience_sec=0.05)
                pair.clock.sec = 200.0
                second = await opened.step(patience_sec=0.05)
                proxy.clear()
                return first, second

        first, second = asyncio.run(whole())
    assert (first.deeds, first.problems) == ([], [])
    assert second.problems == ["a pass is under way for 200 s"]


def test_relay__two_nodes_with_two_final_blocks__attests_neither(pair, tmp_path):
    pair.lock(pair.wallet(), 5 * WAD)
    finalise(pair.away)
    with RpcProxy(pair.away.url) as proxy:
        relay = Relay(pair, tmp_path, urls=[pair.away.url, proxy.url], quorum=2)
        proxy.add(other_header(stateRoot="0x" + "66" * 32))
        before = pair.home_feed.call("newest")
        found = relay.run(2)
        assert any("nodes disagree on the final block" in text for text in found.problems)
        assert pair.home_feed.call("newest") == before
        proxy.clear()
        relay.settle()
    assert pair.home_feed.call("newest") > before


def test_relay__header_that_does_not_hash_to_its_hash__is_not_attested(pair, tmp_path):
    pair.lock(pair.wallet(), 5 * WAD)
    finalise(pair.away)
    with RpcProxy(pair.away.url) as proxy:
        relay = Relay(pair, tmp_path, urls=[proxy.url])

        def changed(_request, answer):
            block = answer.get("result")
            return [{**answer, "result": {**block, "stateRoot": "0x" + "66" * 32}}] if block else None

        proxy.add(Fault("forged root", frozenset({"eth_getBlockByNumber"}), on_answer=changed))
        found = relay.run(2)
    assert found.deeds == []
    assert "does not hash to its hash" in found.problems[0]


def test_relay__node_of_another_chain__is_not_attested(pair, tmp_path):
    """Its blocks are final and sound; a header of it would be signed as one of the other chain."""
    pair.lock(pair.wallet(), 5 * WAD)
    finalise(pair.away, pair.home)
    found = Relay(pair, tmp_path, urls=[pair.home.url]).run(2)
    assert found.deeds == []
    assert "is of chain 0x7a69, not of 10" in found.problems[0]


def test_relay__one_node_keeps_logs_back__the_other_one_tells(pair, tmp_path):
    owner = pair.wallet()
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)
    with RpcProxy(pair.away.url) as proxy:
        proxy.add(faults.lost_logs(lambda log: True))
        Relay(pair, tmp_path, urls=[proxy.url, pair.away.url]).settle()
    assert pair.held(owner) == 5 * WAD


def test_relay__node_that_has_not_indexed_a_block__is_asked_again(pair, tmp_path):
    owner = pair.wallet()

    async def whole(proxy):
        async with Open(Relay(pair, tmp_path, urls=[proxy.url])) as opened:
            await opened.step()
            pair.lock(owner, 5 * WAD)
            finalise(pair.away)
            late = proxy.add(faults.lost_logs(lambda log: True))
            assert (await opened.step()).deeds == []
            assert late.struck
            proxy.clear()
            finalise(pair.away)
            return [keys_of(await opened.step()) for _ in range(2)]

    with RpcProxy(pair.away.url) as proxy:
        assert asyncio.run(whole(proxy)) == [["header"], ["claim"]]
    assert pair.held(owner) == 5 * WAD


def test_relay__node_invents_a_lock__is_found_out_by_the_proof_and_hides_nothing(pair, tmp_path):
    owner, thief = pair.wallet(), pair.wallet("thief")
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)
    Relay(pair, tmp_path).settle()
    pair.lock(owner, WAD)
    finalise(pair.away)

    def to(who, total):
        topic = "0x" + who.address[2:].lower().rjust(64, "0")
        return lambda log: {
            **log,
            "topics": [*log["topics"][:2], topic],
            "data": "0x" + (total).to_bytes(32, "big").hex() * 2,
        }

    async def whole(relay):
        async with Open(relay) as opened:
            found = [await opened.step() for _ in range(3)]
        return [text for one in found for text in one.problems], [deed.key for one in found for deed in one.deeds]

    with RpcProxy(pair.away.url) as proxy:
        relay = Relay(pair, tmp_path, urls=[proxy.url, pair.away.url])
        proxy.add(faults.changed_logs(to(thief, 50 * WAD)))
        told, tried = asyncio.run(whole(relay))
        assert any("the proof says 0" in text for text in told), told
        assert not any(thief.address in key for key in tried)
        assert pair.held(owner) == 6 * WAD
        # A sum of somebody who has locked: his next lock is not hidden by it.
        proxy.clear()
        pair.lock(owner, WAD)
        finalise(pair.away)
        proxy.add(faults.changed_logs(to(owner, 10**30)))
        asyncio.run(whole(relay))
        assert pair.held(owner) == 7 * WAD
    assert pair.held(thief) == 0


def test_relay__garbage_logs_and_proofs__are_named_and_nothing_is_sent(pair, tmp_path):
    owner = pair.wallet()
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)
    post_header(pair, pair.away, pair.home_feed)
    before = pair.sent()
    with RpcProxy(pair.away.url) as proxy:
        relay = Relay(pair, tmp_path, urls=[proxy.url])
        for fault, words in (
            (faults.result("x", "eth_getLogs"), "the answer is no list"),
            (faults.result(["x"], "eth_getLogs"), "a log is no Locked"),
            (faults.result(None, "eth_getProof"), "the answer is no proof"),
            (
                faults.result({"accountProof": [], "storageProof": [{"proof": [], "value": "zz"}]}, "eth_getProof"),
                "no proof",
            ),
            (faults.result({"number": "0x1"}, "eth_getBlockByNumber"), "the answer is no block"),
            (faults.half_body(), "not JSON"),
        ):
            proxy.add(fault)
            found = relay.run()
            assert any(words in text for text in found.problems), (words, found.problems)
            proxy.clear()
        # A proof that is one, and proves nothing: the contract says so before anything is sent.
        proxy.add(Fault("forged proof", frozenset({"eth_getProof"}), on_answer=_forged))
        found = relay.run(2)
        assert results_of(found) == {"claim": "failed"}
    assert pair.sent() == before
    assert pair.held(owner) == 0


def _forged(_request, answer):
    found = answer["result"]
    nodes = list(found["storageProof"][0]["proof"])
    nodes[-1] = nodes[-1][:-2] + ("00" if nodes[-1][-2:] != "00" else "01")
    entry = {**found["storageProof"][0], "proof": nodes, "value": hex(10**24)}
    return [{**answer, "result": {**found, "storageProof": [entry]}}]


def test_relay__final_block_far_ahead_and_back__hides_no_lock(pair, tmp_path):
    """A node that calls a block final that nobody has, until it is asked again."""
    owner = pair.wallet()

    async def whole(proxy):
        async with Open(Relay(pair, tmp_path, urls=[proxy.url], log_blocks=10)) as opened:
            await opened.step()
            proxy.add(other_header(number=hex(10**6)), faults.result([], "eth_getLogs"))
            await opened.step()
            proxy.clear()
            pair.lock(owner, 5 * WAD)
            # Further back than what is read once more in any case.
            for _ in range(4):
                finalise(pair.away)
            for _ in range(3):
                await opened.step()

    with RpcProxy(pair.away.url) as proxy:
        asyncio.run(whole(proxy))
    assert pair.held(owner) == 5 * WAD


def test_relay__node_takes_short_ranges_only__reads_all(pair, tmp_path):
    owner = pair.wallet()
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)
    with RpcProxy(pair.away.url) as proxy:
        proxy.add(faults.range_limit(7))
        Relay(pair, tmp_path, urls=[proxy.url]).settle()
    assert pair.held(owner) == 5 * WAD


def test_relay__header_whose_state_nodes_have_forgotten__is_followed_by_a_newer_one(pair, tmp_path):
    owner = pair.wallet()
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)
    old = post_header(pair, pair.away, pair.home_feed)
    with RpcProxy(pair.away.url) as proxy:

        def forgotten(request):
            is_old = int(request["params"][2], 16) <= old
            return {"answer": {"error": {"code": -32000, "message": "missing trie node"}}} if is_old else None

        proxy.add(Fault("pruned", frozenset({"eth_getProof"}), on_request=forgotten))
        relay = Relay(pair, tmp_path, urls=[proxy.url])
        finalise(pair.away)

        async def whole():
            async with Open(relay) as opened:
                return [keys_of(await opened.step()) for _ in range(3)]

        assert asyncio.run(whole()) == [[], ["header"], ["claim"]]
    assert pair.held(owner) == 5 * WAD
