"""Put solc where py-solc-x looks: its own download where the network allows, else the npm build."""

from __future__ import annotations

import os
import stat
import sys
import urllib.request
from pathlib import Path

VERSION = "0.8.30"
ROOT = Path(__file__).resolve().parents[2]
DOWNLOADS = "https://binaries.soliditylang.org/linux-amd64/list.json"
PATIENCE_SEC = 4


def download(folder: Path) -> bool:
    """Try the native compiler; False when the network does not allow it."""
    try:
        urllib.request.urlopen(DOWNLOADS, timeout=PATIENCE_SEC).close()
    except OSError:
        return False
    os.environ["SOLCX_BINARY_PATH"] = str(folder)
    import solcx

    try:
        solcx.install_solc(VERSION)
    except Exception as error:
        print(f"   native solc {VERSION} not installed ({error})", file=sys.stderr)
        return False
    return True


def wrap(folder: Path) -> None:
    """Install an executable that runs the npm build of the same compiler."""
    target = folder / f"solc-v{VERSION}"
    target.write_text(f'#!/bin/sh\nexec node "{ROOT / "scripts" / "dev" / "solc.cjs"}" "$@"\n')
    target.chmod(target.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def main() -> int:
    """Install one of the two; both give the same bytecode."""
    folder = ROOT / ".solcx"
    folder.mkdir(exist_ok=True)
    if download(folder):
        print(f"   native solc {VERSION}", file=sys.stderr)
    else:
        wrap(folder)
        print(f"   no native download here: npm build of solc {VERSION}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
