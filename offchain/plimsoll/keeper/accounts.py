"""All accounts in the mirror, kept at the head: what changed goes in, margins of everybody come out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from plimsoll.decide import Margins
from plimsoll.deployment.record import Deployment
from plimsoll.index.columns import Columns, columns_of
from plimsoll.index.state import State
from plimsoll.keeper.view import known_market_of
from plimsoll.mirror.fleet import Fleet, Names
from plimsoll.params import Params

#: Interest and funding move cash without an event: holders of perpetuals and debtors are looked at again after this.
ACCRUAL_SEC: Final = 10
#: The clearing account and the insurance fund hold nothing that is margined.
FIRST_USER_ACCOUNT: Final = 2


def names_of(deployment: Deployment) -> Names:
    """Return the symbols of a deployment by the ids of the chain."""
    tokens = {record.token_id: symbol for symbol, record in deployment.tokens.items()}
    return Names({number: symbol for symbol, number in deployment.underlyings.items()}, tokens)


class Accounts:
    """Margins of every account of a deployment.

    Parameters
    ----------
    deployment : Deployment
        Names and ids.
    fleet : Fleet, optional
        Who computes; this process when not given.
    """

    def __init__(self, deployment: Deployment, fleet: Fleet | None = None) -> None:
        self._deployment = deployment
        self._fleet = Fleet(names_of(deployment)) if fleet is None else fleet
        self._accrued_ts = 0

    def take(self, state: State, changed: Sequence[int]) -> None:
        """Bring accounts up to a state.

        Parameters
        ----------
        state : State
            Rebuilt state.
        changed : sequence of int
            Accounts that events changed, closed ones included.
        """
        wanted = {number for number in changed if number >= FIRST_USER_ACCOUNT}
        if not 0 <= state.ts - self._accrued_ts < ACCRUAL_SEC:
            wanted |= set(_accruing(state))
            self._accrued_ts = state.ts
        if wanted:
            closed = wanted - state.accounts.keys()
            self._fleet.update(_with_closed(columns_of(state, wanted - closed), closed))

    def margins(self, state: State, params: Params | None) -> Margins:
        """Margins of all accounts at the prices of a state.

        Parameters
        ----------
        state : State
            Rebuilt state; :meth:`take` has been told what changed.
        params : Params or None
            ``None`` makes every account unknown.

        Returns
        -------
        Margins
            Unknown where the mirror cannot say.
        """
        market = None if params is None else known_market_of(state, self._deployment)
        if market is None or params is None:
            return _unknown(state)
        found = self._fleet.evaluate(market, params)
        columns = (found.equity, found.market_equity, found.initial, found.maintenance, found.gross)
        return Margins.ordered(found.account_ids, *columns, unknown=found.unknown)


def _accruing(state: State) -> Iterable[int]:
    """Return the accounts whose cash changes by time."""
    return (
        number
        for number, account in state.accounts.items()
        if number >= FIRST_USER_ACCOUNT and (account.paid_index or account.cash_wad < 0)
    )


def _with_closed(columns: Columns, closed: Iterable[int]) -> Columns:
    """Add closed accounts as empty ones, which need nothing."""
    ids = np.array(sorted(closed), dtype=np.int64)
    if not ids.size:
        return columns
    return replace(
        columns,
        account_ids=np.concatenate([columns.account_ids, ids]),
        modes=np.concatenate([columns.modes, np.zeros(ids.size, dtype=np.int8)]),
        cash=np.concatenate([columns.cash, np.zeros(ids.size)]),
    )


def _unknown(state: State) -> Margins:
    """Return everybody who holds something as unknown."""
    held = (
        number
        for number, account in state.accounts.items()
        if number >= FIRST_USER_ACCOUNT and (account.words or account.cash_wad < 0)
    )
    ids = np.array(sorted(held), dtype=np.int64)
    nothing = np.full(ids.size, np.nan)
    return Margins(ids, nothing, nothing, nothing, nothing, nothing, np.ones(ids.size, dtype=bool))
