"""Every table of a command on a terminal of eighty columns, of an account as full and as large as one may be."""

import json
import math

import pytest
from helpers.desk import account, history_lines
from helpers.examples import MARKET, TS
from rich.console import Console

from plimsoll.cli import run
from plimsoll.cli.tables import plain_table
from plimsoll.constants import DAY_SEC
from plimsoll.model import MAX_EXPIRIES, MAX_POSITIONS

WIDTH = 80
#: Positions that a collar needs.
ROOM = 2
#: 08:00 UTC of the day before the market's time.
EIGHT = TS // DAY_SEC * DAY_SEC + 8 * 3_600
EXPIRIES = [EIGHT + days * DAY_SEC for days in (2, 3, 4, 7, 14, 21, 49, 77, 140, 230, 300, 322)]
SIDES = (("call", 1.05), ("put", 0.95), ("call", 1.3), ("put", 0.7), ("call", 1.15))


def listed(spot):
    expiries = []
    for expiry in EXPIRIES:
        years = (expiry - TS) / (365 * DAY_SEC)
        svi = {"a": 0.2 * years, "b": 0.05 * math.sqrt(years), "rho": -0.3, "m": 0.0, "sigma": 0.15}
        expiries.append({"expiry": expiry, "forward": spot * (1 + 0.04 * years), "rate": 0.04, "svi": svi})
    return {"spot": spot, "perp": spot, "confidence": 1.0, "expiries": expiries}


def legs():
    found = [{"underlying": u, "kind": "perp", "quantity": -4_000.0, "entry": p} for u, p in SPOTS.items()]
    for number in range(MAX_POSITIONS - ROOM - len(found)):
        underlying = ("ETH", "BTC")[number // 63]
        right, share = SIDES[number // 12 % len(SIDES)]
        strike = round(SPOTS[underlying] * (share + 0.01 * (number // 60 % 2)))
        found.append({
            "underlying": underlying, "kind": "option", "right": right, "expiry": EXPIRIES[number % 12],
            "strike": strike + number // 24, "quantity": (-1) ** number * (1_000.0 + 137.0 * number),
        })  # fmt: skip
    return found


SPOTS = {"ETH": 1_900.0, "BTC": 64_000.0}


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A full account, a market with as many expiries as there may be, a later market, prices."""
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    monkeypatch.chdir(tmp_path)
    assert len(EXPIRIES) == MAX_EXPIRIES
    market = {**MARKET, "underlyings": {name: listed(spot) for name, spot in SPOTS.items()}}
    folio = {
        "schema": "plimsoll.portfolio/1", "mode": "SINGLE", "cash": 3e9, "positions": legs(),
        "collateral": [{"token": "WETH", "amount": 123_456.0}],
    }  # fmt: skip
    later = json.loads(json.dumps(market))
    later["timestamp"] += 3_600
    for name, spot in SPOTS.items():
        later["underlyings"][name] |= {"spot": 0.93 * spot, "perp": 0.92 * spot}
        for expiry in later["underlyings"][name]["expiries"]:
            expiry["forward"] *= 0.93
    for name, document in (("M", market), ("P", folio), ("Q", folio), ("L", later)):
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    (tmp_path / "H.csv").write_text("\n".join(history_lines()) + "\n")
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        ["margin"],
        ["margin", "--with", "sell 12345 ETH-PERP"],
        ["compare"],
        ["stress", "--standard", "--surface"],
        ["risk", "var", "--history", "H.csv"],
        ["risk", "contrib", "--method", "parametric", "--history", "H.csv"],
        ["risk", "contrib", "--method", "historical", "--history", "H.csv"],
        ["risk", "backtest", "--method", "historical", "--history", "H.csv", "--window", "300"],
        ["explain", "pnl", "--to", "L.json"],
        ["explain", "liquidation"],
        ["explain", "payoff", "--underlying", "ETH"],
        ["explain", "vega", "--underlying", "BTC"],
        ["cascade", "--underlying", "ETH", "--portfolio", "Q.json"],
        ["fund", "--fund", "1e6", "--portfolio", "Q.json"],
        ["optimise", "hedge", "--underlying", "ETH", "--target", "collar", "--liquidity", "1e12"],
        ["optimise", "bands", "--underlying", "ETH", "--paths", "50"],
        ["optimise", "allocate", "--portfolio", "Q.json"],
    ],
    ids=" ".join,
)
def test_nothing_of_a_table_is_cut(files, capsys, command):
    assert run([*command, *account(files)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 1
    assert not [line for line in lines if "…" in line]
    assert max(map(len, lines)) <= WIDTH


def test_columns_that_do_not_fit_follow_in_blocks_beside_the_first(files, capsys):
    command = ["explain", "payoff", "--underlying", "ETH", *account(files)]
    assert run([*command, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert run(command) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if "%" in line]
    moves = [f"{one['move']:+.0%}" for one in document["moves"]]
    assert [row[0] for row in rows] == moves * (len(rows) // len(moves))
    for number, one in enumerate(document["moves"]):
        shown = [cell for row in rows[number :: len(moves)] for cell in row[1:]]
        assert shown[1:] == [f"{value:,.0f}" for value in one["pnl"]]


def test_what_rounds_to_nothing_has_no_sign(capsys):
    table = plain_table("t", ("name", "cash", "share"))
    table.add_row("a", "-0.00", "-0%")
    table.add_row("b", "-0.01", "-10.00")
    Console(width=WIDTH).print(table)
    assert capsys.readouterr().out.split()[-6:] == ["a", "0.00", "0%", "b", "-0.01", "-10.00"]
