"""The deployment artefact on disk."""

from dataclasses import replace

import pytest

from plimsoll.deployment.record import Deployment, TokenRecord, load_deployment
from plimsoll.errors import InputError

SAMPLE = Deployment(
    "local", 31337, 3, {"Accounts": "0x" + "11" * 20}, {"USDC": TokenRecord(0, "0x" + "22" * 20, 6)}, {"ETH": 1}, {}
)


def test_save__then_load__is_the_same_and_leaves_no_part(tmp_path):
    path = tmp_path / "deep" / "local.json"
    SAMPLE.save(path)
    assert load_deployment(path) == SAMPLE
    assert [p.name for p in path.parent.iterdir()] == ["local.json"]


def test_save__fails_half_way__keeps_the_old_file(tmp_path):
    path = tmp_path / "local.json"
    SAMPLE.save(path)
    with pytest.raises(TypeError):
        replace(SAMPLE, parameters={"x": object()}).save(path)
    assert load_deployment(path) == SAMPLE
    assert [p.name for p in tmp_path.iterdir()] == ["local.json"]


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "is not JSON"), ("{}", "schema is not"), ('{"schema": "plimsoll.deployment/1"}', "not a deployment")],
)
def test_load_deployment__damaged__is_one_error(tmp_path, text, message):
    path = tmp_path / "local.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_deployment(path)


def test_load_deployment__missing__is_one_error(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        load_deployment(tmp_path / "none.json")
