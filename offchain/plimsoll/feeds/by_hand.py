"""A settlement price that a person gives, signed by the oracle's signers like any other."""

from __future__ import annotations

from collections.abc import Sequence

from eth_account.signers.local import LocalAccount

from plimsoll.deployment.record import Deployment
from plimsoll.errors import UnavailableError
from plimsoll.feeds.connect import connect, quorum_of
from plimsoll.feeds.post import Post
from plimsoll.feeds.reading import Sample
from plimsoll.feeds.settlement_desk import settle_by_hand


async def signed_settlement(
    rpc: str,
    deployment: Deployment,
    series: tuple[str, int],
    samples: tuple[Sample, ...],
    signers: tuple[Sequence[str], Sequence[LocalAccount]],
    token: str = "",
) -> Post:
    """Collect the signatures of a settlement.

    Parameters
    ----------
    rpc : str
        HTTP address of a node.
    deployment : Deployment
        Names on chain.
    series : tuple[str, int]
        Underlying and expiry, unix seconds.
    samples : tuple[Sample, ...]
        See :func:`~plimsoll.feeds.settlement.samples_by_hand`.
    signers : tuple of Sequence[str] and Sequence[LocalAccount]
        Addresses of services, and keys.
    token : str
        Shared with the services; empty for none.

    Returns
    -------
    Post
        Ready to be sent by anybody.

    Raises
    ------
    UnavailableError
        When the node cannot be reached, or too few sign; each signer's answer is named.
    """
    connection = await connect(rpc, deployment)
    quorum = quorum_of(connection, *signers, token=token)
    try:
        made = await settle_by_hand(connection.messages, quorum, *series, samples)
    finally:
        await quorum.close()
        await connection.view.close()
    if not made.posts:
        raise UnavailableError("settlement", "; ".join(map(str, made.problems)))
    return made.posts[0]
