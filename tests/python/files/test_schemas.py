"""Published schemas: those of the readers, kept in step, and never stricter than the readers."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.analytics.stress.scenario_file import load_scenarios
from plimsoll.cli import run
from plimsoll.cli.schema import SCHEMAS, schema_text
from plimsoll.errors import InputError
from plimsoll.files.examples import EXAMPLES, example_text
from plimsoll.files.market import load_market
from plimsoll.files.params import load_params
from plimsoll.files.portfolio import load_portfolio
from tools.generate import schemas as generator

ROOT = Path(__file__).resolve().parents[3]
READERS = {"market": load_market, "portfolio": load_portfolio, "params": load_params}
SCENARIOS = {"schema": "plimsoll.scenarios/1", "scenarios": [{"name": "fall", "moves": {"ETH": {"price": -0.3}}}]}


def validator(name):
    found = SCHEMAS[name][0]()
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


@pytest.mark.parametrize("name", READERS)
def test_examples__of_the_package__are_valid_and_those_of_the_repository(name):
    text = example_text(f"{name}.json")
    validator(name).validate(json.loads(text))
    READERS[name](json.loads(text))
    assert (ROOT / "examples" / f"{name}.json").read_text(encoding="utf-8") == text
    assert f"{name}.json" in EXAMPLES


def test_scenarios__have_a_schema_as_well(tmp_path):
    validator("scenarios").validate(SCENARIOS)
    (tmp_path / "s.json").write_text(json.dumps(SCENARIOS), encoding="utf-8")
    assert load_scenarios(tmp_path / "s.json", {"ETH"})
    with pytest.raises(jsonschema.ValidationError):
        validator("scenarios").validate(SCENARIOS | {"scenarios": []})


def test_page_of_files__shows_one_of_each_that_its_schema_and_reader_take(tmp_path):
    page = (ROOT / "docs" / "reference" / "files.md").read_text(encoding="utf-8")
    shown = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", page, flags=re.S)]
    first: dict[str, dict[str, object]] = {}
    for document in shown:
        name = document["schema"].removeprefix("plimsoll.").removesuffix("/1")
        validator(name).validate(document)
        first.setdefault(name, document)
        assert f"schemas/{name}.json" in page
    assert list(first) == list(SCHEMAS)
    market = load_market(first["market"])
    load_portfolio(first["portfolio"], market)
    load_params(first["params"], set(market.rounds))
    (tmp_path / "s.json").write_text(json.dumps(first["scenarios"]), encoding="utf-8")
    assert load_scenarios(tmp_path / "s.json", set(market.rounds))


def places(value):
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield value, key
        yield from places(child)


ODD = (
    st.none()
    | st.booleans()
    | st.sampled_from(["", "put", "CROSS", "x", 0, -1, 1.5, 0.0, -0.5, 1e-19, 1e13, 1e300, -1e300, 2**41])
    | st.builds(list)
    | st.builds(dict)
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(READERS)), st.data())
def test_schemas__refuse_nothing_that_the_reader_takes(name, data):
    """One value of the example becomes another, or a key goes or comes: what the schema refuses, the reader does."""
    document = copy.deepcopy(json.loads(example_text(f"{name}.json")))
    holder, key = data.draw(st.sampled_from(list(places(document))))
    change = data.draw(st.sampled_from(["other", "gone", "more"]))
    if change == "other":
        holder[key] = data.draw(ODD)
    elif change == "gone":
        del holder[key]
    elif isinstance(holder, dict):
        holder["moon"] = data.draw(ODD)
    if validator(name).is_valid(document):
        return
    with pytest.raises(InputError):
        READERS[name](document)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("market", lambda d: d["underlyings"]["ETH"].update(spot=-1.0)),
        ("market", lambda d: d["tokens"].pop("USDC")),
        ("market", lambda d: d.update(timestamp=1_770_326_940_000)),
        ("portfolio", lambda d: d["positions"][0].pop("strike")),
        ("portfolio", lambda d: d["positions"][3].update(expiry=1)),
        ("portfolio", lambda d: d.update(mode="cross")),
        ("params", lambda d: d["priceRange"].update(ETH=0.9)),
        ("params", lambda d: d.update(volume=1.0)),
    ],
)
def test_schemas__refuse_what_an_editor_should_mark(name, change):
    document = json.loads(example_text(f"{name}.json"))
    change(document)
    assert not validator(name).is_valid(document)


def test_published_files__are_what_the_readers_check(tmp_path, capsys):
    assert generator.main(["--check"]) == 0
    generator.main([], tmp_path)
    assert generator.main(["--check"], tmp_path) == 0
    (tmp_path / "market.json").write_text("{}", encoding="utf-8")
    (tmp_path / "old.json").write_text("{}", encoding="utf-8")
    assert generator.main(["--check"], tmp_path) == 1
    assert capsys.readouterr().out.count("is not what the readers check") == 2


def test_command__prints_one_or_lists_all_or_refuses(capsys):
    assert run(["schema", "market"]) == 0
    assert capsys.readouterr().out == schema_text("market")
    assert run(["schema"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(SCHEMAS)
    assert run(["schema", "moon"]) == 2
    assert capsys.readouterr().err == "error: NAME: 'moon' is not one of market, portfolio, params, scenarios\n"


def test_confidences_of_other_venues_models__are_read_and_in_the_schema():
    market = json.loads(example_text("market.json"))
    name = next(iter(market["underlyings"]))
    market["underlyings"][name]["perpConfidence"] = 0.4
    market["underlyings"][name]["expiries"][0]["confidence"] = 0.3
    market["tokens"]["USDC"]["confidence"] = 0.2
    validator("market").validate(market)
    loaded = load_market(market)
    round_ = loaded.rounds[name]
    assert (round_.perp_confidence, round_.surfaces[0].confidence, loaded.tokens["USDC"].confidence) == (0.4, 0.3, 0.2)
    for place in (market["underlyings"][name]["expiries"][0], market["tokens"]["USDC"]):
        worse = place["confidence"]
        place["confidence"] = 1.5
        with pytest.raises(jsonschema.ValidationError):
            validator("market").validate(market)
        with pytest.raises(InputError, match=r"confidence: 1\.5 is outside"):
            load_market(market)
        place["confidence"] = worse
