"""Reader of parameter files: every name of the risk model, all optional."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Final

from offchain.files.reader import Node, read_document
from offchain.mirror.scenario_book import LARGEST_MOVE
from offchain.params import UNDERLYING_DEFAULTS, BookName, Params

_DEFAULTS: Final = Params()

#: name in the file -> (field, low, high, low is excluded)
_UNDERLYING: Final[dict[str, tuple[str, float, float, bool]]] = {
    "priceRange": ("price_range", 0.0, 0.5, True),
    "volUp": ("vol_up", 0.0, 5.0, False),
    "volDown": ("vol_down", 0.0, 1.0, False),
    "volFloor": ("vol_floor", 0.0, 5.0, False),
    "basisMin": ("basis_min", 0.0, 1.0, False),
    "basisRate": ("basis_rate", 0.0, 1.0, False),
    "perpBasis": ("perp_basis", 0.0, 1.0, False),
    "vegaTermRate": ("vega_term_rate", 0.0, 1.0, False),
    "shortMinRate": ("short_min_rate", 0.0, 1.0, False),
    "concRate": ("conc_rate", 0.0, 10.0, False),
    "concVegaRate": ("conc_vega_rate", 0.0, 10.0, False),
    "N0": ("n0", 1e-6, 1e15, False),
    "V0": ("v0", 1e-6, 1e15, False),
}
_ACCOUNT: Final[dict[str, tuple[str, float, float, bool]]] = {
    "mmFactor": ("mm_factor", 0.0, 10.0, True),
    "imFactor": ("im_factor", 0.0, 10.0, True),
    "pegThreshold": ("peg_threshold", 0.0, 1.0, False),
    "pegSlope": ("peg_slope", 0.0, 100.0, False),
    "confThreshold": ("conf_threshold", 0.0, 1.0, False),
    "confRate": ("conf_rate", 0.0, 10.0, False),
    "rhoHigh": ("rho_high", 0.0, 1.0, False),
    "rhoLow": ("rho_low", 0.0, 1.0, False),
    "stressShare": ("stress_share", 0.0, 1.0, False),
    "b": ("buffer", 0.0, 10.0, False),
    "feeRate": ("fee_rate", 0.0, 0.3, False),
    "bonusShare": ("bonus_share", 0.0, 1.0, False),
    "fundPerHour": ("fund_per_hour", 0.0, 1.0, False),
}


def _number(node: Node, spec: tuple[str, float, float, bool]) -> float:
    _, low, high, open_low = spec
    return node.number(low, high, open_low=open_low)


def _book(root: Node, otherwise: BookName) -> BookName:
    if not root.has("book"):
        return otherwise
    return "span" if root.key("book").text(("default", "span")) == "span" else "default"


def _check_book(root: Node, params: Params) -> None:
    """Reject ranges with which a row would move the price to zero or below."""
    names = ["", "ETH", "BTC", *params.overrides]
    for name in names:
        price_range = params.for_underlying(name).price_range
        largest = price_range * LARGEST_MOVE[params.book]
        if largest >= 1.0:
            root.fail(
                f"priceRange {price_range:g} moves the price by {largest:g} in the widest row, the limit is below 1"
            )


def load_params(path: Path, underlyings: Collection[str] | None = None, base: Params = _DEFAULTS) -> Params:
    """Read and check a parameter file; missing keys take the values of ``base``.

    Parameters
    ----------
    path : Path
    underlyings : collection of str, optional
        Names of the market; with it, a parameter of an underlying that is neither in it nor in the
        risk model's own defaults is an error.
    base : Params
        The defaults, unless the file is meant as a change to something else.

    Returns
    -------
    Params

    Raises
    ------
    InputError
        Naming the file, the key, what is wrong and the limit.
    """
    root = read_document(path, "plimsoll.params/1", schema_required=False)
    root.object(set(), {"schema", "book", *_UNDERLYING, *_ACCOUNT})
    account: dict[str, float] = {}
    for key, spec in _ACCOUNT.items():
        if root.has(key):
            account[spec[0]] = _number(root.key(key), spec)
    general: dict[str, float] = {}
    own: dict[str, dict[str, float]] = {}
    for key, spec in _UNDERLYING.items():
        if not root.has(key):
            continue
        node = root.key(key)
        if isinstance(node.value, dict):
            for name, child in node.members():
                if underlyings is not None and name not in {*underlyings, *UNDERLYING_DEFAULTS}:
                    child.fail(f"{name!r} is not an underlying of the market file")
                own.setdefault(name, {})[spec[0]] = _number(child, spec)
        else:
            general[spec[0]] = _number(node, spec)
    built = replace(base.account, **account)
    if built.im_factor < built.mm_factor:
        root.fail(f"imFactor {built.im_factor:g} is below mmFactor {built.mm_factor:g}")
    # A general value goes before what the base says of one underlying, the file's own value before both.
    merged = {name: {**values, **general} for name, values in base.overrides.items()}
    for name, values in own.items():
        merged[name] = {**merged.get(name, {}), **values}
    params = Params(built, _book(root, base.book), {**base.overrides_all, **general}, merged)
    _check_book(root, params)
    return params
