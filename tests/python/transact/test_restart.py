"""Restarts: a process that is killed between any two steps leaves nothing undone, nothing done twice, no time lost."""

import asyncio
from dataclasses import replace

import pytest
from helpers import rpc_proxy as faults
from helpers.kills import die, die_at, killed
from helpers.lab import ONCE, QUICK, Bench, chain, effect
from helpers.rpc_proxy import RpcProxy

HASTY = replace(QUICK, confirmations=1)


@pytest.fixture
def fresh():
    with chain() as running:
        yield running


#: A run writes: the plan; that it was sent; that it is included; that it is final.
POINTS = [
    *(("before write", n) for n in (1, 2, 3, 4)),
    *(("after write", n) for n in (1, 2, 3, 4)),
    ("before send", 1),
    ("after send", 1),
]


@pytest.mark.parametrize("point", POINTS, ids=lambda point: f"{point[0]} {point[1]}".replace(" ", "-"))
def test_restart__killed_at_every_state__effect_once(tmp_path, fresh, point):
    async def first():
        async with Bench(tmp_path, [fresh.url]) as bench:
            die_at(bench, point)
            await bench.submit(effect(1), effect(2))
            fresh.mine()
            await bench.advance()
            fresh.mine(3)
            await bench.advance()

    async def second():
        async with Bench(tmp_path, [fresh.url]) as bench:
            tickets = await bench.submit(effect(1), effect(2))
            assert {ticket.nonce for ticket in tickets} <= {0, 1}
            await bench.settle(fresh)
            again = await bench.submit(effect(1), effect(2))
            assert all(ticket.outcome.done for ticket in again)

    assert killed(first)
    asyncio.run(second())
    assert (fresh.count(1), fresh.count(2), fresh.used(), fresh.pool()) == (1, 1, 2, 0)


@pytest.mark.parametrize("reached", ["planned", "sent", "included", "done"])
def test_restart__killed_and_reorganised_at_every_state__effect_once(tmp_path, fresh, reached):
    async def first():
        async with Bench(tmp_path, [fresh.url], HASTY if reached == "done" else QUICK) as bench:
            if reached == "planned":
                die_at(bench, ("before send", 1))
            await bench.submit(effect(1))
            fresh.mine(2)
            if reached != "sent":
                await bench.advance()
            die()

    async def second():
        async with Bench(tmp_path, [fresh.url], HASTY) as bench:
            assert (await bench.settle(fresh)) in ({"effect:1": "done"},)

    assert killed(first)
    fresh.reorganise(2)
    asyncio.run(second())
    assert (fresh.count(1), fresh.used()) == (1, 1)


def test_restart__lost_transaction_in_the_journal__is_sent_before_anything_is_asked(tmp_path, fresh):
    async def first():
        async with Bench(tmp_path, [fresh.url]) as bench:
            await bench.submit(effect(1))
            die()

    async def second():
        with RpcProxy(fresh.url) as proxy:
            order = []
            proxy.add(faults.Fault("watch", on_payload=lambda p: order.extend(_methods(p))))
            async with Bench(tmp_path, [proxy.url]) as bench:
                await bench.advance()
                assert fresh.pool() == 1
                # Only the head is agreed first.
                before = order[: order.index("eth_sendRawTransaction")]
                assert set(before) <= {"eth_getBlockByNumber", "eth_blockNumber"}
                assert len(bench.entries()[0].hashes) == 1
                assert await bench.settle(fresh) == {"effect:1": "done"}

    assert killed(first)
    fresh.forget()
    asyncio.run(second())
    assert fresh.used() == 1


def _methods(payload):
    return [request["method"] for request in (payload if isinstance(payload, list) else [payload])]


def test_restart__killed_while_replacing__keeps_the_nonce(tmp_path, fresh):
    async def first():
        async with Bench(tmp_path, [fresh.url]) as bench:
            await bench.submit(effect(1, ONCE, replaces="prices"))
            die_at(bench, ("before send", 1))
            await bench.submit(effect(2, ONCE, replaces="prices"))

    async def second():
        async with Bench(tmp_path, [fresh.url]) as bench:
            assert await bench.settle(fresh) == {"effect:1": "replaced", "effect:2": "done"}

    assert killed(first)
    asyncio.run(second())
    assert (fresh.count(1), fresh.count(2), fresh.used()) == (0, 1, 1)
