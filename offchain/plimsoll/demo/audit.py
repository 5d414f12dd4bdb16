"""What must hold after every round: money is conserved, mirror and chain agree, the index equals the chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace

from plimsoll.demo.world import World
from plimsoll.errors import PlimsollError
from plimsoll.index.state import State, snapshot_fields
from plimsoll.mirror.margin_engine import MarginResult
from plimsoll.model import Market, Mode, Portfolio
from plimsoll.params import Params
from plimsoll.protocol.margin_engine import result_of
from plimsoll.units import wad_to_float

WAD_DECIMALS = 18


@dataclass(frozen=True, slots=True)
class Difference:
    """Largest difference of one account, relative to gross notional."""

    account_id: int
    relative: float


def conservation(world: World, account_ids: Sequence[int]) -> tuple[dict[str, int], list[str]]:
    """Compare the vault's token balances with the ledger, to the wei.

    Parameters
    ----------
    world : World
        The chain.
    account_ids : Sequence[int]
        Every account, clearing and fund included.

    Returns
    -------
    tuple[dict[str, int], list[str]]
        Raw balance of the vault by token, and what does not match.
    """
    accounts, vault = world.contract("Accounts"), world.contract("Vault")
    stored = accounts.call_many("storedCashOf", [[i] for i in account_ids])
    snapshots = accounts.call_many("snapshotOf", [[i] for i in account_ids])
    balances: dict[str, int] = {}
    problems: list[str] = []
    for symbol, record in world.deployment.tokens.items():
        raw = world.deployment.token_contract(world.client, symbol).call("balanceOf", vault.address)
        balances[symbol] = raw
        if record.token_id == 0:
            ledger_wad = sum(stored)
        else:
            ledger_wad = sum(
                amount
                for snapshot in snapshots
                for token_id, amount in zip(snapshot.tokenIds, snapshot.amountsWad, strict=True)
                if token_id == record.token_id
            )
        vault_wad = raw * 10 ** (WAD_DECIMALS - record.decimals)
        if ledger_wad != vault_wad:
            problems.append(f"I-01 {symbol}: accounts hold {ledger_wad} wad, the vault {vault_wad}")
    return balances, problems


def index_problems(world: World, state: State) -> list[str]:
    """Compare the state rebuilt from events with ``snapshotOf`` for every account.

    Parameters
    ----------
    world : World
        The chain.
    state : State
        Rebuilt state at the same block.

    Returns
    -------
    list[str]
        One line per account that differs.
    """
    ids = sorted(state.accounts)
    accounts = world.contract("Accounts")
    problems = []
    opened = len(ids) + state.closed_count
    if accounts.call("nextAccountId") != opened:
        problems.append(f"index: {opened} accounts, the chain has {accounts.call('nextAccountId')}")
    for account_id, snapshot in zip(ids, accounts.call_many("snapshotOf", [[i] for i in ids]), strict=True):
        if vars(snapshot) != snapshot_fields(state, account_id):
            problems.append(f"index: account {account_id} differs from snapshotOf")
    return problems


def chain_margins(world: World, account_ids: Sequence[int], params: Params) -> dict[int, MarginResult]:
    """Ask the contracts for every account's margin with all components.

    Parameters
    ----------
    world : World
        The chain.
    account_ids : Sequence[int]
        Accounts.
    params : Params
        Labels of the rows.

    Returns
    -------
    dict[int, MarginResult]
        By account id.

    Raises
    ------
    PlimsollError
        When the contracts refuse an account.
    """
    snapshots = world.contract("Accounts").call_many("snapshotOf", [[i] for i in account_ids])
    answers = world.contract("MarginEngine").call_many("evaluateDetailed", [[s] for s in snapshots])
    results: dict[int, MarginResult] = {}
    for account_id, answer in zip(account_ids, answers, strict=True):
        if isinstance(answer, PlimsollError):
            raise PlimsollError(f"account {account_id}", answer.message)
        results[account_id] = result_of(answer, world.deployment, params)
    return results


def standard_initials(world: World, account_ids: Sequence[int]) -> dict[int, float]:
    """Ask the contracts what each account would need position by position.

    Parameters
    ----------
    world : World
        The chain.
    account_ids : Sequence[int]
        Accounts.

    Returns
    -------
    dict[int, float]
        Initial margin in mode ``STANDARD`` by account id, in cash units.

    Raises
    ------
    PlimsollError
        When the contracts refuse an account.
    """
    snapshots = world.contract("Accounts").call_many("snapshotOf", [[i] for i in account_ids])
    alone = [SimpleNamespace(**{**vars(s), "mode": int(Mode.STANDARD)}) for s in snapshots]
    answers = world.contract("MarginEngine").call_many("evaluate", [[s] for s in alone])
    for account_id, answer in zip(account_ids, answers, strict=True):
        if isinstance(answer, PlimsollError):
            raise PlimsollError(f"account {account_id}", answer.message)
    return {i: wad_to_float(answer.initialWad) for i, answer in zip(account_ids, answers, strict=True)}


def _figures(result: MarginResult) -> list[float]:
    """Return every amount of money in a result, in a fixed order."""
    figures = [
        result.equity,
        result.market_equity,
        result.mark_to_market,
        result.initial_margin,
        result.maintenance_margin,
        result.debt_charge,
    ]
    for symbol in sorted(result.underlyings):
        part = result.underlyings[symbol]
        figures += [part.scan, part.certified_scan, part.basis, part.vega_term, part.skew_term, part.short_min]
        figures += [part.concentration, part.requirement, *(row.pnl for row in part.rows)]
    return figures


def largest_difference(
    mirror: dict[int, MarginResult], chain: dict[int, MarginResult], folios: dict[int, Portfolio], market: Market
) -> Difference:
    """Compare every figure and row of every account.

    Parameters
    ----------
    mirror, chain : dict[int, MarginResult]
        By account id.
    folios : dict[int, Portfolio]
        The accounts themselves.
    market : Market
        Prices of the collateral.

    Returns
    -------
    Difference
        The largest. An account without positions is measured against its collateral.
    """
    worst = Difference(0, 0.0)
    for account_id, mine in mirror.items():
        theirs = chain[account_id]
        held = sum(amount * market.price_of(s) for s, amount in folios[account_id].collateral.items())
        scale = max(mine.gross_notional, held, 1.0)
        gap = max(abs(a - b) for a, b in zip(_figures(mine), _figures(theirs), strict=True))
        if gap / scale > worst.relative:
            worst = Difference(account_id, gap / scale)
    return worst
