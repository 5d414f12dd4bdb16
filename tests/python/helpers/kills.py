"""Processes that are killed on the way: forked from the test, so that they start at once."""

import asyncio
import os
import signal


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def killed(work):
    """Run a coroutine function in a forked process that kills itself on the way; return whether it did."""
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(work())
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def die_at(bench, point):
    """Arrange for the process to be killed at a point of the journal's life."""
    kind, count = point
    ledger, out = bench.transactor.context.ledger, bench.transactor.context.broadcaster
    write, send = ledger.write, out.send
    left = [count]

    def strikes():
        left[0] -= 1
        return left[0] == 0

    def writing(*arguments):
        if kind == "before write" and strikes():
            die()
        after = write(*arguments)
        if kind == "after write" and strikes():
            die()
        return after

    async def sending(*arguments):
        if kind == "before send" and strikes():
            die()
        answers = await send(*arguments)
        if kind == "after send" and strikes():
            die()
        return answers

    ledger.write, out.send = writing, sending
