"""A refused call as it has to be: one named error, and not a bit of storage changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from brownie import web3

from tests.chain.helpers.errors import reverts_with


def roots(contracts: Sequence[Any]) -> list[str]:
    """Root of the storage of every contract: two states with the same roots are the same state."""
    return [web3.eth.get_proof(contract.address, [], "latest")["storageHash"].hex() for contract in contracts]


@contextmanager
def refused(contracts: Sequence[Any], name: str, *args: object) -> Iterator[None]:
    """Expect one custom error, and every contract as it was before.

    Parameters
    ----------
    contracts : sequence of contract
        Everything the call could have written to.
    name : str
        Error.
    *args : object
        Its arguments; none to accept any.
    """
    before = roots(contracts)
    with reverts_with(name, *args):
        yield
    assert roots(contracts) == before
