"""Prices to try things on: the real ones where the market data folder is there, else synthetic ones that say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from plimsoll.analytics.series.history import History, load_history
from plimsoll.constants import DAY_SEC
from plimsoll.errors import InputError
from plimsoll.market.chain_file import ChainSnapshot, load_chain, split_table
from plimsoll.market.replay.data_folder import CHAIN_FILE, DAILY_FILE, find_data
from plimsoll.market.replay.synthetic import SOURCE, synthetic_market

#: Synthetic history: about three years of days, before any crash that :func:`plimsoll.past_crashes` knows by its date.
DAYS: Final = 1_100
END_TS: Final = 1_483_228_800  # 2017-01-01
#: Volatility of a day in calm weather, correlation of any two assets, degrees of freedom of a move.
_DAY_VOL: Final = 0.03
_CORRELATION: Final = 0.8
_DEGREES: Final = 4.0
_SEED: Final = 20_260_206
_START: Final = {"ETH": 2_000.0, "BTC": 60_000.0}


def sample_history(assets: Sequence[str] = ("ETH", "BTC"), *, synthetic: bool = False) -> History:
    """Return daily prices to try things on.

    Parameters
    ----------
    assets : sequence of str
        Distinct; the columns of the result.
    synthetic : bool
        Make the prices up even where real ones are there.

    Returns
    -------
    History
        The daily prices of the market data folder, or seeded random walks with fat tails; ``source`` says which.

    Raises
    ------
    InputError
        For no asset, one that is named twice, or one that the real prices do not have.

    Examples
    --------
    >>> sample_history(("ETH",), synthetic=True).source
    'synthetic prices'
    """
    if not assets or len(set(assets)) < len(assets):
        raise InputError("assets", f"{', '.join(assets) or 'none'}: expected distinct names, at least one")
    folder = None if synthetic else find_data()
    if folder is not None:
        return load_history(folder / DAILY_FILE, assets)
    draw = np.random.default_rng(_SEED)
    shape = (DAYS - 1, len(assets))
    mixing = np.sqrt((_DEGREES - 2.0) / draw.chisquare(_DEGREES, (shape[0], 1)))
    common, own = draw.standard_normal((shape[0], 1)), draw.standard_normal(shape)
    moves = _DAY_VOL * mixing * (np.sqrt(_CORRELATION) * common + np.sqrt(1.0 - _CORRELATION) * own)
    start = np.array([_START.get(name, 1.0) for name in assets])
    close = start * np.exp(np.vstack((np.zeros(shape[1]), np.cumsum(moves, axis=0))))
    ts = END_TS + np.arange(-DAYS, 0, dtype=np.int64) * DAY_SEC
    return History(("synthetic prices",), tuple(assets), ts, close, close, close, None, DAY_SEC)


def sample_chain(*, synthetic: bool = False) -> tuple[ChainSnapshot, ...]:
    """Return option chains of one time, one per underlying, to fit and try things on.

    Parameters
    ----------
    synthetic : bool
        Make the quotes up even where real ones are there.

    Returns
    -------
    tuple of ChainSnapshot
        The first of the market data folder, or of the synthetic market; ``source`` says which.

    Examples
    --------
    >>> [(chain.currency, chain.source) for chain in sample_chain(synthetic=True)]
    [('BTC', 'synthetic market'), ('ETH', 'synthetic market')]
    """
    folder = None if synthetic else find_data()
    name = SOURCE if folder is None else CHAIN_FILE
    found = split_table(synthetic_market().table, SOURCE) if folder is None else load_chain(folder / CHAIN_FILE)
    return tuple(replace(chain, source=name) for chain in found if chain.ts == found[0].ts)
