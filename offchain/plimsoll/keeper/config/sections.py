"""Every option of the keeper: default, unit, limits and meaning, once."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from plimsoll.keeper.config.section import (
    AsTuple,
    Bind,
    DatabaseAddress,
    DocumentWord,
    FeedWords,
    FilePath,
    Section,
    WebAddress,
    option,
)

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]


class KeeperSection(Section):
    """Who this keeper is."""

    name: Name = option("keeper", "Name in the lease, in logs and alerts; two keepers of one database differ in it.")
    deployment: FilePath = option(
        ..., "Artefact that `plimsoll deploy` wrote: addresses, ids and chain.", example="deployment.json"
    )
    interval_sec: float = option(
        2.0, "Longest pause between two passes; a new head begins one at once.", "seconds", ge=0.05, le=600
    )
    stop_sec: float = option(
        20.0, "How long a stop may take until the keeper ends in the middle of a step.", "seconds", ge=1, le=600
    )


class ChainSection(Section):
    """Nodes, and when to believe them."""

    endpoints: Annotated[tuple[WebAddress, ...], AsTuple] = option(
        ...,
        "HTTP addresses of nodes, best of different operators; ${NAME} is filled in from the environment.",
        example=["http://127.0.0.1:8545"],
        min_length=1,
        max_length=16,
    )
    quorum: int = option(1, "Endpoints that must agree on the head before anything is done.", "endpoints", ge=1, le=16)
    relay: WebAddress | None = option(
        None, "Private relay that takes transactions instead of the endpoints.", example="https://relay.example.org"
    )
    timeout_sec: float = option(10.0, "Longest wait for one answer.", "seconds", ge=0.1, le=120)
    agree_sec: float = option(
        5.0, "How long endpoints may disagree about the head before it is an error.", "seconds", ge=0, le=600
    )
    batch: int = option(500, "Most requests in one batch; a node's limit halves it.", "requests", ge=1, le=10_000)


class DatabaseSection(Section):
    """Where index, journal and lease are kept."""

    url: DatabaseAddress = option(
        "sqlite:///keeper.sqlite",
        "sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME, without a password; a path is relative to this file.",
    )
    password_file: FilePath | None = option(
        None, "File with the password of the database.", example="database-password"
    )
    password_env: Variable | None = option(
        None, "Environment variable with the password of the database.", example="PLIMSOLL_DATABASE_PASSWORD"
    )
    timeout_sec: float = option(
        5.0, "Longest wait for a server that is gone, and for a statement of the lease.", "seconds", ge=1, le=120
    )
    statement_sec: float = option(60.0, "Longest wait for any other statement.", "seconds", ge=1, le=3_600)


class KeySection(Section):
    """One encrypted key."""

    keystore: FilePath = option(..., "Ethereum keystore, version 3.", example="keys/prices.json")
    pass_file: FilePath | None = option(None, "File with its password.", example="keys/password")
    pass_env: Variable | None = option(
        None, "Environment variable with its password.", example="PLIMSOLL_KEYSTORE_PASSWORD"
    )


class SignersSection(Section):
    """Keys that send transactions: urgent liquidations never queue behind prices."""

    prices: KeySection | None = option(None, "Sends rounds, token prices and settlements.")
    liquidations: KeySection | None = option(None, "Sends everything about auctions, and margin calls.")


class FeedSection(Section):
    """Where rounds come from."""

    sources: FeedWords = option(
        (),
        "Nothing (post no rounds), or any of: file:PATH (relative to this file), an http address, a venue: deribit.",
        example=["deribit"],
        max_length=16,
    )
    rule: Literal["first", "median"] = option(
        "median", "How several sources become one: the first that answers, or the median of each number."
    )
    min_sources: int | None = option(
        None,
        "Sources that must agree on a number; without it more than half of those that should have one.",
        "sources",
        example=1,
        ge=1,
        le=16,
    )
    wraps: Annotated[tuple[str, ...], AsTuple] = option(
        (),
        "TOKEN=UNDERLYING of each token that is worth its own contract's rate of an underlying.",
        example=["WSTETH=ETH"],
        max_length=64,
    )
    max_outlier: float = option(
        0.02, "A source further from the median than this is left out.", "share of the median", gt=0, le=1
    )
    max_age_sec: float = option(120.0, "Older quotes are refused.", "seconds", gt=0, le=86_000)
    confirm_sec: float = option(
        30.0,
        "A price beyond the speed limit that one source alone says is believed after three readings over this long.",
        "seconds",
        ge=0,
        le=3_600,
    )
    timeout_sec: float = option(10.0, "Longest wait for one source.", "seconds", ge=0.1, le=120)


class OracleSection(Section):
    """When a round is posted, and who signs it."""

    services: Annotated[tuple[WebAddress, ...], AsTuple] = option(
        (), "Signer services that check a round before they sign it.", example=["http://127.0.0.1:8700"], max_length=32
    )
    token_file: FilePath | None = option(None, "File with the token that the services ask for.", example="signer-token")
    token_env: Variable | None = option(None, "Environment variable with it.", example="PLIMSOLL_SIGNER_TOKEN")
    keys: Annotated[tuple[KeySection, ...], AsTuple] = option(
        (), "Keys of signers inside this process, for a chain of one's own.", max_length=32
    )
    move: float = option(0.002, "Post when spot has moved by this since the last post.", "share of spot", ge=0, le=1)
    age_sec: float = option(900.0, "Post at the latest after this, moved or not.", "seconds", gt=0, le=86_000)
    sign_timeout_sec: float = option(5.0, "Longest wait for one signature.", "seconds", ge=0.1, le=120)


class LiquidationSection(Section):
    """Whom to bid for, and what makes a bid worth it."""

    bidder: int | None = option(
        None, "Account that bids; without it auctions are started and left to others.", "account id", example=17, ge=2
    )
    min_profit: float = option(5.0, "Smallest profit of a bid after gas and hedge.", "cash", ge=0)
    min_return: float = option(0.05, "Smallest profit over the margin taken over.", "share", ge=0)
    cushion: float = option(1.25, "Equity kept over initial margin after a bid.", "times initial margin", ge=1, le=100)
    hedge_cost: float = option(0.0005, "Cost of hedging what a bid takes.", "share of gross notional", ge=0, le=1)
    max_gas_price_wei: int = option(
        300_000_000_000, "No bid above this gas price; starting auctions goes on.", "wei", ge=1, le=10**15
    )


class SolverSection(Section):
    """Which signed intents to fill, and what makes a fill worth it."""

    intents: DocumentWord = option(
        ...,
        "file:PATH (relative to this file) or http address of a plimsoll.intents/1 document.",
        example="file:intents.json",
    )
    account: int = option(..., "Account on the other side of every fill.", "account id", example=17, ge=2)
    key: KeySection = option(..., "Signs quotes for that account.")
    min_profit: float = option(1.0, "Smallest profit of a fill after gas and hedge.", "cash", ge=0)
    take: float = option(0.999, "What to ask for of the most that an intent may cost.", "share", ge=0, lt=1)
    cushion: float = option(1.25, "Equity kept over initial margin after a fill.", "times initial margin", ge=1, le=100)
    hedge_cost: float = option(0.0005, "Cost of hedging the delta taken over.", "share of its value", ge=0, le=1)
    gas_cost: float = option(1.0, "Cost of sending one fill.", "cash", ge=0)


class RemoteSection(Section):
    """Collateral on another chain: its nodes, and what this keeper attests and carries."""

    escrow: FilePath = option(..., "Record that `plimsoll deploy-escrow` wrote.", example="escrow.json")
    endpoints: Annotated[tuple[WebAddress, ...], AsTuple] = option(
        ...,
        "HTTP addresses of nodes of the other chain; ${NAME} is filled in from the environment.",
        example=["http://127.0.0.1:8546"],
        min_length=1,
        max_length=16,
    )
    quorum: int = option(
        1,
        "Endpoints that must call the same block final before it is attested or proven.",
        "endpoints",
        ge=1,
        le=16,
    )
    sender: KeySection | None = option(
        None, "Sends headers and releases on the other chain; without it only claims are made, here."
    )
    keys: Annotated[tuple[KeySection, ...], AsTuple] = option(
        (),
        "Keys of header signers in this process; with as many as a feed asks for it posts headers by itself.",
        max_length=32,
    )
    services: Annotated[tuple[WebAddress, ...], AsTuple] = option(
        (),
        "Other keepers that attest headers (their remote.attest), asked for signatures that the own keys do not give.",
        example=["http://10.0.0.2:9466"],
        max_length=32,
    )
    attest: Bind | None = option(
        None,
        "HOST:PORT to give signatures of final headers on; they are no secret, but do not let the world ask.",
        example="127.0.0.1:9466",
    )
    timeout_sec: float = option(10.0, "Longest wait for one answer of the other chain.", "seconds", ge=0.1, le=120)
    interval_sec: float = option(10.0, "Least time between two looks at both chains.", "seconds", ge=0, le=3_600)
    header_sec: float = option(
        120.0, "Least time between two headers that this keeper posts one way.", "seconds", ge=0, le=10**5
    )
    quiet_sec: float = option(
        3_600.0, "A chain without a newly final block for longer raises an alert.", "seconds", ge=1, le=10**7
    )
    log_blocks: int = option(5_000, "Most blocks of one question for logs.", "blocks", ge=1, le=10**6)
    least: float = option(
        0.001, "Smallest amount that is carried; smaller ones are left to their owners.", "whole tokens", ge=0, le=10**6
    )
    most: int = option(20, "Most sums that one look carries one way.", "sums", ge=1, le=200)


class TransactSection(Section):
    """What transactions may cost, and when they count."""

    max_fee_wei: int = option(500_000_000_000, "Never offer more per gas.", "wei", ge=1, le=10**15)
    min_tip_wei: int = option(0, "Never offer less to the block producer per gas.", "wei", ge=0, le=10**15)
    daily_spend_wei: int = option(
        500_000_000_000_000_000, "Most that one signer spends on gas in a day (UTC).", "wei", ge=0, le=10**24
    )
    max_gas: int = option(
        16_777_216, "Most gas of one transaction; the default is what EIP-7825 lets in.", "gas", ge=21_000, le=10**9
    )
    confirmations: int | None = option(
        None,
        "Depth at which a transaction is final, its own block included; without it what the node calls finalized.",
        "blocks",
        example=12,
        ge=1,
        le=10_000,
    )
    bump_after_blocks: int = option(
        3, "Blocks that pass a pending transaction by before its fee is raised.", "blocks", ge=1, le=1_000
    )
    bump_bps: int = option(
        1_250, "How much higher each time; nodes refuse less than 1,000.", "1/10,000", ge=1_000, le=100_000
    )
    max_replacements: int = option(10, "Most replacements of one transaction.", "replacements", ge=0, le=1_000)
    relay_blocks: int | None = option(
        None,
        "After so many blocks a transaction of the relay goes to the endpoints too; without it never.",
        "blocks",
        example=5,
        ge=1,
        le=10_000,
    )
    failure_budget: int = option(
        5, "Reverts of one intent within an hour before it is left alone.", "failures", ge=1, le=1_000
    )
    account_failure_budget: int = option(
        10, "The same for all intents of one account together.", "failures", ge=1, le=1_000
    )
    low_balance_wei: int = option(50_000_000_000_000_000, "A signer with less raises an alert.", "wei", ge=0, le=10**24)


class IndexSection(Section):
    """How events are read."""

    finality_blocks: int = option(
        64,
        "Depth below which no reorganisation is expected; it is followed to any depth above.",
        "blocks",
        ge=1,
        le=10**6,
    )
    verify_accounts: int = option(
        50, "Accounts of each pass whose replayed state is compared with the chain.", "accounts", ge=0, le=100_000
    )


class FleetSection(Section):
    """Who computes margins."""

    engine: Literal["numba", "ray"] = option("numba", "In this process, or on the workers of a Ray cluster.")
    address: str | None = option(None, "Ray cluster; without it workers of this machine.", example="ray-head:6379")
    shards: int = option(2, "Parts of the accounts on a Ray cluster.", "shards", ge=1, le=4_096)


class StandbySection(Section):
    """Two keepers on one database: one acts, the other waits."""

    lease_sec: float = option(15.0, "How long the lease lasts without a renewal.", "seconds", ge=1, le=3_600)
    delay_sec: float = option(
        5.0, "How long another keeper waits after the lease has expired.", "seconds", ge=0, le=3_600
    )
    margin_sec: float = option(
        3.0, "How long before the end of its lease a leader stops sending.", "seconds", ge=0.1, le=600
    )


class WebSection(Section):
    """The server of /health, /ready and /metrics."""

    bind: Bind = option("127.0.0.1:9464", "HOST:PORT to listen on; it knows no password, so keep it private.")


class HealthSection(Section):
    """When the keeper counts as standing still."""

    duty_sec: float = option(60.0, "Longest time since the last pass of each duty.", "seconds", ge=1, le=86_000)
    head_sec: float = option(
        60.0, "Longest time without a head that the endpoints agree on.", "seconds", ge=1, le=86_000
    )
    index_sec: float = option(
        60.0, "Longest time that the index stands while the head is above it.", "seconds", ge=1, le=86_000
    )
    start_sec: float = option(600.0, "Time for the first pass after a start, backfill included.", "seconds", ge=1)
    ready_lag_blocks: int = option(3, "Ready while the index is at most this far behind.", "blocks", ge=0, le=10_000)


class WebhookSection(Section):
    """One address that takes alerts as JSON."""

    url: WebAddress = option(
        ..., "Where each message is posted; ${NAME} keeps a secret address out of the file.", example="${ALERT_WEBHOOK}"
    )


class TelegramSection(Section):
    """One chat of a bot."""

    chat: str = option(..., "Chat that gets the messages.", example="-1001234567890", min_length=1, max_length=100)
    token_file: FilePath | None = option(None, "File with the token of the bot.", example="telegram-token")
    token_env: Variable | None = option(None, "Environment variable with it.", example="PLIMSOLL_TELEGRAM_TOKEN")
    api: WebAddress = option("https://api.telegram.org", "Address of the bot interface.")


class AlertsSection(Section):
    """Who is told, how often, and above which limit."""

    webhooks: Annotated[tuple[WebhookSection, ...], AsTuple] = option((), "Webhooks.", max_length=8)
    telegrams: Annotated[tuple[TelegramSection, ...], AsTuple] = option((), "Chats.", max_length=8)
    repeat_sec: float = option(900.0, "The same alert is told at most this often.", "seconds", ge=1, le=86_000)
    group_sec: float = option(
        3.0, "Alerts of one kind within this time become one message.", "seconds", ge=0.05, le=600
    )
    queue: int = option(
        200, "Messages kept for a sink that does not answer; the oldest go.", "messages", ge=1, le=10_000
    )
    runbook: str = option("docs/operate/runbook.md", "Where the runbook is; messages link into it.", max_length=500)
    overdue_sec: float = option(
        60.0, "An account below maintenance without an auction for longer raises an alert.", "seconds", ge=0, le=86_000
    )
    round_age_sec: float = option(1_800.0, "An older round raises an alert.", "seconds", gt=0, le=10**7)
    spend_share: float = option(0.8, "More of the daily spend cap raises an alert.", "share", gt=0, le=1)
    quiet_sec: float = option(
        300.0, "A chain without a new block for longer raises an alert.", "seconds", ge=1, le=10**7
    )


class LoggingSection(Section):
    """Lines on standard error."""

    format: Literal["console", "json"] = option("console", "For people, or one JSON object a line.")
    level: Literal["debug", "info", "warning", "error"] = option("info", "Lowest level shown.")
