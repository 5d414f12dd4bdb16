"""Write what the wallet page knows of the contracts: ABI, typed data, errors; ``--check`` fails when it is out of date.

``web/src/chain/abi.ts`` holds the functions and events that the page uses, from the artefacts of the package, and the
structs that a wallet signs. ``web/src/chain/errors.ts`` holds every custom error of every contract with the reason that
its NatSpec gives, so that a refusal is always a sentence; the page loads it when something is refused the first time.
``web/src/chain/kinds.ts`` holds what the package says of every instrument kind.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

# The package of this very checkout, wherever the script is called from.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "offchain"))

from eth_utils.crypto import keccak

from plimsoll.chain.abi import ARTIFACTS, canonical_type
from plimsoll.model import Kind

ROOT: Final = Path(__file__).resolve().parents[2]
CHAIN: Final = ROOT / "web" / "src" / "chain"
HEADER: Final = "// Written by tools/generate/web_abi.py; do not edit.\n\n"
KIND_TYPE: Final = """\
/** What an instrument kind is. Nothing else on the page decides by a kind's number or word. */
export interface Kind {
  /** Its name in the service's answers and in files. */
  readonly word: string;
  /** Its name for people. */
  readonly title: string;
  readonly isOption: boolean;
  readonly isCall: boolean;
  readonly hasExpiry: boolean;
  readonly paysFunding: boolean;
}
"""
#: Functions of each contract that the page calls or sends, in the order in which the data flows.
USED: Final[Mapping[str, tuple[str, ...]]] = {
    "Accounts": (
        *("ownerOf", "snapshotOf", "storedCashOf", "transferCountOf", "lendingOf", "fundingOf", "positiveCashWad"),
        *("open", "setMode", "isolate", "isApprovedForAll", "setApprovalForAll", "getApproved", "approve"),
    ),
    "Vault": (
        *("tokenOf", "tokenCount", "limitOf", "broughtOf", "outflowOf", "queueOf", "requestOf", "lossShareOf"),
        *("deposit", "depositWithPermit", "depositWithPermit2", "openAndDeposit", "openAndDepositWithPermit"),
        *("withdraw", "borrow", "requestWithdrawal", "cancelRequest"),
    ),
    "Delegation": ("grant", "revoke", "grantOf", "limitsOf"),
    "Operators": ("grant", "revoke", "grantOf", "allowanceOf"),
    "Guarantees": (*("invitedOf", "linesOf", "lineOf", "creditOf", "invite", "give", "extend", "release", "settle"),),
    "Oracle": ("heartbeatSec", "lastSpotOf", "lastTokenPriceOf", "expiriesOf"),
    "ScenarioBook": ("accountParams", "collateralOf", "bookOf"),
    "RiskEngine": ("riskOf",),
    "SourceBook": ("termsOf",),
    "LiquidityRange": ("valuesAt",),
    "MarginEngine": ("evaluateDetailed", "evaluateOwnDetailed", "preview"),
    "Exchange": (
        *("rulesOf", "feesOf", "hashOf", "hashOfQuote", "filledOf", "isCancelled", "minNonceOf", "exclusiveOf"),
        *("fillQuote", "cancel", "cancelBelow"),
    ),
    "Intents": ("isFilled", "hashOfDelta", "hashOfClose"),
    "PasskeyFactory": ("create", "addressOf"),
    "Passkey": ("isValidSignature", "publicKey"),
    "PerpMarket": ("termsOf",),
    "Settlement": (),
    "Auction": ("auctionOf", "previewBid", "bid", "marginCallTsOf"),
    "Lens": ("latestRound",),
    "OrderPreview": ("previewOrders",),
    "ActionPreview": ("maxWithdraw", "previewLiquidation"),
    "LocalToken": (
        *("name", "balanceOf", "allowance", "nonces", "DOMAIN_SEPARATOR", "eip712Domain", "approve", "mint"),
    ),
}
#: Events that tell an account's history, and those that name its owners, operators and trader keys.
EVENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "Accounts": (
        *("Transfer", "AccountOpened", "AccountClosed", "ModeChanged", "CashChanged", "CollateralChanged"),
        *("PositionChanged", "FundingSettled"),
    ),
    "Vault": ("Deposited", "Withdrawn", "WithdrawalRequested", "RequestDropped", "ShareLeft", "ShareReleased"),
    "Delegation": ("Granted", "Revoked", "DelegateTraded"),
    "Operators": ("Granted", "Revoked", "OperatorWithdrew"),
    "Guarantees": ("SponsorInvited", "LineGiven", "LineDrawn", "LineEnded"),
    "Exchange": ("Settled", "QuoteFilled", "FeePaid"),
    "Settlement": ("AccountSettled",),
    "Auction": (*("AuctionStarted", "BidFilled", "LossCovered", "AuctionEnded", "MarginCalled", "MarginCallMet"),),
}
#: Functions of each contract whose first argument is a struct that a wallet signs.
SIGNED: Final[Mapping[str, tuple[str, ...]]] = {
    "Exchange": ("settle", "fillQuote"),
    "Intents": ("fillDelta", "fillClose"),
}
KEPT: Final = ("name", "type", "indexed", "stateMutability", "anonymous")
ERROR: Final = re.compile(r"((?:^[ ]*///[^\n]*\n)+)[ ]*error (\w+)\(", re.MULTILINE)
THROWN: Final = re.compile(r"@notice Thrown (when|for|after|by|where|at)\s+(.*?)(?:@\w+|$)", re.DOTALL)
#: Custom errors of the libraries that the contracts are built on: they have no NatSpec of ours.
FOREIGN: Final[Mapping[str, str]] = {
    "AccessManagedUnauthorized": "this address may not call the function",
    "ERC20InsufficientAllowance": "the token's allowance is too small",
    "ERC20InsufficientBalance": "the wallet holds too little of the token",
    "ERC2612ExpiredSignature": "the permit has expired",
    "ERC2612InvalidSigner": "the permit was signed by another address",
    "ERC721InsufficientApproval": "this address may not act for the account",
    "ERC721NonexistentToken": "there is no such account",
    "ERC721IncorrectOwner": "the account belongs to somebody else",
    "EnforcedPause": "this part of the protocol is paused",
    "ReentrancyGuardReentrantCall": "the contract was called from within itself",
    "SafeERC20FailedOperation": "the token refused the transfer",
}


def slim(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an ABI entry without what only compilers need."""
    kept = {key: entry[key] for key in KEPT if key in entry and entry[key] is not False}
    for key in ("components", "inputs", "outputs"):
        if key in entry:
            kept[key] = [slim(part) for part in entry[key]]
    return kept


def artefact_of(name: str) -> list[dict[str, Any]]:
    """Return the ABI of one artefact of the package."""
    return list(json.loads((ARTIFACTS / f"{name}.json").read_text(encoding="utf-8"))["abi"])


def chosen(name: str) -> list[dict[str, Any]]:
    """Return the entries that the page uses of one contract, in the order of the lists above."""
    abi = artefact_of(name)
    found = []
    for kind, names in (("function", USED[name]), ("event", EVENTS.get(name, ()))):
        for wanted in names:
            entries = [entry for entry in abi if entry["type"] == kind and entry["name"] == wanted]
            if len(entries) != 1:
                raise SystemExit(f"{name} has {len(entries)} {kind}s called {wanted}, not one")
            found.append(slim(entries[0]))
    return found


def struct_fields(parameter: Mapping[str, Any], found: dict[str, list[dict[str, str]]]) -> str:
    """Collect the EIP-712 types of a struct and the structs inside it; returns its name."""
    name = re.sub(r"^struct (?:\w+\.)?|\[\]", "", str(parameter["internalType"]))
    fields = []
    for part in parameter["components"]:
        kind = str(part["type"])
        inner = struct_fields(part, found) + kind[5:] if kind.startswith("tuple") else kind
        fields.append({"name": str(part["name"]), "type": inner})
    found[name] = fields
    return name


def signed_types() -> dict[str, list[dict[str, str]]]:
    """Return the EIP-712 types of orders, quotes and intents, from the arguments of the contracts' functions."""
    found: dict[str, list[dict[str, str]]] = {}
    for name, functions in SIGNED.items():
        abi = {entry["name"]: entry for entry in artefact_of(name) if entry["type"] == "function"}
        for function in functions:
            struct_fields(abi[function]["inputs"][0], found)
    return found


def reasons() -> dict[str, str]:
    """Return why each error is thrown, by its name, as the NatSpec of interfaces and libraries says."""
    found: dict[str, str] = {}
    for path in sorted([*(ROOT / "interfaces").glob("*.sol"), *(ROOT / "contracts").rglob("*.sol")]):
        for comment, name in ERROR.findall(path.read_text(encoding="utf-8")):
            text = " ".join(re.sub(r"^\s*///\s?", "", line) for line in comment.splitlines())
            thrown = THROWN.search(text)
            if thrown:
                lead = "" if thrown[1] == "when" else f"{thrown[1]} "
                found.setdefault(name, lead + thrown[2].strip().rstrip("."))
    return found


def errors() -> Iterator[tuple[str, str, str, list[tuple[str, str]]]]:
    """Yield selector, name, reason and arguments of every custom error, each once."""
    known, seen = reasons(), set()
    for path in sorted(ARTIFACTS.glob("*.json")):
        for entry in artefact_of(path.stem):
            if entry["type"] != "error":
                continue
            types = [canonical_type(part) for part in entry["inputs"]]
            selector = "0x" + keccak(text=f"{entry['name']}({','.join(types)})")[:4].hex()
            if selector in seen:
                continue
            seen.add(selector)
            reason = known.get(entry["name"]) or FOREIGN.get(entry["name"], "")
            arguments = [(str(part["name"]), kind) for part, kind in zip(entry["inputs"], types, strict=True)]
            yield selector, str(entry["name"]), reason, arguments


def abi_module() -> str:
    """Return the text of ``abi.ts``."""
    parts = []
    for name in USED:
        constant = name[0].lower() + name[1:] + "Abi"
        lines = ",\n  ".join(json.dumps(entry, separators=(",", ":")) for entry in chosen(name))
        parts.append(f"export const {constant} = [\n  {lines},\n] as const;\n")
    types = ",\n  ".join(
        f"{name}: {json.dumps(fields, separators=(',', ':'))}" for name, fields in signed_types().items()
    )
    note = "/** EIP-712 types of what a wallet signs for the exchange and for the contract of intents. */\n"
    parts.append(f"{note}export const signedTypes = {{\n  {types},\n}} as const;\n")
    return HEADER + "\n".join(parts)


def errors_module() -> str:
    """Return the text of ``errors.ts``."""
    rows = []
    for selector, name, reason, arguments in sorted(errors(), key=lambda row: row[1]):
        rows.append(f"  {json.dumps(selector)}: {json.dumps([name, reason, arguments], separators=(',', ':'))},\n")
    note = "/** Name, reason and arguments of every custom error, by selector. */\n"
    kind = "Record<string, readonly [string, string, readonly (readonly [string, string])[]]>"
    return f"{HEADER}{note}export const errorTable: {kind} = {{\n{''.join(rows)}}};\n"


def kinds_module() -> str:
    """Return the text of ``kinds.ts``."""
    numbers = "".join(f"export const {kind.name} = {kind.value};\n" for kind in Kind)
    facts = [
        {
            "word": kind.word,
            "title": kind.title,
            "isOption": kind.is_option,
            "isCall": kind.is_call,
            "hasExpiry": kind.has_expiry,
            "paysFunding": kind.pays_funding,
        }
        for kind in Kind
    ]
    rows = "".join(f"  {json.dumps(row, separators=(',', ':'))},\n" for row in facts)
    return f"{HEADER}{KIND_TYPE}\n{numbers}\n/** By number. */\nexport const KINDS: readonly Kind[] = [\n{rows}];\n"


def main() -> int:
    """Write the three modules, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file would change")
    check = parser.parse_args().check
    stale = []
    modules = {"abi.ts": abi_module(), "errors.ts": errors_module(), "kinds.ts": kinds_module()}
    for path, text in ((CHAIN / name, text) for name, text in modules.items()):
        if check:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(path.relative_to(ROOT))
        else:
            path.write_text(text, encoding="utf-8")
    for path in stale:
        print(f"{path} is out of date; run tools/generate/web_abi.py", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
