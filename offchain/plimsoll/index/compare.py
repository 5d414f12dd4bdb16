"""One account of the state against the chain's own view of it, and the account as it should be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eth_utils.address import to_checksum_address

from plimsoll.constants import CLEARING_ID, FUND_ID
from plimsoll.index.interest import accrual
from plimsoll.index.pages import Page
from plimsoll.index.state import AccountState, AuctionState, State
from plimsoll.index.words import Bytes
from plimsoll.model import FUNDED

_SIGN, _FULL = 1 << 255, 1 << 256
_UNDERLYING_SHIFT, _KIND_SHIFT = 248, 240


class Seen:
    """One account as a page of the chain has it.

    Parameters
    ----------
    owner : str
        Checksum address.
    mode : int
        As ``Mode``.
    cash_wad : int
        With everything pending.
    collateral : dict[int, int]
        Wad by token.
    words : list[int]
        Positions in ledger order.
    auction : tuple[int, ...]
        ``IAuction.State``, whether it is open first.
    """

    __slots__ = ("auction", "cash_wad", "collateral", "mode", "owner", "words")

    def __init__(
        self, owner: str, mode: int, cash_wad: int, collateral: dict[int, int], words: list[int], auction: list[int]
    ) -> None:
        self.owner, self.mode, self.cash_wad = owner, mode, cash_wad
        self.collateral, self.words, self.auction = collateral, words, auction


def _whole(words: Bytes) -> list[int]:
    return [int.from_bytes(word.tobytes(), "big") for word in words]


def seen_of(page: Page) -> Iterator[tuple[int, Seen]]:
    """Yield the accounts of a page.

    Parameters
    ----------
    page : Page
        Decoded.

    Yields
    ------
    tuple[int, Seen]
        Id and account.
    """
    token_at = position_at = 0
    for place, account_id in enumerate(page.ids.tolist()):
        token_end = token_at + int(page.token_counts[place])
        position_end = position_at + int(page.position_counts[place])
        (cash,) = _whole(page.cash[place : place + 1])
        tokens, amounts = _whole(page.tokens[token_at:token_end]), _whole(page.amounts[token_at:token_end])
        yield (
            account_id,
            Seen(
                to_checksum_address(page.owners[place, 12:].tobytes()),
                int(page.modes[place, 31]),
                cash - _FULL if cash & _SIGN else cash,
                dict(zip(tokens, amounts, strict=True)),
                _whole(page.words[position_at:position_end]),
                _whole(page.auctions[place]),
            ),
        )
        token_at, position_at = token_end, position_end


def account_differences(state: State, account_id: int, seen: Seen) -> list[tuple[str, Any, Any]]:
    """Compare one account.

    Parameters
    ----------
    state : State
        At the block of the page.
    account_id : int
        Account.
    seen : Seen
        What the chain has.

    Returns
    -------
    list[tuple[str, Any, Any]]
        Field, ours and theirs, where they differ.
    """
    account = state.accounts.get(account_id)
    if account is None:
        return [("account", "missing", "open")]
    try:
        cash_wad: Any = state.cash_of(account_id)
    except KeyError:
        # A perpetual whose opening was missed has no index that it has paid to.
        cash_wad = "unknown"
    pairs = [
        ("owner", account.owner.lower(), seen.owner.lower()),
        ("mode", account.mode, seen.mode),
        ("cashWad", cash_wad, seen.cash_wad),
        ("collateral", dict(sorted(account.collateral.items())), seen.collateral),
        ("positions", account.words, seen.words),
    ]
    return [pair for pair in pairs if pair[1] != pair[2]]


def auction_differences(state: State, account_id: int, seen: Seen) -> list[tuple[str, Any, Any]]:
    """Compare the auction of one account.

    Parameters
    ----------
    state : State
        At the block of the page.
    account_id : int
        Account.
    seen : Seen
        What the chain has.

    Returns
    -------
    list[tuple[str, Any, Any]]
        Field, ours and theirs, where they differ.
    """
    auction = state.auctions.get(account_id)
    is_open = bool(seen.auction[0])
    if (auction is not None) != is_open:
        return [("auction", "none" if auction is None else "open", "open" if is_open else "none")]
    if auction is None or auction.stored == tuple(seen.auction[1:]):
        return []
    return [("auction", auction.stored, tuple(seen.auction[1:]))]


def account_from(state: State, account_id: int, seen: Seen) -> AccountState:
    """Return an account as the chain has it: its cash is as of now, so its indices are too.

    Parameters
    ----------
    state : State
        At the block of the page.
    account_id : int
        Account.
    seen : Seen
        What the chain has.

    Returns
    -------
    AccountState
        From which ``cash_of`` gives the chain's own number.
    """
    moved = accrual(state.lending, state.ts)
    cash_wad = seen.cash_wad - (moved.reserve_wad if account_id == FUND_ID else 0)
    index_wad = moved.debt_index_wad if cash_wad < 0 else moved.cash_index_wad
    if account_id == CLEARING_ID:
        index_wad = state.lending.cash_index_wad
    perps = [word for word in seen.words if (word >> _KIND_SHIFT) & 0xFF in FUNDED]
    paid = {word >> _UNDERLYING_SHIFT: state.funding_index(word >> _UNDERLYING_SHIFT) for word in perps}
    return AccountState(seen.owner, seen.mode, index_wad, cash_wad, dict(seen.collateral), list(seen.words), paid)


def auction_from(state: State, account_id: int, seen: Seen) -> AuctionState:
    """Return an auction as the chain has it; when it started and how many bids it had, the chain does not keep.

    Parameters
    ----------
    state : State
        At the block of the page.
    account_id : int
        Account.
    seen : Seen
        What the chain has.

    Returns
    -------
    AuctionState
        Start and bids as far as they were known, else the earliest clock that runs.
    """
    _, solvent_ts, insolvent_ts, vouched_ts, loss_wad, reserve_wad, credit_wad = seen.auction
    known = state.auctions.get(account_id)
    started_ts = min((ts for ts in (solvent_ts, insolvent_ts) if ts), default=state.ts)
    return AuctionState(
        started_ts if known is None else known.started_ts,
        *(solvent_ts, insolvent_ts, vouched_ts, loss_wad, reserve_wad, credit_wad),
        bid_count=0 if known is None else known.bid_count,
    )
