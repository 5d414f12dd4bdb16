"""Fail when a contract's deployed code is over the limit of the chain (EIP-170) or its creation code over EIP-3860."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
DEPLOYED_LIMIT_BYTES: Final = 24_576
CREATION_LIMIT_BYTES: Final = 2 * DEPLOYED_LIMIT_BYTES


def size_bytes(code: str) -> int:
    """Bytes of hexadecimal code, with or without its prefix."""
    return len(code.removeprefix("0x")) // 2


def main(root: Path = ROOT) -> int:
    """Print the largest contracts and every one over a limit; return the exit code."""
    builds = [json.loads(path.read_text(encoding="utf-8")) for path in (root / "build" / "contracts").glob("*.json")]
    sizes = {
        build["contractName"]: (size_bytes(build["deployedBytecode"]), size_bytes(build["bytecode"]))
        for build in builds
        if build["sourcePath"].startswith("contracts/")
    }
    if not sizes:
        print("error: nothing is built; run `make build`")
        return 1
    over = {
        name
        for name, (deployed, creation) in sizes.items()
        if deployed > DEPLOYED_LIMIT_BYTES or creation > CREATION_LIMIT_BYTES
    }
    largest = sorted(sizes, key=lambda name: -sizes[name][0])[:5]
    for name in sorted({*largest, *over}, key=lambda name: -sizes[name][0]):
        deployed, creation = sizes[name]
        mark = "  OVER THE LIMIT" if name in over else ""
        print(f"   {name:<20} {deployed:>6} of {DEPLOYED_LIMIT_BYTES} bytes deployed, {creation:>6} created{mark}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
