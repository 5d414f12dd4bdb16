"""``make audit-proof``: take each fix out, one at a time, and see whether the profit machine notices.

The contracts that carry the fix are compiled without it and deployed in their place; the plays named by the fault are
repeated until a property falls. The table goes to ``reports/audit-proof.md``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from plimsoll.chain import abi, anvil
from plimsoll.params import Params
from tests.chain.helpers.mocks import MOCKS
from tests.chain.profit.bridge import EPOCH_BLOCKS
from tests.chain.profit.faults import FAULTS, Fault
from tests.chain.profit.machine import run
from tests.chain.profit.plays import PLAYS
from tests.chain.profit.world import build

ROOT = Path(__file__).resolve().parents[3]
REPORT = ROOT / "reports" / "audit-proof.md"
START_TS, SEED = 1_770_000_000, 20_261_128
#: How often the plays of a fault are drawn before it counts as missed.
EPISODES = 12
#: Without the optimizer contracts are too large for a chain; this one has no such limit, and compiles fastest.
SETTINGS: tuple[dict[str, Any], ...] = (
    {"optimizer": {"enabled": True, "runs": 1}},
    {"viaIR": True, "optimizer": {"enabled": True, "runs": 1}},
)


class Compiler:
    """One compiler process, asked for contracts with changed sources."""

    def __init__(self) -> None:
        command = ["node", str(ROOT / "tools/prove/solc_loop.cjs")]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()

    def compile(self, path: str, unit: str, changed: dict[str, str]) -> dict[str, Any]:
        """ABI and code of one contract."""
        problems = ""
        for settings in SETTINGS:
            texts = {path: (ROOT / path).read_text(encoding="utf-8"), **changed}
            document = {
                "language": "Solidity",
                "sources": {name: {"content": text} for name, text in texts.items()},
                "settings": {
                    **settings,
                    "evmVersion": "prague",
                    "outputSelection": {path: {unit: ["abi", "evm.bytecode.object"]}},
                },
            }
            answer = self._ask(json.dumps(document))
            errors = [e["formattedMessage"] for e in answer.get("errors", ()) if e["severity"] == "error"]
            if not errors:
                found: dict[str, Any] = answer["contracts"][path][unit]
                return found
            problems = errors[0]
        raise SystemExit(f"error: {unit}: {problems}")

    def _ask(self, line: str) -> dict[str, Any]:
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the compiler has no pipes")
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


def sources_without(fault: Fault) -> dict[str, str]:
    """Sources with the fix taken out; a text that is not there once ends the run."""
    changed: dict[str, str] = {}
    for path, text, instead in fault.changes:
        source = changed.get(path) or (ROOT / path).read_text(encoding="utf-8")
        if source.count(text) != 1:
            raise SystemExit(f"error: fault {fault.row}: {path} has the text {source.count(text)} times: {text}")
        changed[path] = source.replace(text, instead)
    return changed


@contextmanager
def artefacts_without(fault: Fault, compiler: Compiler) -> Iterator[None]:
    """The built contracts, those of the fault without their fix."""
    changed = sources_without(fault)
    with tempfile.TemporaryDirectory() as folder:
        for mock in MOCKS.glob("*.json"):
            shutil.copy(mock, folder)
        for unit, path in fault.units.items():
            built = compiler.compile(path, unit, changed)
            document = {"contractName": unit, "abi": built["abi"], "bytecode": built["evm"]["bytecode"]["object"]}
            (Path(folder) / f"{unit}.json").write_text(json.dumps(document), encoding="utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(abi.FURTHER_ARTIFACTS, folder)
            abi.load_artifact.cache_clear()
            yield
    abi.load_artifact.cache_clear()


def hunt(fault: Fault, seed: int) -> str:
    """What the machine saw; empty when it noticed nothing."""
    plans = [plan for plan in PLAYS if any(name in plan.name for name in fault.plays)]
    params = Params() if fault.book is None else Params(book=fault.book)
    with anvil.running(START_TS, any_size=True, epoch_blocks=EPOCH_BLOCKS) as chain:
        result = run(build(chain.url, params), plans, EPISODES, seed)
    return next(iter(result.broken.values()), "")


def render(rows: list[tuple[Fault, str, float]]) -> str:
    """The table of a run."""
    lines = ["# Fixes taken out, one at a time", "", "| row | without it | noticed | seconds |", "|---|---|---|---|"]
    lines += [f"| {f.row} | {f.name} | {found or 'no'} | {seconds:.0f} |" for f, found, seconds in rows]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Run every fault; return 1 when one was not noticed."""
    parser = argparse.ArgumentParser(prog="make audit-proof", description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--row", default="", help="only the fault of this row")
    options = parser.parse_args(arguments)
    rows: list[tuple[Fault, str, float]] = []
    compiler = Compiler()
    try:
        for fault in FAULTS:
            if options.row and fault.row != options.row:
                continue
            started = time.monotonic()
            with artefacts_without(fault, compiler):
                found = hunt(fault, options.seed)
            rows.append((fault, found, time.monotonic() - started))
            print(f"{fault.row:>3}  {fault.name}: {found or 'NOT NOTICED'}", flush=True)
    finally:
        compiler.close()
    if not options.row:
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text(render(rows), encoding="utf-8")
    missed = [fault.row for fault, found, _ in rows if not found]
    for row in missed:
        print(f"error: fault {row} was not noticed", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
