"""The loop of a keeper: look, do every duty, follow what was sent; until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from plimsoll.chain.head import Head
from plimsoll.deployment.record import load_deployment
from plimsoll.errors import PlimsollError
from plimsoll.keeper.config import Loaded
from plimsoll.keeper.head_watch import SHORTEST_SEC, HeadWatch, pause_of
from plimsoll.keeper.lines import total_of
from plimsoll.keeper.lookout import Look
from plimsoll.keeper.opening import Parts, open_parts
from plimsoll.keeper.operations import Operations
from plimsoll.keeper.performer import Deed
from plimsoll.keeper.signer_watch import SignerWatch
from plimsoll.keeper.watchman import Watchman
from plimsoll.transact.operate import SignerStatus

log = structlog.get_logger()

#: How long a pass of ``--once`` is followed until what it sent is mined.
ONCE_SEC: Final = 60.0


async def run(
    loaded: Loaded, tell: Callable[[str], None], *, once: bool = False, dry_run: bool = False, hosted: bool = False
) -> None:
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
    hosted : bool
        Another program calls this and goes on afterwards; without it a thread that hangs ends the process in time.

    Raises
    ------
    InputError
        When the configuration is wrong, before anything is sent.
    UnavailableError
        When nodes or database do not answer at the start, or in the pass of ``once``.
    """
    deployment = load_deployment(loaded.config.keeper.deployment)
    about = f"{deployment.chain_id}:{deployment.contracts['Accounts'].lower()}"
    ops = Operations(loaded, about, duties_of(loaded))
    parts = await open_parts(ops, is_dry=dry_run)
    watchman = Watchman(ops, tell, explain=dry_run)

    async def work() -> None:
        try:
            if once or dry_run:
                deeds = await _one(ops, parts, watchman, is_dry=dry_run)
                if dry_run:
                    tell(total_of(deeds))
            else:
                await keep_on(ops, parts, watchman)
        finally:
            await parts.close()

    try:
        await ops.run(work, is_aside=dry_run)
    finally:
        if hosted:
            ops.shutdown.disarm()


def duties_of(loaded: Loaded) -> tuple[str, ...]:
    """Return the duties that a configuration gives a keeper.

    Parameters
    ----------
    loaded : Loaded

    Returns
    -------
    tuple of str
        Urgent ones first.
    """
    signers, has_feed = loaded.config.signers, bool(loaded.config.feed.sources)
    urgent = ("liquidations",) if signers.liquidations else ()
    calm = ("settlements", "upkeep") if signers.prices or signers.liquidations else ()
    intents = ("intents",) if calm and loaded.config.solver is not None else ()
    remote = ("remote",) if calm and loaded.config.remote is not None else ()
    return (*urgent, *(("prices",) if calm and has_feed else ()), *calm, *intents, *remote)


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
    look = await _look(parts, watchman)
    if ops.lease.may_send():
        for report in await parts.roster.perform(look):
            watchman.reported(report)
        await _advance(parts, look.head, watchman)
    else:
        for duty in parts.roster.duties:
            ops.progress.duty_done(duty)
    watchman.checked(await parts.verifier.check())


async def _look(parts: Parts, watchman: Watchman) -> Look:
    """Look, and tell what was seen and how the nodes answered."""
    try:
        look = await parts.lookout.look()
    finally:
        watchman.asked(parts.endpoints)
    names = {number: name for name, number in parts.deployment.underlyings.items()}
    watchman.looked(look, names, parts.endpoints.agreed_at_sec)
    return look


async def _advance(parts: Parts, head: Head, watchman: Watchman) -> None:
    """Follow what every signer sent, each to its end: none may still be at it in the next pass."""
    each = [transactor.advance(head) for transactor in parts.transactors.values()]
    problems: list[BaseException] = []
    for ended in await asyncio.gather(*each, return_exceptions=True):
        if isinstance(ended, BaseException):
            problems.append(ended)
        else:
            watchman.ended(ended)
    if problems:
        raise problems[0]


async def keep_on(ops: Operations, parts: Parts, watchman: Watchman) -> None:
    """Make passes until told to stop; one that fails is told, and the next one is made.

    Parameters
    ----------
    ops : Operations
    parts : Parts
    watchman : Watchman
    """
    signers = SignerWatch(ops, parts.transactors, lambda: signers_away(parts))
    heads = HeadWatch(parts.endpoints)
    while not ops.shutdown.is_asked:
        try:
            await pass_once(ops, parts, watchman)
            await signers.look()
            watchman.recovered("pass")
        except PlimsollError as problem:
            watchman.failed("pass", str(problem))
        except Exception as defect:
            # A defect that one answer brought to light is logged whole and told; the next pass has other answers.
            log.exception("a pass failed")
            watchman.failed("pass", f"{type(defect).__name__}: {defect}")
        await _until_next(ops, parts, heads)


async def _until_next(ops: Operations, parts: Parts, heads: HeadWatch) -> None:
    """Wait for a new head, the longest pause, or the order to stop."""
    interval_sec, loop = ops.config.keeper.interval_sec, asyncio.get_running_loop()
    until = loop.time() + interval_sec
    # The pause comes first: a pass that fails, or nodes that went back, must not keep the loop at full speed.
    while (left_sec := until - loop.time()) > 0:
        if await ops.shutdown.wait(min(pause_of(interval_sec), left_sec)):
            return
        if await heads.is_new(parts.index.head.hash):
            return


def signers_away(parts: Parts) -> dict[str, SignerStatus]:
    """Return what is known of the signer on the other chain."""
    relayer = parts.roster.relayer
    return {} if relayer is None or relayer.signer is None else {"remote": relayer.signer}


async def _follow_away(parts: Parts, watchman: Watchman) -> int:
    """Follow what was sent on the other chain; a chain that does not answer keeps nothing waiting here."""
    if parts.roster.relayer is None:
        return 0
    try:
        outcomes, waiting = await parts.roster.relayer.advance()
    except PlimsollError as problem:
        log.warning("left undone", duty="remote", reason=str(problem))
        return 0
    watchman.ended(outcomes)
    return waiting


async def _one(ops: Operations, parts: Parts, watchman: Watchman, *, is_dry: bool) -> list[Deed]:
    """Make one pass, and see what it sent to its end; return what it did."""
    if not is_dry:
        await ops.lease.wait_leader()
    look = await _look(parts, watchman)
    # The only pass: what it finds on the other chain has to be told in it.
    parts.roster.relay_patience_sec = ONCE_SEC
    deeds: list[Deed] = []
    for report in await parts.roster.perform(look):
        watchman.reported(report)
        deeds += report.deeds
    until = asyncio.get_running_loop().time() + ONCE_SEC
    while not is_dry and asyncio.get_running_loop().time() < until and not ops.shutdown.is_asked:
        head = await parts.endpoints.head()
        waiting = 0
        for transactor in parts.transactors.values():
            watchman.ended(await transactor.advance(head))
            waiting += len([e for e in transactor.context.ledger.open_entries() if e.block_number < 0])
        waiting += await _follow_away(parts, watchman)
        if not waiting:
            break
        await ops.shutdown.wait(SHORTEST_SEC)
    return deeds
