"""One account of a deployment, followed through an index of its own."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from plimsoll.chain.client import Client
from plimsoll.deployment.record import check_chain, load_deployment
from plimsoll.errors import InputError, UnavailableError
from plimsoll.files.folder import make_folder
from plimsoll.index.store import Store
from plimsoll.index.sync import Index
from plimsoll.keeper.view import market_of, portfolio_of
from plimsoll.model import Market, Portfolio
from plimsoll.params import Params
from plimsoll.protocol.parameters import chain_params


@dataclass(frozen=True, slots=True)
class Seen:
    """The account at one block.

    Attributes
    ----------
    block : int
    market : Market
        Latest posted rounds and token prices.
    portfolio : Portfolio
    auction : bool
        Whether an auction of the account is running.
    """

    block: int
    market: Market
    portfolio: Portfolio
    auction: bool


class AccountFeed:
    """Reads events into an index and hands out the account.

    Parameters
    ----------
    rpc : str
        HTTP address of a node.
    deployment : Path
        Artefact that ``plimsoll deploy`` wrote.
    account_id : int
    data : Path or None
        Folder of the index, beside the keeper's own and never the same file; a temporary one when None.
    """

    def __init__(self, rpc: str, deployment: Path, account_id: int, data: Path | None = None) -> None:
        self._deployment = load_deployment(deployment)
        self._client = Client(rpc)
        check_chain(self._deployment, self._client)
        self._folder = tempfile.TemporaryDirectory() if data is None else None
        folder = Path(self._folder.name) if self._folder is not None else Path(data or ".")
        make_folder(folder, "--data")
        store = Store(f"sqlite:///{folder / f'watch-{self._deployment.chain_id}.sqlite'}")
        self._index = Index(self._client, self._deployment, store)
        self.account_id = account_id

    @property
    def params(self) -> Params:
        """Risk parameters that the contracts hold now; governance may have changed those of the artefact."""
        return chain_params(self._client, self._deployment)

    def read(self) -> Seen:
        """Sync to the head and return the account.

        Returns
        -------
        Seen

        Raises
        ------
        InputError
            When there is no such account.
        UnavailableError
            When the node fails, or a round or the price of an unlinked token has never been posted.
        """
        progress = self._index.sync()
        state = self._index.state
        if self.account_id not in state.accounts:
            raise InputError(
                "account", f"{self.account_id} does not exist; the last is {max(state.accounts, default=0)}"
            )
        market = market_of(state, self._deployment)
        if market is None:
            raise UnavailableError("oracle", "a round or a token price has never been posted")
        portfolio = portfolio_of(state, self.account_id, self._deployment)
        return Seen(progress.block_number, market, portfolio, self.account_id in state.auctions)
