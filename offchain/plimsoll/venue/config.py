"""Every option of the venue: default, unit, limits and meaning, once. Nodes, keys and database are the keeper's own."""

from __future__ import annotations

from typing import Annotated

from plimsoll.constants import WAD
from plimsoll.keeper.config.section import AsTuple, Bind, FilePath, Section, WebAddress, option
from plimsoll.keeper.config.sections import (
    ChainSection,
    DatabaseSection,
    IndexSection,
    KeySection,
    LoggingSection,
    TransactSection,
)


class VenueSection(Section):
    """What this venue serves."""

    deployment: FilePath = option(
        ..., "Artefact that `plimsoll deploy` wrote: addresses, ids and chain.", example="deployment.json"
    )
    page: FilePath | None = option(None, "Folder of the built wallet page, served at the root.", example="web/dist")
    public_rpc: WebAddress | None = option(
        None, "Node that wallets are told of when they do not know the chain.", example="http://127.0.0.1:8545"
    )


class WebSection(Section):
    """Who may ask."""

    bind: Bind = option("127.0.0.1:8480", "HOST:PORT to listen on; port 0 takes any free one.")
    origins: Annotated[tuple[str, ...], AsTuple] = option(
        (), "Origins of pages elsewhere that browsers let ask.", example=["https://trade.example.org"], max_length=32
    )


class BookSection(Section):
    """Steps and bounds of orders."""

    quantity_step_wad: int = option(
        10**14, "Quantities are multiples of it; the chain takes no fill below 1e12.", "wad", ge=10**12, le=WAD
    )
    option_price_step_wad: int = option(10**16, "Prices of options are multiples of it.", "wad of cash", ge=1, le=WAD)
    linear_price_step_wad: int = option(
        10**16, "Prices of futures and perpetuals are multiples of it.", "wad of cash", ge=10**10, le=WAD
    )
    min_life_sec: int = option(5, "Shortest life of an order, by the chain's clock.", "seconds", ge=1, le=3_600)
    max_open_orders: int = option(2_000, "Most open orders of one account.", "orders", ge=1, le=1_000_000)
    max_log_events: int = option(
        20_000, "Events of the log after which a snapshot takes their place.", "events", ge=100, le=10**7
    )


class LimitsSection(Section):
    """Rates of one key: the address of a token, else the address that the request comes from."""

    orders_per_sec: float = option(200.0, "Orders placed, amended and cancelled.", "orders a second", gt=0, le=1e6)
    burst_orders: int = option(1_000, "Of them at once.", "orders", ge=1, le=10**6)
    requests_per_sec: float = option(50.0, "Requests and messages of the stream.", "requests a second", gt=0, le=1e6)
    burst_requests: int = option(200, "Of them at once.", "requests", ge=1, le=10**6)
    max_body_bytes: int = option(1_000_000, "Largest request or message.", "bytes", ge=10_000, le=10**8)
    queue_messages: int = option(
        1_000, "Messages that may wait for a slow reader of the stream.", "messages", ge=10, le=10**6
    )
    streams: int = option(1_000, "Most connections of the stream.", "connections", ge=1, le=10**5)


class SettlerSection(Section):
    """The key that sends settlements; it needs gas and no authority."""

    key: KeySection = option(..., "Encrypted key.")


class VenueConfig(Section):
    """Every option of a venue, one attribute per section of the file."""

    venue: VenueSection = option(..., "What this venue serves.")
    chain: ChainSection = option(..., "Nodes, and when to believe them.")
    settler: SettlerSection = option(..., "The key that sends settlements.")
    database: DatabaseSection = option({"url": "sqlite:///venue.sqlite"}, "Where log, index and journal are kept.")
    web: WebSection = option({}, "Who may ask.")
    book: BookSection = option({}, "Steps and bounds of orders.")
    limits: LimitsSection = option({}, "Rates of one key.")
    transact: TransactSection = option({}, "What transactions may cost, and when they count.")
    index: IndexSection = option({}, "How events are read.")
    logging: LoggingSection = option({}, "Lines on standard error.")
