"""The whole examination: what the options of `plimsoll doctor` ask for, in the order it is shown."""

from __future__ import annotations

from plimsoll.chain.client import Client
from plimsoll.deployment.record import load_deployment
from plimsoll.doctor.finding import Finding, State
from plimsoll.doctor.installed import installed
from plimsoll.doctor.onchain import deployed, feed, node
from plimsoll.errors import InputError


def examine(rpc: str, deployment: str, *, with_feed: bool) -> list[Finding]:
    """Look at this machine and at whatever else is named.

    Parameters
    ----------
    rpc : str
        HTTP address of a node; empty for none.
    deployment : str
        File or name of a deployment's record; empty for none.
    with_feed : bool
        Also look at the rounds and prices of the deployment.

    Returns
    -------
    list of Finding

    Raises
    ------
    InputError
        When a deployment is named without a node, a feed is asked for without a deployment, or the record cannot be
        read.
    """
    if deployment and not rpc:
        raise InputError("--rpc", "missing; a deployment is looked at through a node")
    if with_feed and not deployment:
        raise InputError("--deployment", "missing; the feed is that of a deployment")
    record = load_deployment(deployment) if deployment else None
    findings = installed()
    if not rpc:
        return findings
    client = Client(rpc)
    findings += node(client)
    if record is None or findings[-1].name == "answer":
        return findings
    there = deployed(client, record)
    findings += there
    if with_feed and any(found.name == "code" and found.state is State.OK for found in there):
        findings += feed(client, record)
    return findings
