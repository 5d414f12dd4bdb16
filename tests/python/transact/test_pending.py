"""Pending transactions: replaced within bounds, taken over by newer intents, and nonces that others use."""

import asyncio
from dataclasses import replace

import pytest
from helpers import rpc_proxy as faults
from helpers.lab import CHAIN_ID, COUNTER, ETHER, KEEPER, ONCE, QUICK, Bench, chain, effect
from helpers.rpc_proxy import RpcProxy

from plimsoll.chain.anvil import wallet
from plimsoll.transact.event import Notice
from plimsoll.transact.fees import Fees, raised
from plimsoll.transact.intent import Result
from plimsoll.transact.operate import status, unstick
from plimsoll.transact.signing import sign_call

GWEI = 10**9


@pytest.fixture
def fresh():
    with chain() as running:
        yield running


def go(work):
    return asyncio.run(work)


def pass_by(running, blocks, base_wei=100 * GWEI):
    """Mine blocks whose base fee keeps every pending transaction out."""
    for _ in range(blocks):
        running.rpc("anvil_setNextBlockBaseFeePerGas", hex(base_wei))
        running.mine()


def foreign(running, nonce, name, mode=1, fee_wei=50 * GWEI, account=KEEPER):
    """Send a transaction that is in no journal."""
    data = bytes([mode]) + name.to_bytes(32, "big")
    signed = sign_call(account, CHAIN_ID, nonce, COUNTER, data, 100_000, Fees(fee_wei, fee_wei // 2))
    running.rpc("eth_sendRawTransaction", "0x" + signed.raw.hex())


def price(name, **options):
    return effect(name, replaces="prices", **options)


def test_advance__passed_by__is_replaced_above_the_minimum_bump(tmp_path, fresh):
    replaced = []

    async def work():
        async with Bench(tmp_path, [fresh.url], on_replaced=replaced.append) as bench:
            await bench.submit(effect(1))
            assert sum(replaced) == 0
            first = bench.entries()[0].fees
            await bench.advance()
            pass_by(fresh, 2)
            await bench.advance()
            entry = bench.entries()[0]
            assert (len(entry.hashes), entry.replacements, entry.nonce) == (2, 1, 0)
            assert sum(replaced) == 1
            assert entry.fees.max_wei >= first.max_wei * 1.1
            assert entry.fees.tip_wei >= first.tip_wei * 1.1
            assert entry.fees.max_wei >= 100 * GWEI
            assert await bench.settle(fresh) == {"effect:1": "done"}
        assert (fresh.count(1), fresh.used()) == (1, 1)

    go(work())


def test_advance__at_the_cap__keeps_the_last_one_alive_and_tells_once(tmp_path, fresh):
    async def work():
        policy = replace(QUICK, max_fee_wei=5 * GWEI, max_replacements=3)
        async with Bench(tmp_path, [fresh.url], policy) as bench:
            await bench.submit(effect(1))
            for _ in range(12):
                pass_by(fresh, 2)
                await bench.advance()
            entry = bench.entries()[0]
            assert entry.replacements == 3
            assert len(entry.hashes) == 4
            assert entry.fees.max_wei <= 5 * GWEI
            assert bench.notices() == [Notice.AT_CAP]
            fresh.forget()
            pass_by(fresh, 1, GWEI)
            await bench.advance()
            assert fresh.pool() == 1
            assert await bench.settle(fresh) == {"effect:1": "done"}
        assert fresh.used() == 1

    go(work())


def test_advance__no_blocks__raises_no_fee(tmp_path, fresh):
    async def work():
        async with Bench(tmp_path, [fresh.url]) as bench:
            await bench.submit(effect(1))
            for _ in range(20):
                await bench.advance()
            assert len(bench.entries()[0].hashes) == 1

    go(work())


def test_advance__fee_of_nothing__is_not_bumped_for_ever(tmp_path):
    async def work(running):
        with RpcProxy(running.url) as proxy:
            proxy.add(faults.lost_sends())
            policy = replace(QUICK, max_replacements=4)
            async with Bench(tmp_path, [proxy.url], policy) as bench:
                await bench.submit(effect(1))
                assert bench.entries()[0].fees.is_legacy
                for _ in range(12):
                    running.mine(3)
                    await bench.advance()
                # No pool has it, so no fee brings it forward: it is sent again as it is.
                assert len(bench.entries()[0].hashes) == 1
                proxy.clear()
                proxy.add(faults.refused_sends("replacement transaction underpriced"))
                for _ in range(20):
                    running.mine(3)
                    await bench.advance()
                assert len(bench.entries()[0].hashes) <= 5
                proxy.clear()
                assert await bench.settle(running) == {"effect:1": "done"}

    with chain("--hardfork", "berlin", "--gas-price", "0") as running:
        go(work(running))


def test_advance__chain_without_base_fee__sends_and_replaces_by_gas_price(tmp_path):
    async def work(running):
        async with Bench(tmp_path, [running.url]) as bench:
            running.rpc("evm_setAutomine", False)
            await bench.submit(effect(1))
            low = bench.entries()[0].fees
            assert (low.is_legacy, low.max_wei) == (True, low.tip_wei)
            running.forget()
            (ticket,) = (await unstick(bench.transactor)).tickets
            assert ticket.nonce == 0
            assert bench.entries()[0].fees.max_wei >= low.max_wei * 1.1
            assert await bench.settle(running) == {"effect:1": "done"}
        assert [int(tx["type"], 16) for tx in running.sent()] == [0]

    with chain("--hardfork", "berlin") as running:
        go(work(running))


def test_submit__three_rounds_while_mining_stopped__only_the_newest_is_mined(tmp_path, fresh):
    async def work():
        async with Bench(tmp_path, [fresh.url]) as bench:
            tickets = [await bench.submit(price(name)) for name in (1, 2, 3)]
            assert [ticket.nonce for ticket in tickets] == [0, 0, 0]
            assert bench.states() == {"effect:1": "dropped", "effect:2": "dropped", "effect:3": "sent"}
            assert fresh.pool() == 1
            results = await bench.settle(fresh)
            assert results == {"effect:1": "replaced", "effect:2": "replaced", "effect:3": "done"}
        assert [fresh.count(name) for name in (1, 2, 3)] == [0, 0, 1]
        assert fresh.used() == 1

    go(work())


def test_submit__rounds_in_one_submission__only_the_newest_is_sent(tmp_path, fresh):
    async def work():
        async with Bench(tmp_path, [fresh.url]) as bench:
            tickets = await bench.submit(price(1), effect(9), price(2), price(3, mode=3))
            results = [None if ticket.outcome is None else ticket.outcome.result for ticket in tickets]
            assert results == [Result.REPLACED, None, None, Result.FAILED]
            await bench.settle(fresh)
        assert [fresh.count(name) for name in (1, 2, 3, 9)] == [0, 1, 0, 1]

    go(work())


def test_submit__older_round_is_mined_after_all__the_newer_one_gets_a_new_nonce(tmp_path, fresh):
    async def work():
        with RpcProxy(fresh.url) as proxy:
            async with Bench(tmp_path, [proxy.url]) as bench:
                await bench.submit(price(1))
                proxy.add(faults.lost_sends(times=1))
                await bench.submit(price(2))
                fresh.mine()
                await bench.advance()
                assert bench.states() == {"effect:1": "included", "effect:2": "sent"}
                assert await bench.settle(fresh) == {"effect:1": "done", "effect:2": "done"}
        assert (fresh.count(1), fresh.count(2), fresh.used()) == (1, 1, 2)

    go(work())


def test_advance__nonce_of_an_older_round_is_lost__it_does_not_come_back_in_the_place_of_a_newer_one(tmp_path, fresh):
    async def work():
        with RpcProxy(fresh.url) as proxy:
            async with Bench(tmp_path, [proxy.url]) as bench:
                proxy.add(faults.drop("eth_sendRawTransaction", times=2))
                await bench.submit(price(1))
                foreign(fresh, 0, 7)
                fresh.mine(4)
                # The newer one is on its way when it turns out that the older one has lost its nonce.
                assert (await bench.submit(price(2))).nonce == 1
                assert await bench.advance() == {"effect:1": "replaced"}
                assert await bench.settle(fresh) == {"effect:2": "done"}
        assert [fresh.count(name) for name in (1, 2, 7)] == [0, 1, 1]

    go(work())


def test_submit__group_out_of_replacements__waits(tmp_path, fresh):
    async def work():
        async with Bench(tmp_path, [fresh.url], replace(QUICK, max_replacements=1)) as bench:
            await bench.submit(price(1))
            await bench.submit(price(2))
            assert (await bench.submit(price(3))).outcome.result is Result.WAITING
            fresh.mine()
            await bench.advance()
            assert (await bench.submit(price(3))).nonce == 1
            await bench.settle(fresh)
        assert [fresh.count(name) for name in (1, 2, 3)] == [0, 1, 1]

    go(work())


def test_advance__nonce_freed_below_others__is_filled_by_an_empty_transfer(tmp_path, fresh):
    async def work():
        with RpcProxy(fresh.url) as proxy:
            async with Bench(tmp_path, [proxy.url]) as bench:
                proxy.add(faults.drop("eth_sendRawTransaction", times=1))
                await bench.submit(effect(1))
                await bench.submit(effect(2))
                proxy.add(faults.refused_sends("exceeds block gas limit", times=1))
                assert await bench.advance() == {"effect:1": "too much gas"}
                assert await bench.settle(fresh) == {"effect:2": "done"}
                assert Notice.GAP in bench.notices()
        filler = fresh.sent()[0]
        assert (filler["to"].lower(), int(filler["value"], 16)) == (KEEPER.address.lower(), 0)
        assert (fresh.count(1), fresh.count(2), fresh.used()) == (0, 1, 2)

    go(work())


def test_advance__effect_was_had_by_another_while_it_was_lost__costs_an_empty_transfer_alone(tmp_path, fresh):
    async def work():
        rival = wallet("rival")
        fresh.rpc("anvil_setBalance", rival.address, hex(ETHER))
        with RpcProxy(fresh.url) as proxy:
            async with Bench(tmp_path, [proxy.url]) as bench:
                proxy.add(faults.lost_sends(times=1))
                await bench.submit(effect(1, ONCE))
                await bench.submit(effect(2))
                foreign(fresh, 0, 1, ONCE, account=rival)
                fresh.mine(3)
                assert await bench.advance() == {"effect:1": "already done"}
                assert await bench.settle(fresh) == {"effect:2": "done"}
        filler, _ = fresh.sent()
        assert (filler["to"].lower(), int(filler["gas"], 16)) == (KEEPER.address.lower(), 25_200)
        assert (fresh.count(1), fresh.count(2), fresh.used()) == (1, 1, 2)

    go(work())


def test_advance__effect_was_had_by_another_while_it_was_stuck__is_cancelled_and_not_raised(tmp_path, fresh):
    async def work():
        rival = wallet("rival")
        fresh.rpc("anvil_setBalance", rival.address, hex(ETHER))
        async with Bench(tmp_path, [fresh.url]) as bench:
            await bench.submit(effect(1, ONCE))
            foreign(fresh, 0, 1, ONCE, account=rival, fee_wei=300 * GWEI)
            pass_by(fresh, 2)
            assert await bench.advance() == {"effect:1": "already done"}
            await bench.settle(fresh)
        assert [tx["to"].lower() for tx in fresh.sent()] == [KEEPER.address.lower()]
        assert fresh.count(1) == 1

    go(work())


def test_advance__nonce_taken_by_an_unknown_transaction__is_planned_again(tmp_path, fresh):
    async def work():
        with RpcProxy(fresh.url) as proxy:
            async with Bench(tmp_path, [proxy.url]) as bench:
                proxy.add(faults.drop("eth_sendRawTransaction", times=2))
                await bench.submit(effect(1))
                foreign(fresh, 0, 7)
                fresh.mine(4)
                assert await bench.advance() == {}
                assert Notice.FOREIGN_NONCE in bench.notices()
                assert await bench.settle(fresh) == {"effect:1": "done"}
        assert (fresh.count(1), fresh.count(7), fresh.used()) == (1, 1, 2)

    go(work())


def test_advance__nonce_taken_in_a_block_that_may_yet_go__is_not_given_up(tmp_path, fresh):
    async def work():
        with RpcProxy(fresh.url) as proxy:
            async with Bench(tmp_path, [proxy.url]) as bench:
                proxy.add(faults.drop("eth_sendRawTransaction", times=2))
                await bench.submit(effect(1))
                foreign(fresh, 0, 7)
                fresh.mine()
                assert await bench.advance() == {}
                assert bench.states() == {"effect:1": "planned"}
                fresh.reorganise(1)
                assert await bench.settle(fresh) == {"effect:1": "done"}
        assert (fresh.count(1), fresh.count(7), fresh.used()) == (1, 0, 1)

    go(work())


def test_advance__no_pool_ever_took_it__is_sent_as_it_is_however_many_blocks_pass(tmp_path, fresh):
    async def work():
        with RpcProxy(fresh.url) as proxy:
            async with Bench(tmp_path, [proxy.url]) as bench:
                proxy.add(faults.drop("eth_sendRawTransaction"))
                await bench.submit(effect(1))
                for _ in range(5):
                    fresh.mine(4)
                    await bench.advance()
                assert len(bench.entries()[0].hashes) == 1
                proxy.clear()
                assert await bench.settle(fresh) == {"effect:1": "done"}

    go(work())


def test_advance__unknown_transaction_had_the_effect__is_already_done(tmp_path, fresh):
    async def work():
        with RpcProxy(fresh.url) as proxy:
            async with Bench(tmp_path, [proxy.url]) as bench:
                proxy.add(faults.drop("eth_sendRawTransaction", times=2))
                await bench.submit(effect(1, ONCE))
                foreign(fresh, 0, 1)
                fresh.mine(4)
                assert await bench.advance() == {"effect:1": "already done"}
                assert bench.entries() == []
        assert (fresh.count(1), fresh.used()) == (1, 1)

    go(work())


def test_submit__unknown_transaction_in_the_pool__is_queued_behind(tmp_path, fresh):
    async def work():
        foreign(fresh, 0, 7)
        async with Bench(tmp_path, [fresh.url]) as bench:
            assert (await bench.submit(effect(1))).nonce == 1
            assert await bench.settle(fresh) == {"effect:1": "done"}
        assert (fresh.count(1), fresh.count(7)) == (1, 1)

    go(work())


def test_advance__receipt_invisible__is_waited_for_and_nothing_is_sent_again(tmp_path, fresh):
    async def work():
        with RpcProxy(fresh.url) as proxy:
            async with Bench(tmp_path, [proxy.url], replace(QUICK, lost_sec=30.0)) as bench:
                await bench.submit(effect(1))
                proxy.add(faults.hidden_receipts())
                before = proxy.seen["eth_sendRawTransaction"]
                for _ in range(6):
                    fresh.mine(2)
                    assert await bench.advance() == {}
                assert bench.states() == {"effect:1": "sent"}
                assert proxy.seen["eth_sendRawTransaction"] == before
                assert bench.notices() == [Notice.RECEIPT_MISSING]
                proxy.clear()
                assert await bench.advance() == {"effect:1": "done"}
        assert (fresh.count(1), fresh.used()) == (1, 1)

    go(work())


def test_advance__receipt_on_another_endpoint__counts(tmp_path, fresh):
    async def work():
        with RpcProxy(fresh.url) as proxy:
            proxy.add(faults.hidden_receipts())
            async with Bench(tmp_path, [proxy.url, fresh.url]) as bench:
                await bench.submit(effect(1))
                fresh.mine(4)
                assert await bench.advance() == {"effect:1": "done"}

    go(work())


def test_advance__receipt_of_a_block_that_the_head_does_not_contain__does_not_count(tmp_path, fresh):
    async def work():
        with RpcProxy(fresh.url) as proxy:
            async with Bench(tmp_path, [proxy.url]) as bench:
                await bench.submit(effect(1))
                fresh.mine(4)

                def lie(_request, answer):
                    return [{**answer, "result": {**answer["result"], "blockHash": "0x" + "ab" * 32}}]

                methods = frozenset({"eth_getTransactionReceipt"})
                proxy.add(faults.Fault("other block", methods, on_answer=lie))
                assert await bench.advance() == {}
                assert bench.states() == {"effect:1": "sent"}
                proxy.clear()
                assert await bench.advance() == {"effect:1": "done"}

    go(work())


def test_advance__another_keeper_was_faster_in_the_same_block__is_already_done(tmp_path, fresh):
    async def work():
        rival = wallet("rival")
        fresh.rpc("anvil_setBalance", rival.address, hex(ETHER))
        async with Bench(tmp_path, [fresh.url]) as bench:
            await bench.submit(effect(1, ONCE))
            foreign(fresh, 0, 1, ONCE, account=rival)
            fresh.mine()
            assert await bench.advance() == {"effect:1": "already done"}
            await bench.settle(fresh)
            # It cost the signer gas, and is no failure.
            assert (await bench.submit(effect(1, ONCE))).outcome.result is Result.ALREADY_DONE
        assert fresh.count(1) == 1

    go(work())


def test_advance__node_wants_a_larger_bump__raises_until_it_is_taken(tmp_path, fresh):
    async def work():
        with RpcProxy(fresh.url) as proxy:
            async with Bench(tmp_path, [proxy.url]) as bench:
                await bench.submit(price(1))
                proxy.add(faults.refused_sends("replacement transaction underpriced", times=2))
                await bench.submit(price(2))
                await bench.advance()
                await bench.advance()
                assert bench.states()["effect:2"] == "sent"
                assert bench.entries()[-1].replacements == 3
                assert (await bench.settle(fresh))["effect:2"] == "done"
        assert (fresh.count(1), fresh.count(2)) == (0, 1)

    go(work())


def test_advance__one_that_never_gets_through__does_not_keep_others_from_finishing(tmp_path, fresh):
    async def work():
        async with Bench(tmp_path, [fresh.url]) as bench:
            await bench.submit(effect(1), effect(2))
            with RpcProxy(fresh.url) as proxy:
                proxy.add(faults.lost_sends())
                async with Bench(tmp_path, [proxy.url]) as other:
                    await other.submit(effect(3))
            results = await bench.settle(fresh)
            assert results == {f"effect:{n}": "done" for n in (1, 2, 3)}

    go(work())


def test_advance__clock_far_from_chain_time__is_reported(tmp_path, fresh):
    async def work():
        async with Bench(tmp_path, [fresh.url], clock=lambda: 1_000.0) as bench:
            await bench.submit(effect(1))
            fresh.mine()
            await bench.advance()
            assert Notice.CLOCK_SKEW in bench.notices()

    go(work())


def test_status__open_entries__shows_nonces_fees_and_spend(tmp_path, fresh):
    async def work():
        policy = replace(QUICK, daily_spend_wei=ETHER)
        async with Bench(tmp_path, [fresh.url], policy) as bench:
            await bench.submit(effect(1), effect(2))
            shown = await status(bench.transactor)
            assert [(line.key, line.nonce) for line in shown.lines] == [("effect:1", 0), ("effect:2", 1)]
            assert all(line.hashes and line.age_sec >= 0 and line.max_fee_wei > 0 for line in shown.lines)
            assert shown.pending_wei == sum(line.gas * line.max_fee_wei for line in shown.lines)
            await bench.settle(fresh)
            shown = await status(bench.transactor)
            assert (shown.lines, shown.pending_wei, shown.ground.used) == ([], 0, 2)
            assert 0 < shown.spent_wei < ETHER

    go(work())


def test_unstick__cancel__sends_empty_transfers_and_gives_up(tmp_path, fresh):
    async def work():
        async with Bench(tmp_path, [fresh.url]) as bench:
            await bench.submit(effect(1), effect(2), effect(3))
            freed = await unstick(bench.transactor, 2, cancel=True)
            assert ([ticket.nonce for ticket in freed.tickets], freed.left) == ([0, 1], {})
            results = await bench.settle(fresh)
            assert results == {"effect:1": "replaced", "effect:2": "replaced", "effect:3": "done"}
        assert [fresh.count(name) for name in (1, 2, 3)] == [0, 0, 1]

    go(work())


@pytest.mark.parametrize("cancel", [False, True])
def test_unstick__cap_allows_no_replacement__says_what_it_would_take_and_leaves_it(tmp_path, fresh, cancel):
    """The fault: it said that nothing was open."""

    async def work():
        async with Bench(tmp_path, [fresh.url], replace(QUICK, max_fee_wei=5 * GWEI)) as bench:
            await bench.submit(effect(1))
            before = bench.entries()
            offered = before[0].fees.max_wei
            bench.transactor.context.policy = replace(QUICK, max_fee_wei=offered)
            freed = await unstick(bench.transactor, cancel=cancel)
            assert freed.tickets == []
            ((nonce, reason),) = freed.left.items()
            assert (nonce, reason) == (
                0,
                f"effect:1: to replace it takes {raised(offered, QUICK)} wei per gas, "
                f"transact.max_fee_wei is {offered}",
            )
            assert bench.entries() == before

    go(work())


def test_unstick__unknown_transaction_at_a_low_fee__is_replaced(tmp_path, fresh):
    async def work():
        foreign(fresh, 0, 7, fee_wei=GWEI)
        async with Bench(tmp_path, [fresh.url]) as bench:
            await bench.submit(effect(1))
            await unstick(bench.transactor)
            assert await bench.settle(fresh) == {"effect:1": "done"}
        assert fresh.count(7) == 0

    go(work())
