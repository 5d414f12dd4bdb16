"""The duty of remote collateral on two real chains: both ways, undone, killed, overtaken, lied to, capped, stopped."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import aiohttp
import pytest
import rlp
from eth_utils.crypto import keccak
from helpers import rpc_proxy as faults
from helpers.kills import die, die_at, killed
from helpers.rpc_proxy import Fault, RpcProxy
from helpers.two_chains import (
    AWAY_ID,
    CAP,
    DEPLOYER,
    FINAL,
    HOSTILE,
    RELAYER,
    RULE,
    SIGNERS,
    THRESHOLD,
    WAD,
    Open,
    Relay,
    finalise,
    reorganise,
    two_chains,
)

from plimsoll.chain.contracts import create
from plimsoll.chain.revert import RevertError
from plimsoll.errors import PlimsollError
from plimsoll.remote.headers import FIELDS, header_at, sign_final
from plimsoll.remote.proofs import locked_slot, prove, redeemed_slot


@pytest.fixture(scope="module")
def chains():
    with two_chains() as pair:
        yield pair


@pytest.fixture
def pair(chains, tmp_path_factory):
    """Both chains with nothing under way: a chain that is set back forgets its states, so wallets are new each time."""
    chains.cap(int(CAP) * WAD)
    Relay(chains, tmp_path_factory.mktemp("settled")).settle()
    chains.clock.sec = 0.0
    yield chains
    found = chains.bridge()
    assert found["supply"] <= found["held"], found


@pytest.fixture
def relay(pair, tmp_path):
    return Relay(pair, tmp_path)


def keys_of(found):
    return [deed.key.split(":")[0] for deed in found.deeds]


def results_of(found):
    return {deed.key.split(":")[0]: deed.result for deed in found.deeds}


def as_tuple(proof):
    return proof.number, list(proof.account), list(proof.storage)


def post_header(pair, source, feed, by=HOSTILE, at="finalized"):
    """Post a header as anybody may who has the signatures."""
    header = header_at(source, at)
    signatures = [sign_final(source, feed, signer, header) for signer in SIGNERS[:THRESHOLD]]
    feed.send(by, "postHeader", header.encoded, header.block_hash, signatures)
    return header.number


# --- the way and back


def test_relay__lock_and_redeem__are_carried_once_and_then_nothing_is_sent(pair, relay):
    owner, receiver = pair.wallet(), pair.wallet()
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)
    assert keys_of(relay.run()) == ["header"]
    assert keys_of(relay.run()) == ["claim"]
    assert pair.held(owner) == 5 * WAD
    pair.redeem(owner, 3 * WAD, receiver)
    finalise(pair.home)
    assert keys_of(relay.run()) == ["header"]
    assert keys_of(relay.run()) == ["unlock"]
    assert (pair.owned(receiver), pair.held(owner)) == (3 * WAD, 2 * WAD)
    finalise(pair.home, pair.away)
    before = pair.sent()
    assert [relay.run(2).deeds for _ in range(2)] == [[], []]
    assert pair.sent() == before


def test_relay__before_finality__sends_nothing(pair, relay):
    pair.lock(pair.wallet(), 5 * WAD)
    assert relay.run(2).deeds == []


def test_relay__dust__is_left_to_its_owner_until_it_is_more(pair, tmp_path):
    owner = pair.wallet()
    picky = Relay(pair, tmp_path, rule=replace(RULE, least=1.0))
    pair.lock(owner, WAD - 1)
    finalise(pair.away)
    assert picky.run(2).deeds == []
    pair.lock(owner, 1)
    finalise(pair.away)
    picky.run(2)
    assert pair.held(owner) == WAD


def test_relay__token_without_a_claim__is_left_alone(pair, relay):
    owner, junk = pair.wallet(), pair.wallet()
    other, _ = create(pair.away, DEPLOYER, "LocalToken", "Junk", "JUNK", 18)
    other.send(junk, "mint", junk.address, WAD)
    other.send(junk, "approve", pair.escrow.address, WAD)
    pair.escrow.send(junk, "lock", other.address, WAD, junk.address)
    pair.lock(owner, WAD)
    finalise(pair.away)
    found = relay.run(2)
    assert [key for key in keys_of(found) if key == "claim"] == ["claim"]
    assert (pair.held(owner), found.problems) == (WAD, [])


def test_relay__headers__come_at_most_once_in_their_time(pair, tmp_path):
    slow = Relay(pair, tmp_path, rule=replace(RULE, header_sec=100.0))

    async def whole():
        async with Open(slow) as opened:
            keys = []
            for sec in (0.0, 50.0, 101.0):
                pair.lock(pair.wallet(), WAD)
                finalise(pair.away)
                pair.clock.sec = sec
                keys.append(keys_of(await opened.step()))
            return keys

    first, second, third = asyncio.run(whole())
    assert (first, second, sorted(third)) == (["header"], ["claim"], ["header"])


# --- reorganisations


@pytest.mark.parametrize("undone", ["header", "claim", "both"])
def test_relay__home_chain_undoes_what_was_sent__is_sent_again(pair, relay, undone):
    owner = pair.wallet()
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)
    relay.run()
    if undone == "header":
        reorganise(pair.home, 1)
        assert relay.run().problems == []
    relay.run()
    if undone != "header":
        reorganise(pair.home, 1 if undone == "claim" else 2)
        assert pair.held(owner) == 0
    relay.settle()
    assert pair.held(owner) == 5 * WAD
    assert pair.claims.call("claimedRaw", pair.token.address, owner.address) == 5 * WAD


@pytest.mark.parametrize("undone", ["header", "release", "both"])
def test_relay__other_chain_undoes_what_was_sent__is_sent_again(pair, relay, undone):
    owner, receiver = pair.wallet(), pair.wallet()
    pair.lock(owner, 5 * WAD)
    relay.settle()
    pair.redeem(owner, 4 * WAD, receiver)
    finalise(pair.home)
    relay.run()
    if undone == "header":
        reorganise(pair.away, 1)
    relay.run()
    if undone != "header":
        reorganise(pair.away, 1 if undone == "release" else 2)
        assert pair.owned(receiver) == 0
    relay.settle()
    assert pair.owned(receiver) == 4 * WAD


def test_relay__lock_undone_before_it_is_final__is_never_claimed(pair, relay):
    owner = pair.wallet()
    finalise(pair.away)
    pair.lock(owner, 5 * WAD)
    relay.run(2)
    reorganise(pair.away, FINAL - 1)
    relay.settle()
    assert (pair.held(owner), pair.escrow.call("lockedRaw", pair.token.address, owner.address)) == (0, 0)


def test_relay__redemption_undone_before_it_is_final__is_never_released(pair, relay):
    owner = pair.wallet()
    pair.lock(owner, 5 * WAD)
    relay.settle()
    finalise(pair.home)
    pair.redeem(owner, 5 * WAD)
    relay.run(2)
    reorganise(pair.home, FINAL - 1)
    relay.settle()
    assert (pair.held(owner), pair.owned(owner)) == (5 * WAD, 0)


def test_relay__claim_of_another_is_undone__is_made_by_this_one(pair, relay):
    """It saw the claim in a block that is not final, and whoever made it does not come back."""
    owner, token = pair.wallet(), pair.token.address
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)
    number = post_header(pair, pair.away, pair.home_feed)
    finalise(pair.home)
    proof = prove(pair.away, pair.escrow.address, locked_slot(token, owner.address), number)
    pair.claims.send(HOSTILE, "claim", token, owner.address, as_tuple(proof))

    async def whole():
        async with Open(relay) as opened:
            assert (await opened.step()).deeds == []
            reorganise(pair.home, 1)
            assert pair.held(owner) == 0
            assert keys_of(await opened.step()) == ["claim"]

    asyncio.run(whole())
    assert pair.held(owner) == 5 * WAD


# --- a hostile relayer, and others at work


def test_relay__others_were_there_before__sends_only_what_is_left(pair, relay):
    owner, receiver = pair.wallet(), pair.wallet()
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)

    post_header(pair, pair.away, pair.home_feed)
    assert keys_of(relay.run()) == ["claim"]
    assert pair.held(owner) == 5 * WAD
    pair.redeem(owner, 4 * WAD, receiver)
    finalise(pair.home)
    number = post_header(pair, pair.home, pair.away_feed)
    proof = prove(pair.home, pair.claims.address, redeemed_slot(pair.token.address, receiver.address), number)
    pair.escrow.send(HOSTILE, "release", pair.token.address, receiver.address, *as_tuple(proof))
    before = pair.sent()
    assert relay.run(2).deeds == []
    assert (pair.sent(), pair.owned(receiver)) == (before, 4 * WAD)


@pytest.mark.parametrize("step", ["header", "claim", "unlock"])
def test_relay__front_run__ends_as_done_and_not_as_failed(pair, tmp_path, step):
    """Ours is signed and journalled; the other one, of the same effect, is mined before it."""
    owner = pair.wallet()
    pair.lock(owner, 5 * WAD)
    plain = Relay(pair, tmp_path)
    if step == "unlock":
        plain.settle()
        pair.redeem(owner, 5 * WAD)
        finalise(pair.home)
    else:
        finalise(pair.away)
    if step != "header":
        plain.run()
    outcomes = []

    async def overtaken(relay, proxy):
        async with Open(relay) as opened:
            # What the run before has sent is followed first.
            await opened.here.advance(await opened.home.head())
            await opened.relayer.advance()
            proxy.add(faults.lost_sends(times=1))
            assert keys_of(await opened.step()) == [step]
            _do(pair, step, owner)
            for _ in range(4):
                finalise(pair.home, pair.away)
                outcomes.extend(await opened.here.advance(await opened.home.head()))
                outcomes.extend((await opened.relayer.advance())[0])

    chain = pair.away if step == "unlock" else pair.home
    with RpcProxy(chain.url) as proxy:
        where = {"urls" if step == "unlock" else "home_urls": [proxy.url]}
        asyncio.run(overtaken(Relay(pair, tmp_path, **where), proxy))
    ours = [(one.key.split(":")[0], str(one.result)) for one in outcomes if str(one.result) != "done"]
    assert ours == [(step, "already done")]
    plain.settle()
    assert pair.held(owner) + pair.owned(owner) == 5 * WAD


def _do(pair, step, owner):
    """Do by hand what a relayer would."""
    token, to = pair.token.address, owner.address
    if step == "header":
        post_header(pair, pair.away, pair.home_feed)
    elif step == "claim":
        number = pair.home_feed.call("newest")
        proof = prove(pair.away, pair.escrow.address, locked_slot(token, to), number)
        pair.claims.send(HOSTILE, "claim", token, to, as_tuple(proof))
    else:
        number = pair.away_feed.call("newest")
        proof = prove(pair.home, pair.claims.address, redeemed_slot(token, to), number)
        pair.escrow.send(HOSTILE, "release", token, to, *as_tuple(proof))


def test_relay__overtaken_by_a_smaller_proof__carries_the_difference(pair, relay):
    owner, token = pair.wallet(), pair.token.address
    pair.lock(owner, 2 * WAD)
    finalise(pair.away)
    number = post_header(pair, pair.away, pair.home_feed)
    old = prove(pair.away, pair.escrow.address, locked_slot(token, owner.address), number)
    pair.lock(owner, 3 * WAD)
    finalise(pair.away)
    newer = post_header(pair, pair.away, pair.home_feed)
    assert newer > number
    pair.claims.send(HOSTILE, "claim", token, owner.address, as_tuple(old))
    assert keys_of(relay.run()) == ["claim"]
    assert pair.held(owner) == 5 * WAD
    with pytest.raises(RevertError, match="RemoteClaims__NothingNew"):
        pair.claims.send(HOSTILE, "claim", token, owner.address, as_tuple(old))


# --- kill -9


POINTS = [(kind, count) for kind in ("before write", "after write", "before send", "after send") for count in (1, 2)]


@pytest.mark.parametrize("side", ["home", "away"])
@pytest.mark.parametrize("point", POINTS, ids=lambda point: f"{point[0]} {point[1]}".replace(" ", "-"))
def test_relay__killed_at_every_step__nothing_twice_and_nothing_lost(pair, tmp_path, side, point):
    """From lock to release in processes of which the first one dies at a write of the journal or a send."""
    owner, relay = pair.wallet(), Relay(pair, tmp_path)
    pair.lock(owner, 5 * WAD)
    if side == "away":
        relay.settle()
        pair.redeem(owner, 4 * WAD)
    finalise(pair.home, pair.away)
    before = pair.sent()

    async def first():
        async with Open(relay) as opened:
            transactor = opened.here if side == "home" else opened.there
            die_at(SimpleNamespace(transactor=transactor), point)
            for _ in range(6):
                await opened.step()
                finalise(pair.home, pair.away)

    assert killed(first)
    relay.settle()
    assert (pair.held(owner), pair.owned(owner)) == ((5 * WAD, 0) if side == "home" else (WAD, 4 * WAD))
    # A header and a proof, each once.
    spent = [after - sent for after, sent in zip(pair.sent(), before, strict=True)]
    assert spent == ([2, 0] if side == "home" else [0, 2])


def test_relay__killed_and_reorganised__nothing_twice_and_nothing_lost(pair, tmp_path):
    owner, relay = pair.wallet(), Relay(pair, tmp_path)
    pair.lock(owner, 5 * WAD)
    finalise(pair.home, pair.away)

    async def first():
        async with Open(relay) as opened:
            await opened.step()
            await opened.step()
            die()

    assert killed(first)
    assert pair.held(owner) == 5 * WAD
    reorganise(pair.home, 2)
    assert pair.held(owner) == 0
    relay.settle()
    assert pair.held(owner) == 5 * WAD


# --- a chain that is away, and nodes that lie


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
        proxy.add(_other_header(stateRoot="0x" + "66" * 32))
        before = pair.home_feed.call("newest")
        found = relay.run(2)
        assert any("nodes disagree on the final block" in text for text in found.problems)
        assert pair.home_feed.call("newest") == before
        proxy.clear()
        relay.settle()
    assert pair.home_feed.call("newest") > before


def _other_header(**fields):
    """A node with a whole other header, which hashes to its hash."""

    def changed(_request, answer):
        block = answer.get("result")
        if not isinstance(block, dict) or "stateRoot" not in block:
            return None
        forged = {**block, **fields}
        values = [_field(forged, name, is_number) for name, is_number in FIELDS if forged.get(name) is not None]
        return [{**answer, "result": {**forged, "hash": "0x" + keccak(rlp.encode(values)).hex()}}]

    return Fault("other header", frozenset({"eth_getBlockByNumber"}), on_answer=changed)


def _field(block, name, is_number):
    if not is_number:
        return bytes.fromhex(block[name][2:])
    value = int(block[name], 16)
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


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
            proxy.add(_other_header(number=hex(10**6)), faults.result([], "eth_getLogs"))
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


# --- caps, freezes, quorums, halts


def test_relay__cap_full__waits_says_so_and_carries_the_rest_when_it_is_raised(pair, relay):
    owner = pair.wallet()
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)
    supply = pair.claim.call("totalSupply")
    pair.cap(supply + 2 * WAD)
    relay.run(2)
    assert pair.held(owner) == 2 * WAD
    before = pair.sent()
    found = relay.run(3)
    assert (found.deeds, found.problems, pair.sent()) == ([], [], before)
    assert "rETH: 3000000000000000000 of the smallest unit wait, and the cap leaves room for 0" in found.alerts.values()
    # What somebody redeems makes room as a higher cap does.
    pair.redeem(owner, WAD)
    assert keys_of(relay.run()) == ["claim"]
    pair.cap(int(CAP) * WAD)
    relay.settle()
    assert (pair.held(owner), pair.owned(owner)) == (4 * WAD, WAD)


def test_relay__feed_frozen__carries_nothing_until_signers_are_set_anew(pair, relay):
    owner = pair.wallet()
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)
    number = post_header(pair, pair.away, pair.home_feed)
    # What a quorum that breaks its rule can do: the chain changes what was final.
    reorganise(pair.away, FINAL + 2)
    pair.away.rpc("anvil_mine", hex(FINAL + 3), hex(1))
    post_header(pair, pair.away, pair.home_feed, at=hex(number))
    assert pair.home_feed.call("isFrozen")
    other = pair.wallet()
    pair.lock(other, WAD)
    finalise(pair.away)
    found = relay.run(2)
    assert found.deeds == []
    assert any("frozen until its signers are set anew" in text for text in found.alerts.values())
    pair.home_feed.send(DEPLOYER, "setSigners", [signer.address for signer in SIGNERS], THRESHOLD)
    relay.settle()
    assert pair.held(other) == WAD


def test_relay__fewer_keys_than_the_quorum__carries_on_headers_of_others(pair, tmp_path):
    owner = pair.wallet()
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)
    relay = Relay(pair, tmp_path, keys=[SIGNERS[2], RELAYER])
    found = relay.run(2)
    assert found.deeds == []
    assert any("1 signatures missing" in text for text in found.alerts.values())
    post_header(pair, pair.away, pair.home_feed)
    assert keys_of(relay.run()) == ["claim"]
    assert pair.held(owner) == 5 * WAD


# --- a quorum that is spread over keepers


def others(pair, folder, *keys, urls=()):
    """Another keeper with keys of its own, that gives signatures."""
    folder.mkdir()
    return Open(Relay(pair, folder, keys=keys, urls=urls, attest="127.0.0.1:0"))


def test_relay__quorum_over_two_keepers__each_signs_what_its_own_nodes_call_final(pair, tmp_path):
    owner = pair.wallet()
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)

    async def whole():
        async with others(pair, tmp_path / "other", SIGNERS[0]) as other:
            services = [other.relayer.attester.address]
            async with Open(Relay(pair, tmp_path, keys=SIGNERS[1:2], services=services)) as mine:
                return [keys_of(await mine.step()) for _ in range(2)]

    assert asyncio.run(whole()) == [["header"], ["claim"]]
    assert pair.held(owner) == 5 * WAD


def test_relay__other_keepers_lie_refuse_or_are_away__posts_nothing_and_names_them(pair, tmp_path):
    """Keys that are no signer's, the own key over again, a page that is none, nobody, a node of another view."""
    pair.lock(pair.wallet(), 5 * WAD)
    finalise(pair.away)

    async def whole(proxy):
        async with (
            others(pair, tmp_path / "stranger", HOSTILE) as stranger,
            others(pair, tmp_path / "twin", SIGNERS[1]) as twin,
            others(pair, tmp_path / "behind", SIGNERS[0], urls=[proxy.url]) as behind,
        ):
            proxy.add(_other_header(stateRoot="0x" + "66" * 32))
            services = [one.relayer.attester.address for one in (stranger, twin, behind)]
            services += [pair.away.url, "http://127.0.0.1:9"]
            async with Open(Relay(pair, tmp_path, keys=SIGNERS[1:2], services=services)) as mine:
                found = await mine.step()
                proxy.clear()
                return found, keys_of(await mine.step())

    with RpcProxy(pair.away.url) as proxy:
        found, later = asyncio.run(whole(proxy))
    assert found.deeds == []
    text = found.alerts["claims signatures"]
    assert text.startswith("1 of 2 signatures")
    for words in (" here;", "the answer is no attestation", "no answer (ClientConnectorError)"):
        assert words in text, text
    # The one whose node was wrong sees the chain again.
    assert later == ["header"]


def test_attester__what_is_not_final_or_not_there__is_refused(pair, tmp_path):
    finalise(pair.away)
    newest, final = header_at(pair.away, "latest"), header_at(pair.away, "finalized")

    async def refused(attester, *asked):
        with pytest.raises(PlimsollError) as problem:
            await attester.attest(*asked)
        return str(problem.value)

    async def whole():
        async with others(pair, tmp_path / "one", SIGNERS[0]) as one:
            attester = one.relayer.attester
            assert set(await attester.attest(AWAY_ID, final.number, final.block_hash)) == {SIGNERS[0].address}
            older = header_at(pair.away, hex(final.number - 1))
            assert await attester.attest(AWAY_ID, older.number, older.block_hash)
            texts = [
                await refused(attester, AWAY_ID, newest.number, newest.block_hash),
                await refused(attester, AWAY_ID, final.number - 2, b"\1" * 32),
                await refused(attester, 5, final.number, final.block_hash),
                await refused(attester, AWAY_ID, final.number, b"\1" * 32),
            ]
            async with aiohttp.ClientSession() as session:
                for path in ("x/1/0x00", "10/y/0x00", "10/1/0xzz"):
                    async with session.get(f"{attester.address}/attest/{path}") as response:
                        assert response.status == 400
                async with session.get(f"{attester.address}/attest/10/1/0x00") as response:
                    assert (response.status, list(await response.json())) == (409, ["reason"])
            return texts

    early, other, foreign, second = asyncio.run(whole())
    assert "is not final" in early
    assert f"block {final.number - 2} is 0x" in other
    assert "chain 5 is none of 10, 31337" in foreign
    assert "another hash of block" in second


def test_relay__token_that_refuses_to_leave__is_tried_again_and_stops_nothing_else(pair, relay):
    """The token is stopped by its issuer: releases fail in their simulation, claims go on."""
    owner, other = pair.wallet(), pair.wallet()
    pair.lock(owner, 5 * WAD)
    relay.settle()
    pair.redeem(owner, 4 * WAD)
    pair.lock(other, WAD)
    finalise(pair.home, pair.away)
    code = pair.away.rpc("eth_getCode", pair.token.address, "latest")
    relay.run()
    pair.away.rpc("anvil_setCode", pair.token.address, "0xfe")
    before = pair.sent()[1]
    found = relay.run()
    assert results_of(found) == {"claim": "sent", "unlock": "failed"}
    assert (pair.held(other), pair.sent()[1]) == (WAD, before)
    pair.away.rpc("anvil_setCode", pair.token.address, code)
    relay.settle()
    assert pair.owned(owner) == 4 * WAD


def test_relay__other_chain_halts_for_a_day__is_told_and_what_waited_comes_after(pair, relay):
    owner, late = pair.wallet(), pair.wallet()
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)
    relay.run(2)
    pair.lock(late, WAD)

    async def whole():
        async with Open(relay) as opened:
            alerts = []
            for sec in (0.0, 3_000.0, 86_400.0):
                pair.clock.sec = sec
                alerts.append(set((await opened.step()).alerts))
            return alerts

    first, second, third = asyncio.run(whole())
    assert (first, second) == (set(), set())
    assert f"chain {AWAY_ID} quiet" in third
    # What was claimed keeps counting; what was not waits.
    assert (pair.held(owner), pair.held(late)) == (5 * WAD, 0)
    relay.settle()
    assert pair.held(late) == WAD


def test_relay__home_chain_halts_for_a_day__headers_from_its_future_wait(pair, relay):
    """The other chain goes on: its blocks are later than this chain's clock until this one goes on too."""
    owner = pair.wallet()
    later_ts = pair.away.block_ts() + 86_400
    pair.away.rpc("evm_setNextBlockTimestamp", later_ts)
    pair.lock(owner, 5 * WAD)
    finalise(pair.away)
    before = pair.sent()
    found = relay.run(2)
    assert results_of(found) == {"header": "failed"}
    assert any("FromTheFuture" in deed.reason for deed in found.deeds)
    assert pair.sent() == before
    pair.home.rpc("evm_setNextBlockTimestamp", later_ts)
    relay.settle()
    assert pair.held(owner) == 5 * WAD
