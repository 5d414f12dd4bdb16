"""Every account of a deployment as a keeper's index has it, for who asks once and acts on nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from plimsoll.chain.client import Client
from plimsoll.constants import FUND_ID
from plimsoll.deployment.record import Deployment, check_chain, load_deployment
from plimsoll.errors import DomainError, InputError, UnavailableError
from plimsoll.index.follow import Index
from plimsoll.index.state import State
from plimsoll.keeper.accounts import FIRST_USER_ACCOUNT
from plimsoll.keeper.config import Loaded
from plimsoll.keeper.opening import open_endpoints
from plimsoll.keeper.redaction import Redactor
from plimsoll.keeper.secret_files import database_url
from plimsoll.keeper.view import known_market_of, portfolio_of
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params
from plimsoll.protocol.parameters import chain_params
from plimsoll.storage import open_database, upgrade
from plimsoll.units import wad_to_float


@dataclass(frozen=True, slots=True)
class Census:
    """All accounts at one block.

    Attributes
    ----------
    block : int
        Up to which the index had read.
    behind_sec : int
        By how much the block is older than the newest one of the node.
    market : Market
        Rounds and prices as they were last posted; what never was is missing.
    params : Params
        In force.
    fund : float
        What the insurance fund holds, cash.
    portfolios : mapping of int to Portfolio
        By account; the two accounts of the protocol itself, and those that hold the cash of guarantee lines, are not
        among them.
    lines : mapping of int to float
        What guarantee lines hold for an account, cash; accounts without one are left out.
    unknown : mapping of int to str
        Accounts that the mirror has no form for, and why.
    """

    block: int
    behind_sec: int
    market: Market
    params: Params
    fund: float
    portfolios: Mapping[int, Portfolio]
    lines: Mapping[int, float]
    unknown: Mapping[int, str]


async def take_census(loaded: Loaded) -> Census:
    """Read the index that a keeper keeps, and the parameters in force from its node; nothing is sent or followed.

    Parameters
    ----------
    loaded : Loaded
        The keeper's configuration: its database, deployment and nodes.

    Returns
    -------
    Census

    Raises
    ------
    InputError
        When a file is wrong, or the database holds no index of this deployment.
    UnavailableError
        When database or node do not answer, or no prices were ever posted.
    """
    config = loaded.config
    deployment = load_deployment(config.keeper.deployment)
    client = Client(config.chain.endpoints[0])
    check_chain(deployment, client)
    url = database_url(config.database, Redactor(loaded.secrets), config.database.statement_sec)
    _check_there(url)
    engine, endpoints = open_database(url), open_endpoints(config)
    try:
        upgrade(engine)
        index = Index(endpoints, deployment, engine)
        if index.head.number < deployment.block:
            raise InputError("index", "is empty: no keeper has read this deployment into the database yet")
        return _census(index, deployment, client)
    finally:
        await endpoints.close()
        engine.dispose()


def _check_there(url: str) -> None:
    """Refuse the name of a file that does not exist: opening it would make it."""
    parsed = make_url(url)
    if parsed.drivername.startswith("sqlite") and parsed.database and not Path(parsed.database).is_file():
        raise InputError("database", f"{parsed.database} does not exist: no keeper has run with it yet")


def _census(index: Index, deployment: Deployment, client: Client) -> Census:
    state = index.state
    market = known_market_of(state, deployment)
    if market is None:
        raise UnavailableError(
            "index", f"no round, or no price of the cash token, was posted up to {index.head.number}"
        )
    portfolios, unknown = _portfolios(state, deployment)
    return Census(
        block=index.head.number,
        behind_sec=max(0, client.block_ts() - index.head.ts),
        market=market,
        params=chain_params(client, deployment),
        fund=portfolio_of(state, FUND_ID, deployment).cash,
        portfolios=portfolios,
        lines={number: wad_to_float(state.backing_of(number)[1]) for number in portfolios if state.lines.of(number)},
        unknown=unknown,
    )


def _portfolios(state: State, deployment: Deployment) -> tuple[dict[int, Portfolio], dict[int, str]]:
    """Return every account as the mirror takes it, and why some are none."""
    portfolios: dict[int, Portfolio] = {}
    unknown: dict[int, str] = {}
    for number in sorted(state.accounts):
        if number < FIRST_USER_ACCOUNT or number in state.lines:
            continue
        try:
            portfolios[number] = portfolio_of(state, number, deployment)
        except DomainError as reason:
            unknown[number] = reason.message
    return portfolios, unknown
