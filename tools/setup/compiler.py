"""Put solc where py-solc-x looks: its own download where the network allows, else the npm build.

Both compilers give the same bytecode; the native one is several times faster.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Final

VERSION: Final = "0.8.30"
ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / ".solcx"
#: A machine without the network must notice within this time; name look-ups included.
PROBE_SEC: Final = 3
DOWNLOAD_SEC: Final = 120

PROBE: Final = """
import urllib.request
from solcx.install import BINARY_DOWNLOAD_BASE, _get_os_name
urllib.request.urlopen(BINARY_DOWNLOAD_BASE.format(_get_os_name(), "list.json"), timeout=3).close()
"""
DOWNLOAD: Final = f"import solcx; solcx.install_solc({VERSION!r})"


def runs(code: str, limit_sec: int) -> bool:
    """Whether a Python snippet ends well within the limit; a hanging name look-up cannot hold us."""
    environment = {**os.environ, "SOLCX_BINARY_PATH": str(FOLDER)}
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, timeout=limit_sec, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def answers(solc: Path) -> bool:
    """Whether the compiler at this path runs here and is the pinned version."""
    try:
        done = subprocess.run([solc, "--version"], capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        return False
    return f"Version: {VERSION}+commit" in done.stdout


def wrap(solc: Path) -> None:
    """Install an executable that runs the npm build of the same compiler."""
    script = ROOT / "tools" / "setup" / "solc.cjs"
    solc.unlink(missing_ok=True)
    solc.write_text(f'#!/bin/sh\nexec node {shlex.quote(str(script))} "$@"\n', encoding="utf-8")
    solc.chmod(0o755)


def main() -> int:
    """Install one of the two and check that it answers."""
    FOLDER.mkdir(exist_ok=True)
    solc = FOLDER / f"solc-v{VERSION}"
    solc.unlink(missing_ok=True)
    if runs(PROBE, PROBE_SEC) and runs(DOWNLOAD, DOWNLOAD_SEC) and answers(solc):
        print(f"   solc {VERSION}: native build", file=sys.stderr)
        return 0
    wrap(solc)
    if not answers(solc):
        print(f"error: {solc} does not run; is node_modules complete?", file=sys.stderr)
        return 1
    print(f"   solc {VERSION}: npm build (no native download from here)", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
