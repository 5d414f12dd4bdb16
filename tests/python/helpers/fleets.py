"""Portfolios as the columns that a fleet is made from, and what the plain mirror says beside it."""

from dataclasses import fields, replace

import numpy as np
from helpers.documents import DAY, TS

from plimsoll.mirror.fleet import Columns, Names
from plimsoll.model import OPTIONS, Kind, Market, Mode, Portfolio, Position, Round, Surface, Svi, Token

#: Inside the window, fading, a day, months.
OFFSETS = (900, 7 * 3_600, 20 * 3_600, 5 * DAY, 30 * DAY, 200 * DAY)
#: Three times as many options as linear instruments.
KINDS = [*OPTIONS * 3, *(kind for kind in Kind if kind.is_linear)]
SPOTS = {"BTC": 64_000.0, "ETH": 1_900.0, "SOL": 85.0}
MONEY = ("equity", "market_equity", "initial", "maintenance", "gross")


def ids_of(market):
    """Ids of underlyings and tokens as a chain would have given them."""
    return (
        {name: number for number, name in enumerate(sorted(market.rounds), 1)},
        {symbol: number for number, symbol in enumerate(sorted(market.tokens), 1)},
    )


def names_of(market):
    underlyings, tokens = ids_of(market)
    return Names({i: name for name, i in underlyings.items()}, {i: symbol for symbol, i in tokens.items()})


def columns_of(market, folios, first_id=2, account_ids=None):
    """Columns of portfolios, in their order."""
    underlyings, tokens = ids_of(market)
    ids = list(range(first_id, first_id + len(folios))) if account_ids is None else list(account_ids)
    held = [(i, p) for i, folio in zip(ids, folios, strict=True) for p in folio.positions]
    pledged = [(i, *item) for i, folio in zip(ids, folios, strict=True) for item in folio.collateral.items()]
    return Columns(
        account_ids=np.array(ids, dtype=np.int64),
        modes=np.array([folio.mode for folio in folios], dtype=np.int8),
        cash=np.array([folio.cash for folio in folios], dtype=np.float64),
        position_account=np.array([i for i, _ in held], dtype=np.int64),
        underlying=np.array([underlyings[p.underlying] for _, p in held], dtype=np.int16),
        kind=np.array([p.kind for _, p in held], dtype=np.int8),
        expiry_ts=np.array([p.expiry_ts for _, p in held], dtype=np.int64),
        price=np.array([p.price for _, p in held], dtype=np.float64),
        quantity=np.array([p.quantity for _, p in held], dtype=np.float64),
        collateral_account=np.array([i for i, _, _ in pledged], dtype=np.int64),
        token=np.array([tokens[symbol] for _, symbol, _ in pledged], dtype=np.int16),
        amount=np.array([amount for _, _, amount in pledged], dtype=np.float64),
    )


def plain_numbers(result):
    """The same five numbers of a plain result."""
    names = ("equity", "market_equity", "initial_margin", "maintenance_margin", "gross_notional")
    return np.array([getattr(result, name) for name in names])


def size_of(market, folio, result):
    """What rounding is measured by: gross notional, and whatever else is added up."""
    pledged = sum(amount * market.price_of(symbol) for symbol, amount in folio.collateral.items())
    return result.gross_notional + pledged + abs(folio.cash)


def market_of(move=1.0, ts=TS, usdc=1.0):
    rounds = {}
    for name, spot in SPOTS.items():
        surfaces = tuple(
            Surface(TS + left, spot * move * (1.0 + left / 3e8), 0.05, Svi(0.3 * left / 3.2e7, 0.02, -0.3, 0.01, 0.2))
            for left in OFFSETS
        )
        rounds[name] = Round(name, ts, spot * move, spot * move * 1.001, 0.5, surfaces, spot * move * 0.99)
    tokens = {
        "DAI": Token("DAI", 0.99, 0.1),
        "USDC": Token("USDC", usdc, 0.0),
        "WETH": Token("WETH", None, 0.1, "ETH", 0.02, 1.1),
    }
    return Market(ts, tokens, rounds)


def folio_of(draw, positions, scale=1.0, underlyings=tuple(SPOTS)):
    """A portfolio of distinct instruments; ``scale`` 1e5 makes size count."""
    chosen = {}
    while len(chosen) < positions:
        name, left = str(draw.choice(underlyings)), int(draw.choice(OFFSETS))
        spot, kind = SPOTS[name], Kind(int(draw.choice(KINDS)))
        # Few strikes, so that calls and puts meet; two of them below the mean that is known, inside the window.
        strike = round(spot * float(draw.choice([0.3, 0.45, 0.8, 0.9, 0.97, 1.0, 1.05, 1.2, 1.6])), 4)
        quantity = float(draw.standard_normal()) * scale * 2_000.0 / spot
        position = Position(name, kind, TS + left if kind.has_expiry else 0, strike, quantity)
        chosen[position.identity] = position
    collateral = {s: float(draw.uniform(0, 50)) for s in ("DAI", "WETH") if draw.random() < 0.4}
    mode = Mode(int(draw.integers(3)))
    return Portfolio(mode, float(draw.normal(5_000, 20_000)) * scale, collateral, tuple(chosen.values()))


def folios_of(seed, count=60):
    draw = np.random.default_rng(seed)
    sizes = [0, 1, 1, 2, 3, 5, 8, 13, 20, 40]
    folios = [folio_of(draw, int(draw.choice(sizes)), float(draw.choice([1.0, 1.0, 1e4]))) for _ in range(count)]
    folios += [replace(folio_of(draw, 128), mode=mode) for mode in Mode]
    folios += [replace(folio_of(draw, 12, 3e4), mode=mode) for mode in Mode]
    folios += [replace(folio_of(draw, 9, 1.0, ("ETH",)), mode=mode) for mode in Mode]
    return folios


def assert_same(one, other):
    for item in fields(one):
        np.testing.assert_array_equal(getattr(one, item.name), getattr(other, item.name), err_msg=item.name)
