"""Generated tables and the judgement of static findings."""

import pytest

from tools.generate import tables
from tools.lint import static_analysis
from tools.lint.static_analysis import JUSTIFIED, judge, place_of, standard_json


def finding(check, contract, name):
    element = {"name": name, "type_specific_fields": {"parent": {"name": contract}}}
    return {"check": check, "elements": [element], "description": "first line\nsecond"}


ALL = [finding(check, *place.split(".")) for check, place in JUSTIFIED]


def test_judge__every_finding_justified__no_fault():
    assert judge(ALL) == []
    assert judge([*ALL, ALL[0]]) == []


OPEN = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;
contract Till { function burn(address payable to) external { selfdestruct(to); } }
"""


def test_analyse__a_contract_that_anybody_may_destroy__is_found(monkeypatch, tmp_path):
    """Slither itself runs in this checkout, whose settings for other tools it must not follow."""
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "Till.sol").write_text(OPEN, encoding="utf-8")
    document = {**standard_json(), "sources": {"contracts/Till.sol": {"content": OPEN}}}
    monkeypatch.setattr(static_analysis, "LINKED", ())
    monkeypatch.setattr(static_analysis, "standard_json", lambda: document)
    answer = static_analysis.analyse(tmp_path)
    assert answer["success"], answer["error"]
    assert {(f["check"], place_of(f)) for f in answer["results"]["detectors"]} == {("suicidal", "Till.burn")}


def test_judge__new_finding__is_a_fault():
    assert judge([*ALL, finding("arbitrary-send-erc20", "Vault", "withdraw")]) == [
        "arbitrary-send-erc20 in Vault.withdraw: first line"
    ]


def test_judge__justification_that_nothing_needs__is_a_fault():
    (check, place), *_ = sorted(JUSTIFIED)
    left = [entry for entry in ALL if (entry["check"], entry["elements"][0]["name"]) != (check, place.split(".")[1])]
    assert judge(left) == [f"{check} in {place} is justified, but not found"]


def test_access__names_who_may_call():
    table = tables.access()
    for row in (
        "| Accounts | `moveCash` | modules |",
        "| Oracle | `pause` | guardian |",
        "| Oracle | `setSigners` | governor |",
        "| DraftBook | `setBook` | ParameterPreview |",
        "| InsuranceFund | `draw` | Auction |",
    ):
        assert row in table
    assert "`snapshotOf`" not in table


@pytest.mark.parametrize("change", ["access", "storage"])
def test_check__table_out_of_date__fails(monkeypatch, tmp_path, capsys, change):
    texts = {"access": "access\n", "storage": "storage\n"}
    for name, text in texts.items():
        path = tmp_path / f"{name}.md"
        path.write_text(text, encoding="utf-8")
        monkeypatch.setattr(tables, name.upper(), path)
        monkeypatch.setattr(tables, name, lambda text=text: text)
    monkeypatch.setattr(tables, "ROOT", tmp_path)
    assert tables.main(["--check"]) == 0
    (tmp_path / f"{change}.md").write_text("old\n", encoding="utf-8")
    assert tables.main(["--check"]) == 1
    assert f"{change}.md is out of date" in capsys.readouterr().out
    assert tables.main([]) == 0
    assert tables.main(["--check"]) == 0
