"""Mutation run: change the contracts in one place at a time and see whether the proof's batteries notice.

Every mutant is compiled (without the optimizer, by one compiler process), put at the address of the contract it belongs
to on a private chain, and judged by the batteries of ``tests/chain/proof``: 50-digit arithmetic, exact integers, signed
messages. What compiles to the same code as the original is no mutant. Results are kept in ``reports/mutation.jsonl``; a
run that was stopped goes on where it was. ``--per-file`` draws a seeded sample.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.append(str(Path(__file__).resolve().parents[2] / "tests" / "python"))

from plimsoll.errors import PlimsollError
from tests.chain.proof import (
    book_battery,
    call_battery,
    margin_battery,
    oracle_battery,
    pure_battery,
    risk_battery,
    scan_battery,
)
from tests.chain.proof.world import World, running

ROOT: Final = Path(__file__).resolve().parents[2]
RESULTS: Final = ROOT / "reports" / "mutation.jsonl"
LIBRARIES: Final = "contracts/libraries/"
#: Source of the contract whose code carries a library, and the batteries that judge it.
UNITS: Final = {
    "LibraryProbe": "contracts/mocks/LibraryProbe.sol",
    "PlainCallProbe": "contracts/mocks/PlainCallProbe.sol",
    "ScanProbe": "contracts/mocks/ScanProbe.sol",
    "RiskEngine": "contracts/risk/RiskEngine.sol",
    "MarginEngine": "contracts/margin/MarginEngine.sol",
    "ScenarioBook": "contracts/risk/ScenarioBook.sol",
    "Oracle": "contracts/feeds/Oracle.sol",
}
#: Units that are tried, in this order. NormalTable is left out: its generator compares the whole file (--check).
TARGETS: Final = {
    f"{LIBRARIES}WadMath.sol": ("LibraryProbe", "RiskEngine"),
    f"{LIBRARIES}PositionWord.sol": ("LibraryProbe",),
    f"{LIBRARIES}LinearMath.sol": ("LibraryProbe",),
    f"{LIBRARIES}SettlementMath.sol": ("LibraryProbe",),
    f"{LIBRARIES}AuctionMath.sol": ("LibraryProbe",),
    f"{LIBRARIES}Units.sol": ("LibraryProbe", "MarginEngine", "RiskEngine"),
    f"{LIBRARIES}MarginMath.sol": ("LibraryProbe", "MarginEngine"),
    f"{LIBRARIES}SnapshotMath.sol": ("MarginEngine",),
    f"{LIBRARIES}PlainCall.sol": ("PlainCallProbe",),
    f"{LIBRARIES}RoundDomain.sol": ("Oracle",),
    f"{LIBRARIES}RoundHash.sol": ("Oracle",),
    f"{LIBRARIES}SpeedLimit.sol": ("LibraryProbe", "Oracle"),
    f"{LIBRARIES}AnchorWord.sol": ("LibraryProbe", "Oracle"),
    f"{LIBRARIES}BookCode.sol": ("ScenarioBook", "RiskEngine"),
    f"{LIBRARIES}NormalCdf.sol": ("RiskEngine",),
    f"{LIBRARIES}OptionKernel.sol": ("RiskEngine",),
    f"{LIBRARIES}ScenarioGrid.sol": ("ScanProbe", "RiskEngine"),
    f"{LIBRARIES}ScenarioWalk.sol": ("RiskEngine",),
    f"{LIBRARIES}ScenarioScan.sol": ("ScanProbe", "RiskEngine"),
    f"{LIBRARIES}PositionGroups.sol": ("ScanProbe", "RiskEngine"),
    f"{LIBRARIES}RequirementMath.sol": ("LibraryProbe", "RiskEngine"),
    f"{LIBRARIES}LinearUnit.sol": ("RiskEngine",),
    f"{LIBRARIES}RiskPass.sol": ("RiskEngine",),
    f"{LIBRARIES}StandardPass.sol": ("RiskEngine",),
    f"{LIBRARIES}ScenarioPlan.sol": ("ScenarioBook",),
    f"{LIBRARIES}AccountWord.sol": ("ScenarioBook", "MarginEngine"),
    "contracts/risk/ScenarioBook.sol": ("ScenarioBook",),
    "contracts/risk/RiskEngine.sol": ("RiskEngine",),
    "contracts/margin/MarginEngine.sol": ("MarginEngine",),
}
#: The intermediate language with what keeps the stack in reach and nothing else: a quarter of the optimizer's time.
STACK_ALONE: Final[dict[str, Any]] = {
    "enabled": True,
    "runs": 1,
    "details": {
        **dict.fromkeys(("peephole", "jumpdestRemover", "orderLiterals", "deduplicate"), False),
        **dict.fromkeys(("cse", "constantOptimizer", "inliner"), False),
        "yul": True,
        "yulDetails": {"stackAllocation": True, "optimizerSteps": ":"},
    },
}
#: Tried in order until one compiles the original, the fastest first.
SETTINGS: Final[tuple[dict[str, Any], ...]] = (
    {"optimizer": {"enabled": False}},
    {"viaIR": True, "optimizer": STACK_ALONE},
)
#: A survivor that the optimizer turns into the original's code is no mutant either.
OPTIMIZED: Final[dict[str, Any]] = {"optimizer": {"enabled": True, "runs": 800}}
COMPILES_PER_PROCESS: Final = 150

TOKEN: Final = re.compile(
    r"0x[0-9a-fA-F]+|\d[\d_]*(?:\.\d+)?(?:e\d+)?|[A-Za-z_$][\w$]*|>>=|<<=|\*\*|\+\+|--|[-+*/%|&^]=|==|!=|<=|>=|&&|\|\||"
    r"<<|>>|=>|[-+*/%<>=!&|^~?:;,.(){}\[\]]"
)
SKIPPED: Final = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'", re.DOTALL)
COMMENT: Final = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
IMPORT: Final = re.compile(r'^\s*import\s[^"]*"([^"]+)"', re.M)
SWAPS: Final = {
    **{"+": ("-",), "*": ("/",), "/": ("*",), "%": ("/",), "<<": (">>",), ">>": ("<<",), "&": ("|",), "|": ("&",)},
    **{"<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"), "==": ("!=",), "!=": ("==",)},
    **{"&&": ("||",), "||": ("&&",), "+=": ("-=",), "-=": ("+=",), "*=": ("/=",), "++": ("--",), "--": ("++",)},
    **{"true": ("false",), "false": ("true",)},
}
ROUNDINGS: Final = {
    **{"mulWadUp": "mulWad", "mulWad": "mulWadUp", "mulWadDown": "mulWadUp", "divDown": "divUp"},
    **{"fullMulDivUp": "fullMulDiv", "min": "max", "max": "min"},
}
ASSEMBLY: Final = {"add": "sub", "sub": "add", "mul": "add", "shl": "shr", "shr": "shl", "and": "or", "or": "and"}
#: Calls that do not mind the order of two arguments.
COMMUTATIVE: Final = frozenset(
    ("mulWad", "mulWadUp", "mulWadDown", "mulUp", "add", "mul", "and", "or", "xor", "eq", "min", "max")
)
#: Judged by bounds, not to the wei: there a scale is changed by a thousandth, since one wei of 1e18 is below any bound.
BOUNDED: Final = (
    *("NormalCdf", "OptionKernel", "ScenarioGrid", "ScenarioWalk", "ScenarioScan", "PositionGroups"),
    *("RequirementMath", "LinearUnit", "RiskPass", "StandardPass", "RiskEngine"),
)
LARGE: Final = 10**9
UNLINKED: Final = re.compile(r"__\$[0-9a-f]{34}\$__")
KEYWORDS: Final = frozenset(
    ("return", "if", "else", "emit", "revert", "while", "for", "unchecked", "assembly", "delete")
)


@dataclass(frozen=True)
class Token:
    """One word of the source."""

    text: str
    at: int

    @property
    def end(self) -> int:
        """Position behind it."""
        return self.at + len(self.text)


@dataclass(frozen=True)
class Mutant:
    """One change: replace ``[at, end)`` of a file by ``text``."""

    path: str
    operator: str
    at: int
    end: int
    text: str
    line: int
    was: str

    @property
    def key(self) -> str:
        """Name that survives a restart."""
        return f"{self.path}:{self.at}:{self.end}:{self.operator}:{self.text}"

    def applied(self, source: str) -> str:
        """Return the source with the change."""
        return source[: self.at] + self.text + source[self.end :]


def tokens_of(source: str) -> list[Token]:
    """Words of the code, without comments and strings."""
    blank = SKIPPED.sub(lambda m: " " * len(m.group()), source)
    return [Token(m.group(), m.start()) for m in TOKEN.finditer(blank)]


def code_of(tokens: list[Token]) -> list[tuple[int, bool]]:
    """Return the tokens inside function bodies and constant values by index, and whether they are in assembly."""
    found: list[tuple[int, bool]] = []
    stack: list[str] = []
    start, value = 0, False
    for i, token in enumerate(tokens):
        inside = any(s in ("body", "assembly") for s in stack)
        if token.text == "{":
            head = [t.text for t in tokens[start:i]]
            kind = "assembly" if "assembly" in head or "assembly" in stack else "body" if inside else _kind(head)
            stack.append(kind)
            start, value = i + 1, False
        elif token.text == "}":
            stack.pop()
            start, value = i + 1, False
        elif token.text == ";" and not inside:
            start, value = i + 1, False
        elif inside or value:
            found.append((i, "assembly" in stack))
        elif token.text == "=" and "constant" in [t.text for t in tokens[start:i]]:
            value = True
        if inside and token.text == ";":
            start = i + 1
    return found


def _kind(head: list[str]) -> str:
    return "body" if {"function", "constructor", "modifier"} & set(head) else "other"


def operators(source: str, path: str) -> Iterator[Mutant]:
    """Every mutant of one file."""
    tokens = tokens_of(source)
    code = code_of(tokens)

    def made(operator: str, first: Token, last: Token, text: str) -> Mutant:
        line = source.count("\n", 0, first.at) + 1
        return Mutant(path, operator, first.at, last.end, text, line, source[first.at : last.end])

    for i, assembly in code:
        token, before = tokens[i], tokens[i - 1].text
        after = tokens[i + 1].text if i + 1 < len(tokens) else ""
        coarse = Path(path).stem in BOUNDED
        for text in _swaps(token.text, before, after, assembly, coarse):
            yield made(_name_of(token.text, assembly), token, token, text)
        if token.text == "(":
            close = closing(tokens, i)
            if before == "if":
                yield made("negate", token, tokens[close], f"(!{source[token.at : tokens[close].end]})")
            elif re.match(r"[A-Za-z_]", before) and before not in KEYWORDS | COMMUTATIVE:
                yield from _argument_swap(source, tokens, i, close, made)
        if token.text == "?":
            yield from _ternary(source, tokens, i, made)
    yield from _deletions(source, tokens, {i for i, assembly in code if not assembly}, made)


def _name_of(text: str, assembly: bool) -> str:
    if text[0].isdigit():
        return "constant"
    if text in ("<", "<=", ">", ">=", "==", "!="):
        return "comparison"
    if text in ROUNDINGS:
        return "rounding"
    return "assembly" if assembly else "sign" if text == "-" else "arithmetic"


def _constant(text: str, coarse: bool) -> list[str]:
    """One more and one less; in a file judged by bounds a large one by a thousandth."""
    large = not text.startswith("0x") and float(text.replace("_", "")) >= LARGE
    step = f"{text} / 1000" if coarse and large else "1"
    return [f"({text} + {step})", f"({text} - {step})"]


def _swaps(text: str, before: str, after: str, assembly: bool, coarse: bool) -> list[str]:
    if text[0].isdigit():
        if before == "." or (text.startswith("0x") and len(text) > 20):
            return []
        # In assembly an offset that is off by one word still reads memory.
        return [f"add({text}, 1)", f"sub({text}, 1)"] if assembly else _constant(text, coarse)
    if assembly:
        return [ASSEMBLY[text]] if text in ASSEMBLY and after == "(" else []
    if text == "-":
        unary = before in ("(", ",", "=", "return", "?", ":", "<", ">", "<=", ">=", "==", "*", "[", "&&", "||")
        return [""] if unary else ["+"]
    if text == "!":
        return [""]
    if text in ROUNDINGS:
        if text == "divUp":
            return ["divDown"]
        return [ROUNDINGS[text]] if after == "(" else []
    return list(SWAPS.get(text, ()))


def closing(tokens: list[Token], at: int) -> int:
    """Index of the parenthesis that closes the one at ``at``."""
    depth = 0
    for i in range(at, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[i].text, 0)
        if depth == 0:
            return i
    raise ValueError("unbalanced parentheses")


def _argument_swap(
    source: str, tokens: list[Token], first: int, last: int, made: Callable[..., Mutant]
) -> Iterator[Mutant]:
    """Swap the two arguments of a call."""
    depth, commas = 0, []
    for i in range(first, last):
        depth += {"(": 1, ")": -1, "[": 1, "]": -1}.get(tokens[i].text, 0)
        if depth == 1 and tokens[i].text == ",":
            commas.append(i)
    if len(commas) != 1:
        return
    left = source[tokens[first].end : tokens[commas[0]].at].strip()
    right = source[tokens[commas[0]].end : tokens[last].at].strip()
    if left != right:
        yield made("argument swap", tokens[first], tokens[last], f"({right}, {left})")


def _ternary(source: str, tokens: list[Token], at: int, made: Callable[..., Mutant]) -> Iterator[Mutant]:
    """Swap both ends of a conditional."""
    depth, colon = 0, 0
    for i in range(at + 1, len(tokens)):
        text = tokens[i].text
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(text, 0)
        if depth == 0 and text == ":" and not colon:
            colon = i
        elif depth < 0 or (depth == 0 and colon and text in (";", ",", "?")):
            if colon and text != "?":
                yes = source[tokens[at].end : tokens[colon].at].strip()
                no = source[tokens[colon].end : tokens[i].at].strip()
                yield made("ternary", tokens[at], tokens[i - 1], f"? {no} : {yes}")
            return


def _deletions(source: str, tokens: list[Token], body: set[int], made: Callable[..., Mutant]) -> Iterator[Mutant]:
    """Delete one statement that is no declaration."""
    start, depth = None, 0
    for i, token in enumerate(tokens):
        if i not in body:
            start, depth = None, 0
            continue
        if token.text in "{}":
            start, depth = None, 0
            continue
        start = i if start is None else start
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if token.text != ";" or depth:
            continue
        text = source[tokens[start].at : token.end]
        declares = re.match(r"[A-Za-z_][\w.]*(\[\d*\])*\s+(memory\s+|storage\s+|calldata\s+)?[a-z_]\w*\s*(=|;)", text)
        typed = re.match(r"\((u?int|bool|address|I[A-Z])", text)
        if (not declares or tokens[start].text in KEYWORDS) and not typed:
            yield made("deletion", tokens[start], token, "")
        start = None


class Compiler:
    """The compiler loop, started afresh before it fills the memory."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._count = 0

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def compile(self, unit: str, changed: dict[str, str], settings: dict[str, Any]) -> str | None:
        """Creation code of one unit, ``None`` when it does not compile."""
        path = UNITS[unit]
        if self._process is None or self._count >= COMPILES_PER_PROCESS:
            self.close()
            command = ["node", str(ROOT / "tools/prove/solc_loop.cjs")]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self._count = 0
        self._count += 1
        texts = {path: (ROOT / path).read_text(encoding="utf-8"), **changed}
        document = {
            "language": "Solidity",
            "sources": {name: {"content": text} for name, text in texts.items()},
            "settings": {
                **settings,
                "evmVersion": "prague",
                "metadata": {"bytecodeHash": "none", "appendCBOR": False},
                "debug": {"revertStrings": "strip"},
                "outputSelection": {path: {unit: ["evm.bytecode.object"]}},
            },
        }
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the compiler has no pipes")
        self._process.stdin.write(json.dumps(document) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if any(e["severity"] == "error" for e in answer.get("errors", ())):
            return None
        # Without the optimizer the address of a library that is never called may be pushed, and dropped again.
        return UNLINKED.sub("00" * 20, str(answer["contracts"][path][unit]["evm"]["bytecode"]["object"]))


@dataclass
class Judge:
    """Batteries of one chain, made when first needed."""

    world: World
    made: dict[str, Any] = field(default_factory=dict)

    def failures(self, unit: str, path: str) -> list[str]:
        """Complaints of the batteries of one unit."""
        if unit == "LibraryProbe":
            return self._pure(Path(path).stem)
        module = {
            "RiskEngine": risk_battery, "MarginEngine": margin_battery, "ScenarioBook": book_battery,
            "Oracle": oracle_battery, "PlainCallProbe": call_battery,
            "ScanProbe": scan_battery,
        }[unit]  # fmt: skip
        return list(self.made[unit].failures()) if unit in self.made else self._first(unit, module)

    def prepare(self, unit: str) -> list[str]:
        """Run a unit's batteries on the original."""
        return self.failures(unit, "")

    def _first(self, unit: str, module: Any) -> list[str]:
        self.made[unit] = module.Battery(self.world)
        return list(self.made[unit].failures())

    def _pure(self, library: str) -> list[str]:
        probe = self.world.contracts["LibraryProbe"]
        groups = self.made.setdefault("pure", {name: list(group()) for name, group in pure_battery.GROUPS.items()})
        for name in sorted(groups, key=lambda n: n != library):
            wrong = pure_battery.failures(probe, groups[name])
            if wrong:
                return wrong
        return pure_battery.path_failures(probe)


class Run:
    """One mutation run."""

    def __init__(self, world: World) -> None:
        self.world, self.judge, self.compiler = world, Judge(world), Compiler()
        self.settings: dict[str, dict[str, Any]] = {}
        self.originals: dict[str, str] = {}

    def prepare(self, unit: str) -> None:
        """Find settings that compile the original, install it so, and see the batteries pass."""
        if unit in self.settings:
            return
        for settings in SETTINGS:
            code = self.compiler.compile(unit, {}, settings)
            if code is not None:
                self.settings[unit], self.originals[unit] = settings, code
                break
        else:
            raise SystemExit(f"error: {UNITS[unit]}: does not compile")
        wrong = self.judge.prepare(unit)
        self.world.install(unit, bytes.fromhex(self.originals[unit]))
        wrong = wrong or self.judge.failures(unit, "")
        self.world.restore(unit)
        if wrong:
            raise SystemExit(f"error: {unit}: the original fails: {wrong[:3]}")

    def verdict(self, mutant: Mutant, source: str) -> tuple[str, str]:
        """One of killed, survived, equivalent, invalid; and who said so."""
        changed, differs = {mutant.path: mutant.applied(source)}, []
        for unit in TARGETS[mutant.path]:
            self.prepare(unit)
            code = self.compiler.compile(unit, changed, self.settings[unit])
            if code is None:
                return "invalid", ""
            if code == self.originals[unit]:
                continue
            differs.append(unit)
            try:
                self.world.install(unit, bytes.fromhex(code))
                wrong = self.judge.failures(unit, mutant.path)
            except PlimsollError as reason:
                wrong = [str(reason)]
            finally:
                self.world.restore(unit)
            if wrong:
                return "killed", f"{unit}: {wrong[0][:160]}"
        if not differs or all(self._same_when_optimized(unit, changed) for unit in differs):
            return "equivalent", ""
        return "survived", ""

    def _same_when_optimized(self, unit: str, changed: dict[str, str]) -> bool:
        key = f"{unit} optimized"
        if key not in self.originals:
            self.originals[key] = self.compiler.compile(unit, {}, OPTIMIZED) or ""
        return bool(self.originals[key]) and self.compiler.compile(unit, changed, OPTIMIZED) == self.originals[key]


def chosen(path: str, per_file: int, seed: int) -> list[Mutant]:
    """Return the mutants of one file, or a seeded sample of them."""
    everything = list(operators((ROOT / path).read_text(encoding="utf-8"), path))
    # A larger sample holds the smaller one: what is known stays of use.
    drawn = random.Random(f"{seed} {path}").sample(everything, len(everything))  # noqa: S311
    return sorted(drawn[:per_file] if per_file > 0 else drawn, key=lambda m: (m.at, m.end, m.operator, m.text))


def sources_of(path: str, known: dict[str, str] | None = None) -> dict[str, str]:
    """Code of a file and of all that it imports, by path, without comments."""
    found = {} if known is None else known
    text = (ROOT / path).read_text(encoding="utf-8")
    found[path] = COMMENT.sub("", text)
    for target in IMPORT.findall(text):
        there = ((ROOT / path).parent / target).resolve()
        if target.startswith(".") and str(there.relative_to(ROOT)) not in found:
            sources_of(str(there.relative_to(ROOT)), found)
    return found


def fingerprint(path: str) -> str:
    """Of everything that decides the verdicts on one file: the code of its units, and their batteries."""
    batteries = {
        "LibraryProbe": ("proof/integers", "proof/pure_battery", "helpers/anchors"),
        "PlainCallProbe": ("proof/call_battery",),
        "ScanProbe": ("proof/integers", "proof/book_battery", "proof/scan_battery"),
        "MarginEngine": ("proof/integers", "proof/margin_battery"),
        "RiskEngine": ("proof/risk_battery",),
        "ScenarioBook": ("proof/book_battery",),
        "Oracle": ("proof/oracle_battery", "helpers/anchors"),
    }
    code: dict[str, str] = {}
    for unit in TARGETS[path]:
        code |= sources_of(UNITS[unit])
    names = {name for unit in TARGETS[path] for name in batteries[unit]} | {"proof/world"}
    texts = [code[name] for name in sorted(code)]
    texts += [(ROOT / f"tests/chain/{name}.py").read_text(encoding="utf-8") for name in sorted(names)]
    return hashlib.sha256("".join(texts).encode()).hexdigest()[:16]


def remembered(marks: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Verdicts of an earlier run on the same sources."""
    if not RESULTS.exists():
        return {}
    lines = [json.loads(line) for line in RESULTS.read_text(encoding="utf-8").splitlines()]
    return {line["key"]: line for line in lines if line["mark"] == marks.get(line["path"])}


def report(results: list[dict[str, Any]]) -> float:
    """Print the table and the survivors; return the share killed."""
    by_file: dict[str, Counter[str]] = {}
    for result in results:
        by_file.setdefault(result["path"], Counter())[result["verdict"]] += 1
    print(f"{'file':44s} {'killed':>7s} {'survived':>9s} {'score':>7s} {'equivalent':>11s} {'invalid':>8s}")
    total: Counter[str] = Counter()
    for path, count in [*by_file.items(), ("all", total)]:
        if path != "all":
            total.update(count)
        judged = count["killed"] + count["survived"]
        score = f"{count['killed'] / judged:.1%}" if judged else "-"
        print(
            f"{path:44s} {count['killed']:7d} {count['survived']:9d} {score:>7s} {count['equivalent']:11d}"
            f" {count['invalid']:8d}"
        )
    for result in results:
        if result["verdict"] == "survived":
            print(f"   {result['path']}:{result['line']} {result['operator']}: {result['was']!r} -> {result['text']!r}")
    return total["killed"] / max(1, total["killed"] + total["survived"])


def main() -> int:
    """Run; return 1 when fewer than ``--least`` of the mutants are killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-file", type=int, default=30, help="sample of each file; 0 for all (default 30)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="parts of the paths of the files to change, with commas")
    parser.add_argument("--least", type=float, default=0.9, help="share that must be killed (default 0.9)")
    options = parser.parse_args()
    paths = [p for p in TARGETS if any(part in p for part in options.only.split(",")) and (ROOT / p).exists()]
    mutants = [m for path in paths for m in chosen(path, options.per_file, options.seed)]
    marks = {path: fingerprint(path) for path in paths}
    known, results = remembered(marks), []
    RESULTS.parent.mkdir(exist_ok=True)
    began = time.monotonic()
    with running(any_size=True) as world, RESULTS.open("a", encoding="utf-8") as log:
        run = Run(world)
        try:
            for number, mutant in enumerate(mutants, 1):
                result = known.get(mutant.key)
                if result is None:
                    source = (ROOT / mutant.path).read_text(encoding="utf-8")
                    verdict, by = run.verdict(mutant, source)
                    result = {
                        "mark": marks[mutant.path], "key": mutant.key, "path": mutant.path, "line": mutant.line,
                        "operator": mutant.operator, "was": mutant.was, "text": mutant.text, "verdict": verdict,
                        "by": by,
                    }  # fmt: skip
                    log.write(json.dumps(result) + "\n")
                    log.flush()
                results.append(result)
                if number % 10 == 0 or number == len(mutants):
                    spent = time.monotonic() - began
                    print(f"   {number}/{len(mutants)} mutants, {spent:.0f} s, {mutant.path}", file=sys.stderr)
        finally:
            run.compiler.close()
    score = report(results)
    print(f"killed {score:.1%}, at least {options.least:.0%} asked")
    return int(score < options.least)


if __name__ == "__main__":
    sys.exit(main())
