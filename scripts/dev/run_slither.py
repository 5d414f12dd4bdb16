"""Run slither on the contracts and fail on a finding of high or medium impact.

Slither gets the sources as standard JSON, because its Brownie reader does not follow imports between folders.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
INPUT: Final = ROOT / "build" / "slither.json"
COMPILER: Final = ROOT / ".solcx" / "solc-v0.8.30"
#: Left out because they flag what fixed-point code and this style do on purpose: dividing by the scale before the
#: next product, comparing with zero, counters that start at zero, and parts of a result that are not needed.
EXCLUDED: Final = ("divide-before-multiply", "incorrect-equality", "uninitialized-local", "unused-return")
OPTIONS: Final = (
    "--compile-force-framework=solc-json",
    "--filter-paths=node_modules|contracts/mocks",
    "--exclude-low",
    "--exclude-informational",
    "--exclude-optimization",
    f"--exclude={','.join(EXCLUDED)}",
)


def standard_json() -> dict[str, Any]:
    """Everything under contracts/ as compiler input, with the cheapest settings that compile."""
    sources = {
        path.relative_to(ROOT).as_posix(): {"content": path.read_text(encoding="utf-8")}
        for path in sorted((ROOT / "contracts").rglob("*.sol"))
    }
    settings = {
        "viaIR": True,
        "evmVersion": "prague",
        "optimizer": {"enabled": True, "runs": 1},
        "remappings": ["@openzeppelin/=node_modules/@openzeppelin/", "solady/=node_modules/solady/"],
    }
    return {"language": "Solidity", "sources": sources, "settings": settings}


def main() -> int:
    """Return slither's exit code: 0 without a finding."""
    INPUT.parent.mkdir(exist_ok=True)
    INPUT.write_text(json.dumps(standard_json()), encoding="utf-8")
    slither = Path(sys.executable).parent / "slither"
    command = [str(slither), str(INPUT), f"--solc={COMPILER}", *OPTIONS]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
