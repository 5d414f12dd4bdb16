"""Measure the desk: programs, VaR of many accounts, commands on a full account; into reports/bench.json."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np

from plimsoll.analytics.optimise.trades import TradeProgram, trade_program
from plimsoll.analytics.optimise.universe import TradingCosts, universe_of
from plimsoll.analytics.var.many import SparseBooks, var_many
from plimsoll.model import MAX_POSITIONS, Kind, Market, Mode, Portfolio, Position, Round, Surface, Svi, Token
from plimsoll.params import Params
from tools.bench.report import Entry

INSTRUMENTS: Final = 200
TS: Final = 1_770_326_940
SCENARIOS, UNITS, ACCOUNTS, HELD = 10_000, 2_000, 10_000, 20
#: What each must stay below.
LP_MS, VAR_SEC = 3.0, 1.0
MARKET: Final = Path(__file__).resolve().parents[2] / "examples" / "market.json"
#: Commands of the desk on a full account, and the seconds that each should stay below.
COMMANDS: Final = {
    "desk.stress": (["stress"], 5.0),
    "desk.reverse": (["stress", "--reverse"], 5.0),
    "desk.var": (["risk", "var"], 5.0),
    "desk.report": (["report", "desk"], 10.0),
}


def margin_program() -> TradeProgram:
    """Build the program of a book of 100 legs with 200 instruments to trade over 31 rows."""
    svi = Svi(0.002, 0.03, -0.2, 0.0, 0.1)
    surfaces = tuple(Surface(TS + d * 86_400, 1_900.0 + d / 10, 0.04, svi) for d in (3, 7, 14, 30, 60, 91, 180))
    market = Market(TS, {"USDC": Token("USDC", 1.0, 0.0)}, {"ETH": Round("ETH", TS, 1_900.0, 1_899.5, 1.0, surfaces)})
    draw = np.random.default_rng(1)
    options = [
        Position("ETH", kind, surface.expiry_ts, float(strike), float(draw.integers(1, 8) * draw.choice((-1, 1))))
        for surface in surfaces
        for strike in range(1_400, 2_450, 150)
        for kind in (Kind.CALL, Kind.PUT)
    ]
    positions = (*options[:99], Position("ETH", Kind.PERP, 0, 1_900.0, 4.0))
    portfolio = Portfolio(Mode.SINGLE, 5e5, {}, positions)
    candidates = universe_of(market, portfolio, TradingCosts())[:INSTRUMENTS]
    return trade_program(market, portfolio, Params(), candidates, open_all=True)


def lp_ms() -> float:
    """Mean time of a re-solve, each after another instrument was closed or opened, milliseconds."""
    program = margin_program()
    program.lp.solve("bench")
    spent = 0.0
    for number in range(INSTRUMENTS):
        for on in (False, True):
            start = time.perf_counter()
            program.allow(number, on)
            program.lp.solve("bench")
            spent += time.perf_counter() - start
    return 1e3 * spent / (2 * INSTRUMENTS)


def var_sec() -> float:
    """Shortest of three runs of VaR and ES of all accounts, seconds; compiling is not counted."""
    draw = np.random.default_rng(1)
    pnl = draw.standard_normal((UNITS, SCENARIOS)).astype(np.float32)
    instrument = draw.integers(0, UNITS, ACCOUNTS * HELD)
    books = SparseBooks(np.arange(ACCOUNTS + 1) * HELD, instrument, draw.standard_normal(ACCOUNTS * HELD))
    times = []
    for _ in range(4):
        start = time.perf_counter()
        var_many(pnl, books, 0.99)
        times.append(time.perf_counter() - start)
    return min(times[1:])


def _book(folder: Path) -> list[str]:
    """Write an account of 128 options on the example market; return the options that name its files."""
    market = json.loads(MARKET.read_text(encoding="utf-8"))
    draw, legs = np.random.default_rng(3), {}
    while len(legs) < MAX_POSITIONS:
        name = str(draw.choice(sorted(market["underlyings"])))
        listed = market["underlyings"][name]["expiries"]
        expiry = listed[draw.integers(0, len(listed))]
        strike, right = float(round(expiry["forward"] * draw.uniform(0.6, 1.5), -1)), str(draw.choice(("call", "put")))
        unit = 1_900.0 / market["underlyings"][name]["spot"]
        quantity = round(float(draw.integers(1, 20) * draw.choice((-1, 1))) * unit, 4)
        leg = {"underlying": name, "kind": "option", "right": right, "expiry": expiry["expiry"], "strike": strike}
        legs[name, expiry["expiry"], strike, right] = leg | {"quantity": quantity}
    folio = {"schema": "plimsoll.portfolio/1", "mode": "SINGLE", "cash": 150_000.0, "collateral": []}
    path = folder / "portfolio.json"
    path.write_text(json.dumps({**folio, "positions": list(legs.values())}), encoding="utf-8")
    return ["--market", str(MARKET), "--portfolio", str(path)]


def command_sec(arguments: list[str], folder: Path) -> float:
    """Shortest of three runs of a command as a process of its own, its start included, seconds.

    Byte code is kept, as after an installation: the first run may have to write it.
    """
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    kept["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    times = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "plimsoll", *arguments],
            cwd=folder,
            env=kept,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        times.append(time.perf_counter() - start)
    return min(times)


def desk_entries() -> list[Entry]:
    """Measure all and print them beside their limits."""
    lp, var = lp_ms(), var_sec()
    print(f"margin program    {lp:8.3f} ms a re-solve, limit {LP_MS:g}")
    print(f"VaR, 10k accounts {var:8.3f} s over 10k scenarios, limit {VAR_SEC:g}")
    found = [Entry("off.lp", "ms", lp), Entry("off.var", "s", var)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = _book(folder)
        for row, (arguments, most) in COMMANDS.items():
            spent = command_sec([*arguments, *files], folder)
            print(f"{' '.join(arguments):<18}{spent:8.3f} s on {MAX_POSITIONS} positions, limit {most:g}")
            found.append(Entry(row, "s", spent))
    return found
