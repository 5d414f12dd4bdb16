"""What each event may change in the state: whatever writes, undoes or compares changes needs no more than this.

An entry of the state is named by a section, which is a field of ``State``, and a key in it; fields that are one value
have the key ``None``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from typing import Any, Final

from plimsoll.index.effects import EFFECTS
from plimsoll.index.reader import ChainEvent
from plimsoll.index.state import AccountState, AuctionState, GrantState, OperatorState, State

Entry = tuple[str, Hashable]

#: What an entry that does not exist is recorded as.
ABSENT: Final = object()

#: Sections that are one value.
SINGLE: Final = frozenset({"lending", "socialised_wad", "closed_count"})
#: Sections that are a set of keys.
SETS: Final = frozenset({"intents"})


def _account(state: State, event: ChainEvent) -> Iterable[Entry]:
    return (("accounts", event.values["accountId"]),)


def _closed(state: State, event: ChainEvent) -> Iterable[Entry]:
    return (("accounts", event.values["accountId"]), ("closed_count", None))


def _transferred(state: State, event: ChainEvent) -> Iterable[Entry]:
    account_id = event.values["tokenId"]
    if account_id not in state.accounts:
        return ()
    grants = [("grants", key) for key in state.grants if key[0] == account_id]
    operators = [("operators", key) for key in state.operators if key[0] == account_id]
    return (("accounts", account_id), *grants, *operators)


def _lending(state: State, event: ChainEvent) -> Iterable[Entry]:
    return (("lending", None),)


def _socialised(state: State, event: ChainEvent) -> Iterable[Entry]:
    return (("lending", None), ("socialised_wad", None))


def _keyed(section: str, *names: str) -> Callable[[State, ChainEvent], Iterable[Entry]]:
    """Return touches of one entry whose key is one argument, or several."""

    def touched(state: State, event: ChainEvent) -> Iterable[Entry]:
        values = event.values
        return ((section, values[names[0]] if len(names) == 1 else tuple(values[name] for name in names)),)

    return touched


def _intent(state: State, event: ChainEvent) -> Iterable[Entry]:
    digest = event.values["digest"]
    return (("intents", digest if isinstance(digest, str) else "0x" + digest.hex()),)


_TOUCHES: Final[dict[tuple[str, str], Callable[[State, ChainEvent], Iterable[Entry]]]] = {
    ("Accounts", "AccountOpened"): _account,
    ("Accounts", "AccountClosed"): _closed,
    ("Accounts", "Transfer"): _transferred,
    ("Accounts", "ModeChanged"): _account,
    ("Accounts", "CashChanged"): _account,
    ("Accounts", "CollateralChanged"): _account,
    ("Accounts", "PositionChanged"): _account,
    ("Accounts", "LossSocialised"): _socialised,
    ("Accounts", "InterestAccrued"): _lending,
    ("Accounts", "LoansChanged"): _lending,
    ("Accounts", "RateCurveSet"): _lending,
    ("Accounts", "FundingRateSet"): _keyed("funding", "underlyingId"),
    ("Accounts", "FundingSettled"): _account,
    ("PerpMarket", "FundingUpdated"): _keyed("funded_round_ts", "underlyingId"),
    ("Oracle", "RoundPosted"): _keyed("rounds", "underlyingId"),
    ("Oracle", "TokenPricePosted"): _keyed("token_prices", "tokenId"),
    ("Oracle", "SettlementPosted"): _keyed("settled", "underlyingId", "expiryTs"),
    ("ScenarioBook", "CollateralSet"): _keyed("terms", "tokenId"),
    ("ScenarioBook", "RatioSet"): _keyed("terms", "tokenId"),
    ("RateFeed", "SourceSet"): _keyed("rates", "tokenId"),
    ("RateFeed", "RateObserved"): _keyed("rates", "tokenId"),
    ("Auction", "AuctionStarted"): _keyed("auctions", "accountId"),
    ("Auction", "BidFilled"): _keyed("auctions", "accountId"),
    ("Auction", "ClocksSet"): _keyed("auctions", "accountId"),
    ("Auction", "LossNoted"): _keyed("auctions", "accountId"),
    ("Auction", "LossCovered"): _keyed("auctions", "accountId"),
    ("Auction", "AuctionEnded"): _keyed("auctions", "accountId"),
    ("Guarantees", "LineGiven"): _keyed("lines", "lineId"),
    ("Guarantees", "LineExtended"): _keyed("lines", "lineId"),
    ("Guarantees", "LineEnded"): _keyed("lines", "lineId"),
    ("Delegation", "Granted"): _keyed("grants", "accountId", "delegate"),
    ("Delegation", "Revoked"): _keyed("grants", "accountId", "delegate"),
    ("Delegation", "DelegateTraded"): _keyed("grants", "accountId", "delegate"),
    ("Operators", "Granted"): _keyed("operators", "accountId", "operator"),
    ("Operators", "Revoked"): _keyed("operators", "accountId", "operator"),
    ("Operators", "OperatorWithdrew"): _keyed("operators", "accountId", "operator"),
    ("Intents", "IntentFilled"): _intent,
}


def touched(state: State, event: ChainEvent) -> Iterable[Entry]:
    """Return the entries that folding an event may change.

    Parameters
    ----------
    state : State
        Before the event.
    event : ChainEvent
        The next one.

    Returns
    -------
    Iterable[tuple[str, Hashable]]
        Section and key; empty for events that change nothing.
    """
    named = event.contract, event.name
    found = _TOUCHES.get(named)
    entries = () if found is None else found(state, event)
    return (*entries, ("effects", event.values["accountId"])) if named in EFFECTS else entries


def entry_of(state: State, entry: Entry) -> Any:
    """Return what an entry holds.

    Parameters
    ----------
    state : State
        Where.
    entry : tuple[str, Hashable]
        Section and key.

    Returns
    -------
    Any
        The value itself, not a copy; ``True`` for a member of a set, ``ABSENT`` where there is none.
    """
    section, key = entry
    held = getattr(state, section)
    if section in SINGLE:
        return held
    if section in SETS:
        return True if key in held else ABSENT
    return held.get(key, ABSENT)


def set_entry(state: State, entry: Entry, value: Any) -> None:
    """Make an entry hold a value.

    Parameters
    ----------
    state : State
        Changed in place.
    entry : tuple[str, Hashable]
        Section and key.
    value : Any
        As :func:`entry_of` returns it; ``ABSENT`` takes the entry away.
    """
    section, key = entry
    if section in SINGLE:
        setattr(state, section, value)
        return
    held = getattr(state, section)
    if section in SETS:
        (held.discard if value is ABSENT else held.add)(key)
    elif value is not ABSENT:
        held[key] = value
    elif key in held:
        del held[key]


def image_of(value: Any) -> Any:
    """Return what stays as it is when later events change the value.

    Parameters
    ----------
    value : Any
        From :func:`entry_of`.

    Returns
    -------
    Any
        A copy of what events change in place, anything else itself.
    """
    if isinstance(value, AccountState):
        held = dict(value.collateral), list(value.words), dict(value.paid_index)
        return AccountState(value.owner, value.mode, value.index_wad, value.cash_wad, *held)
    if isinstance(value, OperatorState):
        return replace(value, used=dict(value.used))
    return replace(value) if isinstance(value, AuctionState | GrantState) else value
