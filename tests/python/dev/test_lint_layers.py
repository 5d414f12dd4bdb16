"""The lint of layers refuses every import that points the wrong way, wherever it stands in a file."""

import pytest

from tools.lint.layers import ALLOWED, PAGE, ROOT, TABLE, main

#: An import, and where it is planted.
PLANTED = [
    ("mirror", "from plimsoll.chain.client import Client"),
    ("mirror", "from plimsoll import files"),
    ("model", "from plimsoll.mirror import svi"),
    ("decide", "import plimsoll.transact.journal"),
    ("decide", "def late():\n    from plimsoll.index.store import Store"),
    ("index", "from plimsoll.keeper.view import market_of"),
    ("transact", "from plimsoll.decide.bids import decide_bids"),
    ("market", "from plimsoll.analytics.series.moves import moves"),
    ("front", "from plimsoll.cli.output import print_document"),
    ("front", "from plimsoll.transact.sender import Transactor"),
    ("files", "from plimsoll.front.margin import margin"),
    ("frames", "from plimsoll.files.reader import Node"),
    ("chain", "from plimsoll import __version__"),
    ("unheard_of", "from plimsoll.errors import DomainError"),
]


@pytest.fixture
def house(tmp_path):
    """A project with every room and nothing in it but the page that names them."""
    (tmp_path / "contracts").mkdir()
    (tmp_path / PAGE).write_text((ROOT / PAGE).read_text(encoding="utf-8"), encoding="utf-8")
    for room in ALLOWED:
        (tmp_path / "offchain" / "plimsoll" / room).mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(("room", "line"), PLANTED)
def test_layers__an_import_the_wrong_way__is_refused(house, capsys, room, line):
    folder = house / "offchain" / "plimsoll" / room
    folder.mkdir(exist_ok=True)
    (folder / "planted.py").write_text(line + "\n", encoding="utf-8")
    assert main(house) == 1
    assert f"planted.py: {room} must not import " in capsys.readouterr().out


def test_layers__allowed_imports__pass(house):
    for room, allowed in ALLOWED.items():
        lines = [f"import plimsoll.{there}" for there in allowed if there != "__init__"]
        path = house / "offchain" / "plimsoll" / room / "fine.py"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert main(house) == 0


def test_layers__are_no_circle():
    def reached(room, seen):
        for there in ALLOWED[room] - seen:
            seen.add(there)
            reached(there, seen)
        return seen

    assert [room for room in ALLOWED if room in reached(room, set()) and room != "__init__"] == []


def test_layers__contracts_still_point_left(house, capsys):
    for folder, target in (("risk", "../margin/MarginEngine.sol"), ("margin", "../risk/RiskEngine.sol")):
        (house / "contracts" / folder).mkdir()
        (house / "contracts" / folder / "A.sol").write_text(f'import {{A}} from "{target}";\n', encoding="utf-8")
    assert main(house) == 1
    assert capsys.readouterr().out == "contracts/risk/A.sol: risk must not import margin\n"


@pytest.mark.parametrize(
    ("folder", "target", "says"),
    [
        ("unheard_of", "../risk/RiskEngine.sol", "unheard_of must not import risk"),
        ("mocks", "../unheard_of/Box.sol", "mocks must not import unheard_of"),
        ("access", "../libraries/Units.sol", "access must not import libraries"),
    ],
)
def test_layers__a_contract_folder_without_a_place__may_not_import_or_be_imported(house, capsys, folder, target, says):
    (house / "contracts" / folder).mkdir()
    (house / "contracts" / folder / "A.sol").write_text(f'import {{A}} from "{target}";\n', encoding="utf-8")
    assert main(house) == 1
    assert f"contracts/{folder}/A.sol: {says}\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("planted", "says"),
    [
        ("contracts/unheard_of/sub/A.sol", "contracts/unheard_of: no layer of that name is listed\n"),
        ("offchain/plimsoll/unheard_of/a.py", "offchain/plimsoll/unheard_of: no room of that name is listed\n"),
        ("offchain/plimsoll/unheard_of.py", "offchain/plimsoll/unheard_of: no room of that name is listed\n"),
    ],
)
def test_layers__a_folder_without_a_place__is_refused_although_it_imports_nothing(house, capsys, planted, says):
    (house / planted).parent.mkdir(parents=True, exist_ok=True)
    (house / planted).write_text("", encoding="utf-8")
    assert main(house) == 1
    assert capsys.readouterr().out == says


@pytest.mark.parametrize(
    ("named", "instead", "says"),
    [
        ("`storage`", "a database", "storage is missing from the table of rooms"),
        (f"{TABLE}\n|---|---|\n", f"{TABLE}\n|---|---|\n| `attic` | nothing |\n", "attic is no room"),
        ("`access`, `libraries`", "`libraries`, `access`", "the folders of contracts/ are access, libraries, "),
        ("`remote` (", "one (", "the folders of contracts/ are access, libraries, "),
    ],
)
def test_layers__the_page_tells_another_story__is_refused(house, capsys, named, instead, says):
    page = (house / PAGE).read_text(encoding="utf-8")
    assert named in page
    (house / PAGE).write_text(page.replace(named, instead, 1), encoding="utf-8")
    assert main(house) == 1
    assert capsys.readouterr().out.startswith(f"{PAGE}: {says}")


def test_layers__the_project_itself__has_no_fault(capsys):
    assert main(ROOT) == 0
    assert capsys.readouterr().out == ""
