"""What happens to transactions: no money, refusals, reorganisations, a process killed between any two lines."""

from __future__ import annotations

import random
import threading
import time

import pytest
from helpers import rpc_proxy as faulty
from helpers.rpc_proxy import Drop, Fault
from scene import START, journal_keys, until

from plimsoll.constants import DAY_SEC
from plimsoll.transact.policy import Policy

SENDS = "eth_sendRawTransaction"


def is_told_done(keeper, account_id: int) -> bool:
    """Whether a keeper has said that the start of an auction is final."""
    words = (line.split() for line in keeper.lines)
    return any(line[:2] == [f"start:{account_id}:0", "done"] for line in words)


@pytest.mark.parametrize("confirmations", [1, 12, 40])
def test_reorganisation__takes_auction_and_call_back__both_are_sent_again(scene, confirmations):
    keeper = scene.start(scene.file(transact__confirmations=confirmations))
    scene.crash()
    last = scene.block()
    scene.wait_attended()
    scene.quiet()
    # Told once it is as deep as the option says, and not before; less is built on it than the deeper ones ask for.
    assert is_told_done(keeper, scene.short) is (confirmations == 1), keeper.lines
    scene.chain.client.rpc("anvil_reorg", scene.block() - last, [])
    scene.crashed_at = time.monotonic()
    scene.wait_attended()
    scene.quiet()
    scene.chain.client.rpc("anvil_mine", hex(confirmations))
    until(lambda: is_told_done(keeper, scene.short), scene.story)
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


def short_estimates() -> Fault:
    """The node says half of what a start of an auction needs: it runs at the head, and reverts when it is mined."""

    def half(request, answer):
        if not request["params"][0]["data"].startswith(START) or "result" not in answer:
            return None
        return [{**answer, "result": hex(int(answer["result"], 16) // 2)}]

    return Fault("short estimates", frozenset({"eth_estimateGas"}), on_answer=half)


def reverted(scene) -> list:
    """What was mined of the keeper without effect."""
    return [one for one in scene.sent() if not one.is_done]


def test_reverts__in_a_loop__stop_at_the_budget_and_others_go_on(scene):
    """Peers' keepers sent what reverted again and again until there was no money left."""
    budget = 2
    scene.start(scene.file(transact__failure_budget=budget))
    fault = scene.proxy.add(short_estimates())
    scene.crash()
    until(lambda: len(reverted(scene)) >= budget and scene.is_called(), scene.story)
    for _ in range(4):
        # Heads to act on.
        scene.chain.client.rpc("evm_mine")
        time.sleep(0.5)
    assert fault.struck
    assert len(reverted(scene)) == budget, scene.story()
    scene.proxy.clear()
    scene.chain.wait(Policy().failure_window_sec)
    scene.crash()
    scene.wait_attended()
    scene.quiet()
    scene.judge(
        "a start reverts whenever it is mined",
        "tried twice, the call made; attended an hour later",
        in_vain=budget,
        rounds=2,
    )


def test_reverts__in_a_loop__cost_no_more_than_a_day_may(scene):
    client, wallet = scene.chain.client, scene.chain.keeper
    # Room for some transactions at twice the present fee, whatever each of them needs.
    # A tip that outweighs the base fee, which falls while blocks are nearly empty.
    tip_wei = 50 * int(client.rpc("eth_gasPrice"), 16)
    cap_wei = 1_000_000 * tip_wei
    budgets = {"transact__failure_budget": 1_000, "transact__account_failure_budget": 1_000}
    scene.start(scene.file(transact__daily_spend_wei=cap_wei, transact__min_tip_wei=tip_wei, **budgets))
    before_wei = int(client.rpc("eth_getBalance", wallet.address, "latest"), 16)
    scene.proxy.add(short_estimates())
    scene.crash()
    until(lambda: reverted(scene), scene.story)
    scene.quiet(3, 60)
    count = len(reverted(scene))
    assert before_wei - int(client.rpc("eth_getBalance", wallet.address, "latest"), 16) <= cap_wei
    scene.proxy.clear()
    scene.chain.wait(DAY_SEC)
    scene.crash()
    scene.wait_attended()
    scene.quiet()
    outcome = f"{count} reverts within the cap, attended the next day"
    scene.judge("a start reverts, and the day's cap is the only budget", outcome, in_vain=count, rounds=None)


def test_sends__lost_while_blocks_come__are_one_intent_and_not_one_for_each_block(scene):
    """The first keeper named a start by the time of its block: a lost one was another effect in every pass."""
    scene.start()
    fault = scene.proxy.add(faulty.lost_sends())
    scene.crash()
    for _ in range(4):
        known = fault.struck
        until(lambda known=known: fault.struck > known, scene.story)
        scene.chain.client.rpc("evm_mine")
        time.sleep(0.5)
    keys = [key for key in journal_keys(scene.url) if key.startswith(("start:", "margin-call:"))]
    assert sorted(keys) == [f"margin-call:{scene.called}:0", f"start:{scene.short}:0"], scene.story()
    scene.proxy.clear()
    outage_sec = time.monotonic() - scene.crashed_at
    scene.wait_attended()
    scene.quiet()
    scene.judge("every send lost while blocks come", "one intent each; then attended", outage_sec=outage_sec)


def test_fee__base_fee_passes_what_was_bid__is_replaced_at_its_nonce_and_lands_once(scene):
    client = scene.chain.client
    scene.start()
    # What is sent before mining stops would be mined.
    scene.proxy.add(faulty.lost_sends())
    scene.crash()
    until(lambda: len(journal_keys(scene.url)) >= 2, scene.story)
    client.rpc("evm_setAutomine", False)
    scene.proxy.clear()
    until(lambda: len(scene.waiting(scene.chain.keeper)) >= 2, scene.story)
    first = scene.waiting(scene.chain.keeper)
    base_wei = 2 * max(int(item["maxFeePerGas"], 16) for item in first.values())

    def mine_dear():
        client.rpc("anvil_setNextBlockBaseFeePerGas", hex(base_wei))
        client.rpc("evm_mine")
        return scene.attended()

    until(mine_dear, scene.story)
    outage_sec = time.monotonic() - scene.crashed_at
    scene.wait_attended()
    landed = {one.nonce: one for one in scene.sent()}
    assert set(first) <= set(landed), scene.story()
    client.rpc("evm_setAutomine", True)
    scene.quiet()
    scene.judge("base fee at twice what was bid", "replaced at the same nonces, landed once", outage_sec=outage_sec)
