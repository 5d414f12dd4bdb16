"""The price of an expired series by the rounds of its window, which needs no signer."""

from __future__ import annotations

from plimsoll.decide import PostSettlement
from plimsoll.deployment.record import Deployment
from plimsoll.keeper.calls import call_data
from plimsoll.keeper.encode import DONE_SETTLEMENT
from plimsoll.keeper.names import id_of
from plimsoll.transact.intent import Transaction


def from_rounds(deployment: Deployment, intent: PostSettlement) -> Transaction:
    """Return the call that settles a series from rounds.

    Parameters
    ----------
    deployment : Deployment
        Addresses and ids.
    intent : PostSettlement
        Which series.

    Returns
    -------
    Transaction

    Raises
    ------
    InputError
        When the deployment does not know the underlying.
    """
    number = id_of(deployment.underlyings, intent.underlying)
    data = call_data("Oracle", "settleFromRounds", number, intent.expiry_ts)
    return Transaction(intent.key, deployment.contracts["Oracle"], data, DONE_SETTLEMENT)
