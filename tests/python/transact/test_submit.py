"""Submissions: simulated, journalled, sent; and what is refused before it costs anything."""

import asyncio
import time
from dataclasses import replace

import pytest
from eth_account import Account
from helpers import rpc_proxy as faults
from helpers.lab import BURN, ENDLESS, ETHER, INVALID, KEEPER, ONCE, QUICK, SILENT, Bench, chain, effect
from helpers.rpc_proxy import RpcProxy
from sqlalchemy import event

from plimsoll.errors import InputError
from plimsoll.storage import StorageError
from plimsoll.transact.event import Notice
from plimsoll.transact.intent import Result


@pytest.fixture(scope="module")
def shared():
    """A chain on which tests use effects of their own."""
    with chain() as running:
        yield running


@pytest.fixture
def fresh():
    with chain() as running:
        yield running


def go(work):
    return asyncio.run(work)


def test_submit__mined_and_final__is_done_once(tmp_path, fresh):
    async def work():
        async with Bench(tmp_path, [fresh.url]) as bench:
            ticket = await bench.submit(effect(1))
            assert (ticket.nonce, ticket.is_sent, ticket.outcome) == (0, True, None)
            assert bench.states() == {"effect:1": "sent"}
            fresh.mine()
            assert await bench.advance() == {}
            assert bench.states() == {"effect:1": "included"}
            fresh.mine(2)
            assert await bench.advance() == {"effect:1": "done"}
            again = await bench.submit(effect(1))
            assert again.outcome.done
            assert again.outcome.cost_wei > 0
        assert (fresh.count(1), fresh.used(), fresh.pool()) == (1, 1, 0)

    go(work())


def test_submit__many_at_once__share_blocks_and_keep_their_order(tmp_path, fresh):
    async def work():
        async with Bench(tmp_path, [fresh.url]) as bench:
            tickets = await bench.submit(*(effect(name) for name in range(40)))
            assert [ticket.nonce for ticket in tickets] == list(range(40))
            assert all(ticket.is_sent for ticket in tickets)
            results = await bench.settle(fresh)
            assert set(results.values()) == {"done"}
            assert len(results) == 40
        assert all(fresh.count(name) == 1 for name in range(40))

    go(work())


def test_submit__lost_send__is_sent_again_at_the_next_advance_at_the_same_fee(tmp_path, fresh):
    async def work():
        with RpcProxy(fresh.url) as proxy:
            async with Bench(tmp_path, [proxy.url]) as bench:
                proxy.add(faults.lost_sends(times=1))
                await bench.submit(effect(1))
                later = await bench.submit(effect(2))
                assert (later.nonce, fresh.pool()) == (1, 1)
                fresh.mine(5)
                assert fresh.used() == 0
                await bench.advance()
                assert fresh.pool() == 2
                assert [len(entry.hashes) for entry in bench.entries()] == [1, 1]
                assert set((await bench.settle(fresh)).values()) == {"done"}
        assert (fresh.count(1), fresh.count(2), fresh.used()) == (1, 1, 2)

    go(work())


def test_submit__connection_drops__counts_as_not_sent_and_is_sent_again(tmp_path, fresh):
    async def work():
        with RpcProxy(fresh.url) as proxy:
            async with Bench(tmp_path, [proxy.url]) as bench:
                proxy.add(faults.drop("eth_sendRawTransaction", times=1))
                ticket = await bench.submit(effect(1))
                assert not ticket.is_sent
                assert bench.states() == {"effect:1": "planned"}
                assert await bench.settle(fresh) == {"effect:1": "done"}
        assert (fresh.count(1), fresh.used()) == (1, 1)

    go(work())


def test_submit__answer_lost__is_not_sent_under_another_nonce(tmp_path, fresh):
    async def work():
        with RpcProxy(fresh.url) as proxy:
            async with Bench(tmp_path, [proxy.url]) as bench:
                proxy.add(faults.lost_answer("eth_sendRawTransaction", times=1))
                await bench.submit(effect(1))
                again = await bench.submit(effect(1))
                assert again.nonce == 0
                assert await bench.settle(fresh) == {"effect:1": "done"}
        assert (fresh.count(1), fresh.used()) == (1, 1)

    go(work())


def test_submit__quiet_chain__acts_all_the_same(tmp_path):
    async def work(running):
        # Two minutes and more without a block, as on a chain that mines only what is sent.
        late = time.time() + 300
        policy = replace(QUICK, confirmations=1)
        async with Bench(tmp_path, [running.url], policy, clock=lambda: late) as bench:
            assert (await bench.submit(effect(1))).is_sent
            assert await bench.advance() == {"effect:1": "done"}
        assert running.count(1) == 1

    with chain(automine=True) as running:
        go(work(running))


def test_submit__old_head_where_the_policy_minds__is_refused(tmp_path, shared):
    async def work():
        policy = replace(QUICK, max_head_age_sec=60)
        async with Bench(tmp_path, [shared.url], policy, clock=lambda: time.time() + 10**8) as bench:
            ticket = await bench.submit(effect(100))
            assert ticket.outcome.result is Result.STALE
            assert bench.entries() == []

    go(work())


def test_submit__margin_above_the_cap__is_sent_at_the_cap(tmp_path, fresh):
    async def work():
        async with Bench(tmp_path, [fresh.url]) as bench:
            await bench.look()
            (seen,) = await bench.transactor.simulate([effect(1, BURN)])
            cap = seen.gas_estimate * 11 // 10
        async with Bench(tmp_path, [fresh.url], replace(QUICK, max_gas=cap)) as bench:
            assert (await bench.submit(effect(1, BURN))).is_sent
            assert bench.entries()[0].gas == cap
            assert await bench.settle(fresh) == {"effect:1": "done"}
        async with Bench(tmp_path, [fresh.url], replace(QUICK, max_gas=seen.gas_estimate - 1)) as bench:
            outcome = (await bench.submit(effect(2, BURN))).outcome
            assert (outcome.result, bench.entries()) == (Result.TOO_MUCH_GAS, [])
            assert abs(outcome.gas_estimate - seen.gas_estimate) < 100
            assert str(seen.gas_estimate - 1) in outcome.reason

    go(work())


def test_submit__some_cannot_run__the_others_are_sent(tmp_path, fresh):
    async def work():
        async with Bench(tmp_path, [fresh.url]) as bench:
            modes = {1: SILENT, 2: INVALID, 3: ENDLESS}
            tickets = await bench.submit(*(effect(n, modes.get(n, ONCE)) for n in range(5)))
            results = [None if ticket.outcome is None else ticket.outcome.result for ticket in tickets]
            assert results == [None, Result.FAILED, Result.FAILED, Result.TOO_MUCH_GAS, None]
            assert [ticket.nonce for ticket in tickets] == [0, None, None, None, 1]
            assert set((await bench.settle(fresh)).values()) == {"done"}
        assert [fresh.count(n) for n in range(5)] == [1, 0, 0, 0, 1]

    go(work())


def test_submit__node_reports_a_bare_revert__is_a_typed_failure(tmp_path, shared):
    async def work():
        with RpcProxy(shared.url) as proxy:
            async with Bench(tmp_path, [proxy.url]) as bench:
                for number, (code, text, data) in enumerate(
                    [(3, "execution reverted", "0x"), (-32000, "Reverted 0x", None), (-32000, "out of gas", None)]
                ):
                    proxy.clear()
                    proxy.add(faults.error(code, text, "eth_call", "eth_estimateGas", data=data))
                    outcome = (await bench.submit(effect(200 + number))).outcome
                    expected = Result.TOO_MUCH_GAS if text == "out of gas" else Result.FAILED
                    assert outcome.result is expected, text
                assert bench.entries() == []

    go(work())


def test_submit__done_by_another__is_success_without_sending(tmp_path, fresh):
    async def work():
        (tmp_path / "a").mkdir()
        async with Bench(tmp_path / "a", [fresh.url]) as one:
            await one.submit(effect(1, ONCE))
            assert await one.settle(fresh) == {"effect:1": "done"}
        (tmp_path / "b").mkdir()
        async with Bench(tmp_path / "b", [fresh.url]) as two:
            ticket = await two.submit(effect(1, ONCE))
            assert ticket.outcome.result is Result.ALREADY_DONE
            assert ticket.outcome.done
        assert fresh.used() == 1

    go(work())


def test_submit__fails_again_and_again__is_left_alone_for_a_while(tmp_path, fresh):
    async def work():
        policy = replace(QUICK, simulation_budget=2, simulation_pause_sec=50)
        async with Bench(tmp_path, [fresh.url], policy) as bench:
            results = [(await bench.submit(effect(1, SILENT))).outcome.result for _ in range(3)]
            assert results == [Result.FAILED, Result.FAILED, Result.BUDGET]
            # The key names the effect, so another encoding of it does not escape the budget; another effect does.
            assert (await bench.submit(effect(1))).outcome.result is Result.BUDGET
            assert (await bench.submit(effect(2))).is_sent
            fresh.rpc("evm_increaseTime", 60)
            fresh.mine()
            assert (await bench.submit(effect(1))).is_sent

    go(work())


def test_submit__reverts_when_mined__spend_the_budgets_of_key_and_account(tmp_path, fresh):
    async def work():
        policy = replace(QUICK, failure_budget=2, account_failure_budget=3)
        code = fresh.rpc("eth_getCode", effect(1).target, "latest")
        async with Bench(tmp_path, [fresh.url], policy) as bench:
            seen = []
            for name in (1, 1, 1, 2, 3):
                ticket = await bench.submit(effect(name, account="17"))
                if ticket.outcome is None:
                    fresh.rpc("anvil_setCode", effect(1).target, "0x60006000fd")
                    fresh.mine()
                    seen.append((await bench.advance())[f"effect:{name}"])
                    fresh.rpc("anvil_setCode", effect(1).target, code)
                else:
                    seen.append(ticket.outcome.result.value)
            assert seen == ["reverted", "reverted", "failure budget spent", "reverted", "failure budget spent"]
            assert (await bench.submit(effect(4, account="18"))).is_sent
        # Failures outlive the process.
        async with Bench(tmp_path, [fresh.url], policy) as bench:
            assert "2 reverts of this intent, limit 2" in (await bench.submit(effect(1))).outcome.reason

    go(work())


def test_submit__day_spent__is_refused_also_after_a_restart(tmp_path, fresh):
    async def work():
        async with Bench(tmp_path, [fresh.url]) as bench:
            await bench.look()
            worst_wei = (await bench.transactor.simulate([effect(1)]))[0].worst_cost_wei
        policy = replace(QUICK, daily_spend_wei=worst_wei * 5 // 2)
        async with Bench(tmp_path, [fresh.url], policy) as bench:
            tickets = await bench.submit(effect(1), effect(2), effect(3))
            assert [ticket.is_sent for ticket in tickets] == [True, True, False]
            assert tickets[2].outcome.result is Result.SPEND_CAP
            assert bench.notices() == [Notice.SPEND_CAP]
            await bench.settle(fresh)
        async with Bench(tmp_path, [fresh.url], policy) as bench:
            # What was mined cost less than its worst case, so there is room again, and no more than that.
            assert (await bench.submit(effect(3))).is_sent
            assert (await bench.submit(effect(4))).outcome is not None or (await bench.submit(effect(5))).outcome
        low = replace(QUICK, daily_spend_wei=1)
        async with Bench(tmp_path, [fresh.url], low) as bench:
            assert (await bench.submit(effect(6))).outcome.result is Result.SPEND_CAP
            fresh.rpc("evm_increaseTime", 86_400)

    go(work())


def test_submit__poor_signer__is_refused_with_one_alert(tmp_path, fresh):
    async def work():
        poor = Account.create()
        fresh.rpc("anvil_setBalance", poor.address, hex(10_000))
        fresh.mine()
        async with Bench(tmp_path, [fresh.url], account=poor) as bench:
            for name in range(5):
                assert (await bench.submit(effect(name))).outcome.result is Result.NO_FUNDS
            assert bench.notices() == [Notice.NO_FUNDS]
            assert bench.entries() == []

    go(work())


def test_submit__every_send_refused_for_funds__sends_once_and_waits_for_money(tmp_path, fresh):
    async def work():
        with RpcProxy(fresh.url) as proxy:
            async with Bench(tmp_path, [proxy.url]) as bench:
                proxy.add(faults.refused_sends("insufficient funds for gas * price + value"))
                started = time.monotonic()
                ticket = await bench.submit(effect(1))
                assert time.monotonic() - started < 5
                assert not ticket.is_sent
                for _ in range(10):
                    fresh.mine(3)
                    await bench.advance()
                assert (await bench.submit(effect(2))).outcome.result is Result.NO_FUNDS
                assert proxy.seen["eth_sendRawTransaction"] == 1
                assert [len(entry.hashes) for entry in bench.entries()] == [1]
                assert bench.notices() == [Notice.NO_FUNDS]
                proxy.clear()
                fresh.rpc("anvil_setBalance", KEEPER.address, hex(2_000 * ETHER))
                assert await bench.settle(fresh) == {"effect:1": "done"}
        assert fresh.used() == 1

    go(work())


def test_submit__journal_cannot_be_written__nothing_is_sent(tmp_path, fresh):
    async def work():
        async with Bench(tmp_path, [fresh.url]) as bench:

            @event.listens_for(bench.engine, "connect")
            def _read_only(connection, _record):
                connection.execute("PRAGMA query_only = ON")

            bench.engine.dispose()
            with pytest.raises(StorageError):
                await bench.submit(effect(1))
        assert fresh.pool() == 0

    go(work())


def test_submit__no_node_answers__is_a_typed_outcome(tmp_path, shared):
    async def work():
        with RpcProxy(shared.url) as proxy:
            async with Bench(tmp_path, [proxy.url]) as bench:
                await bench.look()
                for fault in (faults.drop(), faults.half_body(), faults.wrong_ids(), faults.status(502)):
                    proxy.clear()
                    proxy.add(fault)
                    (ticket,) = await bench.transactor.submit_all([effect(300)])
                    assert ticket.outcome.result is Result.UNAVAILABLE
                assert bench.entries() == []

    go(work())


def test_submit__node_without_batches__works(tmp_path, fresh):
    async def work():
        with RpcProxy(fresh.url) as proxy:
            proxy.add(faults.no_batches())
            async with Bench(tmp_path, [proxy.url]) as bench:
                await bench.submit(effect(1), effect(2))
                assert set((await bench.settle(fresh)).values()) == {"done"}

    go(work())


def test_submit__one_of_two_endpoints_refuses__counts_as_sent(tmp_path, fresh):
    async def work():
        with RpcProxy(fresh.url) as proxy:
            proxy.add(faults.refused_sends("transaction type not supported"))
            async with Bench(tmp_path, [proxy.url, fresh.url]) as bench:
                assert (await bench.submit(effect(1))).is_sent
                assert await bench.settle(fresh) == {"effect:1": "done"}
                assert proxy.seen["eth_sendRawTransaction"] >= 1

    go(work())


def test_submit__refused_for_ever__ends_with_a_typed_outcome_and_frees_the_nonce(tmp_path, fresh):
    async def work():
        with RpcProxy(fresh.url) as proxy:
            proxy.add(faults.refused_sends("some reason that nobody knows"))
            async with Bench(tmp_path, [proxy.url]) as bench:
                await bench.submit(effect(1))
                seen = {}
                for _ in range(6):
                    seen |= await bench.advance()
                assert seen == {"effect:1": "failed"}
                proxy.clear()
                assert (await bench.submit(effect(2))).nonce == 0
                assert await bench.settle(fresh) == {"effect:2": "done"}

    go(work())


def test_submit__private__goes_to_the_relay_and_later_to_all(tmp_path, fresh):
    async def work():
        with RpcProxy(fresh.url) as public, RpcProxy(fresh.url) as relay:
            relay.add(faults.lost_sends())
            policy = replace(QUICK, relay_blocks=3)
            async with Bench(tmp_path, [public.url], policy, relay=relay.url) as bench:
                assert (await bench.submit(effect(1, is_private=True))).is_sent
                await bench.advance()
                assert (public.seen["eth_sendRawTransaction"], fresh.pool()) == (0, 0)
                assert relay.seen["eth_sendRawTransaction"] == 2
                fresh.mine(3)
                await bench.advance()
                assert fresh.pool() == 1
                assert await bench.settle(fresh) == {"effect:1": "done"}

    go(work())


def test_submit__without_call_data__is_refused(tmp_path, shared):
    async def work():
        async with Bench(tmp_path, [shared.url]) as bench:
            with pytest.raises(InputError):
                await bench.submit(replace(effect(1), data=b""))

    go(work())


def test_simulate__dry__says_cost_and_writes_nothing(tmp_path, shared):
    async def work():
        async with Bench(tmp_path, [shared.url]) as bench:
            await bench.look()
            good, bad = await bench.transactor.simulate([effect(400), effect(401, SILENT)])
            assert good.succeeds
            assert good.gas == good.gas_estimate * 12 // 10
            assert 0 < good.cost_wei < good.worst_cost_wei
            assert (bad.result, bad.gas) == (Result.FAILED, 0)
            assert bench.entries() == []
        assert shared.pool() == 0

    go(work())


def test_submit__repeatable__may_be_had_again(tmp_path, fresh):
    async def work():
        async with Bench(tmp_path, [fresh.url]) as bench:
            for _ in range(2):
                await bench.submit(effect(1, is_repeatable=True))
                fresh.mine()
                await bench.advance()
        assert fresh.count(1) == 2

    go(work())


def test_head__another_was_agreed_on_since__is_that_one_however_young_the_last_is(tmp_path, fresh):
    """The fault: intents of a new round were simulated at the block before it, and counted as done already."""

    async def work():
        async with Bench(tmp_path, [fresh.url]) as bench:
            await bench.look()
            before = await bench.transactor.head()
            fresh.mine()
            assert await bench.transactor.head() == before
            newer = await bench.endpoints.head()
            assert await bench.transactor.head() == newer != before

    go(work())
