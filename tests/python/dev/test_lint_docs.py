"""Every event and error of the interfaces is named on a page; a short name goes with the contract before it."""

import pytest

from tools.lint.docs import (
    ROOT,
    dead_mirrors,
    dead_paths,
    dead_symbols,
    described,
    main,
    misplaced,
    unmentioned,
    unwrapped,
    words_of,
)

INTERFACE = """
    event Moved(uint256 id);
    error Box__Full(uint256 observed, uint256 limit);
    error Box__Empty(uint256 observed, uint256 limit);
"""


@pytest.fixture
def faults(tmp_path):
    """What the check finds between one interface and one page."""

    def check(page):
        (tmp_path / "IBox.sol").write_text(INTERFACE, encoding="utf-8")
        (tmp_path / "box.md").write_text(page, encoding="utf-8")
        return list(unmentioned([tmp_path / "IBox.sol"], [tmp_path / "box.md"]))

    return check


def test_unmentioned__all_named_once__finds_nothing(faults):
    assert faults("| `Moved` | when | `Box__Full(observed, limit)`, `__Empty` |") == []


@pytest.mark.parametrize(
    ("page", "missing"),
    [
        ("`Moved`, `Box__Full`", "error Box__Empty"),
        ("Moved is an event; `Box__Full`, `__Empty`", "event Moved"),
        ("`Moved`, `Box__Full`, `Lid__Open`, `__Empty`", "error Box__Empty"),
        ("`Moved`, `Box__Fuller`, `__Empty`", "error Box__Full"),
    ],
    ids=["left out", "not as code", "short name behind another contract", "longer name"],
)
def test_unmentioned__one_missing__is_named(faults, page, missing):
    assert faults(page) == [f"IBox.sol: {missing} is in no page of docs/"]


def test_described__wildcard__names_nothing():
    assert described("`Box__*`") == {"Box__"}


def test_dead_paths__only_what_is_not_there_is_named(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "here.md").touch()
    page = tmp_path / "page.md"
    page.write_text(
        "`docs/here.md`, docs/, `docs/{here,gone}.md`, docs/*.md, other/docs/gone.md\nsee docs/gone.md.\n",
        encoding="utf-8",
    )
    assert list(dead_paths(page, tmp_path)) == ["2: docs/gone.md does not exist"]


@pytest.mark.parametrize(
    ("span", "dead"),
    [
        ("Box.open", False),
        ("Box.close", True),
        ("Lid.open", True),
        ("Box.open(id)", False),
        ("_stir", False),
        ("_shake()", True),
        ("pour()", True),
        ("open(id)", False),
        ("pm.open", False),
        ("pm.shut", True),
        ("max(x) + open_e", False),
        ("shake", False),
    ],
)
def test_dead_symbols__a_name_that_no_source_has__is_named(tmp_path, span, dead):
    source, page = tmp_path / "Box.sol", tmp_path / "page.md"
    source.write_text("contract Box { function open(uint256 id) external { _stir(id); } }", encoding="utf-8")
    page.write_text(f"First.\n\nThen `{span}`.\n", encoding="utf-8")
    expected = [f"3: {span} names what no source has"] if dead else []
    assert list(dead_symbols(page, words_of([source]))) == expected


def test_dead_mirrors__a_module_or_a_package_is_one(tmp_path):
    package = tmp_path / "offchain" / "plimsoll" / "mirror"
    package.mkdir(parents=True)
    (package / "svi.py").touch()
    source = tmp_path / "A.sol"
    names = ("plimsoll.mirror", "plimsoll.mirror.svi", "math.isqrt", "plimsoll.mirror.gone")
    source.write_text("".join(f"/// @custom:mirror {name}\n" for name in names), encoding="utf-8")
    assert list(dead_mirrors(source, tmp_path)) == ["mirror plimsoll.mirror.gone does not exist"]


@pytest.mark.parametrize(
    ("page", "missing"),
    [
        ("`pour` in `offchain/box.py`", None),
        ("`pour(what)`\nin `box.py`", None),
        ("`spill` in `offchain/box.py`", "spill"),
        ("`spill()`\nof `box.py`", "spill"),
        ("`box.py`, `pour`; `box.py` `Box.close`", "Box.close"),
        ("`offchain/box.py`, `Box.pour`", None),
        ("`other/box.py`, `pour`", "pour"),
        ("`box.py`, `lid.py`", None),
        ("`spill` is not what `box.py` has", None),
    ],
)
def test_misplaced__a_name_that_the_file_beside_it_lacks__is_found(tmp_path, page, missing):
    source, text = tmp_path / "offchain" / "box.py", tmp_path / "page.md"
    source.parent.mkdir()
    source.write_text("class Box:\n    # spill is no name of this file\n    def pour(self): ...\n", encoding="utf-8")
    text.write_text(f"First.\n\n{page}\n", encoding="utf-8")
    found = list(misplaced(text, [source]))
    assert [fault.rpartition(" has no ")[2] for fault in found] == ([] if missing is None else [missing])
    assert all(fault.startswith("3: ") for fault in found)


def test_unwrapped__prose_alone_that_could_be_broken__is_too_wide(tmp_path):
    wide, page = "word " * 25, tmp_path / "page.md"
    lines = [
        wide[:120],
        wide,
        f"| {wide}|",
        "```",
        wide,
        "```",
        f"- {wide}",
        f"`{wide}`",
        f"- [link](https://{'a' * 130})",
        wide,
    ]
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = list(unwrapped(page))
    assert [fault.partition(":")[0] for fault in found] == ["2", "7", "10"]
    assert found[0] == "2: 125 columns of prose, 120 is the limit"


def test_main__the_project_itself__has_no_fault(capsys):
    assert main(ROOT) == 0
    assert capsys.readouterr().out == ""
