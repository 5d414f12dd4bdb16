"""Portfolios of one market, valid by construction."""

from __future__ import annotations

from hypothesis import strategies as st

from plimsoll.model import Kind, Market, Mode, Portfolio, Position

MAX_POSITIONS = 128  # Accounts.sol
# Strikes stay within the kernel's documented range of the forward, K/F in [0.05, 20].
MONEYNESS = (0.06, 18.0)


@st.composite
def positions(draw: st.DrawFn, market: Market) -> Position:
    """One position: near the money most of the time, far out now and then."""
    symbol = draw(st.sampled_from(sorted(market.rounds)))
    held = market.rounds[symbol]
    kind = draw(st.sampled_from(Kind))
    quantity = draw(st.integers(1, 4_000)) / draw(st.sampled_from((1_000.0, 100.0, 8.0)))
    quantity *= draw(st.sampled_from((1.0, -1.0))) * 1_900.0 / held.spot
    entry = held.spot * draw(st.integers(80, 120)) / 100.0
    if not kind.has_expiry:
        return Position(symbol, kind, 0, round(entry, 8), round(quantity, 12))
    listed = draw(st.sampled_from(held.surfaces))
    if kind.is_linear:
        return Position(symbol, kind, listed.expiry_ts, round(entry, 8), round(quantity, 12))
    near = st.integers(700, 1_400).map(lambda n: n / 1_000.0)
    moneyness = draw(st.one_of(near, near, st.floats(*MONEYNESS)))
    return Position(symbol, kind, listed.expiry_ts, round(held.spot * moneyness, 8), round(quantity, 12))


def unique(drawn: list[Position]) -> tuple[Position, ...]:
    """One position an instrument, as the ledger keeps them."""
    return tuple({position.identity: position for position in drawn}.values())


@st.composite
def portfolios(draw: st.DrawFn, market: Market, largest: int = 8) -> Portfolio:
    """One account in any mode."""
    drawn = draw(st.lists(positions(market), max_size=largest))
    tokens = sorted(set(market.tokens) - {"USDC"})
    held = draw(st.sets(st.sampled_from(tokens)))
    collateral = {symbol: draw(st.integers(1, 10**6)) / 10**4 for symbol in sorted(held)}
    cash = draw(st.integers(-(10**7), 10**7)) / 100.0
    return Portfolio(draw(st.sampled_from(Mode)), cash, collateral, unique(drawn))
