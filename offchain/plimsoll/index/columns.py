"""Accounts as columns: what the mirror at scale takes, from the folded state or from pages of the chain's own views."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from plimsoll.constants import CLEARING_ID, FUND_ID, WAD
from plimsoll.index.interest import accrual
from plimsoll.index.state import State
from plimsoll.index.words import positions, stack
from plimsoll.model import FUNDED


@dataclass(frozen=True, slots=True)
class Columns:
    """Some accounts at one block; positions and collateral name their account by id, in the order of ``account_ids``.

    Parameters
    ----------
    account_ids : ndarray
        int64[N], ascending, each once.
    modes : ndarray
        int8[N], as ``Mode``.
    cash : ndarray
        float64[N], cash units: with pending losses, interest and funding up to the time of the block.
    position_account : ndarray
        int64[M], ascending; the positions of an account follow each other in ledger order.
    underlying : ndarray
        int16[M], id on chain.
    kind : ndarray
        int8[M], as ``Kind``.
    expiry_ts : ndarray
        int64[M], unix seconds; 0 for perpetuals.
    price : ndarray
        float64[M], strike, or entry price of a linear instrument, in cash units.
    quantity : ndarray
        float64[M], signed.
    collateral_account : ndarray
        int64[K], ascending.
    token : ndarray
        int16[K], id on chain.
    amount : ndarray
        float64[K], in token units.

    Notes
    -----
    Numbers are within two units in the last place of the exact ones. An account that was asked for and is closed is
    simply not there.
    """

    account_ids: npt.NDArray[np.int64]
    modes: npt.NDArray[np.int8]
    cash: npt.NDArray[np.float64]
    position_account: npt.NDArray[np.int64]
    underlying: npt.NDArray[np.int16]
    kind: npt.NDArray[np.int8]
    expiry_ts: npt.NDArray[np.int64]
    price: npt.NDArray[np.float64]
    quantity: npt.NDArray[np.float64]
    collateral_account: npt.NDArray[np.int64]
    token: npt.NDArray[np.int16]
    amount: npt.NDArray[np.float64]


def columns_of(state: State, account_ids: Iterable[int] | None = None) -> Columns:
    """Return accounts of the folded state as columns.

    With ``Index.take_changed`` as the ids, this is the update of what was exported before: an id that is not in the
    result is closed. Interest, funding and socialised losses change cash without any event of the account, so the cash
    of all is exported again when it matters.

    Parameters
    ----------
    state : State
        From ``Index.state``.
    account_ids : Iterable[int], optional
        Which; all when not given.

    Returns
    -------
    Columns
        At the time of the state.
    """
    known = state.accounts
    ids = sorted(known if account_ids is None else set(account_ids) & known.keys())
    accounts = [known[account_id] for account_id in ids]
    id_column = np.array(ids, dtype=np.int64)
    words = stack(list(chain.from_iterable(account.words for account in accounts)))
    underlying, kind, expiry_ts, price, quantity = positions(words)
    held = [item for account in accounts for item in sorted(account.collateral.items())]
    position_counts = np.array([len(account.words) for account in accounts], dtype=np.int64)
    collateral_counts = np.array([len(account.collateral) for account in accounts], dtype=np.int64)
    position_account = np.repeat(id_column, position_counts)
    cash = _cash_before_funding(state, ids)
    is_perp = np.isin(kind, FUNDED)
    if is_perp.any():
        places = np.repeat(np.arange(len(ids)), position_counts)[is_perp]
        steps = _steps(state, position_account[is_perp], underlying[is_perp])
        np.subtract.at(cash, places, quantity[is_perp] * steps)
    return Columns(
        id_column,
        np.array([account.mode for account in accounts], dtype=np.int8),
        cash,
        position_account,
        underlying,
        kind,
        expiry_ts,
        price,
        quantity,
        np.repeat(id_column, collateral_counts),
        np.array([token_id for token_id, _ in held], dtype=np.int16),
        np.array([amount_wad / WAD for _, amount_wad in held], dtype=np.float64),
    )


def _cash_before_funding(state: State, ids: list[int]) -> npt.NDArray[np.float64]:
    """Return cash with losses and interest."""
    accounts = [state.accounts[account_id] for account_id in ids]
    stored = np.array([account.cash_wad / WAD for account in accounts], dtype=np.float64)
    since = np.array([float(account.index_wad) for account in accounts], dtype=np.float64)
    moved = accrual(state.lending, state.ts)
    now = np.where(stored > 0, float(moved.cash_index_wad), float(moved.debt_index_wad))
    cash = stored * (now / since)
    for place, account_id in enumerate(ids[: FUND_ID + 2]):
        # The two accounts of the protocol itself: clearing bears no index, the fund gets the reserve.
        if account_id == CLEARING_ID:
            cash[place] = stored[place]
        elif account_id == FUND_ID:
            cash[place] += moved.reserve_wad / WAD
    return cash


def _steps(
    state: State, accounts: npt.NDArray[np.int64], underlyings: npt.NDArray[np.int16]
) -> npt.NDArray[np.float64]:
    """Return what one unit of each perpetual owes since it paid last; the difference is taken in integers."""
    now = {int(number): state.funding_index(int(number)) for number in np.unique(underlyings)}
    pairs = zip(accounts.tolist(), underlyings.tolist(), strict=True)
    owed = [now[number] - state.accounts[account_id].paid_index[number] for account_id, number in pairs]
    return np.array([step_wad / WAD for step_wad in owed], dtype=np.float64)
