"""Reader of parameter files: every name of the risk model, all optional."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from plimsoll.errors import DomainError
from plimsoll.files.book import read_book
from plimsoll.files.reader import Node, Source, read_document
from plimsoll.mirror.scenario_book import scenario_book
from plimsoll.params import MAX_PRICE_RANGE, UNDERLYING_DEFAULTS, Params

_DEFAULTS: Final = Params()

#: name in the file -> (field, low, high, low is excluded)
UNDERLYING_LIMITS: Final[dict[str, tuple[str, float, float, bool]]] = {
    "priceRange": ("price_range", 0.0, MAX_PRICE_RANGE, True),
    "volUp": ("vol_up", 0.0, 5.0, False),
    "volDown": ("vol_down", 0.0, 1.0, False),
    "volFloor": ("vol_floor", 0.0, 5.0, False),
    "basisMin": ("basis_min", 0.0, 1.0, False),
    "basisRate": ("basis_rate", 0.0, 1.0, False),
    "perpBasis": ("perp_basis", 0.0, 1.0, False),
    "vegaTermRate": ("vega_term_rate", 0.0, 1.0, False),
    "skewRate": ("skew_rate", 0.0, 2.0, False),
    "shortMinRate": ("short_min_rate", 0.0, 1.0, False),
    "concRate": ("conc_rate", 0.0, 10.0, False),
    "concVegaRate": ("conc_vega_rate", 0.0, 10.0, False),
    "N0": ("n0", 1e-6, 1e15, False),
    "V0": ("v0", 1e-6, 1e15, False),
}
ACCOUNT_LIMITS: Final[dict[str, tuple[str, float, float, bool]]] = {
    "mmFactor": ("mm_factor", 0.0, 10.0, True),
    "imFactor": ("im_factor", 0.0, 10.0, True),
    "pegThreshold": ("peg_threshold", 0.0, 1.0, False),
    "pegSlope": ("peg_slope", 0.0, 100.0, False),
    "confThreshold": ("conf_threshold", 0.0, 1.0, False),
    "confRate": ("conf_rate", 0.0, 10.0, False),
    "stressShare": ("stress_share", 0.0, 1.0, False),
    "debtRate": ("debt_rate", 0.0, 1.0, False),
    "closeShare": ("close_share", 0.0, 1.0, False),
    "b": ("buffer", 0.0, 10.0, False),
    "feeRate": ("fee_rate", 0.0, 0.3, False),
    "bonusShare": ("bonus_share", 0.0, 1.0, False),
    "fundPerHour": ("fund_per_hour", 0.0, 1.0, False),
}


def _number(node: Node, spec: tuple[str, float, float, bool]) -> float:
    _, low, high, open_low = spec
    return node.number(low, high, open_low=open_low)


def _check_book(root: Node, params: Params) -> None:
    """Refuse a range with which a row of the grid leaves the prices that can be priced."""
    for name in ["", "ETH", "BTC", *params.overrides]:
        try:
            scenario_book(params.book_of(name), params.for_underlying(name).price_range)
        except DomainError as error:
            root.fail(f"{error.source}: {error.message}")


def load_params(source: Source, underlyings: Collection[str] | None = None, base: Params = _DEFAULTS) -> Params:
    """Read and check a parameter file; missing keys take the values of ``base``.

    Parameters
    ----------
    source : str or Path or mapping
        File, or its content.
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

    Examples
    --------
    >>> load_params({"volUp": 0.6}).for_underlying("ETH").vol_up
    0.6
    """
    root = read_document(source, "plimsoll.params/1", schema_required=False)
    root.object(set(), {"schema", "book", *UNDERLYING_LIMITS, *ACCOUNT_LIMITS})
    account: dict[str, float] = {}
    for key, spec in ACCOUNT_LIMITS.items():
        if root.has(key):
            account[spec[0]] = _number(root.key(key), spec)
    general: dict[str, float] = {}
    own: dict[str, dict[str, float]] = {}
    for key, spec in UNDERLYING_LIMITS.items():
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
    # A book in the file is the book of every underlying.
    book, books = (read_book(root.key("book")), {}) if root.has("book") else (base.book, base.books)
    params = Params(built, book, {**base.overrides_all, **general}, merged, books)
    _check_book(root, params)
    return params
