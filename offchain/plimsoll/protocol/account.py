"""One account read from the contracts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plimsoll.chain.client import Client
from plimsoll.chain.revert import RevertError
from plimsoll.chain.words import from_word
from plimsoll.deployment.record import Deployment
from plimsoll.errors import InputError
from plimsoll.mirror.margin_engine import MarginResult
from plimsoll.model import Kind, Mode, Portfolio
from plimsoll.params import AccountParams, BookSpec, Params
from plimsoll.protocol.margin_engine import result_of
from plimsoll.protocol.parameters import chain_params
from plimsoll.units import wad_to_float

SCHEMA = "plimsoll.account/1"


@dataclass(frozen=True, slots=True)
class AccountOnChain:
    """An account and its margin; without a margin, the contracts' reason."""

    account_id: int
    owner: str
    portfolio: Portfolio
    margin: MarginResult | None
    margin_problem: str

    def as_json(self) -> dict[str, Any]:
        """Return the account as ``plimsoll.account/1``."""
        positions = [
            {
                "underlying": p.underlying,
                "kind": Kind(p.kind).name.lower(),
                "expiry": p.expiry_ts or None,
                "price": p.price,
                "quantity": p.quantity,
            }
            for p in self.portfolio.positions
        ]
        return {
            "schema": SCHEMA,
            "id": self.account_id,
            "owner": self.owner,
            "mode": self.portfolio.mode.name,
            "cash": self.portfolio.cash,
            "collateral": dict(self.portfolio.collateral),
            "positions": positions,
            "margin": None if self.margin is None else self.margin.to_json(),
            "marginProblem": self.margin_problem or None,
        }


def params_of(deployment: Deployment) -> Params:
    """Return the risk parameters that the deployment was configured with.

    Parameters
    ----------
    deployment : Deployment
        Artefact.

    Returns
    -------
    Params
        Every underlying with its own full set.
    """
    stored = deployment.parameters
    books = {name: _book(entry) for name, entry in stored["books"].items()}
    return Params(AccountParams(**stored["account"]), overrides=stored["underlyings"], books=books)


def _book(stored: Mapping[str, Any]) -> BookSpec:
    """Read a book from the artefact, where its tuples are lists."""
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}
    return BookSpec(**(fields | {"skew_at": tuple((move, vol) for move, vol in stored["skew_at"])}))


def read_account(client: Client, deployment: Deployment, account_id: int) -> AccountOnChain:
    """Read one account.

    Parameters
    ----------
    client : Client
        Endpoint.
    deployment : Deployment
        Artefact.
    account_id : int
        Account.

    Returns
    -------
    AccountOnChain
        Balances always; the margin when the contracts can compute one now.

    Raises
    ------
    InputError
        When there is no such account.
    """
    accounts = deployment.contract(client, "Accounts")
    count = accounts.call("nextAccountId")
    if account_id >= count:
        raise InputError("account", f"{account_id} does not exist; the last is {count - 1}")
    try:
        snapshot = accounts.call("snapshotOf", account_id)
    except RevertError as reverted:
        raise InputError("account", f"{account_id} has been closed") from reverted
    tokens = {record.token_id: symbol for symbol, record in deployment.tokens.items()}
    symbols = {number: symbol for symbol, number in deployment.underlyings.items()}
    amounts = zip(snapshot.tokenIds, snapshot.amountsWad, strict=True)
    portfolio = Portfolio(
        Mode(snapshot.mode),
        wad_to_float(snapshot.cashWad),
        {tokens[token_id]: wad_to_float(amount) for token_id, amount in amounts},
        tuple(from_word(word, symbols) for word in snapshot.positions),
    )
    margin, problem = None, ""
    try:
        answer = deployment.contract(client, "MarginEngine").call("evaluateDetailed", snapshot)
        margin = result_of(answer, deployment, chain_params(client, deployment))
    except RevertError as reverted:
        problem = reverted.message
    return AccountOnChain(account_id, accounts.call("ownerOf", account_id), portfolio, margin, problem)
