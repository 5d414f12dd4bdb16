"""All accounts in the mirror, kept at the head: what changed goes in, margins of everybody come out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Final

import numpy as np
import structlog

from plimsoll.decide import Margins
from plimsoll.deployment.record import Deployment
from plimsoll.index.columns import Columns, columns_of
from plimsoll.index.state import AccountState, State
from plimsoll.keeper.view import known_market_of
from plimsoll.mirror.fleet import Fleet, FleetMargins, Names
from plimsoll.mirror.fleet.ray_fleet import WorkerLostError
from plimsoll.model import Market
from plimsoll.params import Params
from plimsoll.units import wad_to_float

log = structlog.get_logger()

#: Interest and funding move cash without an event: holders of perpetuals and debtors are looked at again after this.
ACCRUAL_SEC: Final = 10
#: A part of them in one pass, those that waited longest first: a new price must not wait for everybody's interest.
#: A tenth, so that ten passes, which take no longer than that, meet all; some 5 us of a core each.
ACCRUAL_PASSES: Final = 10
ACCRUAL_LEAST: Final = 1_000
ACCRUAL_MOST: Final = 10_000
#: What is kept of every account, as :class:`Margins` calls it.
COLUMNS: Final = ("equity", "market_equity", "initial", "maintenance", "gross", "unknown", "bounded")
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
    make_fleet : Callable
        Makes who computes, empty; called again when a worker of it is lost.
    bidder_id : int, optional
        Account that bids.
    """

    def __init__(self, deployment: Deployment, make_fleet: Callable[[], Fleet], bidder_id: int | None = None) -> None:
        self._deployment, self._bidder_id = deployment, bidder_id
        self._make_fleet = make_fleet
        self._fleet: Fleet | None = make_fleet()
        #: Accounts whose cash changes by time, and the time that they were taken at, longest ago first.
        self._accruing: dict[int, int] = {}
        #: Accounts that changed and are not in the fleet yet: it may have failed to take them.
        self._waiting: set[int] = set()
        self._last: Margins | None = None

    def take(self, state: State, changed: Sequence[int]) -> None:
        """Bring accounts up to a state.

        Parameters
        ----------
        state : State
            Rebuilt state.
        changed : sequence of int
            Accounts that events changed, closed ones included.
        """
        self._waiting.update(number for number in changed if number >= FIRST_USER_ACCOUNT)
        self._waiting.update(self._due(state.ts))
        try:
            self._filled(state)
        except WorkerLostError as lost:
            self._give_up(lost)
            self._filled(state)

    def _filled(self, state: State) -> Fleet:
        """Return the fleet, or a new one, with all that it did not have yet."""
        fleet = self._fleet
        if fleet is None:
            fleet = self._make_fleet()
            self._waiting.update(number for number in state.accounts if number >= FIRST_USER_ACCOUNT)
            self._fleet = fleet
        wanted = set(self._waiting)
        if wanted:
            closed = wanted - state.accounts.keys()
            fleet.update(_with_closed(columns_of(state, wanted - closed), closed))
        self._waiting.clear()
        for number in sorted(wanted):
            self._accruing.pop(number, None)
            if _accrues(state.accounts.get(number)):
                self._accruing[number] = state.ts
        return fleet

    def _give_up(self, lost: WorkerLostError) -> None:
        """Let go of a fleet that has lost a worker; the next one gets all accounts."""
        log.warning("the fleet is made anew", reason=str(lost))
        fleet, self._fleet, self._last = self._fleet, None, None
        if fleet is not None:
            fleet.close()

    def _due(self, now_ts: int) -> Iterable[int]:
        """Return accounts whose cash has changed by time for too long; after a reorganisation time may go back."""
        share = min(max(len(self._accruing) // ACCRUAL_PASSES, ACCRUAL_LEAST), ACCRUAL_MOST)
        oldest = islice(self._accruing.items(), share)
        return (number for number, taken_ts in oldest if not 0 <= now_ts - taken_ts < ACCRUAL_SEC)

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
            Unknown where the mirror cannot say, bounded where an account surely is healthy and nobody wants its
            requirements. Of this call: the next one writes into the same arrays.
        """
        market = None if params is None else known_market_of(state, self._deployment)
        if market is None or params is None:
            return _unknown(state)
        try:
            return self._watch(state, market, params)
        except WorkerLostError as lost:
            self._give_up(lost)
            return self._watch(state, market, params)

    def _watch(self, state: State, market: Market, params: Params) -> Margins:
        """Ask the fleet for what has changed."""
        fleet = self._filled(state)
        last, self._last = self._last, None
        # After a call that failed on its way it is not known what was not told: then all are asked for.
        found = fleet.watch(market, params, self._exact(state), everybody=last is None)
        self._last = _ordered(found) if last is None else _overwritten(last, found)
        return _with_lines(self._last, state)

    def _exact(self, state: State) -> Iterable[int]:
        """Return the accounts whose requirements are wanted however well they stand."""
        called = (number for number, effect in state.effects.items() if effect.is_called)
        backed = (line.beneficiary_id for line in state.lines.values())
        return chain(state.auctions, called, backed, () if self._bidder_id is None else (self._bidder_id,))


def _ordered(found: FleetMargins) -> Margins:
    """Return margins by account id."""
    columns = (found.equity, found.market_equity, found.initial, found.maintenance, found.gross)
    return Margins.ordered(found.account_ids, *columns, unknown=found.unknown, bounded=found.bounded)


def _overwritten(last: Margins, found: FleetMargins) -> Margins:
    """Write margins over those that were there before, and add those of new accounts."""
    places = np.searchsorted(last.account_ids, found.account_ids)
    known = places < last.account_ids.size
    known[known] = last.account_ids[places[known]] == found.account_ids[known]
    old, places = found.of(known), places[known]
    for name in COLUMNS:
        getattr(last, name)[places] = getattr(old, name)
    if known.all():
        return last
    new = found.of(~known)
    ids = np.concatenate((last.account_ids, new.account_ids))
    return Margins.ordered(ids, *(np.concatenate((getattr(last, name), getattr(new, name))) for name in COLUMNS))


def _with_lines(margins: Margins, state: State) -> Margins:
    """Add what guarantee lines fill up of initial margins; where there is none nothing is copied."""
    credits = {line.beneficiary_id: state.backing_of(line.beneficiary_id)[0] for line in state.lines.values()}
    rows = margins.rows_of(credits)
    if not rows.size:
        return margins
    given = np.array([wad_to_float(credits[int(number)]) for number in margins.account_ids[rows]])
    lacks = np.maximum(margins.initial[rows] - margins.equity[rows], 0.0)
    equity = margins.equity.copy()
    equity[rows] += np.minimum(given, lacks)
    return replace(margins, equity=equity)


def _accrues(account: AccountState | None) -> bool:
    """Return whether the cash of an account changes by time; of one that is closed it does not."""
    return account is not None and (bool(account.paid_index) or account.cash_wad < 0)


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
    everyone = np.ones(ids.size, dtype=bool)
    return Margins(ids, nothing, nothing, nothing, nothing, nothing, everyone, ~everyone)
