"""Faults planted in the keeper still fit its source, and every line of the page has one; seen to fail is a long run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faults.proof.__main__ import PLANTS, wanted
from tests.faults.proof.page import bare, lines_of
from tests.faults.proof.plant import ROOT, SOURCE, Change, Plant, StalePlantError, planted
from tests.faults.proof.report import render
from tests.faults.proof.trial import Trial, TrialError, Verdict, copied, read_report

LINES = lines_of()


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_planted__every_plant__changes_the_source_in_one_place_each(plant):
    changed = planted(plant)
    assert changed
    for path, text in changed.items():
        assert text != (SOURCE / "plimsoll" / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_page__every_line__has_plants_which_its_tests_notice(line):
    plants = [plant for plant in PLANTS if plant.line == line.name]
    assert plants, "nothing is planted for the line"
    assert line.planted == "; ".join(plant.name for plant in plants)
    assert set(line.tests) == {bare(test) for plant in plants for test in plant.tests}


def test_page__plants__are_of_its_lines_and_in_their_order():
    names = list(dict.fromkeys(plant.line for plant in PLANTS))
    assert names == [line.name for line in LINES]
    assert len({(plant.line, plant.name) for plant in PLANTS}) == len(PLANTS)


@pytest.mark.parametrize("test", sorted({bare(test) for plant in PLANTS for test in plant.tests}))
def test_plants__every_test__is_there(test):
    path, name = test.split("::")
    assert re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)


def plant_of(*changes: Change) -> Plant:
    return Plant("a line", "a plant", ("tests/x.py::test_y",), changes)


@pytest.mark.parametrize(
    ("text", "instead", "reason"),
    [
        ("no such words are here", "", "has it 0 times"),
        ("Final", "", r"has it \d+ times"),
        ("BPS: Final = 10_000", "BPS: Final = (", "is no Python any more"),
    ],
)
def test_planted__source_has_moved_on__is_refused_by_name(text, instead, reason):
    with pytest.raises(StalePlantError, match=f"a line: a plant: transact/policy.py {reason}"):
        planted(plant_of(Change("transact/policy.py", text, instead)))


def test_planted__two_changes_of_one_file__are_both_in_it():
    names = ("\nBPS: Final = ", "LEAST_BUMP_BPS: Final = ")
    (text,) = planted(plant_of(*(Change("transact/policy.py", name, f"{name}1 + ") for name in names))).values()
    assert text.count("1 + ") == 2


def test_copied__the_copy__has_the_change_and_the_source_has_not():
    before = (SOURCE / "plimsoll" / "transact" / "policy.py").read_text(encoding="utf-8")
    with copied({"transact/policy.py": "planted = True\n"}) as copy:
        assert (copy / "plimsoll" / "transact" / "policy.py").read_text(encoding="utf-8") == "planted = True\n"
        assert (copy / "plimsoll" / "transact" / "fees.py").is_file()
    assert not copy.exists()
    assert (SOURCE / "plimsoll" / "transact" / "policy.py").read_text(encoding="utf-8") == before


REPORT = """<testsuites><testsuite>
<testcase file="tests/a.py" name="test_one"><failure message="assert 1 == 2&#10;more">x</failure></testcase>
<testcase file="tests/a.py" name="test_two[a]"><failure message="no">x</failure></testcase>
<testcase file="tests/a.py" name="test_two[b]"/>
<testcase file="tests/a.py" name="test_three"><error message="no chain">x</error></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.xml"
    path.write_text(REPORT, encoding="utf-8")
    return path


def test_read_report__only_what_fails_in_the_test_itself_and_in_every_case__has_noticed(report):
    names = ("test_one", "test_two", "test_two[a]", "test_three")
    found = read_report(report, [f"tests/a.py::{name}" for name in names])
    said = {name: (found[f"tests/a.py::{name}"].failed, found[f"tests/a.py::{name}"].reason) for name in names}
    assert [name for name in names if found[f"tests/a.py::{name}"].passed] == []
    assert read_report(report, ["tests/a.py::test_two[b]"])["tests/a.py::test_two[b]"].passed
    assert said == {
        "test_one": (True, "assert 1 == 2"),
        "test_two": (False, "1 of 2 passed"),
        "test_two[a]": (True, "no"),
        "test_three": (False, "no chain"),
    }


def test_read_report__test_that_was_not_run__is_an_error(report):
    with pytest.raises(TrialError, match="test_four was not run"):
        read_report(report, ["tests/a.py::test_four"])


def test_trial__one_test_of_two_passes__is_missed_and_the_report_says_which():
    verdicts = [Verdict("tests/a.py::test_one", True, "a | b"), Verdict("tests/a.py::test_two", False, "1 of 1 passed")]
    trial = Trial(plant_of(), verdicts, 3.2)
    assert not trial.is_noticed
    assert Trial(plant_of(), verdicts[:1]).is_noticed
    assert not Trial(plant_of()).is_noticed
    first, second = render([trial]).splitlines()[-2:]
    assert first == "| a line | a plant | `tests/a.py::test_one` | yes: a \\| b | 3 |"
    assert "**missed**: 1 of 1 passed" in second


def test_wanted__part_of_a_line_or_a_name__takes_these_alone():
    assert {plant.line for plant in wanted("KILL -9")} == {"kill -9"}
    assert wanted("no plant is called this") == []
    assert len(wanted("")) == len(PLANTS)
