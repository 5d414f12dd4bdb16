"""A random walk: random faults, reorganisations and kills; then every effect was had once, and every nonce is used."""

import asyncio
import os
import random
from dataclasses import replace

import pytest
from helpers import rpc_proxy as faults
from helpers.kills import die, die_at, killed
from helpers.lab import ONCE, QUICK, Bench, chain, effect
from helpers.rpc_proxy import RpcProxy

from plimsoll.errors import UnavailableError

LIVES, STEPS = 5, 9
#: Nobody else uses the key, so no nonce is ever lost, however long receipts are hidden.
PATIENT = replace(QUICK, lost_sec=600.0, send_timeout_sec=0.5, max_fee_wei=10**14, max_replacements=30)
SEEDS = [random.randrange(10**6) for _ in range(3)] if os.environ.get("PLIMSOLL_SEED") == "random" else [1, 2, 3]


def trouble(draw):
    """Return a fault that strikes a few times, and one that a node may have all the time."""
    times = draw.randint(1, 4)
    send, receipt = "eth_sendRawTransaction", "eth_getTransactionReceipt"
    return draw.choice(
        [
            lambda: faults.lost_sends(times),
            lambda: faults.drop(send, times=times),
            lambda: faults.lost_answer(send, times=times),
            lambda: faults.status(502, send, times=times),
            lambda: faults.refused_sends("replacement transaction underpriced", times),
            lambda: faults.refused_sends("already known", times),
            lambda: faults.refused_sends("nonce too low", times),
            lambda: faults.hidden_receipts(4 * times),
            lambda: faults.drop(times=times),
            lambda: faults.half_body(times=times),
            lambda: faults.wrong_ids(times=times),
            lambda: faults.duplicated_answers(times),
            lambda: faults.short_batch(times=times),
            lambda: faults.result(None, receipt, times=times),
            lambda: faults.result([], receipt, times=times),
            lambda: faults.error(-32005, "limit exceeded", receipt, times=times),
            lambda: faults.no_batches(times),
            lambda: faults.batch_limit(3),
        ]
    )()


async def live(bench, running, draw, names):
    """Do what a keeper's loop does, while the chain moves."""
    for _ in range(STEPS):
        step = draw.random()
        if step < 0.35:
            name = names[draw.randrange(len(names))]
            group = "prices" if name >= 50 else ""
            await bench.submit(*(effect(name + i, ONCE if group else 1, replaces=group) for i in range(2)))
        elif step < 0.75:
            await bench.advance()
        elif step < 0.93:
            running.mine(draw.randint(1, 2))
        else:
            running.reorganise(draw.randint(1, 2))


async def loop(bench, running, draw, names):
    """Live on after everything that the transactor reports as an error of others."""
    for _ in range(3):
        try:
            await live(bench, running, draw, names)
        except UnavailableError:
            continue


@pytest.mark.parametrize("seed", SEEDS)
def test_walk__faults_reorganisations_and_kills__every_effect_once(tmp_path, seed):
    draw = random.Random(seed)
    names = [*range(1, 20, 2), *range(51, 60, 2)]
    with chain() as running, RpcProxy(running.url) as proxy:
        running.mine(8)

        async def life():
            own = random.Random(draw.random())
            async with Bench(tmp_path, [proxy.url, running.url], PATIENT, quorum=1) as bench:
                if own.random() < 0.7:
                    kinds = ["before write", "after write", "before send", "after send"]
                    die_at(bench, (own.choice(kinds), own.randint(1, 6)))
                await loop(bench, running, own, names)
                die()

        async def last():
            async with Bench(tmp_path, [proxy.url, running.url], PATIENT, quorum=1) as bench:
                results = {}
                for _ in range(4):
                    results |= await bench.settle(running)
                    wanted = [effect(name + i) for name in names if name < 50 for i in range(2)]
                    await bench.submit(*wanted)
                # Prices that were given up for newer ones stay so; everything else was had.
                await bench.settle(running)
                return await bench.submit(*wanted)

        for _ in range(LIVES):
            proxy.clear()
            for _ in range(draw.randint(0, 3)):
                proxy.add(trouble(draw))
            draw.random()
            assert killed(life)
        proxy.clear()
        tickets = asyncio.run(last())
        assert all(ticket.outcome is not None and ticket.outcome.done for ticket in tickets)
        counts = {name + i: running.count(name + i) for name in names for i in range(2)}
        assert {name: count for name, count in counts.items() if name < 50 and count != 1} == {}
        assert all(count <= 1 for count in counts.values())
        assert running.pool() == 0
        mined = running.sent()
        assert [int(tx["nonce"], 16) for tx in mined] == list(range(running.used()))
        # What was sent beyond the effects: fillers, and prices that turned out to be there already.
        assert len(mined) <= sum(counts.values()) + LIVES
