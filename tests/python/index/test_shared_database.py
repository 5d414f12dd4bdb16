"""Leader and standby follow one chain into one database: whoever is faster, both are right, and what they wrote too."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from helpers.emitter import cash
from sqlalchemy import func, select

from plimsoll.chain.head import Head, Header
from plimsoll.constants import WAD
from plimsoll.index.archive import ConflictError, Known, Step, rest_of
from plimsoll.index.tables import EVENTS

FINAL_DEPTH = 6


def heads(first, last, branch="a"):
    return {number: Head(number, f"0x{branch}{number}", number) for number in range(first, last + 1)}


def known(base, head, branch="a", fork=0):
    blocks = heads(base + 1, head, "a") | heads(max(base, fork) + 1, head, branch)
    return Known(heads(base, base)[base], (blocks | heads(base, base))[head], blocks)


def append(first, last, branch="a"):
    headers = [Header(h.number, h.hash, "", h.ts, b"", ()) for h in heads(first, last, branch).values()]
    return Step(headers[-1].head, headers=headers)


def test_rest_of__append__leaves_what_is_not_there_yet():
    mine, step = known(1, 10), append(11, 13)
    assert [h.number for h in rest_of(step, mine, known(1, 12)).headers] == [13]
    done = rest_of(step, mine, known(3, 15))
    assert (done.headers, done.head.number) == ((), 15)
    for stored in (known(1, 9), known(1, 12, "b", 11), known(14, 15)):
        with pytest.raises(ConflictError):
            rest_of(step, mine, stored)


def test_rest_of__base__moves_up_and_never_down():
    mine, step = known(1, 10), Step(known(1, 10).head, heads(8, 8)[8])
    rest = rest_of(step, mine, known(3, 12))
    assert (rest.base.number, rest.head.number) == (8, 12)
    assert rest_of(step, mine, known(9, 12)).base is None
    for stored in (known(3, 7), known(3, 12, "b", 7)):
        with pytest.raises(ConflictError):
            rest_of(step, mine, stored)
    deep = Step(heads(20, 20)[20], heads(20, 20)[20])
    with pytest.raises(ConflictError):
        rest_of(deep, mine, known(1, 12))


def test_rest_of__drop__is_done_once():
    mine, step = known(1, 10), Step(heads(7, 7)[7], drop_above=7)
    assert rest_of(step, mine, known(1, 9)).drop_above == 7
    assert rest_of(step, mine, known(1, 12)).drop_above == 7
    other = rest_of(step, mine, known(1, 9, "b", 7))
    assert (other.drop_above, other.head.hash) == (None, "0xb9")
    with pytest.raises(ConflictError):
        rest_of(step, mine, known(8, 12))


def replayed(chain, follow):
    fresh = follow(chain.client.url, "sqlite://")
    fresh.sync()
    return fresh.state


def step_of(chain, rng):
    """One thing that a chain does."""
    kind = rng.choice(("emit", "emit", "mine", "reorganise"))
    if kind == "emit":
        chain.emit(*(cash(2, rng.randint(-5, 5) * WAD) for _ in range(rng.randint(1, 3))))
    elif kind == "mine":
        chain.client.rpc("anvil_mine", hex(rng.randint(1, 4)))
    else:
        depth = rng.randint(1, FINAL_DEPTH - 2)
        chain.client.rpc("anvil_reorg", depth, [])
        chain.client.forget_nonces()
        chain.client.rpc("anvil_mine", "0x1")


@pytest.mark.parametrize("seed", range(3))
def test_sync__two_indexes_take_turns__both_and_the_database_are_the_chain(chain, database, follow, seed):
    rng = random.Random(seed)
    chain.open(2)
    chain.client.rpc("anvil_mine", hex(FINAL_DEPTH))
    pair = [follow(chain.client.url, database, final_depth=FINAL_DEPTH) for _ in range(2)]
    for _ in range(40):
        step_of(chain, rng)
        for one in rng.choice(([pair[0]], [pair[1]], pair, pair[::-1])):
            one.sync()
    for one in pair:
        one.sync()
    expected = replayed(chain, follow)
    assert [one.state for one in pair] == [expected, expected]
    assert follow(chain.client.url, database, final_depth=FINAL_DEPTH).state == expected
    with pair[0].engine.connect() as connection:
        stored = connection.scalar(select(func.count()).select_from(EVENTS))
    logs = chain.client.rpc("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"})
    assert stored == len(logs)


def test_sync__two_indexes_at_once__neither_fails(chain, database, follow):
    chain.open(2)
    pair = [follow(chain.client.url, database, final_depth=FINAL_DEPTH) for _ in range(2)]
    gate = threading.Barrier(2)

    def follow_on(one):
        for _ in range(15):
            gate.wait(20)
            one.sync()

    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(follow_on, one) for one in pair]
        for round_ in range(40):
            chain.emit(cash(2, round_ * WAD))
        for job in jobs:
            job.result(60)
    for one in pair:
        one.sync()
    expected = replayed(chain, follow)
    assert [one.state for one in pair] == [expected, expected]
