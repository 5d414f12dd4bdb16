"""Compile before it counts: the first call of a kernel takes up to a minute, those after it none."""

from __future__ import annotations

import time

import numpy as np

from plimsoll.constants import DAY_SEC
from plimsoll.mirror.fleet.columns import Columns, Names
from plimsoll.mirror.fleet.fleet import Fleet
from plimsoll.model import Kind, Market, Mode, Round, Surface, Svi, Token
from plimsoll.params import Params

_TS = 1_000_000_000
_EXPIRY_TS = _TS + DAY_SEC


def _market() -> Market:
    surface = Surface(_EXPIRY_TS, 100.0, 0.0, Svi(0.001, 0.0, 0.0, 0.0, 0.1))
    tokens = {"USDC": Token("USDC", 1.0, 0.0), "LINKED": Token("LINKED", None, 0.1, "U", 0.1)}
    return Market(_TS, tokens, {"U": Round("U", _TS, 100.0, 100.0, 1.0, (surface,))})


def _columns() -> Columns:
    ids = np.arange(len(Mode), dtype=np.int64)
    return Columns(
        account_ids=ids,
        modes=np.array(list(Mode), dtype=np.int8),
        cash=np.zeros(len(ids)),
        position_account=ids,
        underlying=np.ones(len(ids), dtype=np.int16),
        kind=np.full(len(ids), Kind.PUT, dtype=np.int8),
        expiry_ts=np.full(len(ids), _EXPIRY_TS, dtype=np.int64),
        price=np.full(len(ids), 100.0),
        quantity=np.ones(len(ids)),
        collateral_account=ids[:1].copy(),
        token=np.ones(1, dtype=np.int16),
        amount=np.ones(1),
    )


def warm_up() -> float:
    """Compile every kernel of a fleet, or load it from numba's cache; call it before the first pass that is timed.

    Returns
    -------
    float
        Seconds it took: about 30 without a cache, 1 with one.
    """
    start = time.perf_counter()
    fleet = Fleet.from_columns(_columns(), Names({1: "U"}, {1: "LINKED"}), threads=1)
    fleet.evaluate(_market(), Params())
    return time.perf_counter() - start
