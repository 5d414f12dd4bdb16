"""What a parameter file would do to every account on chain; asked of ``ParameterPreview``, nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from offchain.chain.client import Client, RevertError
from offchain.chain.contracts import Contract
from offchain.chain.deploy import ACCOUNT_FIELDS, UNDERLYING_FIELDS, contract_name
from offchain.chain.deployment import Deployment
from offchain.chain.margin_engine import STATE_NAMES
from offchain.errors import InputError
from offchain.params import ParamsChange
from offchain.units import float_to_wad, wad_to_float

NEEDED = ("ParameterPreview", "ScenarioBook", "Accounts", "Lens")
NOBODY = "0x" + "0" * 40
#: Accounts listed in one call, and margined in one: each is margined twice, by the live and by the draft book.
LIST_PAGE, PAGE = 500, 8
WEIGHT_STEP_WAD = 10**9
ROWS_OF = {"default": "defaultRows", "span": "spanRows"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One parameter that changes; numbers in wad, rows by their count."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Side:
    """An account under one set of parameters, cash."""

    state: str
    equity: float
    initial: float
    maintenance: float


@dataclass(frozen=True, slots=True)
class AccountChange:
    """An account before and after; ``None`` where no margin number can be had."""

    account_id: int
    before: Side | None
    after: Side | None

    @property
    def falls_below(self) -> str:
        """Requirement that equity covers before and no longer after: ``maintenance``, ``initial`` or none."""
        if self.before is None or self.after is None:
            return ""
        for name in ("maintenance", "initial"):
            fell = self.before.equity >= getattr(self.before, name) and self.after.equity < getattr(self.after, name)
            if fell:
                return name
        return ""


@dataclass(frozen=True, slots=True)
class ParameterChange:
    """What would be set, and what it does to every account."""

    block: int
    setters: tuple[str, ...]
    differences: tuple[Difference, ...]
    accounts: tuple[AccountChange, ...]

    def below(self, requirement: str) -> list[int]:
        """Accounts that would fall below ``initial`` (and not maintenance) or ``maintenance``."""
        return [entry.account_id for entry in self.accounts if entry.falls_below == requirement]


def preview_change(client: Client, deployment: Deployment, change: ParamsChange, source: str) -> ParameterChange:
    """Ask the chain what a change of parameters would do.

    Parameters
    ----------
    client : Client
        Endpoint.
    deployment : Deployment
        Artefact.
    change : ParamsChange
        Parameters that change; the book keeps all others.
    source : str
        Named in an error: the file.

    Returns
    -------
    ParameterChange
        Every open account, in the order of their ids.

    Raises
    ------
    InputError
        When the change names an underlying that is not listed, or the book would refuse it.
    """
    missing = sorted(set(NEEDED) - set(deployment.contracts))
    if missing:
        raise InputError("deployment", f"lacks {', '.join(missing)}")
    for name in change.overrides:
        if name not in deployment.underlyings:
            raise InputError(source, f"{name} is no underlying of the deployment")
    book = deployment.contract(client, "ScenarioBook")
    block = client.block_number()
    differences: list[Difference] = []
    setters: list[tuple[str, tuple[Any, ...]]] = []
    for function, values, changed in _proposals(book, deployment, change, source):
        setters.append((function, values))
        differences += changed
    calls = [book.encode(function, *values) for function, values in setters]
    ids = _open_accounts(client, deployment)
    pages = [[calls, ids[first : first + PAGE]] for first in range(0, len(ids), PAGE)]
    found: list[AccountChange] = []
    for answer in deployment.contract(client, "ParameterPreview").call_many("previewParameters", pages):
        if isinstance(answer, RevertError):
            raise InputError(source, f"the book would refuse this: {answer.message}")
        found += [_account(entry) for entry in answer]
    return ParameterChange(block, tuple(function for function, _ in setters), tuple(differences), tuple(found))


def _proposals(
    book: Contract, deployment: Deployment, change: ParamsChange, source: str
) -> Iterator[tuple[str, tuple[Any, ...], list[Difference]]]:
    """Yield the calls to the book that the change comes to, each with what it changes."""
    params = vars(book.call("accountParams"))
    wanted = {
        contract_name(name): float_to_wad(change.account[name]) for name in ACCOUNT_FIELDS if name in change.account
    }
    changed = [
        Difference(f"account.{key}", params[key], value) for key, value in wanted.items() if params[key] != value
    ]
    if changed:
        yield "setAccountParams", ({**params, **wanted},), changed
    for symbol, number in deployment.underlyings.items():
        live, own = book.call("bookOf", number), change.of_underlying(symbol)
        params = vars(live.params)
        wanted = {contract_name(name): float_to_wad(own[name]) for name in UNDERLYING_FIELDS if name in own}
        changed = [
            Difference(f"underlyings.{symbol}.{key}", params[key], value)
            for key, value in wanted.items()
            if params[key] != value
        ]
        rows = [row_of(word) for word in live.rows]
        fresh = _rows(
            book, change, rows, params["priceRangeWad"], wanted.get("priceRangeWad", 0), f"{source}: {symbol}"
        )
        if fresh != rows:
            moved = sum(a != b for a, b in zip(rows, fresh, strict=False))
            moved += abs(len(rows) - len(fresh))
            changed.append(Difference(f"underlyings.{symbol}.rows", f"{len(rows)} rows", f"{moved} of them other"))
        if changed:
            yield "setBook", (number, {**params, **wanted}, fresh), changed


def _rows(
    book: Contract, change: ParamsChange, rows: list[dict[str, int]], old_wad: int, new_wad: int, source: str
) -> list[dict[str, int]]:
    """Return the rows after the change: those of the named book, or of the present one at the new range."""
    if change.book is None and new_wad in (0, old_wad):
        return rows
    kind = change.book
    if kind is None:
        kinds = [name for name, rows_of in ROWS_OF.items() if [vars(r) for r in book.call(rows_of, old_wad)] == rows]
        if not kinds:
            raise InputError(source, "its rows are of no known book: name one with `book` to change priceRange")
        return [vars(row) for row in book.call(ROWS_OF[kinds[0]], new_wad)]
    return [vars(row) for row in book.call(ROWS_OF[kind], new_wad or old_wad)]


def row_of(word: int) -> dict[str, int]:
    """Take a packed scenario row apart; mirror of ``ScenarioRow.sol``.

    Parameters
    ----------
    word : int
        Word of a book.

    Returns
    -------
    dict of str to int
        Fields of ``IScenarioBook.Row``.
    """
    return {
        "moveWad": _signed(word >> 120),
        "vol": word >> 112 & 0xFF,
        "skewWad": _signed(word >> 48),
        "weightWad": (word >> 16 & 0xFFFFFFFF) * WEIGHT_STEP_WAD,
    }


def _signed(value: int) -> int:
    """Read the lowest 64 bits as a signed number."""
    low = value & (1 << 64) - 1
    return low - (1 << 64) if low >> 63 else low


def _open_accounts(client: Client, deployment: Deployment) -> list[int]:
    """Ids of all accounts that are not closed."""
    lens, count = deployment.contract(client, "Lens"), deployment.contract(client, "Accounts").call("nextAccountId")
    pages = lens.call_many("accountsOf", [(first, LIST_PAGE) for first in range(0, count, LIST_PAGE)])
    listed = []
    for page in pages:
        if isinstance(page, RevertError):
            raise page
        listed += page
    return [entry.accountId for entry in listed if entry.owner != NOBODY]


def _account(entry: Any) -> AccountChange:
    def side(known: bool, state: int, *values: int) -> Side | None:
        return Side(STATE_NAMES[state], *(wad_to_float(value) for value in values)) if known else None

    before = side(
        entry.isKnownBefore,
        entry.stateBefore,
        entry.equityBeforeWad,
        entry.initialBeforeWad,
        entry.maintenanceBeforeWad,
    )
    after = side(
        entry.isKnownAfter, entry.stateAfter, entry.equityAfterWad, entry.initialAfterWad, entry.maintenanceAfterWad
    )
    return AccountChange(entry.accountId, before, after)
