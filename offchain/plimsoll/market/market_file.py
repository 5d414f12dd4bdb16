"""Writer of ``plimsoll.market/1`` files from rounds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from plimsoll.errors import DomainError
from plimsoll.market.chain_file import replace_file
from plimsoll.model import Round

USDC_PRICE: Final = 1.0
"""A chain file holds no USDC quote; the cash token is taken at par."""
HAIRCUT: Final = 0.2
LINKED_HAIRCUT: Final = 0.02


def wrapped_symbol(underlying: str) -> str:
    """Return the symbol of the token that is worth one coin of an underlying: ``WETH`` of ``ETH``."""
    return f"W{underlying}"


def market_document(rounds: Mapping[str, Round], prices: Mapping[str, float] | None = None) -> dict[str, Any]:
    """Return a market document of rounds of one time.

    Parameters
    ----------
    rounds : mapping of str to Round
        At least one, by underlying.
    prices : mapping of str to float, optional
        Cash of one token that is linked to no underlying, by symbol.

    Returns
    -------
    dict
        ``plimsoll.market/1`` with USDC at par and the wrapped token of each underlying, worth its spot.

    Raises
    ------
    DomainError
        When the rounds are of different times, or there is none.
    """
    stamps = {r.ts for r in rounds.values()}
    if len(stamps) != 1:
        raise DomainError("market", f"rounds of {len(stamps)} different times; a market has one")
    tokens: dict[str, Any] = {"USDC": {"price": USDC_PRICE}}
    for name in rounds:
        tokens[wrapped_symbol(name)] = {
            "haircut": HAIRCUT,
            "linked": name,
            "linkedHaircut": LINKED_HAIRCUT,
            "ratio": 1.0,
        }
    for symbol, price in (prices or {}).items():
        tokens[symbol] = {"price": price, "haircut": HAIRCUT}
    return {
        "schema": "plimsoll.market/1",
        "timestamp": stamps.pop(),
        "tokens": tokens,
        "underlyings": {name: _underlying(fitted) for name, fitted in rounds.items()},
    }


def write_market(rounds: Mapping[str, Round], path: Path) -> None:
    """Write the market document of ``rounds``, whole or not at all.

    Parameters
    ----------
    rounds : mapping of str to Round
        As for ``market_document``.
    path : Path
        Target.

    Raises
    ------
    InputError
        When the file cannot be written.
    """
    text = json.dumps(market_document(rounds), indent=1, allow_nan=False) + "\n"
    replace_file(path, lambda name: Path(name).write_text(text, encoding="utf-8"))


def _underlying(fitted: Round) -> dict[str, Any]:
    mean = {} if fitted.mean is None else {"settlementMean": fitted.mean}
    return {
        **mean,
        "spot": fitted.spot,
        "perp": fitted.perp,
        "confidence": fitted.confidence,
        "expiries": [
            {
                "expiry": s.expiry_ts,
                "forward": s.forward,
                "rate": s.rate,
                "svi": {"a": s.svi.a, "b": s.svi.b, "rho": s.svi.rho, "m": s.svi.m, "sigma": s.svi.sigma},
            }
            for s in fitted.surfaces
        ],
    }
