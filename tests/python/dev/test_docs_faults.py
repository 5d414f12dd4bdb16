"""The page of faults names tests: every one of them is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "proof" / "keeper-faults.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


def test_page__names_tests():
    assert len(NAMED) > 40


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _, name in NAMED])
def test_page__named_test__is_there(file, name):
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


def test_page__every_fault_test__is_named_or_its_file_is():
    for file in sorted((ROOT / "tests" / "faults").glob("test_*.py")):
        relative = f"tests/faults/{file.name}"
        if f"(`{relative}`)" in PAGE:
            continue
        tests = re.findall(r"^def (test_\w+)\(", file.read_text(encoding="utf-8"), re.MULTILINE)
        assert [name for name in tests if (relative, name) not in NAMED] == [], relative
