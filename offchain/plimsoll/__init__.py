"""Plimsoll: on-chain portfolio margin, and the tools around it.

The front door is what this module exports: ``import plimsoll as pm``, then ``pm.load_market``,
``pm.load_portfolio`` and ``pm.margin``. Names are imported when they are first used, so that the command line starts
quickly.
"""

from __future__ import annotations

import importlib
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from plimsoll.analytics.models.compare import compare
    from plimsoll.analytics.stress.scenarios import stress
    from plimsoll.errors import DomainError, InputError, PlimsollError
    from plimsoll.files.market import load_market
    from plimsoll.files.params import load_params
    from plimsoll.files.portfolio import load_portfolio
    from plimsoll.front.explain import Explanation
    from plimsoll.front.legs import call, future, perp, put
    from plimsoll.front.margin import Margin, margin
    from plimsoll.model import Kind, Market, Mode, Portfolio, Position, Round, Surface, Svi, Token
    from plimsoll.params import Params


def _installed_version() -> str:
    try:
        return version("plimsoll-margin")
    except PackageNotFoundError:  # a source tree that nobody installed
        return "0+unknown"


__version__: Final = _installed_version()

#: Where each exported name lives.
_HOMES: Final[dict[str, str]] = {
    **dict.fromkeys(("DomainError", "InputError", "PlimsollError"), "plimsoll.errors"),
    "load_market": "plimsoll.files.market",
    "load_params": "plimsoll.files.params",
    "load_portfolio": "plimsoll.files.portfolio",
    **dict.fromkeys(("call", "future", "perp", "put"), "plimsoll.front.legs"),
    **dict.fromkeys(("Margin", "margin"), "plimsoll.front.margin"),
    "Explanation": "plimsoll.front.explain",
    "compare": "plimsoll.analytics.models.compare",
    "stress": "plimsoll.analytics.stress.scenarios",
    **dict.fromkeys(
        ("Kind", "Market", "Mode", "Portfolio", "Position", "Round", "Surface", "Svi", "Token"), "plimsoll.model"
    ),
    "Params": "plimsoll.params",
}

__all__ = [
    "DomainError",
    "Explanation",
    "InputError",
    "Kind",
    "Margin",
    "Market",
    "Mode",
    "Params",
    "PlimsollError",
    "Portfolio",
    "Position",
    "Round",
    "Surface",
    "Svi",
    "Token",
    "__version__",
    "call",
    "compare",
    "future",
    "load_market",
    "load_params",
    "load_portfolio",
    "margin",
    "perp",
    "put",
    "stress",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'plimsoll' has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
