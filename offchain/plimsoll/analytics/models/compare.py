"""Every margin model on one portfolio, in one measure: the market equity that must be there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from plimsoll.analytics.models import deribit, derive, derive_standard, flat_rates, okx, paradex, span
from plimsoll.analytics.models.account import ModelAccount, ModelMargin, account_of
from plimsoll.analytics.models.parameters import ModelParams, load_model_params, model_named_in, shipped_params
from plimsoll.errors import InputError
from plimsoll.mirror.margin_engine import evaluate
from plimsoll.model import Market, Mode, Portfolio
from plimsoll.params import Params


@dataclass(frozen=True, slots=True)
class Model:
    """How to load the parameters of a model, and how to compute it."""

    kind: type[Any]
    margin: Callable[[ModelAccount, ModelParams[Any]], ModelMargin]
    evidence: str


MODELS: Final[Mapping[str, Model]] = {
    span.NAME: Model(span.SpanParams, span.margin, span.EVIDENCE),
    deribit.NAME: Model(deribit.DeribitParams, deribit.margin, deribit.EVIDENCE),
    okx.NAME: Model(okx.OkxParams, okx.margin, okx.EVIDENCE),
    derive.NAME: Model(derive.DeriveParams, derive.margin, derive.EVIDENCE),
    derive_standard.NAME: Model(derive_standard.DeriveStandardParams, derive_standard.margin, derive_standard.EVIDENCE),
    flat_rates.NAME: Model(flat_rates.FlatParams, flat_rates.margin, flat_rates.EVIDENCE),
    paradex.NAME: Model(paradex.ParadexParams, paradex.margin, paradex.EVIDENCE),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One model beside the others."""

    margin: ModelMargin
    market_equity: float
    evidence: str
    source: str

    def to_json(self) -> dict[str, object]:
        """Entry of the plimsoll.compare/1 document."""
        return {
            "model": self.margin.model,
            "initialRequirement": self.margin.initial,
            "maintenanceRequirement": self.margin.maintenance,
            "marketEquity": self.market_equity,
            "excessInitial": self.market_equity - self.margin.initial,
            "excessMaintenance": self.market_equity - self.margin.maintenance,
            "components": dict(self.margin.components),
            "evidence": self.evidence,
            "source": self.source,
            "notes": list(self.margin.notes),
        }


def _own(market: Market, portfolio: Portfolio, params: Params) -> list[Line]:
    """Plimsoll in its three modes, with the volatilities of the SVI slices."""
    lines = []
    for mode in (Mode.SINGLE, Mode.CROSS, Mode.STANDARD):
        found = evaluate(market, replace(portfolio, mode=mode), params)
        uncounted = found.market_equity - found.equity
        components = {"notCountedInEquity": uncounted, "initial": found.initial_margin}
        required = ModelMargin(
            f"plimsoll {mode.name.lower()}",
            found.initial_margin + uncounted,
            found.maintenance_margin + uncounted,
            components,
        )
        lines.append(Line(required.check(), found.market_equity, "this protocol", "risk model"))
    return lines


def load_replacements(paths: list[Path]) -> dict[str, ModelParams[Any]]:
    """Read the parameter files that replace shipped ones.

    Parameters
    ----------
    paths : list of Path

    Returns
    -------
    dict
        By name of the model.

    Raises
    ------
    InputError
        For a file of an unknown model, two files of one model, or bad parameters.
    """
    found: dict[str, ModelParams[Any]] = {}
    for path in paths:
        name = model_named_in(path)
        if name not in MODELS:
            raise InputError(str(path), f"model: {name!r} is not one of {', '.join(MODELS)}")
        if name in found:
            raise InputError(str(path), f"model: {name!r} has two parameter files")
        found[name] = load_model_params(path, name, MODELS[name].kind)
    return found


def compare(
    market: Market, portfolio: Portfolio, params: Params, replacements: Mapping[str, ModelParams[Any]] | None = None
) -> list[Line]:
    """Margin of one account by this protocol and by every other model.

    Parameters
    ----------
    market : Market
        Explicit volatilities per strike go before the SVI slices for the other models only.
    portfolio : Portfolio
    params : Params
        Of this protocol.
    replacements : mapping of str to ModelParams, optional
        In place of the shipped parameter files.

    Returns
    -------
    list of Line
        This protocol's modes first.

    Raises
    ------
    DomainError
        If a figure is not finite.
    """
    account = account_of(market, portfolio)
    lines = _own(market, portfolio, params)
    given = replacements or {}
    for name, model in MODELS.items():
        chosen = given.get(name) or shipped_params(name, model.kind)
        result = model.margin(account, chosen).check()
        lines.append(Line(result, account.market_equity, model.evidence, chosen.source))
    return lines
