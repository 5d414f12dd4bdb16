"""The venue put together: nodes, database, index, book, gate, settlement, streams; opened, run and closed as one."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from eth_account.signers.local import LocalAccount
from sqlalchemy.engine import Engine as Database

from plimsoll.chain.abi import all_artifacts, load_artifact
from plimsoll.chain.collector import spare_the_collector
from plimsoll.chain.endpoints import Endpoints
from plimsoll.chain.head import Head
from plimsoll.chain.node import Node
from plimsoll.client.schema import service as schema
from plimsoll.client.schema.problem import RefusalError
from plimsoll.deployment.record import Deployment, artifact_name, load_deployment
from plimsoll.errors import InputError
from plimsoll.index.artefact import check_artefact
from plimsoll.index.follow import Index
from plimsoll.keeper.redaction import Redactor
from plimsoll.keeper.secret_files import database_url, open_key
from plimsoll.storage import open_database, upgrade
from plimsoll.transact.policy import Policy
from plimsoll.transact.transactor import Transactor
from plimsoll.venue.api.app import build_app
from plimsoll.venue.api.limits import Bucket, Limits
from plimsoll.venue.book.state import Changes
from plimsoll.venue.chain.digests import OrderDigest
from plimsoll.venue.chain.follower import Follower
from plimsoll.venue.chain.reads import Reads
from plimsoll.venue.chain.settler import Settler
from plimsoll.venue.chain.watch import Watch
from plimsoll.venue.chain.world import World
from plimsoll.venue.config import VenueConfig
from plimsoll.venue.gate.authority import Authority
from plimsoll.venue.gate.margin import MarginGate
from plimsoll.venue.gate.terms import Steps
from plimsoll.venue.journal.archive import Archive
from plimsoll.venue.journal.desk import Desk
from plimsoll.venue.journal.ledger_store import LedgerStore
from plimsoll.venue.journal.log import EventLog
from plimsoll.venue.service.about import About
from plimsoll.venue.service.accounts import AccountService
from plimsoll.venue.service.channels import Channels
from plimsoll.venue.service.history import History
from plimsoll.venue.service.logins import LoginService
from plimsoll.venue.service.markets import MarketService
from plimsoll.venue.service.orders import OrderService
from plimsoll.venue.service.quotes import QuoteService
from plimsoll.venue.stream.hub import Hub
from plimsoll.venue.stream.publisher import Publisher

log = structlog.get_logger()

#: The same head for longer than this, by the own clock, and nothing is accepted: the chain may be gone.
HEAD_SEC = 30.0
#: How long a stop waits for connections that are still open.
STOP_SEC = 3


class Venue:
    """One venue. Belongs to one event loop.

    Parameters
    ----------
    config : VenueConfig
        Checked options.
    deployment : Deployment
        Contracts.
    database : Engine
        Upgraded.
    key : LocalAccount
        Sends settlements.
    """

    def __init__(self, config: VenueConfig, deployment: Deployment, database: Database, key: LocalAccount) -> None:
        self.config, self.deployment, self._database = config, deployment, database
        chain = config.chain
        nodes = [Node(url, timeout_sec=chain.timeout_sec, batch_size=chain.batch) for url in chain.endpoints]
        self.endpoints = Endpoints(
            nodes,
            chain.quorum,
            wait_sec=chain.agree_sec,
            final_depth=config.index.finality_blocks,
            use_final_tag=config.transact.confirmations is None,
        )
        identity = {"chain": str(deployment.chain_id), "exchange": deployment.contracts["Exchange"].lower()}
        self.log = EventLog(database, identity)
        self.reads = Reads(self.endpoints, deployment)
        self.world = World(deployment, self.reads)
        book = config.book
        self.desk = Desk(
            self.log, self.world, book.quantity_step_wad, self._prepare, self._reloaded, book.max_log_events
        )
        self.history = History(self.desk, Archive(database))
        self.transactor = Transactor(self.endpoints, key, database, deployment.chain_id, policy_of(config))
        self.authority = Authority(self.world)
        self.margin = MarginGate(self.world)
        self.hub = Hub(config.limits.queue_messages)
        self.hub.log_seq = lambda: self.desk.state.seq
        self.publisher = Publisher(self.hub, lambda: self.desk.state)
        self._is_stopping = False
        self._server: uvicorn.Server | None = None
        self._tasks: list[asyncio.Task[Any]] = []
        self._start_services(key)

    def _start_services(self, key: LocalAccount) -> None:
        """Make what answers; the follower begins where the log ends, so the log is read first."""
        config, deployment = self.config, self.deployment
        seconds = self.desk.load()
        log.info("the log was read", events=self.desk.state.seq, seconds=round(seconds, 2))
        points = [Head(*point) for point in self.desk.state.points]
        self.follower = Follower(self.endpoints, deployment, points, LedgerStore(self._database))
        book = config.book
        steps = Steps(book.quantity_step_wad, book.option_price_step_wad, book.linear_price_step_wad, book.min_life_sec)
        self.orders = OrderService(
            self.desk,
            self.world,
            self.history,
            self.follower,
            self.authority,
            self.margin,
            OrderDigest(deployment),
            steps,
            book.max_open_orders,
            self._require_ready,
        )
        self.markets = MarketService(self.desk, self.history, self.world, self.follower.ledger, steps)
        self.accounts = AccountService(self.world, self.orders, config.chain.endpoints[0])
        self.quotes = QuoteService(
            self.desk, self.world, self.follower, self.authority, self.orders, deployment, steps, str(key.address)
        )
        self.logins = LoginService(deployment, self.authority)
        self.settler = Settler(self.desk, self.world, self.transactor, deployment, self.follower.ledger, self.authority)
        self.about = About(config, deployment, self.world, str(key.address))
        self.channels = Channels(self.hub, self.publisher, self.desk, self.world, self.markets, self.accounts)
        self.publisher.quotes = self.quotes.published_quotes
        self.publisher.requests = self.quotes.published_requests

    # What the API asks.

    def health(self) -> schema.HealthView:
        """Say how every part is."""
        age = self.world.head_age_sec()
        parts = {
            "chain": schema.PartHealth(
                isOk=not self.watch.problem and age < HEAD_SEC,
                detail=self.watch.problem,
                ageSec=round(min(age, 1e9), 3),
            ),
            "database": schema.PartHealth(isOk=self.log.problem is None, detail=str(self.log.problem or "")),
            "settlement": schema.PartHealth(isOk=not self.settler.problem, detail=self.settler.problem),
        }
        for symbol, number in sorted(self.deployment.underlyings.items()):
            is_stale = self.world.is_stale(number)
            detail = f"older than {self.world.heartbeat_sec} s" if is_stale else ""
            parts[f"round {symbol}"] = schema.PartHealth(isOk=not is_stale, detail=detail)
        state = self.desk.state
        return schema.HealthView(
            isOk=all(part.isOk for part in parts.values()),
            isAccepting=self._why_not() is None,
            parts=parts,
            openOrders=state.open_count(),
            pendingTrades=sum(trade.state == "pending" for trade in state.unsettled.values()),
            streams=len(self.hub.readers),
            seq=state.seq,
            epoch=self.hub.epoch,
        )

    async def config_view(self) -> schema.ConfigView:
        """Return what a page needs."""
        return await self.about.view(self.hub.epoch)

    def _why_not(self) -> RefusalError | None:
        """Return why nothing is accepted now."""
        if self._is_stopping:
            return RefusalError("stopping", "the venue is stopping; come back in a moment", retry_after_sec=5.0)
        if self.log.problem is not None:
            return RefusalError(
                "databaseDown", f"nothing can be written down now: {self.log.problem}", retry_after_sec=1.0
            )
        if self.world.head_age_sec() > HEAD_SEC or self.watch.problem:
            text = f"the chain cannot be followed now: {self.watch.problem or 'no head for too long'}"
            return RefusalError("chainDown", text, retry_after_sec=1.0)
        return None

    def _require_ready(self) -> None:
        problem = self._why_not()
        if problem is not None:
            raise problem

    def _prepare(self, changes: Changes) -> Any:
        """Make the messages about a command, and wake the settler where something was matched."""
        if changes.trades or changes.quotes:
            self.settler.wake.set()
        return self.publisher.prepare(changes)

    def _reloaded(self) -> None:
        """After the log was read anew, what readers were shown may be wrong."""
        self.hub.restart()

    # Running.

    @cached_property
    def watch(self) -> Watch:
        """Follows the chain."""
        database = Index(self.endpoints, self.deployment, self._database)
        return Watch(
            self.endpoints,
            self.desk,
            self.world,
            database,
            self.follower,
            self.transactor,
            self.settler,
            self.history,
        )

    async def open(self) -> None:
        """Check the chain and catch up with it.

        Raises
        ------
        InputError
            When the artefact is not the chain's.
        UnavailableError
            When nodes or database do not answer.
        """
        head = await self.endpoints.head()
        await check_artefact(self.endpoints.node_at(head), self.deployment, head)
        self.reads.head = head
        self.log.start()
        self.watch.on_terms = self.accounts.refresh_books
        self.watch.on_look = self.channels.looked
        await self.watch.start()

    async def serve(self, tell: Any) -> None:
        """Serve until told to stop.

        Parameters
        ----------
        tell : Callable[[str], None]
            Told the address when requests are taken.
        """
        limits = self.config.limits
        app = build_app(
            VenueBackend(self),
            source=self.channels,
            limits=Limits(
                Bucket(limits.requests_per_sec, limits.burst_requests),
                Bucket(limits.orders_per_sec, limits.burst_orders),
                limits.max_body_bytes,
            ),
            streams=limits.streams,
            origins=self.config.web.origins,
            page=_page(self.config.venue.page),
        )
        host, _, port = self.config.web.bind.rpartition(":")
        options = uvicorn.Config(
            app,
            host=host.strip("[]"),
            port=int(port),
            log_config=None,
            access_log=False,
            ws="websockets-sansio",
            ws_max_size=limits.max_body_bytes,
            ws_max_queue=16,
            timeout_graceful_shutdown=STOP_SEC,
        )
        self._server = _Server(options)
        if self._is_stopping:
            return
        spare_the_collector()
        self._tasks = [asyncio.create_task(one) for one in (self.watch.run(), self.settler.run())]
        announcing = asyncio.create_task(self._announce(tell))
        try:
            await self._server.serve()
        finally:
            announcing.cancel()
            self._is_stopping = True
        if not self._server.started:
            raise InputError("web.bind", f"{self.config.web.bind} cannot be listened on")

    async def _announce(self, tell: Any) -> None:
        while self._server is None or not self._server.started:
            await asyncio.sleep(0.02)
        tell(self.address())

    def address(self) -> str:
        """Return where requests are taken."""
        if self._server is None or not self._server.servers:
            return ""
        name, number = self._server.servers[0].sockets[0].getsockname()[:2]
        return f"http://{name}:{number}"

    def stop(self) -> None:
        """Stop taking requests; :meth:`serve` then returns."""
        self._is_stopping = True
        if self._server is not None:
            self._server.should_exit = True

    async def close(self) -> None:
        """Let go of everything; what was accepted is on disk already."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.log.stop()
        self.authority.close()
        await self.transactor.close()
        await self.endpoints.close()
        self._database.dispose()


class _Server(uvicorn.Server):
    """Uvicorn's server raises a signal anew at its end; here a signal is an order to stop, and no failure."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to who runs the venue."""
        yield


class VenueBackend:
    """The venue as the API asks it."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self.orders, self.markets, self.accounts = venue.orders, venue.markets, venue.accounts
        self.quotes, self.logins = venue.quotes, venue.logins

    def health(self) -> schema.HealthView:
        """Say how the service is."""
        return self._venue.health()

    async def config(self) -> schema.ConfigView:
        """Return what a page needs."""
        return await self._venue.config_view()

    def abi(self, name: str) -> schema.AbiView:
        """Return the interface of a contract."""
        known = {artifact.name for artifact in all_artifacts()}
        if artifact_name(name) not in known:
            text = f"name: there is no contract {name}"
            raise RefusalError("notFound", text, field="name", value=name)
        address = self._venue.deployment.contracts.get(name)
        return schema.AbiView(name=name, address=address, abi=load_artifact(artifact_name(name)).abi)


def policy_of(config: VenueConfig) -> Policy:
    """Return the bounds of the settlement key: the options of the section are named after them."""
    section = config.transact.model_dump()
    names = set(Policy.__dataclass_fields__)
    # A failed settlement is looked into at once and its orders are barred: a budget of failures would only delay that.
    own = {"simulation_budget": 1_000_000, "account_failure_budget": 1_000_000, "simulation_pause_sec": 1}
    return Policy(**{**{name: value for name, value in section.items() if name in names}, **own})


def _page(folder: Path | None) -> Path | None:
    """Return the folder of the page when it was built."""
    if folder is None:
        return None
    if not (folder / "index.html").is_file():
        raise InputError("venue.page", f"{folder} has no index.html; build the page first")
    return folder


async def run(config: VenueConfig, tell: Any) -> None:
    """Open a venue and serve until SIGINT or SIGTERM.

    Parameters
    ----------
    config : VenueConfig
        Checked.
    tell : Callable[[str], None]
        Told the address.

    Raises
    ------
    InputError
        When a file is wrong, or the artefact is not the chain's.
    UnavailableError
        When nodes or database do not answer at the start.
    """
    redactor = Redactor()
    began = time.monotonic()
    deployment = load_deployment(config.venue.deployment)
    _page(config.venue.page)
    key = open_key(config.settler.key, "settler.key", redactor)
    database = open_database(database_url(config.database, redactor, config.database.statement_sec))
    upgrade(database)
    venue = Venue(config, deployment, database, key)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, venue.stop)
    try:
        await venue.open()
        log.info("the venue is open", seconds=round(time.monotonic() - began, 2), orders=venue.desk.state.open_count())
        await venue.serve(tell)
    finally:
        await venue.close()
