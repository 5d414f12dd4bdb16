"""Reader of ``plimsoll.scenarios/1`` files: the user's own stress scenarios."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from plimsoll.analytics.stress.scenarios import Scenario
from plimsoll.analytics.stress.shock import MAX_VOL_MOVE, Shock
from plimsoll.files.reader import Node, read_document
from plimsoll.files.schemas import Schema, document, number, thing

MAX_SCENARIOS = 1_000
MAX_PRICE_MOVE = 100.0
MAX_HOURS = 8_760.0


def _shock(node: Node) -> Shock:
    node.object(set(), {"price", "vol"})
    price = node.key("price").number(-1.0, MAX_PRICE_MOVE, open_low=True) if node.has("price") else 0.0
    vol = node.key("vol").number(-1.0, MAX_VOL_MOVE, open_low=True) if node.has("vol") else 0.0
    return Shock(price, vol)


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
        {
            "price": number(-1.0, MAX_PRICE_MOVE, open_low=True, about="relative move of all prices"),
            "vol": number(-1.0, MAX_VOL_MOVE, open_low=True, about="relative move of all volatilities"),
        },
    )
    moves = {"type": "object", "additionalProperties": shock, "description": "by underlying of the market"}
    one = thing(
        {"name": {"type": "string"}, "moves": moves}, {"hours": number(0.0, MAX_HOURS, about="time that passes")}
    )
    listed = {"type": "array", "minItems": 1, "maxItems": MAX_SCENARIOS, "items": one}
    keys: dict[str, Schema] = {"schema": {"const": "plimsoll.scenarios/1"}, "scenarios": listed}
    return document("plimsoll.scenarios/1", "Stress scenarios of your own.", thing(keys))
