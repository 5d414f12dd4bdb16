"""A market file in other units than meant is read, and said to be hard to believe."""

import json

import pytest
from helpers.desk import account, write_desk
from helpers.examples import MARKET, changed

from plimsoll.cli import run

EXPIRY = ("underlyings", "ETH", "expiries", 0)
DOUBTS = [
    (("underlyings", "ETH", "perp"), 19.0, "perpetual of ETH is -99% from spot 1900, the usual limit is 50%"),
    ((*EXPIRY, "forward"), 19_040.0, "ETH 2026-02-13: forward is 10 times the spot, the usual limit is a factor of 2"),
    ((*EXPIRY, "rate"), 4.0, "ETH 2026-02-13: rate is 4, beyond 100% a year; 0.04 is 4 %"),
    ((*EXPIRY, "rate"), -1.01, "rate is -1.01, beyond 100% a year"),
    ((*EXPIRY, "svi", "a"), 65.0, "volatility at the money is 5,660%, above 1,000%"),
]


@pytest.mark.parametrize(("path", "value", "said"), DOUBTS)
@pytest.mark.parametrize("command", [["margin"], ["stress", "--reverse"], ["compare"], ["explain", "liquidation"]])
def test_other_units_are_warned_of_once(tmp_path, capsys, command, path, value, said):
    files = write_desk(tmp_path)
    (files / "M.json").write_text(json.dumps(changed(MARKET, path, value)))
    assert run([*command, *account(files), "--json"]) == 0
    shown = capsys.readouterr()
    json.loads(shown.out)
    assert [said in line for line in shown.err.splitlines() if line.startswith("warning: ")] == [True]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("underlyings", "ETH", "perp"), 950.0),
        ((*EXPIRY, "forward"), 3_800.0),
        ((*EXPIRY, "rate"), 1.0),
        ((*EXPIRY, "svi", "a"), 1.5),
    ],
)
def test_what_may_be_so_is_not(tmp_path, capsys, path, value):
    files = write_desk(tmp_path)
    (files / "M.json").write_text(json.dumps(changed(MARKET, path, value)))
    assert run(["margin", *account(files), "--json"]) == 0
    assert capsys.readouterr().err == ""
