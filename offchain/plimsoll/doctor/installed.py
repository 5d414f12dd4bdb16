"""What this machine has: Python, the package with its extras, the tools around it, the built contracts."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Final

from plimsoll.chain import abi
from plimsoll.chain.anvil import ROOT, find_binary
from plimsoll.doctor.finding import Finding, State
from plimsoll.errors import UnavailableError

GROUP: Final = "installed"
DISTRIBUTION: Final = "plimsoll-margin"
OLDEST_PYTHON: Final = (3, 11)
OLDEST_NODE: Final = 20
#: The compiler that the contracts are pinned to.
SOLC: Final = "0.8.30"
#: A compiler that runs on Node takes a few seconds to answer; one that hangs is not there.
ANSWER_SEC: Final = 30.0
#: What the optional extras are for.
EXTRAS: Final[dict[str, str]] = {
    "desk": "the optimiser, GARCH-filtered VaR and the dashboard of `plimsoll watch`",
    "frames": "results as pandas tables (`to_frame`)",
    "dev": "Brownie, tests and linters of the repository",
}
REQUIREMENT: Final = re.compile(r"^([A-Za-z0-9._-]+).*\bextra == \"(\w+)\"")
NUMBER: Final = re.compile(r"\d+(?:\.\d+)+")


def installed() -> list[Finding]:
    """Look at this machine; nothing is changed and no network is used.

    Returns
    -------
    list of Finding
        Only Python and the package itself are needed by every command.
    """
    return [_python(), _package(), *_extras(), _node(), _npm(), _anvil(), _solc(), _artefacts()]


def _python() -> Finding:
    running, oldest = platform.python_version(), ".".join(map(str, OLDEST_PYTHON))
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Finding(GROUP, "python", State.BAD, f"{running}, {oldest} is the oldest", f"install Python {oldest}")
    return Finding(GROUP, "python", State.OK, running)


def _package() -> Finding:
    try:
        return Finding(GROUP, DISTRIBUTION, State.OK, version(DISTRIBUTION))
    except PackageNotFoundError:
        advice = "install it: `pip install .` in a checkout, or `make setup`"
        return Finding(GROUP, DISTRIBUTION, State.MISSING, "runs from a source tree that nobody installed", advice)


def _extras() -> Iterator[Finding]:
    """Yield one finding for each optional extra, with the packages of it that are not installed."""
    try:
        declared = [found.groups() for text in requires(DISTRIBUTION) or () if (found := REQUIREMENT.match(text))]
    except PackageNotFoundError:
        return
    for extra, purpose in EXTRAS.items():
        absent = sorted(name for name, of in declared if of == extra and not _is_installed(name))
        if absent:
            advice = f"for {purpose}: pip install '{DISTRIBUTION}[{extra}]'"
            yield Finding(GROUP, f"extra {extra}", State.MISSING, f"without {', '.join(absent)}", advice, needed=False)
        else:
            yield Finding(GROUP, f"extra {extra}", State.OK, purpose, needed=False)


def _is_installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def _answer(command: Sequence[str]) -> str:
    """Return the version that a tool states; empty when it does not run."""
    try:
        done = subprocess.run(  # noqa: S603 (the path comes from a search for fixed names, no argument from a user)
            command, capture_output=True, text=True, timeout=ANSWER_SEC, check=True, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    found = NUMBER.search(done.stdout)
    return found.group() if found else ""


def _tool(name: str, path: str | Path | None, purpose: str, how: str) -> Finding:
    """Say which version of an optional tool there is, or what it would be for."""
    if path is None:
        return Finding(GROUP, name, State.MISSING, "not found", f"for {purpose}: {how}", needed=False)
    stated = _answer([str(path), "--version"])
    if not stated:
        return Finding(GROUP, name, State.BAD, f"{path} does not run", f"for {purpose}: {how}", needed=False)
    return Finding(GROUP, name, State.OK, stated, needed=False)


def _node() -> Finding:
    purpose, how = "the compiler and the chain of the repository", f"install Node {OLDEST_NODE} or later"
    found = _tool("node", shutil.which("node"), purpose, how)
    if found.state is State.OK and int(found.seen.split(".")[0]) < OLDEST_NODE:
        seen = f"{found.seen}, {OLDEST_NODE} is the oldest"
        return Finding(GROUP, "node", State.BAD, seen, f"for {purpose}: {how}", needed=False)
    return found


def _npm() -> Finding:
    return _tool("npm", shutil.which("npm"), "`make setup`", f"it comes with Node {OLDEST_NODE}")


def _anvil() -> Finding:
    try:
        path: Path | None = find_binary()
    except UnavailableError:
        path = None
    purpose = "the demo, `margin --engine both` and every local chain"
    return _tool("anvil", path, purpose, "`make setup`, or set PLIMSOLL_ANVIL")


def _solc() -> Finding:
    folder = Path(os.environ.get("SOLCX_BINARY_PATH", ROOT / ".solcx"))
    own = folder / f"solc-v{SOLC}"
    found = _tool("solc", own if own.is_file() else shutil.which("solc"), "building the contracts", "`make setup`")
    if found.state is State.OK and found.seen != SOLC:
        seen = f"{found.seen}, the contracts are pinned to {SOLC}"
        return Finding(GROUP, "solc", State.BAD, seen, "for building the contracts: `make setup`", needed=False)
    return found


def _artefacts() -> Finding:
    count = sum(1 for _ in abi.ARTIFACTS.glob("*.json"))
    if not count:
        advice = "for everything on chain: `make build`, or set PLIMSOLL_ARTIFACTS"
        return Finding(GROUP, "artefacts", State.MISSING, "no built contract", advice, needed=False)
    return Finding(GROUP, "artefacts", State.OK, f"{count} built contracts", needed=False)
