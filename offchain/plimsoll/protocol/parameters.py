"""Risk parameters as the contracts hold them now, and the calls that would change them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from plimsoll.chain.book import plain_rows, rows_of, spec_of
from plimsoll.chain.client import Client
from plimsoll.deployment.deploy import (
    ACCOUNT_FIELDS,
    UNDERLYING_FIELDS,
    account_params,
    contract_name,
    underlying_params,
)
from plimsoll.deployment.record import Deployment
from plimsoll.params import AccountParams, BookSpec, Params
from plimsoll.units import wad_to_float


@dataclass(frozen=True, slots=True)
class Change:
    """One parameter that a proposal moves."""

    name: str
    before: float | str
    after: float | str


@dataclass(frozen=True, slots=True)
class ParameterCall:
    """One call of the scenario book, as the access manager schedules it."""

    function: str
    underlying: str
    data: bytes


def chain_params(client: Client, deployment: Deployment) -> Params:
    """Read every risk parameter from the contracts; the artefact only knows what was deployed.

    Parameters
    ----------
    client : Client
    deployment : Deployment

    Returns
    -------
    Params
        Every underlying with its own full set.

    Raises
    ------
    DomainError
        When the rows of an underlying are none that a book may have.
    """
    book = deployment.contract(client, "ScenarioBook")
    account = vars(book.call("accountParams"))
    own: dict[str, dict[str, float]] = {}
    books: dict[str, BookSpec] = {}
    for symbol, number in deployment.underlyings.items():
        there = book.call("bookOf", number)
        values = vars(there.params)
        own[symbol] = {name: wad_to_float(values[contract_name(name)]) for name in UNDERLYING_FIELDS}
        books[symbol] = spec_of(there.rows)
    stored = AccountParams(**{name: wad_to_float(account[contract_name(name)]) for name in ACCOUNT_FIELDS})
    return Params(stored, overrides=own, books=books)


def changes_between(before: Params, after: Params, underlyings: Sequence[str]) -> list[Change]:
    """List every parameter that differs.

    Parameters
    ----------
    before, after : Params
    underlyings : sequence of str

    Returns
    -------
    list of Change
        Named as in ``Params``, an underlying's with its name in front.
    """
    found: list[Change] = []
    for name in underlyings:
        found += _book_changes(name, before.book_of(name), after.book_of(name))
    sides = [(f"account.{key}", asdict(before.account), asdict(after.account), key) for key in ACCOUNT_FIELDS]
    for name in underlyings:
        pair = asdict(before.for_underlying(name)), asdict(after.for_underlying(name))
        sides += [(f"{name}.{key}", *pair, key) for key in UNDERLYING_FIELDS]
    return found + [Change(name, old[key], new[key]) for name, old, new, key in sides if old[key] != new[key]]


def _book_changes(name: str, before: BookSpec, after: BookSpec) -> list[Change]:
    """List the parts of a book that differ, as text."""
    sides = asdict(before), asdict(after)
    return [
        Change(f"{name}.book.{key}", str(old), str(sides[1][key]))
        for key, old in sides[0].items()
        if old != sides[1][key]
    ]


def parameter_calls(client: Client, deployment: Deployment, before: Params, after: Params) -> list[ParameterCall]:
    """Build the calls that lead from one set of parameters to another.

    Parameters
    ----------
    client : Client
    deployment : Deployment
    before, after : Params

    Returns
    -------
    list of ParameterCall
        One for each underlying that differs, and one for the account's parameters; empty when nothing does.
    """
    book = deployment.contract(client, "ScenarioBook")
    calls = []
    for symbol, number in deployment.underlyings.items():
        old, new = before.for_underlying(symbol), after.for_underlying(symbol)
        same_rows = before.book_of(symbol) == after.book_of(symbol)
        if old == new and same_rows:
            continue
        # Rows that stay are sent as they are stored, to the wei.
        rows = plain_rows(book.call("bookOf", number).rows) if same_rows else rows_of(after.book_of(symbol))
        data = book.encode("setBook", number, underlying_params(new), rows)
        calls.append(ParameterCall("setBook", symbol, data))
    if before.account != after.account:
        account = account_params(after.account) | {"dustWad": book.call("accountParams").dustWad}
        calls.append(ParameterCall("setAccountParams", "", book.encode("setAccountParams", account)))
    return calls
