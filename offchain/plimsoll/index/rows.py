"""Entries of the state as rows of the database, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import asdict
from typing import Any, Final

from plimsoll.index.decoder import named_of, plain_of
from plimsoll.index.effects import EffectState
from plimsoll.index.interest import Lending
from plimsoll.index.lines import LineState
from plimsoll.index.state import (
    AccountState,
    AuctionState,
    FundingState,
    GrantState,
    OperatorState,
    RateState,
    State,
    TermsState,
)
from plimsoll.index.touches import Entry, set_entry

_WORD: Final = 32


def _by_number(values: Mapping[str, Any]) -> dict[int, Any]:
    """Undo what JSON does to keys that are numbers, and to pairs."""
    return {int(key): tuple(value) if isinstance(value, list) else value for key, value in values.items()}


def _grant(plain: dict[str, Any]) -> GrantState:
    return GrantState(**{**plain, "limits": _by_number(plain["limits"])})


def _operator(plain: dict[str, Any]) -> OperatorState:
    maps = {"allowances": _by_number(plain["allowances"]), "used": _by_number(plain["used"])}
    return OperatorState(**{**plain, **maps})


def _itself(plain: Any) -> Any:
    return plain


#: By section: value to JSON, and back.
_CODECS: Final[dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]]] = {
    "rounds": (plain_of, named_of),
    "token_prices": (list, tuple),
    "settled": (_itself, _itself),
    "terms": (asdict, lambda plain: TermsState(**plain)),
    "rates": (asdict, lambda plain: RateState(**plain)),
    "auctions": (asdict, lambda plain: AuctionState(**plain)),
    "lines": (asdict, lambda plain: LineState(**plain)),
    "grants": (asdict, _grant),
    "operators": (asdict, _operator),
    "intents": (_itself, _itself),
    "lending": (asdict, lambda plain: Lending(**plain)),
    "socialised_wad": (_itself, _itself),
    "closed_count": (_itself, _itself),
    "funding": (asdict, lambda plain: FundingState(**plain)),
    "funded_round_ts": (_itself, _itself),
    "effects": (asdict, lambda plain: EffectState(**plain)),
}


def key_text(key: Hashable) -> str:
    """Return a key as it is stored.

    Parameters
    ----------
    key : Hashable
        A number, a text, a pair, or ``None``.

    Returns
    -------
    str
        JSON.
    """
    return json.dumps(key)


def account_row(account_id: int, account: AccountState) -> dict[str, Any]:
    """Return an account as a row.

    Parameters
    ----------
    account_id : int
        Account.
    account : AccountState
        What it holds.

    Returns
    -------
    dict[str, Any]
        By column.
    """
    return {
        "account_id": account_id,
        "owner": account.owner,
        "mode": account.mode,
        "cash_wad": account.cash_wad,
        "index_wad": account.index_wad,
        "collateral": json.dumps(account.collateral) if account.collateral else "{}",
        "paid_index": json.dumps(account.paid_index) if account.paid_index else "{}",
        "words": b"".join([word.to_bytes(_WORD, "big") for word in account.words]),
    }


def account_of(row: Any) -> AccountState:
    """Undo :func:`account_row`.

    Parameters
    ----------
    row : Any
        A row of the database, columns as attributes.

    Returns
    -------
    AccountState
        What the account holds.
    """
    packed: bytes = row.words
    return AccountState(
        row.owner,
        row.mode,
        row.index_wad,
        row.cash_wad,
        {} if row.collateral == "{}" else _by_number(json.loads(row.collateral)),
        [int.from_bytes(packed[at : at + _WORD], "big") for at in range(0, len(packed), _WORD)],
        {} if row.paid_index == "{}" else _by_number(json.loads(row.paid_index)),
    )


def fact_row(entry: Entry, value: Any) -> dict[str, str]:
    """Return an entry that is no account as a row.

    Parameters
    ----------
    entry : tuple[str, Hashable]
        Section and key.
    value : Any
        What it holds.

    Returns
    -------
    dict[str, str]
        By column.
    """
    section, key = entry
    return {"section": section, "key": key_text(key), "value": json.dumps(_CODECS[section][0](value))}


def set_fact(state: State, row: Any) -> None:
    """Put a row of :func:`fact_row` into a state.

    Parameters
    ----------
    state : State
        Changed in place.
    row : Any
        A row of the database, columns as attributes.
    """
    key = json.loads(row.key)
    entry = (row.section, tuple(key) if isinstance(key, list) else key)
    set_entry(state, entry, _CODECS[row.section][1](json.loads(row.value)))
