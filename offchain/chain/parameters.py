"""Risk parameters as the contracts hold them now, and the calls that would change them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from offchain.chain.client import Client
from offchain.chain.contracts import Contract
from offchain.chain.deploy import ACCOUNT_FIELDS, UNDERLYING_FIELDS, contract_name
from offchain.chain.deployment import Deployment
from offchain.errors import InputError
from offchain.params import AccountParams, BookName, Params
from offchain.units import float_to_wad, wad_to_float

ROWS_OF: Final[Mapping[BookName, str]] = {"default": "defaultRows", "span": "spanRows"}


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


def _unpacked(word: int) -> tuple[int, int, int, int]:
    """Move, vol state, skew and weight of a packed row."""

    def signed(value: int) -> int:
        return value - (1 << 64) if value >> 63 else value

    low = (1 << 64) - 1
    return signed(word >> 120 & low), word >> 112 & 0xFF, signed(word >> 48 & low), (word >> 16 & 0xFFFFFFFF) * 10**9


def _book_name(book: Contract, symbol: str, price_range_wad: int, packed: Sequence[int]) -> BookName:
    """Which of the two books the rows of one underlying are."""
    there = [_unpacked(word) for word in packed]
    for name, function in ROWS_OF.items():
        rows = book.call(function, price_range_wad)
        if there == [(row.moveWad, row.vol, row.skewWad, row.weightWad) for row in rows]:
            return name
    raise InputError("deployment", f"the rows of {symbol} on chain are neither those of the default book nor of SPAN")


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
    InputError
        When the rows of an underlying are of neither book, or two underlyings use different books.
    """
    book = deployment.contract(client, "ScenarioBook")
    account = vars(book.call("accountParams"))
    own: dict[str, dict[str, float]] = {}
    names: dict[str, BookName] = {}
    for symbol, number in deployment.underlyings.items():
        there = book.call("bookOf", number)
        values = vars(there.params)
        own[symbol] = {name: wad_to_float(values[contract_name(name)]) for name in UNDERLYING_FIELDS}
        names[symbol] = _book_name(book, symbol, values["priceRangeWad"], there.rows)
    if len(set(names.values())) > 1:
        raise InputError("deployment", "its underlyings use different books, which no parameter file can say")
    return Params(
        AccountParams(**{name: wad_to_float(account[contract_name(name)]) for name in ACCOUNT_FIELDS}),
        next(iter(names.values()), "default"),
        {},
        own,
    )


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
    found = [] if before.book == after.book else [Change("book", before.book, after.book)]
    sides = [(f"account.{key}", asdict(before.account), asdict(after.account), key) for key in ACCOUNT_FIELDS]
    for name in underlyings:
        pair = asdict(before.for_underlying(name)), asdict(after.for_underlying(name))
        sides += [(f"{name}.{key}", *pair, key) for key in UNDERLYING_FIELDS]
    return found + [Change(name, old[key], new[key]) for name, old, new, key in sides if old[key] != new[key]]


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
        if old == new and before.book == after.book:
            continue
        values = {contract_name(name): float_to_wad(getattr(new, name)) for name in UNDERLYING_FIELDS}
        rows = book.call(ROWS_OF[after.book], values["priceRangeWad"])
        calls.append(ParameterCall("setBook", symbol, book.encode("setBook", number, values, rows)))
    if before.account != after.account:
        account: dict[str, Any] = {
            contract_name(name): float_to_wad(getattr(after.account, name)) for name in ACCOUNT_FIELDS
        }
        account["dustWad"] = book.call("accountParams").dustWad
        calls.append(ParameterCall("setAccountParams", "", book.encode("setAccountParams", account)))
    return calls
