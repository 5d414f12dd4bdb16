"""The whole configuration, and what its sections must agree on."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from plimsoll.keeper.config.section import Section, option
from plimsoll.keeper.config.sections import (
    AlertsSection,
    ChainSection,
    DatabaseSection,
    FeedSection,
    FleetSection,
    HealthSection,
    IndexSection,
    KeeperSection,
    LiquidationSection,
    LoggingSection,
    OracleSection,
    RemoteSection,
    SignersSection,
    SolverSection,
    StandbySection,
    TransactSection,
    WebSection,
)


class KeeperConfig(Section):
    """Every option of a keeper, one attribute per section of the file."""

    keeper: KeeperSection = option(..., "Who this keeper is.")
    chain: ChainSection = option(..., "Nodes, and when to believe them.")
    database: DatabaseSection = option({}, "Where index, journal and lease are kept.")
    signers: SignersSection = option({}, "Keys that send transactions.")
    feed: FeedSection = option({}, "Where rounds come from.")
    oracle: OracleSection = option({}, "When a round is posted, and who signs it.")
    liquidation: LiquidationSection = option({}, "Whom to bid for, and when a bid is worth it.")
    solver: SolverSection | None = option(None, "Which signed intents to fill; without it none.")
    remote: RemoteSection | None = option(None, "Collateral on another chain; without it nothing is carried.")
    transact: TransactSection = option({}, "What transactions may cost, and when they count.")
    index: IndexSection = option({}, "How events are read.")
    fleet: FleetSection = option({}, "Who computes margins.")
    standby: StandbySection = option({}, "Two keepers on one database: one acts, the other waits.")
    web: WebSection = option({}, "The server of /health, /ready and /metrics.")
    health: HealthSection = option({}, "When the keeper counts as standing still.")
    alerts: AlertsSection = option({}, "Who is told, how often, and above which limit.")
    logging: LoggingSection = option({}, "Lines on standard error.")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """Refuse what is right option by option and wrong together."""
        chain, feed, standby = self.chain, self.feed, self.standby
        wrong = (
            (
                chain.quorum > len(chain.endpoints),
                f"chain.quorum: {chain.quorum} is above the number of chain.endpoints, {len(chain.endpoints)}",
            ),
            (
                len(set(chain.endpoints)) < len(chain.endpoints),
                "chain.endpoints: the same address twice would agree with itself",
            ),
            (
                bool(feed.sources) and feed.min_sources is not None and feed.min_sources > len(feed.sources),
                f"feed.min_sources: {feed.min_sources} is above the number of feed.sources, {len(feed.sources)}",
            ),
            (
                bool(feed.sources) and not self.oracle.services and not self.oracle.keys,
                "oracle.services: missing; feed.sources gives rounds that nobody would sign",
            ),
            (
                standby.margin_sec >= standby.lease_sec / 2,
                f"standby.margin_sec: {standby.margin_sec:g} is not below half of standby.lease_sec, "
                f"{standby.lease_sec / 2:g}",
            ),
            *self._remote_agrees(),
            *self._secrets_named_once(),
        )
        for is_wrong, message in wrong:
            if is_wrong:
                raise ValueError(message)
        return self

    def _remote_agrees(self) -> list[tuple[bool, str]]:
        """Refuse a quorum of nodes that there are not, and nodes that are asked twice."""
        remote = self.remote
        if remote is None:
            return []
        count = len(remote.endpoints)
        return [
            (
                remote.quorum > count,
                f"remote.quorum: {remote.quorum} is above the number of remote.endpoints, {count}",
            ),
            (
                len(set(remote.endpoints)) < count,
                "remote.endpoints: the same address twice would agree with itself",
            ),
            (
                self.signers.prices is None and self.signers.liquidations is None,
                "signers: missing; somebody has to send the claims of remote",
            ),
        ]

    def _secrets_named_once(self) -> list[tuple[bool, str]]:
        """Ask for exactly one place of each password and token, and for at most one of the database's."""
        keys = [("signers.prices", self.signers.prices), ("signers.liquidations", self.signers.liquidations)]
        keys += [("solver.key", self.solver.key)] if self.solver is not None else []
        keys += [(f"oracle.keys[{number}]", key) for number, key in enumerate(self.oracle.keys)]
        if self.remote is not None:
            keys.append(("remote.sender", self.remote.sender))
            keys += [(f"remote.keys[{number}]", key) for number, key in enumerate(self.remote.keys)]
        found = [
            ((key.pass_file is None) == (key.pass_env is None), f"{path}: give one of pass_file and pass_env")
            for path, key in keys
            if key is not None
        ]
        found += [
            (
                (chat.token_file is None) == (chat.token_env is None),
                f"alerts.telegrams[{number}]: give one of token_file and token_env",
            )
            for number, chat in enumerate(self.alerts.telegrams)
        ]
        oracle, database = self.oracle, self.database
        two = oracle.token_file is not None and oracle.token_env is not None
        found.append((two, "oracle: give only one of token_file and token_env"))
        both = database.password_file is not None and database.password_env is not None
        return [*found, (both, "database: give only one of password_file and password_env")]
