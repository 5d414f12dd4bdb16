"""Write storage.md and access.md of docs/reference from the contracts; ``--check`` fails when they are out of date.

Storage comes from the compiler's layout; access from the modifiers in the sources and the roles of the deployment.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

# The package of this very checkout, wherever the script is called from.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from plimsoll.deployment.deploy import DRAFTED, MODULES

ROOT: Final = Path(__file__).resolve().parents[2]
STORAGE: Final = ROOT / "docs" / "reference" / "storage.md"
ACCESS: Final = ROOT / "docs" / "reference" / "access.md"
HEADER: Final = "<!-- Written by tools/generate/tables.py; do not edit. -->\n\n"
#: What the guardian may call.
GUARDED: Final = ("pause", "pauseInstrument", "halt")
#: Restricted functions that a contract of the installation holds the role for.
BY_ROLE: Final = {"ScenarioBook.setRatio": "RateFeed", "ScenarioBook.setRange": "RangeRule"}
#: What a modifier or a check at the head of a function lets in.
HOLDERS: Final = {
    "onlyModule": "modules",
    "onlyAuthorised": "owner or operator of the account",
    "onlyOperatorOf": "the controller or its operator",
}
CHECKED: Final = {
    "InsuranceFund.draw": "Auction",
    "Delegation.grant": "owner of the account",
    "Delegation.revoke": "owner of the account",
    "Delegation.afterFill": "modules",
    "Operators.grant": "owner of the account",
    "Operators.revoke": "owner of the account, or the operator",
    "Operators.withdraw": "operator with the role, to the owner",
    "Operators.setMode": "operator with the role",
    "Operators.isolate": "operator with the role",
    "Vault.deposit": "owner or operator of the account; anybody for the fund's",
    "Vault.depositWithPermit": "owner or operator of the account; anybody for the fund's",
    "Vault.depositWithPermit2": "owner or operator of the account; anybody for the fund's",
    "Vault.withdraw": "owner or operator of the account",
    "Vault.borrow": "owner or operator of the account",
    "Vault.requestWithdrawal": "owner or operator of the account",
    "Vault.cancelRequest": "owner or operator of the account",
    "Vault.payRequest": "Vault",
    "Auction.bid": "owner or operator of the bidding account",
    "Guarantees.invite": "owner or operator of the beneficiary's account",
    "Guarantees.give": "owner or operator of the sponsor's account",
    "Guarantees.extend": "owner or operator of the sponsor's account",
    "Guarantees.release": "owner or operator of the beneficiary's account",
    "Guarantees.draw": "Auction",
}
FUNCTION: Final = re.compile(r"^    function (\w+)\(([^{;]*?)\{", re.M | re.S)
PARENT: Final = re.compile(r"^(?:abstract )?contract (\w+)(?: is ([^{]+))?\{", re.M)


def sources() -> list[Path]:
    """Contracts that are deployed on a real network: no libraries, no mocks, no tokens of a local chain."""
    found = sorted((ROOT / "contracts").rglob("*.sol"))
    return [path for path in found if path.parts[-2] not in ("libraries", "mocks", "tokens", "local")]


def layouts() -> dict[str, list[dict[str, Any]]]:
    """Storage of every contract as the compiler lays it out."""
    names = [path.relative_to(ROOT).as_posix() for path in sources()]
    settings = {
        "viaIR": True,
        "evmVersion": "prague",
        "remappings": ["@openzeppelin/=node_modules/@openzeppelin/", "solady/=node_modules/solady/"],
        "outputSelection": {name: {"*": ["storageLayout"]} for name in names},
    }
    document = {
        "language": "Solidity",
        "sources": {name: {"content": (ROOT / name).read_text(encoding="utf-8")} for name in names},
        "settings": settings,
    }
    command = ["node", str(ROOT / "tools" / "setup" / "solc.cjs")]
    answer = subprocess.run(command, input=json.dumps(document), capture_output=True, text=True, check=True, cwd=ROOT)
    output = json.loads(answer.stdout)
    problems = [entry["formattedMessage"] for entry in output.get("errors", []) if entry["severity"] == "error"]
    if problems:
        raise SystemExit("\n".join(problems))
    return {
        contract: list(_rows(entry["storageLayout"]))
        for name in names
        for contract, entry in output["contracts"].get(name, {}).items()
        if contract == Path(name).stem
    }


def _rows(layout: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Variables, and the members of every struct they hold."""
    types = layout["types"] or {}
    for variable in layout["storage"]:
        kind = types[variable["type"]]
        yield _row(variable, kind, "")
        inner = _struct_of(variable["type"], types)
        for member in inner.get("members", ()):
            yield _row(member, types[member["type"]], "  . ")


def _struct_of(name: str, types: dict[str, Any]) -> dict[str, Any]:
    """Return the struct behind a type, through mappings and arrays; empty when there is none."""
    kind = types[name]
    deeper = kind.get("value") or kind.get("base")
    found: dict[str, Any] = kind if "members" in kind else _struct_of(deeper, types) if deeper else {}
    return found


def _row(variable: dict[str, Any], kind: dict[str, Any], indent: str) -> dict[str, Any]:
    return {
        "name": indent + variable["label"],
        "slot": variable["slot"],
        "offset": variable["offset"],
        "bytes": kind["numberOfBytes"],
        "type": kind["label"],
    }


def storage() -> str:
    """Return docs/reference/storage.md."""
    lines = [
        "# Storage",
        "",
        "**In which slot does a contract keep what it knows?** Explorers, indexers and proofs of storage need to know.",
        "The tables show the slots as the compiler lays them out; members of a struct count from its own first slot.",
        "Contracts that hold nothing (views, engines) are left out. No contract is upgraded in place.",
        "",
    ]
    for contract, rows in sorted(layouts().items()):
        if not rows:
            continue
        lines += [f"## {contract}", "", "| variable | slot | offset | bytes | type |", "|---|--:|--:|--:|---|"]
        lines += [f"| `{r['name']}` | {r['slot']} | {r['offset']} | {r['bytes']} | `{r['type']}` |" for r in rows]
        lines.append("")
    return HEADER + "\n".join(lines)


def _bases(path: Path, known: dict[str, Path]) -> Iterator[Path]:
    """Yield a contract and those it inherits from within this project."""
    yield path
    found = PARENT.search(path.read_text(encoding="utf-8"))
    for name in re.findall(r"\w+", (found[2] or "") if found else ""):
        if name in known:
            yield from _bases(known[name], known)


def _holder(contract: str, function: str, head: str) -> str:
    """Who may call one function; empty for anybody."""
    if re.search(r"\brestricted\b", head):
        if function in GUARDED:
            return "guardian"
        if contract == "DraftBook":
            return "ParameterPreview" if function in DRAFTED else "governor (never used)"
        return BY_ROLE.get(f"{contract}.{function}", "governor")
    for modifier, holder in HOLDERS.items():
        if re.search(rf"\b{modifier}\b", head):
            return holder
    return CHECKED.get(f"{contract}.{function}", "")


def access() -> str:
    """Return docs/reference/access.md."""
    known = {path.stem: path for path in sources()}
    lines = [
        "# Access",
        "",
        "**Who may call what changes state?** The table has every restricted function of every contract, read off the",
        "modifiers in the sources and the roles that a deployment grants. A function that is not listed is a view, or",
        "open to anybody. The governor acts behind the delay of its role.",
        "",
        f"Modules of the ledger are {', '.join(MODULES)}.",
        "",
    ]
    lines += ["| contract | function | who |", "|---|---|---|"]
    for contract, path in sorted(known.items()):
        seen: set[str] = set()
        for base in _bases(path, known):
            for function, head in FUNCTION.findall(base.read_text(encoding="utf-8")):
                holder = _holder(contract, function, head)
                if holder and function not in seen and " private" not in head and " internal" not in head:
                    seen.add(function)
                    lines.append(f"| {contract} | `{function}` | {holder} |")
    lines += [
        "",
        "Authority is OpenZeppelin's AccessManager: roles, delays and closed targets are the governor's alone; what is",
        "scheduled may be cancelled by the governor and by every canceller. Pauses end by themselves. More on both:",
        "[governance](../concepts/governance.md#roles).",
        "",
    ]
    return HEADER + "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Write both documents, or compare them with what they should be."""
    wanted = {STORAGE: storage(), ACCESS: access()}
    if "--check" not in arguments:
        for path, text in wanted.items():
            path.write_text(text, encoding="utf-8")
        return 0
    stale = [p for p, text in wanted.items() if not p.exists() or p.read_text(encoding="utf-8") != text]
    for path in stale:
        print(f"{path.relative_to(ROOT)} is out of date: run tools/generate/tables.py")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
