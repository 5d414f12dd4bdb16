"""The lint of kinds refuses code that decides by an instrument kind outside the homes, in all three languages."""

import pytest

from tools.lint.kinds import HOMES, ROOT, main

PYTHON = [
    "if kind is Kind.PERP:\n    pass",
    "dated = position.kind != model.Kind.PERP",
    "options = [p for p in held if p.kind in (Kind.CALL, Kind.PUT)]",
    "flags = column <= Kind.PUT",
    "match kind:\n    case Kind.FUTURE:\n        pass",
    "TITLES = {Kind.CALL: 'call'}",
    "if entry.kind == 'perp':\n    pass",
    "if leg.right in ('call', 'put'):\n    pass",
    "known = kind <= 3",
    "_PERP: Final = 3",
    "CALL, *OTHERS = range(4)",
]
TYPESCRIPT = [
    "if (kind === PERP) return symbol;",
    "const dated = words.PERP !== position.kind;",
    "const isOption = kind < FUTURE;",
    'if (entry.kind !== "call") continue;',
    "switch (kind) { case PUT: return 1; }",
    "const known = kind <= 3;",
    "const PERP = 3;",
]
SOLIDITY = [
    "if (kind != PositionWord.PERP) revert();",
    "bool isPerp = PERP == word.kindOf();",
    "if (word.kindOf() == 3) return;",
    "if (kind < PositionWord.FUTURE) return;",
    "if iszero(eq(kind, 3)) { leave }",
    "uint256 private constant PUT = 1;",
]
FINE = {
    "offchain/plimsoll/room/fine.py": "leg = Position('ETH', Kind.PERP, 0, 1.0, 1.0)\nif leg.kind.is_option: pass\n"
    "if message.kind is Kind.ROUND: pass\nTABLE = {kind: 1 for kind in Kind}\nif name == 'perp': pass\n",
    "web/src/fine.ts": "const perp = { kind: PERP };\nconst of = [CALL, PUT].map(mark);\n"
    "// kind === PERP\nfilter((kind) => hasExpiry(kind));\n",
    "contracts/room/Fine.sol": "// kind == PERP\n/* kind == 3 */ if (hasExpiry(kind)) x = PositionWord.PERP;\n",
}


def write(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def house(tmp_path):
    """A project in which only the homes decide."""
    for name in HOMES:
        write(tmp_path, name, "")
    kinds = (ROOT / "offchain/plimsoll/model.py").read_text(encoding="utf-8")
    write(tmp_path, "offchain/plimsoll/model.py", kinds)
    write(tmp_path, "contracts/libraries/PositionWord.sol", "return kind < PositionWord.FUTURE;\n")
    for name, text in FINE.items():
        write(tmp_path, name, text)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("offchain/plimsoll/room/planted.py", text) for text in PYTHON),
        *(("web/src/views/planted.tsx", text) for text in TYPESCRIPT),
        *(("contracts/room/Planted.sol", text) for text in SOLIDITY),
    ],
)
def test_kinds__code_that_decides_by_one__is_refused(house, capsys, name, text):
    write(house, name, f"\n{text}\n")
    assert main(house) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{name}:")
    assert "decides by an instrument kind" in line


def test_kinds__a_kind_that_is_added__is_guarded_as_well(house, capsys):
    path = house / "offchain/plimsoll/model.py"
    path.write_text(path.read_text(encoding="utf-8").replace("    PERP = 3\n", "    PERP = 3\n    DIGITAL = 4\n"))
    write(house, "offchain/plimsoll/room/planted.py", "found = kind is Kind.DIGITAL\n")
    write(house, "web/src/planted.ts", "const found = kind === DIGITAL;\n")
    assert main(house) == 1
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_kinds__homes_and_makers_of_instruments__pass(house, capsys):
    assert main(house) == 0, capsys.readouterr().out


def test_kinds__a_home_that_is_gone__is_told(house, capsys):
    (house / "web/src/chain/kinds.ts").unlink()
    assert main(house) == 1
    assert "web/src/chain/kinds.ts: is listed as a home of kinds" in capsys.readouterr().out


def test_kinds__the_project_itself__has_no_fault(capsys):
    assert main() == 0, capsys.readouterr().out
