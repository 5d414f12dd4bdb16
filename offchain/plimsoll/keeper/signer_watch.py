"""What signers have left and under way, as metrics and alerts; looked at now and then, because it costs requests."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from plimsoll.errors import PlimsollError
from plimsoll.keeper.alert_book import AlertKind
from plimsoll.keeper.operations import Operations
from plimsoll.transact.intent import coins
from plimsoll.transact.operate import SignerStatus, status
from plimsoll.transact.transactor import Transactor

log = structlog.get_logger()

#: Balances and fees of a day do not change faster than a person can act on them.
LOOK_SEC: Final = 15.0


class SignerWatch:
    """Tells metrics and alerts about signers.

    Parameters
    ----------
    ops : Operations
    transactors : mapping of str to Transactor
        Signers by name.
    others : Callable
        Says what is known of signers that somebody else looks at, because their nodes must not hold this up.
    """

    def __init__(
        self,
        ops: Operations,
        transactors: Mapping[str, Transactor],
        others: Callable[[], Mapping[str, SignerStatus]] = dict,
    ) -> None:
        self._ops, self._transactors, self._others = ops, transactors, others
        self._looked_at: float | None = None

    async def look(self) -> None:
        """Look at every signer, at most every 15 s; one that cannot be looked at is logged and left for later."""
        now = time.monotonic()
        if self._looked_at is not None and now - self._looked_at < LOOK_SEC:
            return
        self._looked_at = now
        found: dict[str, SignerStatus] = {}
        for name, transactor in self._transactors.items():
            try:
                found[name] = await status(transactor)
            except PlimsollError as problem:
                log.warning("signer not seen", signer=name, reason=str(problem))
                return
        self._tell({**found, **self._others()})

    def _tell(self, found: Mapping[str, SignerStatus]) -> None:
        metrics, config = self._ops.metrics, self._ops.config
        low: dict[str, str] = {}
        spent: dict[str, str] = {}
        least_wei, share = config.transact.low_balance_wei, config.alerts.spend_share
        for name, one in found.items():
            cap_wei, balance_wei = config.transact.daily_spend_wei, one.ground.balance_wei
            metrics.open_transactions.labels(signer=name).set(len(one.lines))
            metrics.spend_today_wei.labels(signer=name).set(one.spent_wei)
            metrics.spend_cap_wei.labels(signer=name).set(cap_wei)
            metrics.balance_wei.labels(signer=name).set(balance_wei)
            if balance_wei < least_wei:
                low[name] = f"{one.signer} has {coins(balance_wei)}, limit {coins(least_wei)}"
            if one.spent_wei > share * cap_wei:
                spent[name] = f"{one.signer} spent {coins(one.spent_wei)} of {coins(cap_wei)} today, limit {share:.0%}"
        self._ops.alerts.set_all(AlertKind.LOW_BALANCE, low)
        self._ops.alerts.set_all(AlertKind.SPEND, spent)
