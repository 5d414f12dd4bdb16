"""kill -9 at random moments of a long sync: what is resumed is what an undisturbed one gives."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import time

from helpers.emitter import cash, fake_deployment, position
from sqlalchemy import select

from plimsoll.chain.endpoints import Endpoints
from plimsoll.chain.node import Node
from plimsoll.chain.words import Word, pack
from plimsoll.constants import WAD
from plimsoll.index import fetch
from plimsoll.index.follow import Index
from plimsoll.index.tables import EVENTS
from plimsoll.model import Kind
from plimsoll.storage import open_database, upgrade

BLOCKS, ACCOUNTS, KILLS = 40, 10, 12
#: A copy of this process needs no time to import what a new one would.
PROCESSES = multiprocessing.get_context("fork")


async def sync(node, database, depth, ready):
    # Many small steps: more places to be killed at.
    fetch.NEAR_BLOCKS = fetch.DEEP_BLOCKS = fetch.MOST_DEEP_BLOCKS = 2
    engine = open_database(database)
    upgrade(engine)
    endpoints = Endpoints([Node(node)], final_depth=depth, use_final_tag=False)
    index = Index(endpoints, fake_deployment(), engine, final_step=1)
    ready.set()
    await index.sync()
    await endpoints.close()


def run(*arguments):
    asyncio.run(sync(*arguments))


def started(*arguments):
    """Start a sync in a process of its own; it has opened the database when this returns."""
    ready = PROCESSES.Event()
    process = PROCESSES.Process(target=run, args=(*arguments, ready))
    process.start()
    assert ready.wait(20)
    return process


def whole_sync_sec(node, folder):
    """Time an undisturbed sync: how fast a machine is decides when half of one is done."""
    process = started(node, f"sqlite:///{folder / 'undisturbed.sqlite'}", 20)
    began = time.monotonic()
    process.join()
    assert process.exitcode == 0
    return time.monotonic() - began


def word(amount):
    return pack(Word(1, Kind.CALL, 1_800_000_000, 2_000 * 10**8, amount))


def test_sync__killed_at_random_moments__resumes_to_the_same_state(chain, database, follow, tmp_path):
    ids = range(2, 2 + ACCOUNTS)
    chain.open(*ids)
    for block in range(1, BLOCKS):
        old = 0 if block == 1 else word(block - 1)
        chain.emit(*(item for i in ids for item in (cash(i, block * WAD), position(i, old, word(block)))))
    draw, deaths = random.Random(database.split(":")[0]), 0
    longest_sec = 0.3 * whole_sync_sec(chain.client.url, tmp_path)
    for _ in range(KILLS):
        process = started(chain.client.url, database, 20)
        time.sleep(draw.uniform(0.0, longest_sec))
        process.kill()
        process.join()
        deaths += process.exitcode == -9
    assert deaths >= 3
    resumed = follow(chain.client.url, database, final_depth=20)
    resumed.sync()
    clean = follow(chain.client.url, "sqlite://", final_depth=20)
    clean.sync()
    assert resumed.state == clean.state
    assert (resumed.index.base, resumed.index.head) == (clean.index.base, clean.index.head)
    columns = select(EVENTS).order_by(EVENTS.c.block_number, EVENTS.c.log_index)
    with resumed.engine.connect() as mine, clean.engine.connect() as theirs:
        assert mine.execute(columns).all() == theirs.execute(columns).all()
