"""Guarantee lines as the contracts tell of them."""

from __future__ import annotations

from plimsoll.chain.client import Client
from plimsoll.deployment.record import Deployment
from plimsoll.units import wad_to_float


def is_line(client: Client, deployment: Deployment, account_id: int) -> bool:
    """Return whether an account is no owner's, but holds the cash of a line.

    Parameters
    ----------
    client : Client
    deployment : Deployment
    account_id : int

    Returns
    -------
    bool
    """
    return bool(deployment.contract(client, "Guarantees").call("lineOf", account_id).endTs)


def reserves_of(client: Client, deployment: Deployment, account_id: int) -> float:
    """Return what the lines of an account hold, cash.

    Parameters
    ----------
    client : Client
    deployment : Deployment
    account_id : int

    Returns
    -------
    float
    """
    return wad_to_float(deployment.contract(client, "Guarantees").call("backingOf", account_id)[1])
