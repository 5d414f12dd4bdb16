"""Reader of ``plimsoll.scenarios/1`` files: the user's own stress scenarios."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final

from plimsoll.analytics.stress.scenarios import Scenario
from plimsoll.analytics.stress.shock import LIMITS, Shock
from plimsoll.files.reader import Node, read_document
from plimsoll.files.schemas import Schema, document, number, thing

MAX_SCENARIOS = 1_000
MAX_HOURS = 8_760.0
_ABOUT: Final = {
    "price": "relative move of all prices",
    "vol": "relative move of all volatilities",
    "skew": "tilt of all smiles: wings times 1 + skew above and 1 - skew below the forward",
    "front": "relative move of volatilities up to 7 days, fading to none at 180 days",
    "back": "relative move of volatilities from 180 days on, fading to none at 7 days",
    "basis": "added to the annualised basis of forwards over spot",
    "perp": "relative move of the perpetual against spot",
    "rate": "added to the rate of every expiry, forwards unchanged",
}


def _shock(node: Node) -> Shock:
    node.object(set(), set(LIMITS))
    given = {name: limits for name, limits in LIMITS.items() if node.has(name)}
    return Shock(**{name: node.key(name).number(*limits, open_low=True) for name, limits in given.items()})


def load_scenarios(path: Path, underlyings: Collection[str]) -> list[Scenario]:
    """Read and check a scenario file.

    Parameters
    ----------
    path : Path
    underlyings : collection of str
        Names of the market.

    Returns
    -------
    list of Scenario

    Raises
    ------
    InputError
        Naming the file, the key, what is wrong and the limit.
    """
    root = read_document(path, "plimsoll.scenarios/1")
    root.object({"schema", "scenarios"})
    scenarios: list[Scenario] = []
    for item in root.key("scenarios").items(MAX_SCENARIOS):
        item.object({"name", "moves"}, {"hours"})
        shocks: dict[str, Shock] = {}
        for name, node in item.key("moves").members():
            if name not in underlyings:
                node.fail(f"{name!r} is not an underlying of the market file")
            shocks[name] = _shock(node)
        hours = item.key("hours").number(0.0, MAX_HOURS) if item.has("hours") else 0.0
        scenarios.append(Scenario(item.key("name").text(), shocks, hours, path.name))
    if not scenarios:
        root.key("scenarios").fail("is empty")
    return scenarios


def scenarios_schema() -> Schema:
    """Return the JSON schema of a scenario file."""
    shock = thing(
        {},
        {name: number(*limits, open_low=True, about=_ABOUT[name]) for name, limits in LIMITS.items()},
    )
    moves = {"type": "object", "additionalProperties": shock, "description": "by underlying of the market"}
    one = thing(
        {"name": {"type": "string"}, "moves": moves}, {"hours": number(0.0, MAX_HOURS, about="time that passes")}
    )
    listed = {"type": "array", "minItems": 1, "maxItems": MAX_SCENARIOS, "items": one}
    keys: dict[str, Schema] = {"schema": {"const": "plimsoll.scenarios/1"}, "scenarios": listed}
    return document("plimsoll.scenarios/1", "Stress scenarios of your own.", thing(keys))
