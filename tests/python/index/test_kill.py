"""kill -9 at random moments of a long sync: what is resumed is what an undisturbed one gives."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
from threading import Timer

from helpers.emitter import cash, fake_deployment, position
from sqlalchemy import event, select

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


async def sync(node, database, depth, statements, death):
    # Many small steps: more places to be killed at.
    fetch.NEAR_BLOCKS = fetch.DEEP_BLOCKS = fetch.MOST_DEEP_BLOCKS = 2
    engine = open_database(database)
    upgrade(engine)
    endpoints = Endpoints([Node(node)], final_depth=depth, use_final_tag=False)
    index = Index(endpoints, fake_deployment(), engine, final_step=1)

    def count(*_):
        statements.value += 1
        if death is not None and statements.value == death[0]:
            Timer(death[1], os.kill, (os.getpid(), signal.SIGKILL)).start()

    event.listen(engine, "before_cursor_execute", count)
    await index.sync()
    await endpoints.close()


def run(*arguments):
    asyncio.run(sync(*arguments))


def synced(node, database, depth, death=None):
    """Sync in a process of its own; return its exit code and how many statements it has begun.

    ``death``: the statement whose beginning is noticed, and how many seconds later the process is killed.
    """
    statements = PROCESSES.Value("i", 0)
    process = PROCESSES.Process(target=run, args=(node, database, depth, statements, death))
    process.start()
    process.join()
    return process.exitcode, statements.value


def word(amount):
    return pack(Word(1, Kind.CALL, 1_800_000_000, 2_000 * 10**8, amount))


def test_sync__killed_at_random_moments__resumes_to_the_same_state(chain, database, follow, tmp_path):
    ids = range(2, 2 + ACCOUNTS)
    chain.open(*ids)
    for block in range(1, BLOCKS):
        old = 0 if block == 1 else word(block - 1)
        chain.emit(*(item for i in ids for item in (cash(i, block * WAD), position(i, old, word(block)))))
    draw, deaths = random.Random(database.split(":")[0]), 0
    code, statements = synced(chain.client.url, f"sqlite:///{tmp_path / 'undisturbed.sqlite'}", 20)
    assert code == 0
    for _ in range(KILLS):
        # Within a statement, before it is committed, or while the node is asked for the next blocks.
        death = draw.randrange(1, int(0.3 * statements)), draw.uniform(0.0, 0.01)
        deaths += synced(chain.client.url, database, 20, death)[0] == -signal.SIGKILL
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
