"""Gas of every fixed-point library beside the best public one, into reports/bench.json.

One evaluation inside one call: a generated contract holds one loop over the arguments with the function and one
without, and returns the difference. Compiled like the public figures: via-IR, optimizer runs 1,000,000.
"""

from __future__ import annotations

import json
import math
import random
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from plimsoll.chain.anvil import running
from plimsoll.chain.book import rows_of
from plimsoll.chain.client import Client
from plimsoll.params import BookSpec

ROOT: Final = Path(__file__).resolve().parents[2]
REPORT: Final = ROOT / "reports" / "bench.json"
RUNS: Final = 1_000_000
ARGUMENTS: Final = 200
WAD: Final = 10**18
DAY_SEC: Final = 86_400
YEAR_SEC: Final = 365 * DAY_SEC
TS: Final = 1_800_000_000
#: Where the code of a probe is put.
ADDRESS: Final = "0x00000000000000000000000000000000000b0b0b"

TABLE_ADDRESS: Final = "0x000000000000000000000000000000000007aB1e"

SOURCE: Final = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;
{imports}
import {{IOracle}} from "interfaces/IOracle.sol";
import {{IScenarioBook}} from "interfaces/IScenarioBook.sol";
contract Probe {{
    function measure({type}[{fields}][] memory x{extra}) external view returns (uint256 gasUsed, uint256 sum) {{
        unchecked {{
            {setup}
            {prepare}
            uint256 start = gasleft();
            for (uint256 i; i < x.length; ++i) {{
                {type}[{fields}] memory a = x[i];
                sum += uint256({read});
            }}
            uint256 empty = start - gasleft();
            start = gasleft();
            for (uint256 i; i < x.length; ++i) {{
                {type}[{fields}] memory a = x[i];
                {run}
            }}
            gasUsed = start - gasleft() - empty;
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Case:
    """What is measured, on which arguments, and what to beat."""

    libraries: tuple[str, ...]
    run: str
    arguments: list[list[int]]
    peer: str
    peer_value: float
    limit: int | None
    goal: int | None
    type: str = "uint256"
    prepare: str = ""
    setup: str = ""


def log_uniform(source: random.Random, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform."""
    return math.exp(source.uniform(math.log(low), math.log(high)))


def options(source: random.Random) -> list[list[int]]:
    """Forward, strike within a factor e, volatility 20 % to 200 %, a day to two years."""
    found = []
    for _ in range(ARGUMENTS):
        forward = log_uniform(source, 100, 50_000)
        strike = forward * math.exp(source.uniform(-1, 1))
        seconds = log_uniform(source, DAY_SEC, 730 * DAY_SEC)
        found.append([int(forward * WAD), int(strike * WAD), int(source.uniform(0.2, 2) * WAD), int(seconds)])
    return found


#: Sixteen rows, as many as SPAN has: seven prices with vol up and flat, one tail a side.
SIXTEEN: Final = BookSpec((-1.0, -2 / 3, -1 / 3, 0.0, 1 / 3, 2 / 3, 1.0), ("up", "flat"), (2.0,), ("flat",), skew_at=())
RANGE_WAD: Final = 18 * WAD // 100


def rows_setup(book: BookSpec) -> str:
    """Statements that build the rows of a book in memory."""
    rows = rows_of(book)
    lines = [f"IScenarioBook.Rows memory rows; rows.skewWad = {rows['skewWad']};"]
    for name, kind in (
        ("gridMovesWad", "int256"),
        ("gridVols", "uint8"),
        ("tailMovesWad", "int256"),
        ("tailVols", "uint8"),
    ):
        lines.append(f"rows.{name} = new {kind}[]({len(rows[name])});")
        lines += [f"rows.{name}[{i}] = {value};" for i, value in enumerate(rows[name])]
    lines.append(f"rows.skewAt = new IScenarioBook.SkewPlace[]({len(rows['skewAt'])});")
    for i, place in enumerate(rows["skewAt"]):
        move_wad, vol = place.values() if isinstance(place, dict) else place
        lines.append(f"rows.skewAt[{i}] = IScenarioBook.SkewPlace({move_wad}, {vol});")
    return " ".join(lines)


def rows_case(source: random.Random, book: BookSpec, limit: int | None, goal: int | None) -> Case:
    """Measure a short option of known variance in the risk engine: opened, and walked through the rows of a book.

    Book, expiry and table are already in memory. A long option's gaps, which no peer has, are not part of it; its
    SVI volatility is measured by itself.
    """
    return Case(
        ("Ln", "OptionKernel", "ScenarioGrid", "ScenarioPlan", "NormalCdf"),
        "OptionKernel.openAt(o, e, a[1], Ln.lnRatio(a[0], a[1]), a[2], 1e16);"
        "ScenarioGrid.walk(g, o, e, g.template, -int256(a[0]), -int256(a[1]));",
        [[f, k, v * v // WAD * t // YEAR_SEC] for f, k, v, t in options(source)],
        f"{book.nodes} x defimath",
        2501 * book.nodes,
        limit,
        goal,
        setup=rows_setup(book)
        + "OptionKernel.Expiry memory e; OptionKernel.Option memory o; ScenarioGrid.Grid memory g;"
        "IOracle.Surface memory s; IOracle.Header memory h;",
        prepare=f"uint256[] memory plan = ScenarioPlan.build(rows, {RANGE_WAD}); OptionKernel.create(o);"
        f"ScenarioGrid.create(g, plan, NormalCdf.load({TABLE_ADDRESS}), o); h.ts = uint40(block.timestamp);"
        "s = IOracle.Surface(uint40(block.timestamp + 30 days), 2000e18, 0.04e18, 0.01e18, 0.03e18, -0.2e18, 0.01e18,"
        "0.1e18); OptionKernel.prepare(e, s, h, 0.45e18, 0.3e18);",
    )


def cases() -> dict[str, Case]:
    """Every measurement by name; arguments are reproducible."""
    source = random.Random(1)  # noqa: S311 (arguments of a benchmark)

    def wads(draw: Any) -> list[list[int]]:
        return [[int(draw() * WAD)] for _ in range(ARGUMENTS)]

    return {
        "gas.math.exp": Case(
            ("Exp",),
            "sum += Exp.expWad(a[0]);",
            wads(lambda: source.uniform(-20, 20)),
            "defimath",
            278,
            280,
            210,
            "int256",
        ),
        "gas.math.ln": Case(
            ("Ln",),
            "sum += uint256(Ln.lnWad(a[0]));",
            wads(lambda: log_uniform(source, 0.05, 20)),
            "solady with CLZ",
            353,
            350,
            200,
        ),
        "gas.math.sqrt": Case(
            ("Sqrt",),
            "sum += Sqrt.sqrtWad(a[0]);",
            wads(lambda: log_uniform(source, 0.0015, 4)),
            "defimath",
            163,
            170,
            150,
        ),
        "gas.math.cdf": Case(
            ("NormalDistribution",),
            "sum += NormalDistribution.cdf(a[0]);",
            wads(lambda: source.uniform(-6, 6)),
            "gud-cdf",
            388,
            300,
            220,
            "int256",
        ),
        "gas.math.cdf_table": Case(
            ("NormalCdf",),
            "sum += uint256(NormalCdf.cdf(table, a[0]));",
            [[int(source.uniform(-6, 6) * 2**67)] for _ in range(ARGUMENTS)],
            "gud-cdf",
            388,
            300,
            220,
            "int256",
            prepare=f"uint256 table = NormalCdf.load({TABLE_ADDRESS});",
        ),
        "gas.math.black76": Case(
            ("Black76",),
            "(uint256 c, uint256 d) = Black76.call(a[0], a[1], a[2], a[3]); sum += c + d;",
            options(source),
            "defimath",
            2501,
            1200,
            780,
        ),
        "gas.math.svi": Case(
            ("SviVolatility",),
            "sum += SviVolatility.volatility(s, a[0], a[1], a[3]);",
            options(source),
            "lyra-utils",
            5060,
            1000,
            650,
            prepare="SviVolatility.Slice memory s = SviVolatility.Slice(0.01e18, 0.1e18, -0.3e18, 0.02e18, 0.2e18);",
        ),
        "gas.math.rows16": rows_case(source, SIXTEEN, 9_000, 6_500),
        "gas.math.rows35": rows_case(source, BookSpec(), None, None),
    }


def compile_probe(case: Case) -> str:
    """Deployed code of the generated contract."""
    fields = len(case.arguments[0])
    imports = "\n".join(f'import {{{name}}} from "contracts/libraries/{name}.sol";' for name in case.libraries)
    read = " + ".join(f"a[{k}]" for k in range(fields))
    source = SOURCE.format(
        imports=imports,
        type=case.type,
        fields=fields,
        extra="",
        prepare=case.prepare,
        setup=case.setup,
        read=read,
        run=case.run,
    )
    return compile_contract(source)


def table_code() -> str:
    """Return the deployed code of NormalTable: its words."""
    text = (ROOT / "contracts" / "libraries" / "NormalTable.sol").read_text(encoding="utf-8")
    return "".join(re.findall(r'hex"([0-9a-f]{64})"', text))


def compile_contract(source: str) -> str:
    """Deployed code of a generated contract named Probe."""
    settings = {
        "viaIR": True,
        "optimizer": {"enabled": True, "runs": RUNS},
        "evmVersion": "prague",
        "outputSelection": {"*": {"Probe": ["evm.deployedBytecode.object"]}},
    }
    request = {"language": "Solidity", "sources": {"Probe.sol": {"content": source}}, "settings": settings}
    command = ["node", str(ROOT / "tools" / "setup" / "solc.cjs")]
    answer = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, check=True, cwd=ROOT)
    output = json.loads(answer.stdout)
    for error in output.get("errors", []):
        if error["severity"] == "error":
            raise SystemExit(error["formattedMessage"])
    return str(output["contracts"]["Probe.sol"]["Probe"]["evm"]["deployedBytecode"]["object"])


def measure(client: Client, case: Case) -> int:
    """Gas of one evaluation, the mean over the arguments, rounded up."""
    client.rpc("anvil_setCode", ADDRESS, "0x" + compile_probe(case))
    kind = f"{case.type}[{len(case.arguments[0])}][]"
    data = keccak(text=f"measure({kind})")[:4] + encode([kind], [case.arguments])
    gas_used, _ = decode(["uint256", "uint256"], client.call(ADDRESS, data))
    return -(-gas_used // len(case.arguments))


def measure_all() -> dict[str, int]:
    """Gas by name."""
    with running(TS) as chain:
        client = Client(chain.url)
        client.rpc("anvil_setCode", TABLE_ADDRESS, "0x" + table_code())
        return {name: measure(client, case) for name, case in cases().items()}


def merge(entries: list[dict[str, Any]]) -> None:
    """Replace entries of the same name in the report and keep the others."""
    present = json.loads(REPORT.read_text(encoding="utf-8")) if REPORT.exists() else []
    by_name = {entry["name"]: entry for entry in [*present, *entries]}
    REPORT.parent.mkdir(exist_ok=True)
    text = json.dumps([by_name[name] for name in sorted(by_name)], indent=1)
    REPORT.write_text(text + "\n", encoding="utf-8")


def main() -> int:
    """Measure, print, merge into the report; return the exit code."""
    found, entries = measure_all(), []
    print(f"{'one evaluation inside one call':<32}{'gas':>7}{'must':>7}{'goal':>7}  best public")
    for name, case in cases().items():
        gas = found[name]
        over = case.limit is not None and gas > case.limit
        print(
            f"{name:<32}{gas:>7}{case.limit or '-':>7}{case.goal or '-':>7}  {case.peer_value:g} ({case.peer})"
            f"{'  over the limit' if over else ''}"
        )
        ratio = round(case.peer_value / gas, 2)
        entries.append(
            {"name": name, "unit": "gas", "value": gas, "peer": case.peer, "peerValue": case.peer_value, "ratio": ratio}
        )
    merge(entries)
    return 0


if __name__ == "__main__":
    sys.exit(main())
