"""Chains that are unlike others, or stand still: no base fee, no blocks, a token that was listed later."""

from __future__ import annotations

import time
from dataclasses import replace

from eth_utils.address import to_checksum_address
from helpers import rpc_proxy as faulty
from helpers.rpc_proxy import Fault
from scene import until
from test_market import feed, poster, show  # noqa: F401 (feed is a fixture)

from plimsoll.deployment.record import load_deployment
from plimsoll.units import float_to_raw, float_to_wad


def no_base_fee() -> list[Fault]:
    """A node of a chain that knows gas prices alone."""

    def legacy(_request, answer):
        block = answer.get("result")
        if not isinstance(block, dict) or "baseFeePerGas" not in block:
            return None
        return [{**answer, "result": {name: value for name, value in block.items() if name != "baseFeePerGas"}}]

    blocks = frozenset({"eth_getBlockByNumber", "eth_getBlockByHash"})
    unknown = faulty.error(-32601, "the method eth_maxPriorityFeePerGas does not exist", "eth_maxPriorityFeePerGas")
    return [Fault("no base fee", blocks, on_answer=legacy), unknown]


def test_chain__without_base_fee__everybody_is_attended_by_legacy_transactions(scene):
    """The first keeper bumped a fee of 0 for 214 times."""
    scene.proxy.add(*no_base_fee())
    scene.start()
    scene.crash()
    scene.wait_attended()
    scene.quiet()
    client = scene.chain.client
    mined = [client.rpc("eth_getBlockByNumber", hex(one.block), True)["transactions"] for one in scene.sent()]
    own = scene.chain.keeper.address.lower()
    found = [item for block in mined for item in block if item["from"] == own]
    assert {item["type"] for item in found} == {"0x0"}
    # What the node says a transaction costs now: nobody takes one for nothing.
    asked = int(client.rpc("eth_gasPrice"), 16)
    assert 0 < asked <= min(int(item["gasPrice"], 16) for item in found)
    scene.judge("chain without base fee", "attended, legacy transactions")


def hashes_of(scene, wallet) -> set[str]:
    """What waits in the pool of one wallet."""
    return {item["hash"] for item in scene.waiting(wallet).values()}


def test_mining__stopped_while_rounds_come__a_newer_one_takes_the_nonce_of_an_older(scene, feed):  # noqa: F811
    """The first keeper had nine transactions pending for three effects, and waited 1,908 s in one pass."""
    scene.start(poster(scene, feed))
    scene.quiet()
    client, wallet = scene.chain.client, scene.chain.prices
    client.rpc("evm_setAutomine", False)
    counts, hashes = [], set()
    for step in range(1, 4):
        # No block, so no time of the chain: the feed's own goes on.
        feed_ts = client.block_ts() + step
        show(feed, scene.chain, 1_900.0 - 20.0 * step, ts=feed_ts)
        until(lambda known=frozenset(hashes): hashes_of(scene, wallet) - known, scene.story)
        time.sleep(1.5)
        hashes |= hashes_of(scene, wallet)
        counts.append(len(scene.waiting(wallet)))
    # Two underlyings and one message of tokens at most, and no more of them the more rounds come.
    assert set(counts) == {counts[0]}, scene.story()
    assert counts[0] <= 3, scene.story()
    client.rpc("evm_setAutomine", True)
    client.rpc("evm_mine")
    number = scene.chain.deployment.underlyings["ETH"]
    until(lambda: scene.chain.sync() or scene.chain.state.rounds[number].spotWad == float_to_wad(1_840.0), scene.story)
    scene.quiet()
    posted = [one for one in scene.sent() if one.call.startswith("Oracle.postRound")]
    assert len(posted) <= counts[0], scene.story()
    feed.body = b"{}"
    # The feed's clock ran ahead of a chain that stood still; an older round would not count.
    scene.chain.wait(30)
    scene.crash()
    scene.wait_attended()
    scene.quiet()
    scene.judge("three rounds while mining stands still", "only the newest mined", others=True, rounds=2)


def test_token__listed_after_the_deployment__stops_nobody(scene):
    """The first keeper ended with a KeyError."""
    chain = scene.chain
    world, client = chain.world, chain.client
    scene.start()
    record = chain.deployment.tokens["WETH"]
    code = client.rpc("eth_getCode", record.address, "latest")
    address = to_checksum_address("0x" + "ab" * 20)
    client.rpc("anvil_setCode", address, code)
    later = len(chain.deployment.tokens)
    world.contract("Vault").send(world.governor, "listToken", address, float_to_raw(1e9, record.decimals))
    terms = {
        "listed": True,
        "linkedUnderlying": chain.deployment.underlyings["ETH"],
        "haircutWad": float_to_wad(0.2),
        "linkedHaircutWad": float_to_wad(0.02),
        "ratioWad": float_to_wad(1.0),
    }
    world.contract("ScenarioBook").send(world.governor, "setCollateral", later, terms)
    # The holder's own record knows the token; the keeper's file does not.
    chain.deployment.tokens["LATE"] = replace(record, token_id=later, address=address)
    try:
        holder = next(found for found in world.holders.values() if found.account_id == scene.healthy)
        world.deposit(holder, "LATE", 2.0)
    finally:
        del chain.deployment.tokens["LATE"]
    assert "LATE" not in load_deployment(scene.folder / "deployment.json").tokens
    scene.crash()
    scene.wait_attended()
    scene.quiet()
    scene.judge("token listed after the deployment", "attended", rounds=2)
