"""What the scripts share: the chain that Brownie is connected to, its deployment, keys, and one line for an error."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path

from brownie import accounts, network, web3
from eth_account import Account
from eth_account.signers.local import LocalAccount

from plimsoll.chain.client import Client
from plimsoll.deployment.record import record_path
from plimsoll.errors import InputError, PlimsollError
from plimsoll.files.market import load_market
from plimsoll.keeper.keys import PASSWORD_VARIABLE
from plimsoll.protocol.account import AccountOnChain
from plimsoll.session.report import figures, look
from plimsoll.session.session import Session, open_session

MARKET = Path(__file__).resolve().parents[1] / "examples" / "market.json"


def client() -> Client:
    """Endpoint of the network that Brownie is connected to."""
    return Client(web3.provider.endpoint_uri)


def record() -> Path:
    """File that `deploy` writes and the others read: build/plimsoll/, by the name of Brownie's network."""
    return record_path(network.show_active())


def key_of(name: str) -> LocalAccount:
    """Key of a Brownie account (`brownie accounts new NAME`); its password is in the environment, or Brownie asks."""
    try:
        return Account.from_key(accounts.load(name, os.environ.get(PASSWORD_VARIABLE)).private_key)
    except FileNotFoundError as reason:
        raise InputError("account", f"Brownie has no account {name!r}; `brownie accounts new {name}`") from reason
    except ValueError as reason:
        raise InputError(PASSWORD_VARIABLE, f"does not open the Brownie account {name!r}") from reason


def session() -> Session:
    """Open the deployment of the connected network."""
    return open_session(client(), record(), load_market(MARKET), key_of)


def show(on: Session, account_id: int, before: AccountOnChain | None = None) -> None:
    """Print an account before and after."""
    print(*figures(before, look(on, account_id)), sep="\n")


def script(main: Callable[..., None]) -> Callable[..., None]:
    """Turn an error of ours into one line and an exit code, and refuse arguments that nobody takes."""

    @functools.wraps(main)
    def run(*arguments: str) -> None:
        try:
            names = list(inspect.signature(main).parameters)
            if len(arguments) > len(names):
                raise InputError("arguments", f"{len(arguments)} given, at most {len(names)}: {', '.join(names)}")
            main(*arguments)
        except PlimsollError as reason:
            hint = "; `brownie run post_round` brings a new round" if "Stale" in str(reason) else ""
            print(f"error: {' '.join(str(reason).split())}{hint}", file=sys.stderr)
            raise SystemExit(reason.exit_code) from None

    return run
