"""The lint of dependencies refuses both kinds of disagreement between imports and pyproject.toml."""

from pathlib import Path

import pytest

from tools.lint.dependencies import ROOT, UNSEEN, faults, imported, main, normal

HOMES = {"numpy": ["numpy"], "sqlalchemy": ["SQLAlchemy"], "mpmath": ["mpmath"], "rlp": ["rlp"]}
EXTRAS = {"dev": ["mpmath"], "docs": ["mkdocs>=1.6"]}
PROJECT = {"dependencies": ["numpy>=2.0", "SQLAlchemy>=2.0"], "optional-dependencies": EXTRAS}
PACKAGE = {"numpy": Path("a.py"), "sqlalchemy": Path("b.py")}


def test_faults__all_declared_and_all_imported__none():
    others = {"mpmath": Path("t.py"), "numpy": Path("t.py"), "mkdocs": Path("not installed here.py")}
    assert faults(PROJECT, PACKAGE, others, HOMES) == []


@pytest.mark.parametrize(
    ("package", "others", "expected"),
    [
        (PACKAGE | {"mpmath": Path("c.py")}, {}, "c.py: imports mpmath, which is not declared"),
        (PACKAGE, {"rlp": Path("t.py")}, "t.py: imports rlp, which no extra declares"),
        (PACKAGE, {"ghost": Path("t.py")}, "t.py: imports ghost, which no extra declares"),
        ({"numpy": Path("a.py")}, {}, "pyproject.toml: sqlalchemy is declared and never imported"),
    ],
    ids=["of the package, in dev alone", "of a test, nowhere", "of nobody", "declared for nothing"],
)
def test_faults__one__is_named(package, others, expected):
    assert faults(PROJECT, package, others, HOMES) == [expected]


def test_imported__late_imports_count_and_own_modules_do_not(tmp_path):
    (tmp_path / "a.py").write_text(
        "import json\nfrom plimsoll import x\ndef f():\n    import rlp.codec\n", encoding="utf-8"
    )
    assert imported(tmp_path) == {"rlp": tmp_path / "a.py"}


def test_normal__names_are_compared_as_indexes_do():
    assert [normal(x) for x in ("SQLAlchemy>=2.0", "eth_abi", "eth-brownie==1.22.2")] == [
        "sqlalchemy",
        "eth-abi",
        "eth-brownie",
    ]


def test_main__the_project_itself__has_no_fault(capsys):
    assert main(ROOT) == 0
    assert capsys.readouterr().out == ""
    assert set(UNSEEN) == {"coincurve", "clarabel"}
