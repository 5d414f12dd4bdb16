"""One of each file to begin with: market, portfolio and parameters, as they are in the package."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Final

#: File -> what it is. Every price in them is made up.
EXAMPLES: Final[Mapping[str, str]] = {
    "market.json": "ETH and BTC with three option expiries",
    "portfolio.json": "an account with options, a perpetual, a future and collateral",
    "params.json": "wider price ranges than the default ones, for --params",
}


def example_text(name: str) -> str:
    """Return the text of one example.

    Parameters
    ----------
    name : str
        One of ``EXAMPLES``.

    Returns
    -------
    str
    """
    return (files("plimsoll.files") / "example" / name).read_text(encoding="utf-8")
