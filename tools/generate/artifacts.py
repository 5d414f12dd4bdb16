"""Write ABI and creation code of every deployable contract to the package, folder chain/artifacts.

The package reads only these files, never Brownie's build folder, so that it runs without Brownie.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
BUILD: Final = ROOT / "build" / "contracts"
ARTIFACTS: Final = ROOT / "offchain" / "plimsoll" / "chain" / "artifacts"
#: What solc leaves where the address of an external library belongs.
PLACEHOLDER: Final = re.compile(r"__\$[0-9a-fA-F]{34}\$__|__[A-Za-z]\w{0,36}_+")


def deployable(build: dict[str, Any]) -> bool:
    """Whether this build can be deployed by itself: a contract of ours with code and no abstract member."""
    return build.get("type") == "contract" and build["sourcePath"].startswith("contracts/") and bool(build["bytecode"])


def main() -> int:
    """Replace the exported artefacts by those of the present build; return the exit code."""
    builds = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(BUILD.glob("*.json"))]
    chosen = [build for build in builds if deployable(build)]
    if not chosen:
        print(f"error: no deployable contract in {BUILD.relative_to(ROOT)}; run `make build`", file=sys.stderr)
        return 1
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    for stale in ARTIFACTS.glob("*.json"):
        stale.unlink()
    for build in chosen:
        name, code = build["contractName"], build["bytecode"]
        if PLACEHOLDER.search(code):
            print(f"error: {name} needs a linked library; make the library's functions internal", file=sys.stderr)
            return 1
        artifact = {"contractName": name, "abi": build["abi"], "bytecode": "0x" + code.removeprefix("0x")}
        (ARTIFACTS / f"{name}.json").write_text(json.dumps(artifact, indent=1) + "\n", encoding="utf-8")
    print(f"   {len(chosen)} artefacts in {ARTIFACTS.relative_to(ROOT)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
