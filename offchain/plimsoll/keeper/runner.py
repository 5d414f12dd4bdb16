"""The loop of a keeper: look, do every duty, follow what was sent; until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from plimsoll.deployment.record import load_deployment
from plimsoll.errors import PlimsollError
from plimsoll.keeper.config import Loaded
from plimsoll.keeper.opening import Parts, open_parts
from plimsoll.keeper.operations import Operations
from plimsoll.keeper.watchman import Watchman

#: How often the head is asked for between two passes.
HEAD_POLL_SEC: Final = 0.05
DUTIES: Final = ("liquidations", "prices", "settlements", "upkeep")
#: How long a pass of ``--once`` is followed until what it sent is mined.
ONCE_SEC: Final = 60.0


async def run(loaded: Loaded, tell: Callable[[str], None], *, once: bool = False, dry_run: bool = False) -> None:
    """Open a keeper and let it work.

    Parameters
    ----------
    loaded : Loaded
        Checked configuration.
    tell : Callable
        Gets one line for each deed.
    once : bool
        Stop after one pass, when what it sent has ended.
    dry_run : bool
        Say what would be done, with result, gas and cost, and send nothing; always one pass.

    Raises
    ------
    InputError
        When the configuration is wrong, before anything is sent.
    UnavailableError
        When nodes or database do not answer at the start, or in the pass of ``once``.
    """
    deployment = load_deployment(loaded.config.keeper.deployment)
    about = f"{deployment.chain_id}:{deployment.contracts['Accounts'].lower()}"
    ops = Operations(loaded, about, _duties(loaded))
    parts = await open_parts(ops, is_dry=dry_run)
    watchman = Watchman(ops, tell)

    async def work() -> None:
        try:
            if once or dry_run:
                await _one(ops, parts, watchman, is_dry=dry_run)
            else:
                await _for_ever(ops, parts, watchman)
        finally:
            await parts.close()

    await ops.run(work)


def _duties(loaded: Loaded) -> tuple[str, ...]:
    """Return the duties that a configuration gives a keeper."""
    signers, has_feed = loaded.config.signers, bool(loaded.config.feed.sources)
    urgent = ("liquidations",) if signers.liquidations else ()
    calm = ("settlements", "upkeep") if signers.prices or signers.liquidations else ()
    return (*urgent, *(("prices",) if calm and has_feed else ()), *calm)


async def pass_once(ops: Operations, parts: Parts, watchman: Watchman) -> None:
    """Look and do every duty, whoever leads; a standby looks as well, so that it is ready.

    Parameters
    ----------
    ops : Operations
    parts : Parts
    watchman : Watchman

    Raises
    ------
    PlimsollError
        When no look could be had.
    """
    look = await parts.lookout.look()
    watchman.looked(look, parts.endpoints, {number: name for name, number in parts.deployment.underlyings.items()})
    if ops.lease.may_send():
        for report in await parts.roster.perform(look):
            watchman.reported(report)
        for transactor in parts.transactors.values():
            watchman.ended(await transactor.advance(look.head))
    else:
        for duty in parts.roster.duties:
            ops.progress.duty_done(duty)
    watchman.checked(await parts.verifier.check())


async def _for_ever(ops: Operations, parts: Parts, watchman: Watchman) -> None:
    """Make passes until told to stop; one that fails is told, and the next one is made."""
    while not ops.shutdown.is_asked:
        try:
            await pass_once(ops, parts, watchman)
            watchman.recovered("pass")
        except PlimsollError as problem:
            watchman.failed("pass", str(problem))
        await _until_next(ops, parts)


async def _until_next(ops: Operations, parts: Parts) -> None:
    """Wait for a new head, the longest pause, or the order to stop."""
    known = parts.index.head.hash
    loop = asyncio.get_running_loop()
    until = loop.time() + ops.config.keeper.interval_sec
    while loop.time() < until:
        if await ops.shutdown.wait(min(HEAD_POLL_SEC, max(0.0, until - loop.time()))):
            return
        try:
            head = await parts.endpoints.head()
        except PlimsollError:
            # The pass that follows says what is wrong.
            continue
        if head.hash != known:
            return


async def _one(ops: Operations, parts: Parts, watchman: Watchman, *, is_dry: bool) -> None:
    """Make one pass, and see what it sent to its end."""
    if not is_dry:
        await ops.lease.wait_leader()
    look = await parts.lookout.look()
    watchman.looked(look, parts.endpoints, {number: name for name, number in parts.deployment.underlyings.items()})
    for report in await parts.roster.perform(look):
        watchman.reported(report)
    until = asyncio.get_running_loop().time() + ONCE_SEC
    while not is_dry and asyncio.get_running_loop().time() < until and not ops.shutdown.is_asked:
        head = await parts.endpoints.head()
        waiting = 0
        for transactor in parts.transactors.values():
            watchman.ended(await transactor.advance(head))
            waiting += len([e for e in transactor.context.ledger.open_entries() if e.block_number < 0])
        if not waiting:
            return
        await ops.shutdown.wait(HEAD_POLL_SEC)
