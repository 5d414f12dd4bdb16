"""Prove what a solver can prove of the small libraries: every input at once, with halmos over ``tests/symbolic``.

Halmos takes what ``forge build`` wrote. Here the project's own compiler writes it, and a ``forge`` that does nothing
stands in the path. Halmos lives in an environment of its own, since its pins and those of Brownie exclude each other.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
CHECKS: Final = ROOT / "tests" / "symbolic"
WORK: Final = ROOT / "build" / "symbolic"
HALMOS: Final = ROOT / ".symbolic" / "bin" / "halmos"
OUTPUT: Final = ["abi", "evm.bytecode", "evm.deployedBytecode", "evm.methodIdentifiers", "metadata"]
SETTINGS: Final = {
    "optimizer": {"enabled": True, "runs": 200},
    "evmVersion": "prague",
    "outputSelection": {"*": {"*": OUTPUT, "": ["ast"]}},
}
TIMEOUT_MS: Final = 120_000


def compiled() -> dict[str, Any]:
    """Compile every check with the project's compiler."""
    sources = {f"tests/symbolic/{path.name}": {"content": path.read_text()} for path in sorted(CHECKS.glob("*.sol"))}
    request = json.dumps({"language": "Solidity", "sources": sources, "settings": SETTINGS})
    command = ["node", str(ROOT / "tools" / "setup" / "solc.cjs"), "--standard-json"]
    answer = json.loads(subprocess.run(command, input=request, capture_output=True, text=True, check=True).stdout)
    errors = [e["formattedMessage"] for e in answer.get("errors", ()) if e["severity"] == "error"]
    if errors:
        raise SystemExit(f"error: {errors[0]}")
    return dict(answer)


def write(answer: dict[str, Any]) -> int:
    """Lay the checks out as forge does; return how many there are."""
    count = 0
    for path, contracts in answer["contracts"].items():
        if not path.startswith("tests/symbolic/"):
            continue
        folder = WORK / "out" / Path(path).name
        folder.mkdir(parents=True, exist_ok=True)
        for name, made in contracts.items():
            evm = made["evm"]
            count += sum(function.startswith("check_") for function in evm["methodIdentifiers"])
            code = {key: {**evm[key], "object": "0x" + evm[key]["object"]} for key in ("bytecode", "deployedBytecode")}
            document = {
                **{"abi": made["abi"], "methodIdentifiers": evm["methodIdentifiers"], **code},
                **{"metadata": json.loads(made["metadata"]), **answer["sources"][path]},
            }
            (folder / f"{name}.json").write_text(json.dumps(document))
    return count


def main() -> int:
    """Compile, prove, and fail when a check failed, timed out or was not run."""
    count = write(compiled())
    forge = WORK / "bin" / "forge"
    forge.parent.mkdir(parents=True, exist_ok=True)
    forge.write_text("#!/bin/sh\nexit 0\n")
    forge.chmod(0o755)
    report = WORK / "result.json"
    report.unlink(missing_ok=True)
    command = [str(HALMOS), "--root", str(WORK), "--forge-build-out", "out", "--json-output", str(report)]
    command += ["--solver-timeout-assertion", str(TIMEOUT_MS)]
    path = {"PATH": f"{forge.parent}{os.pathsep}{HALMOS.parent}{os.pathsep}{os.environ['PATH']}"}
    ended = subprocess.run(command, env={**os.environ, **path}, check=False)
    results = [r for tests in json.loads(report.read_text())["test_results"].values() for r in tests]
    proven = sum(r["exitcode"] == 0 for r in results)
    print(f"{proven} of {count} checks proven for every input", file=sys.stderr)
    return 0 if ended.returncode == 0 and proven == count else 1


if __name__ == "__main__":
    sys.exit(main())
