"""What runs around the loop: logs, metrics, probes, alerts, lease and an orderly end, from one configuration."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final

import structlog
from sqlalchemy.engine import Engine

from plimsoll import __version__
from plimsoll.keeper.alert_book import AlertKind
from plimsoll.keeper.alerts import Alerts, open_sinks
from plimsoll.keeper.config import Loaded
from plimsoll.keeper.health import Progress, Verdict, readiness
from plimsoll.keeper.holder import myself
from plimsoll.keeper.lease import Lease, Takeover
from plimsoll.keeper.lease_table import LeaseTable
from plimsoll.keeper.logs import configure_logs
from plimsoll.keeper.metrics import Metrics
from plimsoll.keeper.notify import tell_systemd
from plimsoll.keeper.redaction import Redactor
from plimsoll.keeper.secret_files import database_url
from plimsoll.keeper.shutdown import Shutdown
from plimsoll.keeper.web import Web
from plimsoll.storage import open_database, upgrade

log = structlog.get_logger()

WATCH_SEC: Final = 1.0
#: Pause before a part that failed is started again.
RESTART_SEC: Final = 1.0
FLUSH_SEC: Final = 2.0


class Operations:
    """What the loop is given, and what runs beside it.

    Parameters
    ----------
    loaded : Loaded
        Checked configuration.
    about : str
        What the lease is about: one deployment on one chain.
    duties : sequence of str
        What must finish a pass again and again; the names of :meth:`Progress.duty_done`.

    Attributes
    ----------
    config : KeeperConfig
    redactor : Redactor
        Tell it every secret that is opened.
    engine : Engine
        The common database, migrated.
    metrics : Metrics
    progress : Progress
        Tell it every pass, head and block of the index.
    alerts : Alerts
    lease : Lease
        Ask ``may_send`` before every send, and give ``fence`` to the journal.
    shutdown : Shutdown
        Look at ``is_asked`` between two steps.
    has_keys : bool
        Set it when every key is open.

    Raises
    ------
    InputError
        When a file that the configuration names is missing or wrong.
    StorageError
        When the database does not answer.
    """

    def __init__(self, loaded: Loaded, about: str, duties: Sequence[str]) -> None:
        self.config = loaded.config
        self.redactor = Redactor(loaded.secrets)
        configure_logs(self.config.logging, self.redactor)
        self.metrics = Metrics(__version__, self.config.keeper.name)
        self.alerts = Alerts(self.config.alerts, open_sinks(self.config, self.redactor), self.metrics)
        database = self.config.database
        self.engine: Engine = open_database(database_url(database, self.redactor, database.statement_sec))
        upgrade(self.engine)
        # Connections of its own, so that a renewal never waits for one that the index or the journal holds.
        self._lease_engine = open_database(database_url(database, self.redactor, database.timeout_sec))
        self.progress = Progress(self.config.health, duties)
        self.lease = Lease(
            LeaseTable(self._lease_engine, about),
            myself(self.config.keeper.name),
            self.config.standby,
            on_leader=self._became_leader,
            on_loss=self._lost_lease,
            on_trouble=self._database_trouble,
            is_well=lambda: self.health().is_ok,
        )
        self.shutdown = Shutdown(self.config.keeper.stop_sec)
        self.has_keys = False
        self._web = Web(self.config.web.bind, self.metrics, self.health, self.ready)
        self._beside: list[asyncio.Task[None]] = []

    def health(self) -> Verdict:
        """Return whether the keeper makes progress."""
        return self.progress.health()

    def ready(self) -> Verdict:
        """Return whether the keeper could act now, or take over."""
        return readiness(self.progress, self.config.health, self.lease.role, self.lease.written_sec, keys=self.has_keys)

    async def run(self, work: Callable[[], Coroutine[Any, Any, None]], *, is_aside: bool = False) -> None:
        """Start what runs beside the loop, run the loop, and end in order.

        Parameters
        ----------
        work : Callable
            The loop: it acts while ``lease.may_send()``, and returns soon after ``shutdown.is_asked``.
        is_aside : bool
            A look beside a keeper that may be at work with the same file: no probes, no lease and no messages.

        Raises
        ------
        InputError
            When the address of the probes cannot be listened on.
        """
        self.shutdown.install()
        if is_aside:
            await self.shutdown.run(work(), self._let_go)
            return
        address = await self._web.start()
        log.info("keeper started", name=self.config.keeper.name, probes=address)
        self._beside = [
            asyncio.create_task(self._kept_up(part)) for part in (self.lease.run, self.alerts.run, self._watch)
        ]
        tell_systemd("READY=1")
        await self.shutdown.run(work(), self._close)

    async def _close(self) -> None:
        tell_systemd("STOPPING=1")
        await self.lease.release()
        await self.alerts.flush(FLUSH_SEC)
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        await self._web.stop()
        await self._let_go()
        log.info("keeper stopped")

    async def _let_go(self) -> None:
        """Let go of the database."""
        self._lease_engine.dispose()
        self.engine.dispose()

    async def _kept_up(self, part: Callable[[], Awaitable[None]]) -> None:
        """Run one part for ever: a fault of it is logged and counted, and ends nothing."""
        while True:
            try:
                await part()
            except Exception:
                log.exception("a part beside the loop failed")
                self.metrics.failures.labels(kind="beside").inc()
            await asyncio.sleep(RESTART_SEC)

    async def _watch(self) -> None:
        """Look once a second whether everything moves, whatever the loop does."""
        while True:
            health, ready = self.health(), self.ready()
            self.metrics.is_healthy.set(health.is_ok)
            self.metrics.is_ready.set(ready.is_ok)
            self.metrics.is_leader.set(self.lease.may_send())
            stalled = {"keeper": "; ".join(health.problems)} if health.problems else {}
            self.alerts.set_all(AlertKind.STALLED, stalled)
            quiet_sec, limit = self.progress.quiet_sec, self.config.alerts.quiet_sec
            quiet = {"chain": f"no new block for {quiet_sec:.0f} s, limit {limit:g} s"} if quiet_sec > limit else {}
            self.alerts.set_all(AlertKind.QUIET_CHAIN, quiet)
            if health.is_ok:
                tell_systemd("WATCHDOG=1", f"STATUS={self.lease.role.value}, block {health.facts['index']}")
            await asyncio.sleep(WATCH_SEC)

    def _became_leader(self, takeover: Takeover) -> None:
        self.metrics.fencing_token.set(takeover.token)
        if takeover.before:
            self.metrics.takeovers.inc()
            text = f"{self.config.keeper.name} acts now; {takeover.before} did not renew its lease"
            self.alerts.tell(AlertKind.STANDBY_TAKEOVER, takeover.before, text)

    def _lost_lease(self, reason: str) -> None:
        self.metrics.lease_losses.inc()
        self.alerts.tell(AlertKind.STANDBY_TAKEOVER, self.config.keeper.name, f"lost the lease: {reason}")

    def _database_trouble(self, reason: str) -> None:
        self.alerts.set_all(AlertKind.DATABASE, {"lease": reason} if reason else {})
