"""The lint of constants refuses a second definition of a shared number, in Python and in Solidity."""

import pytest

from plimsoll.constants import MAX_SAMPLES
from tools.lint.constants import ROOT, main

PYTHON = [
    ("WAD = 10**18", "WAD"),
    ("ONE = 10 ** 18", "WAD"),
    ("DAY_SEC: int = 24 * 3600", "DAY_SEC"),
    ("LIFE_SEC = 30 * 86_400", "DAY_SEC"),
    ("def years(sec):\n    return sec / 31_536_000.0", "YEAR_SEC"),
    ("class A:\n    FUND_ID = 1", "FUND_ID"),
    ("AGREEMENT_BOUND = 1e-5", "AGREEMENT_BOUND"),
    ("MAX_SAMPLES: Final = 1_800", "MAX_SAMPLES"),
]
SOLIDITY = [
    ("uint256 private constant WAD = 1e18;", "WAD"),
    ("int256 private constant YEAR = 365 days;", "YEAR"),
    ("uint256 private constant FUND = 1;", "FUND"),
]
FINE = "from plimsoll.constants import DAY_SEC\nWEEK_SEC = 7 * DAY_SEC\nBIG = 10**17\nNEVER = float('inf')\n"


@pytest.fixture
def house(tmp_path):
    """A project whose only constants are where they belong."""
    package, libraries = tmp_path / "offchain" / "plimsoll", tmp_path / "contracts" / "libraries"
    for folder in (package / "room", libraries, tmp_path / "contracts" / "room"):
        folder.mkdir(parents=True)
    (package / "constants.py").write_text("WAD = 10**18\nDAY_SEC = 86_400\n", encoding="utf-8")
    (package / "room" / "fine.py").write_text(FINE, encoding="utf-8")
    (libraries / "Units.sol").write_text("uint256 internal constant UWAD = 1e18;\n", encoding="utf-8")
    (tmp_path / "contracts" / "room" / "Fine.sol").write_text("constant WAD = Units.UWAD;\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(("line", "name"), PYTHON)
def test_constants__second_definition_in_python__is_refused(house, capsys, line, name):
    (house / "offchain" / "plimsoll" / "room" / "planted.py").write_text(line + "\n", encoding="utf-8")
    assert main(house) == 1
    assert f"{name} is defined in plimsoll/constants.py" in capsys.readouterr().out


@pytest.mark.parametrize(("line", "name"), SOLIDITY)
def test_constants__second_definition_in_solidity__is_refused(house, capsys, line, name):
    (house / "contracts" / "room" / "Planted.sol").write_text(f"    {line}\n", encoding="utf-8")
    assert main(house) == 1
    assert f"room/Planted.sol:1: {name} has a value that libraries/Units.sol defines" in capsys.readouterr().out


def test_constants__derived_and_other_numbers__pass(house, capsys):
    assert main(house) == 0
    assert capsys.readouterr().out == ""


def test_constants__the_project_itself__has_no_fault(capsys):
    assert main() == 0, capsys.readouterr().out


def test_max_samples__is_that_of_the_contract():
    source = (ROOT / "contracts" / "feeds" / "SettlementPrices.sol").read_text(encoding="utf-8")
    assert f" constant MAX_SAMPLES = {MAX_SAMPLES};" in source
