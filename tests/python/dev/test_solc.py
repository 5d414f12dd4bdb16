"""The compiler on every core: the code is that of one run, and an answer that is kept is given again."""

import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from tools.generate.artifacts import source_digest

ROOT = Path(__file__).resolve().parents[3]
WRAPPER = ROOT / "tools" / "setup" / "solc.cjs"
#: One run of the compiler over all sources, without the wrapper.
PLAIN = """
const solc = require(process.argv[1]);
process.stdout.write(solc.compile(require("fs").readFileSync(0, "utf8")));
"""
COUNT = 17


def source(number):
    """A contract that inherits from one, calls a library and creates another, so that parts share code."""
    head = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.30;\n"
    if number == 0:
        return head + "library L0 { function f(uint256 x) internal pure returns (uint256) { return x * x + 1; } }\n"
    body = f"function g{number}(uint256 x) external pure returns (uint256) {{ return L0.f(x) + {number}; }}"
    if number == 1:
        return head + f'import {{L0}} from "./C0.sol";\ncontract C1 {{ {body} }}\n'
    other = f'import {{L0}} from "./C0.sol";\nimport {{C{number - 1}}} from "./C{number - 1}.sol";\n'
    make = f"function make{number}() external returns (address) {{ return address(new C1()); }}"
    one = 'import {C1} from "./C1.sol";\n' if number > 2 else ""
    return head + other + one + f"contract C{number} is C{number - 1} {{ {body} {make} }}\n"


@pytest.fixture(scope="module")
def request_text():
    wanted = {"*": {"*": ["abi", "evm.bytecode", "evm.deployedBytecode"], "": ["ast"]}}
    # In another order than that of the names, as Brownie has it.
    names = sorted(range(COUNT), key=lambda n: -n * 7 % COUNT)
    return json.dumps(
        {
            "language": "Solidity",
            "sources": {f"contracts/C{n}.sol": {"content": source(n)} for n in names},
            "settings": {
                "viaIR": True,
                "evmVersion": "prague",
                "optimizer": {"enabled": True, "runs": 800},
                "outputSelection": wanted,
            },
        }
    )


def compiled(request_text, cache, cwd=None):
    """The wrapper's answer."""
    done = subprocess.run(
        ["node", str(WRAPPER), "--standard-json"],
        input=request_text,
        env={**os.environ, "PLIMSOLL_CACHE": str(cache)},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def kept(request_text, tmp_path_factory):
    """A cache that was empty, and the answer that was put into it."""
    cache = tmp_path_factory.mktemp("cache")
    return SimpleNamespace(cache=cache, answer=compiled(request_text, cache))


def test_solc__in_parts__is_byte_for_byte_one_run(request_text, kept):
    module = str(ROOT / "node_modules" / "solc")
    plain = subprocess.run(
        ["node", "-e", PLAIN, module], input=request_text, capture_output=True, text=True, check=True
    )
    whole, parts = json.loads(plain.stdout), kept.answer
    assert len(whole["contracts"]) == COUNT
    assert parts["contracts"] == whole["contracts"]
    assert parts["sources"] == whole["sources"]


def test_solc__kept_answer__is_given_again_and_only_for_the_same_sources(request_text, kept):
    (file,) = (kept.cache / "solc").iterdir()
    file.write_text(json.dumps({"planted": True}), encoding="utf-8")
    reordered = json.loads(request_text)
    reordered["sources"] = dict(sorted(reordered["sources"].items()))
    assert compiled(json.dumps(reordered), kept.cache) == {"planted": True}
    changed = request_text.replace("x * x + 1", "x * x + 2")
    assert compiled(changed, kept.cache)["contracts"] != kept.answer["contracts"]


def test_solc__a_file_that_the_compiler_reads_itself__is_part_of_what_is_kept(tmp_path):
    (tmp_path / "interfaces").mkdir()
    text = 'pragma solidity ^0.8.0; import "../interfaces/I.sol"; contract C { function f(I.S memory) external {} }'
    asked = {
        "language": "Solidity",
        "sources": {"contracts/C.sol": {"content": text.replace("; ", ";\n")}},
        "settings": {"outputSelection": {"contracts/C.sol": {"C": ["evm.methodIdentifiers"]}}},
    }
    selectors = []
    for fields in ("uint256 a;", "uint256 a; bool b;"):
        (tmp_path / "interfaces" / "I.sol").write_text(f"interface I {{ struct S {{ {fields} }} }}", encoding="utf-8")
        answer = compiled(json.dumps(asked), tmp_path, cwd=tmp_path)
        selectors.append(answer["contracts"]["contracts/C.sol"]["C"]["evm"]["methodIdentifiers"])
    assert [*selectors[0]] == ["f((uint256))"]
    assert [*selectors[1]] == ["f((uint256,bool))"]


def test_solc__sources_with_a_mistake__are_not_kept(request_text, tmp_path):
    answer = compiled(request_text.replace("x * x + 1", "x * y + 1"), tmp_path)
    assert any(error["severity"] == "error" for error in answer["errors"])
    assert not (tmp_path / "solc").exists()


@pytest.fixture
def tree(tmp_path):
    """The least that a digest is made of."""
    (tmp_path / "contracts" / "mocks").mkdir(parents=True)
    (tmp_path / "interfaces").mkdir()
    (tmp_path / "contracts" / "A.sol").write_text("contract A {}", encoding="utf-8")
    (tmp_path / "contracts" / "mocks" / "B.sol").write_text("contract B {}", encoding="utf-8")
    (tmp_path / "interfaces" / "IA.sol").write_text("interface IA {}", encoding="utf-8")
    for name in ("brownie-config.yaml", "package-lock.json"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    return tmp_path


@pytest.mark.parametrize(
    "name", ["contracts/A.sol", "contracts/mocks/B.sol", "interfaces/IA.sol", "brownie-config.yaml"]
)
def test_digest__any_source_or_setting_changes__it_changes(tree, name):
    before = source_digest(tree)
    assert source_digest(tree) == before
    (tree / name).write_text((tree / name).read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert source_digest(tree) != before


def test_digest__another_compiler__it_changes(tree):
    before = source_digest(tree)
    lock = json.loads((tree / "package-lock.json").read_text(encoding="utf-8"))
    lock["packages"]["node_modules/solc"]["integrity"] = "sha512-another"
    (tree / "package-lock.json").write_text(json.dumps(lock), encoding="utf-8")
    assert source_digest(tree) != before
