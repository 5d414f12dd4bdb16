"""One deployment, the wallets that act on it, and, on a local chain, the clock and the undo button."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from eth_account.signers.local import LocalAccount

from plimsoll.chain.anvil import wallet
from plimsoll.chain.client import Client, Receipt
from plimsoll.chain.contracts import LOCAL_GAS, Contract
from plimsoll.deployment.record import Deployment, check_chain, load_deployment
from plimsoll.deployment.spec import LOCAL_CHAIN_ID
from plimsoll.errors import InputError
from plimsoll.model import Market

#: Wallets whose seeds are public, on local chains alone.
DEPLOYER: Final = "deployer"
SIGNERS: Final = tuple(f"oracle signer {number}" for number in range(3))
GAS_MONEY_WEI: Final = 10**24
#: Room for the largest contract; chains that Brownie starts allow less.
LOCAL_BLOCK_GAS: Final = 100_000_000
#: Seconds that a local clock is moved so that the next block is later than the last.
TICK_SEC: Final = 2

KeyOf = Callable[[str], LocalAccount]


@dataclass(frozen=True, slots=True)
class Holder:
    """A wallet with the account that it acts for."""

    wallet: LocalAccount
    account_id: int


@dataclass(frozen=True, slots=True)
class Session:
    """A deployment and who acts on it.

    Parameters
    ----------
    client : Client
        Endpoint.
    deployment : Deployment
        What is acted on.
    market : Market
        Shape of the rounds of a local chain: forwards and volatilities around the spot that is posted.
    key_of : callable
        Key of a wallet by name, for chains that are not local.
    """

    client: Client
    deployment: Deployment
    market: Market
    key_of: KeyOf

    @property
    def is_local(self) -> bool:
        """Whether wallets come from public seeds and tokens may be made."""
        return is_local(self.client)

    def contract(self, name: str) -> Contract:
        """Return a contract of the deployment."""
        return self.deployment.contract(self.client, name)

    def wallet(self, name: str) -> LocalAccount:
        """Return the wallet of this name, with money for gas on a local chain."""
        return funded_wallet(self.client, name) if self.is_local else self.key_of(name)

    def send(self, by: LocalAccount, contract: Contract, function: str, *values: Any) -> Receipt:
        """Send a transaction; its gas is estimated on a chain where it costs something."""
        return contract.send(by, function, *values, gas=LOCAL_GAS if self.is_local else None)

    def holder(self, who: str) -> Holder:
        """Return a wallet with one of its accounts.

        Parameters
        ----------
        who : str
            Name of a wallet, for its newest account, or name and account id as ``alice:7``.

        Returns
        -------
        Holder

        Raises
        ------
        InputError
            When the id is no number, the account is of another wallet, or the wallet has none.
        """
        name, _, number = who.partition(":")
        if number and not number.isdecimal():
            raise InputError("who", f"{who!r} must be a name, or name and account id as alice:7")
        by = self.wallet(name)
        owned = self.accounts_of(by.address)
        if not owned:
            raise InputError("who", f"{name!r} has no account; open_account makes one")
        if number and int(number) not in owned:
            raise InputError("who", f"account {number} is not of {name!r}, who has {', '.join(map(str, owned))}")
        return Holder(by, int(number) if number else owned[-1])

    def account_id(self, who: str) -> int:
        """Return an account that somebody else may act on: an id, or the newest account of a wallet."""
        return int(who) if who.isdecimal() else self.holder(who).account_id

    def accounts_of(self, owner: str) -> list[int]:
        """Return the ids of the accounts of an address, ascending."""
        accounts = self.contract("Accounts")
        ids = range(accounts.call("nextAccountId"))
        owners = accounts.call_many("ownerOf", [[account_id] for account_id in ids])
        # A closed account has no owner and answers with a revert.
        return [account_id for account_id, found in zip(ids, owners, strict=True) if found == owner]

    def now(self) -> int:
        """Return the time of the latest block, on a local chain of a new one; unix seconds."""
        if self.is_local:
            self.client.rpc("evm_mine")
        return self.client.block_ts()

    def sleep(self, seconds: int) -> None:
        """Move the clock of a local chain."""
        self.client.rpc("evm_increaseTime", seconds)
        self.client.rpc("evm_mine")

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Undo on a local chain whatever was sent in the block when it fails; elsewhere nothing can be undone."""
        if not self.is_local:
            yield
            return
        state = self.client.rpc("evm_snapshot")
        try:
            yield
        except BaseException:
            self.client.rpc("evm_revert", state)
            self.client.forget_nonces()
            raise


def is_local(client: Client) -> bool:
    """Return whether an endpoint is of a local chain."""
    return client.chain_id == LOCAL_CHAIN_ID


def funded_wallet(client: Client, name: str) -> LocalAccount:
    """Return a wallet from a public seed, with money for gas; local chains only."""
    account = wallet(name)
    client.rpc("anvil_setBalance", account.address, hex(GAS_MONEY_WEI))
    return account


def make_room(client: Client) -> None:
    """Let the blocks of a local chain hold the largest contract."""
    if is_local(client):
        client.rpc("evm_setBlockGasLimit", hex(LOCAL_BLOCK_GAS))


def open_session(client: Client, record: Path, market: Market, key_of: KeyOf) -> Session:
    """Bind a recorded deployment to a chain.

    Parameters
    ----------
    client : Client
        Endpoint.
    record : Path
        File that the deployment was written to.
    market : Market
        Shape of the rounds of a local chain.
    key_of : callable
        Key of a wallet by name, for chains that are not local.

    Returns
    -------
    Session

    Raises
    ------
    InputError
        When there is no record.
    UnavailableError
        When the contracts are not on this chain.
    """
    if not record.exists():
        raise InputError(str(record), "there is no deployment; `brownie run deploy` makes one")
    deployment = load_deployment(record)
    check_chain(deployment, client)
    make_room(client)
    return Session(client, deployment, market, key_of)
