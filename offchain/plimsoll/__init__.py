"""Plimsoll: on-chain portfolio margin, and the tools around it.

The front door is what this module exports: ``import plimsoll as pm``, then ``pm.load_market``,
``pm.load_portfolio`` and ``pm.margin``. ``pm.var``, ``pm.stress``, ``pm.compare`` and ``pm.optimise`` ask more of the
same market and account; ``pm.connect`` reads both from a chain. A result prints itself, ``to_frame()`` makes a pandas
or polars frame of it and ``plot()`` a plotly figure. Names are imported when they are first used, so that the command
line starts quickly.
"""

from __future__ import annotations

import importlib
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from plimsoll.analytics.optimise.allocate import Allocation
    from plimsoll.analytics.optimise.frontier import Frontier
    from plimsoll.analytics.optimise.universe import TradingCosts
    from plimsoll.analytics.series.history import History, load_history
    from plimsoll.analytics.stress.scenarios import Scenario
    from plimsoll.analytics.stress.shock import Shock
    from plimsoll.analytics.stress.standard import standard_scenarios
    from plimsoll.errors import DomainError, InputError, PlimsollError, UnavailableError
    from plimsoll.files.market import load_market
    from plimsoll.files.params import load_params
    from plimsoll.files.portfolio import load_portfolio
    from plimsoll.front.chain import Chain, connect
    from plimsoll.front.compare import Comparison, compare
    from plimsoll.front.explain import Explanation
    from plimsoll.front.fit import Fit, SmileLines, fit, smile
    from plimsoll.front.legs import call, future, perp, put
    from plimsoll.front.margin import Margin, margin
    from plimsoll.front.optimise import Allocate, Collar, Hedge, LessRisk, Plan, Release, frontier, optimise
    from plimsoll.front.risk import ValueAtRisk, var
    from plimsoll.front.samples import sample_chain, sample_history
    from plimsoll.front.stress import LiquidationSurface, Stress, liquidation_surface, past_crashes, stress
    from plimsoll.model import Kind, Market, Mode, Portfolio, Position, Round, Surface, Svi, Token
    from plimsoll.params import Params


def _installed_version() -> str:
    try:
        return version("plimsoll-margin")
    except PackageNotFoundError:  # a source tree that nobody installed
        return "0+unknown"


__version__: Final = _installed_version()

#: Exported names by the module that they live in.
_ROOMS: Final[dict[str, tuple[str, ...]]] = {
    "plimsoll.analytics.optimise.allocate": ("Allocation",),
    "plimsoll.analytics.optimise.frontier": ("Frontier",),
    "plimsoll.analytics.optimise.universe": ("TradingCosts",),
    "plimsoll.analytics.series.history": (
        "History",
        "load_history",
    ),
    "plimsoll.analytics.stress.scenarios": ("Scenario",),
    "plimsoll.analytics.stress.shock": ("Shock",),
    "plimsoll.analytics.stress.standard": ("standard_scenarios",),
    "plimsoll.errors": (
        "DomainError",
        "InputError",
        "PlimsollError",
        "UnavailableError",
    ),
    "plimsoll.files.market": ("load_market",),
    "plimsoll.files.params": ("load_params",),
    "plimsoll.files.portfolio": ("load_portfolio",),
    "plimsoll.front.chain": (
        "Chain",
        "connect",
    ),
    "plimsoll.front.compare": (
        "Comparison",
        "compare",
    ),
    "plimsoll.front.explain": ("Explanation",),
    "plimsoll.front.fit": (
        "Fit",
        "SmileLines",
        "fit",
        "smile",
    ),
    "plimsoll.front.legs": (
        "call",
        "future",
        "leg",
        "perp",
        "put",
    ),
    "plimsoll.front.margin": (
        "Margin",
        "margin",
    ),
    "plimsoll.front.optimise": (
        "Allocate",
        "Collar",
        "Hedge",
        "LessRisk",
        "Plan",
        "Release",
        "frontier",
        "optimise",
    ),
    "plimsoll.front.risk": (
        "ValueAtRisk",
        "var",
    ),
    "plimsoll.front.samples": (
        "sample_chain",
        "sample_history",
    ),
    "plimsoll.front.stress": (
        "LiquidationSurface",
        "Stress",
        "liquidation_surface",
        "past_crashes",
        "stress",
    ),
    "plimsoll.model": (
        "Kind",
        "Market",
        "Mode",
        "Portfolio",
        "Position",
        "Round",
        "Surface",
        "Svi",
        "Token",
    ),
    "plimsoll.params": ("Params",),
}
_HOMES: Final = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "Allocate",
    "Allocation",
    "Chain",
    "Collar",
    "Comparison",
    "DomainError",
    "Explanation",
    "Fit",
    "Frontier",
    "Hedge",
    "History",
    "InputError",
    "Kind",
    "LessRisk",
    "LiquidationSurface",
    "Margin",
    "Market",
    "Mode",
    "Params",
    "Plan",
    "PlimsollError",
    "Portfolio",
    "Position",
    "Release",
    "Round",
    "Scenario",
    "Shock",
    "SmileLines",
    "Stress",
    "Surface",
    "Svi",
    "Token",
    "TradingCosts",
    "UnavailableError",
    "ValueAtRisk",
    "__version__",
    "call",
    "compare",
    "connect",
    "fit",
    "frontier",
    "future",
    "leg",
    "liquidation_surface",
    "load_history",
    "load_market",
    "load_params",
    "load_portfolio",
    "margin",
    "optimise",
    "past_crashes",
    "perp",
    "put",
    "sample_chain",
    "sample_history",
    "smile",
    "standard_scenarios",
    "stress",
    "var",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'plimsoll' has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
