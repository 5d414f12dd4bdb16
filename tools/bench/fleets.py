"""Fleets of any size for benchmarks: a market of several underlyings and accounts that hold distinct instruments."""

from __future__ import annotations

from typing import Final

import numpy as np

from plimsoll.mirror.fleet import Columns, Names
from plimsoll.model import Kind, Market, Mode, Round, Surface, Svi, Token

TS: Final = 1_770_326_940
DAY: Final = 86_400
SPOTS: Final = {"ETH": 1_900.0, "BTC": 64_000.0, "SOL": 85.0}
DAYS: Final = (0.5, 2, 7, 14, 30, 60, 91, 180)
STRIKES: Final = 40
NAMES: Final = Names(dict(enumerate(SPOTS, 1)), {1: "USDC", 2: "WETH"})
#: A token of 20 units in every fifth account.
PLEDGED: Final = 5


def bench_market(move: float = 1.0) -> Market:
    """Three underlyings with eight expiries each, the nearest within a day."""
    rounds = {}
    for name, spot in SPOTS.items():
        surfaces = tuple(
            Surface(
                TS + round(days * DAY),
                spot * move * (1.0 + days / 3_650),
                0.04,
                Svi(0.05 * days / 365, 0.4 * (days / 365) ** 0.5 / 2, -0.2, 0.0, 0.2),
            )
            for days in DAYS
        )
        rounds[name] = Round(name, TS, spot * move, spot * move, 1.0, surfaces)
    tokens = {"USDC": Token("USDC", 1.0, 0.0), "WETH": Token("WETH", None, 0.1, "ETH", 0.02)}
    return Market(TS, tokens, rounds)


def _instruments() -> tuple[np.ndarray, ...]:
    """Underlying, kind, expiry and price of every instrument of the market."""
    rows = []
    for number, spot in enumerate(SPOTS.values(), 1):
        rows.append((number, Kind.PERP, 0, spot))
        for days in DAYS:
            expiry_ts = TS + round(days * DAY)
            rows.append((number, Kind.FUTURE, expiry_ts, spot))
            for strike in np.linspace(0.5, 2.0, STRIKES):
                rows += [(number, kind, expiry_ts, round(spot * float(strike), 2)) for kind in (Kind.CALL, Kind.PUT)]
    underlying, kind, expiry_ts, price = zip(*rows, strict=True)
    return (
        np.array(underlying, dtype=np.int16),
        np.array(kind, dtype=np.int8),
        np.array(expiry_ts, dtype=np.int64),
        np.array(price, dtype=np.float64),
    )


def bench_columns(accounts: int, held: int, mode: Mode | None = None, seed: int = 1) -> Columns:
    """Accounts that hold ``held`` distinct instruments each; modes in turn unless one is given."""
    draw = np.random.default_rng(seed)
    underlying, kind, expiry_ts, price = _instruments()
    count = len(kind)
    # A stride that has no divisor in common with the number of instruments meets none of them twice.
    strides = np.array([s for s in range(1, 200) if np.gcd(s, count) == 1], dtype=np.int32)
    first = draw.integers(0, count, accounts, dtype=np.int32)
    stride = strides[draw.integers(0, len(strides), accounts)]
    which = ((first[:, None] + stride[:, None] * np.arange(held, dtype=np.int32)) % count).ravel()
    del first, stride
    ids = np.arange(2, accounts + 2, dtype=np.int64)
    modes = np.arange(accounts) % 3 if mode is None else np.full(accounts, mode)
    pledged = ids[::PLEDGED]
    quantity = draw.standard_normal(accounts * held)
    # As many units of each underlying as are worth about the same.
    quantity *= (2_000.0 / np.array([1.0, *SPOTS.values()]))[underlying][which]
    return Columns(
        account_ids=ids,
        modes=modes.astype(np.int8),
        cash=draw.uniform(0.0, 20_000.0, accounts),
        position_account=np.repeat(ids, held),
        underlying=underlying[which],
        kind=kind[which],
        expiry_ts=expiry_ts[which],
        price=price[which],
        quantity=quantity,
        collateral_account=pledged,
        token=np.full(len(pledged), 2, dtype=np.int16),
        amount=np.full(len(pledged), 20.0),
    )
