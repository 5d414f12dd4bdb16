"""Run slither on the contracts and fail on a finding of high or medium impact that is not justified below.

docs/proof/static-analysis.md says the same in words; a justification that nothing needs any more fails as well. Slither
gets the sources as standard JSON, because its Brownie reader does not follow imports between folders, and in a folder
of its own, because it calls forge wherever it sees a foundry.toml.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
#: What the sources and their imports are found under.
LINKED: Final = ("contracts", "interfaces", "node_modules")
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
#: (detector, contract.function or contract.variable) -> why it is no fault.
JUSTIFIED: Final = {
    (
        "incorrect-shift",
        "Sqrt._far",
    ): "the shift has the amount first, as assembly wants; slither reads the operands swapped",
    ("incorrect-shift", "PositionGroups.collect"): "as Sqrt._far: 32 bytes for each of 2**bits places",
    ("incorrect-exp", "ScenarioScan.addMoves"): "compares words bit by bit, as assembly's xor does; no power is meant",
    (
        "arbitrary-send-erc20",
        "LiquidityToken._pay",
    ): "the payer is the caller of mint: only the pool calls back, and hands back what this contract gave it",
    (
        "arbitrary-send-erc20",
        "ShareRequests._take",
    ): "from the owner of the request, who is the caller or has made the caller its operator",
    ("uninitialized-state", "Accounts._words"): "a mapping, written through a storage pointer",
    ("uninitialized-state", "Oracle._surface"): "a mapping, written through a storage pointer",
    ("reentrancy-no-eth", "Auction.bid"): "calls only the ledger and the fund, which call nobody; guarded besides",
    (
        "reentrancy-no-eth",
        "Vault.depositWithPermit",
    ): "the token is listed by governance; the guard holds for every entry",
    ("reentrancy-no-eth", "Vault.openAndDepositWithPermit"): "as depositWithPermit",
    (
        "reentrancy-no-eth",
        "RateFeed.update",
    ): "asks the source by a static call, and writes to the book, which calls nobody",
    (
        "reentrancy-no-eth",
        "StrategyVault.settle",
    ): "calls views, and last the vault for listed cash; guarded, as every entry that counts requests is",
    ("reentrancy-no-eth", "StrategyVault._moveCash"): "the last of settle; what the vault refuses is known only then",
    (
        "reentrancy-no-eth",
        "Vault._withdraw",
    ): "the call before the write is to the ledger, which calls nobody; guarded besides",
    ("reentrancy-no-eth", "Vault.borrow"): "as _withdraw",
    (
        "reentrancy-no-eth",
        "Vault.payRequests",
    ): "the vault calls itself under its own guard; a request is dropped only where that call left nothing behind",
}


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


def place_of(finding: dict[str, Any]) -> str:
    """Contract and function or variable that a finding is about."""
    element = finding["elements"][0]
    parent = element.get("type_specific_fields", {}).get("parent", {})
    return f"{parent.get('name', '')}.{element['name']}".strip(".")


def judge(findings: list[dict[str, Any]]) -> list[str]:
    """Return one line per finding without a justification, and per justification without a finding."""
    seen = {(finding["check"], place_of(finding)): finding["description"].splitlines()[0] for finding in findings}
    faults = [f"{check} in {place}: {seen[check, place]}" for check, place in sorted(set(seen) - set(JUSTIFIED))]
    stale = sorted(set(JUSTIFIED) - set(seen))
    return faults + [f"{check} in {place} is justified, but not found" for check, place in stale]


def analyse(place: Path) -> dict[str, Any]:
    """Run slither in an empty folder; return what it wrote, or the end of what it said when it wrote nothing."""
    for name in LINKED:
        (place / name).symlink_to(ROOT / name)
    given, found = place / "input.json", place / "found.json"
    given.write_text(json.dumps(standard_json()), encoding="utf-8")
    slither = Path(sys.executable).parent / "slither"
    command = [str(slither), str(given), f"--solc={COMPILER}", f"--json={found}", *OPTIONS]
    done = subprocess.run(command, cwd=place, check=False, capture_output=True, text=True)
    if not found.exists():
        return {"success": False, "error": done.stderr[-2_000:]}
    answer: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))
    return answer


def main() -> int:
    """Print what is not justified; return 0 when nothing is left."""
    with tempfile.TemporaryDirectory() as place:
        answer = analyse(Path(place))
    if not answer["success"]:
        print(answer["error"])
        return 1
    findings = answer["results"].get("detectors", [])
    faults = judge(findings)
    print("\n".join(faults) or f"   {len(findings)} findings of high or medium impact, each justified")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
