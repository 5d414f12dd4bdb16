"""Markets one after another, from files or recorded chains: an account is watched without a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from plimsoll.errors import InputError
from plimsoll.market.fit.rounds import SnapshotFit
from plimsoll.market.replay.replay import Replay
from plimsoll.model import Market, Portfolio, Token


def replayed_markets(replay: Replay, tokens: Mapping[str, Token], portfolio: Portfolio) -> Iterator[Market]:
    """Yield the market at every recorded time, fitted when it is asked for.

    Parameters
    ----------
    replay : Replay
    tokens : mapping of str to Token
        Terms and prices of collateral, which stay; linked tokens move with their underlying.
    portfolio : Portfolio
        Its expiries are in every market.

    Yields
    ------
    Market

    Raises
    ------
    InputError
        When the replay lacks an underlying or, at some time, an expiry that is held.
    """
    needed: dict[str, set[int]] = {name: set() for name in replay.underlyings}
    for position in portfolio.positions:
        if position.underlying not in needed:
            raise InputError("--replay", f"has no chains of {position.underlying}")
        if position.kind.has_expiry:
            needed[position.underlying].add(position.expiry_ts)
    known = {symbol: token for symbol, token in tokens.items() if token.linked is None or token.linked in needed}
    fits: dict[str, SnapshotFit | None] = dict.fromkeys(needed)
    for number, ts in enumerate(replay.timestamps):
        for name, expiries in needed.items():
            fits[name] = replay.fit_at(number, name, sorted(expiries), fits[name])
        yield Market(ts, known, {name: fit.round for name, fit in fits.items() if fit is not None})


class Walk:
    """Hands out markets in turn, and the last one again when there are no more."""

    def __init__(self, markets: Iterator[Market] | Sequence[Market]) -> None:
        self._markets = iter(markets)
        self._last: Market | None = None

    def next(self) -> Market:
        """Return the next market.

        Raises
        ------
        InputError
            When there was none at all.
        """
        self._last = next(self._markets, self._last)
        if self._last is None:
            raise InputError("--market", "no market to show")
        return self._last
