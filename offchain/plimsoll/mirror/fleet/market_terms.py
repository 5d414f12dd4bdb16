"""From a market and parameters to the arrays of the kernel, by slot; what changed since the last time can be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from plimsoll.errors import DomainError
from plimsoll.mirror.cutoffs import FADE_START_SEC, fade
from plimsoll.mirror.fleet.columns import Names
from plimsoll.mirror.fleet.layout import VOLS, Grid, Shape, grid_of, groups_of, shape_of
from plimsoll.mirror.fleet.reasons import Reason
from plimsoll.mirror.fleet.terms import SEGMENT, TOKEN, UNDERLYING, AccountTerms, Records, UnderlyingTerms
from plimsoll.mirror.margin_engine import haircut_of
from plimsoll.mirror.scenario_book import scenario_book
from plimsoll.mirror.settlement_window import time_to_expiry, window_of
from plimsoll.model import Market, Mode, Round, Token
from plimsoll.params import Params, UnderlyingParams


@dataclass(frozen=True, slots=True)
class Underlying:
    """One underlying as it is margined now; ``problem`` says why it is not, and then nothing else counts."""

    problem: Reason
    round_: Round | None = None
    params: UnderlyingParams | None = None
    grid: Grid | None = None
    doubt: float = 0.0

    @property
    def key(self) -> tuple[Any, ...]:
        """What its instruments' and its holders' numbers depend on."""
        return self.problem, self.round_, self.params, self.grid.book if self.grid else None, self.doubt


def _underlying(market: Market, params: Params, name: str | None) -> Underlying:
    """Collect what margins one underlying."""
    round_ = market.rounds.get(name) if name is not None else None
    if name is None or round_ is None:
        return Underlying(Reason.NO_ROUND)
    own = params.for_underlying(name)
    try:
        grid = grid_of(scenario_book(params.book_of(name), own.price_range))
    except DomainError:
        return Underlying(Reason.NO_BOOK)
    account, confidence = params.account, round_.confidence
    doubt = (1.0 - confidence) * account.conf_rate if confidence < account.conf_threshold else 0.0
    return Underlying(Reason.NONE, round_, own, grid, doubt)


@dataclass(frozen=True, slots=True)
class TokenState:
    """One token as it counts now; ``linked`` is the slot of its underlying, -1 when it is linked to none."""

    problem: Reason
    price: float = 0.0
    counted: float = 0.0
    counted_standard: float = 0.0
    linked: int = -1
    ratio: float = 0.0


def _token(market: Market, params: Params, symbol: str | None, slots: dict[str, int]) -> TokenState:
    """Collect what one token counts for."""
    token: Token | None = market.tokens.get(symbol) if symbol is not None else None
    if token is None:
        return TokenState(Reason.NO_TOKEN)
    if token.span is not None:
        return TokenState(Reason.BENT)
    price, spot = market.price_of(token.symbol), market.spot_of(token)
    counted, standard = (1.0 - haircut_of(token, mode, params, spot) for mode in (Mode.SINGLE, Mode.STANDARD))
    linked = -1 if token.linked is None else slots.get(token.linked, -1)
    return TokenState(Reason.NONE, price, counted, standard, linked, token.ratio)


@dataclass(frozen=True, slots=True)
class MarketTerms:
    """A market as the kernel takes it; ``underlyings`` and ``tokens`` are by slot."""

    underlyings: tuple[Underlying, ...]
    tokens: tuple[TokenState, ...]
    account: AccountTerms
    shape: Shape
    groups: dict[int, int]

    @property
    def common(self) -> tuple[Any, ...]:
        """What everybody's numbers depend on."""
        return self.account, self.shape, self.groups

    def underlying_terms(self) -> UnderlyingTerms:
        """Arrays by slot of underlying."""
        count, width = len(self.underlyings), self.shape.width
        records = np.zeros(count, dtype=UNDERLYING)
        straight, mask = np.zeros((count, (VOLS + 1) * width)), np.zeros((count, VOLS * width))
        for slot, underlying in enumerate(self.underlyings):
            record = records[slot]
            record["problem"] = underlying.problem
            if underlying.round_ is None or underlying.params is None or underlying.grid is None:
                continue
            for name in _NUMBERS:
                record[name] = getattr(underlying.params, name)
            record["spot"], record["doubt"] = underlying.round_.spot, underlying.doubt
            record["layout"], record["prices"] = self.groups[slot], len(underlying.grid.prices)
            straight[slot] = np.concatenate(underlying.grid.straight(width))
            record["straight_worst"] = np.abs(straight[slot]).max()
            mask[slot] = underlying.grid.mask(width)
        return UnderlyingTerms(records, straight, mask)

    def token_terms(self) -> Records:
        """Return records by slot of token."""
        records = np.zeros(len(self.tokens), dtype=TOKEN)
        for slot, token in enumerate(self.tokens):
            for name in TOKEN.fields or ():
                records[name][slot] = getattr(token, name)
        return records

    def segment_terms(self, slots: Sequence[int], expiries: Sequence[int]) -> Records:
        """Return records by segment, one for each underlying and expiry that is held."""
        records = np.zeros(len(slots), dtype=SEGMENT)
        records["underlying"], records["expiry_ts"] = slots, expiries
        for record in records:
            underlying = self.underlyings[record["underlying"]]
            if underlying.round_ is not None and underlying.params is not None:
                _fill_segment(record, underlying.round_, underlying.params)
        return records


def _fill_segment(record: Records, round_: Round, params: UnderlyingParams) -> None:
    """Fill the record of one expiry."""
    expiry_ts = int(record["expiry_ts"])
    if not expiry_ts:
        # What never expires has no discount, and its basis is on the delta alone.
        record["basis_rate"] = params.perp_basis
        return
    left_sec = expiry_ts - round_.ts
    years = time_to_expiry(expiry_ts, round_.ts)
    record["basis_rate"] = max(params.basis_min, float(np.expm1(params.basis_rate * years)))
    record["omega"], record["fading"] = fade(left_sec), left_sec < FADE_START_SEC
    record["open_share"] = _open_share(round_, expiry_ts)


_NUMBERS: Final = (
    *("price_range", "vega_term_rate", "skew_rate", "short_min_rate"),
    *("conc_rate", "conc_vega_rate", "n0", "v0"),
)


def _open_share(round_: Round, expiry_ts: int) -> float:
    """Return what of an expiry is open; of one that cannot be priced nothing, and its holders are unknown."""
    try:
        return window_of(round_, expiry_ts).open
    except DomainError:
        return 0.0


def market_terms(
    market: Market, params: Params, names: Names, underlying_ids: Sequence[int], token_ids: Sequence[int]
) -> MarketTerms:
    """Look at a market as the holders of these underlyings and tokens see it.

    Parameters
    ----------
    market : Market
    params : Params
    names : Names
        Symbols of ids; one that has none is unknown.
    underlying_ids, token_ids : sequence of int
        By slot; a token that is linked to an underlying which nobody holds adds a slot behind these.

    Returns
    -------
    MarketTerms
    """
    symbols = [names.underlyings.get(number) for number in underlying_ids]
    known = [symbol for symbol in symbols if symbol is not None]
    token_symbols = [names.tokens.get(number) for number in token_ids]
    tokens = [market.tokens[symbol] for symbol in token_symbols if symbol is not None and symbol in market.tokens]
    linked = {token.linked for token in tokens if token.linked is not None}
    symbols += sorted(linked - set(known))
    slots = {symbol: slot for slot, symbol in reversed(list(enumerate(symbols))) if symbol is not None}
    underlyings = tuple(_underlying(market, params, symbol) for symbol in symbols)
    grids = {slot: underlying.grid for slot, underlying in enumerate(underlyings) if underlying.grid is not None}
    account = params.account
    return MarketTerms(
        underlyings=underlyings,
        tokens=tuple(_token(market, params, symbol, slots) for symbol in token_symbols),
        account=AccountTerms(
            debt_rate=account.debt_rate,
            im_factor=account.im_factor,
            mm_factor=account.mm_factor,
            peg=1.0 + account.peg_slope * max(0.0, account.peg_threshold - market.usdc_price),
            stress_share=account.stress_share,
        ),
        shape=shape_of(list(grids.values())),
        groups=groups_of(grids),
    )
