"""What happens to transactions: no money, refusals, reorganisations, a process killed between any two lines."""

from __future__ import annotations

import random
import threading
import time

import pytest
from helpers import rpc_proxy as faulty
from helpers.rpc_proxy import Drop, Fault
from scene import until

SENDS = "eth_sendRawTransaction"


@pytest.mark.parametrize("confirmations", [1, 12, 40])
def test_reorganisation__takes_auction_and_call_back__both_are_sent_again(scene, confirmations):
    scene.start(scene.file(transact__confirmations=confirmations))
    scene.crash()
    last = scene.block()
    scene.wait_attended()
    scene.quiet()
    scene.chain.client.rpc("anvil_reorg", scene.block() - last, [])
    scene.crashed_at = time.monotonic()
    scene.wait_attended()
    scene.quiet()
    scene.judge(f"reorganisation of everything sent, final after {confirmations}", "sent again")


def test_reorganisation__takes_the_crash_back__nobody_is_liquidated(scene):
    before = scene.block()
    scene.start(scene.file(transact__confirmations=40))
    scene.crash()
    scene.wait_attended()
    scene.quiet()
    scene.chain.client.rpc("anvil_reorg", scene.block() - before, [])
    time.sleep(3)
    assert not scene.attended()
    assert not scene.chain.state.auctions
    scene.chain.client.forget_nonces()
    scene.crash()
    scene.wait_attended()
    scene.quiet()
    # What was signed is still with the nodes that saw it, and is mined again where it has nothing to do any more.
    scene.judge("reorganisation of the crash itself, and the crash again", "undone, then attended", rounds=2, in_vain=5)


def test_signer__without_money__is_an_alert_and_others_go_on(scene, capfd):
    scene.senders.append(scene.chain.prices)
    prices = scene.key("prices", scene.chain.prices)
    more = ("[signers.prices]", f'keystore = "{prices}"', 'pass_file = "password"')
    scene.start(scene.file(more=more))
    balance = scene.chain.client.rpc("eth_getBalance", scene.chain.keeper.address, "latest")
    scene.chain.client.rpc("anvil_setBalance", scene.chain.keeper.address, "0x0")
    before = scene.nonce(scene.chain.prices)
    scene.crash()
    until(lambda: scene.nonce(scene.chain.prices) > before, "the other signer sends", 15)
    time.sleep(2)
    assert not scene.attended()
    assert "low-balance" in capfd.readouterr().err
    scene.chain.client.rpc("anvil_setBalance", scene.chain.keeper.address, balance)
    outage_sec = time.monotonic() - scene.crashed_at
    scene.wait_attended(60)
    scene.quiet()
    scene.judge("no money for gas", "alert; the other signer went on", outage_sec=outage_sec, bound_sec=35)


def test_node__refuses_every_send__all_are_sent_when_it_takes_them(scene):
    scene.start()
    scene.proxy.add(faulty.refused_sends("insufficient funds for gas * price + value"))
    scene.crash()
    threading.Timer(4, scene.proxy.clear).start()
    scene.wait_attended(60)
    scene.quiet()
    scene.judge("every send refused for 4 s", "attended", outage_sec=4, bound_sec=35)


@pytest.mark.parametrize("seed", range(3))
def test_process__killed_at_a_random_moment__nothing_is_lost_or_sent_twice(scene, seed):
    path = scene.file()
    draw = random.Random(seed)
    first = scene.start(path, is_process=True)
    scene.crash()
    time.sleep(draw.uniform(0.0, 1.0))
    first.kill()
    # The first keeper may have done everything; the next one must find that out, and has to be up for it.
    second = scene.start(path, is_process=True, is_ready=False)
    scene.wait_attended(60)
    scene.wait_ready(second)
    scene.quiet()
    scene.judge(f"kill -9 at a random moment, seed {seed}", "attended by the next start", bound_sec=30)


@pytest.mark.parametrize("is_taken", [False, True], ids=["before the node has it", "after the node has it"])
def test_process__killed_while_it_sends__nothing_is_lost_or_sent_twice(scene, is_taken):
    path = scene.file()
    first = scene.start(path, is_process=True)

    def end(*_):
        if first.is_running:
            first.process.kill()
        raise Drop

    methods = frozenset({SENDS})
    fault = Fault("kill", methods, 1, on_body=end) if is_taken else Fault("kill", methods, 1, on_payload=end)
    scene.proxy.add(fault)
    scene.crash()
    until(lambda: not first.is_running, "the keeper sends and is killed", 20)
    first.kill()
    second = scene.start(path, is_process=True, is_ready=False)
    scene.wait_attended(60)
    scene.wait_ready(second)
    scene.quiet()
    when = "after" if is_taken else "before"
    scene.judge(
        f"kill -9 while it sends, {when} the node has the transaction", "attended by the next start", bound_sec=30
    )
