"""Other protocols as they were published: compiled contracts of Uniswap v3 and the sources of Morpho Blue, from npm.

Nothing of them is part of the project: the packages are development dependencies. Morpho's package holds no compiled
contracts; its sources are compiled here by the project's own compiler, which the one that they name is not.
"""

from __future__ import annotations

import functools
import json
import math
import subprocess
from pathlib import Path
from typing import Any

from tools.setup.compiler import FOLDER, VERSION

MODULES = Path(__file__).resolve().parents[3] / "node_modules"
PACKAGES = MODULES / "@uniswap"
MORPHO = MODULES / "@morpho-org" / "morpho-blue"
#: What is compiled of Morpho: itself, and its own stand-ins for the models and oracles of a market.
MORPHO_FILES = {
    "Morpho": "src/Morpho.sol",
    "IrmMock": "src/mocks/IrmMock.sol",
    "OracleMock": "src/mocks/OracleMock.sol",
}
FEE, SPACING = 3_000, 60
Q96 = 2**96
#: Of the manager: all that can be collected; a deadline that never comes.
MAX, FOREVER = 2**128 - 1, 2**40


def published(package: str, name: str) -> dict[str, Any]:
    """ABI and creation code of one contract."""
    path = PACKAGES / package / "artifacts" / "contracts" / f"{name}.sol" / f"{name}.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


def root_of(price: float, base_decimals: int, cash_decimals: int, *, base_first: bool) -> int:
    """Root of a pool's price, Q96, at a price of the base in cash."""
    raw = price * 10.0 ** (cash_decimals - base_decimals)
    return int(math.sqrt(raw if base_first else 1 / raw) * Q96)


def tick_of(price: float, base_decimals: int, cash_decimals: int, *, base_first: bool) -> int:
    """The nearest tick of the pool's spacing."""
    raw = price * 10.0 ** (cash_decimals - base_decimals)
    tick = math.log(raw if base_first else 1 / raw) / math.log(1.0001)
    return round(tick / SPACING) * SPACING


@functools.cache
def morpho_contracts() -> dict[str, dict[str, Any]]:
    """ABI and creation code of Morpho, of a rate model and of an oracle, by name."""
    texts = {str(path.relative_to(MORPHO)): path.read_text(encoding="utf-8") for path in MORPHO.rglob("src/**/*.sol")}
    sources = {name: {"content": text.replace("pragma solidity 0.8.19;", "")} for name, text in texts.items()}
    settings = {
        **{"viaIR": True, "evmVersion": "prague", "optimizer": {"enabled": True, "runs": 999_999}},
        "outputSelection": {file: {"*": ["abi", "evm.bytecode.object"]} for file in MORPHO_FILES.values()},
    }
    question = {"language": "Solidity", "sources": dict(sorted(sources.items())), "settings": settings}
    command = [str(FOLDER / f"solc-v{VERSION}"), "--standard-json"]
    done = subprocess.run(command, input=json.dumps(question), capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    faults = [entry["formattedMessage"] for entry in answer.get("errors", []) if entry["severity"] == "error"]
    assert not faults, faults[0]
    found = {name: answer["contracts"][file][name] for name, file in MORPHO_FILES.items()}
    return {
        name: {"abi": made["abi"], "bytecode": f"0x{made['evm']['bytecode']['object']}"} for name, made in found.items()
    }
