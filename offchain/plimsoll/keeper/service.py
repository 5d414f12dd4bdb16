"""A keeper as a process: from options to a running loop with a breaker."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from plimsoll.chain.client import Client
from plimsoll.decide import BidderRule
from plimsoll.deployment.record import Deployment, check_chain, load_deployment
from plimsoll.errors import InputError, PlimsollError, UnavailableError
from plimsoll.files.folder import make_folder
from plimsoll.index.store import Store
from plimsoll.index.sync import Index
from plimsoll.keeper.encode import Encoder
from plimsoll.keeper.feed import Feed, NoFeed
from plimsoll.keeper.keys import load_key
from plimsoll.keeper.limited_feed import LimitedFeed
from plimsoll.keeper.loop import FIRST_USER_ACCOUNT, Done, Keeper
from plimsoll.protocol.rounds import RoundPoster
from plimsoll.transact import Journal, Policy, Transactor

log = structlog.get_logger()

# Passes in a row that may fail before the keeper stops: a person has to look.
BREAKER_LIMIT = 10


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line gives."""

    rpc: str
    deployment: Path
    keystore: Path
    pass_file: Path | None
    signers: tuple[Path, ...]
    feed: str
    bidder: int | None
    min_profit: float
    min_return: float
    cushion: float
    data: Path


@dataclass(frozen=True, slots=True)
class Service:
    """An opened keeper with its sender."""

    keeper: Keeper
    transactor: Transactor


def _open_feed(name: str, deployment: Deployment) -> Feed:
    """Return the feed of a name."""
    if name == "none":
        return NoFeed()
    import httpx

    from plimsoll.keeper.live_feed import DeribitFeed
    from plimsoll.market.venues.deribit import Deribit

    return DeribitFeed(Deribit(httpx.Client()), tuple(sorted(deployment.underlyings)), time.time)


def open_keeper(options: Options) -> Service:
    """Read the artefact and the keys, open index and journal.

    Parameters
    ----------
    options : Options
        Command line.

    Returns
    -------
    Service
        Nothing has been sent.

    Raises
    ------
    InputError
        When a file or a combination of options is wrong.
    UnavailableError
        When the node cannot be reached or is on another chain.
    """
    deployment = load_deployment(options.deployment)
    account = load_key(options.keystore, options.pass_file)
    signers = [load_key(path, options.pass_file) for path in options.signers]
    if options.feed != "none" and not signers:
        raise InputError("--feed", "posting rounds needs at least one --signer")
    client = Client(options.rpc)
    check_chain(deployment, client)
    make_folder(options.data, "--data")
    index = Index(client, deployment, Store(f"sqlite:///{options.data / f'index-{deployment.chain_id}.sqlite'}"))
    poster = RoundPoster(client, deployment, signers) if signers else None
    feed = LimitedFeed(_open_feed(options.feed, deployment), client, deployment)
    encoder = Encoder(client, deployment, feed, poster)
    journal = Journal(options.data / f"journal-{deployment.chain_id}.sqlite")
    transactor = Transactor(client, account, journal, Policy())
    bidder = None
    if options.bidder is not None:
        count = deployment.contract(client, "Accounts").call("nextAccountId")
        if not FIRST_USER_ACCOUNT <= options.bidder < count:
            raise InputError("--bidder", f"{options.bidder} does not exist; the last is {count - 1}")
        bidder = BidderRule(options.bidder, options.min_profit, options.min_return, cushion=options.cushion)
    return Service(Keeper(client, deployment, index, encoder, transactor, bidder), transactor)


def line_of(done: Done) -> str:
    """Return one line about an intent.

    Parameters
    ----------
    done : Done
        Intent and outcome.

    Returns
    -------
    str
        Key, result, gas.
    """
    outcome = done.outcome
    result = "done" if outcome.done else "not done"
    gas = outcome.receipt.gas_used if outcome.receipt else outcome.gas_estimate
    return (
        f"{done.intent.key}: {result}"
        + (f", gas {gas}" if gas else "")
        + (f" ({outcome.reason})" if outcome.reason else "")
    )


def run_keeper(
    service: Service, tell: Callable[[str], None], *, interval_sec: float, once: bool, dry_run: bool
) -> None:
    """Finish what an earlier run began, then repeat passes.

    Parameters
    ----------
    service : Service
        Opened keeper.
    tell : Callable[[str], None]
        Gets one line per intent.
    interval_sec : float
        Pause between passes.
    once : bool
        Stop after one pass.
    dry_run : bool
        Simulate, send nothing.

    Raises
    ------
    UnavailableError
        When the node fails in ``once``, or so many passes in a row that the breaker opens.
    """
    if not dry_run:
        for outcome in service.transactor.resume():
            tell(f"{outcome.key}: resumed, {'done' if outcome.done else outcome.reason}")
    failures = 0
    while True:
        try:
            for done in service.keeper.run_pass(dry_run=dry_run):
                tell(line_of(done))
            failures = 0
        except PlimsollError as problem:
            failures += 1
            if once:
                raise
            if failures >= BREAKER_LIMIT:
                raise UnavailableError("keeper", f"{failures} passes failed in a row; the last: {problem}") from problem
            log.warning("pass failed", reason=str(problem), in_a_row=failures)
        if once:
            return
        time.sleep(interval_sec)
