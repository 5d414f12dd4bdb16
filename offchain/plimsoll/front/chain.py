"""A deployment as the contracts hold it now: accounts, margins, market and parameters. Nothing is ever sent."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, overload

from plimsoll.chain.client import Client
from plimsoll.chain.revert import RevertError
from plimsoll.deployment.record import Deployment, check_chain, load_deployment
from plimsoll.errors import InputError, UnavailableError
from plimsoll.front.margin import Margin
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params
from plimsoll.protocol.account import AccountOnChain, read_account
from plimsoll.protocol.market import read_market
from plimsoll.protocol.parameters import chain_params

#: Environment variable with the node where no address is given.
NODE_VARIABLE: Final = "PLIMSOLL_RPC"
#: How the address of a venue begins.
VENUE_SCHEMES: Final = ("http://", "https://")


@dataclass(frozen=True, slots=True, repr=False)
class Chain:
    """One deployment behind one node, to be read; each call asks the latest block anew.

    Attributes
    ----------
    deployment : Deployment
        Addresses and ids.
    """

    deployment: Deployment
    _client: Client = field(repr=False)

    def account_ids(self) -> list[int]:
        """Return the ids of all accounts that have not been closed, increasing."""
        accounts = self.deployment.contract(self._client, "Accounts")
        ids = list(range(accounts.call("nextAccountId")))
        owners = accounts.call_many("ownerOf", [[number] for number in ids])
        return [number for number, owner in zip(ids, owners, strict=True) if not isinstance(owner, RevertError)]

    def account(self, account_id: int) -> AccountOnChain:
        """Return one account: owner, balances, positions, and its margin when the contracts can compute one now.

        Parameters
        ----------
        account_id : int

        Returns
        -------
        AccountOnChain

        Raises
        ------
        InputError
            When there is no such account.
        """
        return read_account(self._client, self.deployment, account_id)

    def portfolio(self, account_id: int) -> Portfolio:
        """Return what an account holds, as :func:`plimsoll.margin` takes it; raises as :meth:`account` does."""
        return self.account(account_id).portfolio

    def market(self) -> Market:
        """Return the market that the contracts compute margins in.

        Returns
        -------
        Market

        Raises
        ------
        UnavailableError
            When a round is missing or too old, or an unlinked token never had a price.
        """
        return read_market(self._client, self.deployment)

    def params(self) -> Params:
        """Return the risk parameters that the contracts hold now; governance may have changed those of the file."""
        return chain_params(self._client, self.deployment)

    def margin(self, account_id: int) -> Margin:
        """Return the margin of an account by the contracts themselves.

        Parameters
        ----------
        account_id : int

        Returns
        -------
        Margin
            Like that of :func:`plimsoll.margin`, which agrees within 1e-6 of gross notional in the same
            :meth:`market` with the same :meth:`params`. ``explain`` divides it with the float mirror.

        Raises
        ------
        InputError
            When there is no such account.
        UnavailableError
            When the contracts refuse to compute it now; names their error.
        """
        found = self.account(account_id)
        if found.margin is None:
            raise UnavailableError(f"account {account_id}", f"has no margin now: the contracts {found.margin_problem}")
        return Margin(self.market(), found.portfolio, self.params(), found.margin)

    def __repr__(self) -> str:
        where = f"chain {self.deployment.chain_id} at {self._client.url}"
        return f"<Chain {self.deployment.network}: {where}, {', '.join(self.deployment.underlyings)}>"


@overload
def connect(deployment: Path, url: str | None = None) -> Chain: ...


@overload
def connect(deployment: str, url: str) -> Chain: ...


@overload
def connect(deployment: str, url: None = None) -> Any: ...


def connect(deployment: str | Path, url: str | None = None) -> Any:
    """Open a deployment for reading, or a venue to trade at.

    Parameters
    ----------
    deployment : str or Path
        The address of a venue, such as ``http://127.0.0.1:8480``. Or the file that ``plimsoll deploy`` wrote, or the
        name of a network, for the file ``NAME.json`` in the folder that the environment variable
        ``PLIMSOLL_DEPLOYMENTS`` names, else in ``build/plimsoll``.
    url : str, optional
        HTTP address of a node; default: the environment variable ``PLIMSOLL_RPC``. No network has a default.

    Returns
    -------
    Chain or VenueClient
        Neither signs or sends anything by itself; ``trade_as`` of a :class:`plimsoll.client.VenueClient` gives an
        account to trade with.

    Raises
    ------
    InputError
        When there is no such file, it is no deployment, or no node is named; or when a venue is given a node.
    UnavailableError
        When the node does not answer, is of another chain, or has no contract there; when the venue does not answer.

    Examples
    --------
    >>> import plimsoll as pm
    >>> pm.connect("nowhere", "http://127.0.0.1:8545")
    Traceback (most recent call last):
    plimsoll.errors.InputError: build/plimsoll/nowhere.json: cannot be read (No such file or directory)
    """
    if isinstance(deployment, str) and deployment.startswith(VENUE_SCHEMES):
        if url is not None:
            raise InputError("url", f"{deployment} is a venue, which has a node of its own")
        from plimsoll.client import connect_venue

        return connect_venue(deployment)
    found = load_deployment(deployment)
    node = url or os.environ.get(NODE_VARIABLE)
    if not node:
        raise InputError("url", f"no node named; give its HTTP address, or set {NODE_VARIABLE}")
    client = Client(node)
    check_chain(found, client)
    return Chain(found, client)
