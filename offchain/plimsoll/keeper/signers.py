"""Signers of a configuration by themselves: what they have under way, and how to get it moving."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import structlog

from plimsoll.deployment.record import load_deployment
from plimsoll.errors import InputError, UnavailableError
from plimsoll.keeper.config import Loaded
from plimsoll.keeper.opening import open_endpoints
from plimsoll.keeper.redaction import Redactor
from plimsoll.keeper.relay.opening import open_away
from plimsoll.keeper.secret_files import database_url, open_key
from plimsoll.keeper.sending import policy_of
from plimsoll.storage import open_database, upgrade
from plimsoll.transact.intent import coins
from plimsoll.transact.operate import SignerStatus, status, unstick
from plimsoll.transact.transactor import Transactor

if TYPE_CHECKING:
    from rich.table import Table

log = structlog.get_logger()

NAMES = ("liquidations", "prices")
#: The one that sends on the other chain.
AWAY = "remote"


@dataclass(frozen=True, slots=True)
class Standing:
    """What one signer has under way."""

    found: SignerStatus

    def as_json(self) -> dict[str, Any]:
        """Return it for scripts; amounts of wei as text, because they are larger than numbers of JSON."""
        found = self.found
        return {
            "signer": found.signer,
            "block": found.head.number,
            "nonce": found.ground.used,
            "balanceWei": str(found.ground.balance_wei),
            "spentTodayWei": str(found.spent_wei),
            "pendingWei": str(found.pending_wei),
            "open": [{key: _plain(value) for key, value in asdict(line).items()} for line in found.lines],
        }


def _plain(value: Any) -> Any:
    """Return a value as JSON takes it."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return str(value)
    return list(value) if isinstance(value, tuple) else value


@asynccontextmanager
async def _signers(loaded: Loaded) -> AsyncIterator[dict[str, Transactor]]:
    """Open the signers of a configuration, without index, mirror or lease."""
    config, redactor = loaded.config, Redactor(loaded.secrets)
    deployment = load_deployment(config.keeper.deployment)
    engine = open_database(database_url(config.database, redactor, config.database.statement_sec))
    endpoints, away = open_endpoints(config), None
    try:
        upgrade(engine)
        found: dict[str, Transactor] = {}
        for name in NAMES:
            section = getattr(config.signers, name)
            if section is not None:
                account = open_key(section, f"signers.{name}", redactor)
                found[name] = Transactor(endpoints, account, engine, deployment.chain_id, policy_of(config))
        away = open_away(config, deployment)
        if away is not None and away.sender is not None:
            account = open_key(away.sender, "remote.sender", redactor)
            found[AWAY] = Transactor(away.endpoints, account, engine, away.record.chain_id, policy_of(config))
        if not found:
            raise InputError("signers", "the file names no key that sends anything")
        yield found
    finally:
        await endpoints.close()
        if away is not None:
            await away.endpoints.close()
        engine.dispose()


async def statuses(loaded: Loaded) -> dict[str, Standing]:
    """Return what every signer has under way.

    Parameters
    ----------
    loaded : Loaded
        Checked configuration.

    Returns
    -------
    dict of str to Standing

    Raises
    ------
    InputError
        When a file is wrong, or no signer is named.
    UnavailableError
        When nodes or database do not answer.
    """
    async with _signers(loaded) as found:
        standing = {name: Standing(await status(one)) for name, one in found.items() if name != AWAY}
        if AWAY in found:
            try:
                standing[AWAY] = Standing(await status(found[AWAY]))
            except UnavailableError as problem:
                # The other chain is away; what is known of this one is shown all the same.
                log.warning("signer not seen", signer=AWAY, reason=str(problem))
        return standing


async def unstuck(loaded: Loaded, name: str, below_nonce: int | None, *, cancel: bool) -> list[str]:
    """Get one signer moving.

    Parameters
    ----------
    loaded : Loaded
        Checked configuration.
    name : str
        ``liquidations``, ``prices``, or ``remote``: the one that sends on the other chain.
    below_nonce : int or None
        Only what has a smaller nonce.
    cancel : bool
        Replace by empty transfers.

    Returns
    -------
    list of str
        A line for each transaction that was replaced, cancelled or filled in, and for each that could not be.

    Raises
    ------
    InputError
        When the file has no such signer.
    """
    async with _signers(loaded) as found:
        if name not in found:
            raise InputError("--signer", f"{name!r} is none of {', '.join(found)}")
        freed = await unstick(found[name], below_nonce, cancel=cancel)
    lines = {
        ticket.nonce: f"nonce {ticket.nonce}: {ticket.key}: {'sent' if ticket.is_sent else 'not sent'}"
        for ticket in freed.tickets
    }
    lines |= {nonce: f"nonce {nonce}: left as it is: {reason}" for nonce, reason in freed.left.items()}
    return [line for _, line in sorted(lines.items())] or ["nothing waits for a block"]


def table_of(name: str, standing: Standing) -> Table:
    """Return a table of 80 columns.

    Parameters
    ----------
    name : str
        Of the signer.
    standing : Standing

    Returns
    -------
    Table
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    found = standing.found
    cap = "no cap" if found.daily_spend_wei is None else f"of {coins(found.daily_spend_wei)}"
    title = f"{name}: {found.signer}\nbalance {coins(found.ground.balance_wei)}, today {coins(found.spent_wei)} {cap}"
    table = Table(title=title, box=SIMPLE_HEAD, title_justify="left")
    for column in ("nonce", "intent", "state", "age", "fee", "said"):
        table.add_column(column, justify="left" if column in ("intent", "state", "said") else "right")
    for line in found.lines:
        fee = f"{line.max_fee_wei / 10**9:.2f} gwei"
        table.add_row(str(line.nonce), line.key, line.state.value, f"{line.age_sec} s", fee, line.reason or line.answer)
    if not found.lines:
        table.add_row("", "nothing is open", "", "", "", "")
    return table
