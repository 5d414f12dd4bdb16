"""Write ABI and creation code of every deployable contract to the package, so that its users need no compiler.

The artefacts are part of the repository and of the wheel. ``make build`` replaces them by what it compiled; continuous
integration refuses a commit whose artefacts are not, byte for byte, what its sources give (``--check``). Whoever only
runs the package asks ``--fresh``: whether the sources here are those that the artefacts were made from, which takes no
compiler. Mocks are for tests alone and go to the build folder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
BUILD: Final = ROOT / "build" / "contracts"
ARTIFACTS: Final = ROOT / "offchain" / "plimsoll" / "chain" / "artifacts"
MOCKS: Final = ROOT / "build" / "mocks"
#: Names the sources that the artefacts were made from.
DIGEST: Final = ARTIFACTS / "sources.sha256"
#: What solc leaves where the address of an external library belongs.
PLACEHOLDER: Final = re.compile(r"__\$[0-9a-fA-F]{34}\$__|__[A-Za-z]\w{0,36}_+")
#: The multihash of the metadata, which solc appends to the code.
METADATA: Final = re.compile(r"64697066735822([0-9a-f]{68})64736f6c6343")
#: Packages whose version decides what the compiler makes of the sources.
PACKAGES: Final = ("solc", "solady", "@openzeppelin/contracts")


def source_digest(root: Path = ROOT) -> str:
    """Hash of all that the artefacts depend on: every source, the compiler's settings, the pinned packages.

    Mocks count as well: they are compiled together with the rest, and the compiler numbers all syntax trees in one row.
    """
    whole = hashlib.sha256()
    files = [*(root / "contracts").rglob("*.sol"), *(root / "interfaces").rglob("*.sol"), root / "brownie-config.yaml"]
    for path in sorted(files):
        whole.update(f"{path.relative_to(root).as_posix()}\n".encode() + path.read_bytes())
    packages = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for name in PACKAGES:
        whole.update(f"{name} {packages[f'node_modules/{name}']['integrity']}\n".encode())
    return whole.hexdigest()


def deployable(build: dict[str, Any]) -> bool:
    """Whether this build can be deployed by itself: a contract of ours with code and no abstract member."""
    return build.get("type") == "contract" and build["sourcePath"].startswith("contracts/") and bool(build["bytecode"])


def artefact(build: dict[str, Any]) -> str:
    """One artefact as text, an entry of the ABI a line, so that a change of one function is a change of one line."""
    code = build["bytecode"].removeprefix("0x")
    hashes = METADATA.findall(code)
    # A contract whose constructor returns code of its own making has none.
    metadata = json.dumps(f"0x{hashes[-1]}" if hashes else None)
    entries = ",\n  ".join(json.dumps(entry) for entry in build["abi"])
    return (
        f'{{\n "contractName": {json.dumps(build["contractName"])},\n "metadataHash": {metadata},\n'
        f' "abi": [\n  {entries}\n ],\n "bytecode": "0x{code}"\n}}\n'
    )


def replace(folder: Path, texts: dict[str, str]) -> None:
    """Make a folder hold these artefacts and no others; an unchanged one is not written again."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.json"):
        if stale.stem not in texts:
            stale.unlink()
    for name, text in texts.items():
        path = folder / f"{name}.json"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def export() -> int:
    """Replace the artefacts by those of the present build; return the exit code."""
    builds = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(BUILD.glob("*.json"))]
    chosen = [build for build in builds if deployable(build)]
    if not chosen:
        print(f"error: no deployable contract in {BUILD.relative_to(ROOT)}; run `make build`", file=sys.stderr)
        return 1
    for build in chosen:
        if PLACEHOLDER.search(build["bytecode"]):
            name = build["contractName"]
            print(f"error: {name} needs a linked library; make the library's functions internal", file=sys.stderr)
            return 1
    mocks = {b["contractName"]: artefact(b) for b in chosen if b["sourcePath"].startswith("contracts/mocks/")}
    own = {b["contractName"]: artefact(b) for b in chosen if b["contractName"] not in mocks}
    replace(ARTIFACTS, own)
    replace(MOCKS, mocks)
    DIGEST.write_text(f"{source_digest()}\n", encoding="utf-8")
    print(f"   {len(own)} artefacts in {ARTIFACTS.relative_to(ROOT)}", file=sys.stderr)
    return 0


def fresh() -> bool:
    """Whether the artefacts were made from the sources that are here."""
    return DIGEST.is_file() and DIGEST.read_text(encoding="utf-8").strip() == source_digest()


def check() -> int:
    """Fail when the artefacts that the last build wrote are not those of the commit, or are not of these sources."""
    if not fresh():
        print("error: the artefacts are of other sources; run `make build`")
        return 1
    command = ["git", "status", "--porcelain", "--", str(ARTIFACTS)]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    # The second column is the difference between the working tree and what is staged or committed.
    changed = [line for line in listed if line[1] != " "]
    for line in changed:
        print(f"{line[3:]}: differs from what the sources give; commit it with them")
    return 1 if changed else 0


def main() -> int:
    """Export, or answer the question that was asked."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--fresh", action="store_true", help="exit 1 unless the artefacts are of these sources")
    options.add_argument("--check", action="store_true", help="exit 1 unless the commit has what the build made")
    asked = options.parse_args()
    if asked.fresh:
        return 0 if fresh() else 1
    return check() if asked.check else export()


if __name__ == "__main__":
    sys.exit(main())
