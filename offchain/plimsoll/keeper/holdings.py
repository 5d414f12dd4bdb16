"""Who holds what, kept with the changes: who asks for a series, an underlying or a token walks no accounts."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from plimsoll.index.state import AccountState, State
from plimsoll.keeper.names import name_of

K = TypeVar("K", bound=Hashable)

#: Fields of a position word, see ``chain/words.py``: expiry in 40 bits from this one on, underlying in the highest 8.
EXPIRY_SHIFT: Final = 200
EXPIRY_MASK: Final = (1 << 40) - 1
UNDERLYING_SHIFT: Final = 248


@dataclass(frozen=True, slots=True)
class Held:
    """What matters of one account.

    Parameters
    ----------
    series : tuple of tuple[int, int]
        Id of the underlying and expiry of its positions, each once; 0 is the expiry of perpetuals.
    tokens : tuple of int
        Ids of its collateral.
    """

    series: tuple[tuple[int, int], ...] = ()
    tokens: tuple[int, ...] = ()


NOTHING: Final = Held()


class Holdings:
    """Holders by series and by token.

    It has as much to do as accounts changed, and answers in the number of holders that are asked for.
    """

    def __init__(self) -> None:
        self._held: dict[int, Held] = {}
        self._series: dict[tuple[int, int], set[int]] = {}
        self._tokens: dict[int, set[int]] = {}

    @classmethod
    def of(cls, state: State) -> Holdings:
        """Return the holdings of all accounts of a state."""
        found = cls()
        found.take(state, state.accounts)
        return found

    def take(self, state: State, changed: Iterable[int]) -> None:
        """Bring accounts up to a state.

        Parameters
        ----------
        state : State
            Rebuilt state.
        changed : iterable of int
            Accounts that changed since the last call, closed ones included.
        """
        for account_id in changed:
            account = state.accounts.get(account_id)
            before = self._held.get(account_id, NOTHING)
            now = NOTHING if account is None else _held(account)
            if now == before:
                continue
            _move(self._series, account_id, before.series, now.series)
            _move(self._tokens, account_id, before.tokens, now.tokens)
            if now == NOTHING:
                del self._held[account_id]
            else:
                self._held[account_id] = now

    @property
    def account_ids(self) -> set[int]:
        """Accounts with any position."""
        return set().union(*self._series.values())

    def in_underlyings(self, underlying_ids: Iterable[int]) -> set[int]:
        """Return the accounts with a position in any of some underlyings."""
        wanted = frozenset(underlying_ids)
        return set().union(*(ids for (number, _), ids in self._series.items() if number in wanted))

    def with_tokens(self, token_ids: Iterable[int]) -> set[int]:
        """Return the accounts with any of some tokens as collateral."""
        return set().union(*(self._tokens.get(number, ()) for number in token_ids))

    def expiries(self, underlyings: Mapping[str, int]) -> dict[str, set[int]]:
        """Return the expiries that anybody holds.

        Parameters
        ----------
        underlyings : Mapping[str, int]
            Ids of the deployment by symbol; one that is not there is called by its id.

        Returns
        -------
        dict[str, set[int]]
            By symbol, all of the deployment; perpetuals have none.
        """
        found: dict[str, set[int]] = {symbol: set() for symbol in underlyings}
        for number, expiry_ts in self._series:
            if expiry_ts:
                found.setdefault(name_of(underlyings, number), set()).add(expiry_ts)
        return found

    def expired(self, underlyings: Mapping[str, int], now_ts: int) -> dict[tuple[str, int], tuple[int, ...]]:
        """Return who still holds what has expired.

        Parameters
        ----------
        underlyings : Mapping[str, int]
            Ids of the deployment by symbol.
        now_ts : int
            Time of the latest block.

        Returns
        -------
        dict[tuple[str, int], tuple[int, ...]]
            Account ids, ascending, by (underlying, expiry).
        """
        return {
            (name_of(underlyings, number), expiry_ts): tuple(sorted(self._series[number, expiry_ts]))
            for number, expiry_ts in sorted(self._series)
            if 0 < expiry_ts <= now_ts
        }


def _held(account: AccountState) -> Held:
    """Return what one account holds, each series and token once."""
    # Bits between underlying and expiry are the kind of instrument, which does not matter here.
    series = {(word >> UNDERLYING_SHIFT, word >> EXPIRY_SHIFT & EXPIRY_MASK) for word in account.words}
    return Held(tuple(sorted(series)), tuple(sorted(account.collateral)))


def _move(holders: dict[K, set[int]], account_id: int, before: Iterable[K], now: Iterable[K]) -> None:
    """Take an account from what it gave up to what it has now; what nobody holds is forgotten."""
    for key in set(before).difference(now):
        holders[key].discard(account_id)
        if not holders[key]:
            del holders[key]
    for key in set(now).difference(before):
        holders.setdefault(key, set()).add(account_id)
