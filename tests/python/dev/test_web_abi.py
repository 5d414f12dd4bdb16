"""What the wallet page knows of the contracts is what they are: ABI, typed data, and every error with its reason."""

import json

import pytest

from plimsoll.chain.abi import all_artifacts
from plimsoll.protocol.orders import ORDER_FIELDS
from tools.generate import web_abi


def test_modules__of_this_commit__are_up_to_date(monkeypatch):
    monkeypatch.setattr("sys.argv", ["web_abi.py", "--check"])
    assert web_abi.main() == 0


def test_check__module_that_differs__is_refused_and_not_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(web_abi, "CHAIN", tmp_path)
    monkeypatch.setattr(web_abi, "ROOT", tmp_path)
    (tmp_path / "errors.ts").write_text(web_abi.errors_module(), encoding="utf-8")
    (tmp_path / "abi.ts").write_text(web_abi.abi_module().replace("uint256", "uint255", 1), encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["web_abi.py", "--check"])
    assert web_abi.main() == 1
    assert "abi.ts is out of date" in capsys.readouterr().err
    assert "uint255" in (tmp_path / "abi.ts").read_text(encoding="utf-8")


def test_errors__of_every_contract__are_there_once():
    declared = {entry["name"] for artifact in all_artifacts() for entry in artifact.abi if entry["type"] == "error"}
    rows = list(web_abi.errors())
    assert {name for _, name, _, _ in rows} == declared
    assert len({selector for selector, *_ in rows}) == len(rows)


def test_reasons__of_the_project_s_own_errors__come_from_their_natspec():
    without = [name for _, name, reason, _ in web_abi.errors() if "__" in name and not reason]
    # A preview answers by an error, and one error says in its name all that there is to say.
    assert sorted(without) == ["ParameterPreview__Result", "RateFeed__TooEarly"]


def test_signed_types__order__are_those_of_the_python_side():
    assert web_abi.signed_types()["Order"] == [dict(field) for field in ORDER_FIELDS]


def test_chosen__function_that_a_contract_lost__is_named(monkeypatch):
    monkeypatch.setitem(web_abi.USED, "Vault", ("noSuchFunction",))
    with pytest.raises(SystemExit, match="Vault has 0 functions called noSuchFunction"):
        web_abi.chosen("Vault")


def test_slim__entry__keeps_what_a_wallet_needs():
    entry = {"name": "x", "type": "uint256", "internalType": "uint256", "indexed": False}
    assert json.dumps(web_abi.slim(entry)) == '{"name": "x", "type": "uint256"}'
